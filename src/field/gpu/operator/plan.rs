//! Where everything stands in an operator's buffers: rows of the factors, offsets of the weights.

use super::weights::Weights;
use crate::jet::JetSet;
use crate::network::{Network, RATIONAL_COEFFICIENTS};
use crate::problem::Activation;

/// In a pair of rows: there is no second one, the adjoint's value is the column.
pub const NONE: u32 = u32::MAX;

/// Rows of per-point numbers. Jets are as many rows as there are channels.
///
/// For the values alone two layers' outputs in turns are enough; for the sweep back every layer
/// keeps z, h and the adjoint of z.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether there is a sweep back.
    pub back: bool,
    channels: usize,
    width: usize,
    layers: usize,
    layers_row: usize,
    /// The network's jet, and what seeds the sweep back.
    pub output_row: usize,
    pub seed_row: usize,
    /// Adjoints of the outputs of the layer at work.
    pub h_bar_row: usize,
    gradient_row: usize,
    /// Rows in all.
    pub rows: usize,
}

impl Plan {
    /// Features stand first, from row 0 on.
    pub fn new(network: &Network, features: usize, jets: &JetSet, back: bool) -> Self {
        let (channels, width, layers) = (jets.len(), network.width(), network.activated_layers());
        let jet = channels * width;
        let trainable = back && network.activation() == Activation::Rational;
        let layers_row = features * channels;
        let output_row = layers_row + jet * if back { 3 * layers } else { layers.min(2) };
        let seed_row = output_row + channels;
        let h_bar_row = seed_row + if back { channels } else { 0 };
        let gradient_row = h_bar_row + if back { jet } else { 0 };
        let rows = gradient_row + if trainable { RATIONAL_COEFFICIENTS * layers } else { 0 };
        Self {
            back,
            channels,
            width,
            layers,
            layers_row,
            output_row,
            seed_row,
            h_bar_row,
            gradient_row,
            rows,
        }
    }

    /// First row of number `part` (z, h, adjoint) of a layer.
    fn part(&self, layer: usize, part: usize) -> usize {
        let jet = self.channels * self.width;
        if self.back {
            self.layers_row + (3 * layer + part) * jet
        } else {
            // z is overwritten by h at once.
            self.layers_row + (layer % 2) * jet
        }
    }

    fn z_row(&self, layer: usize) -> usize {
        self.part(layer, 0)
    }

    fn h_row(&self, layer: usize) -> usize {
        self.part(layer, 1)
    }

    fn adjoint_row(&self, layer: usize) -> usize {
        if layer == self.layers { self.seed_row } else { self.part(layer, 2) }
    }

    fn gradient_row(&self, layer: usize) -> usize {
        self.gradient_row + RATIONAL_COEFFICIENTS * layer
    }

    /// First row of what a linear layer multiplies.
    fn input_row(&self, layer: usize) -> usize {
        if layer == 0 { 0 } else { self.h_row(layer - 1) }
    }

    /// The words of `struct Layer` in shaders/operator/network.wgsl; layer number `layers` is the
    /// output.
    pub fn words(&self, weights: &Weights, layer: usize) -> [u32; 12] {
        let output = layer == self.layers;
        let next = (layer + 1).min(self.layers);
        [
            weights.matrix(layer),
            weights.bias(layer),
            weights.coefficients(layer),
            weights.inputs(layer),
            self.input_row(layer),
            if output { self.output_row } else { self.z_row(layer) },
            if output { self.output_row } else { self.h_row(layer) },
            self.adjoint_row(layer),
            weights.matrix(next),
            if next == self.layers { 1 } else { self.width },
            self.adjoint_row(next),
            self.gradient_row(layer),
        ]
        .map(|word| word as u32)
    }

    /// The two jets of the column of each weight.
    pub fn pairs(&self, weights: &Weights) -> Vec<[u32; 2]> {
        let mut pairs = Vec::with_capacity(weights.len());
        let jet = |first: usize, unit: usize| (first + unit * self.channels) as u32;
        for layer in 0..=self.layers {
            let units = if layer == self.layers { 1 } else { self.width };
            let (adjoint, input) = (self.adjoint_row(layer), self.input_row(layer));
            for unit in 0..units {
                let of = |column| [jet(adjoint, unit), jet(input, column)];
                pairs.extend((0..weights.inputs(layer)).map(of));
            }
            pairs.extend((0..units).map(|unit| [jet(adjoint, unit), NONE]));
        }
        let gradients = weights.len() - pairs.len();
        pairs.extend((0..gradients).map(|k| [(self.gradient_row + k) as u32, NONE]));
        pairs
    }
}
