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

use egui::Context;
use sketchpde::problem::{Preset, Problem, ProblemErrors, presets};

use crate::link::{Backend, Link, RunId};
use crate::mirror::Mirror;
use crate::platform::Platform;
use crate::setup::{self, Setup, share};
use crate::theme;
use crate::views::Pictures;
use state::{Action, Edit, Notice, Shade, Speed, State, Tab, Tools};

/// What a shell can choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub backend: Backend,
    /// The problem to open with; `None`: what the link's fragment says, else the first preset.
    pub setup: Option<Setup>,
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

impl App {
    /// For an `eframe` shell.
    #[must_use]
    pub fn new(
        cc: &eframe::CreationContext<'_>,
        line: Box<dyn Link>,
        platform: Box<dyn Platform>,
        options: Options,
    ) -> Self {
        Self::create(&cc.egui_ctx, line, platform, options)
    }

    /// As [`App::new`], for any egui context.
    #[must_use]
    pub fn create(
        ctx: &Context,
        line: Box<dyn Link>,
        platform: Box<dyn Platform>,
        options: Options,
    ) -> Self {
        let app = Self::before_drawing(line, platform, options);
        theme::install(ctx);
        app
    }

    /// An app that asks its solver for the first run at once, before there is anything to draw in:
    /// whoever calls this has to [`theme::install`] for the context that comes later.
    #[must_use]
    pub fn before_drawing(
        line: Box<dyn Link>,
        platform: Box<dyn Platform>,
        options: Options,
    ) -> Self {
        let (setup, problem, complaint) = first_setup(&options, &*platform);
        let state = State {
            mirror: Mirror::new(0, problem.clone()),
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
        app.begin(problem, true);
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

/// The setup to open with, and what is wrong with the one that was wished for.
fn first_setup(options: &Options, platform: &dyn Platform) -> (Setup, Problem, Option<String>) {
    let wished = match (&options.setup, platform.fragment()) {
        (Some(setup), _) => Some(Ok(setup.clone())),
        (None, Some(fragment)) if !fragment.is_empty() => Some(share::from_fragment(&fragment)),
        _ => None,
    };
    let mut complaint = None;
    match wished {
        Some(Ok(setup)) => match setup.problem() {
            Ok(problem) => return (setup, problem, None),
            Err(errors) => complaint = Some(setup::in_words(&errors)),
        },
        Some(Err(error)) => {
            complaint = Some(format!("This link cannot be followed: {error}."));
        }
        None => {}
    }
    let (setup, problem) = opening().expect("the built-in problems are right");
    (setup, problem, complaint)
}

/// The preset that plays on arrival.
fn opening() -> Result<(Setup, Problem), ProblemErrors> {
    let preset: &Preset = &presets()[0];
    let setup = Setup::preset(*preset);
    let problem = setup.problem()?;
    Ok((setup, problem))
}
