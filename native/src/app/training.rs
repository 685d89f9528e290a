//! Trainings over a whole domain, as the drawing side knows them.

use sketchpde::network::Network;
use sketchpde::problem::residual::TrainingMethod;
use sketchpde::problem::{Choice, Preset, ResidualProblem};
use sketchpde::session::{Command, Phase, SavedState, Snapshot, Status, TrainingPoint};

use super::App;
use super::state::{Action, Saved};
use crate::export;
use crate::link::{Beginning, Load, Loaded, Mark, Request, RunId, TrainingField};
use crate::setup::{Base, TrainingSetup, in_words};

/// A training as it is known here.
pub struct Training {
    pub run: RunId,
    pub setup: TrainingSetup,
    pub problem: ResidualProblem,
    pub parameters: usize,
    /// Where it computes; `None` until the solver has answered.
    pub loaded: Option<Loaded>,
    /// The latest.
    pub status: Option<Status>,
    pub points: Vec<TrainingPoint>,
    pub field: Option<TrainingField>,
    /// Goes up with every picture.
    pub pictures: u64,
    /// From where it can go on.
    mark: Option<SavedState>,
}

impl Training {
    fn new(run: RunId, setup: TrainingSetup, problem: ResidualProblem) -> Self {
        Self {
            run,
            setup,
            parameters: Network::of_residual(&problem).parameters(),
            problem,
            loaded: None,
            status: None,
            points: Vec::new(),
            field: None,
            pictures: 0,
            mark: None,
        }
    }

    /// The built-in problem it came from.
    #[must_use]
    pub fn preset(&self) -> Option<Preset> {
        match self.setup.base() {
            Base::Preset(preset) => Some(*preset),
            Base::File(_) => None,
        }
    }

    pub(super) fn take_mark(&mut self, mark: Mark) {
        if mark.run == self.run {
            self.mark = Some(mark.state);
        }
    }

    /// The latest state from which it can go on.
    #[must_use]
    pub fn mark(&self) -> Option<SavedState> {
        self.mark.clone()
    }

    /// Takes what is new in a snapshot; gives its messages.
    pub(super) fn take(&mut self, mut snapshot: Snapshot) -> Vec<String> {
        self.points.truncate(snapshot.first_record);
        self.points.append(&mut snapshot.points);
        self.status = Some(snapshot.status);
        snapshot.messages
    }

    pub(super) fn take_picture(&mut self, field: TrainingField) {
        self.field = Some(field);
        self.pictures += 1;
    }

    #[must_use]
    pub fn over(&self) -> bool {
        let phase = self.status.as_ref().map(|status| status.phase);
        matches!(phase, Some(Phase::Done | Phase::Failed))
    }

    #[must_use]
    pub fn playing(&self) -> bool {
        !self.over() && self.status.as_ref().is_some_and(|status| status.playing)
    }

    /// The error as last measured: at the end that of the corrected answer, which no iteration had.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        let now = self.status.as_ref().and_then(|status| status.error);
        now.or_else(|| self.points.iter().rev().find_map(|point| point.error))
    }
}

impl App {
    /// Trains a problem from its beginning.
    pub(super) fn open_training(&mut self, setup: TrainingSetup) {
        self.begin_training(setup, None, true);
    }

    /// Trains a problem, from a state of its own or from its beginning.
    pub(super) fn begin_training(
        &mut self,
        setup: TrainingSetup,
        state: Option<SavedState>,
        playing: bool,
    ) {
        let problem = match setup.problem() {
            Ok(problem) => problem,
            Err(errors) => return self.complain(in_words(&errors)),
        };
        self.latest_run += 1;
        self.next = None;
        self.state.awaited = None;
        self.end_race();
        let (run, toml) = (self.latest_run, problem.source.clone());
        let backend = self.state.backend.clone();
        let start = state.map_or(Beginning::Fit, |state| Beginning::Saved {
            state: Box::new(state),
            comparable: true,
        });
        let load = Load { run, toml, backend, start, deeds: Vec::new(), done: 0, playing };
        self.line.send(Request::Load(Box::new(load)));
        self.state.training = Some(Training::new(run, setup, problem));
        self.asked = false;
    }

    /// Another method for the present training, which begins anew.
    fn change_training(&mut self, key: &str, value: &str) {
        if let Some(training) = &self.state.training {
            self.open_training(training.setup.with(key, value));
        }
    }

    /// The present training from its beginning, on the backend that is chosen now.
    fn again_elsewhere(&mut self) {
        if let Some(training) = &self.state.training {
            let playing = training.playing() || training.over();
            self.begin_training(training.setup.clone(), None, playing);
        }
    }

    /// What an action means for a training; false where it means nothing special.
    pub(super) fn act_on_training(&mut self, action: &Action) -> bool {
        let Some(training) = &mut self.state.training else { return false };
        let over = training.over();
        let commands: &[Command] = match action {
            Action::Play if over => &[Command::Reset, Command::Play],
            Action::Play => &[Command::Play],
            Action::Pause => &[Command::Pause],
            Action::Step if over => &[],
            Action::Step => &[Command::Step(1)],
            Action::Reset => &[Command::Reset, Command::Pause],
            Action::ChangeTraining { key, value } => {
                let (key, value) = (*key, value.clone());
                self.change_training(key, &value);
                return true;
            }
            Action::Backend(backend) => {
                self.state.backend = backend.clone();
                self.again_elsewhere();
                return true;
            }
            // Whatever the run is, the solver gives its file.
            Action::Save(Saved::Checkpoint) => return false,
            Action::Save(what) => {
                let file = export::training(training, *what);
                self.give(file);
                return true;
            }
            Action::Race { .. } => {
                self.tell("That is for runs in time steps only, not for trainings.");
                return true;
            }
            _ => return false,
        };
        if let Some(status) = &mut training.status {
            status.playing = matches!(action, Action::Play | Action::Step);
        }
        for command in commands {
            self.line.send(Request::Command(command.clone()));
        }
        self.line.send(Request::Snapshot);
        self.asked = true;
        self.asked_at = self.state.now;
        true
    }
}

/// The methods to choose from, with their words in problem files.
#[must_use]
pub fn methods() -> Vec<&'static str> {
    TrainingMethod::WORDS.iter().map(|(word, _)| *word).collect()
}
