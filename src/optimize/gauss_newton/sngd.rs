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
//!
//! A fixed tolerance is either too bold far from the solution or too coarse near it. It can also be
//! adapted along the run, as ANaGRAM's: the directions of several from one decomposition, judged by
//! the loss.

use crate::evaluate::residual::ResidualSystem;
use crate::linalg::{Eigenpairs, RangeSettings, range, single_pass, two_pass};
use crate::optimize::error::OptimizeError;
use crate::optimize::gauss_newton::adapted::{adapt, smallest_trial};
use crate::optimize::gauss_newton::engd::roots;
use crate::optimize::jacobian::{GramOperator, Linearisation};
use crate::optimize::settings::{Passes, SngdSettings};
use crate::optimize::state::{TrainingState, count, number};
use crate::optimize::step::{Optimizer, Start, Step, gradient_norm, walk};

/// Below this share of the largest singular value of J the eigenvalues of G are round-off.
const LEAST_CUTOFF: f64 = 5e-8;
/// Epoch of the draw that finds the rank: no iteration has it.
const FIRST_DRAW: u64 = 1 << 27;

#[derive(Debug, Default)]
pub(crate) struct Sngd {
    settings: SngdSettings,
    seed: u64,
    linearisation: Linearisation,
    /// Rank of the last iteration and the oversampling, once they are known.
    size: Option<(usize, usize)>,
    /// The adapted cutoff of singular values of J, relative; none before the first iteration.
    cutoff: Option<f64>,
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
        if self.settings.adapted {
            // As many as the boldest of the next trials would keep.
            let cutoff = smallest_trial(self.singular_cutoff(largest), LEAST_CUTOFF);
            return pairs.above(cutoff * cutoff * largest);
        }
        pairs.above(self.settings.cutoff.relative_to(largest) * largest)
    }

    /// The cutoff of singular values of J, relative.
    fn singular_cutoff(&self, largest: f64) -> f64 {
        let start = self.settings.cutoff.relative_to(largest).sqrt();
        self.cutoff.unwrap_or(start).max(LEAST_CUTOFF)
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
        let half = self.linearisation.gradient(system)?;
        let largest = pairs.values.first().copied().unwrap_or(0.0);
        let above = |cutoff: f64| pairs.above(cutoff * cutoff * largest);
        let line_search = self.settings.line_search;
        let (cutoff, step) = if self.settings.adapted {
            let direction = |cutoff| pairs.solve(&half, above(cutoff));
            let last = self.singular_cutoff(largest);
            let taken = adapt(system, start, &direction, last, LEAST_CUTOFF, line_search)?;
            self.cutoff = Some(taken.0);
            taken
        } else {
            let direction = pairs.solve(&half, self.rank(&pairs));
            let cutoff = self.settings.cutoff.relative_to(largest).sqrt();
            (cutoff, walk(system, start, &direction, line_search)?)
        };
        self.size = Some((self.rank(&pairs), oversampling));
        Ok(Step {
            rank: if self.settings.adapted { above(cutoff) } else { self.rank(&pairs) },
            damping: cutoff,
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
        if let Some(cutoff) = self.cutoff {
            state.insert("sngd.cutoff".into(), vec![cutoff]);
        }
    }

    fn restore(&mut self, state: &TrainingState, _parameters: usize) -> Result<(), OptimizeError> {
        self.size = match state.contains_key("sngd.rank") {
            true => Some((count(state, "sngd.rank")?, count(state, "sngd.oversampling")?)),
            false => None,
        };
        self.cutoff = match state.contains_key("sngd.cutoff") {
            true => Some(number(state, "sngd.cutoff")?),
            false => None,
        };
        Ok(())
    }
}
