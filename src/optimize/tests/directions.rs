//! The step of each method on a linear problem whose singular value decomposition was planted:
//! what it must be follows from the planted factors, without any solver.

use nalgebra::DVector;

use super::support::{Linear, Small, Whole};
use crate::field::residual::ResidualSystem;
use crate::linalg::testing::distance;
use crate::linalg::{TestMatrix, TestMatrixKind};
use crate::line_search::moved;
use crate::*;

const FULL: LineSearch = LineSearch::Fixed { rate: 1.0 };
const ROWS: usize = 20;
const PARAMETERS: usize = 9;

fn start() -> Vec<f64> {
    (0..PARAMETERS).map(|k| 0.3 + 0.1 * k as f64).collect()
}

fn residual(system: &Whole<Linear>, theta: &[f64]) -> Vec<f64> {
    system.0.evaluate(theta).0
}

/// theta after `iterations` iterations, and the last record.
fn after(method: Method, iterations: usize) -> (Vec<f64>, TrainingRecord) {
    let rule = StoppingRule { max_iterations: iterations, ..StoppingRule::default() };
    let system = Linear::new(ROWS, PARAMETERS);
    let mut training =
        pollster::block_on(Training::new(system, method, rule, start(), 3)).expect("finite");
    let mut record = TrainingRecord::default();
    for _ in 0..iterations {
        record = pollster::block_on(training.iterate()).expect("finite").record;
    }
    (training.parameters().to_vec(), record)
}

/// That the first step of a method is `sum phi(sigma) (u . r) v`, and that a hundredth of a change
/// in phi's argument would have shown.
fn assert_filter(method: Method, phi: impl Fn(f64) -> f64) {
    let system = Linear::new(ROWS, PARAMETERS);
    let wanted = system.0.planted.filtered(&residual(&system, &start()), &phi);
    let planted = system.0.planted.filtered(&residual(&system, &start()), |s| phi(1.01 * s));
    let (theta, record) = after(method.clone(), 1);
    let step: Vec<f64> = start().iter().zip(&theta).map(|(a, b)| a - b).collect();
    let size = wanted.iter().map(|x| x * x).sum::<f64>().sqrt();
    // The smallest singular value that is used is 1e-4 of the largest; Gram matrices square that.
    let allowed = 1e-6 * size;
    assert!(distance(&step, &wanted) < allowed, "{method:?} {step:?} {wanted:?}");
    assert!(distance(&step, &planted) > allowed, "{method:?}: an error would have passed");
    let gradient = system.0.planted.filtered(&residual(&system, &start()), |sigma| sigma);
    let norm = 2.0 * gradient.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!((record.gradient_norm - norm).abs() < 1e-12 * norm);
    assert_eq!(record.loss, system_loss(&theta));
}

fn system_loss(theta: &[f64]) -> f64 {
    pollster::block_on(Linear::new(ROWS, PARAMETERS).losses(&[theta])).expect("finite")[0]
}

/// `1 / sigma` for singular values of at least `share` of the largest, which is 2.
fn truncated(share: f64) -> impl Fn(f64) -> f64 {
    move |sigma| if sigma >= share * 2.0 { sigma.recip() } else { 0.0 }
}

fn damped(lambda: f64) -> impl Fn(f64) -> f64 {
    move |sigma| sigma / (sigma * sigma + lambda)
}

#[test]
fn engd_takes_the_pseudo_inverse_of_the_gram_matrix() {
    for (cutoff, share) in
        [(Cutoff::Relative(3e-6), 3e-6f64.sqrt()), (Cutoff::Absolute(4e-4), 0.01)]
    {
        let settings = EngdSettings { cutoff: Some(cutoff), line_search: FULL };
        assert_filter(Method::Engd(settings), truncated(share));
    }
}

#[test]
fn sngd_takes_the_pseudo_inverse_of_the_sketched_gram_matrix() {
    for passes in [Passes::Single, Passes::Two] {
        // Square sparse-sign matrices may be singular.
        for kind in [TestMatrixKind::Gaussian, TestMatrixKind::Trigonometric] {
            let settings = SngdSettings {
                passes,
                kind,
                cutoff: Cutoff::Relative(1e-4),
                first_sketch: PARAMETERS,
                line_search: FULL,
                ..SngdSettings::default()
            };
            assert_filter(Method::Sngd(settings), truncated(1e-2));
        }
    }
}

#[test]
fn sngd_sizes_its_sketch_by_the_rank_before() {
    let settings = SngdSettings {
        cutoff: Cutoff::Relative(1e-2),
        first_sketch: 6,
        oversampling: Some(2),
        line_search: FULL,
        ..SngdSettings::default()
    };
    let rule = StoppingRule::default();
    let system = Linear::new(ROWS, PARAMETERS);
    let mut training =
        pollster::block_on(Training::new(system, Method::Sngd(settings), rule, start(), 3))
            .expect("finite");
    // sigma^2 falls by 16: 1, 1/16 are above a hundredth of the largest.
    for _ in 0..2 {
        assert_eq!(pollster::block_on(training.iterate()).expect("finite").record.rank, 2);
        let spectrum = training.history().spectra.last().expect("one an iteration");
        assert_eq!(spectrum.singular_values.len(), 2 + 2);
    }
}

#[test]
fn anagram_takes_the_truncated_pseudo_inverse() {
    for (cutoff, share) in [
        (SingularCutoff::Fixed(Cutoff::Relative(1e-2)), 1e-2),
        (SingularCutoff::Fixed(Cutoff::Absolute(0.004)), 2e-3),
        (SingularCutoff::Default, (f64::EPSILON * PARAMETERS as f64).sqrt()),
    ] {
        let settings = AnagramSettings { cutoff, line_search: FULL };
        assert_filter(Method::Anagram(settings), truncated(share));
    }
    // On a linear problem the best cutoff is the smallest that is tried.
    let settings =
        AnagramSettings { cutoff: SingularCutoff::Adapted { least: 0.0 }, line_search: FULL };
    assert_filter(Method::Anagram(settings), f64::recip);
}

#[test]
fn the_kernel_form_takes_the_damped_inverse() {
    let settings = KernelSettings { damping: 1e-3, trials: 1 };
    assert_filter(Method::Kernel(settings), damped(1e-3 * 4.0));
}

#[test]
fn the_kernel_form_follows_the_ratio_of_decreases() {
    let settings = KernelSettings { damping: 1e-3, trials: 3 };
    let (_, first) = after(Method::Kernel(settings), 1);
    let (_, second) = after(Method::Kernel(settings), 2);
    // A linear problem keeps every promise: the smallest damping wins, and is lowered once more.
    let factor = 10f64.powf(0.25);
    assert!((first.damping * factor - 1e-3f64.sqrt()).abs() < 1e-12);
    assert!((second.damping * factor.powi(3) - 1e-3f64.sqrt()).abs() < 1e-12);
}

#[test]
fn nystrom_of_full_rank_takes_the_damped_inverse() {
    for kind in [TestMatrixKind::Gaussian, TestMatrixKind::SparseSign] {
        let settings =
            NystromSettings { damping: 1e-4, rank: PARAMETERS + 2, kind, line_search: FULL };
        assert_filter(Method::Nystrom(settings), damped(1e-4 * 4.0));
    }
}

#[test]
fn spring_adds_momentum_outside_the_last_direction() {
    let (mu, lambda) = (0.6, 1e-3);
    let settings = SpringSettings { damping: lambda, momentum: mu, line_search: FULL };
    assert_filter(Method::Spring(settings), damped(lambda));
    let system = Linear::new(ROWS, PARAMETERS);
    let planted = &system.0.planted;
    let first = planted.filtered(&residual(&system, &start()), damped(lambda));
    let theta = moved(&start(), &first, 1.0);
    let image = &planted.matrix * DVector::from_column_slice(&first);
    let right: Vec<f64> = residual(&system, &theta)
        .iter()
        .zip(image.iter())
        .map(|(r, image)| r - mu * image)
        .collect();
    let correction = planted.filtered(&right, damped(lambda));
    let second: Vec<f64> = first.iter().zip(correction).map(|(a, b)| mu * a + b).collect();
    let wanted = moved(&theta, &second, 1.0);
    let (theta, _) = after(Method::Spring(settings), 2);
    assert!(distance(&theta, &wanted) < 1e-9, "{theta:?} {wanted:?}");
    let without = after(Method::Spring(SpringSettings { momentum: 0.0, ..settings }), 2).0;
    assert!(distance(&without, &wanted) > 1e-3, "no momentum would have passed");
}

#[test]
fn levenberg_takes_the_damped_inverse_of_its_best_damping() {
    for repetitions in [0, 3] {
        let settings = LevenbergSettings {
            subspace: Subspace::Full,
            least_damping: 1e-4,
            repetitions,
            ..LevenbergSettings::default()
        };
        let (_, record) = after(Method::Levenberg(settings), 1);
        // The smallest damping wins on a linear problem, and repetitions find nothing to do.
        assert!((record.damping - 1e-4).abs() < 1e-12);
        assert_filter(Method::Levenberg(settings), damped((1e-4f64 * 2.0).powi(2)));
    }
}

/// In a subspace: `(W^T W + lambda^2) y = W^T r` by elimination with the dense test matrix.
#[test]
fn levenberg_stays_in_its_subspace() {
    let columns = 4;
    let kind = TestMatrixKind::Trigonometric;
    let settings = LevenbergSettings {
        subspace: Subspace::Columns(columns),
        kind,
        least_damping: 1e-2,
        ..LevenbergSettings::default()
    };
    let settings = LevenbergSettings { damping: 1e-2, ..settings };
    let (theta, record) = after(Method::Levenberg(settings), 1);
    let system = Linear::new(ROWS, PARAMETERS);
    let test = TestMatrix::new(kind, PARAMETERS, columns, 3, 0);
    let omega = test.dense() * test.isometry();
    let w = &system.0.planted.matrix * &omega;
    let lambda = record.damping * crate::linalg::singular_values(w.as_view()).expect("finite")[0];
    let r = residual(&system, &start());
    let gram = |i: usize, k: usize| -> f64 {
        let sum: f64 = (0..ROWS).map(|row| w[(row, i)] * w[(row, k)]).sum();
        sum + if i == k { lambda * lambda } else { 0.0 }
    };
    let right = (0..columns).map(|k| (0..ROWS).map(|row| w[(row, k)] * r[row]).sum()).collect();
    let y = eliminate(
        (0..columns).map(|i| (0..columns).map(|k| gram(i, k)).collect()).collect(),
        right,
    );
    let step: Vec<f64> = (&omega * DVector::from_column_slice(&y)).iter().copied().collect();
    let wanted = moved(&start(), &step, 1.0);
    assert!(distance(&theta, &wanted) < 1e-10, "{theta:?} {wanted:?}");
    assert!(distance(&theta, &moved(&start(), &step, 1.01)) > 1e-4, "an error would have passed");
}

/// Solves `a x = b` for a positive definite matrix.
fn eliminate(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            let row = a[k].clone();
            (k..n).for_each(|j| a[i][j] -= factor * row[j]);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k][k];
    }
    b
}

/// On a linear problem R is a parabola along any direction: golden sections find its vertex, the
/// grid the power of two next to it.
#[test]
fn line_searches_find_the_vertex_of_a_parabola() {
    let mut system = Linear::new(ROWS, PARAMETERS);
    let r = residual(&system, &start());
    // Steepest descent, with its best length between a half and a quarter.
    let direction = system.0.planted.filtered(&r, |sigma| 0.9 * sigma);
    let image = &system.0.planted.matrix * DVector::from_column_slice(&direction);
    let (mut along, mut square) = (0.0, 0.0);
    for (image, r) in image.iter().zip(&r) {
        along += image * r;
        square += image * image;
    }
    let vertex = along / square;
    assert!((0.25..0.5).contains(&vertex), "{vertex}");
    let loss = r.iter().map(|r| r * r).sum();
    let mut search = |line_search: LineSearch| {
        let found = pollster::block_on(line_search.search(&mut system, &start(), &direction, loss))
            .expect("finite");
        found.0.expect("a descent direction")
    };
    let golden = search(LineSearch::Golden { halvings: 10, tolerance: 1e-7 });
    assert!((golden.step_length - vertex).abs() < 1e-6, "{golden:?}, {vertex}");
    let grid = search(LineSearch::Grid { halvings: 30 });
    assert!(grid.step_length == 0.25 || grid.step_length == 0.5);
    assert!(golden.loss < grid.loss && grid.loss < loss);
    let uphill: Vec<f64> = direction.iter().map(|d| -d).collect();
    let none =
        pollster::block_on(LineSearch::default().search(&mut system, &start(), &uphill, loss));
    assert_eq!(none.expect("finite").0, None);
}
