//! The app: what it knows, what it does with it, and one frame of it.
//!
//! - [`state`]: everything that the views show, and the actions that they give back;
//! - `act`: what an action does;
//! - `listen`: what the solver's answers do;
//! - `keep`: going on with a run that was kept;
//! - `race`: another run beside this one;
//! - [`training`]: problems that are solved over their whole domain at once;
//! - `layout`: where the views stand.

mod act;
mod keep;
mod keys;
mod layout;
mod listen;
mod race;
pub mod state;
pub mod training;

use eframe::egui_wgpu::wgpu::TextureFormat;
use egui::Context;
use sketchpde::problem::{Problem, presets};

use crate::link::{Backend, Link, RunId};
use crate::mirror::Mirror;
use crate::platform::Platform;
use crate::setup::share::{self, Opening, Story};
use crate::setup::{self, Setup};
use crate::theme;
use crate::views::{self, Pictures};
use state::{Action, Edit, Notice, Shade, Speed, State, Tab, Tools};

/// What a shell can choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub backend: Backend,
    /// What to open with; `None`: what the link's fragment says, else the first preset.
    pub opening: Option<Opening>,
    /// Begin without slowing the run down to what a person can follow.
    pub full_speed: bool,
}

/// The app, for whatever shell.
pub struct App {
    line: Box<dyn Link>,
    platform: Box<dyn Platform>,
    state: State,
    pictures: Pictures,
    /// What the run that was asked for looks like before it begins.
    next: Option<Mirror>,
    latest_run: RunId,
    /// A snapshot is on its way.
    asked: bool,
    asked_at: f64,
    /// What is known of the run that was asked for.
    after_loading: Beginnings,
    /// How often the solver has stopped since it last made a step, and the step it began from.
    stops: (usize, usize),
}

/// How a run differs from its problem when it begins.
#[derive(Clone, Copy, Debug, Default)]
struct Beginnings {
    /// As [`State::stale`].
    stale: bool,
    /// As [`State::redrawn`].
    redrawn: bool,
}

/// Sets up a context for the app: fonts, styles, and the format of the texture that wgpu draws its
/// frames onto. Once, before the first frame.
pub fn prepare(ctx: &Context, target: TextureFormat) {
    theme::install(ctx);
    views::draw_onto(ctx, target);
}

/// [`prepare`] for an `eframe` shell.
///
/// # Errors
/// When the shell does not draw by wgpu.
pub fn prepare_shell(cc: &eframe::CreationContext<'_>) -> Result<(), NoWgpu> {
    let state = cc.wgpu_render_state.as_ref().ok_or(NoWgpu)?;
    prepare(&cc.egui_ctx, state.target_format);
    Ok(())
}

/// The shell draws by something else than wgpu, in which the fields are coloured.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the app draws by wgpu only, and this window has another renderer")]
pub struct NoWgpu;

impl App {
    /// An app that asks its solver for the first run at once, even before there is anything to draw
    /// in: [`prepare`] the context that comes for it.
    #[must_use]
    pub fn new(line: Box<dyn Link>, platform: Box<dyn Platform>, options: Options) -> Self {
        let (opening, complaint) = first(&options, &*platform);
        let (story, training) = match opening {
            Opening::Run(story) => (story, None),
            Opening::Training(training) => (at_hand(), Some(training)),
        };
        let setup = story.setup.clone();
        let problem = setup.problem().expect("it was checked");
        let state = State {
            mirror: Mirror::new(0, problem.clone(), setup.clone()),
            edit: Edit::of(&problem),
            setup,
            training: None,
            notices: complaint
                .into_iter()
                .map(|text| Notice { text, since: 0.0, bad: true })
                .collect(),
            panels: true,
            tab: Tab::default(),
            scrub: None,
            shade: Shade::default(),
            tools: Tools::default(),
            speed: if options.full_speed { Speed::Full } else { Speed::default() },
            backend: options.backend,
            awaited: None,
            stale: false,
            redrawn: false,
            now: 0.0,
            banner: platform.banner(),
        };
        let mut app = Self {
            line,
            platform,
            state,
            pictures: Pictures::default(),
            next: None,
            latest_run: 0,
            asked: false,
            asked_at: f64::MIN,
            after_loading: Beginnings::default(),
            stops: (0, 0),
        };
        match training {
            Some(training) => app.open_training(training),
            None => app.begin_story(problem, story, true),
        }
        app
    }

    /// Everything that is shown.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What happens whether or not anything is drawn.
    pub fn think(&mut self, ctx: &Context) {
        self.state.now = ctx.input(|input| input.time);
        self.listen();
        self.look_at_files(ctx);
        self.apply_what_was_typed();
        self.ask(ctx);
    }

    /// One frame.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let mut actions = keys::pressed(ui, &self.state);
        layout::show(ui, &mut self.state, &mut self.pictures, &mut actions);
        for action in actions {
            self.act(ui.ctx(), action);
        }
    }

    fn look_at_files(&mut self, ctx: &Context) {
        for file in ctx.input(|input| input.raw.dropped_files.clone()) {
            self.platform.receive(file);
        }
        match self.platform.opened() {
            Some(Ok(bytes)) => self.act(ctx, Action::Open(bytes)),
            Some(Err(error)) => self.complain(format!("The file cannot be read: {error}")),
            None => {}
        }
    }

    fn tell(&mut self, text: impl Into<String>) {
        self.notice(text.into(), false);
    }

    fn complain(&mut self, text: impl Into<String>) {
        self.notice(text.into(), true);
    }

    fn notice(&mut self, text: String, bad: bool) {
        const MOST: usize = 3;
        let notices = &mut self.state.notices;
        notices.retain(|notice| notice.text != text);
        notices.push(Notice { text, since: self.state.now, bad });
        if notices.len() > MOST {
            notices.remove(0);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.think(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }
}

impl Edit {
    /// The texts of a problem.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        Self {
            equation: problem.equation.trim().to_owned(),
            initial: setup::initial_text(problem),
            ..Self::default()
        }
    }
}

/// What to open with, and what is wrong with what was wished for.
fn first(options: &Options, platform: &dyn Platform) -> (Opening, Option<String>) {
    let wished = match (&options.opening, platform.fragment()) {
        (Some(opening), _) => Ok(opening.clone()),
        (None, Some(fragment)) if !fragment.is_empty() => share::from_fragment(&fragment)
            .map_err(|error| format!("This link cannot be followed: {error}.")),
        _ => return (Opening::Run(at_hand()), None),
    };
    let checked = wished.and_then(|opening| match &opening {
        Opening::Run(story) => match story.setup.problem() {
            Ok(_) => Ok(opening),
            Err(errors) => Err(setup::in_words(&errors)),
        },
        Opening::Training(_) => Ok(opening),
    });
    match checked {
        Ok(opening) => (opening, None),
        Err(complaint) => (Opening::Run(at_hand()), Some(complaint)),
    }
}

/// The preset that plays on arrival.
fn at_hand() -> Story {
    Setup::preset(presets()[0]).into()
}
