//! Eigenpairs of symmetric positive semidefinite operators: dense, and randomized by one or by two
//! passes over the operator.
//!
//! A randomized solve needs the operator's range first ([`super::range`]). With Q from there,
//! two-pass: `T = Q^T (G Q)` costs a second product; single-pass: `T (Q^T Omega) = Q^T Y` with
//! `Y = G Omega`, which is at hand already (Halko, Martinsson, Tropp: "Finding structure with
//! randomness", SIAM Review 2011, algorithms 5.3 and 5.6). Then `T = S D S^T` gives the
//! eigenvalues D and the eigenvectors `Q S`.

use faer::{Mat, MatRef, Side};
use thiserror::Error;

use super::range::Range;

/// Why eigenpairs cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EigenError {
    #[error(
        "column {column} of an operator's product is not finite: what the operator is made of has \
         overflowed; start from smaller parameters or take shorter steps"
    )]
    NotFinite { column: usize },
    #[error("the eigenvalue iteration did not converge on a {size} x {size} matrix")]
    NoConvergence { size: usize },
    #[error(
        "the operator is not positive semidefinite: its Nystrom core of order {size} has a \
         negative eigenvalue beyond round-off"
    )]
    NotPositive { size: usize },
}

/// A symmetric operator G (d x d) that is known by its products, which are async as those of
/// [`super::TallOperator`] are: a GPU answers later.
#[expect(async_fn_in_trait, reason = "the browser's futures are not Send, so no bound is wanted")]
pub trait SymmetricOperator {
    /// What a product can fail with.
    type Error: From<EigenError>;

    /// d.
    fn dimension(&self) -> usize;

    /// `G V` for V of any number of columns.
    ///
    /// # Errors
    /// The operator's own.
    async fn apply(&mut self, v: MatRef<'_, f64>) -> Result<Mat<f64>, Self::Error>;
}

/// A matrix in memory.
impl SymmetricOperator for MatRef<'_, f64> {
    type Error = EigenError;

    fn dimension(&self) -> usize {
        self.nrows()
    }

    async fn apply(&mut self, v: MatRef<'_, f64>) -> Result<Mat<f64>, EigenError> {
        Ok(*self * v)
    }
}

/// Eigenvalues in descending order and their orthonormal eigenvectors, one a column.
#[derive(Clone, Debug)]
pub struct Eigenpairs {
    pub values: Vec<f64>,
    pub vectors: Mat<f64>,
    /// `|G x_k - d_k x_k|`, computed: G has an eigenvalue within that distance of `d_k`. Empty where
    /// `G Q` was never formed (single-pass).
    pub residuals: Vec<f64>,
}

impl Eigenpairs {
    /// How many eigenvalues lie above `cutoff`.
    #[must_use]
    pub fn above(&self, cutoff: f64) -> usize {
        self.values.iter().take_while(|&&value| value > cutoff).count()
    }

    /// `V_k D_k^-1 V_k^T g` over the first `rank` pairs: the truncated inverse.
    #[must_use]
    pub fn solve(&self, g: &[f64], rank: usize) -> Vec<f64> {
        self.filter(g, rank, f64::recip)
    }

    /// `sum_k phi(d_k) (x_k . g) x_k` over the first `rank` pairs.
    #[must_use]
    pub fn filter(&self, g: &[f64], rank: usize, phi: impl Fn(f64) -> f64) -> Vec<f64> {
        let kept = self.vectors.subcols(0, rank);
        let mut coefficients = kept.transpose() * faer::ColRef::from_slice(g);
        for (c, &value) in coefficients.iter_mut().zip(&self.values) {
            *c *= phi(value);
        }
        (kept * coefficients).iter().copied().collect()
    }
}

/// All eigenpairs of a symmetric matrix (its lower triangle).
///
/// # Errors
/// `NotFinite` or `NoConvergence`.
pub fn symmetric_eigen(matrix: MatRef<'_, f64>) -> Result<Eigenpairs, EigenError> {
    check_finite(matrix)?;
    let size = matrix.nrows();
    let eigen =
        matrix.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::NoConvergence { size })?;
    let values = eigen.S().column_vector().iter().rev().copied().collect();
    let ascending = eigen.U();
    let vectors = Mat::from_fn(size, size, |i, k| ascending[(i, size - 1 - k)]);
    Ok(Eigenpairs { values, vectors, residuals: Vec::new() })
}

/// Two-pass: `T = Q^T (G Q)` for the range Q of G. Each pair comes with its residual.
///
/// # Errors
/// The operator's, `NotFinite` or `NoConvergence`.
pub async fn two_pass<O: SymmetricOperator>(
    operator: &mut O,
    range: &Range,
) -> Result<Eigenpairs, O::Error> {
    let image = operator.apply(range.basis.as_ref()).await?;
    check_finite(image.as_ref())?;
    let small = symmetric_eigen((range.basis.transpose() * &image).as_ref())?;
    let vectors = &range.basis * &small.vectors;
    let left = image * &small.vectors
        - Mat::from_fn(vectors.nrows(), vectors.ncols(), |i, k| vectors[(i, k)] * small.values[k]);
    let residuals = left.col_iter().map(|column| column.norm_l2()).collect();
    Ok(Eigenpairs { values: small.values, vectors, residuals })
}

/// Single-pass: `T = (Q^T Y) (Q^T Omega)^-1`, made symmetric, from the range and its sketch. No
/// further product with G.
///
/// # Errors
/// `NotFinite` or `NoConvergence`.
pub fn single_pass(range: &Range) -> Result<Eigenpairs, EigenError> {
    // T (Q^T Omega) = Q^T Y, read as (Q^T Omega)^T T^T = (Q^T Y)^T; T is symmetric.
    let left = range.basis.transpose() * &range.test;
    let right = range.basis.transpose() * &range.sketch;
    let decomposition = left.transpose().to_owned().col_piv_qr();
    let t = faer::linalg::solvers::SolveLstsq::solve_lstsq(
        &decomposition,
        right.transpose().to_owned(),
    );
    let symmetric = Mat::from_fn(t.nrows(), t.nrows(), |i, k| 0.5 * (t[(i, k)] + t[(k, i)]));
    let small = symmetric_eigen(symmetric.as_ref())?;
    Ok(Eigenpairs {
        values: small.values,
        vectors: &range.basis * &small.vectors,
        residuals: Vec::new(),
    })
}

pub fn check_finite(matrix: MatRef<'_, f64>) -> Result<(), EigenError> {
    match matrix.col_iter().position(|column| !column.norm_l2().is_finite()) {
        Some(column) => Err(EigenError::NotFinite { column }),
        None => Ok(()),
    }
}
