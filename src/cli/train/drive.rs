//! The loop of a training: progress, checkpoints, Ctrl-C.

use std::time::{Duration, Instant};

use super::store::Store;
use crate::cli::failure::Failure;
use crate::cli::interrupt;
use crate::cli::progress::{Progress, Verbosity, duration};
use crate::session::{TrainingSession, TrainingStatus};

/// How a training ended.
pub enum Ending {
    /// By its stopping rule.
    Ended,
    /// By the user; a checkpoint was written.
    Interrupted,
}

/// Iterates to the end.
pub fn train(
    session: &mut TrainingSession,
    store: &Store,
    checkpoint_every: Option<Duration>,
    progress: &mut Progress,
) -> Result<Ending, Failure> {
    let mut kept = Instant::now();
    let mut precision = session.precision();
    loop {
        let report = match pollster::block_on(session.iterate()) {
            Ok(report) => report,
            Err(error) => {
                progress.finish();
                return Err(error.into());
            }
        };
        if session.precision() != precision {
            precision = session.precision();
            let text = format!("The loss stalled at the noise of its numbers: now {precision}");
            progress.say(Verbosity::Normal, &text);
        }
        let status = session.status();
        progress.show(fraction(&status), &describe(&status));
        if report.reason.is_some() {
            progress.finish();
            return Ok(Ending::Ended);
        }
        if interrupt::requested() {
            progress.finish();
            store.checkpoint(session)?;
            return Ok(Ending::Interrupted);
        }
        if checkpoint_every.is_some_and(|every| kept.elapsed() >= every) {
            keep(session, store, progress);
            kept = Instant::now();
        }
    }
}

/// A periodic checkpoint. That it cannot be written is no reason to throw the run away.
fn keep(session: &TrainingSession, store: &Store, progress: &Progress) {
    let said = match store.checkpoint(session) {
        Ok(()) => {
            let iteration = session.history().records.len();
            (Verbosity::Verbose, format!("Checkpoint at iteration {iteration}"))
        }
        Err(failure) => (Verbosity::Normal, format!("warning: no checkpoint: {failure}")),
    };
    progress.say(said.0, &said.1);
}

fn fraction(status: &TrainingStatus) -> f64 {
    status.iteration as f64 / status.iterations.max(1) as f64
}

fn describe(status: &TrainingStatus) -> String {
    let mut text = format!("iteration {}/{}", status.iteration, status.iterations);
    // What matters most comes first: narrow terminals cut the rest.
    if let Some(seconds) = status.seconds_left {
        text += &format!("  {} left", duration(seconds));
    }
    if let Some(error) = status.error {
        text += &format!("  error {error:.1e}");
    }
    text += &format!("  loss {:.1e}  step {:.1e}", status.loss, status.step_length);
    if status.rank > 0 {
        text += &format!("  rank {}", status.rank);
    }
    text
}
