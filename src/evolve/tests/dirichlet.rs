//! Boundary values that change in time.

use super::support::*;
use crate::Evolution;
use crate::initial_fit::InitialFit;
use crate::problem::expression::Expression;
use crate::problem::{Points, Preset, Problem};
use crate::reference::Reference;

/// Both ends of a rod warmed and cooled in time, and a sine that fades.
pub const WARMED: &str = "format = 1\n\
    [equation]\ntext = 'u_t = k*u_xx - (1 - x)*sin(t) + x*cos(t)'\n\
    [domain]\nx = { range = [0, 1], boundary = 'dirichlet', lower = 'cos(t)', upper = 'sin(t)' }\n\
    [time]\nend = 0.2\n[parameters]\nk = 0.1\n\
    [exact]\nu = 'exp(-k*pi^2*t)*sin(pi*x) + (1 - x)*cos(t) + x*sin(t)'\n\
    [network]\nwidth = 8\nhidden_layers = 1\nactivation = 'tanh'\n[points]\ncount = 30\n\
    [fit]\ntolerance = 1e-6\n\
    [method]\nstep = 1e-3\ncolumns = 60\n";

/// The fitted start of a problem, at most `tolerance` away from its initial state.
pub fn fitted(problem: &Problem) -> Evolution {
    let mut fit = InitialFit::new(problem).expect("a finite state");
    while !fit.iterate().expect("a solution").done {}
    assert!(fit.between() <= problem.fit.tolerance, "initial fit {}", fit.between());
    evolution(problem, fit.parameters().to_vec())
}

/// Relative error at the present time, at points of its own.
pub fn error(evolution: &Evolution) -> f64 {
    let problem = evolution.problem();
    let reference = Reference::of(problem, &|_| std::ops::ControlFlow::Continue(()))
        .expect("a solvable problem")
        .expect("a reference");
    let x = Points::evaluation_grid(&problem.coordinates, &[37]).coordinates;
    let exact = reference.values(evolution.time(), &x).expect("a time of the run");
    relative_l2(&evolution.evaluate(&x), &exact)
}

#[test]
fn values_at_the_ends_that_swing_in_time_are_met_exactly_and_the_solution_inside_too() {
    let adaptive: &[(&str, &str)] =
        &[("method.integrator", "dormand-prince"), ("method.tolerance", "1e-5")];
    for (overrides, bound) in [
        // Steps of local error 1e-5 that add up.
        (adaptive, 1e-4),
        // RK4 as published, far from its stability limit; limited by the cutoff.
        (
            &[
                ("method.scheme", "parameter-ode"),
                ("method.update", "dense"),
                ("method.integrator", "rk4"),
                ("method.rcond", "1e-5"),
            ][..],
            1e-3,
        ),
    ] {
        let mut evolution = fitted(&problem(WARMED, overrides));
        let steps = run(&mut evolution).len();
        let t = evolution.time();
        let ends = evolution.evaluate(&[0.0, 1.0]);
        assert!((ends[0] - t.cos()).abs() < 1e-14 && (ends[1] - t.sin()).abs() < 1e-14);
        let error = error(&evolution);
        println!("{steps} steps: {error:.2e}");
        assert!(error < bound, "{error}");
    }
}

/// Refits draw by seeds of their own, but for the frequencies that the parameters belong to.
#[test]
fn refits_of_a_network_of_random_frequencies_go_on_with_its_field() {
    let overrides = [
        ("network.fourier.count", "4"),
        ("network.fourier.scale", "1.0"),
        ("method.refit_every", "20"),
        ("method.step", "5e-3"),
        ("fit.tolerance", "1e-5"),
    ];
    let mut evolution = fitted(&problem(WARMED, &overrides));
    let refits = run(&mut evolution).iter().filter(|report| report.refit_error.is_some()).count();
    let error = error(&evolution);
    println!("{refits} refits: {error:.2e}");
    assert!(refits >= 1 && error < 1e-3, "{refits} refits, {error}");
}

/// The comparison sees a source that is wrong inside. (One that is wrong at an end has a solution
/// that the ansatz cannot follow.)
#[test]
fn a_wrong_source_is_seen() {
    // In a file it would be refused: the exact solution is held against the equation.
    let mut wrong = problem(WARMED, &[]);
    let x = || Expression::Coordinate(0);
    let source = Expression::Constant(0.8) * x() * (Expression::Constant(1.0) - x());
    wrong.right_hand_side[0] = wrong.right_hand_side[0].clone() + source;
    let mut evolution = fitted(&wrong);
    run(&mut evolution);
    assert!(error(&evolution) > 1e-2);
}

#[test]
fn the_heat_preset_is_solved_at_a_reduced_size() {
    let text = Preset::find("heat-dirichlet").expect("a preset").text;
    let problem = problem(
        text,
        &[
            ("time.end", "0.2"),
            ("network.width", "10"),
            ("network.hidden_layers", "1"),
            ("points.count", "40"),
            ("method.columns", "80"),
            ("fit.tolerance", "1e-6"),
            ("method.integrator", "dormand-prince"),
            ("method.tolerance", "1e-5"),
            ("method.rcond", "1e-7"),
        ],
    );
    let mut evolution = fitted(&problem);
    let steps = run(&mut evolution).len();
    let error = error(&evolution);
    println!("{steps} steps: {error:.2e}");
    assert!(error < 1e-4, "{error}");
}
