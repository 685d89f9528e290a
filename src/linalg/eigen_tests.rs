//! Randomized eigen-solves against matrices whose eigenpairs were planted, and their error
//! estimates against the truth.

use nalgebra::{DMatrix, DMatrixView};

use super::testing::Planted;
use super::*;

/// G = U diag(values) U^T.
fn planted(size: usize, values: Vec<f64>) -> (DMatrix<f64>, Planted) {
    let planted = Planted::new(size, size, values);
    let scaled =
        DMatrix::from_fn(size, planted.sigma.len(), |i, k| planted.left[(i, k)] * planted.sigma[k]);
    (scaled * planted.left.transpose(), planted)
}

/// The largest singular value, by a dense decomposition.
fn norm(matrix: DMatrixView<'_, f64>) -> f64 {
    singular_values(matrix).expect("finite")[0]
}

const KINDS: [TestMatrixKind; 3] =
    [TestMatrixKind::Gaussian, TestMatrixKind::SparseSign, TestMatrixKind::Trigonometric];

fn decay(count: usize, base: f64) -> Vec<f64> {
    (0..count).map(|k| 3.0 * base.powi(k as i32)).collect()
}

#[test]
fn a_dense_solve_finds_planted_eigenpairs() {
    let (g, planted) = planted(40, decay(40, 0.8));
    let eigen = symmetric_eigen(g.as_view()).expect("finite");
    for (k, value) in planted.sigma.iter().enumerate() {
        assert!((eigen.values[k] - value).abs() < 100.0 * f64::EPSILON, "{k}");
    }
    let (x, wanted) = (eigen.solve(&[1.0; 40], 9), planted.filtered(&[1.0; 40], f64::recip));
    assert!(super::testing::distance(&x, &wanted) > 1e-3, "nine pairs are not all");
    let x = eigen.solve(&[1.0; 40], 40);
    // U and V of the planted matrix differ, so that the eigenvectors are compared here.
    let mut residual = vec![0.0; 40];
    for i in 0..40 {
        residual[i] = (0..40).map(|k| g[(i, k)] * x[k]).sum::<f64>() - 1.0;
    }
    assert!(residual.iter().all(|r| r.abs() < 1e-10), "{residual:?}");
}

/// All three test matrices, with and without power iterations: the estimate is above the true
/// error, and not by more than the lemma's factor and the number of probes' spread.
#[test]
fn range_errors_are_bounded_by_their_estimates() {
    let (g, _) = planted(120, decay(120, 0.7));
    for kind in KINDS {
        for power_iterations in 0..3 {
            let settings = RangeSettings { kind, power_iterations, seed: 3, epoch: 5 };
            let found = pollster::block_on(range(&mut g.as_view(), 20, settings)).expect("finite");
            let gram = found.basis.transpose() * &found.basis;
            assert!((&gram - DMatrix::<f64>::identity(20, 20)).amax() < 1e-14);
            let left = &g - &found.basis * (found.basis.transpose() * &g);
            let (truth, best) = (norm(left.as_view()), 3.0 * 0.7f64.powi(20));
            let estimate =
                pollster::block_on(range_error(&mut g.as_view(), found.basis.as_view(), settings));
            let estimate = estimate.expect("finite");
            assert!(truth >= best * (1.0 - 1e-10), "no basis of 20 can do better");
            assert!(truth <= estimate && estimate <= 60.0 * truth, "{kind:?} {truth} {estimate}");
            let share = if power_iterations == 0 { 30.0 } else { 3.0 };
            assert!(truth < share * best, "{kind:?} {power_iterations}: {truth} {best}");
            // A basis with a column missing is noticed.
            let poorer = pollster::block_on(range_error(
                &mut g.as_view(),
                found.basis.columns(1, 19),
                settings,
            ));
            assert!(poorer.expect("finite") > 10.0 * estimate);
        }
    }
}

#[test]
fn an_adaptive_range_is_as_large_as_its_tolerance_asks() {
    let (g, _) = planted(150, decay(100, 0.6));
    for kind in KINDS {
        for tolerance in [1e-2, 1e-6, 1e-10] {
            let settings = RangeSettings { kind, ..RangeSettings::default() };
            let found =
                pollster::block_on(adaptive_range(&mut g.as_view(), tolerance, 5, 150, settings));
            let AdaptiveRange { range, error } = found.expect("finite");
            let left = &g - &range.basis * (range.basis.transpose() * &g);
            let truth = norm(left.as_view());
            assert!(truth <= error && error <= tolerance, "{kind:?} {truth} {error}");
            // 3 * 0.6^k = tolerance at the rank that is needed.
            let needed = (tolerance / 3.0).ln() / 0.6f64.ln();
            let size = range.basis.ncols() as f64;
            assert!(size > needed && size < needed + 20.0, "{kind:?}: {size}, {needed}");
            let gram = range.basis.transpose() * &range.basis;
            let off = (&gram - DMatrix::<f64>::identity(gram.nrows(), gram.nrows())).amax();
            assert!(off < 1e-14, "{off}");
        }
    }
    let few = pollster::block_on(adaptive_range(
        &mut g.as_view(),
        1e-10,
        5,
        12,
        RangeSettings::default(),
    ));
    let few = few.expect("finite");
    assert!(few.range.basis.ncols() == 12 && few.error > 1e-10, "the limit is kept and told");
}

#[test]
fn both_passes_find_the_planted_eigenvalues() {
    let (g, planted) = planted(100, decay(100, 0.5));
    for kind in KINDS {
        let settings = RangeSettings { kind, seed: 1, ..RangeSettings::default() };
        let found = pollster::block_on(range(&mut g.as_view(), 45, settings)).expect("finite");
        let two = pollster::block_on(two_pass(&mut g.as_view(), &found)).expect("finite");
        let one = single_pass(&found).expect("finite");
        let left =
            pollster::block_on(range_error(&mut g.as_view(), found.basis.as_view(), settings))
                .expect("finite");
        for (k, value) in planted.sigma.iter().take(30).enumerate() {
            // Weyl: no eigenvalue moves further than the operator that was left out.
            let allowed = 2.0 * left + 1e-14;
            assert!((two.values[k] - value).abs() <= allowed, "{kind:?} {k} {allowed}");
            // Dividing by Q^T Omega magnifies that by its condition number.
            assert!((one.values[k] - value).abs() <= 1e4 * allowed, "{kind:?} {k}");
            // The residual of a pair bounds the distance to the nearest eigenvalue.
            let nearest = planted.sigma.iter().map(|s| (s - two.values[k]).abs());
            let nearest = nearest.fold(f64::INFINITY, f64::min);
            assert!(nearest <= two.residuals[k] + 1e-14, "{kind:?} {k}");
        }
        let planted_error = (two.values[0] - 1.001 * planted.sigma[0]).abs();
        assert!(planted_error > 2.0 * left + 1e-14, "a wrong eigenvalue would have passed");
    }
}

#[test]
fn a_nystrom_approximation_is_below_the_operator_and_as_close_as_estimated() {
    let (g, planted) = planted(90, decay(90, 0.6));
    for kind in KINDS {
        let settings = RangeSettings { kind, seed: 4, ..RangeSettings::default() };
        let pairs = pollster::block_on(nystrom(&mut g.as_view(), 25, settings)).expect("finite");
        let apply = |v: DMatrixView<'_, f64>| {
            let scaled = DMatrix::from_fn(90, 25, |i, k| pairs.vectors[(i, k)] * pairs.values[k]);
            scaled * (pairs.vectors.transpose() * v)
        };
        let left = &g - apply(DMatrix::<f64>::identity(90, 90).as_view());
        let truth = norm(left.as_view());
        let estimate = pollster::block_on(approximation_error(&mut g.as_view(), apply, settings))
            .expect("finite");
        assert!(truth <= estimate && estimate < 60.0 * truth, "{kind:?} {truth} {estimate}");
        let smallest = *symmetric_eigen(left.as_view()).expect("finite").values.last().unwrap();
        assert!(smallest > -1e-13, "{smallest}");
        assert!((pairs.values[0] - planted.sigma[0]).abs() < 1e-4);
        assert!(truth < 100.0 * 3.0 * 0.6f64.powi(25), "{truth}");
    }
    let negative = &g - DMatrix::<f64>::identity(90, 90);
    let error =
        pollster::block_on(nystrom(&mut negative.as_view(), 25, RangeSettings::default())).err();
    assert_eq!(error, Some(EigenError::NotPositive { size: 25 }));
}

#[test]
fn an_overflowed_operator_is_named() {
    let mut g = DMatrix::<f64>::identity(9, 9);
    g[(4, 4)] = f64::NAN;
    let settings = RangeSettings::default();
    let error = pollster::block_on(range(&mut g.as_view(), 3, settings)).err();
    assert_eq!(error, Some(EigenError::NotFinite { column: 0 }));
    assert!(symmetric_eigen(g.as_view()).is_err());
}
