//! Eigenpairs of symmetric positive semidefinite operators: dense, and randomized by one or by two
//! passes over the operator.
//!
//! A randomized solve needs the operator's range first ([`super::range`]). With Q from there,
//! two-pass: `T = Q^T (G Q)` costs a second product; single-pass: `T (Q^T Omega) = Q^T Y` with
//! `Y = G Omega`, which is at hand already (Halko, Martinsson, Tropp: "Finding structure with
//! randomness", SIAM Review 2011, algorithms 5.3 and 5.6). Then `T = S D S^T` gives the
//! eigenvalues D and the eigenvectors `Q S`.

use nalgebra::{DMatrix, DMatrixView};
use thiserror::Error;

use super::bridge::{self, Scratch, product, transposed_product};
use super::products::{times, transposed_times};

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
    async fn apply(&mut self, v: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, Self::Error>;
}

/// A matrix in memory.
impl SymmetricOperator for DMatrixView<'_, f64> {
    type Error = EigenError;

    fn dimension(&self) -> usize {
        self.nrows()
    }

    async fn apply(&mut self, v: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EigenError> {
        Ok(product(*self, v))
    }
}

/// Eigenvalues in descending order and their orthonormal eigenvectors, one a column.
#[derive(Clone, Debug)]
pub struct Eigenpairs {
    pub values: Vec<f64>,
    pub vectors: DMatrix<f64>,
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
        let kept = self.vectors.columns(0, rank);
        let mut coefficients = transposed_times(kept, g);
        for (c, &value) in coefficients.iter_mut().zip(&self.values) {
            *c *= phi(value);
        }
        times(kept, &coefficients)
    }
}

/// All eigenpairs of a symmetric matrix (its lower triangle).
///
/// # Errors
/// `NotFinite` or `NoConvergence`.
pub fn symmetric_eigen(matrix: DMatrixView<'_, f64>) -> Result<Eigenpairs, EigenError> {
    check_finite(matrix)?;
    let size = matrix.nrows();
    let mut vectors = DMatrix::zeros(size, size);
    let values = bridge::symmetric_eigen(matrix, &mut vectors, &mut Scratch::default());
    let mut values = values.ok_or(EigenError::NoConvergence { size })?;
    values.reverse();
    for k in 0..size / 2 {
        vectors.swap_columns(k, size - 1 - k);
    }
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
    let image = operator.apply(range.basis.as_view()).await?;
    check_finite(image.as_view())?;
    let small = transposed_product(range.basis.as_view(), image.as_view());
    let small = symmetric_eigen(small.as_view())?;
    let vectors = product(range.basis.as_view(), small.vectors.as_view());
    let image = product(image.as_view(), small.vectors.as_view());
    let left = |(k, value): (usize, &f64)| (image.column(k) - vectors.column(k) * *value).norm();
    let residuals = small.values.iter().enumerate().map(left).collect();
    Ok(Eigenpairs { values: small.values, vectors, residuals })
}

/// Single-pass: `T = (Q^T Y) (Q^T Omega)^-1`, made symmetric, from the range and its sketch. No
/// further product with G.
///
/// # Errors
/// `NotFinite` or `NoConvergence`.
pub fn single_pass(range: &Range) -> Result<Eigenpairs, EigenError> {
    // T (Q^T Omega) = Q^T Y, read as (Omega^T Q) T^T = Y^T Q; T is symmetric.
    let left = transposed_product(range.test.as_view(), range.basis.as_view());
    let right = transposed_product(range.sketch.as_view(), range.basis.as_view());
    let t = bridge::solve(left.as_view(), right.as_view());
    let symmetric = 0.5 * (&t + t.transpose());
    let small = symmetric_eigen(symmetric.as_view())?;
    Ok(Eigenpairs {
        values: small.values,
        vectors: product(range.basis.as_view(), small.vectors.as_view()),
        residuals: Vec::new(),
    })
}

pub fn check_finite(matrix: DMatrixView<'_, f64>) -> Result<(), EigenError> {
    match matrix.column_iter().position(|column| !column.iter().all(|x| x.is_finite())) {
        Some(column) => Err(EigenError::NotFinite { column }),
        None => Ok(()),
    }
}
