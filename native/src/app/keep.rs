//! Going on with a run that was kept: after the solver has stopped, or from a file.

use sketchpde::session::{Checkpoint, SavedState};

use super::App;
use super::training::Training;
use crate::export;
use crate::link::Beginning;
use crate::setup::share::{self, Opening};
use crate::setup::{Setup, TrainingSetup, in_words};

/// Larger problem files are none.
const MOST_BYTES: usize = 1 << 20;

impl App {
    /// Opens a checkpoint or a problem file.
    pub(super) fn open_file(&mut self, bytes: &[u8]) {
        if Checkpoint::is_one(bytes) {
            return self.open_checkpoint(bytes);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= MOST_BYTES => {
                let training = TrainingSetup::file(text);
                match training.is_one() {
                    true => self.open_training(training),
                    false => self.open(Setup::file(text)),
                }
            }
            Ok(_) => self.complain(format!("The file is larger than {} KiB.", MOST_BYTES >> 10)),
            Err(_) => self.complain("The file is neither a problem file nor a checkpoint."),
        }
    }

    fn open_checkpoint(&mut self, bytes: &[u8]) {
        let Checkpoint { problem: toml, story, told, state, comparable, .. } =
            match Checkpoint::from_bytes(bytes) {
                Ok(checkpoint) => checkpoint,
                Err(error) => return self.complain(format!("This file {error}.")),
            };
        let place = state.place();
        let opening = share::from_own_fragment(&story).ok();
        if let SavedState::Training(_) = state {
            let setup = match opening {
                Some(Opening::Training(setup)) => setup,
                _ => TrainingSetup::file(toml),
            };
            self.begin_training(setup, Some(state), false);
            return self.tell(format!("The training goes on {place}."));
        }
        let setup = Setup::file(toml);
        let (story, told) = match opening {
            Some(Opening::Run(story)) => (story, told),
            _ => (setup.clone().into(), 0),
        };
        match setup.problem() {
            Ok(problem) => {
                self.state.edit = super::Edit::of(&problem);
                self.state.setup = setup;
                self.after_loading.stale = !comparable;
                self.tell(format!("The run goes on {place}."));
                let start = Beginning::Saved { state: Box::new(state), comparable };
                self.begin_from(problem, start, (story, told), false);
            }
            Err(errors) => {
                self.complain(format!("This checkpoint cannot be opened: {}.", in_words(&errors)));
            }
        }
    }

    /// Gives a checkpoint of the present run to the person, with its story.
    pub(super) fn save_checkpoint(&mut self, mut checkpoint: Checkpoint) {
        let name = match &self.state.training {
            Some(training) => {
                checkpoint.story = share::training_to_fragment(&training.setup);
                &training.problem.name
            }
            None => {
                checkpoint.story = share::to_fragment(&self.story());
                &self.state.mirror.problem.name
            }
        };
        let file = export::checkpoint(name, &checkpoint);
        self.give(Ok(file));
    }

    /// The solver has stopped and a new one is there: the run goes on from the latest mark. One
    /// that stops again without having made a step is set up once more and waits; one that stops
    /// even so is not set up again.
    pub(super) fn recover(&mut self, why: &str) {
        let step = match &self.state.training {
            Some(training) => training.points.len(),
            None => self.state.mirror.status.as_ref().map_or(0, |status| status.step),
        };
        let again = if step > self.stops.1 { 0 } else { self.stops.0 };
        self.stops = (again + 1, step);
        self.end_race();
        let stopped = format!("The solver has stopped because of an internal error ({why}).");
        if let Some(training) = self.state.training.take() {
            return self.recover_training(training, &stopped, again);
        }
        let problem = match self.state.setup.problem() {
            Ok(problem) if again < 2 => problem,
            _ => {
                self.state.awaited = None;
                return self.complain(format!("{stopped} A new one is ready: choose a problem."));
            }
        };
        let comparable = !self.state.stale;
        // Where another run had been asked for, this one is not to come back.
        let kept = self.state.mirror.kept().filter(|_| self.state.awaited.is_none());
        let goes_on = kept.is_some();
        let place = match &kept {
            Some(state) => format!("goes on {}", state.place()),
            None => "begins again".to_owned(),
        };
        let start = kept.map_or(Beginning::Fit, |state| Beginning::Saved {
            state: Box::new(state),
            comparable,
        });
        let playing = again == 0 && self.state.mirror.playing();
        let when = if again == 0 { "" } else { " when you press play" };
        self.after_loading.stale = self.state.stale && goes_on;
        self.after_loading.redrawn = self.state.redrawn && self.after_loading.stale;
        let told = match goes_on {
            true => self.state.mirror.story_from_mark(),
            false => (self.state.setup.clone().into(), 0),
        };
        self.begin_from(problem, start, told, playing);
        self.complain(format!("{stopped} The run {place}{when}."));
    }

    /// As [`App::recover`] for a training.
    fn recover_training(&mut self, training: Training, stopped: &str, again: usize) {
        if again >= 2 {
            return self.complain(format!("{stopped} A new one is ready: choose a problem."));
        }
        let playing = again == 0 && training.playing();
        let when = if again == 0 { "" } else { " when you press play" };
        let (setup, state) = (training.setup.clone(), training.mark());
        let place = if state.is_some() { "goes on" } else { "begins again" };
        self.begin_training(setup, state, playing);
        self.complain(format!("{stopped} The training {place}{when}."));
    }
}
