//! The kernel (Woodbury) form of a damped natural gradient: `d = J^T (J J^T + lambda)^-1 r`.
//!
//! `J J^T` is n x n however many parameters there are. Its eigen-decomposition `U L U^T` gives the
//! direction of every damping: `J^T U (L + lambda)^-1 U^T r`, with the decrease that the linear
//! model promises, `|r|^2 - sum (lambda / (L + lambda))^2 (u . r)^2`. Guzman-Cordero et al.:
//! "Improving energy natural gradient descent through Woodbury, momentum, and randomization", arXiv
//! 2505.12149; the damping is adapted as Levenberg and Marquardt do, by the ratio of the actual to
//! the promised decrease, and several dampings of one decomposition are tried at once (DSGNAR, arXiv
//! 2607.02194).

use nalgebra::DMatrix;

use super::MEMORY_LIMIT;
use crate::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::gauss_newton::engd::roots;
use crate::jacobian::Linearisation;
use crate::linalg::{Eigenpairs, product, symmetric_eigen, transposed_times};
use crate::line_search::{least, losses, moved};
use crate::settings::{KernelSettings, LineSearch};
use crate::state::{TrainingState, number};
use crate::step::{Optimizer, Start, Step, gradient_norm, walk};

/// Between two dampings that are tried.
const FACTOR: f64 = 3.162_277_660_168_379_5;
/// Ratios of the actual to the promised decrease above which the damping is lowered, and below
/// which it is raised.
const GOOD: f64 = 0.75;
const BAD: f64 = 0.25;
/// Least damping relative to the largest eigenvalue: its round-off.
const LEAST: f64 = 1e-15;

#[derive(Debug, Default)]
pub struct Kernel {
    settings: KernelSettings,
    linearisation: Linearisation,
    /// lambda as a share of the largest eigenvalue, around which dampings are tried.
    damping: Option<f64>,
}

impl Kernel {
    pub fn new(settings: KernelSettings) -> Self {
        Self { settings, ..Self::default() }
    }
}

/// `J J^T` at a point, decomposed, and `U^T r`.
struct Spectral {
    pairs: Eigenpairs,
    coefficients: Vec<f64>,
    largest: f64,
}

impl Spectral {
    async fn new<S: ResidualSystem>(
        system: &mut S,
        linearisation: &Linearisation,
    ) -> Result<Self, OptimizeError> {
        let kernel = linearisation.kernel(system).await?;
        let mut pairs = symmetric_eigen(kernel.as_view())?;
        pairs.values.iter_mut().for_each(|value| *value = value.max(0.0));
        let coefficients = transposed_times(pairs.vectors.as_view(), &linearisation.residual);
        let largest = pairs.values.first().copied().unwrap_or(0.0);
        Ok(Self { pairs, coefficients, largest })
    }

    /// `J^T U (L + lambda)^-1 U^T r` for each lambda, a column each.
    async fn directions<S: ResidualSystem>(
        &self,
        system: &mut S,
        linearisation: &Linearisation,
        lambdas: &[f64],
    ) -> Result<DMatrix<f64>, OptimizeError> {
        let scaled = DMatrix::from_fn(self.coefficients.len(), lambdas.len(), |i, k| {
            self.coefficients[i] / (self.pairs.values[i] + lambdas[k])
        });
        let dual = product(self.pairs.vectors.as_view(), scaled.as_view());
        linearisation.multiply_transposed(system, dual.as_view()).await
    }

    /// The decrease of `|r|^2` by a full step, in the linear model.
    fn promised(&self, lambda: f64) -> f64 {
        let each = self.coefficients.iter().zip(&self.pairs.values).map(|(c, value)| {
            let left = lambda / (value + lambda);
            c * c * (1.0 - left * left)
        });
        each.sum()
    }
}

impl Optimizer for Kernel {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        check_rows(system, "kernel")?;
        self.linearisation.at(system, start.theta).await?;
        let half = self.linearisation.gradient(system).await?;
        let spectral = Spectral::new(system, &self.linearisation).await?;
        let centre = self.damping.unwrap_or(self.settings.damping);
        let trials = self.settings.trials.max(1);
        // Dampings are of eigenvalues, the squares of singular values of J.
        let least_damping = system.rounding().noise().powi(2).max(LEAST);
        let share = |k: usize| {
            let power = k as i32 - (trials / 2) as i32;
            (centre * FACTOR.powi(power)).clamp(least_damping, 1e6)
        };
        let lambdas: Vec<f64> = (0..trials).map(|k| share(k) * spectral.largest).collect();
        let directions = spectral.directions(system, &self.linearisation, &lambdas).await?;
        let direction = |k: usize| -> Vec<f64> { directions.column(k).as_slice().to_vec() };
        let values = losses(system, trials, |k| moved(start.theta, &direction(k), 1.0)).await?;
        let best = least(&values).unwrap_or(0);
        let mut step = Step { evaluations: trials, ..Step::stay(start.theta, start.loss) };
        let mut next = share(best);
        if values[best] < start.loss {
            let ratio = (start.loss - values[best]) / spectral.promised(lambdas[best]);
            if ratio > GOOD {
                next /= FACTOR;
            } else if ratio < BAD {
                next *= FACTOR;
            }
            step.theta = moved(start.theta, &direction(best), 1.0);
            (step.loss, step.step_length) = (values[best], 1.0);
        } else {
            // No full step helps: a shorter one along the safest direction.
            let safest = direction(trials - 1);
            let shorter = walk(system, start, &safest, LineSearch::default()).await?;
            step = Step { evaluations: trials + shorter.evaluations, ..shorter };
            next = share(trials - 1);
        }
        self.damping = Some(next.clamp(least_damping, 1e6));
        Ok(Step {
            rank: spectral.pairs.above(lambdas[best]),
            damping: share(best).sqrt(),
            gradient_norm: gradient_norm(&half),
            singular_values: roots(&spectral.pairs.values),
            ..step
        })
    }

    fn save(&self, state: &mut TrainingState) {
        if let Some(damping) = self.damping {
            state.insert("kernel.damping".into(), vec![damping]);
        }
    }

    fn restore(&mut self, state: &TrainingState, _parameters: usize) -> Result<(), OptimizeError> {
        self.damping = match state.contains_key("kernel.damping") {
            true => Some(number(state, "kernel.damping")?),
            false => None,
        };
        Ok(())
    }
}

/// That three n x n matrices fit.
pub(super) fn check_rows<S: ResidualSystem>(
    system: &S,
    method: &'static str,
) -> Result<(), OptimizeError> {
    let (rows, parameters, limit) = (system.rows(), system.parameters(), MEMORY_LIMIT);
    let bytes = rows.saturating_mul(rows).saturating_mul(3 * 8);
    if bytes > limit {
        return Err(OptimizeError::TooLarge { method, parameters, rows, bytes, limit });
    }
    Ok(())
}
