//! Residuals and Jacobians against a network in polynomial arithmetic, and against differences.

mod causal;
mod corrected;
mod energy;
mod oracle;
mod problems;
mod sought;

use nalgebra::DMatrix;

use self::oracle::network_at;
use super::{Collocation, ResidualSystem};
use crate::network::Network;
use crate::problem::ResidualProblem;
use crate::problem::expression::{Entry, Expression, Place};
use crate::problem::residual::{Condition, Norm};

/// Space-time, with walls, a nonlinear term, data and a parameter.
const BURGERS: &str = r#"
format = 1
[domain]
t = { range = [0, 2] }
x = { range = [-1, 1] }
[parameters]
nu = 0.3
[residual.interior]
equation = "u_t + u*u_x = nu*u_xx + x*sin(t)"
weight = 3
points = { layout = "latin-hypercube", count = 19 }
[residual.ends]
on = ["x = -1", "x = 1"]
equation = "u^2 + nu*u_x = t"
points = { layout = "random", count = 5 }
norm = "mean"
[residual.initial]
on = "t = 0"
equation = "u = -sin(pi*x)"
points = { count = 3, walls = false }
[residual.sensors]
data = [[0.5, 0.25, 0.7], [1, 1, -0.2]]
quantity = "u + u_x"
norm = "sum"
[network]
layers = [5, 5]
deviation = 0.7
"#;

/// A Laplacian that is one channel, beside lower derivatives.
const LAPLACE: &str = r#"
format = 1
[domain]
x = { range = [0, 1] }
y = { range = [0, 2] }
z = { range = [-1, 1] }
[residual.interior]
equation = "-(u_xx + u_yy + u_zz)*(1 + u^2) = exp(x)*u_y - 2"
points = { layout = "sobol", count = 17 }
[residual.walls]
on = "boundary"
equation = "u = x*y"
points = { layout = "sobol", count = 9 }
[network]
layers = [4, 4]
activation = "swish"
deviation = 0.8
"#;

/// Every order up to four, mixed derivatives among them.
const FOURTH: &str = r#"
format = 1
[domain]
x = { range = [0, 1] }
y = { range = [0, 1] }
[residual.interior]
equation = "u_xxxx + u*u_xxyy - u_xyy = u_xy^2 + cos(u_x)"
points = { layout = "midpoints", count = [3, 1] }
[network]
layers = [3, 3]
activation = "sin"
deviation = 0.9
"#;

/// A trainable activation behind a periodic coordinate; the seam of the other one.
const SEAM: &str = r#"
format = 1
[domain]
t = { range = [0, 1] }
x = { range = [0, 3], embedding = "periodic" }
[residual.interior]
equation = "u_tt = 4*u_xx - u"
points = { layout = "random", count = 9 }
[residual.seam]
periodic = "t"
match = ["u", "u_t*u"]
points = { count = 4 }
[network]
layers = [3, 3]
activation = "rational"
deviation = 0.5
"#;

/// Encoders behind a periodic coordinate that gate three layers.
const GATED: &str = r#"
format = 1
[domain]
t = { range = [0, 1] }
x = { range = [0, 3], embedding = "periodic" }
[residual.interior]
equation = "u_tt + u*u_xt = 4*u_xx - u"
points = { layout = "random", count = 19 }
[residual.initial]
on = "t = 0"
equation = "u = sin(2*pi*x/3)"
points = { count = 4 }
[network]
layers = [4, 4, 4]
architecture = "modified-mlp"
deviation = 0.6
"#;

/// Random Fourier features of all coordinates but the periodic one, a collapsed Laplacian and
/// mixed derivatives of them, with and without encoders.
const FOURIER: &str = r#"
format = 1
[domain]
x = { range = [0, 1] }
y = { range = [0, 2] }
z = { range = [-1, 1], embedding = "periodic" }
[residual.interior]
equation = "-(u_xx + u_yy + u_zz)*(1 + u^2) = exp(x)*u_y - 2"
points = { layout = "sobol", count = 17 }
[residual.mixed]
on = "x = 1"
equation = "u_xyy + u_yz = u_xy*u"
points = { layout = "sobol", count = 9 }
[network]
layers = [4, 4]
architecture = "mlp"
fourier = { count = 3, scale = 1.5 }
activation = "swish"
deviation = 0.8
"#;

/// Three unknowns: Laplacians of two of them as channels, conditions on one or several, a seam, and
/// data of a combination; an activation with coefficients.
const FLOW: &str = r#"
format = 1
unknown = ["u", "v", "p"]
[domain]
x = { range = [0, 1], embedding = "periodic" }
y = { range = [-1, 1] }
[parameters]
nu = 0.3
[residual.interior]
equation = [
    "u*u_x + v*u_y + p_x = nu*(u_xx + u_yy)",
    "u*v_x + v*v_y + p_y = nu*laplace(v) + sin(x)",
    "u_x + v_y = 0",
]
weight = 2
points = { layout = "sobol", count = 19 }
[residual.wall]
on = "y = -1"
equation = ["v = u_y", "u = x^2"]
points = { count = 5 }
[residual.seam]
periodic = "y"
points = { count = 3 }
[residual.probe]
data = [[0.5, 0.25, 0.7], [1, 1, -0.2]]
quantity = "p - u*v_x"
[network]
layers = [4, 4]
activation = "rational"
deviation = 0.6
"#;

/// A flux through a circular hole, whose normal also stands where the unknown does not.
const HOLE: &str = r#"
format = 1
[domain]
t = { range = [0, 1] }
x = { range = [-1, 1] }
y = { range = [-1, 1] }
shape = "box - hole"
[shapes]
hole.disc = { centre = [0.1, -0.2], radius = 0.4 }
[residual.interior]
equation = "u_t = laplace(u)"
points = { layout = "sobol", count = 17 }
[residual.hole]
on = "hole"
equation = "u*u_n + sin(t)*n_x*x = n_y*u_t - x*n_y"
points = { count = 11 }
[residual.sides]
on = "box"
equation = "u = 0"
points = { count = 8 }
[network]
layers = [4, 4]
deviation = 0.8
"#;

/// The outward normal at a point of the hole's circle in [`HOLE`].
fn normal_of_hole(x: &[f64]) -> [f64; 3] {
    [0.0, -(x[1] - 0.1) / 0.4, -(x[2] + 0.2) / 0.4]
}

fn problem(text: &str) -> ResidualProblem {
    ResidualProblem::from_toml(text, &Vec::new()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Residual and Jacobian of a problem from the definition, channel by channel.
fn expected(
    system: &Collocation,
    problem: &ResidualProblem,
    theta: &[f64],
) -> (Vec<f64>, DMatrix<f64>) {
    let network = Network::of_residual(problem);
    let dimensions = problem.dimensions();
    let parameters = problem.parameter_values();
    let mut rows: Vec<(f64, Vec<f64>)> = Vec::new();
    for (block, points) in problem.blocks.iter().zip(system.points()) {
        let count = points.coordinates.len() / dimensions;
        let scale = match block.norm {
            Norm::Integral => block.weight * points.measure / count as f64,
            Norm::Mean => block.weight / count as f64,
            Norm::Sum => block.weight,
        }
        .sqrt();
        // F and its derivatives by all parameters at one point.
        let row = |e: &Expression, x: &[f64]| -> (f64, Vec<f64>) {
            let order = 4;
            let mut beside = x.to_vec();
            if block.name == "hole" {
                beside.extend(normal_of_hole(x));
            }
            let place = Place { coordinates: &beside, time: 0.0, parameters: &parameters };
            let plain = network_at(&network, theta, x, order, None);
            let jet =
                |entry: Entry| plain[entry.unknown].derivative(entry.channel, dimensions, false);
            let value = e.evaluate(place, &jet);
            let slopes: Vec<(Entry, f64)> = e
                .entries()
                .into_iter()
                .map(|entry| (entry, e.derivative_by(entry).evaluate(place, &jet)))
                .collect();
            let by = |k: usize| {
                let moved = network_at(&network, theta, x, order, Some(k));
                let derivative = |entry: &Entry| {
                    moved[entry.unknown].derivative(entry.channel, dimensions, true)
                };
                slopes.iter().map(|(entry, s)| s * derivative(entry)).sum()
            };
            (value, (0..theta.len()).map(by).collect())
        };
        for e in block.condition.expressions() {
            for i in 0..count {
                let at = i * dimensions..(i + 1) * dimensions;
                let (mut value, mut slopes) = row(e, &points.coordinates[at.clone()]);
                if let Some(partners) = &points.partners {
                    let (v, s) = row(e, &partners[at]);
                    value -= v;
                    slopes.iter_mut().zip(s).for_each(|(a, b)| *a -= b);
                }
                if let Condition::Observed { values, .. } = &block.condition {
                    value -= values[i];
                }
                slopes.iter_mut().for_each(|s| *s *= scale);
                rows.push((scale * value, slopes));
            }
        }
    }
    let matrix = DMatrix::from_fn(rows.len(), theta.len(), |i, k| rows[i].1[k]);
    (rows.into_iter().map(|(value, _)| value).collect(), matrix)
}

fn computed(system: &mut Collocation, theta: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
    let mut residual = vec![0.0; system.rows()];
    let mut jacobian = DMatrix::zeros(system.rows(), system.parameters());
    system.jacobian(theta, &mut residual, jacobian.as_view_mut()).expect("finite");
    (residual, jacobian)
}

/// The largest difference in units of the largest entry.
fn difference(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    assert_eq!((a.nrows(), a.ncols()), (b.nrows(), b.ncols()));
    (a - b).amax() / b.amax()
}

#[test]
fn residuals_and_jacobians_are_those_of_the_definition() {
    for (text, precision, tolerance) in [
        (BURGERS, "f64", 1e-13),
        (BURGERS, "f32", 1e-5),
        (LAPLACE, "f64", 1e-13),
        (HOLE, "f64", 1e-12),
        (LAPLACE, "mixed", 1e-5),
        (FOURTH, "f64", 1e-12),
        (SEAM, "f64", 1e-12),
        (SEAM, "f32", 1e-4),
        (GATED, "f64", 1e-12),
        (GATED, "f32", 1e-4),
        (FOURIER, "f64", 1e-12),
        (&FOURIER.replace("\"mlp\"", "\"modified-mlp\""), "f64", 1e-12),
        (FLOW, "f64", 1e-12),
        (FLOW, "f32", 1e-4),
    ] {
        let mut problem = problem(&format!("{text}\n[run]\nprecision = \"{precision}\""));
        problem.seed = 3;
        let mut system = Collocation::new(&problem);
        let theta = system.initial_parameters();
        let (r, j) = computed(&mut system, &theta);
        let (wanted_r, wanted_j) = expected(&system, &problem, &theta);
        assert_eq!(r.len(), wanted_r.len(), "{text}");
        let scale = wanted_r.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for (i, (a, b)) in r.iter().zip(&wanted_r).enumerate() {
            let allowed = if precision == "mixed" { 1e-13 } else { tolerance };
            assert!((a - b).abs() < allowed * scale, "row {i} of {text}: {a} {b}");
        }
        let found = difference(&j, &wanted_j);
        assert!(found < tolerance, "{found} in {precision}, {text}");
        let mut planted = wanted_j.clone();
        planted[(0, 1)] += 2.0 * tolerance * planted.amax();
        assert!(difference(&j, &planted) > tolerance, "a planted error is seen");
    }
}

/// The batch, the blocks and the gradient say the same as r and J.
#[test]
fn losses_blocks_and_gradients_agree_with_the_jacobian() {
    for text in [BURGERS, LAPLACE, FOURTH, SEAM, GATED, FOURIER, FLOW] {
        let mut system = Collocation::new(&problem(text));
        let theta = system.initial_parameters();
        let (r, j) = computed(&mut system, &theta);
        let loss: f64 = r.iter().map(|r| r * r).sum();
        let half: Vec<f64> = theta.iter().map(|t| 0.5 * t).collect();
        let losses = system.losses(&[&half, &theta]).expect("finite");
        assert!((losses[1] - loss).abs() < 1e-13 * loss);
        assert!((losses[0] - loss).abs() > 1e-6 * loss, "other parameters, another loss");
        let mut alone = vec![0.0; r.len()];
        system.residual(&theta, &mut alone).expect("finite");
        assert!(alone.iter().zip(&r).all(|(a, b)| (a - b).abs() < 1e-14 * (1.0 + loss.sqrt())));
        let mut stacked = DMatrix::<f64>::zeros(j.nrows(), j.ncols());
        let mut next = 0;
        system
            .jacobian_blocks(&theta, &mut |first, block| {
                assert_eq!(first, next, "from top to bottom");
                next += block.nrows();
                stacked.rows_mut(first, block.nrows()).copy_from(&block);
            })
            .expect("finite");
        assert_eq!(next, j.nrows());
        assert!(difference(&stacked, &j) < 1e-15);
        let mut gradient = vec![0.0; theta.len()];
        let at = system.gradient(&theta, &mut gradient).expect("finite");
        assert!((at - loss).abs() < 1e-13 * loss);
        for (k, g) in gradient.iter().enumerate() {
            let wanted: f64 = r.iter().enumerate().map(|(i, r)| 2.0 * j[(i, k)] * r).sum();
            let size = j.column(k).norm() * loss.sqrt();
            assert!((g - wanted).abs() < 1e-12 * (size + 1e-3), "{g} {wanted}");
        }
    }
}
