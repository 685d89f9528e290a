//! Where each parameter lives in the flat vector, by name and offset.

use super::{ENCODERS, Input, RATIONAL_COEFFICIENTS};
use crate::problem::Activation;

/// Name of the constants, behind the outputs' biases.
pub const CONSTANTS: &str = "output.constants";

/// A named, contiguous piece of the parameter vector: a row-major `rows` x `columns` matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub name: String,
    pub offset: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Segment {
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows * self.columns
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// What one parameter does in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// a_jk; `input` counts all coordinates.
    Amplitude { unit: usize, input: usize },
    /// phi_jk.
    Phase { unit: usize, input: usize },
    /// b_jk.
    Shift { unit: usize, input: usize },
    /// w_jk of a coordinate that is not periodic.
    Slope { unit: usize, input: usize },
    /// w_jk of a random Fourier feature, which stand in place of those coordinates; where some
    /// coordinate is flat at an end, of any feature that is no wave.
    Feature { unit: usize, feature: usize },
    /// c_j, present when some coordinate is not periodic.
    Offset { unit: usize },
    /// W_layer[row, column]; layers count from 1; the output layer is `hidden_layers + 1`, with a row
    /// per unknown.
    Weight { layer: usize, row: usize, column: usize },
    /// `b_layer[row]`.
    Bias { layer: usize, row: usize },
    /// Coefficient of the activation of `layer`, which counts from 0 (the embedding).
    Activation { layer: usize, coefficient: usize },
    /// A parameter of encoder `which` (0 or 1), by its place among the embedding's own.
    Encoder { which: usize, index: usize },
}

/// What decides which parameters a network has.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    pub inputs: &'a [Input],
    pub width: usize,
    pub hidden_layers: usize,
    pub activation: Activation,
    /// Random Fourier features, cosines and sines, in place of the linear coordinates, or all features
    /// of coordinates that are not periodic where some are flat at an end; 0: a slope for each of
    /// them.
    pub features: usize,
    /// Whether two encoders gate the hidden layers.
    pub gated: bool,
    /// Unknowns, then constants.
    pub outputs: usize,
    /// Outputs at the end that have a bias and no weights.
    pub constants: usize,
}

/// The segments, in the order of the vector: embedding, then the encoders, each like it, then per
/// hidden layer weight and bias, then the output, then the activations' coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    segments: Vec<Segment>,
    total: usize,
    width: usize,
    hidden_layers: usize,
    /// Coordinates by kind, as positions in the list of inputs.
    periodic: Vec<usize>,
    linear: Vec<usize>,
    features: usize,
    /// Outputs with weights.
    unknowns: usize,
    trainable_activation: bool,
}

impl Layout {
    #[must_use]
    pub fn new(shape: Shape<'_>) -> Self {
        let Shape { inputs, width, hidden_layers, activation, features, gated, .. } = shape;
        let unknowns = shape.outputs - shape.constants;
        let by_kind = |wanted: bool| -> Vec<usize> {
            (0..inputs.len())
                .filter(|&k| matches!(inputs[k], Input::Periodic { .. }) == wanted)
                .collect()
        };
        let mut layout = Self {
            segments: Vec::new(),
            total: 0,
            width,
            hidden_layers,
            periodic: by_kind(true),
            linear: by_kind(false),
            features,
            unknowns,
            trainable_activation: activation == Activation::Rational,
        };
        layout.push_embedding("embedding");
        if gated {
            ENCODERS.iter().for_each(|name| layout.push_embedding(name));
        }
        for layer in 1..=hidden_layers {
            layout.push(format!("hidden.{layer}.weight"), width, width);
            layout.push(format!("hidden.{layer}.bias"), width, 1);
        }
        layout.push("output.weight".into(), unknowns, width);
        layout.push("output.bias".into(), unknowns, 1);
        if shape.constants > 0 {
            layout.push(CONSTANTS.into(), shape.constants, 1);
        }
        if layout.trainable_activation {
            for layer in 0..=hidden_layers {
                layout.push(format!("activation.{layer}"), 1, RATIONAL_COEFFICIENTS);
            }
        }
        layout
    }

    fn push_embedding(&mut self, group: &str) {
        let (width, periodic, slopes) = (self.width, self.periodic.len(), self.slopes());
        if periodic > 0 {
            for name in ["amplitude", "phase", "shift"] {
                self.push(format!("{group}.{name}"), width, periodic);
            }
        }
        if slopes > 0 {
            self.push(format!("{group}.slope"), width, slopes);
            self.push(format!("{group}.offset"), width, 1);
        }
    }

    /// Slopes of each unit: one per Fourier feature, else one per linear coordinate.
    #[must_use]
    pub fn slopes(&self) -> usize {
        if self.features > 0 { self.features } else { self.linear.len() }
    }

    fn push(&mut self, name: String, rows: usize, columns: usize) {
        self.segments.push(Segment { name, offset: self.total, rows, columns });
        self.total += rows * columns;
    }

    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    #[must_use]
    pub fn segment(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|s| s.name == name)
    }

    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Offset of the parameter at `site`.
    ///
    /// # Panics
    /// When the network has no such parameter.
    #[must_use]
    pub fn offset(&self, site: Site) -> usize {
        let position = |kind: &[usize], input: usize| -> usize {
            kind.iter().position(|&k| k == input).expect("an input of this kind")
        };
        let at = |name: &str, row: usize, column: usize| -> usize {
            let segment = self.segment(name).expect("a segment of this network");
            debug_assert!(row < segment.rows && column < segment.columns);
            segment.offset + row * segment.columns + column
        };
        match site {
            Site::Amplitude { unit, input } => {
                at("embedding.amplitude", unit, position(&self.periodic, input))
            }
            Site::Phase { unit, input } => {
                at("embedding.phase", unit, position(&self.periodic, input))
            }
            Site::Shift { unit, input } => {
                at("embedding.shift", unit, position(&self.periodic, input))
            }
            Site::Slope { unit, input } => {
                at("embedding.slope", unit, position(&self.linear, input))
            }
            Site::Feature { unit, feature } => at("embedding.slope", unit, feature),
            Site::Offset { unit } => at("embedding.offset", unit, 0),
            Site::Weight { layer, row, column } => {
                at(&self.layer_segment(layer, "weight"), row, column)
            }
            Site::Bias { layer, row } if layer > self.hidden_layers && row >= self.unknowns => {
                at(CONSTANTS, row - self.unknowns, 0)
            }
            Site::Bias { layer, row } => at(&self.layer_segment(layer, "bias"), row, 0),
            Site::Activation { layer, coefficient } => {
                at(&format!("activation.{layer}"), 0, coefficient)
            }
            Site::Encoder { which, index } => self.encoder_offset(which) + index,
        }
    }

    /// Where the parameters of encoder `which` begin.
    fn encoder_offset(&self, which: usize) -> usize {
        let in_group =
            |s: &&Segment, group: &str| s.name.split_once('.').is_some_and(|n| n.0 == group);
        let mut segments = self.segments.iter();
        segments.find(|s| in_group(s, ENCODERS[which])).expect("an encoder of this network").offset
    }

    fn layer_segment(&self, layer: usize, what: &str) -> String {
        if layer > self.hidden_layers {
            format!("output.{what}")
        } else {
            format!("hidden.{layer}.{what}")
        }
    }

    /// The site of the parameter at `offset`.
    ///
    /// # Panics
    /// When `offset` is not below [`Layout::total`].
    #[must_use]
    pub fn site(&self, offset: usize) -> Site {
        let segment = &self.segments[self.segments.partition_point(|s| s.offset <= offset) - 1];
        let local = offset - segment.offset;
        assert!(local < segment.len(), "parameter {offset} of {}", self.total);
        let (row, column) = (local / segment.columns, local % segment.columns);
        let (group, rest) = segment.name.split_once('.').expect("names have two parts");
        match (group, rest) {
            ("embedding", "amplitude") => {
                Site::Amplitude { unit: row, input: self.periodic[column] }
            }
            ("embedding", "phase") => Site::Phase { unit: row, input: self.periodic[column] },
            ("embedding", "shift") => Site::Shift { unit: row, input: self.periodic[column] },
            ("embedding", "slope") if self.features > 0 => {
                Site::Feature { unit: row, feature: column }
            }
            ("embedding", "slope") => Site::Slope { unit: row, input: self.linear[column] },
            ("embedding", _) => Site::Offset { unit: row },
            (group, _) if ENCODERS.contains(&group) => {
                let which = usize::from(group == ENCODERS[1]);
                Site::Encoder { which, index: offset - self.encoder_offset(which) }
            }
            ("output", "weight") => Site::Weight { layer: self.hidden_layers + 1, row, column },
            ("output", "bias") => Site::Bias { layer: self.hidden_layers + 1, row },
            ("output", _) => Site::Bias { layer: self.hidden_layers + 1, row: self.unknowns + row },
            ("activation", layer) => Site::Activation {
                layer: layer.parse().expect("activation segments are numbered"),
                coefficient: column,
            },
            (_, rest) => {
                let (layer, what) = rest.split_once('.').expect("hidden.N.weight or .bias");
                let layer = layer.parse().expect("hidden segments are numbered");
                if what == "weight" {
                    Site::Weight { layer, row, column }
                } else {
                    Site::Bias { layer, row }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use crate::problem::{Overrides, Problem, ResidualProblem};

    fn plain(inputs: &[Input], width: usize, hidden: usize, activation: Activation) -> Shape<'_> {
        Shape {
            inputs,
            width,
            hidden_layers: hidden,
            activation,
            features: 0,
            gated: false,
            outputs: 1,
            constants: 0,
        }
    }

    /// As many as the limit on columns in a problem file counts for it.
    #[test]
    fn a_modified_mlp_has_two_more_embeddings() {
        let text = "format = 1\n[domain]\nt = { range = [0, 1] }\nx = { range = [-1, 3] }\n\
                    [residual.interior]\nequation = \"u_t = u_xx\"\n\
                    [network]\narchitecture = \"modified-mlp\"\nfourier = { scale = 3 }\n";
        let problem = ResidualProblem::from_toml(text, &Overrides::new()).expect("a problem");
        // 20 units with 64 slopes and an offset each, three times; three layers; the output.
        let parameters = 3 * 20 * 65 + 3 * 420 + 21;
        assert_eq!(Network::of_residual(&problem).parameters(), parameters);
    }

    /// Evolutions have both forms too, and the limit counts their parameters.
    #[test]
    fn an_evolution_has_fourier_features_and_encoders() {
        let text = "format = 1\n[equation]\ntext = \"u_t = u_xx + u_yy\"\n\
                    [domain]\nx = { range = [0, 1], boundary = \"periodic\" }\n\
                    y = { range = [0, 1], boundary = \"dirichlet\", lower = \"0\", upper = \"0\" }\n\
                    [time]\nend = 1\n[initial]\nu = \"y*(1 - y)\"\n\
                    [network]\nactivation = \"tanh\"\n";
        let read = |more: &str| Problem::from_toml(&format!("{text}{more}"), &Overrides::new());
        for (more, embedding) in [
            ("", 3 + 1 + 1),
            ("fourier = { count = 4, scale = 2 }", 3 + 8 + 1),
            ("architecture = \"modified-mlp\"\nfourier = { count = 4 }", 3 * (3 + 8 + 1)),
        ] {
            let problem = read(more).expect("a problem");
            let parameters = 25 * embedding + 5 * 25 * 26 + 26;
            assert_eq!(Network::of(&problem).parameters(), parameters, "{more}");
            assert_eq!(problem.network.parameters(1, 1, 1), parameters, "{more}");
        }
        assert!(read("architecture = \"modified-mlp\"\nfourier = { count = 0 }").is_err());
    }

    #[test]
    fn the_paper_network_has_3393_parameters() {
        let periodic = [Input::Periodic { period: 1.0 }];
        assert_eq!(Layout::new(plain(&periodic, 25, 5, Activation::Rational)).total(), 3393);
    }

    #[test]
    fn sites_and_offsets_are_inverse() {
        let inputs = [
            Input::Linear { lower: 0.0, upper: 1.0 },
            Input::Periodic { period: 2.0 },
            Input::Linear { lower: -1.0, upper: 1.0 },
        ];
        for activation in Activation::ALL {
            for (width, hidden) in [(1, 0), (3, 1), (5, 2)] {
                for (features, gated, outputs, constants) in
                    [(0, false, 1, 0), (4, false, 3, 1), (0, true, 2, 0), (6, true, 3, 2)]
                {
                    let shape = plain(&inputs, width, hidden, activation);
                    let layout =
                        Layout::new(Shape { features, gated, outputs, constants, ..shape });
                    for offset in 0..layout.total() {
                        assert_eq!(layout.offset(layout.site(offset)), offset);
                    }
                    let lengths: usize = layout.segments().iter().map(Segment::len).sum();
                    assert_eq!(lengths, layout.total());
                }
            }
        }
    }
}
