//! Residuals of a differential problem at points and their parameter Jacobians: the nonlinear
//! least-squares problem that the optimisers minimise.
//!
//! [`ResidualSystem`] is what an optimiser sees, [`Collocation`] a problem file's blocks at their
//! points on the CPU, [`Comparison`] the error against the exact solution.

mod causal;
mod comparison;
mod error;
mod operators;
mod parts;
mod refinement;
mod sweeps;
mod system;
mod along;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVectorView};

use crate::linalg::{add_product, add_transposed_product};

pub use comparison::Comparison;
pub(crate) use comparison::rows;
pub use error::ResidualError;
pub use system::Collocation;

/// Relative rounding errors of a Jacobian, of the order of the numbers' epsilon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// Of its entries: singular values below this share of the largest are noise.
    pub entries: f64,
    /// Of its products with other matrices.
    pub products: f64,
}

impl Rounding {
    /// Of a Jacobian in f64.
    pub const DOUBLE: Self = Self { entries: f64::EPSILON, products: f64::EPSILON };

    /// Singular values of J below this share of the largest are noise, by its entries or by its
    /// products: zero for f64, whose round-off the methods' own bounds follow.
    #[must_use]
    pub fn noise(self) -> f64 {
        match self.entries {
            entries if entries <= f64::EPSILON => 0.0,
            entries => entries.max(self.products),
        }
    }
}

/// A nonlinear least-squares problem R(theta) = |r(theta)|^2, rows already weighted so that R is
/// the stacked loss.
///
/// For an energy (a variational form) R is the energy itself, which is no sum of squares and may
/// be negative. Then r and J are such that `2 J^T r` is its gradient and `2 J^T J` its Hessian in
/// function space pulled back to the parameters, with curvature added where the density has (next
/// to) none: every direction made of `J^T r` and `J^T J`, or of `J^+ r`, is the energy natural
/// gradient (Mueller, Zeinhofer, ICML 2023), and [`ResidualSystem::losses`] is what to compare,
/// never |r|^2.
///
/// What evaluates is async, because a GPU answers later and a page must not wait for it; on the CPU
/// it is ready at once.
#[expect(async_fn_in_trait, reason = "the browser's futures are not Send, so no bound is wanted")]
pub trait ResidualSystem {
    /// p: the number of parameters.
    fn parameters(&self) -> usize;

    /// n: the number of rows.
    fn rows(&self) -> usize;

    /// r at theta, in f64.
    ///
    /// # Errors
    /// Where an entry is not finite.
    ///
    /// # Panics
    /// Here and below, where a slice or a matrix has another size than `rows` and `parameters` say.
    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError>;

    /// R at several parameter vectors in one batch, for line searches. A value that is not finite
    /// is no error here: a trial step may fail.
    ///
    /// # Errors
    /// Where nothing can be evaluated at all.
    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError>;

    /// r and J = dr / dtheta (n x p), in f64; for sizes that fit memory.
    ///
    /// # Errors
    /// Where an entry of r is not finite.
    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError>;

    /// J in blocks of rows, top to bottom, for p too large to hold J: `visit(first_row, block)`
    /// with a block of `rows x p`. J V, J^T W and J J^T then need no n x p memory.
    ///
    /// # Errors
    /// As [`ResidualSystem::jacobian`].
    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError>;

    /// How well J is known, which says where truncation has to begin.
    fn rounding(&self) -> Rounding {
        Rounding::DOUBLE
    }

    /// Whether the system multiplies by J faster than the host does by a J in memory: on a GPU.
    fn has_products(&self) -> bool {
        false
    }

    /// `J V` (n x k) at theta, for V p x k.
    ///
    /// # Errors
    /// As [`ResidualSystem::jacobian`].
    async fn multiply(
        &mut self,
        theta: &[f64],
        v: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, ResidualError> {
        let mut product = DMatrix::zeros(self.rows(), v.ncols());
        self.jacobian_blocks(theta, &mut |first, block| {
            add_product(product.rows_mut(first, block.nrows()), block, v);
        })
        .await?;
        Ok(product)
    }

    /// `J^T W` (p x k) at theta, for W n x k.
    ///
    /// # Errors
    /// As [`ResidualSystem::jacobian`].
    async fn multiply_transposed(
        &mut self,
        theta: &[f64],
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, ResidualError> {
        let mut product = DMatrix::zeros(self.parameters(), w.ncols());
        self.jacobian_blocks(theta, &mut |first, block| {
            let w = w.rows(first, block.nrows());
            add_transposed_product(product.as_view_mut(), block, w);
        })
        .await?;
        Ok(product)
    }

    /// R and its gradient `2 J^T r`, without J where the implementation can.
    ///
    /// # Errors
    /// As [`ResidualSystem::jacobian`].
    async fn gradient(&mut self, theta: &[f64], out: &mut [f64]) -> Result<f64, ResidualError> {
        let mut residual = vec![0.0; self.rows()];
        self.residual(theta, &mut residual).await?;
        out.fill(0.0);
        self.jacobian_blocks(theta, &mut |first, block| {
            let r = DVectorView::from_slice(&residual[first..], block.nrows());
            for (g, column) in out.iter_mut().zip(block.column_iter()) {
                *g += 2.0 * column.dot(&r);
            }
        })
        .await?;
        Ok(self.losses(&[theta]).await?[0])
    }

    /// Called by the optimisers before every iteration (from 0): draws new points where the
    /// problem asks for that. Says whether the rows are others now, so that what was computed at
    /// theta before is no longer true.
    ///
    /// # Errors
    /// Where a new point cannot be evaluated.
    async fn begin_iteration(
        &mut self,
        _iteration: usize,
        _theta: &[f64],
    ) -> Result<bool, ResidualError> {
        Ok(false)
    }

    /// What the iterations depend on besides theta and their numbers, by names that begin with
    /// `system.`: points that were drawn by the residual of a theta that is gone.
    fn save(&self) -> BTreeMap<String, Vec<f64>> {
        BTreeMap::new()
    }

    /// The inverse of [`ResidualSystem::save`], after [`ResidualSystem::begin_iteration`].
    ///
    /// # Errors
    /// Where an entry is missing or does not suit.
    fn restore(&mut self, _saved: &BTreeMap<String, Vec<f64>>) -> Result<(), ResidualError> {
        Ok(())
    }
}
