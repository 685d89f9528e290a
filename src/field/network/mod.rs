//! The ansatz: a fully connected network behind an embedding of the coordinates.
//!
//! ```text
//! y_j  = sum over periodic k of [ a_jk cos(2 pi x_k / P_k + phi_jk) + b_jk ]
//!      + sum over other k of w_jk (2 (x_k - lower_k) / (upper_k - lower_k) - 1) + c_j
//! z_0  = y;   h_l = sigma_l(z_l);   z_{l+1} = W_{l+1} h_l + b_{l+1},  l = 0 .. L - 1
//! u_i  = w_i . h_L + b_i                            for every unknown i
//! u_i  = b_i                                        for every constant i behind them
//! ```
//!
//! with L hidden linear layers; sigma_l is the activation, with coefficients of its own per layer
//! where it is trainable (\[RSNG\], arXiv 2310.04867, appendix).
//!
//! A coordinate at whose ends the flux is given enters by two features without slope there, with a
//! w_jk each, in place of the scaled coordinate ([`flat`]).
//!
//! Two variations serve solutions with fine detail. *Random Fourier features* (Tancik et al.,
//! arXiv 2006.10739) replace the linear coordinates: w_jk multiplies cos(b_k . s) or sin(b_k . s)
//! with fixed frequencies b_k, normal of a given deviation, and s the scaled coordinates. The
//! *modified MLP* (Wang, Teng, Perdikaris, arXiv 2001.04536, section 2.6) has two encoders
//! U = sigma(y'), V = sigma(y''), embeddings with parameters of their own, that gate every hidden
//! layer: h_l = (1 - sigma(z_l)) U + sigma(z_l) V for l >= 1.

pub mod flat;
mod initialise;
mod layout;

pub use layout::{CONSTANTS, Layout, Segment, Shape, Site};

use crate::problem::residual::{Axis, InputScaling};
use crate::problem::{
    Activation, Architecture, Boundary, NetworkSettings, Problem, ResidualProblem,
};
use crate::random::{Philox, Stream};

/// Trainable coefficients of one rational activation: p3, p2, p1, p0 of the numerator, highest
/// power first, then q2, q1, q0 of the denominator.
pub const RATIONAL_COEFFICIENTS: usize = 7;

/// Start values of a rational activation: a fit of a leaky ReLU (Boulle, Nakatsukasa, Townsend,
/// "Rational neural networks", 2020), as the RSNG paper uses it.
pub const RATIONAL_START: [f64; RATIONAL_COEFFICIENTS] =
    [1.1915, 1.5957, 0.5, 0.0218, 2.383, 0.0, 1.0];

/// The parameters' group names of the two encoders of a modified MLP.
pub const ENCODERS: [&str; 2] = ["encoder1", "encoder2"];

/// How one coordinate enters the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// Through cos(2 pi x / period + phase).
    Periodic { period: f64 },
    /// Scaled to \[-1, 1\].
    Linear { lower: f64, upper: f64 },
    /// Through two features that have no slope at the ends that have a steepness: see [`flat`].
    Flat { lower: f64, upper: f64, ends: [Option<f64>; 2] },
}

impl Input {
    /// Features beside waves.
    fn slopes(&self) -> usize {
        match self {
            Self::Periodic { .. } => 0,
            Self::Linear { .. } => 1,
            Self::Flat { .. } => 2,
        }
    }
}

/// Features that are no waves, where some are of a flat coordinate; else 0.
fn features_of(inputs: &[Input]) -> usize {
    let flat = inputs.iter().any(|input| matches!(input, Input::Flat { .. }));
    if flat { inputs.iter().map(Input::slopes).sum() } else { 0 }
}

/// The parameters of a network in parts; those that it has not are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Corrected<'a> {
    pub theta: &'a [f64],
    /// c of a correction in the tangent space.
    pub correction: &'a [f64],
    /// Of plane waves along the scaled coordinates, the holes that they are around, and their
    /// coefficients.
    pub frequencies: &'a [f64],
    pub inversions: &'a [f64],
    pub coefficients: &'a [f64],
}

/// Shape of the network. Its parameters are a flat vector; [`Layout`] says where each one lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    inputs: Vec<Input>,
    width: usize,
    hidden_layers: usize,
    activation: Activation,
    /// Random Fourier features: per feature a frequency along every linear coordinate.
    frequencies: Vec<Vec<f64>>,
    gated: bool,
    outputs: usize,
    constants: usize,
    layout: Layout,
}

impl Network {
    #[must_use]
    pub fn new(
        inputs: Vec<Input>,
        width: usize,
        hidden_layers: usize,
        activation: Activation,
    ) -> Self {
        let shape = Shape {
            inputs: &inputs,
            width,
            hidden_layers,
            activation,
            features: features_of(&inputs),
            gated: false,
            outputs: 1,
            constants: 0,
        };
        let (layout, frequencies) = (Layout::new(shape), Vec::new());
        Self {
            inputs,
            width,
            hidden_layers,
            activation,
            frequencies,
            gated: false,
            outputs: 1,
            constants: 0,
            layout,
        }
    }

    /// The same with `count` random Fourier features in place of the linear coordinates, their
    /// frequencies normal with standard deviation `scale`.
    #[must_use]
    pub fn with_fourier_features(mut self, count: usize, scale: f64, seed: u64) -> Self {
        let linear = self.inputs.iter().map(Input::slopes).sum();
        let random = Philox::new(seed, Stream::Frequencies);
        let frequency = |k: usize, along: usize| scale * random.normal(k as u64, along as u32);
        self.frequencies =
            (0..count).map(|k| (0..linear).map(|along| frequency(k, along)).collect()).collect();
        self.layout = Layout::new(self.shape());
        self
    }

    /// The same with two encoders that gate every hidden layer.
    #[must_use]
    pub fn with_encoders(mut self) -> Self {
        self.gated = true;
        self.layout = Layout::new(self.shape());
        self
    }

    /// The same with an output per unknown.
    #[must_use]
    pub fn with_outputs(mut self, outputs: usize) -> Self {
        self.outputs = outputs;
        self.layout = Layout::new(self.shape());
        self
    }

    /// The same with so many outputs more that are the same everywhere: constants to be found.
    #[must_use]
    pub fn with_constants(mut self, constants: usize) -> Self {
        self.outputs += constants - self.constants;
        self.constants = constants;
        self.layout = Layout::new(self.shape());
        self
    }

    fn shape(&self) -> Shape<'_> {
        Shape {
            inputs: &self.inputs,
            width: self.width,
            hidden_layers: self.hidden_layers,
            activation: self.activation,
            features: self.features(),
            gated: self.gated,
            outputs: self.outputs,
            constants: self.constants,
        }
    }

    /// Features with a slope of their own, where not every slope is that of a linear coordinate.
    fn features(&self) -> usize {
        if self.frequencies.is_empty() {
            features_of(&self.inputs)
        } else {
            2 * self.frequencies.len()
        }
    }

    /// The network that a problem asks for.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let inputs = problem
            .coordinates
            .iter()
            .map(|c| match (&c.boundary, c.flat_ends()) {
                (Boundary::Periodic, _) => Input::Periodic { period: c.upper - c.lower },
                (_, [None, None]) => Input::Linear { lower: c.lower, upper: c.upper },
                (_, ends) => Input::Flat { lower: c.lower, upper: c.upper, ends },
            })
            .collect();
        Self::with_settings(inputs, &problem.network, problem.seed)
            .with_outputs(problem.unknowns.len())
    }

    fn with_settings(inputs: Vec<Input>, settings: &NetworkSettings, seed: u64) -> Self {
        let mut network =
            Self::new(inputs, settings.width, settings.hidden_layers, settings.activation);
        if let Some(fourier) = &settings.architecture.fourier {
            network = network.with_fourier_features(fourier.count, fourier.scale, seed);
        }
        if settings.architecture.kind == Architecture::ModifiedMlp {
            network = network.with_encoders();
        }
        network
    }

    /// The network that a residual problem asks for.
    #[must_use]
    pub fn of_residual(problem: &ResidualProblem) -> Self {
        let input = |axis: &Axis| match (axis.periodic, problem.inputs) {
            (true, _) => Input::Periodic { period: axis.length() },
            (false, InputScaling::Scaled) => Input::Linear { lower: axis.lower, upper: axis.upper },
            // Scaling [-1, 1] to [-1, 1] leaves a coordinate as it is.
            (false, InputScaling::Raw) => Input::Linear { lower: -1.0, upper: 1.0 },
        };
        let inputs = problem.axes.iter().map(input).collect();
        Self::with_settings(inputs, &problem.network, problem.seed)
            .with_outputs(problem.unknowns.len())
            .with_constants(problem.sought().count())
    }

    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    #[must_use]
    pub fn hidden_layers(&self) -> usize {
        self.hidden_layers
    }

    /// Outputs: one per unknown, then the constants.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Outputs that are functions of the coordinates.
    #[must_use]
    pub fn unknowns(&self) -> usize {
        self.outputs - self.constants
    }

    /// Values of the outputs that are the same everywhere, of parameters as [`Network::split`] takes them.
    ///
    /// # Panics
    /// As [`Network::split`].
    #[must_use]
    pub fn constants(&self, theta: &[f64]) -> Vec<f64> {
        let Corrected { theta, correction, .. } = self.split(theta);
        let Some(segment) = self.layout.segment(CONSTANTS) else { return Vec::new() };
        let mut values = theta[segment.range()].to_vec();
        if let Some(change) = correction.get(segment.range()) {
            values.iter_mut().zip(change).for_each(|(value, c)| *value += c);
        }
        values
    }

    /// Activated layers: the embedding and the hidden ones.
    #[must_use]
    pub fn activated_layers(&self) -> usize {
        self.hidden_layers + 1
    }

    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Frequencies of the random Fourier features along the linear coordinates; none where those
    /// enter as they are.
    #[must_use]
    pub fn frequencies(&self) -> &[Vec<f64>] {
        &self.frequencies
    }

    /// Group names of the encoders' parameters, where there are encoders.
    pub fn encoders(&self) -> impl Iterator<Item = &'static str> {
        ENCODERS.into_iter().take(if self.gated { ENCODERS.len() } else { 0 })
    }

    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// p: the number of parameters.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.layout.total()
    }

    /// The parameters themselves, the correction in the tangent space that may stand behind them, and
    /// the plane waves that may stand behind that: d frequencies of each, the middle and the inverse
    /// half axes of the hole that it is around, zeros where it is around none, then of each unknown the
    /// coefficients of the cosines and of the sines.
    ///
    /// # Panics
    /// When [`Network::holds`] says that there are not as many numbers.
    #[must_use]
    pub fn split<'a>(&self, theta: &'a [f64]) -> Corrected<'a> {
        assert!(self.holds(theta.len()), "parameters of the network, alone or with a correction");
        let parameters = self.parameters();
        let (theta, behind) = theta.split_at(parameters);
        if behind.is_empty() {
            return Corrected { theta, ..Corrected::default() };
        }
        let (correction, waves) = behind.split_at(parameters);
        let count = waves.len() / self.numbers_of_a_wave();
        let (frequencies, waves) = waves.split_at(count * self.inputs.len());
        let (inversions, coefficients) = waves.split_at(2 * frequencies.len());
        Corrected { theta, correction, frequencies, inversions, coefficients }
    }

    /// Whether so many numbers are parameters of this network: p of them; 2 p with a correction, and 3 d
    /// and two for each unknown more for each plane wave beside it.
    #[must_use]
    pub fn holds(&self, numbers: usize) -> bool {
        let parameters = self.parameters();
        let behind = numbers.checked_sub(2 * parameters);
        numbers == parameters
            || behind.is_some_and(|waves| waves.is_multiple_of(self.numbers_of_a_wave()))
    }

    /// Its frequency, the hole that it is around, and the coefficients of its cosine and its sine for
    /// each unknown.
    #[must_use]
    pub fn numbers_of_a_wave(&self) -> usize {
        3 * self.inputs.len() + 2 * self.outputs
    }
}
