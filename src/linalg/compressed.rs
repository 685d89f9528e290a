//! Eigen-decomposition of a positive semidefinite matrix of low numerical rank.
//!
//! A symmetric eigen-solve of all s columns costs 9 s^3; a Gram matrix of a network's Jacobian has
//! a numerical rank far below s. Cholesky with diagonal pivoting finds it: `P A P^T ~ L L^T` with L
//! d x k, and the eigenvalues of the small `L^T L = W D W^T` (k x k) are those of A, its
//! eigenvectors `X = P^T L W D^(-1/2)`. Nothing is lost that A itself still holds: what pivoting
//! leaves over is below the round-off of A (Higham: "Accuracy and Stability of Numerical
//! Algorithms", section 10.3).

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt_pivoting::factor as pivoted;
use faer::linalg::evd;
use faer::{Accum, ColMut, ColRef, MatMut, Par, Spec};

use super::buffer::Buffer;
use super::error::LeastSquaresError;
use super::products::{lower_product, parallelism};

/// Eigenvalues (descending) and orthonormal eigenvectors `X = P^T L W D^(-1/2)` in factored form.
#[derive(Debug, Default)]
pub struct Compressed {
    /// L, d x k, rows in pivot order.
    factor: Buffer,
    /// Row j of L belongs to index `order[j]` of A.
    order: Vec<usize>,
    /// W, k x k, columns in ascending order of eigenvalue.
    rotation: Buffer,
    /// D, descending.
    pub eigenvalues: Vec<f64>,
    inverse_order: Vec<usize>,
    small: Buffer,
}

impl Compressed {
    /// Decomposes `a` (lower triangle; overwritten).
    ///
    /// # Errors
    /// `NoConvergence` from the eigen-solver.
    pub fn decompose(
        &mut self,
        mut a: MatMut<'_, f64>,
        stack: &mut Scratch,
    ) -> Result<(), LeastSquaresError> {
        let size = a.nrows();
        let trace: f64 = (0..size).map(|i| a[(i, i)]).sum();
        self.eigenvalues.clear();
        self.order.clear();
        self.order.resize(size, 0);
        self.inverse_order.resize(size, 0);
        if trace <= 0.0 {
            self.factor.reshape(size, 0);
            self.rotation.reshape(0, 0);
            return Ok(());
        }
        let par = Par::Seq;
        let scratch = pivoted::cholesky_in_place_scratch::<usize, f64>(size, par, Spec::default());
        let rank = pivoted::cholesky_in_place(
            a.as_mut(),
            &mut self.order,
            &mut self.inverse_order[..size],
            par,
            stack.of(scratch),
            Spec::default(),
        )
        .map_err(|_| LeastSquaresError::NoConvergence { algorithm: "pivoted Cholesky", size })?
        .0
        .rank;
        let mut factor = self.factor.reshape(size, rank);
        for k in 0..rank {
            let mut column = factor.as_mut().col_mut(k);
            column.as_mut().subrows_mut(0, k).fill(0.0);
            column.subrows_mut(k, size - k).copy_from(a.as_ref().col(k).subrows(k, size - k));
        }
        self.rotate(rank, stack)
    }

    /// Eigen-decomposition of `L^T L`.
    fn rotate(&mut self, kept: usize, stack: &mut Scratch) -> Result<(), LeastSquaresError> {
        let size = self.order.len();
        let cube = (kept * kept) as f64 * size as f64;
        self.small.reshape(kept, kept);
        let factor = self.factor.view();
        lower_product(self.small.view_mut(), Accum::Replace, factor.transpose(), factor);
        let mut values = Diag::<f64>::zeros(kept);
        // One thread: faer's threads gain little below a thousand, and stall on a busy machine.
        let par = if kept > 1_000 { parallelism(cube) } else { Par::Seq };
        let scratch = evd::self_adjoint_evd_scratch::<f64>(
            kept,
            evd::ComputeEigenvectors::Yes,
            par,
            Spec::default(),
        );
        evd::self_adjoint_evd(
            self.small.view(),
            values.as_mut(),
            Some(self.rotation.reshape(kept, kept)),
            par,
            stack.of(scratch),
            Spec::default(),
        )
        .map_err(|_| LeastSquaresError::NoConvergence {
            algorithm: "symmetric eigenvalue",
            size: kept,
        })?;
        let values = values.column_vector();
        let noise = f64::EPSILON * values[kept - 1];
        self.eigenvalues
            .extend((0..kept).rev().map(|k| values[k]).take_while(|&value| value > noise));
        Ok(())
    }

    /// `X^T x`: one coefficient per eigenvalue.
    pub fn project(&self, x: &[f64]) -> Vec<f64> {
        let rank = self.eigenvalues.len();
        let permuted: Vec<f64> = self.order.iter().map(|&i| x[i]).collect();
        let inner = self.factor.view().transpose() * ColRef::from_slice(&permuted);
        let rotated = self.rotation.view().transpose() * inner;
        let last = rotated.nrows();
        (0..rank).map(|k| rotated[last - 1 - k] / self.eigenvalues[k].sqrt()).collect()
    }

    /// `X c`.
    pub fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let size = self.order.len();
        let last = self.rotation.view().ncols();
        let mut scaled = vec![0.0; last];
        for (k, (c, value)) in coefficients.iter().zip(&self.eigenvalues).enumerate() {
            scaled[last - 1 - k] = c / value.sqrt();
        }
        let inner = self.rotation.view() * ColRef::from_slice(&scaled);
        let mut permuted = vec![0.0; size];
        ColMut::from_slice_mut(&mut permuted).copy_from(self.factor.view() * inner);
        let mut out = vec![0.0; size];
        for (value, &i) in permuted.iter().zip(&self.order) {
            out[i] = *value;
        }
        out
    }
}

/// faer's scratch memory, grown when an algorithm asks for more.
#[derive(Default)]
pub struct Scratch {
    memory: Option<MemBuffer>,
    bytes: usize,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Scratch({} bytes)", self.bytes)
    }
}

impl Scratch {
    pub fn of(&mut self, need: faer::dyn_stack::StackReq) -> &mut MemStack {
        let bytes = need.unaligned_bytes_required();
        if self.memory.is_none() || self.bytes < bytes {
            self.memory = Some(MemBuffer::new(need));
            self.bytes = bytes;
        }
        MemStack::new(self.memory.as_mut().expect("allocated above"))
    }
}
