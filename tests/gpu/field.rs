//! Values and derivatives of the ansatz.

use std::collections::BTreeSet;

use sketchpde::evaluate::gpu::config::Budget;
use sketchpde::evaluate::gpu::{Ansatz, Channels, Evaluator, Sources};
use sketchpde::network::{Input, Network};
use sketchpde::problem::Activation;
use sketchpde::problem::expression::Channel;

use crate::harness::{gpu, network, partial, points, selector};
use crate::oracle::{channel, network_value, relative_error, theta};

/// Spacing of the finite differences: their error stays below that of f32.
const SPACING: f64 = 0.01;

/// Rounding errors of a derivative: every layer and every order multiplies them by a little.
fn tolerance(network: &Network, order: u8) -> f64 {
    let growth = 2f64.powi(i32::from(order)) * (network.activated_layers() + 1) as f64;
    f64::from(f32::EPSILON) * (network.width() as f64 + 4.0).sqrt() * growth
}

/// Errors of u and of every channel in `wanted`, each relative to its own largest value and
/// divided by its tolerance.
fn scaled_errors(
    network: &Network,
    sources: &Sources,
    channels: &[Channel],
    count: usize,
) -> Vec<f64> {
    let theta = theta(network, 5);
    let x = points(network.inputs(), count);
    let dimensions = network.inputs().len();
    let u = |x: &[f64]| network_value(network, &theta, x);
    pollster::block_on(async {
        let zeros = vec![0.0; channels.len()];
        let mut evaluator =
            Evaluator::with_sources(gpu(), network, sources, &zeros, &x, Ansatz::default())
                .await
                .unwrap();
        let mut errors = Vec::new();
        for (k, &wanted) in channels.iter().enumerate() {
            let mut parameters = zeros.clone();
            parameters[k] = 1.0;
            evaluator.set_parameters(&parameters).unwrap();
            let field = evaluator.field(&theta, 0.0).await.unwrap();
            let at =
                |f: &dyn Fn(&[f64]) -> f64| x.chunks_exact(dimensions).map(f).collect::<Vec<_>>();
            let truth = at(&|x| channel(&u, x, wanted, SPACING));
            let order = match wanted {
                Channel::Partial(index) => index.order(),
                Channel::Laplacian => 2,
            };
            let error = relative_error(&field.right_hand_side, &truth);
            errors.push(error / tolerance(network, order));
            let error = relative_error(&field.values, &at(&u));
            errors.push(error / tolerance(network, 0));
        }
        errors
    })
}

fn check(network: &Network, channels: &[Channel], count: usize) {
    let sources = Sources::compose(network, &selector(channels)).unwrap();
    let errors = scaled_errors(network, &sources, channels, count);
    let worst = errors.iter().copied().fold(0.0, f64::max);
    println!(
        "{} {}x{} n {count}: {worst:.2} of the tolerance",
        network.activation().name(),
        network.width(),
        network.hidden_layers()
    );
    assert!(worst <= 1.0, "{network:?}, {count} points, over tolerance: {errors:?}");
}

/// Workgroups have 64 invocations.
#[test]
fn every_activation_carries_four_orders_at_every_size() {
    let orders: Vec<Channel> = (0..=4).map(|order| partial(&[order])).collect();
    for (activation, width, layers) in [
        (Activation::Rational, 7, 2),
        (Activation::Tanh, 1, 0),
        (Activation::Sin, 9, 1),
        (Activation::Swish, 5, 3),
    ] {
        let network = network(1, width, layers, activation);
        for count in [1, 63, 64, 65, 131] {
            check(&network, &orders, count);
        }
    }
}

#[test]
fn a_coordinate_that_is_not_periodic_is_scaled() {
    let inputs = vec![Input::Linear { lower: -2.0, upper: 1.0 }];
    let network = Network::new(inputs, 5, 1, Activation::Tanh);
    check(&network, &[partial(&[0]), partial(&[1]), partial(&[2]), partial(&[3])], 33);
}

#[test]
fn mixed_derivatives_and_the_collapsed_laplacian_in_several_dimensions() {
    let wanted = BTreeSet::from([partial(&[2, 1]), partial(&[1, 2]), Channel::Laplacian]);
    for activation in Activation::ALL {
        let network = network(2, 6, 1, activation);
        let channels: Vec<Channel> = Channels::closure(&wanted, 2).iter().collect();
        assert_eq!(channels.len(), 9);
        check(&network, &channels, 17);
    }
    let network = network(6, 5, 1, Activation::Tanh);
    let channels = [Channel::Laplacian, partial(&[0, 0, 1]), partial(&[0, 0, 0, 1, 0, 1])];
    check(&network, &channels, 5);
}

#[test]
fn the_paper_network_and_an_odd_wide_one() {
    let second = [partial(&[0]), partial(&[2])];
    check(&network(1, 25, 5, Activation::Rational), &second, 67);
    check(&network(1, 129, 1, Activation::Tanh), &second, 3);
}

#[test]
fn a_planted_error_in_any_forward_kernel_is_found() {
    let network = network(1, 5, 1, Activation::Tanh);
    let channels = [partial(&[1]), partial(&[4])];
    for (stem, from, to) in [
        ("network/embed.wgsl", "* amplitude * wave.y", "* amplitude * wave.x"),
        ("network/layer.wgsl", "let t4 = -0.5 *", "let t4 = -0.49 *"),
        ("network/layer.wgsl", "z[r][0] += theta[layer.bias + row];", ""),
        ("network/output.wgsl", "a[0] * b[1] + a[1] * b[0]", "a[0] * b[1] + 1e-3 * b[0]"),
        ("network/output.wgsl", "e1f * u[4]", "e0f * u[4]"),
    ] {
        let mut sources = Sources::compose(&network, &selector(&channels)).unwrap();
        let text = sources.text_mut(stem).unwrap();
        let changed = text.replace(from, to);
        assert_ne!(*text, changed, "{stem}: nothing to change");
        *text = changed;
        let errors = scaled_errors(&network, &sources, &channels, 9);
        assert!(errors.iter().any(|&error| error > 10.0), "{stem}, {from}: {errors:?}");
    }
}

/// u = lift + distance * network with both as polynomials, and F through the product rule.
#[test]
fn the_ansatz_multiplies_and_adds_its_tables() {
    let inputs = vec![Input::Linear { lower: 0.0, upper: 1.0 }; 2];
    let network = Network::new(inputs, 4, 1, Activation::Sin);
    let wanted = [partial(&[2, 1]), Channel::Laplacian];
    let distance = |x: &[f64]| x[0] * (1.0 - x[0]) * x[1] * (1.0 - x[1]);
    let lift = |x: &[f64]| 0.5 + x[0] * x[0] * x[1] - 0.3 * x[1].powi(3);
    let theta = theta(&network, 2);
    let u = |x: &[f64]| lift(x) + distance(x) * network_value(&network, &theta, x);
    let x = points(network.inputs(), 41);
    let each = |f: &dyn Fn(&[f64]) -> f64| x.chunks_exact(2).map(f).collect::<Vec<f64>>();

    let sources = Sources::compose(&network, &selector(&wanted)).unwrap();
    // Normalised Taylor coefficients; the differences are exact on polynomials of this degree.
    let table = |f: &dyn Fn(&[f64]) -> f64| -> Vec<f64> {
        let normalised = |wanted: Channel| {
            let factor = match wanted {
                Channel::Partial(index) => index.factorial(),
                Channel::Laplacian => 1.0,
            };
            each(&|x| channel(f, x, wanted, 0.1) / factor)
        };
        sources.channels().iter().flat_map(normalised).collect()
    };
    let (distances, lifts) = (table(&distance), table(&lift));
    let ansatz = Ansatz { distance: Some(&distances), lift: Some(&lifts) };
    for k in 0..wanted.len() {
        let parameters: Vec<f64> = (0..wanted.len()).map(|j| f64::from(u8::from(j == k))).collect();
        let field = pollster::block_on(async {
            let mut evaluator =
                Evaluator::with_sources(gpu(), &network, &sources, &parameters, &x, ansatz)
                    .await
                    .unwrap();
            evaluator.field(&theta, 0.0).await.unwrap()
        });
        let tolerance = tolerance(&network, 3);
        assert!(relative_error(&field.values, &each(&u)) < tolerance);
        let truth = each(&|x| channel(&u, x, wanted[k], SPACING));
        assert!(relative_error(&field.right_hand_side, &truth) < tolerance);
        // The tables matter: without them the same comparison fails.
        let bare =
            each(&|x| channel(&|x| network_value(&network, &theta, x), x, wanted[k], SPACING));
        assert!(relative_error(&field.right_hand_side, &bare) > 1e3 * tolerance);
    }
}

#[test]
fn chunks_of_points_give_the_same_bits_as_one() {
    let network = network(2, 6, 2, Activation::Rational);
    let theta = theta(&network, 3);
    let x = points(network.inputs(), 150);
    let equation = selector(&[partial(&[2]), partial(&[0, 1])]);
    let run = |budget: Budget| {
        let gpu = gpu().clone().with_budget(budget);
        pollster::block_on(async {
            let ansatz = Ansatz::default();
            let mut evaluator =
                Evaluator::new(&gpu, &network, &equation, &[1.0, 2.0], &x, ansatz).await.unwrap();
            evaluator.field(&theta, 0.0).await.unwrap()
        })
    };
    let whole = run(gpu().budget());
    assert_eq!(whole, run(Budget { chunk_points: 64, ..gpu().budget() }));
    // Factors of 64 points take 64 x 4 bytes per row: a limit that leaves room for 100 points.
    let rows = 2 + 1 + 2 * 6 + 3 * 2 * 6 + 3 * 7;
    assert_eq!(whole, run(Budget { buffer_bytes: 4 * 100 * rows, ..gpu().budget() }));
}
