//! The published baselines, and solves without a stored Jacobian.

use super::support::*;
use crate::linalg::{LeastSquares, Settings, norm};
use crate::network::Network;
use crate::problem::{Regularisation, Solver};

/// Refits are easy where the solution is smooth and the network has parameters to spare.
const REFITTED: [(&str, &str); 6] = [
    ("network.width", "6"),
    ("network.hidden_layers", "1"),
    ("method.refit_every", "4"),
    ("method.step", "0.1"),
    ("method.columns", "67"),
    ("fit.tolerance", "1e-5"),
];

#[test]
fn refits_go_on_from_a_fresh_network_with_the_same_field() {
    let refitted = problem(CARRIED, &REFITTED);
    let theta = start(&refitted, 1.0);
    let mut evolution = evolution(&refitted, theta.clone());
    let x: Vec<f64> = (0..40).map(|i| 0.05 + 0.15 * f64::from(i)).collect();
    for step in 1..=10 {
        let before = evolution.theta().to_vec();
        let report = pollster::block_on(evolution.step()).expect("a solution");
        let moved = norm(&difference(evolution.theta(), &before)) / norm(&before);
        if step % 4 == 0 {
            let error = report.refit_error.expect("a refit is due");
            assert!(error <= 1e-5, "{error:e}");
            assert!(moved > 0.3, "another network: {moved}");
        } else {
            assert_eq!(report.refit_error, None, "step {step}");
            assert!(moved < 0.3, "{moved}");
        }
    }
    let error = carried_error(&evolution, &theta);
    assert!(error < 5e-4, "two refits of 1e-5 and what they grow to: {error:e}");
    assert!(evolution.evaluate(&x).iter().all(|u| u.is_finite()));
}

#[test]
fn a_resumed_run_repeats_its_refits_to_the_bit() {
    let refitted = problem(CARRIED, &REFITTED);
    let mut whole = evolution(&refitted, start(&refitted, 1.0));
    let step = |run: &mut crate::Evolution| {
        pollster::block_on(run.step()).expect("a solution").refit_error
    };
    for _ in 0..2 {
        assert_eq!(step(&mut whole), None);
    }
    let mut resumed = evolution(&refitted, start(&refitted, 1.0));
    resumed.restore(whole.save()).expect("its own state");
    for _ in 0..3 {
        assert_eq!(step(&mut whole), step(&mut resumed));
    }
    assert_eq!(whole.save(), resumed.save());
}

#[test]
fn conjugate_gradients_follow_the_direct_solver() {
    let error = |solver: &str| {
        let overrides = [
            ("method.solver", solver),
            ("method.regularisation", "damp"),
            ("method.rcond", "1e-6"),
            ("method.step", "0.1"),
        ];
        let problem = problem(CARRIED, &overrides);
        let theta = start(&problem, 1.5);
        let mut evolution = evolution(&problem, theta.clone());
        run(&mut evolution);
        (carried_error(&evolution, &theta), evolution.theta().to_vec())
    };
    let ((direct, exact), (iterative, found)) = (error("gram"), error("nystrom-cg"));
    // The damping is lambda = 1e-6 sigma_max in both; the iteration ends at 1e-6 of the gradient.
    assert!(direct < 1e-6 && iterative < 1e-5, "{direct:e} and {iterative:e}");
    let apart = norm(&difference(&found, &exact)) / norm(&exact);
    assert!(apart < 1e-4, "{apart:e}");
}

/// Both ways without a stored J, at points where storing it would be no trouble.
#[test]
fn unstored_solves_are_the_stored_ones() {
    let overrides = [("points.count", "500"), ("network.activation", "rational")];
    let problem = problem(REACTION, &overrides);
    let theta = Network::of(&problem).initialise(2);
    let mut engine = engine(&problem);
    let chosen: Vec<u32> = (0..theta.len() as u32).step_by(2).collect();
    let at = (theta.as_slice(), 0.3);
    let (field, columns) =
        pollster::block_on(engine.field_and_columns(at.0, at.1, &chosen)).expect("a CPU");
    let rate = &field.right_hand_side;
    let residual = |v: &[f64]| norm(&difference(&columns.multiply(v), rate)) / norm(rate);
    let settings = |solver: Solver| Settings {
        solver,
        regularisation: Regularisation::Damp,
        rcond: 1e-4,
        most_stored: 0,
        ..Settings::default()
    };
    let mut direct = LeastSquares::new(settings(Solver::Gram));
    let unstored = engine.solve_unstored(at, &chosen, &mut direct, 1, None);
    assert!(pollster::block_on(unstored).expect("no trouble").is_none(), "it wants J itself");
    let best = direct.solve(columns.to_double().as_view(), rate, 1).expect("a solution");
    let best = residual(&best.coefficients);
    for solver in [Solver::SketchedLsqr, Solver::NystromCg] {
        let mut squares = LeastSquares::new(settings(solver));
        let solved = engine.solve_unstored(at, &chosen, &mut squares, 1, None);
        let (same, solution) =
            pollster::block_on(solved).expect("a solution").expect("it is too large");
        assert_eq!(same, field);
        let found = residual(&solution.coefficients);
        assert!((found / best - 1.0).abs() < 1e-2, "{solver:?}: {found:e} and {best:e}");
        assert!((solution.residual_norm / found - 1.0).abs() < 1e-3, "as it says itself");
        let planted: Vec<f64> = solution.coefficients.iter().map(|v| 1.01 * v).collect();
        assert!((residual(&planted) / best - 1.0).abs() > 1e-2, "{solver:?}: 1 % off is seen");
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
