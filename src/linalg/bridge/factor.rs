//! Factorisations and decompositions.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::{llt, llt_pivoting};
use faer::linalg::{evd, householder, lu, qr, svd, triangular_solve};
use faer::traits::ComplexField;
use faer::{Conj, MatMut, Par, Spec};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVector};

use super::{Scratch, parallelism, view, view_mut, whole};
use crate::blocks::reshape;
use crate::error::LeastSquaresError;

/// Householder reflections are applied in blocks of so many.
const HOUSEHOLDER_BLOCK: usize = 32;
/// Order above which factorisations and eigen-solves take several threads: below it faer's threads
/// gain little, and stall on a busy machine.
const LARGE: usize = 1_000;

fn of_order(order: usize) -> Par {
    if order > LARGE { parallelism((order as f64).powi(3)) } else { Par::Seq }
}

/// Overwrites the lower triangle of a positive definite matrix with its factor L, `A = L L^T`;
/// false where it is not positive definite.
pub fn cholesky(a: &mut DMatrix<f64>, scratch: &mut Scratch) -> bool {
    let par = of_order(a.nrows());
    let need = llt::factor::cholesky_in_place_scratch::<f64>(a.nrows(), par, Spec::default());
    let regularization = llt::factor::LltRegularization::default();
    let scratch = scratch.of(need);
    llt::factor::cholesky_in_place(whole(a), regularization, par, scratch, Spec::default()).is_ok()
}

/// `L^-1 B` in place, or `L^-T B`; L is the lower triangle.
pub fn substitute(l: DMatrixView<'_, f64>, b: DMatrixViewMut<'_, f64>, transposed: bool) {
    let (l, b) = (view(l), view_mut(b));
    let par = parallelism(l.nrows() as f64 * l.nrows() as f64 * b.ncols() as f64);
    if transposed {
        triangular_solve::solve_upper_triangular_in_place(l.transpose(), b, par);
    } else {
        triangular_solve::solve_lower_triangular_in_place(l, b, par);
    }
}

/// Overwrites the lower triangle of a positive semidefinite matrix with L of `P A P^T ~ L L^T`,
/// whose row j belongs to index `order[j]` of A; gives the numerical rank, the number of L's columns.
pub fn pivoted_cholesky(
    a: &mut DMatrix<f64>,
    order: &mut Vec<usize>,
    scratch: &mut Scratch,
) -> Result<usize, LeastSquaresError> {
    let (size, par) = (a.nrows(), Par::Seq);
    order.resize(size, 0);
    let mut inverse = vec![0; size];
    let need =
        llt_pivoting::factor::cholesky_in_place_scratch::<usize, f64>(size, par, Spec::default());
    let factored = llt_pivoting::factor::cholesky_in_place(
        whole(a),
        order,
        &mut inverse,
        par,
        scratch.of(need),
        Spec::default(),
    );
    match factored {
        Ok((info, _)) => Ok(info.rank),
        Err(_) => Err(LeastSquaresError::NoConvergence { algorithm: "pivoted Cholesky", size }),
    }
}

/// Eigenvalues, ascending, and eigenvectors, one a column of `vectors`, of a symmetric matrix (its
/// lower triangle); none where the iteration does not converge.
pub fn symmetric_eigen(
    a: DMatrixView<'_, f64>,
    vectors: &mut DMatrix<f64>,
    scratch: &mut Scratch,
) -> Option<Vec<f64>> {
    // Its threads would add in another order than one does.
    let (size, par) = (a.nrows(), Par::Seq);
    let mut values = Diag::<f64>::zeros(size);
    let yes = evd::ComputeEigenvectors::Yes;
    let need = evd::self_adjoint_evd_scratch::<f64>(size, yes, par, Spec::default());
    let (vectors, scratch) = (Some(whole(vectors)), scratch.of(need));
    evd::self_adjoint_evd(view(a), values.as_mut(), vectors, par, scratch, Spec::default()).ok()?;
    Some(values.column_vector().iter().copied().collect())
}

/// Singular values (descending) of `matrix` and, where places are given, its thin vectors (U, V).
pub fn thin_svd(
    matrix: DMatrixView<'_, f64>,
    vectors: Option<(&mut DMatrix<f64>, &mut DMatrix<f64>)>,
    scratch: &mut Scratch,
) -> Result<Vec<f64>, LeastSquaresError> {
    let (n, s) = matrix.shape();
    let size = n.min(s);
    let compute = match vectors {
        Some(_) => svd::ComputeSvdVectors::Thin,
        None => svd::ComputeSvdVectors::No,
    };
    let par = parallelism((n * s) as f64 * size as f64 / 50.0);
    let mut values = Diag::<f64>::zeros(size);
    let need = svd::svd_scratch::<f64>(n, s, compute, compute, par, Spec::default());
    let (left, right) = vectors.map(|(left, right)| (whole(left), whole(right))).unzip();
    let scratch = scratch.of(need);
    svd::svd(view(matrix), values.as_mut(), left, right, par, scratch, Spec::default())
        .map_err(|_| LeastSquaresError::NoConvergence { algorithm: "singular value", size })?;
    Ok(values.column_vector().iter().copied().collect())
}

/// `A = Q R` by Householder reflections, on one thread: faer's own threads add in another order.
struct Qr {
    /// Householder vectors below the diagonal, R above.
    factor: DMatrix<f64>,
    reflectors: DMatrix<f64>,
}

impl Qr {
    fn of(a: DMatrixView<'_, f64>) -> Self {
        use qr::no_pivoting::factor as f;
        let ((n, s), spec) = (a.shape(), Spec::default());
        let block = f::recommended_block_size::<f64>(n, s);
        let (mut factor, mut reflectors) = (a.clone_owned(), DMatrix::zeros(block, n.min(s)));
        let mut memory = MemBuffer::new(f::qr_in_place_scratch::<f64>(n, s, block, Par::Seq, spec));
        let stack = MemStack::new(&mut memory);
        f::qr_in_place(whole(&mut factor), whole(&mut reflectors), Par::Seq, stack, spec);
        Self { factor, reflectors }
    }

    /// The first columns of Q, as many as A has rows or columns.
    fn thin_q(&self) -> DMatrix<f64> {
        use householder as h;
        let (n, size) = (self.factor.nrows(), self.reflectors.ncols());
        let mut q = DMatrix::identity(n, size);
        let need = h::apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(
            n,
            self.reflectors.nrows(),
            size,
        );
        let mut memory = MemBuffer::new(need);
        h::apply_block_householder_sequence_on_the_left_in_place_with_conj(
            view(self.factor.columns(0, size)),
            view(self.reflectors.as_view()),
            Conj::No,
            whole(&mut q),
            Par::Seq,
            MemStack::new(&mut memory),
        );
        q
    }
}

/// Q (n x s) and `R^-1` of `A = Q R` for a tall A of full rank: `A R^-1 = Q`.
#[must_use]
pub fn orthonormal_and_inverse(a: DMatrixView<'_, f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let qr = Qr::of(a);
    let mut inverse = DMatrix::identity(a.ncols(), a.ncols());
    let r = view(qr.factor.rows(0, a.ncols()));
    triangular_solve::solve_upper_triangular_in_place(r, whole(&mut inverse), Par::Seq);
    (qr.thin_q(), inverse)
}

/// Orthonormal columns (n x k, k the smaller of n and s) that span those of A, by Householder
/// reflections: orthonormal to round-off however dependent the columns are.
#[must_use]
pub fn orthonormal(a: DMatrixView<'_, f64>) -> DMatrix<f64> {
    Qr::of(a).thin_q()
}

/// `P A = L U` of a square matrix, real or complex, on one thread.
#[derive(Debug)]
pub struct Lu<T = f64> {
    /// L below the diagonal, U above.
    factor: DMatrix<T>,
    /// Row i of P A is row `order[i]` of A.
    order: Vec<usize>,
}

impl<T: ComplexField + nalgebra::Scalar> Lu<T> {
    #[must_use]
    pub fn of(a: DMatrix<T>) -> Self {
        use lu::partial_pivoting::factor as f;
        let ((n, s), spec) = (a.shape(), Spec::default());
        let (mut factor, mut order, mut inverse) = (a, vec![0; n], vec![0; n]);
        let mut memory = MemBuffer::new(f::lu_in_place_scratch::<usize, T>(n, s, Par::Seq, spec));
        let stack = MemStack::new(&mut memory);
        let all = view_mut(factor.as_view_mut());
        f::lu_in_place(all, &mut order, &mut inverse, Par::Seq, stack, spec);
        Self { factor, order }
    }

    /// `A^-1 b`.
    #[must_use]
    pub fn solve(&self, b: &[T]) -> Vec<T> {
        let factor = || view(self.factor.as_view());
        let mut x = DMatrix::from_iterator(b.len(), 1, self.order.iter().map(|&i| b[i].clone()));
        let all = view_mut(x.as_view_mut());
        triangular_solve::solve_unit_lower_triangular_in_place(factor(), all, Par::Seq);
        let all = view_mut(x.as_view_mut());
        triangular_solve::solve_upper_triangular_in_place(factor(), all, Par::Seq);
        x.data.into()
    }
}

/// `A^-1 B` for a square A, by QR with column pivoting.
pub fn solve(a: DMatrixView<'_, f64>, b: DMatrixView<'_, f64>) -> DMatrix<f64> {
    let qr = PivotedQr::of(a.clone_owned());
    let mut rotated = b.clone_owned();
    for mut column in rotated.column_iter_mut() {
        qr.rotate(column.as_mut_slice());
    }
    let r = view(qr.factor.as_view());
    triangular_solve::solve_upper_triangular_in_place(r, whole(&mut rotated), Par::Seq);
    let mut x = DMatrix::zeros(rotated.nrows(), rotated.ncols());
    for (k, &row) in qr.order.iter().enumerate() {
        x.row_mut(row).copy_from(&rotated.row(k));
    }
    x
}

/// QR with column pivoting, `A P = Q R`: each pivot is the longest column of what is left, so that
/// the diagonal of R reveals the rank.
#[derive(Debug, Default)]
pub struct PivotedQr {
    /// Householder vectors below the diagonal, R above.
    pub(crate) factor: DMatrix<f64>,
    reflectors: DMatrix<f64>,
    /// Column k of A P is column `order[k]` of A.
    pub order: Vec<usize>,
    inverse: Vec<usize>,
    scratch: Scratch,
}

impl PivotedQr {
    #[must_use]
    pub fn of(matrix: DMatrix<f64>) -> Self {
        let mut qr = Self { factor: matrix, ..Self::default() };
        qr.decompose();
        qr
    }

    /// Of the matrix that the factor holds.
    pub(crate) fn decompose(&mut self) {
        let (n, s) = self.factor.shape();
        let (size, par) = (n.min(s), parallelism(0.0));
        let block = HOUSEHOLDER_BLOCK;
        self.order.resize(s, 0);
        self.inverse.resize(s, 0);
        reshape(&mut self.reflectors, block.min(size), size);
        let spec = Spec::default();
        let need =
            qr::col_pivoting::factor::qr_in_place_scratch::<usize, f64>(n, s, block, par, spec);
        qr::col_pivoting::factor::qr_in_place(
            whole(&mut self.factor),
            whole(&mut self.reflectors),
            &mut self.order,
            &mut self.inverse,
            par,
            self.scratch.of(need),
            spec,
        );
    }

    /// `|R_kk|`, descending.
    pub fn pivots(&self) -> impl Iterator<Item = f64> {
        let size = self.factor.nrows().min(self.factor.ncols());
        (0..size).map(|k| self.factor[(k, k)].abs())
    }

    /// The basic solutions of `min |A v - r|` in the first k pivots, for each k: zero along the others.
    ///
    /// # Panics
    /// When r has another length than the columns of A, or a k is above the pivots.
    #[must_use]
    pub fn solve(&self, r: &[f64], ranks: &[usize]) -> Vec<Vec<f64>> {
        let (n, s) = self.factor.shape();
        assert_eq!(r.len(), n, "a right-hand side has one entry per row");
        let mut rotated = r.to_vec();
        self.rotate(&mut rotated);
        let basic = |&rank: &usize| {
            let mut leading = DVector::from_column_slice(&rotated[..rank]);
            let triangle = self.factor.view((0, 0), (rank, rank));
            assert!(triangle.solve_upper_triangular_mut(&mut leading), "pivots that are not zero");
            let mut v = vec![0.0; s];
            self.order.iter().zip(leading.iter()).for_each(|(&column, x)| v[column] = *x);
            v
        };
        ranks.iter().map(basic).collect()
    }

    /// `Q^T r` in place, with all n columns of Q.
    pub(crate) fn rotate(&self, r: &mut [f64]) {
        use householder as h;
        let (n, reflectors) = (r.len(), view(self.reflectors.as_view()));
        let need = h::apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<f64>(
            n,
            reflectors.nrows(),
            1,
        );
        let mut memory = MemBuffer::new(need);
        h::apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
            view(self.factor.columns(0, reflectors.ncols())),
            reflectors,
            Conj::No,
            MatMut::from_column_major_slice_mut(r, n, 1),
            parallelism(0.0),
            MemStack::new(&mut memory),
        );
    }
}
