//! Trial points of an energy, which is no sum of squares.
//!
//! The residual of an energy is `r = M^-1 g / 2` with its gradient g and its Hessian `2 M M^T` in
//! function space, so the Gauss-Newton step is Newton's. Steps are repeated as those of a sum of
//! squares are, with the residual of the trial point: as if M were the same there, which near the
//! minimum it is. Whether a trial is better the energy alone decides.
//!
//! The energy is flat at its minimum: a field that is off by e raises it by e^2, which round-off
//! hides below the square root of epsilon. There the change is taken from the slopes at both ends of
//! the step, `(g_0 + g_1) . d / 2`, which loses no digits (Hager, Zhang: "A new conjugate gradient
//! method with guaranteed descent and an efficient line search", SIAM J. Optim. 2005, judge steps by
//! slopes for the same reason).

use crate::evaluate::residual::{ResidualError, ResidualSystem};
use crate::optimize::error::OptimizeError;
use crate::optimize::line_search::or_infinite;
use crate::optimize::step::Start;

use super::search::Reached;

/// Changes below this share of the energy are taken from slopes: what is lost of them by
/// subtraction is more than the error of the trapezoidal rule.
const FLAT: f64 = 1e-12;

/// Where trials start.
pub(super) struct EnergyStart<'a> {
    theta: &'a [f64],
    energy: f64,
    gradient: Vec<f64>,
}

impl<'a> EnergyStart<'a> {
    /// `half` is `J^T r`.
    pub fn new(start: Start<'a>, half: &[f64]) -> Self {
        let gradient = half.iter().map(|g| 2.0 * g).collect();
        Self { theta: start.theta, energy: start.loss, gradient }
    }

    /// The trial's residual, and how much its energy is above the start's.
    pub fn reach(
        &self,
        system: &mut dyn ResidualSystem,
        theta: &[f64],
    ) -> Result<Reached, OptimizeError> {
        let Some(residual) = residual_at(system, theta)? else {
            return Ok(Reached { loss: f64::INFINITY, residual: None });
        };
        let energy = or_infinite(system.losses(&[theta])?[0]);
        let mut change = energy - self.energy;
        if change.abs() <= FLAT * self.energy.abs() {
            let mut gradient = vec![0.0; theta.len()];
            system.gradient(theta, &mut gradient)?;
            change = self.by_slopes(theta, &gradient);
        }
        Ok(Reached { loss: change, residual: Some(residual) })
    }

    /// The trapezoidal rule along the step.
    fn by_slopes(&self, theta: &[f64], gradient: &[f64]) -> f64 {
        let steps = theta.iter().zip(self.theta).map(|(new, old)| new - old);
        let slopes = self.gradient.iter().zip(gradient).map(|(a, b)| 0.5 * (a + b));
        steps.zip(slopes).map(|(step, slope)| step * slope).sum()
    }
}

/// r at a trial point; `None` where it is not finite.
pub(super) fn residual_at(
    system: &mut dyn ResidualSystem,
    theta: &[f64],
) -> Result<Option<Vec<f64>>, OptimizeError> {
    let mut residual = vec![0.0; system.rows()];
    match system.residual(theta, &mut residual) {
        Ok(()) => Ok(Some(residual)),
        Err(ResidualError::NotFinite { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
