//! Products with a Jacobian that is not held against those with one that is.

use nalgebra::DMatrix;

use super::support::{Poisson, Small};
use crate::jacobian::Linearisation;
use crate::linalg::{TestMatrix, TestMatrixKind};

#[test]
fn blocks_give_the_same_products_as_the_whole() {
    let mut system = Poisson::new(3, 5);
    let theta = system.0.start(2);
    let (residual, jacobian) = system.0.evaluate(&theta);
    let (rows, parameters) = jacobian.shape();
    let v = DMatrix::from_fn(parameters, 4, |i, k| ((i + 3 * k) as f64).sin());
    let w = DMatrix::from_fn(rows, 2, |i, k| ((2 * i + k) as f64).cos());
    let test = TestMatrix::new(TestMatrixKind::SparseSign, parameters, 5, 1, 0);
    // Held, in strips of four rows of the kernel, of one row, and of all.
    for limit in [usize::MAX, 4 * parameters, 0, rows * parameters - 1] {
        let mut linearisation = Linearisation::with_limit(limit);
        pollster::block_on(linearisation.at(&mut system, &theta)).expect("finite");
        assert_eq!(linearisation.is_held(), limit == usize::MAX);
        assert_eq!(linearisation.residual, residual);
        let close = |a: DMatrix<f64>, b: DMatrix<f64>, what: &str| {
            let allowed = 100.0 * f64::EPSILON * rows as f64 * b.amax();
            assert!((a - b).amax() <= allowed, "{what}, limit {limit}");
        };
        let system = &mut system;
        close(
            pollster::block_on(linearisation.multiply(system, v.as_view())).expect("finite"),
            &jacobian * &v,
            "J V",
        );
        let transposed = pollster::block_on(linearisation.multiply_transposed(system, w.as_view()))
            .expect("finite");
        close(transposed, jacobian.transpose() * &w, "J^T W");
        let gram =
            pollster::block_on(linearisation.gram_times(system, v.as_view())).expect("finite");
        close(gram, jacobian.transpose() * (&jacobian * &v), "J^T J V");
        let kernel = pollster::block_on(linearisation.kernel(system)).expect("finite");
        close(kernel, &jacobian * jacobian.transpose(), "J J^T");
        let (sketch, gradient) =
            pollster::block_on(linearisation.sketch(system, &test)).expect("finite");
        close(sketch, &jacobian * test.dense(), "J Omega");
        let r = DMatrix::from_fn(rows, 1, |i, _| residual[i]);
        let gradient = DMatrix::from_fn(parameters, 1, |i, _| gradient[i]);
        close(gradient, jacobian.transpose() * r, "J^T r");
    }
}
