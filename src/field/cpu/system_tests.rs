//! Several unknowns in one network: fields, columns and tangents against differences, and each
//! unknown alone against a network of its own.

use nalgebra::DMatrix;

use crate::cpu::{Evaluator, ImplicitColumns, Linearisation};
use crate::network::Network;
use crate::problem::expression::{Channel, Entry, Expression, MultiIndex, Place};
use crate::problem::{Overrides, Points, Problem};
use crate::random::{Philox, Stream};

/// Lifts that differ, a distance, products of both unknowns and an activation with coefficients.
const TEXT: &str = "format = 1\n[equation]\n\
    text = ['v_t = u*v_xy - t*v^2 + 0.3*laplace(v)', 'u_t = c*laplace(u) + u_x*v - x*u']\n\
    unknown = ['u', 'v']\n[parameters]\nc = 0.7\n[domain]\nx = { range = [0, 2] }\n\
    y = { range = [0, 1], boundary = 'dirichlet', lower = { v = 't' }, \
          upper = { u = 'sin(pi*x)', v = '2*t' } }\n\
    [time]\nend = 1\n[initial]\nu = 'y*sin(pi*x)'\nv = '0'\n\
    [network]\nwidth = 6\nhidden_layers = 2\n[points]\ncount = [7, 5]\n";
const TIME: f64 = 0.3;

fn setup() -> (Problem, Network, Vec<f64>, Vec<f64>) {
    let problem = Problem::from_toml(TEXT, &Overrides::new()).expect("a problem");
    let network = Network::of(&problem);
    let random = Philox::new(2, Stream::Initialisation);
    let mut theta = network.initialise(5);
    for (k, v) in theta.iter_mut().enumerate() {
        *v += 0.1 * random.normal(0, k as u32);
    }
    let points = Points::of(&problem).coordinates;
    (problem, network, theta, points)
}

/// Largest difference over the largest entry of `b`.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
}

/// The parameters of one unknown's network: the trunk's, and that output's row.
fn alone(network: &Network, single: &Network, theta: &[f64], unknown: usize) -> Vec<f64> {
    let mut own = vec![0.0; single.parameters()];
    for segment in single.layout().segments() {
        let from = network.layout().segment(&segment.name).expect("the same trunk");
        let first = if segment.name.starts_with("output") { unknown * segment.len() } else { 0 };
        own[segment.range()].copy_from_slice(&theta[from.range()][first..first + segment.len()]);
    }
    own
}

/// Each unknown's derivatives are those of a network with that output alone, to the last bit, and F
/// is what the equations say of them by plain recursion.
#[test]
fn every_unknown_is_the_network_of_its_own_output() {
    let (problem, network, theta, points) = setup();
    let evaluator = Evaluator::<f64>::new(&problem, &network, &points);
    let derivatives = evaluator.derivatives(&theta, TIME);
    let channels = evaluator.jets().len();
    for unknown in 0..2 {
        let own = Problem {
            unknowns: vec!["w".into()],
            right_hand_side: vec![Expression::Constant(0.0)],
            lift: problem.lift.as_ref().map(|lift| vec![lift[unknown].clone()]),
            ..problem.clone()
        };
        let single = Network::of(&own);
        let jets = evaluator.jets().clone();
        let lone = Evaluator::<f64>::with_jets(&own, &single, &points, jets);
        let lone = lone.derivatives(&alone(&network, &single, &theta, unknown), TIME);
        assert_eq!(derivatives[unknown * channels..][..channels], lone);
    }
    let field = evaluator.field(&theta, TIME);
    assert_eq!(
        field.values,
        derivatives[0].iter().chain(&derivatives[channels]).copied().collect::<Vec<_>>()
    );
    let count = evaluator.points();
    let values = problem.parameter_values();
    for (unknown, rate) in problem.right_hand_side.iter().enumerate() {
        let lift = problem.lift.as_ref().expect("values at the ends")[unknown].differentiate_time();
        for i in 0..count {
            let place =
                Place { coordinates: &points[2 * i..2 * i + 2], time: TIME, parameters: &values };
            let jet = |Entry { unknown, channel }| {
                let c = evaluator.jets().position(channel).expect("carried");
                derivatives[unknown * channels + c][i]
            };
            let wanted = rate.evaluate(place, &jet) - lift.evaluate(place, &jet);
            let found = field.right_hand_side[unknown * count + i];
            assert!((found - wanted).abs() < 1e-12 * (1.0 + wanted.abs()), "{found} {wanted}");
        }
    }
}

/// Columns of the values, of a first derivative and of F, each against central differences.
#[test]
fn columns_are_differences_of_all_rows() {
    let (problem, network, theta, points) = setup();
    let evaluator = Evaluator::<f64>::new(&problem, &network, &points);
    let all: Vec<u32> = (0..theta.len() as u32).collect();
    let (count, channels) = (evaluator.points(), evaluator.jets().len());
    let x = Channel::Partial(MultiIndex::along(0, 1));
    let along = evaluator.jets().position(x).expect("carried");
    let rows = || DMatrix::<f64>::zeros(evaluator.rows(), all.len());
    let (mut j, mut slopes, mut a) = (rows(), rows(), rows());
    evaluator.columns(&theta, TIME, &all, 0, j.as_view_mut());
    evaluator.columns(&theta, TIME, &all, along, slopes.as_view_mut());
    evaluator.rate_columns(&theta, TIME, &all, a.as_view_mut());
    let step = 1e-5;
    for k in 0..theta.len() {
        let at = |sign: f64| {
            let mut moved = theta.clone();
            moved[k] += sign * step;
            let field = evaluator.field(&moved, TIME);
            let d = evaluator.derivatives(&moved, TIME);
            let first = [d[along].clone(), d[channels + along].clone()].concat();
            [field.values, first, field.right_hand_side]
        };
        for ((up, down), matrix) in at(1.0).iter().zip(at(-1.0)).zip([&j, &slopes, &a]) {
            let scale = matrix.amax();
            for i in 0..2 * count {
                let slope = (up[i] - down[i]) / (2.0 * step);
                let error = (slope - matrix[(i, k)]).abs();
                assert!(error < 1e-6 * scale, "parameter {k}, row {i}: {error:e}");
                let planted = (slope - matrix[(i, k)] - 1e-5 * scale).abs();
                assert!(planted > 1e-6 * scale, "a planted error is seen");
            }
        }
    }
}

/// Tangents, kept passes, chosen columns in f32 and products without a matrix.
#[test]
fn tangents_and_products_agree_with_the_columns() {
    let (problem, network, theta, points) = setup();
    let evaluator = Evaluator::<f64>::new(&problem, &network, &points);
    let chosen: Vec<u32> = (0..theta.len() as u32).rev().step_by(3).collect();
    let rows = || DMatrix::<f64>::zeros(evaluator.rows(), chosen.len());
    let (mut j, mut kept) = (rows(), rows());
    evaluator.columns(&theta, TIME, &chosen, 0, j.as_view_mut());
    let mut at = Linearisation::default();
    let here = evaluator.linearise(&theta, TIME, &mut at);
    evaluator.columns_at(&at, &chosen, kept.as_view_mut());
    assert_eq!(j, kept, "kept passes change no bit");
    let random = Philox::new(9, Stream::Vectors);
    let v: Vec<f64> = (0..chosen.len()).map(|k| random.normal(0, k as u32)).collect();
    let mut direction = vec![0.0; theta.len()];
    chosen.iter().zip(&v).for_each(|(&k, v)| direction[k as usize] = *v);
    let along = evaluator.field_at(&at, &direction, TIME);
    let image = |v: &[f64]| -> Vec<f64> {
        (0..j.nrows()).map(|i| (0..v.len()).map(|k| j[(i, k)] * v[k]).sum()).collect()
    };
    let jv = image(&v);
    let moved: Vec<f64> = along.values.iter().zip(&here.values).map(|(a, b)| a - b).collect();
    assert!(difference(&moved, &jv) < 1e-12, "{}", difference(&moved, &jv));

    let w: Vec<f64> = (0..j.nrows()).map(|k| random.normal(1, k as u32)).collect();
    let back: Vec<f64> =
        (0..v.len()).map(|k| (0..w.len()).map(|i| j[(i, k)] * w[i]).sum()).collect();
    let implicit = ImplicitColumns::new(&evaluator, &theta, &chosen);
    let (mut out, mut gradient) = (vec![f64::NAN; w.len()], vec![f64::NAN; v.len()]);
    implicit.multiply(&v, &mut out);
    implicit.multiply_transposed(&w, &mut gradient);
    assert!(difference(&out, &jv) < 1e-12 && difference(&gradient, &back) < 1e-12);
    let mut wrong = back.clone();
    wrong[0] += 1e-11 * back.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    assert!(difference(&gradient, &wrong) > 1e-12, "a planted error is seen");

    let single = Evaluator::<f32>::new(&problem, &network, &points);
    let mut columns = DMatrix::<f32>::zeros(single.rows(), chosen.len());
    single.columns(&theta, TIME, &chosen, 0, columns.as_view_mut());
    let scale = j.amax();
    for i in 0..j.nrows() {
        for k in 0..j.ncols() {
            assert!((f64::from(columns[(i, k)]) - j[(i, k)]).abs() < 1e-4 * scale);
        }
    }
}
