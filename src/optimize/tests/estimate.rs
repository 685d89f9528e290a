//! The estimate of a training's error against exact solutions, and problems that it must not believe.

use super::support;
use crate::field::residual::Comparison;
use crate::{Convergence, ErrorEstimate, estimate};

const LINE: &str = "[domain]\nx = { range = [0, 1] }\n";
const WALLS: &str = "[residual.wall]\non = 'boundary'\nequation = 'u = 0'\n";
const STRIP: &str = "[domain]\nt = { range = [0, 1] }\nx = { range = [0, 1] }\n";
const SQUARE: &str = "[domain]\nx = { range = [0, 1] }\ny = { range = [0, 1] }\n";

struct Trained {
    estimate: ErrorEstimate,
    error: Option<f64>,
    convergence: Convergence,
}

fn trained(domain: &str, blocks: &str, exact: &str, rest: &str) -> Trained {
    let exact = match exact {
        "" => String::new(),
        exact => format!("[exact]\nu = '{exact}'\n"),
    };
    let network = "[network]\nlayers = [12, 12]\n[method]\n";
    let text = format!("format = 1\n{domain}{blocks}{exact}{network}{rest}");
    let (problem, training) = support::trained(&text);
    let estimate = estimate(&problem, training.parameters()).expect("finite");
    Trained {
        error: Comparison::new(&problem).relative_l2(training.parameters()),
        convergence: training.convergence(estimate.is_good()),
        estimate,
    }
}

fn block(equation: &str, points: &str) -> String {
    format!("[residual.interior]\nequation = '{equation}'\npoints = {points}\n")
}

fn on(name: &str, place: &str, equation: &str) -> String {
    format!("[residual.{name}]\non = {place}\nequation = {equation}\n")
}

/// Twenty problems and how they are trained: (name, domain, blocks, exact solution, method).
fn made_up() -> Vec<(&'static str, &'static str, String, &'static str, &'static str)> {
    let many = "{ count = 40 }";
    let grid = "{ count = 10 }";
    let [short, usual] = ["iterations = 6", "iterations = 40"];
    let start = |u: &str| on("start", "'t = 0'", &format!("'u = {u}'"));
    let sides = |u: &str| on("side", "['x = 0', 'x = 1']", &format!("'u = {u}'"));
    let time = "[domain]\nt = { range = [0, 4] }\n";
    let heat = || block("u_t = 0.2*u_xx", grid) + &start("sin(pi*x)") + &sides("0");
    let heated = "exp(-0.2*pi^2*t)*sin(pi*x)";
    let ring =
        "[domain]\nt = { range = [0, 1] }\nx = { range = [0, '2*pi'], embedding = 'periodic' }\n";
    let poisson = |points| block("-u_xx = pi^2*sin(pi*x)", points) + WALLS;
    let square = |f: &str, points| block(f, points) + WALLS;
    let waved = "sin(2*pi*x)*sin(2*pi*y)";
    vec![
        ("poisson", LINE, poisson(many), "sin(pi*x)", usual),
        ("poisson, few points", LINE, poisson("{ count = 5 }"), "sin(pi*x)", usual),
        ("poisson, early", LINE, poisson(many), "sin(pi*x)", short),
        (
            "poisson, unseen",
            LINE,
            block("-u_xx = 100*pi^2*sin(10*pi*x)", "{ count = 3 }") + WALLS,
            "sin(10*pi*x)",
            usual,
        ),
        ("weighted", LINE, poisson(many) + "weight = 1e-4\n", "sin(pi*x)", short),
        (
            "layer",
            LINE,
            block("-0.02*u_xx + u_x = 1", many) + WALLS,
            "x - (exp(50*(x - 1)) - exp(-50))/(1 - exp(-50))",
            usual,
        ),
        (
            "beam",
            LINE,
            block("u_xxxx = pi^4*sin(pi*x)", many)
                + &on("wall", "'boundary'", "['u = 0', 'u_xx = 0']"),
            "sin(pi*x)",
            usual,
        ),
        (
            "cubic",
            LINE,
            block("u_xx = u^3 + 6*x - x^9", many)
                + &on("a", "'x = 0'", "'u = 0'")
                + &on("b", "'x = 1'", "'u = 1'"),
            "x^3",
            short,
        ),
        (
            "wave number",
            LINE,
            block("u_xx + 60*u = 0", many)
                + &on("a", "'x = 0'", "'u = 0'")
                + &on("b", "'x = 1'", "'u = sin(sqrt(60))'"),
            "sin(sqrt(60)*x)",
            usual,
        ),
        (
            "energy",
            LINE,
            "[residual.interior]\nenergy = 'u_x^2/2 + u^2/2 - (1 + pi^2)*cos(pi*x)*u'\n\
            points = { layout = 'gauss', count = 20 }\n"
                .into(),
            "cos(pi*x)",
            short,
        ),
        ("decay", time, block("u_t = -u", many) + &start("1"), "exp(-t)", usual),
        ("growth", time, block("u_t = u", many) + &start("1"), "exp(t)", usual),
        (
            "oscillator",
            time,
            block("u_tt = -4*u", many) + &on("start", "'t = 0'", "['u = 0', 'u_t = 2']"),
            "sin(2*t)",
            usual,
        ),
        ("heat", STRIP, heat(), heated, usual),
        ("heat, early", STRIP, heat(), heated, short),
        ("heat, by adam", STRIP, heat(), heated, "name = 'adam'\niterations = 300"),
        (
            "wave",
            STRIP,
            block("u_tt = u_xx", grid)
                + &on("start", "'t = 0'", "['u = sin(pi*x)', 'u_t = 0']")
                + &sides("0"),
            "cos(pi*t)*sin(pi*x)",
            usual,
        ),
        (
            "advection",
            ring,
            block("u_t + 2*u_x = 0", grid) + &start("exp(sin(x))"),
            "exp(sin(x - 2*t))",
            short,
        ),
        (
            "square",
            SQUARE,
            square("-(u_xx + u_yy) = 8*pi^2*sin(2*pi*x)*sin(2*pi*y)", grid),
            waved,
            usual,
        ),
        (
            "square, few",
            SQUARE,
            square("-(u_xx + u_yy) = 8*pi^2*sin(2*pi*x)*sin(2*pi*y)", "{ count = 5 }"),
            waved,
            usual,
        ),
    ]
}

/// Neither ten times too small nor a hundred times too large.
#[test]
fn twenty_problems_know_their_errors() {
    let mut wrong = Vec::new();
    for (name, domain, blocks, exact, rest) in made_up() {
        let Trained { estimate, error, .. } = trained(domain, &blocks, exact, rest);
        let error = error.expect("an exact solution");
        let ratio = estimate.relative_l2 / error;
        println!(
            "{name}: error {error:.1e}, estimated {:.1e}, ratio {ratio:.2}",
            estimate.relative_l2
        );
        if !(0.1..=100.0).contains(&ratio) || estimate.free.is_some() {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// An answer that is damaged after its training is told, by about as much as it is wrong; and what these
/// tests hold estimates against finds one that does not look at the residual.
#[test]
fn a_damaged_answer_is_told_and_an_estimate_that_does_not_look_is_found_out() {
    let honest = |estimated: f64, error: f64| (0.1..=100.0).contains(&(estimated / error));
    let poisson = block("-u_xx = pi^2*sin(pi*x)", "{ count = 40 }") + WALLS;
    let text = format!(
        "format = 1\n{LINE}{poisson}[exact]\nu = 'sin(pi*x)'\n[network]\nlayers = [12, 12]\n\
         [method]\niterations = 40\n"
    );
    let (problem, training) = support::trained(&text);
    let comparison = Comparison::new(&problem);
    let before = estimate(&problem, training.parameters()).expect("finite").relative_l2;
    for damage in [1e-5, 1e-3, 1e-1] {
        let mut damaged = training.parameters().to_vec();
        damaged.iter_mut().enumerate().for_each(|(k, p)| *p *= 1.0 + damage * (k as f64).sin());
        let error = comparison.relative_l2(&damaged).expect("an exact solution");
        let after = estimate(&problem, &damaged).expect("finite").relative_l2;
        println!("damaged by {damage:.0e}: error {error:.1e}, estimated {after:.1e}");
        assert!(honest(after, error), "{after:e} for {error:e}");
        assert!(!honest(before, error), "{before:e} is still taken for {error:e}");
    }
}

/// A seam that holds by construction says nothing, however its round-off is weighted.
#[test]
fn a_seam_that_always_holds_is_no_residual() {
    let ring = "[domain]\nt = { range = [0, 1] }\n\
                x = { range = [0, '2*pi'], embedding = 'periodic' }\n";
    let blocks = block("u_t + u_x = 0", "{ layout = 'sobol', count = 200 }")
        + &on("start", "'t = 0'", "'u = sin(x)'")
        + "[residual.seam]\nperiodic = 'x'\nmatch = 'u'\n";
    let Trained { estimate, error, .. } = trained(ring, &blocks, "sin(x - t)", "iterations = 60");
    let error = error.expect("an exact solution");
    assert!(error < 1e-4, "{error:e}");
    assert!((0.1..=100.0).contains(&(estimate.relative_l2 / error)), "{error:e}, {estimate:?}");
}

/// The estimate looks at other points, and at the same network: its frequencies are of the problem's
/// seed.
#[test]
fn an_estimate_is_of_the_network_with_its_frequencies() {
    let text = block("-u_xx = pi^2*sin(pi*x)", "{ count = 40 }") + WALLS;
    let rest = "iterations = 40\n[network.fourier]\ncount = 6\nscale = 1.0\n";
    let Trained { estimate, error, .. } = trained(LINE, &text, "sin(pi*x)", rest);
    let error = error.expect("an exact solution");
    assert!(error < 1e-4, "{error:e}");
    assert!((0.1..=100.0).contains(&(estimate.relative_l2 / error)), "{error:e}, {estimate:?}");
}

#[test]
fn answers_that_are_none_are_told() {
    let usual = "iterations = 60";
    let poisson = block("-u_xx = 1", "{ count = 40 }");
    // Fluxes that contradict the load, and leave a constant free.
    let fluxes =
        trained(LINE, &(poisson.clone() + &on("wall", "'boundary'", "'u_x = 0'")), "", usual);
    assert!(fluxes.estimate.free.is_some(), "{:?}", fluxes.estimate);
    // A layer between the wall and the first point makes the loss vanish, not the error.
    assert_ne!(fluxes.convergence, Convergence::Converged);
    // A mile without units.
    let long = "[domain]\nx = { range = [0, 6000] }\n";
    let long = trained(long, &(poisson + WALLS), "x*(6000 - x)/2", usual);
    assert!(long.estimate.free.is_none() && long.estimate.relative_l2 > 0.5);
    assert!(long.error.is_some_and(|error| error > 0.5));
    assert_eq!(long.convergence, Convergence::Stalled);
    // A state that nothing says.
    let ring =
        "[domain]\nt = { range = [0, 1] }\nx = { range = [0, '2*pi'], embedding = 'periodic' }\n";
    let transport = block("u_t + u_x = 0", "{ count = 12 }");
    let free = trained(ring, &transport, "", usual);
    assert!(free.estimate.free.is_some() && !free.estimate.is_good());
    assert_ne!(free.convergence, Convergence::Converged);
    // The same with a state is no such problem.
    let given = transport + &on("start", "'t = 0'", "'u = sin(x)'");
    let given = trained(ring, &given, "sin(x - t)", usual);
    assert!(given.estimate.free.is_none() && given.estimate.is_good(), "{:?}", given.estimate);
    // A rate beyond all reason.
    let walls = block("-u_xx = 1", "{ count = 40 }") + WALLS;
    let wild = trained(LINE, &walls, "", "name = 'adam'\nrate = 1e9\niterations = 60");
    assert_eq!(wild.convergence, Convergence::Diverged);
}
