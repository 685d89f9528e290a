//! The evaluator against a network written out plainly, and against finite differences.

use nalgebra::DMatrix;

use super::{Evaluator, Linearisation};
use crate::jet::JetSet;
use crate::network::{Input, Network, RATIONAL_START, Site, flat};
use crate::problem::expression::{Channel, Entry, Expression, MultiIndex};
use crate::problem::{Activation, Boundary, Coordinate, Problem, Side};
use crate::random::{Philox, Stream};

/// The definition of the network, one point, no vectors: the independent oracle.
fn plain(network: &Network, theta: &[f64], x: &[f64]) -> f64 {
    let at = |site| theta[network.layout().offset(site)];
    let activate = |layer: usize, z: f64| match network.activation() {
        Activation::Rational => {
            let c: Vec<f64> =
                (0..7).map(|coefficient| at(Site::Activation { layer, coefficient })).collect();
            (c[0] * z.powi(3) + c[1] * z * z + c[2] * z + c[3]) / (c[4] * z * z + c[5] * z + c[6])
        }
        Activation::Tanh => z.tanh(),
        Activation::Sin => z.sin(),
        Activation::Swish => z / (1.0 + (-z).exp()),
    };
    let embedded = |shift: usize| -> Vec<f64> {
        (0..network.width())
            .map(|unit| activate(0, embedding(network, theta, x, shift, unit)))
            .collect()
    };
    let encoder = |which| {
        let site = Site::Encoder { which, index: 0 };
        embedded(network.layout().offset(site))
    };
    let encoders: Vec<Vec<f64>> = (0..network.encoders().count()).map(encoder).collect();
    let mut h = embedded(0);
    for layer in 1..=network.hidden_layers() {
        h = (0..network.width())
            .map(|row| {
                let products = h
                    .iter()
                    .enumerate()
                    .map(|(column, v)| at(Site::Weight { layer, row, column }) * v);
                let h = activate(layer, products.sum::<f64>() + at(Site::Bias { layer, row }));
                match encoders.as_slice() {
                    [u, v] => (1.0 - h) * u[row] + h * v[row],
                    _ => h,
                }
            })
            .collect();
    }
    let layer = network.hidden_layers() + 1;
    let products =
        h.iter().enumerate().map(|(column, v)| at(Site::Weight { layer, row: 0, column }) * v);
    products.sum::<f64>() + at(Site::Bias { layer, row: 0 })
}

/// A unit's value before the first activation, with parameters `shift` places behind the
/// embedding's: those of an encoder.
fn embedding(network: &Network, theta: &[f64], x: &[f64], shift: usize, unit: usize) -> f64 {
    let at = |site| theta[network.layout().offset(site) + shift];
    let (mut z, mut scaled) = (0.0, Vec::new());
    let flat = network.inputs().iter().any(|input| matches!(input, Input::Flat { .. }));
    for (input, kind) in network.inputs().iter().enumerate() {
        match *kind {
            Input::Periodic { period } => {
                let angle = std::f64::consts::TAU * x[input] / period;
                z += at(Site::Amplitude { unit, input })
                    * (angle + at(Site::Phase { unit, input })).cos()
                    + at(Site::Shift { unit, input });
            }
            Input::Linear { lower, upper } => {
                let s = 2.0 * (x[input] - lower) / (upper - lower) - 1.0;
                scaled.push(s);
                if network.frequencies().is_empty() && !flat {
                    z += at(Site::Slope { unit, input }) * s;
                }
            }
            Input::Flat { lower, upper, ends } => {
                let features = flat::features(input, [lower, upper], ends);
                scaled.extend(features.map(|feature| feature.evaluate_at(x, 0.0, &[])));
            }
        }
    }
    if flat {
        for (feature, s) in scaled.iter().enumerate() {
            z += at(Site::Feature { unit, feature }) * s;
        }
    }
    for (k, frequency) in network.frequencies().iter().enumerate() {
        let angle: f64 = frequency.iter().zip(&scaled).map(|(b, s)| b * s).sum();
        z += at(Site::Feature { unit, feature: 2 * k }) * angle.cos();
        z += at(Site::Feature { unit, feature: 2 * k + 1 }) * angle.sin();
    }
    if !scaled.is_empty() {
        z += at(Site::Offset { unit });
    }
    z
}

fn partial(orders: &[u8]) -> Channel {
    let mut index = MultiIndex::default();
    index.0[..orders.len()].copy_from_slice(orders);
    Channel::Partial(index)
}

/// A problem of the given sides whose right-hand side is the channel's derivative.
fn problem(kinds: &[bool], width: usize, hidden: usize, activation: Activation) -> Problem {
    let mut problem = Problem::preset("allen-cahn").expect("a preset");
    let zero = || vec![Side::Value(0.0.into())];
    problem.coordinates = kinds
        .iter()
        .enumerate()
        .map(|(k, &periodic)| Coordinate {
            name: format!("x{k}"),
            lower: -0.5,
            upper: 1.5 + k as f64,
            boundary: if periodic {
                Boundary::Periodic
            } else {
                Boundary::Sides { lower: zero(), upper: zero() }
            },
        })
        .collect();
    problem.network.width = width;
    problem.network.hidden_layers = hidden;
    problem.network.activation = activation;
    problem.right_hand_side = vec![Expression::unknown(0)];
    problem
}

fn parameters(network: &Network, seed: u64) -> Vec<f64> {
    let random = Philox::new(seed, Stream::Initialisation);
    let scale = 1.0 / (network.width() as f64).sqrt();
    let mut theta: Vec<f64> =
        (0..network.parameters()).map(|k| scale * random.normal(0, k as u32)).collect();
    for layer in 0..network.activated_layers() {
        if let Some(segment) = network.layout().segment(&format!("activation.{layer}")) {
            for (k, value) in theta[segment.range()].iter_mut().enumerate() {
                *value = RATIONAL_START[k] + 0.05 * *value;
            }
        }
    }
    theta
}

fn cases() -> Vec<(Problem, Network)> {
    let mut cases = Vec::new();
    for activation in Activation::ALL {
        for (kinds, width, hidden) in [
            (&[true][..], 7, 2),
            (&[false], 5, 1),
            (&[true, false], 6, 2),
            (&[false, true, true], 3, 0),
        ] {
            let problem = problem(kinds, width, hidden, activation);
            let network = Network::of(&problem);
            if activation != Activation::Rational && kinds.contains(&false) {
                cases.push((problem.clone(), network.clone().with_encoders()));
                let features = network.clone().with_fourier_features(3, 0.7, 5);
                cases.push((problem.clone(), features.with_encoders()));
            }
            cases.push((problem, network));
        }
        for kinds in [&[false][..], &[false, true], &[false, false]] {
            let mut problem = problem(kinds, 5, 1, activation);
            let flux = |steepness: f64| {
                let (factor, value) = (0.0.into(), 0.0.into());
                vec![Side::Flux { factor, value, steepness }]
            };
            let upper = if kinds.len() == 1 { flux(0.0) } else { vec![Side::Value(0.0.into())] };
            problem.coordinates[0].boundary = Boundary::Sides { lower: flux(4.0), upper };
            cases.push((problem.clone(), Network::of(&problem)));
        }
    }
    cases
}

/// What sides ask for holds whatever the parameters are, to round-off: values, fluxes and both kinds
/// of exchange, of two unknowns, in time, with a corner.
#[test]
fn sides_hold_for_any_parameters() {
    let text = "format = 1\n[equation]\ntext = ['u_t = u_xx + u_yy', 'v_t = v_xx']\n\
        [parameters]\nh = -3\n[domain]\n\
        x = { range = [-1, 2], lower = ['u_n + 2*u = t*cos(y)', '2*v_x = 1'], \
        upper = ['u_n + h*u = t*cos(y)', 'v_n + 40*v = y^2*(1 - y)^2'] }\n\
        y = { range = [0, 1], lower = ['u_y = 0', 'v_n = 0'], upper = ['u_n = -tan(1)*u', 'v_y = 0'] }\n\
        [time]\nend = 1\n[initial]\nu = '0'\nv = '0'\n[network]\nwidth = 6\nhidden_layers = 1\n";
    let problem = Problem::from_toml(text, &Vec::new()).expect("a problem");
    let network = Network::of(&problem);
    let theta = parameters(&network, 4);
    let (time, y, x) = (0.7f64, 0.3f64, 0.45);
    let jets = JetSet::first_order(2);
    // Point, coordinate of the normal with its sign, unknown, factor and right side.
    let exchange =
        |point, normal, unknown, factor, value: f64| (point, normal, unknown, factor, value);
    let bump = (y * (1.0 - y)).powi(2);
    let all = [
        exchange([-1.0, y], (0, -1.0), 0, 2.0, time * y.cos()),
        exchange([2.0, y], (0, 1.0), 0, -3.0, time * y.cos()),
        exchange([x, 0.0], (1, -1.0), 0, 0.0, 0.0),
        exchange([x, 1.0], (1, 1.0), 0, 1f64.tan(), 0.0),
        exchange([-1.0, y], (0, -1.0), 1, 0.0, -0.5),
        exchange([2.0, y], (0, 1.0), 1, 40.0, bump),
        exchange([x, 0.0], (1, -1.0), 1, 0.0, 0.0),
        exchange([x, 1.0], (1, 1.0), 1, 0.0, 0.0),
    ];
    for (point, (k, sign), unknown, factor, value) in all {
        let evaluator = Evaluator::<f64>::with_jets(&problem, &network, &point, jets.clone());
        let channels = evaluator.derivatives(&theta, time);
        let slope = evaluator.jets().position(Channel::Partial(MultiIndex::along(k, 1)));
        let of = |c: usize| channels[unknown * evaluator.jets().len() + c][0];
        let (u, slope) = (of(0), of(slope.expect("first order")));
        let left = sign * slope + factor * u - value;
        let size = slope.abs() + (factor * u).abs() + 1.0;
        assert!(left.abs() < 1e-13 * size, "{point:?} {unknown}: {left:e}");
        assert!((u.abs() + slope.abs()) > 1e-3, "{point:?} {unknown}: the network is seen");
    }
    // The parameter of a factor moves with its slider.
    let mut evaluator = Evaluator::<f64>::with_jets(&problem, &network, &[2.0, y], jets);
    evaluator.set_parameters(&[5.0]);
    let channels = evaluator.derivatives(&theta, time);
    let along = Channel::Partial(MultiIndex::along(0, 1));
    let slope = evaluator.jets().position(along).expect("first order");
    let left = channels[slope][0] + 5.0 * channels[0][0] - time * y.cos();
    assert!(left.abs() < 1e-12, "{left:e}");
    assert!((left - 8.0 * channels[0][0]).abs() > 1e-3, "planted: the old factor");
}

fn scattered(dimensions: usize, points: usize) -> Vec<f64> {
    let random = Philox::new(11, Stream::Points);
    (0..points * dimensions).map(|k| random.uniform(0, k as u32)).collect()
}

#[test]
fn values_are_those_of_the_definition_for_every_number_of_points() {
    for (problem, network) in cases() {
        let theta = parameters(&network, 1);
        let dimensions = network.inputs().len();
        for points in [1, 7, 8, 9, 15, 16, 17, 53] {
            let x = scattered(dimensions, points);
            let double = Evaluator::<f64>::new(&problem, &network, &x).field(&theta, 0.0);
            let single = Evaluator::<f32>::new(&problem, &network, &x).field(&theta, 0.0);
            for (i, point) in x.chunks(dimensions).enumerate() {
                let wanted = plain(&network, &theta, point);
                assert!((double.values[i] - wanted).abs() < 1e-13 * (1.0 + wanted.abs()));
                assert!((single.values[i] - wanted).abs() < 2e-5 * (1.0 + wanted.abs()));
                assert_eq!(double.values[i], double.right_hand_side[i], "F = u here");
            }
        }
    }
}

/// Every derivative against a central difference of the derivative one order below.
#[test]
fn derivatives_are_central_differences_of_the_lower_ones() {
    for (problem, network) in cases() {
        let dimensions = network.inputs().len();
        let wanted: Vec<Channel> = match dimensions {
            1 => vec![partial(&[4])],
            2 => vec![partial(&[2, 2]), partial(&[1, 3]), Channel::Laplacian],
            _ => vec![partial(&[1, 1, 1]), partial(&[0, 2, 1]), Channel::Laplacian],
        };
        let jets = JetSet::closure(dimensions, wanted);
        let theta = parameters(&network, 2);
        let x = scattered(dimensions, 5);
        let at = |x: &[f64]| {
            Evaluator::<f64>::with_jets(&problem, &network, x, jets.clone())
                .derivatives(&theta, 0.0)
        };
        let exact = at(&x);
        let step = 1e-5;
        for k in 0..dimensions {
            let moved = |sign: f64| -> Vec<f64> {
                x.iter()
                    .enumerate()
                    .map(|(i, v)| if i % dimensions == k { v + sign * step } else { *v })
                    .collect()
            };
            let (up, down) = (at(&moved(1.0)), at(&moved(-1.0)));
            for (c, channel) in jets.channels().iter().enumerate() {
                let Channel::Partial(index) = channel else { continue };
                let higher = Channel::Partial(index.plus(&MultiIndex::along(k, 1)));
                let Some(higher) = jets.position(higher) else { continue };
                for i in 0..5 {
                    let difference = (up[c][i] - down[c][i]) / (2.0 * step);
                    let scale = exact[higher].iter().fold(1.0f64, |m, v| m.max(v.abs()));
                    assert!(
                        (difference - exact[higher][i]).abs() < 2e-6 * scale,
                        "{:?} {channel:?} along {k}: {difference} {}",
                        network.activation(),
                        exact[higher][i]
                    );
                }
            }
        }
    }
}

/// The collapsed channel against the sum of the second derivatives carried one by one.
#[test]
fn the_collapsed_laplacian_is_the_sum_of_second_derivatives() {
    for (problem, network) in cases() {
        let dimensions = network.inputs().len();
        let second = (0..dimensions).map(|k| Channel::Partial(MultiIndex::along(k, 2)));
        let jets = JetSet::closure(dimensions, second.chain([Channel::Laplacian]));
        let x = scattered(dimensions, 9);
        let theta = parameters(&network, 4);
        let all = Evaluator::<f64>::with_jets(&problem, &network, &x, jets.clone())
            .derivatives(&theta, 0.0);
        let laplacian = jets.position(Channel::Laplacian).expect("carried");
        for i in 0..9 {
            let sum: f64 = (0..dimensions)
                .map(|k| all[jets.position(Channel::Partial(MultiIndex::along(k, 2))).unwrap()][i])
                .sum();
            assert!((all[laplacian][i] - sum).abs() < 1e-11 * (1.0 + sum.abs()));
        }
    }
}

fn jacobian(
    problem: &Problem,
    network: &Network,
    x: &[f64],
    theta: &[f64],
    channel: Channel,
) -> DMatrix<f64> {
    let jets = JetSet::closure(network.inputs().len(), [channel]);
    let evaluator = Evaluator::<f64>::with_jets(problem, network, x, jets);
    let columns: Vec<u32> = (0..network.parameters() as u32).collect();
    let position = evaluator.jets().position(channel).expect("carried");
    let mut matrix = DMatrix::zeros(evaluator.points(), columns.len());
    let _ = evaluator.jacobian(theta, 0.0, &columns, position, matrix.as_view_mut());
    matrix
}

/// Every parameter, for u and for its first derivatives, against central differences.
#[test]
fn jacobian_columns_are_central_differences() {
    for (problem, network) in cases() {
        let dimensions = network.inputs().len();
        let theta = parameters(&network, 3);
        let x = scattered(dimensions, 11);
        let first = (0..dimensions).map(|k| Channel::Partial(MultiIndex::along(k, 1)));
        for channel in std::iter::once(Channel::value()).chain(first) {
            let exact = jacobian(&problem, &network, &x, &theta, channel);
            let jets = JetSet::closure(dimensions, [channel]);
            let evaluator = Evaluator::<f64>::with_jets(&problem, &network, &x, jets.clone());
            let at = |theta: &[f64]| {
                evaluator.derivatives(theta, 0.0)[jets.position(channel).unwrap()].clone()
            };
            let step = 1e-6;
            let mut worst = 0.0f64;
            for k in 0..network.parameters() {
                let mut moved = theta.clone();
                moved[k] += step;
                let up = at(&moved);
                moved[k] -= 2.0 * step;
                let down = at(&moved);
                for i in 0..11 {
                    let difference = (up[i] - down[i]) / (2.0 * step);
                    worst = worst.max((difference - exact[(i, k)]).abs());
                }
            }
            let scale = exact.amax().max(1.0);
            assert!(worst < 1e-7 * scale, "{:?} {channel:?}: {worst}", network.activation());
            assert!(exact.norm() > 1e-3 * scale, "a planted zero Jacobian would be seen");
        }
    }
}

#[test]
fn a_subset_of_columns_is_the_same_in_f32() {
    let problem = problem(&[true], 25, 5, Activation::Rational);
    let network = Network::of(&problem);
    let theta = parameters(&network, 5);
    let x = scattered(1, 77);
    let columns = Philox::new(1, Stream::Columns).subset(0, network.parameters(), 150);
    let mut single = DMatrix::<f32>::zeros(77, columns.len());
    let evaluator = Evaluator::<f32>::new(&problem, &network, &x);
    let _ = evaluator.jacobian(&theta, 0.0, &columns, 0, single.as_view_mut());
    let all = jacobian(&problem, &network, &x, &theta, Channel::value());
    let scale = all.amax();
    for (k, &column) in columns.iter().enumerate() {
        for i in 0..77 {
            let difference = f64::from(single[(i, k)]) - all[(i, column as usize)];
            assert!(difference.abs() < 1e-4 * scale, "{difference} of {scale}");
        }
    }
}

/// The tangent-space field against a difference quotient of the field in every channel.
#[test]
fn the_tangent_is_the_derivative_along_the_direction() {
    for (mut problem, network) in cases() {
        let dimensions = network.inputs().len();
        let highest = Channel::Partial(MultiIndex::along(dimensions - 1, 3));
        problem.right_hand_side = vec![Expression::Jet(Entry::new(0, highest))];
        let x = scattered(dimensions, 10);
        let evaluator = Evaluator::<f64>::new(&problem, &network, &x);
        let theta = parameters(&network, 6);
        let direction = parameters(&network, 7);
        let step = 1e-6;
        let moved = |sign: f64| -> Vec<f64> {
            theta.iter().zip(&direction).map(|(t, d)| t + sign * step * d).collect()
        };
        let here = evaluator.field(&theta, 0.0);
        let along = evaluator.field_along(&theta, &direction, 0.0);
        let (up, down) = (evaluator.field(&moved(1.0), 0.0), evaluator.field(&moved(-1.0), 0.0));
        let check = |here: &[f64], along: &[f64], up: &[f64], down: &[f64]| {
            let scale = along.iter().chain(here).fold(1.0f64, |m, v| m.max(v.abs()));
            for i in 0..10 {
                let difference = (up[i] - down[i]) / (2.0 * step);
                let exact = along[i] - here[i];
                assert!((difference - exact).abs() < 1e-6 * scale, "{difference} {exact}");
            }
        };
        check(&here.values, &along.values, &up.values, &down.values);
        check(
            &here.right_hand_side,
            &along.right_hand_side,
            &up.right_hand_side,
            &down.right_hand_side,
        );
    }
}

/// What is read from a kept forward pass, or from one swept again, is to the last bit what a sweep
/// of its own computes; so is u without F.
#[test]
fn a_linearisation_changes_no_bit() {
    for (mut problem, network) in cases() {
        let dimensions = network.inputs().len();
        let last = dimensions - 1;
        let second = Channel::Partial(MultiIndex::along(last, 2));
        problem.right_hand_side = vec![Expression::Jet(Entry::new(0, second))];
        let evaluator = Evaluator::<f64>::new(&problem, &network, &scattered(dimensions, 29));
        let (theta, direction) = (parameters(&network, 8), parameters(&network, 9));
        let sparse: Vec<f64> =
            direction.iter().enumerate().map(|(k, d)| if k % 5 == 0 { *d } else { 0.0 }).collect();
        let columns: Vec<u32> = (0..network.parameters() as u32).step_by(2).collect();
        let mut expected = DMatrix::<f64>::zeros(29, columns.len());
        evaluator.columns(&theta, 0.0, &columns, 0, expected.as_view_mut());
        let field = evaluator.field(&theta, 0.0);
        assert_eq!(evaluator.values(&theta, 0.0), field.values);
        for most in [usize::MAX, 0] {
            let mut at = Linearisation::keeping(most);
            assert!(!at.is_at(&theta));
            // A linearisation elsewhere before leaves nothing behind.
            let elsewhere = evaluator.linearise(&direction, 0.0, &mut at);
            assert_ne!(elsewhere, field);
            let mut columns_elsewhere = expected.clone();
            evaluator.columns_at(&at, &columns, columns_elsewhere.as_view_mut());
            assert_ne!(columns_elsewhere, expected, "a pass at other parameters is seen");
            assert_eq!(evaluator.linearise(&theta, 0.0, &mut at), field);
            assert!(at.is_at(&theta) && !at.is_at(&direction));
            let mut matrix = DMatrix::<f64>::zeros(29, columns.len());
            evaluator.columns_at(&at, &columns, matrix.as_view_mut());
            assert_eq!(matrix, expected);
            for direction in [&direction, &sparse] {
                let along = evaluator.field_along(&theta, direction, 0.0);
                assert_eq!(evaluator.field_at(&at, direction, 0.0), along);
            }
        }
    }
}

/// The columns of A = dF/dtheta, with a lift and a distance that depend on the place, the lift also
/// on the time, against central differences of F; and those of a kept pass.
#[test]
fn the_right_hand_side_has_the_columns_of_its_differences() {
    for (mut problem, network) in cases() {
        let dimensions = network.inputs().len();
        let x = |k: usize| Expression::Coordinate(k);
        let jet = |channel| Expression::Jet(Entry::new(0, channel));
        let u = jet(Channel::value());
        let slope = jet(Channel::Partial(MultiIndex::along(dimensions - 1, 1)));
        problem.right_hand_side =
            vec![jet(Channel::Laplacian) * (x(0) + Expression::Time) - u.clone() * u * slope];
        problem.distance = Some(vec![x(0) * x(0) + x(dimensions - 1)]);
        problem.lift = Some(vec![Expression::Time * x(0) * x(0)]);
        let points = 19;
        let evaluator = Evaluator::<f64>::new(&problem, &network, &scattered(dimensions, points));
        let (theta, time) = (parameters(&network, 3), 0.4);
        let columns: Vec<u32> = (0..network.parameters() as u32).rev().step_by(3).collect();
        let mut exact = DMatrix::<f64>::zeros(points, columns.len());
        evaluator.rate_columns(&theta, time, &columns, exact.as_view_mut());
        let (mut at, mut kept) = (Linearisation::default(), exact.clone());
        kept.fill(f64::NAN);
        let _ = evaluator.linearise(&theta, 0.0, &mut at);
        evaluator.rate_columns_at(&at, time, &columns, kept.as_view_mut());
        assert_eq!(kept, exact);
        let scale = exact.amax();
        let mut worst = 0.0f64;
        for (k, &column) in columns.iter().enumerate() {
            let moved = |sign: f64| {
                let mut theta = theta.clone();
                theta[column as usize] += sign * 1e-6;
                evaluator.field(&theta, time).right_hand_side
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            for i in 0..points {
                let difference = (up[i] - down[i]) / 2e-6;
                worst = worst.max((difference - exact[(i, k)]).abs());
            }
        }
        assert!(worst < 1e-7 * scale.max(1.0), "{:?}: {worst} {scale}", network.activation());
        let mut values = DMatrix::<f64>::zeros(points, columns.len());
        evaluator.columns(&theta, time, &columns, 0, values.as_view_mut());
        assert!((&values - &exact).amax() > 1e-3 * scale, "u's columns would be seen");
    }
}
