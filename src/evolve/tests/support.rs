//! Small problems, and runs of them.

use crate::field::device::Backend;
use crate::network::Network;
use crate::problem::{Points, Problem};
use crate::{Engine, Evolution, StepReport};

/// u_t = cos(t) u - (1 + cos(t)/2) u_x carries the start along and scales it: from v(x) comes
/// exp(sin t) v(x - t - sin(t)/2), which a network follows exactly by its output weights and its
/// phases. So all error in it is that of the time stepping.
pub const CARRIED: &str = "format = 1\n\
    [equation]\ntext = 'u_t = cos(t)*u - (1 + 0.5*cos(t))*u_x'\n\
    [domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 1\n[initial]\nu = 'sin(x)'\n\
    [network]\nwidth = 2\nhidden_layers = 0\nactivation = 'tanh'\n[points]\ncount = 24\n\
    [method]\nscheme = 'parameter-ode'\nupdate = 'dense'\ncolumns = 5\nsolver = 'svd'\n\
    regularisation = 'truncate'\nrcond = 1e-13\n";

/// u_t = cos(t) (u - u^3) is an ordinary differential equation at every point; a network with many
/// more parameters than points can be anything there.
pub const REACTION: &str = "format = 1\n\
    [equation]\ntext = 'u_t = cos(t)*(u - u^3)'\n\
    [domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 1\n[initial]\nu = 'sin(x)'\n\
    [network]\nwidth = 8\nhidden_layers = 1\nactivation = 'tanh'\n[points]\ncount = 16\n\
    [method]\nscheme = 'stage-fit'\nupdate = 'dense'\ncolumns = 60\nrcond = 1e-7\ncorrections = 6\n";

/// A problem from its text, with some entries changed.
pub fn problem(text: &str, overrides: &[(&str, &str)]) -> Problem {
    let overrides = overrides.iter().map(|&(key, v)| (key.to_owned(), v.to_owned())).collect();
    Problem::from_toml(text, &overrides).expect("a problem")
}

/// The network's starting parameters with the output scaled so that max |u| at the points is
/// `height`, for an ansatz that is the network alone.
pub fn start(problem: &Problem, height: f64) -> Vec<f64> {
    let network = Network::of(problem);
    let mut theta = network.initialise(problem.seed);
    let points = Points::of(problem).coordinates;
    let values = engine(problem).evaluate(&theta, problem.time.start, &points);
    let most = values.iter().fold(0.0f64, |most, u| most.max(u.abs()));
    for name in ["output.weight", "output.bias"] {
        let range = network.layout().segment(name).expect("every network has it").range();
        theta[range].iter_mut().for_each(|w| *w *= height / most);
    }
    theta
}

pub fn engine(problem: &Problem) -> Engine {
    pollster::block_on(Engine::new(problem, &Backend::Cpu)).expect("a CPU")
}

pub fn evolution(problem: &Problem, theta: Vec<f64>) -> Evolution {
    Evolution::new(problem, engine(problem), theta).expect("parameters of this network")
}

/// All steps that are left.
pub fn run(evolution: &mut Evolution) -> Vec<StepReport> {
    let mut reports = Vec::new();
    while !evolution.finished() {
        reports.push(pollster::block_on(evolution.step()).expect("a solution"));
    }
    reports
}

/// |u - v| / |v|.
pub fn relative_l2(u: &[f64], v: &[f64]) -> f64 {
    assert_eq!(u.len(), v.len());
    let square = |sum: f64, d: f64| sum + d * d;
    let difference = u.iter().zip(v).map(|(u, v)| u - v).fold(0.0, square);
    (difference / v.iter().copied().fold(0.0, square)).sqrt()
}

/// Error of a [`CARRIED`] run that began at `start`.
pub fn carried_error(evolution: &Evolution, start: &[f64]) -> f64 {
    let t = evolution.time();
    // Off the points of the problem.
    let x: Vec<f64> = (0..50).map(|i| 0.01 + 0.125 * f64::from(i)).collect();
    let origins: Vec<f64> = x.iter().map(|x| x - t - 0.5 * t.sin()).collect();
    let exact: Vec<f64> = evolution.engine().evaluate(start, 0.0, &origins);
    let exact: Vec<f64> = exact.iter().map(|v| v * t.sin().exp()).collect();
    relative_l2(&evolution.evaluate(&x), &exact)
}

/// Error at the points of a [`REACTION`] run that began at `start`: u^2 = v^2 e / (1 + v^2 (e - 1))
/// with e = exp(2 sin t).
pub fn reaction_error(evolution: &Evolution, start: &[f64]) -> f64 {
    let e = (2.0 * evolution.time().sin()).exp();
    let x = Points::of(evolution.problem()).coordinates;
    let exact = |v: f64| v * (e / (1.0 + v * v * (e - 1.0))).sqrt();
    let exact: Vec<f64> =
        evolution.engine().evaluate(start, 0.0, &x).into_iter().map(exact).collect();
    relative_l2(&evolution.evaluate(&x), &exact)
}
