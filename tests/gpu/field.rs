//! Values and derivatives of the ansatz.

use sketchpde::field::gpu::Evaluator;
use sketchpde::field::gpu::config::Budget;
use sketchpde::field::gpu::operator::Sources;
use sketchpde::field::jet::JetSet;
use sketchpde::network::{Input, Network};
use sketchpde::problem::expression::{Channel, Expression};
use sketchpde::problem::{Activation, Problem};

use crate::harness::{gpu, network, partial, points, preset, problem, selector, single};
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
    let zeros = vec![0.0; channels.len()];
    let problem = problem(selector(channels), &zeros);
    pollster::block_on(async {
        let mut evaluator =
            Evaluator::with_sources(gpu(), &problem, network, &x, sources).await.unwrap();
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
    let sources = Sources::compose(network, &selector(channels), single()).unwrap();
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
    let wanted = [partial(&[2, 1]), partial(&[1, 2]), Channel::Laplacian];
    for activation in Activation::ALL {
        let network = network(2, 6, 1, activation);
        let jets = JetSet::closure(2, wanted);
        assert_eq!(jets.len(), 9);
        check(&network, jets.channels(), 17);
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
        ("operator/layer.wgsl", "case 3u: { return 3.3", "case 3u: { return 3.2"),
        ("operator/layer.wgsl", "jet[0] = add(jet[0], weights[layer.bias + row]);", ""),
        ("operator/layer.wgsl", "let power_2_2 = multiply(z[1], z[1])", "let power_2_2 = z[1]"),
        ("operator/output.wgsl", "add(jet[0], weights[layer.bias])", "jet[0]"),
        ("operator/output.wgsl", "h[c], sum[c]", "h[0], sum[c]"),
    ] {
        let mut sources = Sources::compose(&network, &selector(&channels), single()).unwrap();
        assert!(sources.replace(stem, from, to) > 0, "{stem}: nothing to change");
        let errors = scaled_errors(&network, &sources, &channels, 9);
        assert!(errors.iter().any(|&error| error > 10.0), "{stem}, {from}: {errors:?}");
    }
}

/// u = lift + distance * network, F through the product rule, and less the lift's rate of change.
#[test]
fn the_ansatz_multiplies_by_the_distance_and_adds_a_moving_lift() {
    use Expression::{Constant, Coordinate, Parameter, Time};
    let inputs = vec![Input::Linear { lower: 0.0, upper: 1.0 }; 2];
    let network = Network::new(inputs, 4, 1, Activation::Sin);
    let wanted = [partial(&[2, 1]), Channel::Laplacian];
    let (x0, x1) = (|| Coordinate(0), || Coordinate(1));
    let one = || Constant(1.0);
    // The third parameter scales the lift.
    let lift = Time * Time * Parameter(2) * (x0() * x0() * x1() - Constant(0.3) * x1());
    let problem = Problem {
        distance: Some(vec![x0() * (one() - x0()) * x1() * (one() - x1())]),
        lift: Some(vec![lift]),
        ..problem(selector(&wanted), &[0.0, 0.0, 5.0])
    };
    let theta = theta(&network, 2);
    let x = points(network.inputs(), 41);
    let each = |f: &dyn Fn(&[f64]) -> f64| x.chunks_exact(2).map(f).collect::<Vec<f64>>();
    let tolerance = tolerance(&network, 3);
    pollster::block_on(async {
        let mut evaluator = Evaluator::new(gpu(), &problem, &network, &x, single()).await.unwrap();
        for (k, scale, time) in [(0, 5.0, 0.5), (1, 5.0, 0.75), (1, 2.0, 0.75), (0, 2.0, 0.0)] {
            let mut parameters = [0.0, 0.0, scale];
            parameters[k] = 1.0;
            evaluator.set_parameters(&parameters).unwrap();
            let shape = |x: &[f64]| scale * (x[0] * x[0] * x[1] - 0.3 * x[1]);
            let distance = |x: &[f64]| x[0] * (1.0 - x[0]) * x[1] * (1.0 - x[1]);
            let bare = |x: &[f64]| distance(x) * network_value(&network, &theta, x);
            let u = |x: &[f64]| time * time * shape(x) + bare(x);
            let field = evaluator.field(&theta, time).await.unwrap();
            assert!(relative_error(&field.values, &each(&u)) < tolerance);
            let truth = each(&|x| channel(&u, x, wanted[k], SPACING) - 2.0 * time * shape(x));
            let error = relative_error(&field.right_hand_side, &truth);
            assert!(error < tolerance, "{k}, {time}: {error:e}");
            // The lift matters: without it the same comparison fails.
            let without = each(&|x| channel(&bare, x, wanted[k], SPACING));
            let error = relative_error(&field.right_hand_side, &without);
            assert!(time == 0.0 || error > 1e3 * tolerance, "{k}, {time}: {error:e}");
        }
    });
}

#[test]
fn chunks_of_points_give_the_same_bits_as_one() {
    let network = network(2, 6, 2, Activation::Rational);
    let theta = theta(&network, 3);
    let x = points(network.inputs(), 150);
    let problem = problem(selector(&[partial(&[2]), partial(&[0, 1])]), &[1.0, 2.0]);
    let run = |budget: Budget| {
        let gpu = gpu().clone().with_budget(budget);
        pollster::block_on(async {
            let mut evaluator =
                Evaluator::new(&gpu, &problem, &network, &x, single()).await.unwrap();
            evaluator.field(&theta, 0.0).await.unwrap()
        })
    };
    let whole = run(gpu().budget());
    assert_eq!(whole, run(Budget { chunk_points: 64, ..gpu().budget() }));
    // Factors of 64 points take 64 x 4 bytes per row: a limit that leaves room for 100 points.
    // Of the sweep back: 3 features, z, h and adjoints of 3 layers, the output, the seed, the ones,
    // the adjoints at work, two turned waves a unit, and the coefficients' derivatives.
    let rows = 3 + 3 * 3 * 6 + 3 + 6 + 2 * 6 + 3 * 7;
    assert_eq!(whole, run(Budget { buffer_bytes: 4 * 100 * rows, ..gpu().budget() }));
}

/// An evaluator whose points were moved is one that was made with them: also where the ansatz has a
/// distance and a lift, which are tables over the points.
#[test]
fn moved_points_are_points() {
    let problem = preset("heat-dirichlet");
    let network = Network::of(&problem);
    let theta = network.initialise(2);
    let place = |shift: f64| (0..90).map(|i| (f64::from(i) + shift) / 91.0).collect::<Vec<f64>>();
    pollster::block_on(async {
        let mut moved =
            Evaluator::new(gpu(), &problem, &network, &place(0.1), single()).await.unwrap();
        let before = moved.field(&theta, 0.3).await.unwrap();
        moved.set_points(&place(0.7)).unwrap();
        let after = moved.field(&theta, 0.3).await.unwrap();
        let mut made =
            Evaluator::new(gpu(), &problem, &network, &place(0.7), single()).await.unwrap();
        assert_eq!(after, made.field(&theta, 0.3).await.unwrap());
        assert_ne!(after, before, "planted: points that stay");
        assert!(moved.set_points(&place(0.7)[1..]).is_err(), "one too few");
    });
}
