//! Implicit stages: their order on stiff equations, and the steps that they save.

use super::dirichlet::{error, fitted};
use super::support::*;
use crate::problem::Problem;

/// A rod that cools: a linear equation.
const HEAT: &str = "format = 1\n\
    [equation]\ntext = 'u_t = 0.1*u_xx'\n[domain]\nx = { range = [0, 1], boundary = 'dirichlet' }\n\
    [time]\nend = 1\n[exact]\nu = 'exp(-0.1*pi^2*t)*sin(pi*x)'\n\
    [network]\nwidth = 8\nhidden_layers = 1\nactivation = 'tanh'\n[points]\ncount = 200\n\
    [fit]\ntolerance = 1e-8\n\
    [method]\nupdate = 'dense'\nstep = 0.25\n";

/// A nonlinear reaction beside the diffusion, and a source that changes in time.
fn reacting() -> String {
    HEAT.replace(
        "0.1*u_xx",
        "0.1*u_xx + u - u^3 + (0.1*pi^2 - 2)*exp(-t)*sin(pi*x) + exp(-3*t)*sin(pi*x)^3",
    )
    .replace("exp(-0.1*pi^2*t)", "exp(-t)")
}

/// The same, driven to (1 + sin(12 t)/20) sin(pi x): the method's error is that of a fast swing, and
/// the moves are small, so that fits with time enough add nothing to it.
fn swinging(reaction: &str) -> String {
    let exact = "(1 + sin(12*t)/20)*sin(pi*x)";
    let own = reaction.replace('u', &format!("({exact})"));
    let source = format!("0.6*cos(12*t)*sin(pi*x) + 0.1*pi^2*{exact}");
    let whole = format!("0.1*u_xx + {source} + ({reaction}) - ({own})");
    HEAT.replace("0.1*u_xx", &whole)
        .replace("exp(-0.1*pi^2*t)*sin(pi*x)", exact)
        .replace("width = 8", "width = 16")
        .replace("step = 0.25", "step = 0.25\ncorrections = 10")
}

fn stepped(text: &str, integrator: &str, steps: usize) -> f64 {
    let step = (1.0 / steps as f64).to_string();
    let problem =
        problem(text, &[("method.integrator", integrator), ("method.step", step.as_str())]);
    let mut evolution = fitted(&problem);
    assert_eq!(run(&mut evolution).len(), steps);
    error(&evolution)
}

/// Between two numbers of steps whose errors are the methods' own: fewer are too few for their order,
/// and of more the fits leave as much.
#[test]
fn implicit_stages_have_the_order_of_their_method() {
    for (integrator, expected, steps) in [("rosenbrock-3", 3.0, 16), ("rosenbrock-4", 4.0, 8)] {
        for text in [swinging("0*u"), swinging("u - u^3")] {
            let [coarse, fine] = [1, 2].map(|finer| stepped(&text, integrator, finer * steps));
            let order = (coarse / fine).log2();
            println!("{integrator}: {coarse:.2e}, {fine:.2e}, order {order:.2}");
            assert!((order - expected).abs() < 0.6, "{integrator}: {coarse:.2e} {fine:.2e}");
        }
    }
}

fn controlled(text: &str, integrator: &str) -> (usize, f64) {
    let changes = [("method.integrator", integrator), ("method.tolerance", "1e-6")];
    let problem: Problem = problem(text, &changes);
    let mut evolution = fitted(&problem);
    let steps = run(&mut evolution).len();
    (steps, error(&evolution))
}

#[test]
fn implicit_steps_are_set_by_accuracy_and_explicit_ones_by_stability() {
    for text in [HEAT.to_owned(), reacting()] {
        let (explicit, _) = controlled(&text, "dormand-prince");
        let (implicit, error) = controlled(&text, "rosenbrock-4");
        println!("{explicit} explicit steps, {implicit} implicit ones, error {error:.1e}");
        assert!(implicit * 5 < explicit, "{explicit} explicit steps, {implicit} implicit ones");
        assert!(error < 2e-5, "{error:e}");
    }
}

/// It begins with explicit steps, which the rod refuses, and stays with them where nothing is stiff.
#[test]
fn a_run_that_chooses_takes_implicit_steps_where_they_pay() {
    let chosen = |text: &str| {
        let changes = [("method.integrator", "auto"), ("method.tolerance", "1e-6")];
        let mut evolution = fitted(&problem(text, &changes));
        let implicit: Vec<bool> = run(&mut evolution).iter().map(|step| step.implicit).collect();
        (implicit, error(&evolution))
    };
    let (explicit, _) = controlled(HEAT, "dormand-prince");
    let (implicit, error) = chosen(HEAT);
    let count = implicit.iter().filter(|implicit| **implicit).count();
    println!("{count} of {} steps are implicit, error {error:.1e}", implicit.len());
    assert!(2 * count > implicit.len(), "{implicit:?}");
    assert!(implicit.len() * 4 < explicit, "{} steps, {explicit} explicit ones", implicit.len());
    assert!(error < 2e-5, "{error:e}");
    // A swing of each point by itself.
    let easy = HEAT
        .replace("0.1*u_xx", "cos(3*t)*u")
        .replace("exp(-0.1*pi^2*t)*sin", "exp(sin(3*t)/3)*sin");
    let (implicit, error) = chosen(&easy);
    assert!(implicit.iter().all(|implicit| !implicit), "{implicit:?}");
    assert!(error < 2e-5, "{error:e}");
}
