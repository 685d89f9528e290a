//! Randomized Nystrom approximation of a positive semidefinite operator.
//!
//! `G ~ (G W) (W^T G W)^+ (G W)^T` for an orthonormal random W, computed with a shift so that
//! round-off cannot make the core indefinite (Frangella, Tropp, Udell: "Randomized Nystrom
//! preconditioning", SIAM Journal on Matrix Analysis 2023, algorithm 2.1). The approximation is
//! never larger than G.

use nalgebra::DMatrixView;

use super::bridge::{Scratch, cholesky, orthonormal, substitute, transposed_product};
use super::eigen::{EigenError, Eigenpairs, SymmetricOperator, check_finite};
use super::factors::Svd;
use super::range::RangeSettings;
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
        orthonormal(TestMatrix::new(kind, dimension, size, seed, epoch).dense().as_view());
    let mut sketch = operator.apply(test.as_view()).await?;
    check_finite(sketch.as_view())?;
    for _ in 0..power_iterations {
        test = orthonormal(sketch.as_view());
        sketch = operator.apply(test.as_view()).await?;
        check_finite(sketch.as_view())?;
    }
    Ok(approximate(test.as_view(), sketch.as_view())?)
}

fn approximate(
    test: DMatrixView<'_, f64>,
    sketch: DMatrixView<'_, f64>,
) -> Result<Eigenpairs, EigenError> {
    let size = test.ncols();
    let scale = sketch.norm();
    let mut shift = f64::EPSILON * scale;
    let mut scratch = Scratch::default();
    if scale == 0.0 {
        let (values, vectors) = (vec![0.0; size], test.clone_owned());
        return Ok(Eigenpairs { values, vectors, residuals: Vec::new() });
    }
    for _ in 0..SHIFTS {
        let shifted = sketch + test * shift;
        let core = transposed_product(test, shifted.as_view());
        let mut core = 0.5 * (&core + core.transpose());
        if cholesky(&mut core, &mut scratch) {
            // B = Y L^-T, from L B^T = Y^T; U is on the right of B^T.
            let mut transposed = shifted.transpose();
            substitute(core.as_view(), transposed.as_view_mut(), false);
            let svd = Svd::of(transposed.as_view());
            let svd = svd.map_err(|_| EigenError::NoConvergence { size })?;
            let values = svd.values.iter().map(|s| (s * s - shift).max(0.0)).collect();
            return Ok(Eigenpairs { values, vectors: svd.right, residuals: Vec::new() });
        }
        shift *= 100.0;
    }
    Err(EigenError::NotPositive { size })
}
