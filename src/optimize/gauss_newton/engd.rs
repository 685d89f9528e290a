//! Energy natural gradient descent: `d = G^+ J^T r` with `G = J^T J`.
//!
//! Mueller, Zeinhofer: "Achieving high accuracy with PINNs via energy natural gradient descent",
//! ICML 2023. G is formed and inverted by least squares with a cutoff, which for a symmetric matrix
//! is its eigen-decomposition: simple and dear, the oracle of the other methods. Squaring J loses
//! its singular values below 1e-8 of the largest.

use nalgebra::DMatrix;

use super::MEMORY_LIMIT;
use crate::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::jacobian::Linearisation;
use crate::linalg::{lower_gram, symmetric_eigen};
use crate::settings::{Cutoff, EngdSettings};
use crate::step::{Optimizer, Start, Step, gradient_norm, walk};

#[derive(Debug)]
pub struct Engd {
    pub settings: EngdSettings,
    linearisation: Linearisation,
    gram: DMatrix<f64>,
}

impl Engd {
    pub fn new(settings: EngdSettings) -> Self {
        Self { settings, linearisation: Linearisation::default(), gram: DMatrix::default() }
    }
}

impl Optimizer for Engd {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        let parameters = system.parameters();
        let bytes = 8 * parameters * parameters;
        if bytes > MEMORY_LIMIT / 4 {
            let (method, rows, limit) = ("engd", system.rows(), MEMORY_LIMIT / 4);
            return Err(OptimizeError::TooLarge { method, parameters, rows, bytes, limit });
        }
        self.linearisation.at_within(system, start.theta, "engd", MEMORY_LIMIT).await?;
        let half = self.linearisation.gradient(system).await?;
        lower_gram(self.linearisation.whole(), &mut self.gram);
        let pairs = symmetric_eigen(self.gram.as_view())?;
        let largest = pairs.values.first().copied().unwrap_or(0.0);
        let cutoff = self.settings.cutoff;
        let cutoff = cutoff.unwrap_or(Cutoff::Relative(f64::EPSILON * parameters as f64));
        // An eigenvalue of G is the square of a singular value of J. G itself is made on the host.
        let noise = system.rounding().noise();
        let cutoff = cutoff.relative_to(largest).max(noise * noise);
        let rank = pairs.above(cutoff * largest);
        let direction = pairs.solve(&half, rank);
        let step = walk(system, start, &direction, self.settings.line_search).await?;
        Ok(Step {
            rank,
            damping: cutoff.sqrt(),
            gradient_norm: gradient_norm(&half),
            singular_values: roots(&pairs.values),
            ..step
        })
    }
}

/// Singular values of J from the eigenvalues of G.
pub(super) fn roots(values: &[f64]) -> Vec<f64> {
    values.iter().take_while(|&&value| value > 0.0).map(|value| value.sqrt()).collect()
}
