//! Solutions that stand still, or nearly: they are no work.

use super::dirichlet::fitted;
use super::support::*;

/// Equation and initial state are put in.
const TEXT: &str = "format = 1\n\
    [equation]\ntext = 'u_t = u_xx'\n[domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 10\n\
    [initial]\nu = '1'\n[network]\nwidth = 15\nhidden_layers = 2\n[points]\ncount = 100\n\
    [method]\ncolumns = 200\n";

/// Steps to the end and the error there, of a state that stays.
fn still(equation: &str, state: &str, domain: &str) -> (usize, f64) {
    let equation = format!("u_t = {equation}");
    let text = TEXT.replace("{ range = [0, '2*pi'] }", domain);
    let problem = problem(&text, &[("equation.text", equation.as_str()), ("initial.u", state)]);
    let mut evolution = fitted(&problem);
    let steps = run(&mut evolution).len();
    let x: Vec<f64> = (0..50).map(|i| 0.01 + 0.0613 * f64::from(i)).collect();
    let exact = |x: &f64| problem.initial[0].evaluate_at(&[*x], 0.0, &[]);
    let exact: Vec<f64> = x.iter().map(exact).collect();
    let u = evolution.evaluate(&x);
    let difference = u.iter().zip(&exact).map(|(u, v)| (u - v).abs()).fold(0.0, f64::max);
    (steps, difference)
}

#[test]
fn constants_and_what_carries_values_take_a_few_steps_and_stay_to_round_off() {
    let circle = "{ range = [0, '2*pi'] }";
    for equation in
        ["u_xx", "u_xx + u - u^3", "0.01*u_xx - u*u_x", "-u_x", "u_xx - sin(x)*u*(u - 1)"]
    {
        for state in ["0", "1"] {
            let (steps, error) = still(equation, state, circle);
            assert!(steps <= 12 && error < 1e-12, "{equation}, {state}: {steps}, {error:e}");
        }
    }
    let rod = "{ range = [0, 4], lower = '1', upper = '3' }";
    let (steps, error) = still("u_xx", "1 + x/2", rod);
    assert!(steps <= 12 && error < 1e-12, "{steps}, {error:e}");
}

/// What a fit leaves of a state that stands still is not followed forward and back for ever.
#[test]
fn a_state_of_balance_takes_few_steps() {
    let (steps, error) = still("0.01*u_xx + 0.01*sin(x)", "sin(x)", "{ range = [0, '2*pi'] }");
    println!("{steps} steps, {error:.1e}");
    assert!(steps <= 200 && error < 1e-5, "{steps} steps, {error:e}");
}

/// A network without weights moves in few directions: one that has to move is fitted.
#[test]
fn a_constant_that_the_equation_moves_is_followed() {
    for equation in ["u_t = u_xx + sin(x)", "u_t = u_xx + a*sin(x)"] {
        let more = [("equation.text", equation), ("initial.u", "0"), ("parameters.a", "0")];
        let changes = if equation.contains('a') { &more[..] } else { &more[..2] };
        let problem = problem(TEXT, changes);
        let mut evolution = fitted(&problem);
        if equation.contains("a*") {
            evolution.set_parameters(&[1.0]).expect("a parameter");
        }
        run(&mut evolution);
        let x: Vec<f64> = (0..50).map(|i| 0.01 + 0.125 * f64::from(i)).collect();
        let exact: Vec<f64> = x.iter().map(|x| x.sin() * (1.0 - (-10f64).exp())).collect();
        let error = relative_l2(&evolution.evaluate(&x), &exact);
        assert!(error < 1e-4, "{equation}: {error:e}");
    }
}
