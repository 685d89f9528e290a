//! Every solver against solutions known from planted singular value decompositions.

use nalgebra::{DMatrix, DVector};

use super::products::norm;
use super::testing::{Planted, decaying, distance, normals};
use super::*;
use crate::problem::Solver;

const DIRECT: [Solver; 3] = [Solver::Svd, Solver::PivotedQr, Solver::Gram];

/// Error bound of a solution: `size eps kappa^power |r| / sigma_min`, with kappa and sigma_min of
/// the kept part, and the largest singular value 1.
fn bound(power: i32, smallest: f64, size: usize, r: &[f64]) -> f64 {
    4.0 * size as f64 * f64::EPSILON * smallest.powi(-power) * norm(r) / smallest
}

fn solve(solver: Solver, rcond: f64, j: &DMatrix<f64>, r: &[f64]) -> Solution {
    LeastSquares::new(Settings { solver, rcond, ..Settings::default() })
        .solve(j.as_view(), r, 0)
        .expect("a finite problem is solved")
}

/// Shapes, spectra and cutoffs; each cutoff lies in a gap.
fn cases() -> Vec<(usize, usize, Vec<f64>, f64)> {
    let gap: Vec<f64> =
        (0..40).map(|k| if k < 25 { 1.0 / (1.0 + k as f64) } else { 1e-9 }).collect();
    vec![
        (120, 40, decaying(40, 10f64.powf(0.4)), 10f64.powf(-4.2)), // decays to 2.5e-16
        (60, 90, decaying(40, 10f64.powf(0.4)), 10f64.powf(-4.2)),
        (97, 53, gap, 1e-4),
        (130, 30, vec![1.0, 0.5, 0.25], 1e-6), // exactly rank 3
        (30, 130, vec![1.0, 0.5, 0.25], 1e-6),
        (64, 64, decaying(64, 1.05), 1e-5), // full rank
        (1, 7, vec![1.0], 1e-5),
        (7, 1, vec![1.0], 1e-5),
        (1, 1, vec![1.0], 1e-5),
    ]
}

#[test]
fn direct_solvers_give_the_planted_truncated_solution() {
    for (n, s, sigma, rcond) in cases() {
        let planted = Planted::new(n, s, sigma);
        let r = normals(n, 3);
        let expected = planted.truncated(&r, rcond);
        let kept: Vec<f64> = planted.sigma.iter().copied().filter(|&x| x >= rcond).collect();
        let smallest = kept[kept.len() - 1];
        for solver in DIRECT {
            let power = if solver == Solver::Gram { 2 } else { 1 };
            let allowed = bound(power, smallest, n.max(s), &r);
            let solution = solve(solver, rcond, &planted.matrix, &r);
            let error = distance(&solution.coefficients, &expected);
            assert!(error <= allowed, "{solver:?} {n} x {s}: error {error:e} > {allowed:e}");
            assert_eq!(solution.rank, kept.len(), "{solver:?} {n} x {s}");
            assert!((solution.largest - 1.0).abs() < n.max(s) as f64 * f64::EPSILON);

            // A tenth of one column too much must be noticed.
            let mut wrong = planted.matrix.clone();
            for i in 0..n {
                wrong[(i, 0)] *= 1.1;
            }
            let error = distance(&solve(solver, rcond, &wrong, &r).coefficients, &expected);
            assert!(error > allowed, "{solver:?} {n} x {s}: a wrong matrix passed");
        }
    }
}

#[test]
fn the_residual_is_computed_from_the_coefficients() {
    let planted = Planted::new(90, 20, decaying(20, 3.0));
    let r = normals(90, 4);
    for solver in DIRECT {
        let solution = solve(solver, 1e-5, &planted.matrix, &r);
        let residual: Vec<f64> = (0..90)
            .map(|i| {
                r[i] - (0..20)
                    .map(|k| planted.matrix[(i, k)] * solution.coefficients[k])
                    .sum::<f64>()
            })
            .collect();
        let expected = norm(&residual) / norm(&r);
        assert!((solution.residual_norm - expected).abs() < 1e-13, "{solver:?}");
    }
}

#[test]
fn refinement_sharpens_a_gram_solution() {
    let planted = Planted::new(200, 30, decaying(30, 10f64.powf(0.2))); // condition 6e5
    let truth = normals(30, 5);
    let image = &planted.matrix * DVector::from_column_slice(&truth);
    let r: Vec<f64> = image.iter().copied().collect();
    let error = |refinements| {
        let settings =
            Settings { solver: Solver::Gram, rcond: 1e-7, refinements, ..Settings::default() };
        let solution = LeastSquares::new(settings).solve(planted.matrix.as_view(), &r, 0);
        distance(&solution.expect("finite").coefficients, &truth) / norm(&truth)
    };
    // Round-off times the squared condition, then once more by the same factor, down to the
    // accuracy of an orthogonal method.
    let (plain, refined) = (error(0), error(1));
    assert!(plain < 1e-3 && refined < 1e-2 * plain, "{plain:e}, {refined:e}");
}

#[test]
fn damped_solves_give_the_planted_damped_solution() {
    for (n, s) in [(120, 40), (40, 120)] {
        let planted = Planted::new(n, s, decaying(40, 2.0));
        let r = normals(n, 6);
        for solver in DIRECT {
            let settings = Settings { solver, rcond: 1e-7, ..Settings::default() };
            let mut solver_object = LeastSquares::new(settings);
            let factorisation = solver_object.factor(planted.matrix.as_view(), 0).expect("finite");
            let projection = factorisation.project(&r).expect("finite");
            for lambda in [1e-1, 1e-3, 1e-4] {
                let filter = Filter::Damp { lambda };
                let expected =
                    planted.filtered(&r, |sigma| sigma / (sigma * sigma + lambda * lambda));
                let v = factorisation.combine(&projection, filter);
                // A Gram matrix has lost what lies below its floor.
                let lost =
                    if solver == Solver::Gram { GRAM_FLOOR / (lambda * lambda) } else { 0.0 };
                let allowed = bound(1, lambda, n.max(s), &r) + lost * norm(&r);
                assert!(distance(&v, &expected) <= allowed, "{solver:?} lambda {lambda}");
                assert!(distance(&v, &expected) < 1e-3 * norm(&expected));

                let predicted = factorisation.solution_norm(&projection, filter);
                assert!((predicted - norm(&v)).abs() <= allowed);
                let residual = norm(&factorisation.residual(&v, &r));
                let predicted = factorisation.predicted_residual(&projection, filter);
                assert!((predicted - residual).abs() <= 1e-6 * norm(&r), "{solver:?} {lambda}");
            }
        }
    }
}

#[test]
fn damping_by_cholesky_gives_the_planted_damped_solution() {
    for (n, s) in [(150, 40), (40, 150), (50, 50)] {
        let planted = Planted::new(n, s, decaying(40, 2.0));
        let r = normals(n, 7);
        for (rcond, refinements) in [(1e-2, 0), (1e-4, 0), (1e-5, 1)] {
            let settings = Settings {
                solver: Solver::Gram,
                regularisation: Regularisation::Damp,
                rcond,
                refinements,
                ..Settings::default()
            };
            let solution = LeastSquares::new(settings)
                .solve(planted.matrix.as_view(), &r, 0)
                .expect("a finite problem is solved");
            assert!((0.95..1.0 + 1e-12).contains(&solution.largest), "{}", solution.largest);
            let lambda = rcond * solution.largest;
            let expected = planted.filtered(&r, |sigma| sigma / (sigma * sigma + lambda * lambda));
            let allowed = bound(2, rcond, n.max(s), &r).min(1e-3 * norm(&expected));
            let error = distance(&solution.coefficients, &expected);
            assert!(error <= allowed, "{n} x {s}, rcond {rcond}: {error:e} > {allowed:e}");
            let twice =
                planted.filtered(&r, |sigma| sigma / (sigma * sigma + 4.0 * lambda * lambda));
            assert!(distance(&twice, &expected) > allowed, "another damping would pass");
        }
    }
}

#[test]
fn normal_equations_serve_one_damping_after_another() {
    for (n, s) in [(150, 40), (40, 150)] {
        let planted = Planted::new(n, s, decaying(40, 2.0));
        let r = normals(n, 7);
        let mut solver = LeastSquares::default();
        let mut equations = solver.normal_equations(planted.matrix.as_view()).expect("finite");
        for lambda in [1e-1, 1e-5, 1e-3] {
            let expected = planted.filtered(&r, |sigma| sigma / (sigma * sigma + lambda * lambda));
            let solution = equations.solve_damped(&r, lambda).expect("a damping that holds");
            let allowed = bound(2, lambda, n.max(s), &r).min(1e-3 * norm(&expected));
            assert!(distance(&solution.coefficients, &expected) <= allowed);
        }
        for lambda in [-1.0, f64::NAN] {
            let refused = equations.solve_damped(&r, lambda);
            assert!(matches!(refused, Err(LeastSquaresError::Damping { .. })), "{refused:?}");
        }
    }
}

#[test]
fn sketch_and_solve_is_near_the_best_residual_and_lsqr_reaches_it() {
    let (n, s) = (900, 40);
    let planted = Planted::new(n, s, decaying(40, 10f64.powf(0.2)));
    let r = normals(n, 8);
    let rcond = 1e-10;
    let image = &planted.matrix * DVector::from_column_slice(&planted.truncated(&r, rcond));
    let best = norm(&(0..n).map(|i| r[i] - image[i]).collect::<Vec<_>>()) / norm(&r);
    for regularisation in [Regularisation::Truncate, Regularisation::Damp] {
        let run = |solver, lsqr| {
            let settings = Settings {
                solver,
                regularisation,
                rcond,
                lsqr,
                oversampling: 4.0,
                ..Settings::default()
            };
            LeastSquares::new(settings).solve(planted.matrix.as_view(), &r, 1).expect("finite")
        };
        // Subspace embedding with 160 rows for 40 directions: within sqrt(1 / (1 - 40/160)).
        let sketched = run(Solver::SketchAndSolve, LsqrSettings::default());
        assert!(sketched.residual_norm < 1.25 * best, "{} {best}", sketched.residual_norm);
        assert!(sketched.residual_norm > 1.01 * best, "the sketch alone must not be exact");
        let exact = LsqrSettings { tolerance: 1e-10, max_iterations: 100, passes: 2, damping: 0.0 };
        let solution = run(Solver::SketchedLsqr, exact);
        let excess = solution.residual_norm / best - 1.0;
        assert!(excess.abs() < 1e-10, "{regularisation:?}: excess {excess:e}");
        assert!((10..150).contains(&solution.iterations), "{}", solution.iterations);
    }
}

#[test]
fn rows_that_a_sample_misses_are_found_by_the_sketch() {
    // Every column lives in three rows of its own: a sample of 40 of 4,000 rows sees almost none.
    let (n, s) = (4_000, 40);
    let spikes = normals(3 * s, 12);
    let j = DMatrix::from_fn(n, s, |i, k| {
        let spike = (0..3).find(|spike| i == (997 * (3 * k + spike) + 5) % n);
        spike.map_or(1e-3 * ((i * (k + 1)) as f64).sin(), |spike| spikes[3 * k + spike])
    });
    let r = normals(n, 13);
    let settings = Settings {
        solver: Solver::SketchedLsqr,
        regularisation: Regularisation::Damp,
        rcond: 1e-6,
        lsqr: LsqrSettings { tolerance: 1e-6, ..LsqrSettings::default() },
        ..Settings::default()
    };
    let found = LeastSquares::new(settings).solve(j.as_view(), &r, 1).expect("finite");
    let direct = Settings { solver: Solver::Gram, ..settings };
    let best = LeastSquares::new(direct).solve(j.as_view(), &r, 1).expect("finite");
    let error = distance(&found.coefficients, &best.coefficients);
    assert!(error < 1e-4 * norm(&best.coefficients), "{error:e}");
    let mut alone = LeastSquares::new(settings);
    let sampled = alone.solve_sampled(j.as_view(), &r, 1).expect("finite");
    assert!(sampled.is_none(), "the sample alone must not do here");
}

#[test]
fn single_precision_entries_are_solved_to_their_own_accuracy() {
    let planted = Planted::new(200, 30, decaying(30, 2.0));
    let single = DMatrix::from_fn(200, 30, |i, k| planted.matrix[(i, k)] as f32);
    let rounded = DMatrix::from_fn(200, 30, |i, k| f64::from(single[(i, k)]));
    let r = normals(200, 11);
    for solver in DIRECT {
        for regularisation in [Regularisation::Truncate, Regularisation::Damp] {
            let settings = Settings { solver, regularisation, rcond: 3e-4, ..Settings::default() };
            let from_single = LeastSquares::new(settings).solve(single.as_view(), &r, 0);
            let from_double = LeastSquares::new(settings).solve(rounded.as_view(), &r, 0);
            assert_eq!(from_single, from_double, "{solver:?}: the same numbers, the same sums");
        }
    }
}

#[test]
fn a_zero_matrix_and_a_zero_right_hand_side_have_the_zero_solution() {
    let zero = DMatrix::<f64>::zeros(20, 5);
    let planted = Planted::new(20, 5, decaying(5, 2.0));
    for solver in [Solver::Svd, Solver::PivotedQr, Solver::Gram, Solver::SketchedLsqr] {
        for regularisation in [Regularisation::Truncate, Regularisation::Damp] {
            let settings = Settings { solver, regularisation, ..Settings::default() };
            let mut least_squares = LeastSquares::new(settings);
            let solution = least_squares.solve(zero.as_view(), &normals(20, 1), 0).expect("finite");
            assert_eq!(solution.coefficients, vec![0.0; 5], "{solver:?}");
            assert!((solution.residual_norm - 1.0).abs() < 1e-15);
            let solution = least_squares.solve(planted.matrix.as_view(), &[0.0; 20], 0);
            let solution = solution.expect("finite");
            assert_eq!(solution.coefficients, vec![0.0; 5], "{solver:?}");
            assert_eq!(solution.residual_norm, 0.0);
        }
    }
}

#[test]
fn memory_that_is_reused_changes_no_bit() {
    let large = Planted::new(90, 40, decaying(40, 1.5));
    let small = Planted::new(30, 12, decaying(12, 3.0));
    let wide = Planted::new(20, 50, decaying(20, 1.5));
    for solver in [Solver::Svd, Solver::PivotedQr, Solver::Gram, Solver::SketchedLsqr] {
        for regularisation in [Regularisation::Truncate, Regularisation::Damp] {
            let settings = Settings { solver, regularisation, ..Settings::default() };
            let mut reused = LeastSquares::new(settings);
            for planted in [&large, &small, &wide, &large] {
                let r = normals(planted.matrix.nrows(), 2);
                let again = reused.solve(planted.matrix.as_view(), &r, 3);
                let fresh = LeastSquares::new(settings).solve(planted.matrix.as_view(), &r, 3);
                assert_eq!(again, fresh, "{solver:?} {regularisation:?}");
            }
        }
    }
}

#[test]
fn bad_input_is_named() {
    let good = Planted::new(12, 4, decaying(4, 2.0)).matrix;
    let solve = |solver, rcond, j: &DMatrix<f64>, r: &[f64]| {
        LeastSquares::new(Settings { solver, rcond, ..Settings::default() })
            .solve(j.as_view(), r, 0)
            .expect_err("bad input is refused")
    };
    let r = vec![1.0; 12];
    for solver in [Solver::Auto, Solver::Svd, Solver::PivotedQr, Solver::Gram, Solver::SketchedLsqr]
    {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut j = good.clone();
            j[(7, 2)] = bad;
            let expected = LeastSquaresError::MatrixNotFinite { row: 7, column: 2 };
            assert_eq!(solve(solver, 1e-5, &j, &r), expected, "{solver:?}");
        }
        let mut wrong = r.clone();
        wrong[5] = f64::NAN;
        let expected = LeastSquaresError::RightHandSideNotFinite { row: 5 };
        assert_eq!(solve(solver, 1e-5, &good, &wrong), expected);
        let expected = LeastSquaresError::Shape { rows: 12, entries: 11 };
        assert_eq!(solve(solver, 1e-5, &good, &r[1..]), expected);
        assert_eq!(solve(solver, 1.0, &good, &r), LeastSquaresError::Cutoff { rcond: 1.0 });
        let expected = LeastSquaresError::Empty { rows: 12, columns: 0 };
        assert_eq!(solve(solver, 1e-5, &DMatrix::zeros(12, 0), &r), expected);
    }
    let mut huge = good.clone();
    huge[(3, 1)] = 1e200;
    let expected = LeastSquaresError::Overflow { column: 1 };
    assert_eq!(solve(Solver::Gram, 1e-5, &huge, &r), expected);
}

#[test]
fn singular_values_agree_with_the_planted_ones() {
    for (n, s) in [(80, 30), (30, 80)] {
        let planted = Planted::new(n, s, decaying(30, 3.0));
        let found = singular_values(planted.matrix.as_view()).expect("finite");
        for (found, planted) in found.iter().zip(&planted.sigma) {
            assert!((found - planted).abs() < n.max(s) as f64 * f64::EPSILON);
        }
    }
}
