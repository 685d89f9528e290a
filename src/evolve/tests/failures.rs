//! How runs fail.

use super::support::*;
use crate::field::device::Backend;
use crate::problem::Problem;
use crate::{Engine, Evolution, EvolveError};

/// u between 1.8 and 2.2, under an equation that makes it infinite.
fn explosive(overrides: &[(&str, &str)]) -> (Problem, Vec<f64>) {
    let mut all = vec![("time.end", "5")];
    all.extend(overrides);
    let problem = problem(REACTION, &all);
    let mut theta = start(&problem, 0.2);
    let network = crate::network::Network::of(&problem);
    let bias = network.layout().segment("output.bias").expect("every network has it").offset;
    theta[bias] += 2.0;
    (problem, theta)
}

fn failure(evolution: &mut Evolution) -> EvolveError {
    loop {
        match pollster::block_on(evolution.step()) {
            Ok(_) => assert!(!evolution.finished(), "the solution does not reach the end"),
            Err(error) => return error,
        }
    }
}

/// u_t = u^3 is infinite at t = 1/(2 u^2), on either side of zero: explicit steps that run past the
/// pole cannot come back from below, as they can with u^2.
#[test]
fn a_solution_that_blows_up_ends_fixed_steps_with_the_time() {
    for scheme in ["parameter-ode", "stage-fit"] {
        let (problem, theta) = explosive(&[
            ("equation.text", "u_t = u^3"),
            ("method.scheme", scheme),
            ("method.step", "0.01"),
        ]);
        let mut evolution = evolution(&problem, theta);
        let error = failure(&mut evolution);
        // A fit does not follow to infinity: it is lost before.
        let (EvolveError::NotFinite { step, time, .. }
        | EvolveError::Grown { step, time, .. }
        | EvolveError::Lost { step, time, .. }) = error
        else {
            panic!("{scheme}: {error}");
        };
        println!("{scheme}: {error}");
        assert!((0.5 / 2.2f64.powi(2)..1.0).contains(&time), "{scheme}: {time}");
        assert!((time / 0.01 - step as f64).abs() < 1.5, "{scheme}: step {step} at {time}");
        assert!(error.to_string().contains(&format!("t = {time:.6}")));
    }
}

/// Near the pole the steps shrink with what is left until it; those of a stage fit are accepted one
/// by one, and would go on for ever.
#[test]
fn a_solution_that_blows_up_ends_adaptive_steps_at_the_pole() {
    for scheme in ["parameter-ode", "stage-fit"] {
        let (problem, theta) = explosive(&[
            ("equation.text", "u_t = u^2"),
            ("method.scheme", scheme),
            ("method.step", "0.02"),
            ("method.integrator", "dormand-prince"),
            ("method.tolerance", "1e-4"),
        ]);
        let x = crate::problem::Points::of(&problem).coordinates;
        let most = engine(&problem).evaluate(&theta, 0.0, &x).into_iter().fold(0.0, f64::max);
        let mut evolution = evolution(&problem, theta);
        let error = failure(&mut evolution);
        let (EvolveError::NotFinite { time, .. }
        | EvolveError::Grown { time, .. }
        | EvolveError::StepTooSmall { time, .. }) = error
        else {
            panic!("{scheme}: {error}");
        };
        let pole = 1.0 / most;
        println!("{scheme}: {time} of {pole} after {} steps: {error}", evolution.save().step);
        // A fit has to move the network by as much as u grows, and no longer can once u has grown
        // some hundreds of times.
        let near = if scheme == "stage-fit" { 1.0 / 300.0 } else { 1e-3 };
        assert!((time - pole).abs() < near * pole, "{scheme}: {time}, the pole is at {pole}");
        assert!(error.to_string().contains(&format!("t = {time:.6}")), "{error}");
    }
}

/// A first step far below what ends a run is the person's own choice: it grows.
#[test]
fn a_first_step_that_is_set_very_short_grows() {
    let problem = problem(
        REACTION,
        &[
            ("method.integrator", "dormand-prince"),
            ("method.tolerance", "1e-4"),
            ("method.step", "1e-8"),
        ],
    );
    let theta = start(&problem, 1.5);
    let reports = run(&mut evolution(&problem, theta));
    assert!(reports.len() < 200 && reports[0].dt == 1e-8, "{} steps", reports.len());
}

/// u_t = -sqrt(u) ends at u = 0; beyond it a stage is not a number, whatever the others are.
#[test]
fn a_stage_that_is_not_a_number_never_passes_for_a_small_error() {
    for scheme in ["parameter-ode", "stage-fit"] {
        let (problem, theta) = explosive(&[
            ("equation.text", "u_t = -sqrt(u)"),
            ("method.scheme", scheme),
            ("method.step", "4"),
            ("method.integrator", "dormand-prince"),
            ("method.tolerance", "1e-3"),
        ]);
        let mut evolution = evolution(&problem, theta);
        let report = pollster::block_on(evolution.step()).expect("a shorter step is possible");
        assert!(report.rejected > 0 && report.dt < 2.9, "{scheme}: {report:?}");
        let x = crate::problem::Points::of(&problem).coordinates;
        assert!(evolution.evaluate(&x).iter().all(|&u| u > 0.0), "{scheme}");
    }
}

#[test]
fn parameters_of_another_network_are_refused() {
    let problem = problem(REACTION, &[]);
    let theta = start(&problem, 1.0);
    let (given, expected) = (theta.len() - 1, theta.len());
    let short = Evolution::new(&problem, engine(&problem), theta[1..].to_vec()).err();
    let refused = |error: Option<EvolveError>| {
        matches!(error, Some(EvolveError::Parameters { given: g, expected: e })
            if (g, e) == (given, expected))
    };
    assert!(refused(short));
    let mut evolution = evolution(&problem, theta);
    let mut state = evolution.save();
    state.theta.pop();
    let before = evolution.save();
    assert!(refused(evolution.restore(state).err()));
    assert_eq!(evolution.save(), before, "a refused state changes nothing");
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let choice = Backend::Gpu(Some("no such adapter".to_owned()));
    let error = pollster::block_on(Engine::new(&problem(REACTION, &[]), &choice)).err();
    assert!(matches!(error, Some(EvolveError::Gpu(_))));
}

/// u_t = cos(x) from u = 0: relative errors are measured by where the first step goes.
#[test]
fn a_run_may_start_from_zero() {
    for tolerance in [None, Some("1e-5")] {
        let mut overrides = vec![
            ("equation.text", "u_t = cos(x)"),
            ("initial.u", "0"),
            ("method.integrator", "dormand-prince"),
            ("method.step", "0.1"),
        ];
        overrides.extend(tolerance.map(|t| ("method.tolerance", t)));
        let problem = problem(REACTION, &overrides);
        let mut theta = start(&problem, 1.0);
        let network = crate::network::Network::of(&problem);
        for name in ["output.weight", "output.bias"] {
            theta[network.layout().segment(name).expect("every network has it").range()].fill(0.0);
        }
        let mut evolution = evolution(&problem, theta);
        run(&mut evolution);
        let x = crate::problem::Points::of(&problem).coordinates;
        let exact: Vec<f64> = x.iter().map(|x| x.cos()).collect();
        let error = relative_l2(&evolution.evaluate(&x), &exact);
        println!("from zero: {error:.1e}");
        assert!(error < 1e-3, "{error}");
    }
}

/// Steps of a length that the equation asks for, in a run that is much too long for them.
#[test]
fn a_run_that_would_take_millions_of_steps_says_so_and_names_the_remedy() {
    // What ended the run within so many steps, how many it took, and the time.
    let first_steps = |end: f64, most: usize| {
        let end = end.to_string();
        let changes = [("time.end", &*end), ("method.tolerance", "1e-6"), ("method.step", "1e-2")];
        let problem = problem(REACTION, &changes);
        let theta = start(&problem, 0.5);
        let mut evolution = evolution(&problem, theta);
        let mut steps = 0;
        while steps < most {
            if let Err(error) = pollster::block_on(evolution.step()) {
                return (Some(error), steps, evolution.time());
            }
            steps += 1;
        }
        (None, steps, evolution.time())
    };
    let (ended, _, time) = first_steps(1e4, 1_000);
    assert!(ended.is_none(), "{ended:?}");
    let dt = time / 1e3;
    let (ended, steps, _) = first_steps(1.5e6 * dt, 1_200);
    let error = ended.expect("an end");
    assert!(matches!(error, EvolveError::Endless { .. }), "{error}");
    assert_eq!(steps, 999, "at the thousandth step");
    let said = error.to_string();
    for word in ["method.columns", "method.tolerance", "of its"] {
        assert!(said.contains(word), "{said}");
    }
    let (ended, ..) = first_steps(0.5e6 * dt, 1_001);
    assert!(ended.is_none(), "{ended:?}");
}
