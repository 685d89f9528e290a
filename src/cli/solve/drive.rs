//! The loop of a run: progress, the reference beside it, checkpoints, Ctrl-C.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::cli::failure::Failure;
use crate::cli::interrupt;
use crate::cli::progress::{Progress, Verbosity, duration, fitted};
use crate::reference::{Reference, ReferenceError};
use crate::session::{Phase, SavedState, Session, SessionHandle, Status};

/// How often the loop looks around: often enough for a bar that moves, seldom enough to cost
/// nothing.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// How long the end of a step is waited for by who is asked to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// A run is looked at after so long whether it would take longer than people wait.
const FORETELL_AFTER: Duration = Duration::from_secs(8);
const LONG: f64 = 600.0;

/// What the reference's thread finds: none where the problem has none; and a warning.
pub type Found = Result<(Option<Reference>, Option<String>), ReferenceError>;

/// How a run ended.
pub enum Ending {
    /// By itself, at the end time or by a failure of the solver.
    Ended(Box<Session>),
    /// By the time limit, before its end.
    OutOfTime(Box<Session>),
    /// By the user; whether a state to go on from was kept.
    Interrupted { resumable: bool },
}

/// Files that are written while the run goes on.
pub trait Keeper {
    /// A state to go on from.
    fn checkpoint(&mut self, state: &SavedState) -> Result<(), Failure>;
    /// The parameters after a fit, and its error; gives a warning where they cannot be kept.
    fn fitted(&mut self, theta: &[f64], error: f64) -> Option<String>;
}

/// A run under way.
pub struct Run<'a> {
    handle: SessionHandle,
    found: Receiver<Found>,
    /// Estimated error of the reference, once it is there.
    reference_error: Option<f64>,
    reference_due: bool,
    /// The latest warning that was shown.
    warned: Option<String>,
    /// The latest note that was shown.
    noted: Option<String>,
    /// The precision that was last spoken of.
    precision: String,
    /// The step of the latest checkpoint.
    saved: usize,
    progress: &'a mut Progress,
}

impl<'a> Run<'a> {
    /// Starts to look for the reference on a thread of its own, beside the session.
    pub fn begin(
        handle: SessionHandle,
        reference: Option<Box<dyn FnOnce() -> Found + Send>>,
        progress: &'a mut Progress,
    ) -> Result<Self, Failure> {
        let (sender, found) = channel();
        let reference_due = reference.is_some();
        if let Some(look) = reference {
            std::thread::Builder::new()
                .name("reference".into())
                // A receiver that is gone has no use for it any more.
                .spawn(move || drop(sender.send(look())))
                .map_err(Failure::Thread)?;
        }
        let Status { warning: warned, note: noted, precision, .. } = handle.status();
        let (reference_error, saved) = (None, 0);
        Ok(Self {
            handle,
            found,
            reference_error,
            reference_due,
            warned,
            noted,
            precision,
            saved,
            progress,
        })
    }

    /// Goes on to the end. Gives how it ended, and the reference's own error where there is one.
    pub fn finish(
        mut self,
        (checkpoint_every, time_limit): (Option<Duration>, Option<Duration>),
        keeper: &mut dyn Keeper,
    ) -> Result<(Ending, Option<f64>), Failure> {
        let begun = Instant::now();
        let mut foretold = time_limit.is_some();
        let mut kept = Instant::now();
        let mut fitting = self.handle.status().phase == Phase::Fit;
        loop {
            self.look_for_the_reference();
            let status = self.handle.status();
            let ended = matches!(status.phase, Phase::Done | Phase::Failed);
            let aside =
                if ended && self.reference_due { "  (waiting for the reference)" } else { "" };
            self.progress.update(&status, aside);
            if fitting && status.phase != Phase::Fit {
                fitting = false;
                self.keep_fit(&status, keeper);
            }
            self.warn(&status);
            if interrupt::requested() {
                return self.interrupted(keeper);
            }
            if !foretold && begun.elapsed() >= FORETELL_AFTER {
                foretold = self.foretell(&status);
            }
            if !ended && time_limit.is_some_and(|limit| begun.elapsed() >= limit) {
                self.progress.finish();
                let error = self.reference_error;
                return Ok((Ending::OutOfTime(Box::new(self.handle.stop())), error));
            }
            if self.handle.is_dead() || (ended && !self.reference_due) {
                self.progress.finish();
                let error = self.reference_error;
                return Ok((Ending::Ended(Box::new(self.handle.stop())), error));
            }
            if checkpoint_every.is_some_and(|every| kept.elapsed() >= every) && !ended {
                self.keep_checkpoint(keeper);
                kept = Instant::now();
            }
        }
    }

    /// Says that the run will take long, where it will; whether its pace is known by now.
    fn foretell(&self, status: &Status) -> bool {
        let Some(left) = status.seconds_left else { return status.phase == Phase::Done };
        if left > LONG {
            let remedy = match status.phase {
                Phase::Training => {
                    "fewer iterations (method.iterations), fewer points (points.count) or a smaller \
                     network (network.layers)"
                }
                _ => {
                    "a larger method.tolerance, fewer points (points.count), a smaller network \
                     (network.width) or an earlier time.end"
                }
            };
            let text = format!(
                "warning: this will take {} at its present pace; what would help: {remedy}; \
                 --time-limit 60s ends it in time with what it has",
                duration(left)
            );
            self.progress.say(Verbosity::Normal, &text);
        }
        true
    }

    /// Waits a moment for the reference, or only the moment once it is there.
    fn look_for_the_reference(&mut self) {
        if !self.reference_due {
            return std::thread::sleep(LOOK_EVERY);
        }
        match self.found.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => {
                self.progress.say(Verbosity::Normal, "warning: computing the reference failed");
            }
            Ok(Ok((found, warning))) => {
                if let Some(warning) = warning {
                    self.progress.say(Verbosity::Normal, &format!("warning: {warning}"));
                }
                self.take_reference(found);
            }
            Ok(Err(error)) => {
                let warning = format!("warning: no errors will be measured: {error}");
                self.progress.say(Verbosity::Normal, &warning);
            }
        }
        self.reference_due = false;
    }

    fn take_reference(&mut self, found: Option<Reference>) {
        let said = match found {
            Some(reference) => {
                let error = reference.estimated_error();
                self.reference_error = Some(error);
                self.handle.set_reference(reference);
                format!("Reference ready, its own error {error:.1e}")
            }
            None => "There is no reference for this problem: errors are not measured".to_owned(),
        };
        self.progress.say(Verbosity::Verbose, &said);
    }

    fn keep_fit(&self, status: &Status, keeper: &mut dyn Keeper) {
        let Some(SavedState::Steps(state)) = self.save() else { return };
        let Some(error) = status.initial_error else { return };
        self.progress.say(Verbosity::Normal, &fitted(status));
        if let Some(warning) = keeper.fitted(&state.fitted, error) {
            self.progress.say(Verbosity::Normal, &format!("warning: {warning}"));
        }
    }

    /// Shows a warning or a note that is new, and a change of precision.
    fn warn(&mut self, status: &Status) {
        if let Some(warning) = &status.warning
            && self.warned != status.warning
        {
            self.progress.say(Verbosity::Normal, &format!("warning: {warning}"));
            self.warned.clone_from(&status.warning);
        }
        if let Some(note) = &status.note
            && self.noted != status.note
        {
            self.progress.say(Verbosity::Normal, note);
            self.noted.clone_from(&status.note);
        }
        if status.precision != self.precision {
            let now = &status.precision;
            let text = format!("The loss stalled at the noise of its numbers: now {now}");
            self.progress.say(Verbosity::Normal, &text);
            self.precision.clone_from(now);
        }
    }

    /// A periodic checkpoint. That it cannot be written is no reason to throw the run away: the
    /// last one that could be is still there.
    fn keep_checkpoint(&mut self, keeper: &mut dyn Keeper) {
        let Some(state) = self.save() else { return };
        let said = match keeper.checkpoint(&state) {
            Ok(()) => {
                self.saved = state.step();
                (Verbosity::Verbose, format!("Checkpoint {}", state.place()))
            }
            Err(failure) => (Verbosity::Normal, format!("warning: no checkpoint: {failure}")),
        };
        self.progress.say(said.0, &said.1);
    }

    fn interrupted(self, keeper: &mut dyn Keeper) -> Result<(Ending, Option<f64>), Failure> {
        self.progress.finish();
        // Who asks the program to end does not wait for a step that takes minutes.
        let state = match self.handle.request_save().recv_timeout(PATIENCE) {
            Ok(state) => state,
            Err(_) => self.handle.kept(),
        };
        // A checkpoint that is there already may be newer than what was kept before such a step.
        let newer = state.filter(|state| self.saved == 0 || state.step() > self.saved);
        if let Some(state) = &newer {
            keeper.checkpoint(state)?;
        }
        let resumable = newer.is_some() || self.saved > 0;
        Ok((Ending::Interrupted { resumable }, self.reference_error))
    }

    /// The state after the step in progress; `None` also where the program is asked to end before
    /// that is done.
    fn save(&self) -> Option<SavedState> {
        let answer = self.handle.request_save();
        loop {
            match answer.recv_timeout(LOOK_EVERY) {
                Ok(state) => return state,
                Err(RecvTimeoutError::Timeout) if !interrupt::requested() => {}
                Err(_) => return None,
            }
        }
    }
}
