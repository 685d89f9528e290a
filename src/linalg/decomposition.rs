//! Singular values and vectors of a matrix, by whichever reduction suits it.

use faer::diag::Diag;
use faer::linalg::{householder, qr, svd};
use faer::{Conj, MatMut, MatRef, Spec};

use super::buffer::Buffer;
use super::compressed::{Compressed, Scratch};
use super::error::LeastSquaresError;
use super::products::{columns, convert, gram, kernel, multiply, multiply_transposed, parallelism};
use crate::scalar::Real;

/// Householder reflections are applied in blocks of so many.
const HOUSEHOLDER_BLOCK: usize = 32;

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
    /// A working copy of J, a Gram matrix, or Householder vectors.
    work: Buffer,
    panel: Buffer,
    left: Buffer,
    right: Buffer,
    reflectors: Buffer,
    scratch: Scratch,
    permutation: Vec<usize>,
    inverse_permutation: Vec<usize>,
}

impl Decomposition {
    /// From `J^T J` (n >= s) or `J J^T` (n < s), in f64. Singular values below about 3e-8 times the
    /// largest are missing or inaccurate: squaring loses them.
    pub fn gram<T: Real>(&mut self, columns: &[&[T]]) -> Result<(), LeastSquaresError> {
        let (n, s) = (columns[0].len(), columns.len());
        let order = n.min(s);
        self.work.reshape(order, order);
        if n >= s {
            self.form = Form::Gram;
            gram(columns, self.work.view_mut(), &mut self.panel);
        } else {
            self.form = Form::Kernel;
            kernel(columns, self.work.view_mut(), &mut self.panel);
        }
        let work = self.work.view();
        if !(0..order).all(|i| work[(i, i)].is_finite()) {
            return Err(not_finite(columns));
        }
        self.compressed.decompose(self.work.view_mut(), &mut self.scratch)?;
        self.singular_values.clear();
        self.singular_values.extend(self.compressed.eigenvalues.iter().map(|x| x.sqrt()));
        Ok(())
    }

    /// The singular value decomposition itself: the oracle.
    pub fn svd<T: Real>(&mut self, columns: &[&[T]]) -> Result<(), LeastSquaresError> {
        self.form = Form::Svd;
        self.copy(columns)?;
        let (n, s) = (columns[0].len(), columns.len());
        let order = n.min(s);
        self.singular_values = thin_svd(
            self.work.view(),
            Some((self.left.reshape(n, order), self.right.reshape(s, order))),
            &mut self.scratch,
        )?;
        Ok(())
    }

    /// QR with column pivoting, then the SVD of the rows of R above round-off.
    pub fn pivoted_qr<T: Real>(&mut self, columns: &[&[T]]) -> Result<(), LeastSquaresError> {
        self.form = Form::PivotedQr;
        self.copy(columns)?;
        let (n, s) = (columns[0].len(), columns.len());
        let order = n.min(s);
        self.permutation.resize(s, 0);
        self.inverse_permutation.resize(s, 0);
        let par = parallelism(0.0);
        let scratch = qr::col_pivoting::factor::qr_in_place_scratch::<usize, f64>(
            n,
            s,
            HOUSEHOLDER_BLOCK,
            par,
            Spec::default(),
        );
        qr::col_pivoting::factor::qr_in_place(
            self.work.view_mut(),
            self.reflectors.reshape(HOUSEHOLDER_BLOCK.min(order), order),
            &mut self.permutation[..s],
            &mut self.inverse_permutation[..s],
            par,
            self.scratch.of(scratch),
            Spec::default(),
        );
        let r = self.work.view();
        let noise = f64::EPSILON * order as f64 * r[(0, 0)].abs();
        let rank = (0..order).take_while(|&k| r[(k, k)].abs() > noise).count();
        self.singular_values.clear();
        if rank == 0 {
            self.left.reshape(0, 0);
            self.right.reshape(s, 0);
            return Ok(());
        }
        // R^T, its rows back in the order of the columns of J.
        let mut transposed = self.panel.reshape(s, rank);
        for k in 0..rank {
            for i in 0..s {
                transposed[(self.permutation[i], k)] = if i < k { 0.0 } else { r[(k, i)] };
            }
        }
        let vectors = (self.right.reshape(s, rank), self.left.reshape(rank, rank));
        self.singular_values = thin_svd(self.panel.view(), Some(vectors), &mut self.scratch)?;
        Ok(())
    }

    fn copy<T: Real>(&mut self, columns: &[&[T]]) -> Result<(), LeastSquaresError> {
        if !columns.iter().all(|column| column.iter().all(|x| x.is_normal_number())) {
            return Err(not_finite(columns));
        }
        self.work.reshape(columns[0].len(), columns.len());
        convert(columns.iter().copied(), &mut self.work);
        Ok(())
    }

    /// `c = U^T r`.
    pub fn project<T: Real>(&self, columns: &[&[T]], r: &[f64]) -> Vec<f64> {
        match self.form {
            Form::Gram => {
                let mut gradient = vec![0.0; columns.len()];
                multiply_transposed(columns, r, &mut gradient);
                let mut c = self.compressed.project(&gradient);
                for (c, sigma) in c.iter_mut().zip(&self.singular_values) {
                    *c /= sigma;
                }
                c
            }
            Form::Kernel => self.compressed.project(r),
            Form::Svd => transposed_times(self.left.view(), r),
            Form::PivotedQr => self.project_through_reflectors(r),
        }
    }

    /// `v = V c`.
    pub fn combine<T: Real>(&self, columns: &[&[T]], c: &[f64]) -> Vec<f64> {
        match self.form {
            Form::Gram => self.compressed.combine(c),
            Form::Kernel => {
                let scaled: Vec<f64> =
                    c.iter().zip(&self.singular_values).map(|(c, sigma)| c / sigma).collect();
                let mut v = vec![0.0; columns.len()];
                multiply_transposed(columns, &self.compressed.combine(&scaled), &mut v);
                v
            }
            Form::Svd | Form::PivotedQr => times(self.right.view().subcols(0, c.len()), c),
        }
    }

    /// `V^T g`.
    pub fn project_solution<T: Real>(&self, columns: &[&[T]], g: &[f64]) -> Vec<f64> {
        match self.form {
            Form::Gram => self.compressed.project(g),
            Form::Kernel => {
                let mut image = vec![0.0; columns[0].len()];
                multiply(columns, g, &mut image);
                let mut c = self.compressed.project(&image);
                c.iter_mut().zip(&self.singular_values).for_each(|(c, sigma)| *c /= sigma);
                c
            }
            Form::Svd | Form::PivotedQr => transposed_times(self.right.view(), g),
        }
    }

    /// Whether `project` squares the condition number, so that a second pass improves it.
    pub fn gains_from_refinement(&self) -> bool {
        self.form == Form::Gram
    }

    fn project_through_reflectors(&self, r: &[f64]) -> Vec<f64> {
        let mut rotated = r.to_vec();
        let n = rotated.len();
        let reflectors = self.reflectors.view();
        let need =
            householder::apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<
                f64,
            >(n, reflectors.nrows(), 1);
        let mut memory = faer::dyn_stack::MemBuffer::new(need);
        householder::apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
            self.work.view().subcols(0, reflectors.ncols()),
            reflectors,
            Conj::No,
            MatMut::from_column_major_slice_mut(&mut rotated, n, 1),
            parallelism(0.0),
            faer::dyn_stack::MemStack::new(&mut memory),
        );
        transposed_times(self.left.view(), &rotated[..self.left.view().nrows()])
    }
}

/// All singular values of a matrix in descending order, in f64: for diagnostics.
///
/// # Errors
/// `Empty`, `Layout`, `MatrixNotFinite` or `NoConvergence`.
pub fn singular_values<T: Real>(matrix: MatRef<'_, T>) -> Result<Vec<f64>, LeastSquaresError> {
    let (rows, s) = matrix.shape();
    if rows == 0 || s == 0 {
        return Err(LeastSquaresError::Empty { rows, columns: s });
    }
    let mut workspace = Decomposition::default();
    workspace.copy(&columns(matrix)?)?;
    thin_svd(workspace.work.view(), None, &mut workspace.scratch)
}

/// Where and why a matrix has a sum of squares that is not finite.
pub fn not_finite<T: Real>(columns: &[&[T]]) -> LeastSquaresError {
    for (column, entries) in columns.iter().enumerate() {
        if let Some(row) = entries.iter().position(|x| !x.is_normal_number()) {
            return LeastSquaresError::MatrixNotFinite { row, column };
        }
    }
    let largest = |entries: &&[T]| entries.iter().map(|x| x.to_f64().abs()).fold(0.0f64, f64::max);
    let column = (0..columns.len())
        .max_by(|&a, &b| largest(&columns[a]).total_cmp(&largest(&columns[b])))
        .unwrap_or(0);
    LeastSquaresError::Overflow { column }
}

/// Singular values (descending) of `matrix` and, where places are given, its thin vectors (U, V).
pub fn thin_svd(
    matrix: MatRef<'_, f64>,
    vectors: Option<(MatMut<'_, f64>, MatMut<'_, f64>)>,
    scratch: &mut Scratch,
) -> Result<Vec<f64>, LeastSquaresError> {
    let (n, s) = matrix.shape();
    let order = n.min(s);
    let compute = match vectors {
        Some(_) => svd::ComputeSvdVectors::Thin,
        None => svd::ComputeSvdVectors::No,
    };
    let par = parallelism((n * s) as f64 * order as f64 / 50.0);
    let mut values = Diag::<f64>::zeros(order);
    let need = svd::svd_scratch::<f64>(n, s, compute, compute, par, Spec::default());
    let (left, right) = vectors.unzip();
    svd::svd(matrix, values.as_mut(), left, right, par, scratch.of(need), Spec::default())
        .map_err(|_| LeastSquaresError::NoConvergence {
            algorithm: "singular value",
            size: order,
        })?;
    Ok(values.column_vector().iter().copied().collect())
}

fn times(matrix: MatRef<'_, f64>, x: &[f64]) -> Vec<f64> {
    let product = matrix * faer::ColRef::from_slice(x);
    product.iter().copied().collect()
}

fn transposed_times(matrix: MatRef<'_, f64>, x: &[f64]) -> Vec<f64> {
    times(matrix.transpose(), x)
}
