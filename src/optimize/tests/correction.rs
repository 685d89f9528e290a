//! Corrections of trainings that were ended early, against exact solutions, and those that must not be.

use super::support::trained;
use crate::field::residual::Comparison;
use crate::problem::ResidualProblem;
use crate::{Correction, Untrained, correct};

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
    let correction = correct(&problem, theta, None, true).expect("finite");
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

fn untrained(problem: &ResidualProblem) -> Option<Correction> {
    let mut untrained = Untrained::new(problem).expect("finite");
    untrained.advance_to(usize::MAX, problem).expect("finite");
    untrained.correction().cloned()
}

/// Smooth solutions need no training: linear or not, fast in time, of several notes, periodic or between
/// walls, of one unknown or two.
#[test]
fn smooth_problems_are_solved_by_plane_waves_alone() {
    for (name, text, exact, limit) in [
        (
            "notes of a string",
            "[domain]\nt = { range = [0, 1] }\nx = { range = [0, 1] }\n\
             [residual.interior]\nequation = 'u_tt = 4*u_xx'\n\
             [residual.start]\non = 't = 0'\nequation = ['u = sin(pi*x) + sin(3*pi*x)/2', 'u_t = 0']\n\
             [residual.ends]\non = ['x = 0', 'x = 1']\nequation = 'u = 0'\n",
            "u = 'sin(pi*x)*cos(2*pi*t) + sin(3*pi*x)*cos(6*pi*t)/2'",
            1e-10,
        ),
        (
            "a fast wave on a circle",
            "[domain]\nt = { range = [0, 1] }\nx = { range = [0, '2*pi'], embedding = 'periodic' }\n\
             [residual.interior]\nequation = 'u_t/20 + u_x = 0'\n\
             [residual.start]\non = 't = 0'\nequation = 'u = sin(x)'\n",
            "u = 'sin(x - 20*t)'",
            1e-11,
        ),
        (
            "not linear",
            "[domain]\nx = { range = [0, 2] }\n\
             [residual.interior]\nequation = 'u_xx = exp(u)'\n\
             [residual.left]\non = 'x = 0'\nequation = 'u = -2*log(cos(0.5))+log(0.5)'\n\
             [residual.right]\non = 'x = 2'\nequation = 'u = -2*log(cos(0.5))+log(0.5)'\n",
            "u = '-2*log(cos((x - 1)/2)) + log(0.5)'",
            1e-11,
        ),
        (
            "two unknowns",
            "unknown = ['u', 'v']\n[domain]\nx = { range = [0, 3] }\n\
             [residual.interior]\nequation = ['u_x = v', 'v_x = -4*u']\n\
             [residual.start]\non = 'x = 0'\nequation = ['u = 0', 'v = 2']\n",
            "u = 'sin(2*x)'\nv = '2*cos(2*x)'",
            1e-11,
        ),
    ] {
        let text = format!("format = 1\n{text}[exact]\n{exact}\n");
        let problem = ResidualProblem::from_toml(&text, &Vec::new()).expect(name);
        let found = untrained(&problem).expect(name);
        let comparison = Comparison::new(&problem);
        let error = comparison.relative_l2(&found.parameters).expect("an exact solution");
        eprintln!("{name}: {error:.1e} by {} waves", found.waves);
        assert!(
            found.is_enough(&problem) && found.waves > 0 && error < limit,
            "{name}: {error:.1e}"
        );
    }
}

/// What is singular in a hole is smooth in coordinates that are turned inside out there: of a disc and in
/// its middle, beside the middle of an ellipse, in a ball.
#[test]
fn solutions_around_holes_are_found_by_waves_around_them() {
    let text = |hole: &str, coordinates: &[&str], exact: &str| {
        let domain: String =
            coordinates.iter().map(|x| format!("{x} = {{ range = [-1, 1] }}\n")).collect();
        format!(
            "format = 1\n[domain]\n{domain}shape = 'box - hole'\n[shapes.hole]\n{hole}\n\
             [residual.interior]\nequation = 'laplace(u) = 0'\n\
             [residual.wall]\non = 'boundary'\nequation = 'u = {exact}'\n[exact]\nu = '{exact}'\n"
        )
    };
    let plane = ["x", "y"];
    for (hole, coordinates, exact, limit) in [
        (
            "disc = { centre = [0.1, -0.2], radius = 0.2 }",
            &plane[..],
            "log((x - 0.1)^2 + (y + 0.2)^2) + x*y",
            1e-5,
        ),
        (
            "ellipse = { centre = [0.2, 0], axes = [0.3, 0.2] }",
            &plane,
            "(y - 0.05)/((x - 0.12)^2 + (y - 0.05)^2)",
            1e-2,
        ),
        (
            "ball = { centre = [0, 0, 0.3], radius = 0.4 }",
            &["x", "y", "z"],
            "1/sqrt(x^2 + y^2 + (z - 0.3)^2)",
            1e-2,
        ),
    ] {
        let text = text(hole, coordinates, exact);
        let problem = ResidualProblem::from_toml(&text, &Vec::new()).expect(hole);
        let mut untrained = Untrained::new(&problem).expect("finite");
        // More functions would find more, and take more time than a test has.
        untrained.advance_to(2, &problem).expect("finite");
        let found = untrained.correction().expect(hole);
        let comparison = Comparison::new(&problem);
        let error = comparison.relative_l2(&found.parameters).expect("an exact solution");
        let told = crate::estimate(&problem, &found.parameters).expect("finite").relative_l2;
        eprintln!("{hole}: {error:.1e}, estimated {told:.1e}");
        assert!(error < limit, "{hole}: {error:.1e}");
        assert!(told > 0.1 * error && told < 200.0 * error, "{hole}: {error:.1e}, told {told:.1e}");
    }
}

/// A front that no function at hand can follow is told from an answer.
#[test]
fn plane_waves_do_not_claim_a_front() {
    let text = "format = 1\n[domain]\nx = { range = [-1, 1] }\ny = { range = [-1, 1] }\n\
                [residual.wall]\non = 'boundary'\nequation = 'u = tanh(300*(x - y/3))'\n\
                [residual.interior]\nequation = 'laplace(u) = \
                -20/9*300^2*tanh(300*(x - y/3))*(1 - tanh(300*(x - y/3))^2)'\n\
                [exact]\nu = 'tanh(300*(x - y/3))'\n";
    let problem = ResidualProblem::from_toml(text, &Vec::new()).expect("a problem");
    let found = untrained(&problem);
    assert!(found.is_none_or(|found| !found.is_enough(&problem)));
}
