//! Going on with a run that was kept: after the solver has stopped, or from a file.

use super::App;
use crate::link::{Beginning, Checkpoint};
use crate::setup::{Setup, in_words};

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
                if !self.open_training(text) {
                    self.open(Setup::file(text));
                }
            }
            Ok(_) => self.complain(format!("The file is larger than {} KiB.", MOST_BYTES >> 10)),
            Err(_) => self.complain("The file is neither a problem file nor a checkpoint."),
        }
    }

    fn open_checkpoint(&mut self, bytes: &[u8]) {
        let Checkpoint { toml, kept } = match Checkpoint::from_bytes(bytes) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return self.complain(format!("This file cannot be opened: {error}.")),
        };
        let setup = Setup::file(toml);
        match setup.problem() {
            Ok(problem) => {
                self.state.edit = super::Edit::of(&problem);
                self.state.setup = setup;
                self.after_loading.stale = !kept.comparable;
                self.tell(format!("The run goes on from t = {:.4}.", kept.mark.evolution.time));
                self.begin_from(problem, Beginning::Kept(Box::new(kept)), false);
            }
            Err(errors) => {
                self.complain(format!("This checkpoint cannot be opened: {}.", in_words(&errors)));
            }
        }
    }

    /// The solver has stopped and a new one is there: the run goes on from the latest mark. One
    /// that stops again without having made a step is set up once more and waits; one that stops
    /// even so is not set up again.
    pub(super) fn recover(&mut self, why: &str) {
        let step = self.state.mirror.status.as_ref().map_or(0, |status| status.step);
        let again = if step > self.stops.1 { 0 } else { self.stops.0 };
        self.stops = (again + 1, step);
        self.end_race();
        if let Some(training) = self.state.training.take() {
            let name = &training.problem.title;
            return self.complain(format!(
                "The solver has stopped because of an internal error ({why}) while it trained \
                 {name}. A new one is ready: choose a problem."
            ));
        }
        let stopped = format!("The solver has stopped because of an internal error ({why}).");
        let problem = match self.state.setup.problem() {
            Ok(problem) if again < 2 => problem,
            _ => {
                self.state.awaited = None;
                return self.complain(format!("{stopped} A new one is ready: choose a problem."));
            }
        };
        let kept = self.state.mirror.kept(!self.state.stale);
        let start = match kept {
            // Another run had been asked for: this one is not to come back.
            Some(kept) if self.state.awaited.is_none() => Beginning::Kept(Box::new(kept)),
            _ => Beginning::Fit,
        };
        let place = match &start {
            Beginning::Kept(kept) => format!("goes on from t = {:.4}", kept.mark.evolution.time),
            _ => "begins again".to_owned(),
        };
        let playing = again == 0 && self.state.mirror.playing();
        let when = if again == 0 { "" } else { " when you press play" };
        self.after_loading.stale = self.state.stale && matches!(start, Beginning::Kept(_));
        self.after_loading.redrawn = self.state.redrawn && self.after_loading.stale;
        self.begin_from(problem, start, playing);
        self.complain(format!("{stopped} The run {place}{when}."));
    }
}
