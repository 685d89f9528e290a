//! Measured order of convergence in time.

use super::support::*;
use crate::linalg::{self, LeastSquares, Regularisation};
use crate::problem::{Integrator, Points, Problem, Solver};
use crate::subset::Subsets;
use crate::tableau::Tableau;
use crate::{Evolution, EvolutionState, parameter_ode, stage_fit};

/// Each method, its order, and so many steps that the error is far above round-off (and above
/// what a fit leaves) while the leading term of it dominates.
const CASES: [(&str, f64, usize); 3] =
    [("euler", 1.0, 40), ("rk4", 4.0, 10), ("dormand-prince", 5.0, 6)];

/// Classical weights with a mistake that leaves the method of second order.
fn planted() -> Tableau {
    Tableau { b: &[0.2, 0.3, 0.3, 0.2], ..Tableau::of(Integrator::Rk4) }
}

/// log2 of the ratio of the errors with `steps` and with twice as many steps.
fn order(steps: usize, error: impl Fn(usize) -> f64) -> f64 {
    let (coarse, fine) = (error(steps), error(2 * steps));
    println!("{steps} steps: {coarse:.3e}, {}: {fine:.3e}", 2 * steps);
    (coarse / fine).log2()
}

fn with_steps(text: &str, integrator: &str, steps: usize) -> Problem {
    let end = problem(text, &[]).time.end;
    let step = format!("{}", end / steps as f64);
    problem(text, &[("method.integrator", integrator), ("method.step", &step)])
}

/// Error after a whole run of fixed steps.
fn error(
    text: &str,
    integrator: &str,
    steps: usize,
    measure: fn(&Evolution, &[f64]) -> f64,
) -> f64 {
    let problem = with_steps(text, integrator, steps);
    let theta = start(&problem, 1.5);
    let mut evolution = evolution(&problem, theta.clone());
    assert_eq!(run(&mut evolution).len(), steps);
    measure(&evolution, &theta)
}

#[test]
fn the_parameter_ode_has_the_order_of_its_method() {
    for (integrator, expected, steps) in CASES {
        let measured = order(steps, |steps| error(CARRIED, integrator, steps, carried_error));
        assert!((measured - expected).abs() < 0.4, "{integrator}: {measured}");
    }
}

#[test]
fn stage_fits_have_the_order_of_their_method() {
    for (integrator, expected, steps) in CASES.into_iter().take(2) {
        let measured = order(steps, |steps| error(REACTION, integrator, steps, reaction_error));
        assert!((measured - expected).abs() < 0.3, "{integrator}: {measured}");
    }
}

/// Dormand and Prince's method is more accurate than its order on the reaction, at the steps whose
/// error is above what a fit leaves; on u_t = cos(t) u a scalar calculation gives 5.4 from 4 to 8
/// steps over a time of 2.
#[test]
fn stage_fits_with_dormand_prince_have_order_five() {
    let text = REACTION.replace("(u - u^3)", "u").replace("end = 1", "end = 2");
    let scaled = |evolution: &Evolution, start: &[f64]| {
        let x = Points::of(evolution.problem()).coordinates;
        let factor = evolution.time().sin().exp();
        let exact = evolution.engine().evaluate(start, 0.0, &x);
        let exact: Vec<f64> = exact.iter().map(|v| factor * v).collect();
        relative_l2(&evolution.evaluate(&x), &exact)
    };
    let measured = order(4, |steps| error(&text, "dormand-prince", steps, scaled));
    assert!((measured - 5.4).abs() < 0.3, "{measured}");
}

/// An evolution at the end of a run that took its steps by hand.
fn at_end(problem: &Problem, theta: Vec<f64>) -> Evolution {
    let mut evolution = evolution(problem, theta);
    let state = EvolutionState { time: problem.time.end, ..evolution.save() };
    evolution.restore(state).expect("its own state");
    evolution
}

fn ode_error(tableau: Tableau, steps: usize) -> f64 {
    let problem = with_steps(CARRIED, "rk4", steps);
    let mut engine = engine(&problem);
    let mut squares = LeastSquares::new(linalg::Settings {
        solver: Solver::Svd,
        regularisation: Regularisation::Truncate,
        rcond: problem.method.rcond,
        ..linalg::Settings::default()
    });
    let from = start(&problem, 1.5);
    let mut subsets = Subsets::new(0, from.len(), &problem.method);
    let mut theta = from.clone();
    for k in 0..steps {
        let at = (k as f64 / steps as f64, 1.0 / steps as f64);
        let field = pollster::block_on(engine.field(&theta, at.0)).expect("a CPU");
        let attempt = parameter_ode::attempt(
            &mut engine,
            &tableau,
            &mut squares,
            &mut subsets,
            (&theta, &field),
            at,
        );
        theta = pollster::block_on(attempt).expect("a solution").theta;
    }
    carried_error(&at_end(&problem, theta), &from)
}

fn fit_error(tableau: Tableau, steps: usize) -> f64 {
    let problem = with_steps(REACTION, "rk4", steps);
    let mut engine = engine(&problem);
    let from = start(&problem, 1.5);
    let mut squares = LeastSquares::default();
    let settings = stage_fit::Settings {
        tableau,
        patience: stage_fit::PATIENCE,
        rcond: 1e-7,
        corrections: 6,
        target: 1e-9,
        floor: 1e-9,
        size: 0.0,
    };
    let mut subsets = Subsets::new(0, from.len(), &problem.method);
    let mut theta = from.clone();
    for k in 0..steps {
        let at = (k as f64 / steps as f64, 1.0 / steps as f64);
        let field = pollster::block_on(engine.field(&theta, at.0)).expect("a CPU");
        let attempt = stage_fit::attempt(
            &mut engine,
            &settings,
            &mut subsets,
            &mut squares,
            (&theta, &field),
            at,
        );
        theta = pollster::block_on(attempt).expect("a solution").theta;
    }
    reaction_error(&at_end(&problem, theta), &from)
}

/// The tests above see a mistake in a tableau.
#[test]
fn a_planted_error_in_the_weights_lowers_the_order() {
    for (name, error) in [
        ("parameter ODE", ode_error as fn(Tableau, usize) -> f64),
        ("stage fits", fit_error as fn(Tableau, usize) -> f64),
    ] {
        let wrong = order(10, |steps| error(planted(), steps));
        assert!((wrong - 2.0).abs() < 0.5, "{name}: {wrong}");
        let right = order(10, |steps| error(Tableau::of(Integrator::Rk4), steps));
        assert!((right - 4.0).abs() < 0.5, "{name}: {right}");
    }
}
