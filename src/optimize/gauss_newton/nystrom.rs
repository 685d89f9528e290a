//! The kernel form with a randomized Nystrom approximation of `J J^T`.
//!
//! `J J^T ~ U L U^T` of low rank (see [`crate::linalg::nystrom`]) makes
//! `(J J^T + lambda)^-1 r ~ U (L + lambda)^-1 U^T r + (r - U U^T r) / lambda`, without any n x n
//! matrix; what U does not reach is divided by lambda alone (arXiv 2505.12149).

use nalgebra::DMatrix;

use crate::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::gauss_newton::engd::roots;
use crate::jacobian::{KernelOperator, Linearisation};
use crate::linalg::{RangeSettings, nystrom};
use crate::settings::NystromSettings;
use crate::step::{Optimizer, Start, Step, gradient_norm, walk};

#[derive(Debug, Default)]
pub struct Nystrom {
    settings: NystromSettings,
    seed: u64,
    linearisation: Linearisation,
}

impl Nystrom {
    pub fn new(settings: NystromSettings, seed: u64) -> Self {
        Self { settings, seed, ..Self::default() }
    }
}

impl Optimizer for Nystrom {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        let NystromSettings { damping, rank, kind, line_search } = self.settings;
        self.linearisation.at_for_products(system, start.theta).await?;
        let half = self.linearisation.gradient(system).await?;
        let residual = &self.linearisation.residual;
        let size = if rank == 0 { residual.len().div_ceil(10) } else { rank };
        let settings = RangeSettings {
            kind,
            seed: self.seed,
            epoch: start.iteration as u64,
            ..RangeSettings::default()
        };
        let mut operator =
            KernelOperator { system: &mut *system, linearisation: &self.linearisation };
        let pairs = nystrom(&mut operator, size, settings).await?;
        let largest = pairs.values.first().copied().unwrap_or(0.0);
        // What products with J J^T round away cannot be divided by.
        let damping = damping.max(system.rounding().products);
        let lambda = (damping * largest).max(f64::MIN_POSITIVE);
        let kept = pairs.values.len();
        // The two parts differ by many orders of magnitude: they are added, never subtracted.
        let mut outside = residual.clone();
        for _ in 0..2 {
            let inside = pairs.filter(&outside, kept, |_| 1.0);
            outside.iter_mut().zip(inside).for_each(|(r, inside)| *r -= inside);
        }
        let inside = pairs.filter(residual, kept, |value| (value + lambda).recip());
        let dual = DMatrix::from_fn(residual.len(), 1, |i, _| inside[i] + outside[i] / lambda);
        let direction = self.linearisation.multiply_transposed(system, dual.as_view()).await?;
        let step = walk(system, start, direction.as_slice(), line_search).await?;
        Ok(Step {
            rank: pairs.above(lambda),
            damping: damping.sqrt(),
            gradient_norm: gradient_norm(&half),
            singular_values: roots(&pairs.values),
            ..step
        })
    }
}
