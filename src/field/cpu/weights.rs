//! The flat parameter vector, unpacked into what the kernels read.

use super::activation::Rational;
use crate::network::{Input, Network};
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

/// Parameters of one linear layer.
pub struct Linear<T> {
    /// Row-major, `rows` x `columns`.
    pub entries: Vec<T>,
    pub weight: Packed<T>,
    pub bias: Vec<T>,
}

impl<T: Real> Linear<T> {
    /// The transposed weight, which a sweep back multiplies by.
    pub fn transposed(&self) -> Packed<T> {
        let Packed { rows, columns, .. } = self.weight;
        Packed::new(columns, rows, |r, k| self.entries[k * columns + r])
    }
}

/// One periodic coordinate's part of the embedding, per unit.
pub struct PeriodicInput<T> {
    pub input: usize,
    /// 2 pi / period.
    pub frequency: f64,
    pub amplitude: Vec<T>,
    pub phase: Vec<T>,
    pub phase_cosine: Vec<T>,
    pub phase_sine: Vec<T>,
    pub shift: Vec<T>,
}

/// One other coordinate's part.
pub struct LinearInput<T> {
    pub input: usize,
    /// d(scaled coordinate) / dx.
    pub scale: f64,
    pub slope: Vec<T>,
}

pub struct Weights<T> {
    pub periodic: Vec<PeriodicInput<T>>,
    pub linear: Vec<LinearInput<T>>,
    /// c_j, empty when every coordinate is periodic.
    pub offset: Vec<T>,
    /// Hidden layers, then the output.
    pub layers: Vec<Linear<T>>,
    /// Per activated layer; zeros where the activation has no coefficients.
    pub rational: Vec<Rational<T>>,
}

impl<T: Real> Weights<T> {
    /// Unpacks `theta`, or a direction in parameter space (of which the phase's own entries are
    /// read, not their cosine and sine).
    pub fn unpack(network: &Network, theta: &[f64]) -> Self {
        let part = |name: &str| -> Vec<T> {
            network.layout().segment(name).map_or_else(Vec::new, |segment| {
                theta[segment.range()].iter().map(|&v| T::of(v)).collect()
            })
        };
        let width = network.width();
        let column = |name: &str, k: usize, count: usize, map: &dyn Fn(f64) -> f64| -> Vec<T> {
            let segment = network.layout().segment(name).expect("a segment of this embedding");
            (0..width).map(|j| T::of(map(theta[segment.offset + j * count + k]))).collect()
        };
        let (mut periodic, mut linear) = (Vec::new(), Vec::new());
        let kind = |p: &dyn Fn(&Input) -> bool| network.inputs().iter().filter(|i| p(i)).count();
        let periodic_count = kind(&|i| matches!(i, Input::Periodic { .. }));
        let linear_count = kind(&|i| matches!(i, Input::Linear { .. }));
        for (input, kind) in network.inputs().iter().enumerate() {
            match *kind {
                Input::Periodic { period } => {
                    let k = periodic.len();
                    let of = |name: &str, map: &dyn Fn(f64) -> f64| {
                        column(&format!("embedding.{name}"), k, periodic_count, map)
                    };
                    periodic.push(PeriodicInput {
                        input,
                        frequency: std::f64::consts::TAU / period,
                        amplitude: of("amplitude", &|v| v),
                        phase: of("phase", &|v| v),
                        phase_cosine: of("phase", &f64::cos),
                        phase_sine: of("phase", &f64::sin),
                        shift: of("shift", &|v| v),
                    });
                }
                Input::Linear { lower, upper } => {
                    let k = linear.len();
                    linear.push(LinearInput {
                        input,
                        scale: 2.0 / (upper - lower),
                        slope: column("embedding.slope", k, linear_count, &|v| v),
                    });
                }
            }
        }
        let rational = (0..network.activated_layers())
            .map(|l| {
                let mut c = [T::ZERO; crate::network::RATIONAL_COEFFICIENTS];
                for (to, from) in c.iter_mut().zip(part(&format!("activation.{l}"))) {
                    *to = from;
                }
                c
            })
            .collect();
        let layer = |name: &str, rows: usize| {
            let entries = part(&format!("{name}.weight"));
            let weight = Packed::new(rows, width, |r, k| entries[r * width + k]);
            Linear { entries, weight, bias: part(&format!("{name}.bias")) }
        };
        let mut layers: Vec<Linear<T>> =
            (1..=network.hidden_layers()).map(|l| layer(&format!("hidden.{l}"), width)).collect();
        layers.push(layer("output", 1));
        Self { periodic, linear, offset: part("embedding.offset"), layers, rational }
    }
}
