//! The built-in problems: the GPU against the CPU's evaluator in f64.

use nalgebra::DMatrix;
use sketchpde::field::cpu;
use sketchpde::field::gpu::operator::Tier;
use sketchpde::field::gpu::{Evaluator, SketchRows};
use sketchpde::linalg::RowSketch;
use sketchpde::network::Network;
use sketchpde::problem::{Activation, Coordinate, Problem, presets};
use sketchpde::random::{Philox, Stream};

use crate::harness::{gpu, preset, single, tiers};
use crate::oracle::relative_error;

/// Sizes at which the kernels run: columns, points and rows of the sketch are no multiples of
/// anything.
const COLUMNS: usize = 41;
const POINTS: usize = 101;
const SKETCH_ROWS: usize = 88;

/// Points in the problem's box, exact in f32.
fn points(problem: &Problem) -> Vec<f64> {
    let random = Philox::new(11, Stream::Points);
    let count = problem.coordinates.len();
    (0..POINTS * count)
        .map(|at| {
            let Coordinate { lower, upper, .. } = problem.coordinates[at % count];
            f64::from((lower + (upper - lower) * random.uniform(0, at as u32)) as f32)
        })
        .collect()
}

/// Relative errors of u, F, the columns, and the sketch of them.
fn errors(problem: &Problem, network: &Network, tier: Tier) -> [f64; 4] {
    let theta: Vec<f64> =
        network.initialise(7).into_iter().map(|value| f64::from(value as f32)).collect();
    let coordinates = points(problem);
    let columns = Philox::new(3, Stream::Columns).subset(0, network.parameters(), COLUMNS);
    let time = problem.time.start + 0.25 * (problem.time.end - problem.time.start);
    let sketch = RowSketch::new(5, 0, SKETCH_ROWS);

    let twin = cpu::Evaluator::<f64>::new(problem, network, &coordinates);
    let mut j = DMatrix::<f64>::zeros(POINTS, columns.len());
    let truth = twin.jacobian(&theta, time, &columns, 0, j.as_view_mut());
    let sketched = sketch.apply(j.as_view());
    let flat = |m: &DMatrix<f64>| -> Vec<f64> {
        (0..m.ncols()).flat_map(|k| (0..m.nrows()).map(move |i| m[(i, k)])).collect()
    };

    pollster::block_on(async {
        let mut evaluator =
            Evaluator::new(gpu(), problem, network, &coordinates, tier).await.unwrap();
        let (field, mut linearization) = evaluator.linearize(&theta, time).await.unwrap();
        let mut chosen = linearization.choose(&columns).unwrap();
        let lists = sketch.gather_lists(POINTS);
        let rows = SketchRows {
            starts: &lists.starts,
            entries: &lists.entries,
            scale: RowSketch::scale(),
        };
        [
            relative_error(&field.values, &truth.values),
            relative_error(&field.right_hand_side, &truth.right_hand_side),
            relative_error(&chosen.entries::<f64>().await.unwrap(), &flat(&j)),
            relative_error(&chosen.sketch(rows).await.unwrap(), &flat(&sketched)),
        ]
    })
}

/// Fails where an error is above what rounding explains.
fn check(problem: &Problem, network: &Network, tier: Tier) {
    let order = problem.right_hand_side[0].channels().iter().map(order).max().unwrap_or(0);
    let errors = errors(problem, network, tier);
    let growth = (network.width() as f64).sqrt() * (network.hidden_layers() + 2) as f64;
    let [values, rates] = [tier.values, tier.rates].map(|scalar| scalar.epsilon() * growth);
    let tolerances = [values, values * 2f64.powi(order), 2.0 * rates, 2.0 * rates];
    let (name, activation) = (&problem.name, network.activation().name());
    println!("{name} {activation}, {tier:?}: {errors:?} of {tolerances:?}");
    for (error, tolerance) in errors.iter().zip(tolerances) {
        assert!(*error <= tolerance, "{name}, {tier:?}: {errors:?}, {tolerances:?}");
    }
}

#[test]
fn every_preset_agrees_with_the_cpu_in_f64() {
    for preset in presets().iter().filter(|preset| preset.unknowns == 1) {
        let problem = Problem::from_toml(preset.text, &Vec::new()).unwrap();
        let inputs = Network::of(&problem).inputs().to_vec();
        for (activation, width, layers) in
            [(Activation::Rational, 9, 2), (Activation::Tanh, 7, 1), (Activation::Swish, 5, 0)]
        {
            let network = Network::new(inputs.clone(), width, layers, activation);
            check(&problem, &network, single());
        }
    }
}

/// With a distance and a lift, and in two dimensions.
#[test]
fn every_form_of_network_agrees_in_every_tier() {
    for name in ["heat-dirichlet", "vlasov"] {
        let problem = preset(name);
        let inputs = Network::of(&problem).inputs().to_vec();
        let plain = Network::new(inputs.clone(), 7, 2, Activation::Tanh);
        let fourier = plain.clone().with_fourier_features(3, 1.5, 2);
        let gated = plain.with_encoders();
        let rational = Network::new(inputs, 9, 1, Activation::Rational);
        for network in [rational, fourier, gated] {
            tiers().into_iter().for_each(|tier| check(&problem, &network, tier));
        }
    }
}

fn order(channel: &sketchpde::problem::expression::Channel) -> i32 {
    use sketchpde::problem::expression::Channel;
    match channel {
        Channel::Partial(index) => i32::from(index.order()),
        Channel::Laplacian => 2,
    }
}

#[test]
fn the_comparison_finds_a_viscosity_that_is_wrong_by_a_hundredth() {
    let problem = preset("burgers");
    let network = Network::new(Network::of(&problem).inputs().to_vec(), 5, 1, Activation::Tanh);
    let right = errors(&problem, &network, single())[1];
    let (x, theta) = (points(&problem), network.initialise(7));
    let truth = cpu::Evaluator::<f64>::new(&problem, &network, &x).field(&theta, 0.0);
    let wrong = pollster::block_on(async {
        let mut evaluator = Evaluator::new(gpu(), &problem, &network, &x, single()).await.unwrap();
        let values: Vec<f64> = problem.parameters.iter().map(|p| 1.01 * p.value).collect();
        evaluator.set_parameters(&values).unwrap();
        let field = evaluator.field(&theta, 0.0).await.unwrap();
        relative_error(&field.right_hand_side, &truth.right_hand_side)
    });
    assert!(wrong > 10.0 * right, "{wrong:e}, {right:e}");
}
