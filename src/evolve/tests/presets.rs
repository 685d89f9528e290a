//! Built-in problems over a short time and at a reduced size.

use super::dirichlet::{error, fitted};
use super::support::*;
use crate::problem::Preset;

/// Error of a preset with entries changed, in so many steps.
fn solve(name: &str, overrides: &[(&str, &str)]) -> (f64, usize) {
    let mut all = vec![
        ("network.activation", "tanh"),
        ("method.integrator", "dormand-prince"),
        ("method.rcond", "1e-7"),
        ("method.corrections", "6"),
        ("fit.tolerance", "1e-5"),
    ];
    all.extend(overrides);
    let mut evolution = fitted(&problem(Preset::find(name).expect("a preset").text, &all));
    let steps = run(&mut evolution).len();
    let error = error(&evolution);
    println!("{name}: {error:.2e} after {steps} steps");
    (error, steps)
}

#[test]
fn a_soliton_travels() {
    let (error, _) = solve(
        "kdv",
        &[
            ("time.end", "0.02"),
            ("network.width", "12"),
            ("network.hidden_layers", "2"),
            ("points.count", "150"),
            ("method.columns", "200"),
            ("method.step", "1e-4"),
            ("method.tolerance", "1e-5"),
        ],
    );
    // It has moved by 0.08 of its width 1, which without motion is an error of 0.09.
    assert!(error < 1e-3, "{error}");
}

#[test]
fn kuramoto_sivashinsky_follows_the_spectral_reference() {
    let (error, _) = solve(
        "kuramoto-sivashinsky",
        &[
            ("time.end", "0.5"),
            ("network.width", "10"),
            ("network.hidden_layers", "1"),
            ("points.count", "48"),
            ("method.columns", "100"),
            ("method.step", "1e-3"),
            ("method.tolerance", "1e-4"),
        ],
    );
    assert!(error < 1e-3, "{error}");
}

#[test]
fn two_waves_are_carried_in_two_dimensions() {
    let (error, _) = solve(
        "advection-diffusion-2d",
        &[
            ("time.end", "0.2"),
            ("network.width", "12"),
            ("network.hidden_layers", "2"),
            ("points.count", "16"),
            ("method.columns", "200"),
            ("method.step", "1e-2"),
            ("method.tolerance", "1e-5"),
        ],
    );
    assert!(error < 3e-4, "{error}");
}
