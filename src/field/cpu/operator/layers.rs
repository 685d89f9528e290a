//! The flat parameter vector as the operator's kernels read it: one linear layer after another,
//! the embedding among them.
//!
//! The embedding is linear in features of the point, whose derivatives by the coordinates are known
//! beforehand: the scaled value of a linear coordinate, and for a periodic one
//! `a cos(angle + phi) = (a cos phi) cos(angle) + (-a sin phi) sin(angle)`. The encoders of a
//! modified MLP are such embeddings too.

use crate::cpu::activation::Rational;
use crate::cpu::weights::Packed;
use crate::jet::JetSet;
use crate::network::{Input, Network, RATIONAL_COEFFICIENTS};
use crate::problem::expression::{Channel, MultiIndex};
use crate::scalar::Real;

/// One linear layer.
pub struct Layer<T> {
    pub weight: Packed<T>,
    /// For the sweep back; of no use for the embedding.
    pub transposed: Option<Packed<T>>,
    pub bias: Vec<T>,
}

/// Per unit and periodic coordinate, row-major.
#[derive(Default)]
pub struct Waves<T> {
    pub amplitude: Vec<T>,
    pub cosine: Vec<T>,
    pub sine: Vec<T>,
}

/// A parameter vector in the form that the kernels read.
pub struct Layers<T> {
    /// Embedding, then hidden layers.
    pub layers: Vec<Layer<T>>,
    /// Of a modified MLP; else none.
    pub encoders: Vec<Layer<T>>,
    pub output: Packed<T>,
    pub output_row: Vec<T>,
    /// One number.
    pub output_bias: Vec<T>,
    /// Of the embedding, then of the encoders.
    pub waves: Vec<Waves<T>>,
    /// Per activated layer, the encoders last; zeros where the activation has no coefficients.
    pub rational: Vec<Rational<T>>,
}

impl<T: Real> Layers<T> {
    /// # Panics
    /// When `theta` has not as many entries as the network has parameters.
    #[must_use]
    pub fn new(network: &Network, theta: &[f64]) -> Self {
        assert_eq!(theta.len(), network.parameters(), "parameters of the network");
        let part = |name: &str| -> Vec<T> {
            network.layout().segment(name).map_or_else(Vec::new, |segment| {
                theta[segment.range()].iter().map(|&v| T::of(v)).collect()
            })
        };
        let width = network.width();
        let groups = std::iter::once("embedding").chain(network.encoders());
        let (mut encoders, waves): (Vec<_>, Vec<_>) =
            groups.map(|group| embedding(network, theta, group)).unzip();
        let mut layers = vec![encoders.remove(0)];
        for layer in 1..=network.hidden_layers() {
            let weight = part(&format!("hidden.{layer}.weight"));
            layers.push(Layer {
                weight: Packed::new(width, width, |r, k| weight[r * width + k]),
                transposed: Some(Packed::new(width, width, |r, k| weight[k * width + r])),
                bias: part(&format!("hidden.{layer}.bias")),
            });
        }
        let output_row = part("output.weight");
        let rational = (0..network.activated_layers() + encoders.len())
            .map(|layer| {
                let mut c = [T::ZERO; RATIONAL_COEFFICIENTS];
                for (to, from) in c.iter_mut().zip(part(&format!("activation.{layer}"))) {
                    *to = from;
                }
                c
            })
            .collect();
        Self {
            layers,
            encoders,
            output: Packed::new(1, width, |_, k| output_row[k]),
            output_row,
            output_bias: part("output.bias"),
            waves,
            rational,
        }
    }
}

/// Features of a network's inputs: two per periodic coordinate, then one per linear one or, in
/// their place, two per frequency.
#[must_use]
pub fn feature_count(network: &Network) -> usize {
    2 * periodic_inputs(network) + network.layout().slopes()
}

fn periodic_inputs(network: &Network) -> usize {
    network.inputs().iter().filter(|input| matches!(input, Input::Periodic { .. })).count()
}

/// The embedding whose parameters are the segments of `group`.
fn embedding<T: Real>(network: &Network, theta: &[f64], group: &str) -> (Layer<T>, Waves<T>) {
    let part = |name: &str| -> &[f64] {
        let segment = network.layout().segment(&format!("{group}.{name}"));
        segment.map_or(&[], |segment| &theta[segment.range()])
    };
    let (amplitude, phase, shift) = (part("amplitude"), part("phase"), part("shift"));
    let (slope, offset) = (part("slope"), part("offset"));
    let (periodic, linear) = (periodic_inputs(network), network.layout().slopes());
    let weight = |unit: usize, feature: usize| -> T {
        if feature >= 2 * periodic {
            return T::of(slope[unit * linear + feature - 2 * periodic]);
        }
        let k = unit * periodic + feature / 2;
        let (sine, cosine) = phase[k].sin_cos();
        let turned = if feature.is_multiple_of(2) { cosine } else { -sine };
        T::of(amplitude[k] * turned)
    };
    let bias = |unit: usize| -> T {
        let shifts: f64 = shift.iter().skip(unit * periodic).take(periodic).sum();
        T::of(shifts + offset.get(unit).copied().unwrap_or(0.0))
    };
    let width = network.width();
    let layer = Layer {
        weight: Packed::new(width, 2 * periodic + linear, weight),
        transposed: None,
        bias: (0..width).map(bias).collect(),
    };
    let all = |map: &dyn Fn(usize) -> f64| (0..amplitude.len()).map(|k| T::of(map(k))).collect();
    let waves = Waves {
        amplitude: all(&|k| amplitude[k]),
        cosine: all(&|k| phase[k].cos()),
        sine: all(&|k| phase[k].sin()),
    };
    (layer, waves)
}

/// Taylor coefficients of a point's features, channel by channel, to `out`.
pub fn features(network: &Network, jets: &JetSet, point: &[f64], out: &mut Vec<f64>) {
    for channel in jets.channels() {
        let order = |input: usize| match channel {
            // Another coordinate's derivative of a feature is zero.
            Channel::Partial(index) => (index.0[input] == index.order()).then_some(index.order()),
            Channel::Laplacian => Some(2),
        };
        for (k, input) in network.inputs().iter().enumerate() {
            if let Input::Periodic { period } = *input {
                let frequency = std::f64::consts::TAU / period;
                let (sine, cosine) = (frequency * point[k]).sin_cos();
                let cycle = [cosine, -sine, -cosine, sine];
                let at = |shift: u8| {
                    order(k).map_or(0.0, |n| {
                        let factorial: f64 = (1..=n).map(f64::from).product();
                        frequency.powi(i32::from(n)) / factorial * cycle[usize::from(n + shift) % 4]
                    })
                };
                // sin is cos a quarter of a turn, or three derivatives, later.
                out.extend([at(0), at(3)]);
            }
        }
        if !network.frequencies().is_empty() {
            fourier(network, *channel, point, out);
            continue;
        }
        for (k, input) in network.inputs().iter().enumerate() {
            if let Input::Linear { lower, upper } = *input {
                let scale = 2.0 / (upper - lower);
                out.push(match order(k) {
                    Some(0) => scale * (point[k] - lower) - 1.0,
                    Some(1) => scale,
                    _ => 0.0,
                });
            }
        }
    }
}

/// Taylor coefficients of one channel of the random Fourier features cos(b . s), sin(b . s), s the
/// scaled linear coordinates.
fn fourier(network: &Network, channel: Channel, point: &[f64], out: &mut Vec<f64>) {
    // Per linear coordinate: its place among all, its scaled value and the scale.
    let linear: Vec<(usize, f64, f64)> = network
        .inputs()
        .iter()
        .enumerate()
        .filter_map(|(k, input)| match *input {
            Input::Linear { lower, upper } => {
                let scale = 2.0 / (upper - lower);
                Some((k, scale * (point[k] - lower) - 1.0, scale))
            }
            Input::Periodic { .. } => None,
        })
        .collect();
    for frequency in network.frequencies() {
        let along: Vec<(usize, f64)> =
            linear.iter().zip(frequency).map(|(&(k, _, scale), b)| (k, b * scale)).collect();
        let angle: f64 = linear.iter().zip(frequency).map(|((_, s, _), b)| b * s).sum();
        let (order, factor) = match channel {
            Channel::Partial(index) => (index.order(), coefficient(index, &along)),
            Channel::Laplacian => (2, along.iter().map(|(_, b)| b * b / 2.0).sum()),
        };
        let (sine, cosine) = angle.sin_cos();
        let cycle = [cosine, -sine, -cosine, sine];
        let at = |shift: u8| factor * cycle[usize::from(order + shift) % 4];
        out.extend([at(0), at(3)]);
    }
}

/// `prod_k b_k^a_k / a_k!` for the multi-index a; zero where a has other coordinates.
fn coefficient(index: MultiIndex, along: &[(usize, f64)]) -> f64 {
    let known: u8 = along.iter().map(|&(k, _)| index.0[k]).sum();
    if known != index.order() {
        return 0.0;
    }
    let factor = |&(k, b): &(usize, f64)| {
        let factorial: f64 = (1..=index.0[k]).map(f64::from).product();
        b.powi(i32::from(index.0[k])) / factorial
    };
    along.iter().map(factor).product()
}
