//! Singular values and vectors of a matrix, by whichever reduction suits it.

use nalgebra::{DMatrix, DMatrixView};

use super::blocks::reshape;
use super::bridge::{PivotedQr, Scratch, thin_svd};
use super::compressed::Compressed;
use super::error::LeastSquaresError;
use super::products::{column, convert, gram, kernel, times, transposed_times};
use crate::scalar::Real;

/// How the singular vectors are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Right vectors from `J^T J`; left ones through products with J.
    #[default]
    Gram,
    /// Left vectors from `J J^T`; right ones through products with `J^T`.
    Kernel,
    /// Both, explicitly.
    Svd,
    /// `J P = Q R`, `R^T = V Sigma W^T`: the left vectors are `Q W`.
    PivotedQr,
}

/// Truncated decomposition `J ~ U Sigma V^T`. Keeps its memory between uses.
#[derive(Debug, Default)]
pub struct Decomposition {
    form: Form,
    pub singular_values: Vec<f64>,
    compressed: Compressed,
    /// A working copy of J, or a Gram matrix.
    work: DMatrix<f64>,
    panel: DMatrix<f64>,
    left: DMatrix<f64>,
    right: DMatrix<f64>,
    pivoted: PivotedQr,
    scratch: Scratch,
}

impl Decomposition {
    /// From `J^T J` (n >= s) or `J J^T` (n < s), in f64. Singular values below about 3e-8 times the
    /// largest are missing or inaccurate: squaring loses them.
    pub fn gram<T: Real>(&mut self, j: DMatrixView<'_, T>) -> Result<(), LeastSquaresError> {
        if j.nrows() >= j.ncols() {
            self.form = Form::Gram;
            gram(j, &mut self.work, &mut self.panel);
        } else {
            self.form = Form::Kernel;
            kernel(j, &mut self.work, &mut self.panel);
        }
        if !(0..self.work.nrows()).all(|i| self.work[(i, i)].is_finite()) {
            return Err(not_finite(j));
        }
        self.compressed.decompose(&mut self.work, &mut self.scratch)?;
        self.singular_values.clear();
        self.singular_values.extend(self.compressed.eigenvalues.iter().map(|x| x.sqrt()));
        Ok(())
    }

    /// The singular value decomposition itself: the oracle.
    pub fn svd<T: Real>(&mut self, j: DMatrixView<'_, T>) -> Result<(), LeastSquaresError> {
        self.form = Form::Svd;
        copy(j, &mut self.work)?;
        let (n, s) = j.shape();
        reshape(&mut self.left, n, n.min(s));
        reshape(&mut self.right, s, n.min(s));
        let vectors = (&mut self.left, &mut self.right);
        self.singular_values = thin_svd(self.work.as_view(), Some(vectors), &mut self.scratch)?;
        Ok(())
    }

    /// QR with column pivoting, then the SVD of the rows of R above round-off.
    pub fn pivoted_qr<T: Real>(&mut self, j: DMatrixView<'_, T>) -> Result<(), LeastSquaresError> {
        self.form = Form::PivotedQr;
        copy(j, &mut self.pivoted.factor)?;
        self.pivoted.decompose();
        let (n, s) = j.shape();
        let r = &self.pivoted.factor;
        let noise = f64::EPSILON * n.min(s) as f64 * r[(0, 0)].abs();
        let rank = self.pivoted.pivots().take_while(|&pivot| pivot > noise).count();
        self.singular_values.clear();
        reshape(&mut self.left, rank, rank);
        reshape(&mut self.right, s, rank);
        if rank == 0 {
            return Ok(());
        }
        // R^T, its rows back in the order of the columns of J.
        reshape(&mut self.panel, s, rank);
        for k in 0..rank {
            for (i, &row) in self.pivoted.order.iter().enumerate() {
                self.panel[(row, k)] = if i < k { 0.0 } else { r[(k, i)] };
            }
        }
        let vectors = (&mut self.right, &mut self.left);
        self.singular_values = thin_svd(self.panel.as_view(), Some(vectors), &mut self.scratch)?;
        Ok(())
    }

    /// `c = U^T r`.
    pub fn project<T: Real>(&self, j: DMatrixView<'_, T>, r: &[f64]) -> Vec<f64> {
        match self.form {
            Form::Gram => {
                let mut c = self.compressed.project(&transposed_times(j, r));
                for (c, sigma) in c.iter_mut().zip(&self.singular_values) {
                    *c /= sigma;
                }
                c
            }
            Form::Kernel => self.compressed.project(r),
            Form::Svd => transposed_times(self.left.as_view(), r),
            Form::PivotedQr => {
                let mut rotated = r.to_vec();
                self.pivoted.rotate(&mut rotated);
                transposed_times(self.left.as_view(), &rotated[..self.left.nrows()])
            }
        }
    }

    /// `v = V c`.
    pub fn combine<T: Real>(&self, j: DMatrixView<'_, T>, c: &[f64]) -> Vec<f64> {
        match self.form {
            Form::Gram => self.compressed.combine(c),
            Form::Kernel => {
                let scaled: Vec<f64> =
                    c.iter().zip(&self.singular_values).map(|(c, sigma)| c / sigma).collect();
                transposed_times(j, &self.compressed.combine(&scaled))
            }
            Form::Svd | Form::PivotedQr => times(self.right.columns(0, c.len()), c),
        }
    }

    /// `V^T g`.
    pub fn project_solution<T: Real>(&self, j: DMatrixView<'_, T>, g: &[f64]) -> Vec<f64> {
        match self.form {
            Form::Gram => self.compressed.project(g),
            Form::Kernel => {
                let mut c = self.compressed.project(&times(j, g));
                c.iter_mut().zip(&self.singular_values).for_each(|(c, sigma)| *c /= sigma);
                c
            }
            Form::Svd | Form::PivotedQr => transposed_times(self.right.as_view(), g),
        }
    }

    /// Whether `project` squares the condition number, so that a second pass improves it.
    pub fn gains_from_refinement(&self) -> bool {
        self.form == Form::Gram
    }
}

/// All singular values of a matrix in descending order, in f64: for diagnostics.
///
/// # Errors
/// `Empty`, `MatrixNotFinite` or `NoConvergence`.
pub fn singular_values<T: Real>(matrix: DMatrixView<'_, T>) -> Result<Vec<f64>, LeastSquaresError> {
    if matrix.is_empty() {
        let (rows, columns) = matrix.shape();
        return Err(LeastSquaresError::Empty { rows, columns });
    }
    let mut entries = DMatrix::default();
    copy(matrix, &mut entries)?;
    thin_svd(entries.as_view(), None, &mut Scratch::default())
}

fn copy<T: Real>(j: DMatrixView<'_, T>, to: &mut DMatrix<f64>) -> Result<(), LeastSquaresError> {
    if !(0..j.ncols()).all(|k| column(&j, k).iter().all(|x| x.is_normal_number())) {
        return Err(not_finite(j));
    }
    convert(j, to);
    Ok(())
}

/// Where and why a matrix has a sum of squares that is not finite.
pub fn not_finite<T: Real>(j: DMatrixView<'_, T>) -> LeastSquaresError {
    for k in 0..j.ncols() {
        if let Some(row) = column(&j, k).iter().position(|x| !x.is_normal_number()) {
            return LeastSquaresError::MatrixNotFinite { row, column: k };
        }
    }
    let largest = |k: usize| column(&j, k).iter().map(|x| x.to_f64().abs()).fold(0.0f64, f64::max);
    let column = (0..j.ncols()).max_by(|&a, &b| largest(a).total_cmp(&largest(b))).unwrap_or(0);
    LeastSquaresError::Overflow { column }
}
