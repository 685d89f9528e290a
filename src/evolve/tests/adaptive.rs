//! Steps chosen by the controller.

use super::support::*;
use crate::problem::{MethodSettings, Problem};
use crate::{Evolution, StepReport};

/// End of the adaptive runs.
const END: &str = "2.7";

struct Outcome {
    error: f64,
    reports: Vec<StepReport>,
}

fn adaptive(
    text: &str,
    tolerance: f64,
    first: &str,
    measure: fn(&Evolution, &[f64]) -> f64,
) -> Outcome {
    let tolerance = format!("{tolerance}");
    let problem = problem(
        text,
        &[
            ("method.integrator", "dormand-prince"),
            ("method.tolerance", &tolerance),
            ("method.step", first),
            ("time.end", END),
        ],
    );
    let theta = start(&problem, 1.5);
    let mut evolution = evolution(&problem, theta.clone());
    let reports = run(&mut evolution);
    // To the last bit.
    assert_eq!(evolution.time(), problem.time.end);
    Outcome { error: measure(&evolution, &theta), reports }
}

/// Local errors of at most `tolerance` add up to at most their number, times what the equation
/// makes of a disturbance: exp(sin t) at most.
fn check_tolerances(text: &str, tolerances: [f64; 3], measure: fn(&Evolution, &[f64]) -> f64) {
    let mut before: Option<Outcome> = None;
    for tolerance in tolerances {
        let outcome = adaptive(text, tolerance, "0.1", measure);
        let (error, steps) = (outcome.error, outcome.reports.len());
        let rejected: usize = outcome.reports.iter().map(|r| r.rejected).sum();
        println!("{tolerance:.0e}: error {error:.2e}, {steps} steps, {rejected} rejected");
        assert!(error < 3.0 * steps as f64 * tolerance, "{error} with {tolerance}");
        assert!(rejected <= steps / 4 + 2, "{rejected} of {steps} steps");
        let span: f64 = outcome.reports.iter().map(|r| r.dt).sum();
        assert!((span - 2.7).abs() < 1e-13 * steps as f64, "{span}");
        if let Some(before) = before {
            assert!(error < 0.3 * before.error, "{error} after {}", before.error);
            // A fifth-order method pays for a hundredth of the error with 2.5 times the steps.
            assert!(steps >= before.reports.len() && steps < 6 * before.reports.len(), "{steps}");
        }
        before = Some(outcome);
    }
}

#[test]
fn the_error_of_the_parameter_ode_follows_the_tolerance() {
    check_tolerances(CARRIED, [1e-4, 1e-6, 1e-8], carried_error);
}

#[test]
fn the_error_of_stage_fits_follows_the_tolerance() {
    check_tolerances(REACTION, [1e-3, 1e-5, 1e-7], reaction_error);
}

#[test]
fn a_first_step_that_is_too_long_is_rejected_and_counted() {
    let long = adaptive(CARRIED, 1e-6, "2", carried_error);
    assert!(long.reports[0].rejected >= 1, "{:?}", long.reports[0]);
    assert!(long.reports[0].dt < 1.0);
    let short = adaptive(CARRIED, 1e-6, "0.01", carried_error);
    assert_eq!(short.reports[0].rejected, 0);
}

#[test]
fn fixed_steps_end_at_the_end_time_exactly_with_a_shorter_last_step() {
    // 3 x 0.1 is not 0.3 in binary; 0.3 / 0.08 is not whole.
    for (end, step, steps) in [("0.3", "0.1", 3), ("0.3", "0.08", 4), ("0.7", "0.1", 7)] {
        let problem = problem(CARRIED, &[("time.end", end), ("method.step", step)]);
        let mut evolution = evolution(&problem, start(&problem, 1.0));
        let reports = run(&mut evolution);
        assert_eq!(reports.len(), steps);
        assert_eq!(evolution.time(), problem.time.end, "{end} by {step}");
        assert_eq!(reports[steps - 1].time, problem.time.end);
        assert!(reports.iter().enumerate().all(|(k, report)| report.step == k + 1));
    }
}

/// Without an embedded estimate nothing says how long a step of the parameter ODE may be: the
/// problem file says so, where the tolerance stands. A tolerance that comes later, from a running
/// session, leaves the steps as they are.
#[test]
fn a_tolerance_needs_an_estimate() {
    let fixed = [("method.integrator", "rk4"), ("method.step", "0.1")];
    for (integrator, tolerance, scheme, allowed) in [
        ("rk4", "1e-3", "parameter-ode", false),
        ("euler", "1e-3", "parameter-ode", false),
        ("rk4", "0", "parameter-ode", true),
        ("dormand-prince", "1e-3", "parameter-ode", true),
        ("rk4", "1e-3", "stage-fit", true),
    ] {
        let overrides = [
            ("method.integrator", integrator),
            ("method.tolerance", tolerance),
            ("method.scheme", scheme),
        ];
        let overrides: Vec<(String, String)> =
            overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let outcome = Problem::from_toml(CARRIED, &overrides);
        assert_eq!(outcome.is_ok(), allowed, "{integrator}, {tolerance}, {scheme}");
        if let Err(errors) = outcome {
            let message = errors.to_string();
            println!("{message}");
            assert!(message.contains("method.tolerance=1e-3"), "the place: {message}");
            assert!(message.contains("set integrator = \"dormand-prince\""), "{message}");
        }
    }
    let problem = problem(CARRIED, &fixed);
    let theta = start(&problem, 1.5);
    let mut evolution = evolution(&problem, theta.clone());
    evolution.set_method(MethodSettings { tolerance: Some(1e-3), ..problem.method.clone() });
    assert_eq!(run(&mut evolution).len(), 10);
    assert!(carried_error(&evolution, &theta) < 1e-6);
}
