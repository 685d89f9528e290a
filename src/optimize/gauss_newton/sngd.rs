//! Sketched natural gradient descent.
//!
//! Best McKay, Kaur, Greif, Wetton: "Near-optimal sketchy natural gradients for physics-informed
//! neural networks", ICML 2025, algorithm 1: with a Gaussian M (p x (r + oversampling))
//!
//! ```text
//! A = G M = J^T (J M),   Q = qr(A),
//! T = Q^T G Q (two-pass)   or   T = Q^T A (Q^T M)^-1 (single-pass),   T = S D S^T,
//! d = Q S_r D_r^-1 S_r^T Q^T J^T r   over the eigenvalues above the tolerance,
//! ```
//!
//! and r, the number of those, sizes the next iteration's sketch. Before the first one a sketch of
//! a chosen size finds the rank; the oversampling is the first index at which that sketch's
//! spectrum falls below machine precision. G is never formed, nor J where it does not fit memory.

use crate::evaluate::residual::ResidualSystem;
use crate::linalg::{Eigenpairs, RangeSettings, range, single_pass, two_pass};
use crate::optimize::error::OptimizeError;
use crate::optimize::gauss_newton::engd::roots;
use crate::optimize::jacobian::{GramOperator, Linearisation};
use crate::optimize::settings::{Passes, SngdSettings};
use crate::optimize::state::{TrainingState, count};
use crate::optimize::step::{Optimizer, Start, Step, gradient_norm, walk};

/// Epoch of the draw that finds the rank: no iteration has it.
const FIRST_DRAW: u64 = 1 << 27;

#[derive(Debug, Default)]
pub(crate) struct Sngd {
    settings: SngdSettings,
    seed: u64,
    linearisation: Linearisation,
    /// Rank of the last iteration and the oversampling, once they are known.
    size: Option<(usize, usize)>,
}

impl Sngd {
    pub fn new(settings: SngdSettings, seed: u64) -> Self {
        Self { settings, seed, ..Self::default() }
    }

    /// Eigenpairs of G from a sketch of `size` columns.
    fn eigenpairs(
        &self,
        system: &mut dyn ResidualSystem,
        size: usize,
        epoch: u64,
    ) -> Result<Eigenpairs, OptimizeError> {
        let SngdSettings { kind, power_iterations, passes, .. } = self.settings;
        let settings = RangeSettings { kind, power_iterations, seed: self.seed, epoch };
        let mut operator = GramOperator { system, linearisation: &self.linearisation };
        let found = range(&mut operator, size, settings)?;
        match passes {
            Passes::Single => Ok(single_pass(&found)?),
            Passes::Two => two_pass(&mut operator, &found),
        }
    }

    fn rank(&self, pairs: &Eigenpairs) -> usize {
        let largest = pairs.values.first().copied().unwrap_or(0.0);
        pairs.above(self.settings.cutoff.relative_to(largest) * largest)
    }
}

impl Optimizer for Sngd {
    fn step(
        &mut self,
        system: &mut dyn ResidualSystem,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        self.linearisation.at(system, start.theta)?;
        let (rank, oversampling) = match self.size {
            Some(size) => size,
            None => {
                let pairs = self.eigenpairs(system, self.settings.first_sketch, FIRST_DRAW)?;
                let noise = f64::EPSILON * pairs.values.first().copied().unwrap_or(0.0);
                let oversampling = self.settings.oversampling.unwrap_or(pairs.above(noise));
                (self.rank(&pairs), oversampling)
            }
        };
        let size = (rank + oversampling).clamp(1, system.parameters());
        let pairs = self.eigenpairs(system, size, start.iteration as u64)?;
        let rank = self.rank(&pairs);
        self.size = Some((rank, oversampling));
        let half = self.linearisation.gradient(system)?;
        let direction = pairs.solve(&half, rank);
        let step = walk(system, start, &direction, self.settings.line_search)?;
        let largest = pairs.values.first().copied().unwrap_or(0.0);
        Ok(Step {
            rank,
            damping: self.settings.cutoff.relative_to(largest).sqrt(),
            gradient_norm: gradient_norm(&half),
            singular_values: roots(&pairs.values),
            ..step
        })
    }

    fn save(&self, state: &mut TrainingState) {
        if let Some((rank, oversampling)) = self.size {
            state.insert("sngd.rank".into(), vec![rank as f64]);
            state.insert("sngd.oversampling".into(), vec![oversampling as f64]);
        }
    }

    fn restore(&mut self, state: &TrainingState, _parameters: usize) -> Result<(), OptimizeError> {
        self.size = match state.contains_key("sngd.rank") {
            true => Some((count(state, "sngd.rank")?, count(state, "sngd.oversampling")?)),
            false => None,
        };
        Ok(())
    }
}
