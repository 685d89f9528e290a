//! The flat parameter vector, unpacked into what the kernels read: one linear layer after another,
//! the embedding and the encoders of a modified MLP among them.

use super::activation::Rational;
use super::features::{feature_count, periodic_inputs};
use super::tangent::Direction;
use crate::network::{CONSTANTS, Corrected, Network, RATIONAL_COEFFICIENTS};
use crate::plane_waves::{PlaneWaves, WaveSums};
use crate::scalar::Real;

/// Rows of a matrix that a product accumulates in registers together.
pub const TILE: usize = 5;

/// A matrix in tiles of [`TILE`] rows, the last one filled up with zeros; column by column within a
/// tile, so that a product reads one stream.
pub struct Packed<T> {
    pub rows: usize,
    pub columns: usize,
    tiles: Vec<[T; TILE]>,
}

impl<T: Real> Packed<T> {
    pub fn new(rows: usize, columns: usize, at: impl Fn(usize, usize) -> T) -> Self {
        let mut tiles = Vec::with_capacity(rows.div_ceil(TILE) * columns);
        for first in (0..rows).step_by(TILE) {
            let entry = |r: usize, k| if first + r < rows { at(first + r, k) } else { T::ZERO };
            tiles.extend((0..columns).map(|k| std::array::from_fn(|r| entry(r, k))));
        }
        Self { rows, columns, tiles }
    }

    /// Per tile: its first row, and per column its entries.
    #[inline(always)]
    pub fn tiles(&self) -> impl Iterator<Item = (usize, &[[T; TILE]])> {
        self.tiles.chunks_exact(self.columns).enumerate().map(|(k, tile)| (k * TILE, tile))
    }
}

/// One linear layer, row-major.
pub struct Linear<T> {
    pub rows: usize,
    pub columns: usize,
    pub entries: Vec<T>,
    pub bias: Vec<T>,
}

impl<T: Real> Linear<T> {
    fn packed(&self) -> Packed<T> {
        Packed::new(self.rows, self.columns, |r, k| self.entries[r * self.columns + k])
    }

    fn transposed(&self) -> Packed<T> {
        Packed::new(self.columns, self.rows, |r, k| self.entries[k * self.columns + r])
    }
}

/// One layer, packed.
pub struct Layer<T> {
    pub weight: Packed<T>,
    pub bias: Vec<T>,
}

/// Per unit and periodic coordinate, row-major.
pub struct Waves<T> {
    pub amplitude: Vec<T>,
    pub cosine: Vec<T>,
    pub sine: Vec<T>,
}

/// A parameter vector in the form that the kernels read.
pub struct Weights<T> {
    /// Of every activated layer (the embedding, the hidden layers, then the encoders), and of the
    /// output.
    pub layers: Vec<Layer<T>>,
    /// Of the hidden layers and of the output, for the sweep back; empty where there will be none.
    pub transposed: Vec<Packed<T>>,
    /// Of the embedding, then of the encoders.
    pub waves: Vec<Waves<T>>,
    /// Per activated layer; zeros where the activation has no coefficients.
    pub rational: Vec<Rational<T>>,
    /// Of corrected parameters (see [`Weights::forward`]) the correction c.
    pub correction: Option<Direction<T>>,
    /// And the plane waves beside it.
    pub plane_waves: Option<WaveSums>,
}

impl<T: Real> Weights<T> {
    /// For passes forward. `theta` has as many entries as the network has parameters, p, and stands
    /// for the network there; or it has 2 p of them, theta and c one after the other, and stands for
    /// the network with a correction in its tangent space,
    ///
    /// ```text
    /// u(x) = N(x; theta) + (d/d eps) N(x; theta + eps c) at eps = 0,
    /// ```
    ///
    /// or that and a sum of plane waves behind them ([`Network::split`]).
    ///
    /// # Panics
    /// When `theta` has another length.
    #[must_use]
    pub fn forward(network: &Network, theta: &[f64]) -> Self {
        Self::packed(network, theta, false)
    }

    /// For passes forward and back.
    ///
    /// # Panics
    /// As [`Weights::forward`].
    #[must_use]
    pub fn new(network: &Network, theta: &[f64]) -> Self {
        Self::packed(network, theta, true)
    }

    fn packed(network: &Network, theta: &[f64], back: bool) -> Self {
        let Corrected { theta, correction, frequencies, inversions, coefficients } =
            network.split(theta);
        let waves: Vec<_> = groups(network).map(|group| waves(network, theta, group)).collect();
        let layers = linear_layers(network, &waves, theta, false);
        let hidden = &layers[1..=network.hidden_layers()];
        let behind = hidden.iter().chain(layers.last());
        let pack = |layer: &Linear<T>| Layer { weight: layer.packed(), bias: layer.bias.clone() };
        let mut weights = Self {
            layers: layers.iter().map(pack).collect(),
            transposed: behind.filter(|_| back).map(Linear::transposed).collect(),
            waves,
            rational: rational(network, theta),
            correction: None,
            plane_waves: None,
        };
        if !correction.is_empty() {
            weights.correction = Some(Direction::new(network, &weights, correction));
        }
        if !coefficients.is_empty() {
            let waves = PlaneWaves::new(network, frequencies, inversions);
            weights.plane_waves = Some(WaveSums::new(waves, coefficients.to_vec()));
        }
        weights
    }
}

/// Names of the embedding's and the encoders' groups of parameters.
fn groups(network: &Network) -> impl Iterator<Item = &'static str> {
    std::iter::once("embedding").chain(network.encoders())
}

fn segment<'a>(network: &Network, theta: &'a [f64], name: &str) -> &'a [f64] {
    network.layout().segment(name).map_or(&[], |segment| &theta[segment.range()])
}

fn converted<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| T::of(v)).collect()
}

fn waves<T: Real>(network: &Network, theta: &[f64], group: &str) -> Waves<T> {
    let amplitude = segment(network, theta, &format!("{group}.amplitude"));
    let phase = segment(network, theta, &format!("{group}.phase"));
    Waves {
        amplitude: converted(amplitude),
        cosine: phase.iter().map(|v| T::of(v.cos())).collect(),
        sine: phase.iter().map(|v| T::of(v.sin())).collect(),
    }
}

/// The coefficients of every activated layer's activation, or their entries in a direction.
pub fn rational<T: Real>(network: &Network, theta: &[f64]) -> Vec<Rational<T>> {
    (0..network.activated_layers() + network.encoders().count())
        .map(|layer| {
            let mut c = [T::ZERO; RATIONAL_COEFFICIENTS];
            let from = segment(network, theta, &format!("activation.{layer}"));
            c.iter_mut().zip(from).for_each(|(to, from)| *to = T::of(*from));
            c
        })
        .collect()
}

/// The linear layers at the parameters `at` in the order of [`Weights::layers`], where the waves are
/// `waves`; or the derivative of the layers there along a direction `at`.
///
/// # Panics
/// When `at` has not as many entries as the network has parameters.
pub fn linear_layers<T: Real>(
    network: &Network,
    waves: &[Waves<T>],
    at: &[f64],
    derivative: bool,
) -> Vec<Linear<T>> {
    assert_eq!(at.len(), network.parameters(), "parameters of the network");
    let width = network.width();
    let layer = |name: &str, rows: usize| Linear {
        rows,
        columns: width,
        entries: converted(segment(network, at, &format!("{name}.weight"))),
        bias: converted(segment(network, at, &format!("{name}.bias"))),
    };
    let mut embeddings: Vec<Linear<T>> = groups(network)
        .zip(waves)
        .map(|(group, waves)| embedding(network, at, group, waves, derivative))
        .collect();
    let encoders = embeddings.split_off(1);
    let mut layers = embeddings;
    layers.extend((1..=network.hidden_layers()).map(|l| layer(&format!("hidden.{l}"), width)));
    layers.extend(encoders);
    let mut output = layer("output", network.outputs());
    // Constants have no weights.
    output.entries.resize(network.outputs() * width, T::ZERO);
    output.bias.extend(converted::<T>(segment(network, at, CONSTANTS)));
    layers.push(output);
    layers
}

/// The embedding whose parameters are the segments of `group`, or its derivative along them.
fn embedding<T: Real>(
    network: &Network,
    at: &[f64],
    group: &str,
    waves: &Waves<T>,
    derivative: bool,
) -> Linear<T> {
    let part = |name: &str| segment(network, at, &format!("{group}.{name}"));
    let (amplitude, phase, shift) = (part("amplitude"), part("phase"), part("shift"));
    let (slope, offset) = (part("slope"), part("offset"));
    let (periodic, linear) = (periodic_inputs(network), network.layout().slopes());
    let (width, columns) = (network.width(), feature_count(network));
    let mut entries = Vec::with_capacity(width * columns);
    for unit in 0..width {
        for k in unit * periodic..(unit + 1) * periodic {
            let (cosine, sine, a) = (waves.cosine[k], waves.sine[k], T::of(amplitude[k]));
            // Of `a cos phi` and `-a sin phi` when the phase moves as well.
            let turn = if derivative { waves.amplitude[k] * T::of(phase[k]) } else { T::ZERO };
            entries.push(a * cosine - turn * sine);
            entries.push(-(a * sine) - turn * cosine);
        }
        entries.extend(slope[unit * linear..(unit + 1) * linear].iter().map(|&v| T::of(v)));
    }
    let bias = |unit: usize| -> T {
        let shifts: f64 = shift.iter().skip(unit * periodic).take(periodic).sum();
        T::of(shifts + offset.get(unit).copied().unwrap_or(0.0))
    };
    Linear { rows: width, columns, entries, bias: (0..width).map(bias).collect() }
}
