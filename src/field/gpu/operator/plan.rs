//! Where everything stands in the buffers of a sweep: rows of the factors, offsets of the weights.
//!
//! One sweep back per point gives the adjoint jet delta_l of every z_l, and
//!
//! ```text
//! dN/dW_l[r, c] = delta_l[r] . h_{l-1}[c]      dN/db_l[r] = delta_l[r] . 1
//! dN/da_jk = delta_0[j] . cos(angle + phi)     dN/dphi_jk = delta_0[j] . (-a sin(angle + phi))
//! dN/dc_l[i] = (sum over units of the adjoint of h_l times d sigma / d c_i) . 1
//! ```
//!
//! with the product of two jets summed over channels, so that each column of the Jacobian is a pair
//! of jets, and n x rows numbers stand for n x p.

use super::weights::Weights;
use crate::jet::JetSet;
use crate::network::{Layout, Network, RATIONAL_COEFFICIENTS, Site};
use crate::problem::Activation;

/// Words of `struct Layer` that say what encoders do to a layer; see shaders/operator/network.wgsl.
pub const GATED: usize = 1;
pub const GATED_FIRST: usize = 2;
pub const ENCODER: usize = 3;

/// Rows of per-point numbers. Jets are as many rows as there are channels.
///
/// For the values alone two layers' outputs in turns are enough; for the sweep back every layer
/// keeps z, h and the adjoint of z.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether there is a sweep back.
    pub back: bool,
    channels: usize,
    pub width: usize,
    layers: usize,
    /// Encoders of a modified MLP.
    encoders: usize,
    layers_row: usize,
    /// The outputs of the encoders, and the sums of the adjoints of these.
    pub encoder_row: usize,
    pub encoder_bar_row: usize,
    /// The network's jet, and what seeds the sweep back.
    pub output_row: usize,
    pub seed_row: usize,
    /// Adjoints of the outputs of the layer at work.
    pub h_bar_row: usize,
    /// The jet of 1.
    pub ones_row: usize,
    turned_row: usize,
    gradient_row: usize,
    /// Rows in all.
    pub rows: usize,
}

impl Plan {
    /// Features stand first, from row 0 on.
    pub fn new(network: &Network, weights: &Weights, jets: &JetSet, back: bool) -> Self {
        let (channels, width, layers) = (jets.len(), network.width(), network.activated_layers());
        let jet = channels * width;
        let trainable = back && network.activation() == Activation::Rational;
        let only_back = |rows: usize| if back { rows } else { 0 };
        let layers_row = weights.features() * channels;
        let encoders = weights.encoders;
        let kept = if back { 3 * (layers + encoders) } else { layers.min(2) + encoders };
        let encoder_row =
            layers_row + jet * if back { 3 * layers + encoders } else { layers.min(2) };
        let encoder_bar_row = layers_row + jet * kept;
        let output_row = encoder_bar_row + only_back(jet * encoders);
        let seed_row = output_row + channels;
        let h_bar_row = seed_row + only_back(channels);
        let ones_row = h_bar_row + only_back(jet);
        let turned_row = ones_row + only_back(channels);
        let gradient_row = turned_row + only_back(2 * (1 + encoders) * weights.waves() * channels);
        let gradients = if trainable { RATIONAL_COEFFICIENTS * layers } else { 0 };
        Self {
            back,
            channels,
            width,
            layers,
            encoders,
            layers_row,
            encoder_row,
            encoder_bar_row,
            output_row,
            seed_row,
            h_bar_row,
            ones_row,
            turned_row,
            gradient_row,
            rows: gradient_row + gradients * channels,
        }
    }

    /// First row of number `part` (z, h, adjoint) of a layer; encoders come behind the output.
    fn part(&self, layer: usize, part: usize) -> usize {
        let jet = self.channels * self.width;
        if layer > self.layers {
            // Both side by side, part by part.
            let (which, first) = (layer - self.layers - 1, 3 * self.layers);
            match (self.back, part) {
                // Without a way back z is not kept.
                (false, _) | (true, 1) => self.encoder_row + which * jet,
                (true, part) => self.layers_row + (first + part * self.encoders + which) * jet,
            }
        } else if self.back {
            self.layers_row + (3 * layer + part) * jet
        } else {
            // z is not kept.
            self.layers_row + (layer % 2) * jet
        }
    }

    fn h_row(&self, layer: usize) -> usize {
        self.part(layer, 1)
    }

    fn adjoint_row(&self, layer: usize) -> usize {
        if layer == self.layers { self.seed_row } else { self.part(layer, 2) }
    }

    /// First row of the derivatives by the coefficients of a layer's activation.
    fn gradient_row(&self, layer: usize) -> usize {
        self.gradient_row + RATIONAL_COEFFICIENTS * layer * self.channels
    }

    /// First row of what a linear layer multiplies.
    fn input_row(&self, layer: usize) -> usize {
        if layer == 0 || layer > self.layers { 0 } else { self.h_row(layer - 1) }
    }

    /// First row of a group's turned waves.
    fn turned_row(&self, weights: &Weights, group: usize) -> usize {
        self.turned_row + 2 * group * weights.waves() * self.channels
    }

    /// What encoders do to a layer: `GATE` in shaders/operator/network.wgsl.
    fn gate(&self, layer: usize) -> usize {
        match layer {
            _ if layer > self.layers => ENCODER,
            _ if self.encoders == 0 || layer == 0 || layer == self.layers => 0,
            _ if layer + 1 == self.layers => GATED_FIRST,
            _ => GATED,
        }
    }

    /// The words of `struct Layer` in shaders/operator/network.wgsl; layer number `layers` is the
    /// output, the encoders follow.
    pub fn words(&self, weights: &Weights, layer: usize) -> [u32; 16] {
        let output = layer == self.layers;
        let next = (layer + 1).min(self.layers);
        let next_rows = match layer {
            _ if layer > self.layers => 0,
            _ if next == self.layers => 1,
            _ => self.width,
        };
        let group = weights.group(layer).unwrap_or(0);
        [
            weights.matrix(layer),
            weights.bias(layer),
            weights.coefficients(layer),
            weights.inputs(layer),
            self.input_row(layer),
            if output { self.output_row } else { self.part(layer, 0) },
            if output { self.output_row } else { self.h_row(layer) },
            self.adjoint_row(layer),
            weights.matrix(next),
            next_rows,
            self.adjoint_row(next),
            self.gradient_row(layer),
            weights.turn(group),
            self.turned_row(weights, group),
            self.gate(layer),
            self.encoder_bar_row + group.saturating_sub(1) * self.width * self.channels,
        ]
        .map(|word| word as u32)
    }

    /// The two jets of the column of each parameter.
    pub fn pairs(&self, network: &Network, weights: &Weights) -> Vec<[u32; 2]> {
        let layout = network.layout();
        let pair = |k: usize| self.pair(weights, layout, (layout.site(k), 0)).map(|row| row as u32);
        (0..network.parameters()).map(pair).collect()
    }

    /// Of a site of the embedding in that group, or of any in group 0.
    fn pair(&self, weights: &Weights, layout: &Layout, (site, group): (Site, usize)) -> [usize; 2] {
        let (embedding, turned) = (weights.layer(group), self.turned_row(weights, group));
        let jet = |first: usize, number: usize| first + number * self.channels;
        let adjoint = |layer: usize, unit: usize| jet(self.adjoint_row(layer), unit);
        match site {
            Site::Amplitude { unit, input } => {
                [adjoint(embedding, unit), jet(turned, 2 * weights.wave(unit, input))]
            }
            Site::Phase { unit, input } => {
                [adjoint(embedding, unit), jet(turned, 2 * weights.wave(unit, input) + 1)]
            }
            Site::Shift { unit, .. } | Site::Offset { unit } => {
                [adjoint(embedding, unit), self.ones_row]
            }
            Site::Slope { unit, input } => [adjoint(embedding, unit), jet(0, weights.slope(input))],
            Site::Feature { unit, feature } => {
                [adjoint(embedding, unit), jet(0, weights.fourier(feature))]
            }
            Site::Weight { layer, row, column } => {
                [adjoint(layer, row), jet(self.input_row(layer), column)]
            }
            Site::Bias { layer, row } => [adjoint(layer, row), self.ones_row],
            Site::Activation { layer, coefficient } => {
                [jet(self.gradient_row(layer), coefficient), self.ones_row]
            }
            Site::Encoder { which, index } => {
                self.pair(weights, layout, (layout.site(index), which + 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Input;
    use crate::problem::expression::Channel;

    /// Rows overlap nowhere: two columns share both only where they are the same function.
    #[test]
    fn every_parameter_has_its_own_pair_of_jets() {
        let inputs = vec![
            Input::Periodic { period: 1.0 },
            Input::Linear { lower: 0.0, upper: 2.0 },
            Input::Periodic { period: 3.0 },
        ];
        for activation in Activation::ALL {
            for jets in [JetSet::closure(3, []), JetSet::closure(3, [Channel::Laplacian])] {
                let plain = Network::new(inputs.clone(), 5, 2, activation);
                let fourier = plain.clone().with_fourier_features(4, 1.0, 3);
                for network in [plain, fourier.clone(), fourier.with_encoders()] {
                    let weights = Weights::new(&network);
                    let plan = Plan::new(&network, &weights, &jets, true);
                    let mut seen = std::collections::BTreeSet::new();
                    for (k, pair) in plan.pairs(&network, &weights).into_iter().enumerate() {
                        assert!(pair.iter().all(|&row| row as usize + jets.len() <= plan.rows));
                        // b_jk and c_j of one unit all are additive constants of z_0[j].
                        let site = match network.layout().site(k) {
                            Site::Encoder { index, .. } => network.layout().site(index),
                            site => site,
                        };
                        let shared = matches!(site, Site::Shift { .. } | Site::Offset { .. });
                        assert!(seen.insert(pair) || shared, "{site:?}");
                    }
                }
            }
        }
    }
}
