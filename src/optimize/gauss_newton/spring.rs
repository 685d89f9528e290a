//! The kernel form with momentum.
//!
//! SPRING (Goldshlager, Abrahamsen, Lin: "A Kaczmarz-inspired approach to accelerate the
//! optimization of neural network wavefunctions", Journal of Computational Physics 2024) for
//! differential equations as in arXiv 2505.12149:
//!
//! ```text
//! phi <- mu phi + J^T (J J^T + lambda)^-1 (r - mu J phi),   theta <- theta - eta phi.
//! ```

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use super::kernel::check_rows;
use crate::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::jacobian::Linearisation;
use crate::linalg::{Cholesky, symmetric_eigen};
use crate::settings::SpringSettings;
use crate::state::{TrainingState, list};
use crate::step::{Optimizer, Start, Step, gradient_norm, walk};

#[derive(Debug, Default)]
pub struct Spring {
    settings: SpringSettings,
    linearisation: Linearisation,
    /// phi; empty before the first iteration.
    momentum: Vec<f64>,
}

impl Spring {
    pub fn new(settings: SpringSettings) -> Self {
        Self { settings, ..Self::default() }
    }
}

impl Optimizer for Spring {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        check_rows(system, "spring")?;
        let SpringSettings { damping, momentum: mu, line_search } = self.settings;
        self.linearisation.at(system, start.theta).await?;
        let half = self.linearisation.gradient(system).await?;
        self.momentum.resize(start.theta.len(), 0.0);
        let image = self.linearisation.multiply(system, column(&self.momentum)).await?;
        let residual = self.linearisation.residual.iter();
        let right: Vec<f64> =
            residual.zip(image.column(0).iter()).map(|(r, phi)| r - mu * phi).collect();
        let mut kernel = self.linearisation.kernel(system).await?;
        // What J's numbers round away cannot be divided by; the trace is above the largest eigenvalue.
        let trace: f64 = (0..kernel.nrows()).map(|i| kernel[(i, i)]).sum();
        let damping = damping.max(system.rounding().noise().powi(2) * trace);
        for i in 0..kernel.nrows() {
            kernel[(i, i)] += damping;
        }
        let solution = solve(&kernel, &right)?;
        let correction = self.linearisation.multiply_transposed(system, column(&solution)).await?;
        for (phi, d) in self.momentum.iter_mut().zip(correction.column(0).iter()) {
            *phi = mu * *phi + d;
        }
        let step = walk(system, start, &self.momentum, line_search).await?;
        Ok(Step { gradient_norm: gradient_norm(&half), rank: right.len(), ..step })
    }

    fn save(&self, state: &mut TrainingState) {
        state.insert("spring.momentum".into(), self.momentum.clone());
    }

    fn restore(&mut self, state: &TrainingState, parameters: usize) -> Result<(), OptimizeError> {
        let momentum = list(state, "spring.momentum", None)?;
        if !momentum.is_empty() && momentum.len() != parameters {
            return Err(OptimizeError::State { entry: "spring.momentum".into() });
        }
        self.momentum = momentum.to_vec();
        Ok(())
    }
}

/// `A^-1 b` for A positive definite but for round-off; then its small eigenvalues are left out.
fn solve(a: &DMatrix<f64>, b: &[f64]) -> Result<Vec<f64>, OptimizeError> {
    if let Some(factor) = Cholesky::of(a.clone()) {
        let mut x = b.to_vec();
        factor.solve(DMatrixViewMut::from_slice(&mut x, b.len(), 1));
        return Ok(x);
    }
    let pairs = symmetric_eigen(a.as_view())?;
    let noise = f64::EPSILON * a.nrows() as f64 * pairs.values[0];
    Ok(pairs.solve(b, pairs.above(noise)))
}

fn column(x: &[f64]) -> DMatrixView<'_, f64> {
    DMatrixView::from_slice(x, x.len(), 1)
}
