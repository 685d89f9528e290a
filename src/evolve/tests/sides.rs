//! Fluxes and exchange through sides, against exact solutions and a periodic twin.

use super::dirichlet::{error, fitted};
use super::support::*;
use crate::problem::expression::Expression;

fn text(equation: &str, domain: &str, end: f64, exact: &str, rest: &str) -> String {
    format!(
        "format = 1\n[equation]\ntext = '{equation}'\n[domain]\n{domain}\n[time]\nend = {end}\n\
         [exact]\n{exact}\n[network]\nwidth = 10\nhidden_layers = 2\n[points]\ncount = 80\n\
         [fit]\nmax_iterations = 200\ntolerance = 2e-6\n{rest}"
    )
}

/// The error at the end of a run and its own estimate.
fn solved(equation: &str, domain: &str, end: f64, exact: &str, rest: &str) -> (f64, f64) {
    let text = text(equation, domain, end, exact, rest);
    let mut evolution = fitted(&problem(&text, &[]));
    run(&mut evolution);
    let estimate = evolution.estimated_error().expect("an estimate").final_relative_l2;
    (error(&evolution), estimate)
}

const IMPLICIT: &str = "[method]\ncolumns = 150\nintegrator = 'rosenbrock-4'\ntolerance = 1e-6\n";
const EXPLICIT: &str = "[method]\ncolumns = 150\nintegrator = 'dormand-prince'\ntolerance = 1e-6\n";

/// The slowest mode of a rod that is insulated, that gives heat off, and one that is driven at both
/// ends; explicit and implicit steps.
#[test]
fn rods_follow_their_series() {
    let insulated = "x = { range = [0, 1], lower = 'u_x = 0', upper = 'u_x = 0' }";
    let fades = "u = 'exp(-0.1*pi^2*t)*cos(pi*x)'";
    // m tan m = 1.
    let m = "0.860333589019379762";
    let cools = "x = { range = [0, 1], lower = 'u_n = 0', upper = 'u_n + u = 0' }";
    let cooled = format!("u = 'exp(-({m})^2*t)*cos({m}*x)'");
    let driven =
        "x = { range = [0, 1], lower = 'sin(t)', upper = 'u_x + 50*u = 49*exp(-1)*sin(t)' }";
    let swings = "u = 'sin(t)*exp(-x)'";
    for (equation, domain, end, exact, rest) in [
        ("u_t = 0.1*u_xx", insulated, 1.0, fades, EXPLICIT),
        ("u_t = 0.1*u_xx", insulated, 1.0, fades, IMPLICIT),
        ("u_t = u_xx", cools, 0.5, &cooled, IMPLICIT),
        ("u_t = u_xx + (cos(t) - sin(t))*exp(-x)", driven, 1.0, swings, IMPLICIT),
    ] {
        let (error, estimate) = solved(equation, domain, end, exact, rest);
        println!("{equation} {domain}: {error:.1e} {estimate:.1e}");
        assert!(error < 2e-5, "{equation} {domain}: {error:e}");
        assert!((0.1..30.0).contains(&(estimate / error)), "{domain}: {estimate:e} of {error:e}");
    }
    // Planted: heat that spreads a hundredth faster.
    let text = text("u_t = u_xx", cools, 0.5, &cooled, IMPLICIT);
    let mut wrong = problem(&text, &[]);
    wrong.right_hand_side[0] = wrong.right_hand_side[0].clone() * Expression::Constant(1.01);
    let mut evolution = fitted(&wrong);
    run(&mut evolution);
    assert!(error(&evolution) > 1e-3);
}

/// Solutions that an even continuation would make rough: with slopes of the third order at the ends,
/// carried by a flow, with a strong exchange.
#[test]
fn flows_with_exchange_follow_a_made_up_solution() {
    let domain = "x = { range = [0, 1], lower = 'u_n + 50*u = 50*sin(t) - 2*cos(t)', \
        upper = 'u_x = 2*cos(2 + t)' }";
    let equation = "u_t = 0.1*u_xx - u*u_x + cos(2*x + t) + 0.4*sin(2*x + t) + sin(4*x + 2*t)";
    let (error, estimate) = solved(equation, domain, 0.5, "u = 'sin(2*x + t)'", IMPLICIT);
    println!("{error:.1e} {estimate:.1e}");
    assert!(error < 3e-4 && estimate > 0.1 * error, "{error:e} {estimate:e}");
}

/// Two unknowns with fluxes of their own.
#[test]
fn systems_have_conditions_for_each() {
    let domain = "x = { range = [0, 1], lower = ['u_n = 0', 'v_n = -exp(-t)'], \
        upper = ['u_n = 0', 'v_n + v = 2*exp(-t)'] }";
    let text = format!(
        "format = 1\n[equation]\ntext = ['u_t = v_xx - 0.1*pi^2*u + 0.1*(u_xx + pi^2*u)', \
         'v_t = v_xx - v']\n[domain]\n{domain}\n[time]\nend = 0.5\n\
         [exact]\nu = 'exp(-0.1*pi^2*t)*cos(pi*x)'\nv = 'exp(-t)*x'\n[network]\nwidth = 10\n\
         hidden_layers = 2\n[points]\ncount = 80\n[fit]\ntolerance = 2e-6\n{IMPLICIT}"
    );
    let mut evolution = fitted(&problem(&text, &[]));
    run(&mut evolution);
    let error = error(&evolution);
    println!("{error:.1e}");
    assert!(error < 2e-5, "{error:e}");
}
