//! The parameters as the kernels read them: one linear layer after the other, the embedding among
//! them, then the activations' coefficients.
//!
//! The embedding is linear in features of the point (see `cpu::features`): for a periodic
//! coordinate `a cos(angle + phi) = (a cos phi) cos(angle) + (-a sin phi) sin(angle)`. So the
//! weights w depend on the parameters theta, J = J_w D with the derivatives D = dw/dtheta, which
//! has at most two entries a column; the kernels know J_w alone.

use faer::{Mat, MatRef};

use crate::network::{Input, Network, RATIONAL_COEFFICIENTS, Site};
use crate::problem::Activation;

/// The weights' places in one vector.
#[derive(Clone, Debug)]
pub struct Weights {
    features: usize,
    /// Where the slopes' features begin: behind two per periodic coordinate.
    slopes: usize,
    width: usize,
    /// Activated layers.
    layers: usize,
    coefficients: usize,
    len: usize,
    /// Per parameter.
    places: Vec<Place>,
}

/// What a parameter does to the weights.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Turns `weight` (of the cosine) and the one behind it (of the sine) with the phase.
    Amplitude {
        weight: u32,
        phase: u32,
    },
    Phase {
        weight: u32,
        amplitude: u32,
    },
    /// Is this weight, or a part of its sum.
    Weight(u32),
}

/// dw/dtheta at one theta: per parameter the weights that depend on it, and how.
#[derive(Clone, Debug)]
pub struct Derivatives(Vec<[(u32, f64); 2]>);

impl Weights {
    pub fn new(network: &Network) -> Self {
        let is_periodic = |input: &Input| matches!(input, Input::Periodic { .. });
        let periodic = network.inputs().iter().filter(|input| is_periodic(input)).count();
        // Two per periodic coordinate, then one per linear one or, in their place, Fourier features.
        let mut next = [0, 2 * periodic];
        let mut first = |input: &Input| {
            let (kind, count) = if is_periodic(input) { (0, 2) } else { (1, 1) };
            next[kind] += count;
            next[kind] - count
        };
        let feature: Vec<usize> = network.inputs().iter().map(&mut first).collect();
        let (slopes, features) = (2 * periodic, 2 * periodic + network.layout().slopes());
        let (width, layers) = (network.width(), network.activated_layers());
        let trainable = network.activation() == Activation::Rational;
        let coefficients = if trainable { RATIONAL_COEFFICIENTS } else { 0 };
        let places = Vec::new();
        let mut weights = Self { features, slopes, width, layers, coefficients, len: 0, places };
        weights.len = weights.bias(layers) + 1 + coefficients * layers;
        weights.places = (0..network.parameters())
            .map(|parameter| weights.place(network, &feature, parameter))
            .collect();
        weights
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn features(&self) -> usize {
        self.features
    }

    /// Columns of a linear layer's matrix; layer number `layers` is the output.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.features } else { self.width }
    }

    /// Where the matrix begins, row-major.
    pub fn matrix(&self, layer: usize) -> usize {
        match layer {
            0 => 0,
            _ => self.width * (self.features + 1) + (layer - 1) * self.width * (self.width + 1),
        }
    }

    pub fn bias(&self, layer: usize) -> usize {
        let rows = if layer == self.layers { 1 } else { self.width };
        self.matrix(layer) + rows * self.inputs(layer)
    }

    /// Where a layer's activation has its coefficients.
    pub fn coefficients(&self, layer: usize) -> usize {
        self.bias(self.layers) + 1 + self.coefficients * layer
    }

    /// w at theta.
    pub fn values(&self, theta: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.len];
        for (place, &value) in self.places.iter().zip(theta) {
            match *place {
                Place::Amplitude { weight, phase } => {
                    let (sine, cosine) = theta[phase as usize].sin_cos();
                    values[weight as usize] = value * cosine;
                    values[weight as usize + 1] = -value * sine;
                }
                Place::Phase { .. } => {}
                Place::Weight(weight) => values[weight as usize] += value,
            }
        }
        values
    }

    /// dw/dtheta at theta.
    pub fn derivatives(&self, theta: &[f64]) -> Derivatives {
        let of = |(place, &value): (&Place, &f64)| match *place {
            Place::Amplitude { weight, phase } => {
                let (sine, cosine) = theta[phase as usize].sin_cos();
                [(weight, cosine), (weight + 1, -sine)]
            }
            Place::Phase { weight, amplitude } => {
                let (sine, cosine) = value.sin_cos();
                let a = theta[amplitude as usize];
                [(weight, -a * sine), (weight + 1, -a * cosine)]
            }
            Place::Weight(weight) => [(weight, 1.0), (0, 0.0)],
        };
        Derivatives(self.places.iter().zip(theta).map(of).collect())
    }

    fn place(&self, network: &Network, feature: &[usize], parameter: usize) -> Place {
        let layout = network.layout();
        let wave = |unit: usize, input: usize| (unit * self.features + feature[input]) as u32;
        let weight = match layout.site(parameter) {
            Site::Amplitude { unit, input } => {
                let phase = layout.offset(Site::Phase { unit, input }) as u32;
                return Place::Amplitude { weight: wave(unit, input), phase };
            }
            Site::Phase { unit, input } => {
                let amplitude = layout.offset(Site::Amplitude { unit, input }) as u32;
                return Place::Phase { weight: wave(unit, input), amplitude };
            }
            Site::Shift { unit, .. } | Site::Offset { unit } => self.bias(0) + unit,
            Site::Slope { unit, input } => unit * self.features + feature[input],
            Site::Feature { unit, feature } => unit * self.features + self.slopes + feature,
            Site::Encoder { .. } => unreachable!("refused before"),
            Site::Weight { layer, row, column } => self.matrix(layer) + row * self.width + column,
            Site::Bias { layer, row } => self.bias(layer) + row,
            Site::Activation { layer, coefficient } => self.coefficients(layer) + coefficient,
        };
        Place::Weight(weight as u32)
    }
}

impl Derivatives {
    /// `D V`: what J_w has to multiply for J V.
    pub fn multiply(&self, v: MatRef<'_, f64>, weights: usize) -> Mat<f64> {
        let mut product = Mat::zeros(weights, v.ncols());
        for j in 0..v.ncols() {
            for (k, terms) in self.0.iter().enumerate() {
                for &(at, factor) in terms {
                    product[(at as usize, j)] += factor * v[(k, j)];
                }
            }
        }
        product
    }

    /// `D^T X`, for X = J_w^T W.
    pub fn multiply_transposed(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        Mat::from_fn(self.0.len(), x.ncols(), |k, j| self.combine(k, |at| x[(at, j)]))
    }

    /// The derivative by parameter k of something whose derivatives by the weights are given.
    pub fn combine(&self, k: usize, by_weight: impl Fn(usize) -> f64) -> f64 {
        let [(first, a), (second, b)] = self.0[k];
        let value = a * by_weight(first as usize);
        // A factor of zero stands for no second weight, whatever there is in its place.
        if b == 0.0 { value } else { value + b * by_weight(second as usize) }
    }

    /// Per weight the parameters that it depends on, and how.
    pub fn by_weight(&self, weights: usize) -> Vec<Vec<(u32, f64)>> {
        let mut lists = vec![Vec::new(); weights];
        for (k, terms) in self.0.iter().enumerate() {
            for &(at, factor) in terms.iter().filter(|(_, factor)| *factor != 0.0) {
                lists[at as usize].push((k as u32, factor));
            }
        }
        lists
    }
}
