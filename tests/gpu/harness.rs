//! The adapter under test, and small problems.

use std::sync::OnceLock;

use sketchpde::field::device::Backend;
use sketchpde::field::gpu::Gpu;
use sketchpde::field::gpu::operator::{Scalar, Tier};
use sketchpde::network::{Input, Network};
use sketchpde::problem::expression::{Channel, Entry, Expression, MultiIndex};
use sketchpde::problem::{Activation, Parameter, Precision, Preset, Problem};
use sketchpde::random::{Philox, Stream};

const ADAPTER: &str = "SKETCHPDE_ADAPTER";

/// The device that all tests share.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| {
        let backend = Backend::Gpu(std::env::var(ADAPTER).ok());
        let opened = pollster::block_on(backend.open());
        opened.map(|gpu| gpu.expect("a GPU, which was asked for")).unwrap_or_else(|error| {
            panic!(
                "these tests need a GPU adapter: {error}. On Debian or Ubuntu \
                 `apt install mesa-vulkan-drivers` brings a software one; {ADAPTER} is {:?}",
                std::env::var(ADAPTER).ok()
            )
        })
    })
}

/// Everything in f32.
pub fn single() -> Tier {
    Tier::choose(gpu(), Precision::F32).expect("every device has f32")
}

/// f32, double-float with a Jacobian in f32 and, where the device has it, f64.
pub fn tiers() -> Vec<Tier> {
    assert!(gpu().self_test().passed(), "double-float arithmetic is exact");
    let without = gpu().clone().without_f64();
    let mixed = Tier::choose(&without, Precision::Mixed).expect("double-float");
    assert_eq!(mixed.values, Scalar::DoubleFloat);
    let mut tiers = vec![single(), mixed];
    if gpu().has_f64() {
        tiers.push(Tier::choose(gpu(), Precision::F64).expect("f64"));
    }
    tiers
}

/// u_{orders}.
pub fn partial(orders: &[u8]) -> Channel {
    let mut index = MultiIndex::default();
    index.0[..orders.len()].copy_from_slice(orders);
    Channel::Partial(index)
}

/// F = sum over k of parameter_k * channel_k: with one parameter at 1 and the others at 0 it shows
/// one channel.
pub fn selector(channels: &[Channel]) -> Expression {
    channels
        .iter()
        .enumerate()
        .map(|(k, &channel)| Expression::Parameter(k) * Expression::Jet(Entry::new(0, channel)))
        .reduce(|a, b| a + b)
        .expect("at least one channel")
}

/// Alternating kinds of coordinates, the first one periodic.
pub fn mixed_inputs(dimensions: usize) -> Vec<Input> {
    (0..dimensions)
        .map(|k| {
            if k % 2 == 0 {
                Input::Periodic { period: 2.5 }
            } else {
                Input::Linear { lower: -1.0, upper: 0.5 }
            }
        })
        .collect()
}

pub fn network(dimensions: usize, width: usize, layers: usize, activation: Activation) -> Network {
    Network::new(mixed_inputs(dimensions), width, layers, activation)
}

/// Points in the box, exact in f32.
pub fn points(inputs: &[Input], count: usize) -> Vec<f64> {
    let random = Philox::new(11, Stream::Points);
    (0..count * inputs.len())
        .map(|at| {
            let part = random.uniform(0, at as u32);
            let x = match inputs[at % inputs.len()] {
                Input::Periodic { period } => period * part,
                Input::Linear { lower, upper } | Input::Flat { lower, upper, .. } => {
                    lower + (upper - lower) * part
                }
            };
            f64::from(x as f32)
        })
        .collect()
}

/// Standard normal numbers, exact in f32.
pub fn normals(count: usize, seed: u64) -> Vec<f64> {
    let random = Philox::new(seed, Stream::Vectors);
    (0..count).map(|k| f64::from(random.normal(0, k as u32) as f32)).collect()
}

/// A built-in problem.
pub fn preset(name: &str) -> Problem {
    Problem::from_toml(Preset::find(name).unwrap().text, &Vec::new()).unwrap()
}

/// u_t = `right_hand_side` with nothing but the network as its ansatz.
pub fn problem(right_hand_side: Expression, parameters: &[f64]) -> Problem {
    let named = |(k, &value): (usize, &f64)| Parameter {
        name: format!("p{k}"),
        value,
        range: None,
        description: String::new(),
        find: false,
    };
    Problem {
        right_hand_side: vec![right_hand_side],
        parameters: parameters.iter().enumerate().map(named).collect(),
        distance: None,
        lift: None,
        ..preset("allen-cahn")
    }
}
