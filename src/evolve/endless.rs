//! Runs whose steps are so short that they would never end.

use super::error::EvolveError;
use super::evolution::Evolution;

/// Accepted steps between two looks.
const LOOK_EVERY: usize = 1_000;
/// More steps than these until the end time are too many: at a millisecond each they would take a
/// quarter of an hour, and what makes them so short most often makes them shorter still.
const MOST_STEPS: f64 = 1e6;

/// Where a run was when it was looked at last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub step: usize,
    pub time: f64,
}

impl Evolution {
    /// Whether the run gets on, by the mean of its latest steps; asked after each of those that a
    /// controller has chosen.
    ///
    /// # Errors
    /// [`EvolveError::Endless`] where it does not.
    pub(super) fn gets_on(&mut self) -> Result<(), EvolveError> {
        let taken = self.step - self.looked.step.min(self.step);
        let tolerance = self.problem.method.tolerance.filter(|_| taken >= LOOK_EVERY);
        let Some(tolerance) = tolerance else { return Ok(()) };
        let dt = (self.time - self.looked.time) / taken as f64;
        self.look();
        let left = (self.problem.time.end - self.time) / dt;
        // Where s may grow, more columns make longer steps.
        if left <= MOST_STEPS || self.subsets.double(self.engine.rows()) {
            return Ok(());
        }
        let (columns, parameters) = (self.subsets.count, self.theta.len());
        Err(EvolveError::Endless { time: self.time, dt, left, tolerance, columns, parameters })
    }

    /// Counts from here on.
    pub(super) fn look(&mut self) {
        self.looked = Look { step: self.step, time: self.time };
    }
}
