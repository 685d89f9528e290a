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
//! What is published works with products of G, whose round-off hides the singular values of J below
//! 1e-8 of the largest: then the tolerance lets noise through, the steps become short and the error
//! stalls. Two-pass is the same in exact arithmetic with J alone, and does not square it:
//!
//! ```text
//! Y = orth(J M),   Q = qr(J^T Y),   J Q = U D^1/2 S^T,   d = Q S_r D_r^-1/2 U_r^T r.
//! ```
//!
//! A fixed tolerance is either too bold far from the solution or too coarse near it. It can also be
//! adapted along the run, as ANaGRAM's: the directions of several from one decomposition, judged by
//! the loss.

use nalgebra::DMatrix;

use crate::error::OptimizeError;
use crate::field::residual::{ResidualSystem, Rounding};
use crate::gauss_newton::adapted::{adapt, smallest_trial};
use crate::gauss_newton::engd::roots;
use crate::jacobian::{GramOperator, Linearisation};
use crate::linalg::{
    Eigenpairs, RangeSettings, Svd, TestMatrix, orthonormal, product, range, single_pass, times,
    transposed_times,
};
use crate::settings::{Passes, SngdSettings};
use crate::state::{TrainingState, count, number};
use crate::step::{Optimizer, Start, Step, gradient_norm, walk};

/// Below this share of the largest singular value of J the eigenvalues of G are round-off.
const LEAST_CUTOFF: f64 = 5e-8;
/// Epoch of the draw that finds the rank: no iteration has it.
const FIRST_DRAW: u64 = 1 << 27;

#[derive(Debug, Default)]
pub struct Sngd {
    settings: SngdSettings,
    seed: u64,
    linearisation: Linearisation,
    /// Rank of the last iteration and the oversampling, once they are known.
    size: Option<(usize, usize)>,
    /// The adapted cutoff of singular values of J, relative; none before the first iteration.
    cutoff: Option<f64>,
}

/// What a sketch tells about G.
enum Spectrum {
    /// Eigenpairs of G.
    Squared(Eigenpairs),
    Factored(Factored),
}

/// `J Q = U D^1/2 S^T` for a basis Q.
struct Factored {
    /// D, descending.
    values: Vec<f64>,
    /// `U^T r`.
    projection: Vec<f64>,
    /// `Q S`.
    vectors: DMatrix<f64>,
}

impl Spectrum {
    /// Eigenvalues of G, descending.
    fn values(&self) -> &[f64] {
        match self {
            Self::Squared(pairs) => &pairs.values,
            Self::Factored(factored) => &factored.values,
        }
    }

    fn largest(&self) -> f64 {
        self.values().first().copied().unwrap_or(0.0)
    }

    /// How many eigenvalues lie above `cutoff`.
    fn above(&self, cutoff: f64) -> usize {
        self.values().iter().take_while(|&&value| value > cutoff).count()
    }

    /// The truncated `G^+ J^T r`; `half` is `J^T r`.
    fn direction(&self, half: &[f64], rank: usize) -> Vec<f64> {
        match self {
            Self::Squared(pairs) => pairs.solve(half, rank),
            Self::Factored(factored) => factored.direction(rank),
        }
    }
}

impl Factored {
    async fn new<S: ResidualSystem>(
        system: &mut S,
        linearisation: &Linearisation,
        size: usize,
        settings: RangeSettings,
    ) -> Result<Self, OptimizeError> {
        let RangeSettings { kind, power_iterations, seed, epoch } = settings;
        let parameters = system.parameters();
        let mut basis =
            TestMatrix::new(kind, parameters, size.min(parameters), seed, epoch).dense();
        for _ in 0..=power_iterations {
            let image = linearisation.multiply(system, basis.as_view()).await?;
            let image = orthonormal(image.as_view());
            basis = linearisation.multiply_transposed(system, image.as_view()).await?;
            basis = orthonormal(basis.as_view());
        }
        let image = linearisation.multiply(system, basis.as_view()).await?;
        let svd = Svd::of(image.as_view())?;
        Ok(Self {
            values: svd.values.iter().map(|sigma| sigma * sigma).collect(),
            projection: transposed_times(svd.left.as_view(), &linearisation.residual),
            vectors: product(basis.as_view(), svd.right.as_view()),
        })
    }

    /// `Q S_r D_r^-1/2 U_r^T r`.
    fn direction(&self, rank: usize) -> Vec<f64> {
        let kept = self.projection.iter().zip(&self.values).take(rank);
        let coefficients: Vec<f64> = kept.map(|(c, value)| c / value.sqrt()).collect();
        times(self.vectors.columns(0, rank), &coefficients)
    }
}

impl Sngd {
    pub fn new(settings: SngdSettings, seed: u64) -> Self {
        Self { settings, seed, ..Self::default() }
    }

    /// The spectrum of G from a sketch of `size` columns.
    async fn spectrum<S: ResidualSystem>(
        &self,
        system: &mut S,
        size: usize,
        epoch: u64,
    ) -> Result<Spectrum, OptimizeError> {
        let SngdSettings { kind, power_iterations, passes, .. } = self.settings;
        let settings = RangeSettings { kind, power_iterations, seed: self.seed, epoch };
        if passes == Passes::Two {
            return Ok(Spectrum::Factored(
                Factored::new(system, &self.linearisation, size, settings).await?,
            ));
        }
        let mut operator = GramOperator { system, linearisation: &self.linearisation };
        Ok(Spectrum::Squared(single_pass(&range(&mut operator, size, settings).await?)?))
    }

    /// The singular values of J, relative, that are noise of the numbers it is computed in: zero
    /// for f64. Products with G keep eigenvalues, and lose their roots, above round-off.
    fn noise(&self, rounding: Rounding) -> f64 {
        let noise = rounding.noise();
        match self.settings.passes {
            Passes::Single if noise > 0.0 => noise.max(rounding.products.sqrt()),
            _ => noise,
        }
    }

    fn rank(&self, spectrum: &Spectrum, noise: f64) -> usize {
        let largest = spectrum.largest();
        if self.settings.adapted {
            // As many as the boldest of the next trials would keep.
            let last = self.singular_cutoff(largest, noise);
            let cutoff = smallest_trial(last, noise.max(LEAST_CUTOFF));
            return spectrum.above(cutoff * cutoff * largest);
        }
        spectrum.above(self.fixed_cutoff(largest, noise) * largest)
    }

    /// The fixed cutoff of eigenvalues of G, relative.
    fn fixed_cutoff(&self, largest: f64, noise: f64) -> f64 {
        self.settings.cutoff.relative_to(largest).max(noise * noise)
    }

    /// The adapted cutoff of singular values of J, relative.
    fn singular_cutoff(&self, largest: f64, noise: f64) -> f64 {
        let start = self.settings.cutoff.relative_to(largest).sqrt();
        self.cutoff.unwrap_or(start).max(noise).max(LEAST_CUTOFF)
    }
}

impl Optimizer for Sngd {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        self.linearisation.at_for_products(system, start.theta).await?;
        let cut = self.noise(system.rounding());
        let (rank, oversampling) = match self.size {
            Some(size) => size,
            None => {
                let spectrum =
                    self.spectrum(system, self.settings.first_sketch, FIRST_DRAW).await?;
                let noise = f64::EPSILON * spectrum.largest();
                let oversampling = self.settings.oversampling.unwrap_or(spectrum.above(noise));
                (self.rank(&spectrum, cut), oversampling)
            }
        };
        let size = (rank + oversampling).clamp(1, system.parameters());
        let spectrum = self.spectrum(system, size, start.iteration as u64).await?;
        let half = self.linearisation.gradient(system).await?;
        let largest = spectrum.largest();
        let above = |cutoff: f64| spectrum.above(cutoff * cutoff * largest);
        let line_search = self.settings.line_search;
        let (cutoff, step) = if self.settings.adapted {
            let direction = |cutoff| spectrum.direction(&half, above(cutoff));
            let last = self.singular_cutoff(largest, cut);
            let least = cut.max(LEAST_CUTOFF);
            let taken = adapt(system, start, &direction, last, least, line_search).await?;
            self.cutoff = Some(taken.0);
            taken
        } else {
            let direction = spectrum.direction(&half, self.rank(&spectrum, cut));
            let cutoff = self.fixed_cutoff(largest, cut).sqrt();
            (cutoff, walk(system, start, &direction, line_search).await?)
        };
        self.size = Some((self.rank(&spectrum, cut), oversampling));
        Ok(Step {
            rank: if self.settings.adapted { above(cutoff) } else { self.rank(&spectrum, cut) },
            damping: cutoff,
            gradient_norm: gradient_norm(&half),
            singular_values: roots(spectrum.values()),
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
