//! The ansatz: a fully connected network behind an embedding of the coordinates.
//!
//! ```text
//! y_j  = sum over periodic k of [ a_jk cos(2 pi x_k / P_k + phi_jk) + b_jk ]
//!      + sum over other k of w_jk (2 (x_k - lower_k) / (upper_k - lower_k) - 1) + c_j
//! z_0  = y;   h_l = sigma_l(z_l);   z_{l+1} = W_{l+1} h_l + b_{l+1},  l = 0 .. L - 1
//! u    = w . h_L + b
//! ```
//!
//! with L hidden linear layers; sigma_l is the activation, with coefficients of its own per layer
//! where it is trainable (\[RSNG\], arXiv 2310.04867, appendix).

mod initialise;
mod layout;

pub use layout::{Layout, Segment, Site};

use crate::problem::residual::{Axis, InputScaling};
use crate::problem::{Activation, Boundary, Problem, ResidualProblem};

/// Trainable coefficients of one rational activation: p3, p2, p1, p0 of the numerator, highest
/// power first, then q2, q1, q0 of the denominator.
pub const RATIONAL_COEFFICIENTS: usize = 7;

/// Start values of a rational activation: a fit of a leaky ReLU (Boulle, Nakatsukasa, Townsend,
/// "Rational neural networks", 2020), as the RSNG paper uses it.
pub const RATIONAL_START: [f64; RATIONAL_COEFFICIENTS] =
    [1.1915, 1.5957, 0.5, 0.0218, 2.383, 0.0, 1.0];

/// How one coordinate enters the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// Through cos(2 pi x / period + phase).
    Periodic { period: f64 },
    /// Scaled to \[-1, 1\].
    Linear { lower: f64, upper: f64 },
}

/// Shape of the network. Its parameters are a flat vector; [`Layout`] says where each one lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    inputs: Vec<Input>,
    width: usize,
    hidden_layers: usize,
    activation: Activation,
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
        let layout = Layout::new(&inputs, width, hidden_layers, activation);
        Self { inputs, width, hidden_layers, activation, layout }
    }

    /// The network that a problem asks for.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let inputs = problem
            .coordinates
            .iter()
            .map(|c| match c.boundary {
                Boundary::Periodic => Input::Periodic { period: c.upper - c.lower },
                Boundary::Dirichlet { .. } | Boundary::Open => {
                    Input::Linear { lower: c.lower, upper: c.upper }
                }
            })
            .collect();
        let settings = &problem.network;
        Self::new(inputs, settings.width, settings.hidden_layers, settings.activation)
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
        let settings = &problem.network;
        let inputs = problem.axes.iter().map(input).collect();
        Self::new(inputs, settings.width, settings.hidden_layers, settings.activation)
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

    /// Activated layers: the embedding and the hidden ones.
    #[must_use]
    pub fn activated_layers(&self) -> usize {
        self.hidden_layers + 1
    }

    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
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
}
