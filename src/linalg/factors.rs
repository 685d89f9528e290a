//! Factors of one matrix, for whoever needs no more than that.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use super::bridge::{Scratch, cholesky, substitute, thin_svd};
use super::error::LeastSquaresError;

/// `A = L L^T` of a positive definite matrix.
#[derive(Clone, Debug)]
pub struct Cholesky(DMatrix<f64>);

impl Cholesky {
    /// Of the lower triangle of A; none where A is not positive definite.
    #[must_use]
    pub fn of(mut a: DMatrix<f64>) -> Option<Self> {
        cholesky(&mut a, &mut Scratch::default()).then_some(Self(a))
    }

    /// `A^-1 B` in place.
    pub fn solve(&self, mut b: DMatrixViewMut<'_, f64>) {
        substitute(self.0.as_view(), b.as_view_mut(), false);
        substitute(self.0.as_view(), b, true);
    }
}

/// `A = U Sigma V^T` with k singular values, k the smaller of n and s.
#[derive(Clone, Debug)]
pub struct Svd {
    /// U, n x k.
    pub left: DMatrix<f64>,
    /// Descending.
    pub values: Vec<f64>,
    /// V, s x k.
    pub right: DMatrix<f64>,
}

impl Svd {
    /// Of a matrix of finite entries.
    ///
    /// # Errors
    /// `NoConvergence`.
    pub fn of(a: DMatrixView<'_, f64>) -> Result<Self, LeastSquaresError> {
        let size = a.nrows().min(a.ncols());
        let mut left = DMatrix::zeros(a.nrows(), size);
        let mut right = DMatrix::zeros(a.ncols(), size);
        let values = thin_svd(a, Some((&mut left, &mut right)), &mut Scratch::default())?;
        Ok(Self { left, values, right })
    }
}
