//! The parameters as the kernels read them: one linear layer after the other, the embedding first
//! and the encoders of a modified MLP behind the output, then the activations' coefficients, then
//! cosine and sine of the phases of the embedding and of the encoders.
//!
//! The embedding is linear in features of the point (see `cpu::features`): for a periodic
//! coordinate `a cos(angle + phi) = (a cos phi) cos(angle) + (-a sin phi) sin(angle)`.

use crate::network::{Input, Layout, Network, RATIONAL_COEFFICIENTS, Site};
use crate::problem::Activation;

/// The weights' places in one vector.
#[derive(Clone, Debug)]
pub struct Weights {
    features: usize,
    /// Per coordinate the first of its features.
    feature: Vec<usize>,
    /// Where the features begin that are no waves of periodic coordinates.
    slopes: usize,
    width: usize,
    /// Activated layers without the encoders.
    layers: usize,
    pub encoders: usize,
    coefficients: usize,
    len: usize,
    /// Per parameter.
    places: Vec<Place>,
}

/// What a parameter does to the weights.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Turns `weight` (of the cosine) and the one behind it (of the sine) with the phase, a
    /// parameter.
    Amplitude { weight: u32, phase: u32 },
    /// Its cosine is here, its sine behind it.
    Phase(u32),
    /// Is this weight, or a part of its sum.
    Weight(u32),
}

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
        let trainable = network.activation() == Activation::Rational;
        let mut weights = Self {
            features: 2 * periodic + network.layout().slopes(),
            feature: network.inputs().iter().map(&mut first).collect(),
            slopes: 2 * periodic,
            width: network.width(),
            layers: network.activated_layers(),
            encoders: network.encoders().count(),
            coefficients: if trainable { RATIONAL_COEFFICIENTS } else { 0 },
            len: 0,
            places: Vec::new(),
        };
        weights.len = weights.turn(1 + weights.encoders);
        weights.places = (0..network.parameters())
            .map(|parameter| weights.place(network.layout(), parameter, 0))
            .collect();
        weights
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn features(&self) -> usize {
        self.features
    }

    /// Periodic coordinates.
    pub fn periodic(&self) -> usize {
        self.slopes / 2
    }

    /// Waves of the embedding: one per unit and periodic coordinate.
    pub fn waves(&self) -> usize {
        self.width * self.periodic()
    }

    /// The number of a unit's wave along a periodic coordinate.
    pub fn wave(&self, unit: usize, input: usize) -> usize {
        unit * self.periodic() + self.feature[input] / 2
    }

    /// The feature that is a linear coordinate.
    pub fn slope(&self, input: usize) -> usize {
        self.feature[input]
    }

    /// The feature that is number `feature` of the Fourier features.
    pub fn fourier(&self, feature: usize) -> usize {
        self.slopes + feature
    }

    /// The number of a group of an embedding's parameters: 0 its own, then the encoders'. `None`
    /// for other layers.
    pub fn group(&self, layer: usize) -> Option<usize> {
        if layer == 0 { Some(0) } else { layer.checked_sub(self.layers).filter(|group| *group > 0) }
    }

    /// The linear layer of a group.
    pub fn layer(&self, group: usize) -> usize {
        if group == 0 { 0 } else { self.layers + group }
    }

    /// Columns of a linear layer's matrix; layer number `layers` is the output, the encoders follow.
    pub fn inputs(&self, layer: usize) -> usize {
        if self.group(layer).is_some() { self.features } else { self.width }
    }

    /// Where the matrix begins, row-major.
    pub fn matrix(&self, layer: usize) -> usize {
        let embedding = self.width * (self.features + 1);
        let hidden = |count: usize| count * self.width * (self.width + 1);
        match layer {
            0 => 0,
            _ if layer <= self.layers => embedding + hidden(layer - 1),
            _ => {
                let encoders = layer - self.layers - 1;
                embedding + hidden(self.layers - 1) + self.width + 1 + encoders * embedding
            }
        }
    }

    pub fn bias(&self, layer: usize) -> usize {
        let rows = if layer == self.layers { 1 } else { self.width };
        self.matrix(layer) + rows * self.inputs(layer)
    }

    /// Where a layer's activation has its coefficients.
    pub fn coefficients(&self, layer: usize) -> usize {
        self.matrix(self.layers + 1 + self.encoders) + self.coefficients * layer
    }

    /// Where cosine and sine of a group's phases stand, wave by wave.
    pub fn turn(&self, group: usize) -> usize {
        self.coefficients(self.layers) + 2 * group * self.waves()
    }

    /// The weights at theta.
    pub fn values(&self, theta: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.len];
        for (place, &value) in self.places.iter().zip(theta) {
            match *place {
                Place::Amplitude { weight, phase } => {
                    let (sine, cosine) = theta[phase as usize].sin_cos();
                    values[weight as usize] = value * cosine;
                    values[weight as usize + 1] = -value * sine;
                }
                Place::Phase(turn) => {
                    let (sine, cosine) = value.sin_cos();
                    values[turn as usize] = cosine;
                    values[turn as usize + 1] = sine;
                }
                Place::Weight(weight) => values[weight as usize] += value,
            }
        }
        values
    }

    /// Of an embedding's `parameter` in that `group`, or of any in group 0.
    fn place(&self, layout: &Layout, parameter: usize, group: usize) -> Place {
        let layer = self.layer(group);
        let of = |unit: usize, feature: usize| self.matrix(layer) + unit * self.features + feature;
        // An encoder's parameters stand as the embedding's do, which come first.
        let in_group = |site: Site| match group {
            0 => site,
            _ => Site::Encoder { which: group - 1, index: layout.offset(site) },
        };
        let weight = match layout.site(parameter) {
            Site::Amplitude { unit, input } => {
                let phase = layout.offset(in_group(Site::Phase { unit, input })) as u32;
                return Place::Amplitude { weight: of(unit, self.feature[input]) as u32, phase };
            }
            Site::Phase { unit, input } => {
                return Place::Phase((self.turn(group) + 2 * self.wave(unit, input)) as u32);
            }
            Site::Shift { unit, .. } | Site::Offset { unit } => self.bias(layer) + unit,
            Site::Slope { unit, input } => of(unit, self.slope(input)),
            Site::Feature { unit, feature } => of(unit, self.fourier(feature)),
            Site::Encoder { which, index } => return self.place(layout, index, which + 1),
            Site::Weight { layer, row, column } => self.matrix(layer) + row * self.width + column,
            Site::Bias { layer, row } => self.bias(layer) + row,
            Site::Activation { layer, coefficient } => self.coefficients(layer) + coefficient,
        };
        Place::Weight(weight as u32)
    }
}
