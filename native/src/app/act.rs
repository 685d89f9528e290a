//! What an action does.

use egui::{Context, Theme};
use sketchpde::problem::Problem;
use sketchpde::session::{Command, Phase, is_live};

use super::App;
use super::state::{Action, Edit, Saved, Speed, State};
use crate::export;
use crate::link::{Beginning, Load, Request};
use crate::mirror::Mirror;
use crate::setup::share::{self, Story};
use crate::setup::{Setup, TrainingSetup, explain, in_words, initial_text};

/// How long typing must pause before it counts, in seconds.
const PAUSE: f64 = 0.6;
/// Width of what a poke moves, over the length of the domain.
const POKE: f64 = 0.06;

impl App {
    pub(super) fn act(&mut self, ctx: &Context, action: Action) {
        if self.act_on_training(&action) {
            return ctx.request_repaint();
        }
        match action {
            Action::Train(preset) => self.open_training(TrainingSetup::preset(preset)),
            Action::ChangeTraining { .. } => {}
            Action::Play => self.play(),
            Action::Pause => self.command(Command::Pause),
            Action::Step => self.step(),
            Action::Reset => self.reset(false),
            Action::Select(preset) => self.open(Setup::preset(preset)),
            Action::Open(bytes) => self.open_file(&bytes),
            Action::Change { key, value } => self.change(&key, &value),
            Action::Typed => self.typed(),
            Action::Poke { place, height } => self.poke(place, height),
            Action::Drawn(stroke) => self.redraw(stroke),
            Action::Tools(tools) => self.state.tools = tools,
            Action::Race { key, value } => self.race(key, &value),
            Action::EndRace => self.end_race(),
            Action::AddParameter(name) => self.add_parameter(&name),
            Action::Look(frame) => self.state.scrub = frame,
            Action::Shade(shade) => self.state.shade = shade,
            Action::Speed(speed) => self.set_speed(speed),
            Action::Backend(backend) => {
                self.state.backend = backend;
                self.again(self.state.mirror.playing());
            }
            Action::Tab(tab) => self.state.tab = tab,
            Action::TogglePanels => self.state.panels = !self.state.panels,
            Action::ToggleTheme => ctx.set_theme(match ctx.theme() {
                Theme::Dark => Theme::Light,
                Theme::Light => Theme::Dark,
            }),
            Action::Save(what) => self.save(what),
            Action::CopyLink => self.copy_link(ctx),
            Action::Browse => {
                if !self.platform.browse() {
                    self.tell("Drop a problem file (.toml) onto the window to open it.");
                }
            }
            Action::Dismiss(index) => {
                if index < self.state.notices.len() {
                    self.state.notices.remove(index);
                }
            }
        }
        ctx.request_repaint();
    }

    fn copy_link(&mut self, ctx: &Context) {
        let (fragment, what) = self.fragment();
        let link = self.platform.link(&fragment);
        let behind = if link.starts_with('#') {
            " behind the address of a sketchpde page, or as an argument of the desktop program"
        } else {
            ""
        };
        ctx.copy_text(link);
        self.tell(format!("Copied. It opens {what}{behind}."));
    }

    /// A link's fragment for what is shown, and what it opens, in words.
    fn fragment(&self) -> (String, String) {
        if let Some(training) = &self.state.training {
            let fragment = share::training_to_fragment(&training.setup);
            return (fragment, "this training from its beginning".into());
        }
        let story = self.story();
        let fragment = share::to_fragment(&story);
        let changes = match story.deeds.len() {
            0 => return (fragment, "this problem with these settings".into()),
            1 => "the one change that you made".to_owned(),
            count => format!("the {count} changes that you made"),
        };
        if share::is_short_enough(&fragment) {
            return (
                fragment,
                format!("this run from its start, with {changes} at the same steps"),
            );
        }
        let plain = share::to_fragment(&self.state.setup.clone().into());
        (plain, format!("this problem with these settings; {changes} along the way are too many"))
    }

    /// How the run began and what was done to it.
    pub(super) fn story(&self) -> Story {
        let story = self.state.mirror.story();
        // Settings that were changed just now have not come back from the solver.
        let known = self.state.awaited.is_none() && !story.deeds.is_empty();
        if known { story } else { self.state.setup.clone().into() }
    }

    /// Sends a command; what comes of it shows in the next snapshot.
    pub(super) fn command(&mut self, command: Command) {
        if let Some(status) = &mut self.state.mirror.status {
            match command {
                Command::Play => status.playing = true,
                Command::Pause => status.playing = false,
                _ => {}
            }
        }
        self.line.send(Request::Command(command));
        self.line.send(Request::Snapshot);
        self.asked = true;
        self.asked_at = self.state.now;
    }

    fn play(&mut self) {
        self.state.scrub = None;
        match self.state.mirror.phase() {
            Phase::Done | Phase::Failed => self.reset(true),
            Phase::Fit | Phase::Steps | Phase::Training => self.command(Command::Play),
        }
    }

    fn step(&mut self) {
        self.state.scrub = None;
        match self.state.mirror.phase() {
            Phase::Done | Phase::Failed => {}
            Phase::Fit | Phase::Steps | Phase::Training => self.command(Command::Step(1)),
        }
    }

    /// Back to the start. Where a parameter was changed along the run, the reference belongs to
    /// the old value, so that the run is set up anew; fits are remembered and cost nothing.
    fn reset(&mut self, playing: bool) {
        let failed = self.state.mirror.phase() == Phase::Failed;
        if (self.state.stale && !self.state.redrawn) || failed {
            return self.again(playing);
        }
        self.state.scrub = None;
        self.command(Command::Reset);
        self.command(if playing { Command::Play } else { Command::Pause });
    }

    fn again(&mut self, playing: bool) {
        match self.state.setup.problem() {
            Ok(problem) => self.begin(problem, playing),
            Err(errors) => self.complain(in_words(&errors)),
        }
    }

    /// Asks the solver for a run of the present setup, which makes `problem`.
    pub(super) fn begin(&mut self, problem: Problem, playing: bool) {
        let story = self.state.setup.clone().into();
        self.begin_story(problem, story, playing);
    }

    /// As [`App::begin`], with what is to be done to the run again.
    pub(super) fn begin_story(&mut self, problem: Problem, story: Story, playing: bool) {
        let fit = self.state.setup.stored_fit(&problem);
        let start = fit.map_or(Beginning::Fit, Beginning::Fitted);
        self.begin_from(problem, start, (story, 0), playing);
    }

    /// As [`App::begin_story`], from anywhere: the first `done` deeds are a part of the start.
    pub(super) fn begin_from(
        &mut self,
        problem: Problem,
        start: Beginning,
        (story, done): (Story, usize),
        playing: bool,
    ) {
        self.latest_run += 1;
        let run = self.latest_run;
        self.line.send(Request::SetPace(self.state.speed.pace(&problem)));
        self.line.send(Request::Load(Box::new(Load {
            run,
            toml: problem.source.clone(),
            backend: self.state.backend.clone(),
            start,
            deeds: story.deeds,
            done,
            playing,
        })));
        self.next = Some(Mirror::new(run, problem, story.setup));
        self.state.awaited = Some(run);
        self.asked = false;
    }

    pub(super) fn open(&mut self, setup: Setup) {
        self.open_story(setup.into());
    }

    pub(super) fn open_story(&mut self, story: Story) {
        match story.setup.problem() {
            Ok(problem) => {
                self.state.edit = Edit::of(&problem);
                self.state.setup = story.setup.clone();
                self.begin_story(problem, story, true);
            }
            Err(errors) => {
                self.complain(format!("This file cannot be opened: {}.", in_words(&errors)));
            }
        }
    }

    /// Changes one setting: along the run where that is possible, else the run begins anew.
    fn change(&mut self, key: &str, value: &str) {
        let setup = &self.state.setup;
        let changed = match key.starts_with("network.") {
            true => setup.with_fitting(key, value),
            false => setup.with(key, value),
        };
        let problem = match changed.problem() {
            Ok(problem) => problem,
            Err(errors) => {
                let errors = explain(&changed, &errors);
                let texts: Vec<String> =
                    errors.iter().map(|e| format!("{}: {}.", e.message, e.remedy)).collect();
                return self.complain(texts.join(" "));
            }
        };
        let live = is_live(&self.state.mirror.problem, &problem);
        self.state.setup = changed;
        let over = matches!(self.state.mirror.phase(), Phase::Done | Phase::Failed);
        match live && !over && self.state.awaited.is_none() {
            true => {
                let command = Command::set(key, value);
                self.state.stale |= command.changes_the_equation();
                self.state.mirror.problem = problem;
                self.state.scrub = None;
                self.command(command);
            }
            false => self.begin(problem, over || self.state.mirror.playing()),
        }
    }

    fn poke(&mut self, place: Vec<f64>, height: f64) {
        if self.state.mirror.phase() != Phase::Steps {
            return self.tell("Go back to the start first: this run is over.");
        }
        let lengths = self.state.mirror.problem.coordinates.iter().map(|c| c.upper - c.lower);
        let radius = POKE * lengths.fold(f64::MAX, f64::min);
        self.state.scrub = None;
        self.state.stale = true;
        self.command(Command::Disturb { place, height, radius });
    }

    /// The network is fitted to what was drawn. A run that is over goes back to its start for it.
    fn redraw(&mut self, stroke: Vec<[f32; 2]>) {
        let phase = self.state.mirror.phase();
        if phase == Phase::Fit {
            return self.tell("The network is still learning the initial state.");
        }
        if matches!(phase, Phase::Done | Phase::Failed) {
            self.command(Command::Reset);
        }
        self.state.scrub = None;
        self.state.stale = true;
        let step = self.state.mirror.status.as_ref().map_or(0, |status| status.step);
        self.state.redrawn |= step == 0 || phase != Phase::Steps;
        self.line.send(Request::Draw(stroke));
        self.command(Command::Play);
    }

    fn set_speed(&mut self, speed: Speed) {
        self.state.speed = speed;
        self.line.send(Request::SetPace(speed.pace(&self.state.mirror.problem)));
    }

    /// The setup with the texts as they are in the fields.
    fn typed_setup(&self) -> Setup {
        let State { setup, edit, .. } = &self.state;
        let Ok(problem) = setup.problem() else { return setup.clone() };
        let mut typed = setup.clone();
        if edit.equation.trim() != problem.equation.trim() {
            typed = typed.with_equation(edit.equation.trim());
        }
        if edit.initial.trim() != initial_text(&problem) {
            typed = typed.with_initial(edit.initial.trim());
        }
        typed
    }

    /// Looks at what was typed: mistakes are shown at once, what is right counts after a pause.
    fn typed(&mut self) {
        let typed = self.typed_setup();
        match typed.problem() {
            Ok(_) => {
                self.state.edit.errors.clear();
                self.state.edit.due = (typed != self.state.setup).then_some(self.state.now + PAUSE);
            }
            Err(errors) => {
                self.state.edit.errors = explain(&typed, &errors);
                self.state.edit.due = None;
            }
        }
    }

    pub(super) fn apply_what_was_typed(&mut self) {
        if self.state.edit.due.is_none_or(|due| due > self.state.now) {
            return;
        }
        self.state.edit.due = None;
        let typed = self.typed_setup();
        if let Ok(problem) = typed.problem() {
            self.state.setup = typed;
            self.begin(problem, true);
        }
    }

    /// Takes an unknown name of the equation as a parameter with a slider.
    fn add_parameter(&mut self, name: &str) {
        let key = format!("parameters.{name}");
        self.state.setup.change(&key, "{ value = 1.0, range = [0.0, 2.0] }");
        self.typed();
        if !self.state.edit.errors.is_empty() {
            return;
        }
        self.state.edit.due = Some(self.state.now);
        self.apply_what_was_typed();
    }

    fn save(&mut self, what: Saved) {
        let made = match what {
            Saved::Problem => Ok(export::problem(&self.state)),
            // It comes back with the state.
            Saved::Checkpoint => return self.line.send(Request::Save),
            Saved::History => Ok(export::history(&self.state)),
            Saved::Picture => export::picture(&self.state),
            Saved::Animation => export::animation(&self.state),
        };
        self.give(made);
    }

    /// Gives a file to the person, or says why there is none.
    pub(super) fn give(&mut self, made: Result<export::File, String>) {
        let saved = made.and_then(|file| self.platform.save(&file.name, &file.bytes));
        match saved {
            Ok(text) => self.tell(text),
            Err(error) => self.complain(error),
        }
    }
}
