//! The right-hand side's columns against differences of the right-hand side.

use nalgebra::DMatrix;

use crate::cpu::{Evaluator, Kernel, Linearisation};
use crate::network::Network;
use crate::problem::{Overrides, Problem};
use crate::random::{Philox, Stream};

/// Equations of order 1 to 4, of one to three coordinates, with lifts and distances.
const EQUATIONS: [(&str, &str); 6] = [
    ("x = { range = [0, 2] }", "-(2 + cos(t))*u*u_x + u^2"),
    ("x = { range = [0, 2] }", "-u*u_x - 0.022*u_xxx"),
    (
        "x = { range = [0, 1], boundary = 'dirichlet', lower = 't', upper = 'sin(t)' }",
        "0.1*u_xx*u + u^3",
    ),
    ("x = { range = [0, 6] }", "-u_xx - u_xxxx*(1 + u_x^2)/9 - u*u_x*sin(x)"),
    (
        "x = { range = [0, 2] }\ny = { range = [0, 1], boundary = 'dirichlet' }",
        "u*laplace(u) + u_x*u_y",
    ),
    (
        "x = { range = [0, 2] }\ny = { range = [0, 1], boundary = 'dirichlet' }\n\
         z = { range = [0, 1] }",
        "u_x*u_yz + 0.3*u_xxy - exp(-u)",
    ),
];

fn problem(domain: &str, equation: &str, activation: &str) -> Problem {
    let text = format!(
        "format = 1\n[equation]\ntext = 'u_t = {equation}'\n[domain]\n{domain}\n\
         [time]\nend = 1\n[initial]\nu = '0'\n[network]\nwidth = 5\nhidden_layers = 2\n\
         activation = '{activation}'\n[points]\ncount = 4\n"
    );
    Problem::from_toml(&text, &Overrides::new()).expect("a problem")
}

fn points(dimensions: usize, count: usize) -> Vec<f64> {
    let random = Philox::new(11, Stream::Points);
    (0..count * dimensions).map(|k| random.uniform(0, k as u32)).collect()
}

fn parameters(network: &Network) -> Vec<f64> {
    let random = Philox::new(2, Stream::Initialisation);
    let mut theta = network.initialise(5);
    for (k, v) in theta.iter_mut().enumerate() {
        *v += 0.1 * random.normal(0, k as u32);
    }
    theta
}

fn matrix<T: Kernel>(problem: &Problem, theta: &[f64], x: &[f64], columns: &[u32]) -> DMatrix<T> {
    let evaluator = Evaluator::<T>::new(problem, &Network::of(problem), x);
    let mut out = DMatrix::repeat(evaluator.points(), columns.len(), T::ZERO);
    evaluator.rate_columns(theta, 0.3, columns, out.as_view_mut());
    let mut at = Linearisation::default();
    let _ = evaluator.linearise(theta, 0.3, &mut at);
    let mut kept = DMatrix::repeat(evaluator.points(), columns.len(), T::ZERO);
    evaluator.rate_columns_at(&at, 0.3, columns, kept.as_view_mut());
    assert_eq!(out, kept, "kept passes change no bit");
    out
}

/// Every parameter's column against central differences of F.
#[test]
fn rate_columns_are_central_differences_of_the_right_hand_side() {
    for activation in ["rational", "tanh", "sin", "swish"] {
        for (domain, equation) in EQUATIONS {
            let problem = problem(domain, equation, activation);
            let network = Network::of(&problem);
            let theta = parameters(&network);
            let x = points(network.inputs().len(), 11);
            let all: Vec<u32> = (0..theta.len() as u32).collect();
            let exact = matrix::<f64>(&problem, &theta, &x, &all);
            let evaluator = Evaluator::<f64>::new(&problem, &network, &x);
            let step = 1e-5;
            let scale = exact.amax().max(1.0);
            for k in 0..theta.len() {
                let at = |sign: f64| {
                    let mut moved = theta.clone();
                    moved[k] += sign * step;
                    evaluator.field(&moved, 0.3).right_hand_side
                };
                let (up, down) = (at(1.0), at(-1.0));
                for i in 0..11 {
                    let slope = (up[i] - down[i]) / (2.0 * step);
                    let error = (slope - exact[(i, k)]).abs();
                    assert!(error < 1e-6 * scale, "{activation}, {equation}, {k}: {error:e}");
                    let planted = (slope - 1.01 * exact[(i, k)]).abs();
                    let seen = planted > 1e-6 * scale || exact[(i, k)].abs() < 1e-3 * scale;
                    assert!(seen, "an error of one per cent is seen");
                }
            }
        }
    }
}

/// Chosen columns in f32 against all in f64, for points that fill no whole block.
#[test]
fn single_precision_follows_double() {
    for (domain, equation) in EQUATIONS {
        let problem = problem(domain, equation, "rational");
        let network = Network::of(&problem);
        let theta = parameters(&network);
        let x = points(network.inputs().len(), 37);
        let all: Vec<u32> = (0..theta.len() as u32).collect();
        let some: Vec<u32> = all.iter().copied().step_by(3).collect();
        let double = matrix::<f64>(&problem, &theta, &x, &all);
        let single = matrix::<f32>(&problem, &theta, &x, &some);
        let tolerance = 2e3 * f64::from(f32::EPSILON) * double.amax();
        for (k, &column) in some.iter().enumerate() {
            for i in 0..37 {
                let error = f64::from(single[(i, k)]) - double[(i, column as usize)];
                assert!(error.abs() < tolerance, "{equation}: {error:e}, {tolerance:e}");
            }
        }
    }
}
