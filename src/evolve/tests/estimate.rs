//! The estimate of an evolution's error against exact solutions.

use super::support::{evolution, problem, relative_l2, run};
use crate::initial_fit::InitialFit;
use crate::problem::Problem;
use crate::problem::expression::Expression;
use crate::{Evolution, EvolutionEstimate};

const RING: &str = "x = { range = [0, '2*pi'] }";
const ROD: &str = "x = { range = [0, 1], boundary = 'dirichlet', lower = '0', upper = '0' }";

fn text(equation: &str, domain: &str, end: f64, initial: &str, rest: &str) -> String {
    format!(
        "format = 1\n[equation]\ntext = '{equation}'\n[domain]\n{domain}\n[time]\nend = {end}\n\
         [initial]\nu = '{initial}'\n[network]\nwidth = 10\nhidden_layers = 2\n{rest}"
    )
}

/// From a fit to the end: the estimate, and the error at the end against the exact solution there.
fn solved(text: &str, exact: &str) -> (EvolutionEstimate, f64) {
    let problem = problem(text, &[]);
    let mut fit = InitialFit::new(&problem).expect("a fit");
    while !fit.iterate().expect("goes on").done {}
    let mut evolution = evolution(&problem, fit.parameters().to_vec());
    run(&mut evolution);
    let error = final_error(&problem, &evolution, exact);
    (evolution.estimated_error().expect("an estimate").clone(), error)
}

fn final_error(problem: &Problem, evolution: &Evolution, exact: &str) -> f64 {
    // Through a problem whose initial state is the exact solution, with the end time for t.
    let with_exact = format!("{}\n[exact]\nu = '{exact}'\n", problem.source);
    let with_exact = super::support::problem(&with_exact, &[]);
    let exact: &Expression = &with_exact.exact.as_ref().expect("given")[0];
    let coordinate = &problem.coordinates[0];
    let place = |i: usize| {
        coordinate.lower + (coordinate.upper - coordinate.lower) * (i as f64 + 0.37) / 500.0
    };
    let places: Vec<f64> = (0..500).map(place).collect();
    let truth: Vec<f64> =
        places.iter().map(|&x| exact.evaluate_at(&[x], problem.time.end, &[])).collect();
    relative_l2(&evolution.evaluate(&places), &truth)
}

/// (name, text, exact solution)
fn made_up() -> Vec<(&'static str, String, &'static str)> {
    let plain = "[points]\ncount = 120\n[method]\ncolumns = 120\n[fit]\nmax_iterations = 150\n";
    let rough = "[points]\ncount = 120\n[method]\ncolumns = 120\ntolerance = 1e-3\n[fit]\n\
        max_iterations = 30\n";
    let few = "[points]\ncount = 12\n[method]\ncolumns = 120\n[fit]\nmax_iterations = 150\n";
    let three = "sin(x) + 0.5*cos(2*x) + 0.3*sin(5*x)";
    let cooled = "exp(-0.1*t)*sin(x) + 0.5*exp(-0.4*t)*cos(2*x) + 0.3*exp(-2.5*t)*sin(5*x)";
    let heat = |rest| text("u_t = 0.1*u_xx", RING, 1.0, three, rest);
    vec![
        ("heat", heat(plain), cooled),
        ("heat, roughly", heat(rough), cooled),
        ("heat, twelve points", heat(few), cooled),
        ("advection", text("u_t = -u_x", RING, 1.0, "exp(sin(x))", plain), "exp(sin(x - t))"),
        (
            "advection, roughly",
            text("u_t = -u_x", RING, 1.0, "exp(sin(x))", rough),
            "exp(sin(x - t))",
        ),
        ("growth", text("u_t = u + 0.1*u_xx", RING, 2.0, "sin(x)", plain), "exp(0.9*t)*sin(x)"),
        (
            "unstable waves",
            text("u_t = -u_xx - 0.5*u_xxxx", RING, 1.0, "sin(x)", plain),
            "exp(0.5*t)*sin(x)",
        ),
        ("rod", text("u_t = 0.1*u_xx", ROD, 0.5, "sin(pi*x)", plain), "exp(-0.1*pi^2*t)*sin(pi*x)"),
        (
            "load",
            text("u_t = 0.1*u_xx + cos(t)*sin(x)", RING, 1.0, "0*x", plain),
            "(0.1*cos(t) + sin(t) - 0.1*exp(-0.1*t))/1.01*sin(x)",
        ),
        (
            "logistic",
            text("u_t = u*(1 - u)", RING, 1.0, "0.5 + 0.25*sin(x)", plain),
            "1/(1 + exp(-t)*(1/(0.5 + 0.25*sin(x)) - 1))",
        ),
    ]
}

#[test]
fn evolutions_know_their_errors() {
    let mut wrong = Vec::new();
    for (name, text, exact) in made_up() {
        let (estimate, error) = solved(&text, exact);
        let ratio = estimate.final_relative_l2 / error;
        println!(
            "{name}: error {error:.1e}, estimated {:.1e}, ratio {ratio:.2}",
            estimate.final_relative_l2
        );
        if !(0.1..=100.0).contains(&ratio) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Points too few for its waves, and a shock: both are told.
#[test]
fn what_is_not_resolved_is_told() {
    let few = "[points]\ncount = 12\n[method]\ncolumns = 120\n[fit]\nmax_iterations = 150\n";
    let initial = "sin(x) + 0.5*cos(2*x) + 0.3*sin(5*x)";
    let exact = "exp(-0.1*t)*sin(x) + 0.5*exp(-0.4*t)*cos(2*x) + 0.3*exp(-2.5*t)*sin(5*x)";
    let (estimate, error) = solved(&text("u_t = 0.1*u_xx", RING, 1.0, initial, few), exact);
    assert!(error > 1e-3 && estimate.final_relative_l2 > 0.1 * error, "{error:e} {estimate:?}");
}
