//! Corrections of trainings that were ended early, against exact solutions, and those that must not be.

use super::support::trained;
use crate::field::residual::Comparison;
use crate::{Correction, correct};

struct Ended {
    before: f64,
    after: f64,
    correction: Option<Correction>,
}

/// Errors of a training after some iterations, and with its correction.
fn ended(text: &str, exact: &str) -> Ended {
    let text = format!("format = 1\n{text}\n[exact]\nu = '{exact}'\n");
    let (problem, training) = trained(&text);
    let theta = training.parameters();
    let correction = correct(&problem, theta).expect("finite");
    let comparison = Comparison::new(&problem);
    let error = |theta: &[f64]| comparison.relative_l2(theta).expect("an exact solution");
    let after = correction.as_ref().map_or(f64::NAN, |c| error(&c.parameters));
    Ended { before: error(theta), after, correction }
}

const NETWORK: &str = "[network]\nlayers = [16, 16]\n[method]\niterations = 25\n";

/// On a line they end at round-off, linear or not; in the plane at what 337 functions can hold.
#[test]
fn corrections_take_away_what_their_functions_hold() {
    let line =
        "[domain]\nx = { range = [0, 1] }\n[residual.wall]\non = 'boundary'\nequation = 'u = 0'\n";
    let square = "[domain]\nx = { range = [0, 1] }\ny = { range = [0, 1] }\n\
                  [residual.wall]\non = 'boundary'\nequation = 'u = 0'\n";
    let ring = "[domain]\nt = { range = [0, 1] }\nx = { range = [0, '2*pi'], embedding = 'periodic' }\n\
                [residual.start]\non = 't = 0'\nequation = 'u = sin(x)'\n";
    for (name, blocks, exact, limit) in [
        (
            "a line",
            format!("{line}[residual.interior]\nequation = '-u_xx = pi^2*sin(pi*x)'\n"),
            "sin(pi*x)",
            1e-12,
        ),
        (
            "a square",
            format!(
                "{square}[residual.interior]\nequation = 'u - laplace(u) = (1 + 5*pi^2)*sin(pi*x)*sin(2*pi*y)'\n\
                 points = {{ layout = 'sobol', count = 300 }}\n"
            ),
            "sin(pi*x)*sin(2*pi*y)",
            1e-8,
        ),
        (
            "not linear",
            format!(
                "{line}[residual.interior]\nequation = '-u_xx + u^3 = pi^2*sin(pi*x) + sin(pi*x)^3'\n"
            ),
            "sin(pi*x)",
            1e-12,
        ),
        (
            "in time",
            format!(
                "{ring}[residual.interior]\nequation = 'u_t = 0.5*u_xx - u_x'\n\
                 points = {{ layout = 'sobol', count = 300 }}\n"
            ),
            "exp(-0.5*t)*sin(x - t)",
            1e-9,
        ),
    ] {
        let Ended { before, after, .. } = ended(&(blocks + NETWORK), exact);
        eprintln!("{name}: {before:.1e}, {after:.1e}");
        assert!(before > 1e-9, "{name} leaves something to correct: {before:.1e}");
        assert!(after < limit, "{name}: {before:.1e}, then {after:.1e}");
    }
}

/// Points that miss a front say nothing of the answer there: what fits them better must not be taken for
/// it.
#[test]
fn a_correction_does_not_make_an_answer_worse() {
    let blocks = "[domain]\nx = { range = [-1, 1] }\n\
                  [residual.wall]\non = 'boundary'\nequation = 'u = x'\n\
                  [residual.interior]\n\
                  equation = 'u_xx = -2*50^2*tanh(50*x)*(1 - tanh(50*x)^2)'\n\
                  points = { count = 16 }\n";
    let Ended { before, after, correction } = ended(&format!("{blocks}{NETWORK}"), "tanh(50*x)");
    assert!(before > 1e-3, "{before:.1e}");
    assert!(correction.is_none() || after < before, "{before:.1e}, then {after:.1e}");
}
