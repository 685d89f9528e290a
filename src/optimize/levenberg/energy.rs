//! Trial points of an energy, which is no sum of squares.
//!
//! J^T J is half the energy's Hessian in function space pulled back to the parameters, so a damped
//! Gauss-Newton step is a damped Newton step. It is repeated with the gradients of the trial points:
//! one sweep each, where a new J and its decomposition cost a hundred times as much.
//!
//! The energy is flat at its minimum: a field that is off by e raises it by e^2, which round-off
//! hides below the square root of epsilon. There the change is taken from the slopes at both ends of
//! the step, `(g_0 + g_1) . d / 2`, which loses no digits (Hager, Zhang: "A new conjugate gradient
//! method with guaranteed descent and an efficient line search", SIAM J. Optim. 2005, judge steps by
//! slopes for the same reason).

use crate::error::OptimizeError;
use crate::field::residual::{ResidualError, ResidualSystem};
use crate::step::Start;

/// Changes below this share of the energy are taken from slopes: what is lost of them by
/// subtraction is more than the error of the trapezoidal rule.
const FLAT: f64 = 1e-12;

/// Where trials start.
pub(super) struct EnergyStart<'a> {
    theta: &'a [f64],
    energy: f64,
    gradient: Vec<f64>,
}

/// What a trial leads to.
pub(super) struct EnergyTrial {
    /// By how much the energy rises.
    pub change: f64,
    /// The gradient there, by all parameters.
    pub gradient: Vec<f64>,
}

impl<'a> EnergyStart<'a> {
    /// `half` is `J^T r`.
    pub fn new(start: Start<'a>, half: &[f64]) -> Self {
        let gradient = half.iter().map(|g| 2.0 * g).collect();
        Self { theta: start.theta, energy: start.loss, gradient }
    }

    /// `None` where the energy cannot be evaluated.
    pub async fn reach<S: ResidualSystem>(
        &self,
        system: &mut S,
        theta: &[f64],
    ) -> Result<Option<EnergyTrial>, OptimizeError> {
        let mut gradient = vec![0.0; theta.len()];
        let energy = match system.gradient(theta, &mut gradient).await {
            Ok(energy) => energy,
            Err(ResidualError::NotFinite { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut change = energy - self.energy;
        if change.abs() <= FLAT * self.energy.abs() {
            change = self.by_slopes(theta, &gradient);
        }
        Ok(change.is_finite().then_some(EnergyTrial { change, gradient }))
    }

    /// The trapezoidal rule along the step.
    fn by_slopes(&self, theta: &[f64], gradient: &[f64]) -> f64 {
        let steps = theta.iter().zip(self.theta).map(|(new, old)| new - old);
        let slopes = self.gradient.iter().zip(gradient).map(|(a, b)| 0.5 * (a + b));
        steps.zip(slopes).map(|(step, slope)| step * slope).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

    /// `E = 1 + |theta|^2`, with the part that varies far below the round-off of the whole.
    struct Bowl;

    impl ResidualSystem for Bowl {
        fn parameters(&self) -> usize {
            2
        }

        fn rows(&self) -> usize {
            2
        }

        async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
            out.copy_from_slice(theta);
            Ok(())
        }

        async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
            let energy = |theta: &&[f64]| 1.0 + theta.iter().map(|x| x * x).sum::<f64>();
            Ok(thetas.iter().map(energy).collect())
        }

        async fn jacobian(
            &mut self,
            theta: &[f64],
            residual: &mut [f64],
            mut jacobian: DMatrixViewMut<'_, f64>,
        ) -> Result<(), ResidualError> {
            jacobian.fill(0.0);
            jacobian.fill_diagonal(1.0);
            self.residual(theta, residual).await
        }

        async fn jacobian_blocks(
            &mut self,
            _theta: &[f64],
            visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
        ) -> Result<(), ResidualError> {
            visit(0, DMatrix::<f64>::identity(2, 2).as_view());
            Ok(())
        }
    }

    /// Where subtraction sees nothing the slopes still give the change, exactly for a parabola.
    #[test]
    fn changes_below_round_off_are_seen() {
        let theta = [3e-10, 0.0];
        let from = Start {
            theta: &theta,
            loss: pollster::block_on(Bowl.losses(&[&theta])).unwrap()[0],
            iteration: 0,
        };
        let start = EnergyStart::new(from, &theta);
        for end in [[1e-10, 0.0], [-4e-10, 1e-10]] {
            let trial =
                pollster::block_on(start.reach(&mut Bowl, &end)).expect("finite").expect("finite");
            let wanted = end[0] * end[0] + end[1] * end[1] - theta[0] * theta[0];
            assert!((trial.change - wanted).abs() < 1e-12 * wanted.abs(), "{}", trial.change);
            assert_eq!(
                pollster::block_on(Bowl.losses(&[&end])).unwrap()[0],
                from.loss,
                "subtraction would see it"
            );
        }
        let far = pollster::block_on(start.reach(&mut Bowl, &[0.5, 0.0]))
            .expect("finite")
            .expect("finite");
        assert!((far.change - 0.25).abs() < 1e-15);
    }
}
