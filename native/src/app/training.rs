//! Trainings over a whole domain, as the drawing side knows them.

use sketchpde::network::Network;
use sketchpde::problem::residual::TrainingMethod;
use sketchpde::problem::{Choice, Overrides, Preset, ResidualProblem};
use sketchpde::session::Command;

use super::App;
use super::state::{Action, Saved};
use crate::link::{Request, RunId, TrainingField, TrainingLoad, TrainingPoint, TrainingSnapshot};
use crate::setup::in_words;

/// A training as it is known here.
pub struct Training {
    pub run: RunId,
    /// The built-in problem it came from.
    pub preset: Option<Preset>,
    pub problem: ResidualProblem,
    pub parameters: usize,
    /// The latest, without points and picture.
    pub latest: Option<TrainingSnapshot>,
    pub points: Vec<TrainingPoint>,
    pub field: Option<TrainingField>,
    /// Goes up with every picture.
    pub pictures: u64,
    /// What the problem file is changed by.
    changes: Overrides,
}

impl Training {
    fn new(
        run: RunId,
        preset: Option<Preset>,
        problem: ResidualProblem,
        changes: Overrides,
    ) -> Self {
        Self {
            run,
            preset,
            parameters: Network::of_residual(&problem).parameters(),
            problem,
            latest: None,
            points: Vec::new(),
            field: None,
            pictures: 0,
            changes,
        }
    }

    pub(super) fn take(&mut self, mut snapshot: TrainingSnapshot) {
        if snapshot.run != self.run {
            return;
        }
        self.points.truncate(snapshot.first);
        self.points.append(&mut snapshot.points);
        if let Some(field) = snapshot.field.take() {
            self.field = Some(field);
            self.pictures += 1;
        }
        self.latest = Some(snapshot);
    }

    #[must_use]
    pub fn over(&self) -> bool {
        self.latest.as_ref().is_some_and(|s| s.ended.is_some() || s.failure.is_some())
    }

    #[must_use]
    pub fn playing(&self) -> bool {
        !self.over() && self.latest.as_ref().is_some_and(|s| s.playing)
    }

    /// The error as last measured.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        self.points.iter().rev().find_map(|point| point.error)
    }
}

impl App {
    /// Trains a built-in problem.
    pub(super) fn train(&mut self, preset: Preset) {
        match ResidualProblem::from_toml(preset.text, &Overrides::new()) {
            Ok(problem) => self.begin_training(Some(preset), problem, Overrides::new(), true),
            Err(errors) => self.complain(in_words(&errors)),
        }
    }

    /// A file that may be one of a training; false where it is none.
    pub(super) fn open_training(&mut self, text: &str) -> bool {
        match ResidualProblem::from_toml(text, &Overrides::new()) {
            Ok(problem) => {
                self.begin_training(None, problem, Overrides::new(), true);
                true
            }
            Err(_) => false,
        }
    }

    fn begin_training(
        &mut self,
        preset: Option<Preset>,
        problem: ResidualProblem,
        changes: Overrides,
        playing: bool,
    ) {
        self.latest_run += 1;
        self.next = None;
        self.state.awaited = None;
        self.end_race();
        let (run, toml) = (self.latest_run, problem.source.clone());
        self.line.send(Request::Train(Box::new(TrainingLoad { run, toml, playing })));
        self.state.training = Some(Training::new(run, preset, problem, changes));
        self.asked = false;
    }

    /// Another method for the present training, which begins anew.
    fn change_training(&mut self, key: &str, value: &str) {
        let Some(training) = &self.state.training else { return };
        let mut changes = training.changes.clone();
        changes.retain(|(known, _)| known != key);
        changes.push((key.to_owned(), value.to_owned()));
        let (preset, text) = match training.preset {
            Some(preset) => (Some(preset), preset.text.to_owned()),
            None => (None, training.problem.source.clone()),
        };
        match ResidualProblem::from_toml(&text, &changes) {
            Ok(problem) => self.begin_training(preset, problem, changes, true),
            Err(errors) => self.complain(in_words(&errors)),
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
            Action::Save(Saved::Problem) => {
                let (name, bytes) =
                    (format!("{}.toml", training.problem.name), &training.problem.source);
                match self.platform.save(&name, bytes.as_bytes()) {
                    Ok(text) => self.tell(text),
                    Err(error) => self.complain(error),
                }
                return true;
            }
            Action::Save(_) | Action::CopyLink | Action::Race { .. } => {
                self.tell("That is for runs in time steps only, not for trainings.");
                return true;
            }
            _ => return false,
        };
        if let Some(latest) = &mut training.latest {
            latest.playing = matches!(action, Action::Play | Action::Step);
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
