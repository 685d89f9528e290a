//! Where everything stands: offsets into the parameters, and the rows of per-point numbers
//! ("factors") whose pairwise products are the columns of the Jacobian.
//!
//! For F = u one reverse sweep per point gives the adjoint delta_l of every z_l, and
//!
//! ```text
//! du/dW_l[r, c] = delta_l[r] h_{l-1}[c]        du/db_l[r] = delta_l[r]
//! du/da_jk = delta_0[j] cos(angle_jk)          du/dphi_jk = delta_0[j] (-a_jk sin(angle_jk))
//! du/dc_l[i] = (sum over units of the adjoint of h_l times d sigma / d c_i) * 1
//! ```
//!
//! so that each column is a pair of rows, and n x rows numbers stand for the n x p Jacobian.

use crate::network::{Input, Layout, Network, RATIONAL_COEFFICIENTS, Site};
use crate::problem::Activation;

/// Row of ones: the second factor of biases and the like.
pub const ONES_ROW: usize = 0;
/// Row of du/d(network output): the distance of the ansatz, or ones.
pub const SEED_ROW: usize = 1;

/// Rows and offsets for one network.
#[derive(Clone, Debug)]
pub struct Plan {
    pub width: usize,
    pub hidden_layers: usize,
    /// Positions of the periodic and of the other coordinates.
    pub periodic: Vec<usize>,
    pub linear: Vec<usize>,
    trainable: bool,
    scaled_row: usize,
    pub cosine_row: usize,
    pub sine_row: usize,
    layers_row: usize,
    gradient_row: usize,
    /// Rows in all.
    pub rows: usize,
    /// The two rows of each parameter's column.
    pub pairs: Vec<[u32; 2]>,
}

impl Plan {
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let is_periodic = |k: &usize| matches!(network.inputs()[*k], Input::Periodic { .. });
        let (periodic, linear): (Vec<_>, Vec<_>) =
            (0..network.inputs().len()).partition(is_periodic);
        let (width, layers) = (network.width(), network.activated_layers());
        let trainable = network.activation() == Activation::Rational;
        let scaled_row = SEED_ROW + 1;
        let cosine_row = scaled_row + linear.len();
        let sine_row = cosine_row + width * periodic.len();
        let layers_row = sine_row + width * periodic.len();
        let gradient_row = layers_row + 2 * width * layers;
        let rows = gradient_row + if trainable { RATIONAL_COEFFICIENTS * layers } else { 0 };
        let hidden_layers = network.hidden_layers();
        let mut plan = Self {
            width,
            hidden_layers,
            periodic,
            linear,
            trainable,
            scaled_row,
            cosine_row,
            sine_row,
            layers_row,
            gradient_row,
            rows,
            pairs: Vec::new(),
        };
        plan.pairs = (0..network.parameters())
            .map(|k| plan.pair(network.layout().site(k)).map(|row| row as u32))
            .collect();
        plan
    }

    /// First row of z_l, later of its adjoint.
    #[must_use]
    pub fn adjoint_row(&self, layer: usize) -> usize {
        self.layers_row + 2 * layer * self.width
    }

    /// First row of h_l.
    #[must_use]
    pub fn output_row(&self, layer: usize) -> usize {
        self.adjoint_row(layer) + self.width
    }

    /// First row of the derivatives by the coefficients of layer `layer`'s activation.
    #[must_use]
    pub fn gradient_row(&self, layer: usize) -> usize {
        if self.trainable { self.gradient_row + RATIONAL_COEFFICIENTS * layer } else { 0 }
    }

    /// Row of the scaled coordinate that is number `position` among the linear ones.
    #[must_use]
    pub fn scaled_row(&self, position: usize) -> usize {
        self.scaled_row + position
    }

    fn pair(&self, site: Site) -> [usize; 2] {
        let among = |kind: &[usize], input| {
            kind.iter().position(|&k| k == input).expect("an input of this kind")
        };
        let wave = |first: usize, unit: usize, input: usize| {
            first + unit * self.periodic.len() + among(&self.periodic, input)
        };
        let adjoint = |layer: usize, row: usize| {
            if layer > self.hidden_layers { SEED_ROW } else { self.adjoint_row(layer) + row }
        };
        match site {
            Site::Amplitude { unit, input } => {
                [adjoint(0, unit), wave(self.cosine_row, unit, input)]
            }
            Site::Phase { unit, input } => [adjoint(0, unit), wave(self.sine_row, unit, input)],
            Site::Shift { unit, .. } | Site::Offset { unit } => [adjoint(0, unit), ONES_ROW],
            Site::Slope { unit, input } => {
                [adjoint(0, unit), self.scaled_row(among(&self.linear, input))]
            }
            Site::Weight { layer, row, column } => {
                [adjoint(layer, row), self.output_row(layer - 1) + column]
            }
            Site::Bias { layer, row } => [adjoint(layer, row), ONES_ROW],
            Site::Activation { layer, coefficient } => {
                [self.gradient_row(layer) + coefficient, ONES_ROW]
            }
            Site::Feature { .. } | Site::Encoder { .. } => {
                unreachable!("networks of one instant have none")
            }
        }
    }
}

/// Offset of the named segment, 0 where the network has none (then no shader reads it).
#[must_use]
pub fn offset(layout: &Layout, name: &str) -> usize {
    layout.segment(name).map_or(0, |segment| segment.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows overlap nowhere: two columns share both rows only where they are the same function.
    #[test]
    fn every_parameter_has_its_own_pair_of_rows() {
        let inputs = vec![
            Input::Periodic { period: 1.0 },
            Input::Linear { lower: 0.0, upper: 2.0 },
            Input::Periodic { period: 3.0 },
        ];
        for activation in Activation::ALL {
            let network = Network::new(inputs.clone(), 5, 2, activation);
            let plan = Plan::new(&network);
            let mut seen = std::collections::BTreeSet::new();
            for (k, pair) in plan.pairs.iter().enumerate() {
                assert!(pair.iter().all(|&row| (row as usize) < plan.rows));
                // b_jk and c_j of one unit all are additive constants of z_0[j].
                let shared =
                    matches!(network.layout().site(k), Site::Shift { .. } | Site::Offset { .. });
                assert!(seen.insert(*pair) || shared, "{:?}", network.layout().site(k));
            }
        }
    }
}
