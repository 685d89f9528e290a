//! Randomized Nystrom approximation of a positive semidefinite operator.
//!
//! `G ~ (G W) (W^T G W)^+ (G W)^T` for an orthonormal random W, computed with a shift so that
//! round-off cannot make the core indefinite (Frangella, Tropp, Udell: "Randomized Nystrom
//! preconditioning", SIAM Journal on Matrix Analysis 2023, algorithm 2.1). The approximation is
//! never larger than G.

use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, MatRef, Par, Side};

use super::eigen::{EigenError, Eigenpairs, SymmetricOperator, check_finite};
use super::range::{RangeSettings, orthonormal};
use super::test_matrix::TestMatrix;

/// Times by which the shift may grow, each a hundredfold, before the operator counts as indefinite.
const SHIFTS: usize = 6;

/// Eigenpairs of the Nystrom approximation of rank `size`, in descending order.
///
/// # Errors
/// The operator's, `NotFinite`, `NoConvergence`, or `NotPositive` where G is not positive
/// semidefinite.
pub async fn nystrom<O: SymmetricOperator>(
    operator: &mut O,
    size: usize,
    settings: RangeSettings,
) -> Result<Eigenpairs, O::Error> {
    let RangeSettings { kind, power_iterations, seed, epoch } = settings;
    let dimension = operator.dimension();
    let size = size.min(dimension);
    let mut test =
        orthonormal(TestMatrix::new(kind, dimension, size, seed, epoch).dense().as_ref());
    let mut sketch = operator.apply(test.as_ref()).await?;
    check_finite(sketch.as_ref())?;
    for _ in 0..power_iterations {
        test = orthonormal(sketch.as_ref());
        sketch = operator.apply(test.as_ref()).await?;
        check_finite(sketch.as_ref())?;
    }
    Ok(approximate(test.as_ref(), sketch.as_ref())?)
}

fn approximate(test: MatRef<'_, f64>, sketch: MatRef<'_, f64>) -> Result<Eigenpairs, EigenError> {
    let size = test.ncols();
    let scale = sketch.norm_l2();
    let mut shift = f64::EPSILON * scale;
    if scale == 0.0 {
        let (values, vectors) = (vec![0.0; size], test.to_owned());
        return Ok(Eigenpairs { values, vectors, residuals: Vec::new() });
    }
    for _ in 0..SHIFTS {
        let shifted = sketch + test * faer::Scale(shift);
        let core = test.transpose() * &shifted;
        let core = Mat::from_fn(size, size, |i, k| 0.5 * (core[(i, k)] + core[(k, i)]));
        if let Ok(factor) = core.llt(Side::Lower) {
            // B = Y L^-T, from L B^T = Y^T.
            let mut transposed = shifted.transpose().to_owned();
            solve_lower_triangular_in_place(factor.L(), transposed.as_mut(), Par::Seq);
            let svd = transposed.transpose().thin_svd();
            let svd = svd.map_err(|_| EigenError::NoConvergence { size })?;
            let values = svd.S().column_vector().iter().map(|s| (s * s - shift).max(0.0)).collect();
            return Ok(Eigenpairs { values, vectors: svd.U().to_owned(), residuals: Vec::new() });
        }
        shift *= 100.0;
    }
    Err(EigenError::NotPositive { size })
}
