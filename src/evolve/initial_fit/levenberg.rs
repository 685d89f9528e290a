//! Levenberg-Marquardt steps of an initial fit, with iterated geodesic acceleration
//! ([`crate::optimize::levenberg::search`]).

use nalgebra::DMatrix;

use super::error::FitError;
use super::target::{Residual, Target};
use crate::linalg::{LeastSquares, at_once};
use crate::optimize::levenberg::search::{Linearised, Next, Reached, SearchSettings};

/// Start value of the damping, relative to the largest singular value.
pub(super) const FIRST_DAMPING: f64 = 1e-3;

/// A point that was tried.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub theta: Vec<f64>,
    pub residual: Residual,
    /// Relative to the largest singular value.
    pub damping: f64,
}

/// Memory that is kept from one iteration to the next.
pub(super) struct Levenberg {
    solver: LeastSquares,
    jacobian: DMatrix<f64>,
}

impl Levenberg {
    pub fn new() -> Self {
        Self { solver: LeastSquares::default(), jacobian: DMatrix::default() }
    }

    /// The best point found from `theta` with dampings around `damping`; `None` where none
    /// lowers the loss. Only the parameters in `columns` move.
    pub fn iterate(
        &mut self,
        target: &Target,
        theta: &[f64],
        residual: &Residual,
        columns: &[u32],
        damping: f64,
    ) -> Result<Option<Trial>, FitError> {
        if self.jacobian.shape() != (target.rows(), columns.len()) {
            self.jacobian = DMatrix::zeros(target.rows(), columns.len());
        }
        target.jacobian(theta, columns, self.jacobian.as_view_mut());
        let jacobian = self.jacobian.as_view();
        let moved = |step: &[f64]| {
            let mut theta = theta.to_vec();
            for (&k, d) in columns.iter().zip(step) {
                theta[k as usize] += d;
            }
            theta
        };
        let mut linearised = Linearised {
            jacobian,
            residual: &residual.entries,
            loss: residual.loss,
            inverse: self.solver.normal_equations(jacobian)?,
            evaluate: async |step: &[f64]| {
                let Residual { entries, loss, .. } = target.residual(&moved(step));
                Ok::<_, FitError>(Reached { loss, next: Next::Residual(entries) })
            },
            settings: SearchSettings::default(),
        };
        let best = at_once(linearised.search(damping))?;
        Ok(best.map(|best| {
            let theta = moved(&best.step);
            Trial { residual: target.residual(&theta), theta, damping: best.damping }
        }))
    }
}
