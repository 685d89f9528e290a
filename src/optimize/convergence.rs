//! What came of a run, in one of four words.

use serde::{Deserialize, Serialize};

use super::stopping::{Stall, StopReason};
use super::training::Training;
use crate::field::residual::ResidualSystem;

/// A training whose loss ends above this many times that of its starting parameters has diverged.
const GROWN: f64 = 10.0;
/// A loss that fell by less than a tenth over the last tenth of all iterations falls no longer.
const FALLS: f64 = 0.9;
const LATELY: usize = 10;

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convergence {
    /// As near to the solution as was asked for, or as the numbers allow.
    Converged,
    /// With these settings it gets no nearer, and it is not near.
    Stalled,
    /// It has left the solution.
    Diverged,
    /// Iterations or time ended first.
    Budget,
}

impl<S: ResidualSystem> Training<S> {
    /// What came of it so far; `good` says whether what is known of the error is good enough.
    #[must_use]
    pub fn convergence(&self, good: bool) -> Convergence {
        let (loss, first) = (self.loss(), self.first_loss());
        // An energy may be negative.
        if !loss.is_finite() || loss - first > (GROWN - 1.0) * first.abs() {
            return Convergence::Diverged;
        }
        match self.reason() {
            // That error was measured.
            Some(StopReason::Error) => Convergence::Converged,
            Some(StopReason::Diverged) => Convergence::Diverged,
            // A small loss is no small error where the points or the conditions are too few.
            Some(StopReason::Loss | StopReason::RoundOff | StopReason::Stalled) if good => {
                Convergence::Converged
            }
            Some(StopReason::Loss | StopReason::RoundOff | StopReason::Stalled) => {
                Convergence::Stalled
            }
            Some(StopReason::MaxIterations) | None => match (self.falls(), good) {
                (true, _) => Convergence::Budget,
                (false, true) => Convergence::Converged,
                (false, false) => Convergence::Stalled,
            },
        }
    }

    /// Whether the loss still fell of late.
    fn falls(&self) -> bool {
        let losses: Vec<f64> = self.history().records.iter().map(|record| record.loss).collect();
        let patience = (losses.len() / LATELY).max(2);
        !Stall { patience, factor: FALLS }.holds(&losses)
    }
}
