//! A change of the solution from outside, between two steps.

use super::attempt::LEAST_DAMPING;
use super::error::{AttemptError, EvolveError};
use super::evolution::Evolution;
use super::stage_fit::{self, Settings};

/// The change comes in parts: each is small enough for the linear steps of a fit.
const PARTS: usize = 8;
/// Most corrections of a part, and of the last one.
const CORRECTIONS: usize = 6;
const LAST_CORRECTIONS: usize = 24;
/// The fit need not be better than this, relative to the solution.
const TARGET: f64 = 1e-6;

impl Evolution {
    /// Adds `change`, a function of the coordinates, to the solution (of several unknowns to the first
    /// one): the network is fitted to the
    /// sum at the points of the problem. The run goes on from there at the same time.
    ///
    /// Returns the relative residual |u + change - u'| / |u + change| of the fit.
    ///
    /// # Errors
    /// When the sum is not finite, the fit's least squares have no solution or the device fails;
    /// the solution is left as it was.
    pub async fn disturb(&mut self, change: &dyn Fn(&[f64]) -> f64) -> Result<f64, EvolveError> {
        if self.features.is_some() {
            return self.disturb_features(change, TARGET);
        }
        let dimensions = self.problem.dimensions();
        let before = self.engine.field(&self.theta, self.time).await?.values;
        let mut change: Vec<f64> =
            self.engine.coordinates().chunks_exact(dimensions).map(change).collect();
        change.resize(before.len(), 0.0);
        self.engine.weigh(&mut change);
        if change.iter().any(|v| !v.is_finite()) {
            return Err(self.not_finite("the change of the solution"));
        }
        let (mut theta, mut residual) = (self.theta.clone(), 0.0);
        for part in 1..=PARTS {
            let share = part as f64 / PARTS as f64;
            let target: Vec<f64> = before.iter().zip(&change).map(|(u, d)| u + share * d).collect();
            let settings = Settings {
                tableau: self.methods.tableau,
                patience: stage_fit::PATIENCE,
                rcond: self.problem.method.rcond.max(LEAST_DAMPING),
                corrections: if part == PARTS { LAST_CORRECTIONS } else { CORRECTIONS },
                target: TARGET,
                floor: TARGET,
                size: 0.0,
            };
            let (engine, subsets) = (&mut self.engine, &mut self.subsets);
            let fit =
                stage_fit::approach(engine, &settings, subsets, &theta, self.time, &target).await;
            (theta, residual) = fit.map_err(|error| match error {
                AttemptError::Evolve(error) => error,
                AttemptError::LeastSquares(source) => self.unsolvable(source),
            })?;
        }
        let before = std::mem::replace(&mut self.theta, theta);
        self.field = None;
        if let Some(estimate) = &mut self.estimate {
            estimate.change(&before, &self.theta, self.time);
        }
        Ok(residual)
    }
}
