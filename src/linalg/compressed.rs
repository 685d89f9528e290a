//! Eigen-decomposition of a positive semidefinite matrix of low numerical rank.
//!
//! A symmetric eigen-solve of all s columns costs 9 s^3; a Gram matrix of a network's Jacobian has
//! a numerical rank far below s. Cholesky with diagonal pivoting finds it: `P A P^T ~ L L^T` with L
//! d x k, and the eigenvalues of the small `L^T L = W D W^T` (k x k) are those of A, its
//! eigenvectors `X = P^T L W D^(-1/2)`. Nothing is lost that A itself still holds: what pivoting
//! leaves over is below the round-off of A (Higham: "Accuracy and Stability of Numerical
//! Algorithms", section 10.3).

use nalgebra::DMatrix;

use super::blocks::reshape;
use super::bridge::{Scratch, lower_product, pivoted_cholesky, symmetric_eigen};
use super::error::LeastSquaresError;
use super::products::{times, transposed_times};

/// Eigenvalues (descending) and orthonormal eigenvectors `X = P^T L W D^(-1/2)` in factored form.
#[derive(Debug, Default)]
pub struct Compressed {
    /// L, d x k, rows in pivot order.
    factor: DMatrix<f64>,
    /// Row j of L belongs to index `order[j]` of A.
    order: Vec<usize>,
    /// W, k x k, columns in ascending order of eigenvalue.
    rotation: DMatrix<f64>,
    /// D, descending.
    pub eigenvalues: Vec<f64>,
    small: DMatrix<f64>,
}

impl Compressed {
    /// Decomposes `a` (lower triangle; overwritten).
    ///
    /// # Errors
    /// `NoConvergence` from the eigen-solver.
    pub fn decompose(
        &mut self,
        a: &mut DMatrix<f64>,
        scratch: &mut Scratch,
    ) -> Result<(), LeastSquaresError> {
        let size = a.nrows();
        self.eigenvalues.clear();
        self.order.clear();
        self.order.resize(size, 0);
        if a.trace() <= 0.0 {
            reshape(&mut self.factor, size, 0);
            reshape(&mut self.rotation, 0, 0);
            return Ok(());
        }
        let rank = pivoted_cholesky(a, &mut self.order, scratch)?;
        reshape(&mut self.factor, size, rank);
        let to = self.factor.as_mut_slice().chunks_exact_mut(size);
        for (k, (to, from)) in to.zip(a.as_slice().chunks_exact(size)).enumerate() {
            to[..k].fill(0.0);
            to[k..].copy_from_slice(&from[k..]);
        }
        self.rotate(rank, scratch)
    }

    /// Eigen-decomposition of `L^T L`.
    fn rotate(&mut self, kept: usize, scratch: &mut Scratch) -> Result<(), LeastSquaresError> {
        reshape(&mut self.small, kept, kept);
        lower_product(&mut self.small, false, self.factor.as_view(), false);
        reshape(&mut self.rotation, kept, kept);
        let values = symmetric_eigen(self.small.as_view(), &mut self.rotation, scratch);
        let values = values.ok_or(LeastSquaresError::NoConvergence {
            algorithm: "symmetric eigenvalue",
            size: kept,
        })?;
        let noise = f64::EPSILON * values[kept - 1];
        self.eigenvalues.extend(values.into_iter().rev().take_while(|&value| value > noise));
        Ok(())
    }

    /// `X^T x`: one coefficient per eigenvalue.
    pub fn project(&self, x: &[f64]) -> Vec<f64> {
        let permuted: Vec<f64> = self.order.iter().map(|&i| x[i]).collect();
        let inner = transposed_times(self.factor.as_view(), &permuted);
        let rotated = transposed_times(self.rotation.as_view(), &inner);
        let descending = rotated.iter().rev().zip(&self.eigenvalues);
        descending.map(|(c, value)| c / value.sqrt()).collect()
    }

    /// `X c`.
    pub fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let last = self.rotation.ncols();
        let mut scaled = vec![0.0; last];
        for (k, (c, value)) in coefficients.iter().zip(&self.eigenvalues).enumerate() {
            scaled[last - 1 - k] = c / value.sqrt();
        }
        let inner = times(self.rotation.as_view(), &scaled);
        let permuted = times(self.factor.as_view(), &inner);
        let mut out = vec![0.0; self.order.len()];
        for (value, &i) in permuted.iter().zip(&self.order) {
            out[i] = *value;
        }
        out
    }
}
