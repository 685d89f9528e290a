//! The second family of problems: residuals that a network over the whole domain makes small.
//!
//! Time is a coordinate like the others here. A problem is a list of blocks, each an equation (or
//! an energy density) on a part of the domain with points and a weight of its own; the loss is
//! their weighted sum. [`ResidualProblem::from_toml`] reads and checks a whole file.
//!
//! # Problem files of this family, format 1
//!
//! What tells them from evolution problems are the `[residual.NAME]` blocks. Only `format`, one
//! coordinate and one block in the interior with its equation must be there.
//!
//! ```toml
//! format = 1
//! name = "heat"
//! title = "Heat equation"
//! description = "What one sees."
//! unknown = "u"                              # default; several: ["u", "v", "p"]
//! # complex = "psi"                          # of what has complex values
//!
//! [domain]                                   # 1 to 8 coordinates, the time among them
//! t = { range = [0, 1] }
//! x = { range = [0, "2*pi"], embedding = "periodic" }   # linear is the default
//! # shape = "box - hole"                     # the part of the box that is the domain: named shapes,
//!                                            # joined (+), subtracted (-) or cut (&)
//! # [shapes.hole]                            # disc, ball, ellipse, box, polygon, half-plane, formula
//! # disc = { centre = [1, 2], radius = 0.5 }
//!
//! [parameters]                               # as in evolution problems
//! kappa = { value = 0.25, range = [0, 1] }
//! # kappa = { value = 0.25, find = true }    # to be found from data, within the range if there is one
//!
//! [residual.interior]
//! on = "interior"                            # default
//! equation = "u_t = kappa*u_xx"              # derivatives up to order 4; several: a list
//! weight = 1                                 # default
//! norm = "integral"                          # default; mean, sum
//! points = { layout = "grid", count = 30, walls = false }
//!
//! [residual.initial]
//! on = "t = 0"                               # or a list of planes and names of shapes, or
//!                                            # "boundary": everything that bounds the domain in space
//! equation = "u = sin(x)"
//! points = { layout = "latin-hypercube", count = 100, resample = 50 }   # random, sobol, midpoints, gauss
//!                                            # refine = 1: drawn where the residual is large
//!
//! [residual.seam]
//! periodic = "x"                             # instead of `on`: what agrees at the two ends
//! match = ["u", "u_x"]                       # instead of `equation`; default "u"
//!
//! [residual.sensors]
//! data = [[0.5, 1.0, 0.7]]                   # instead of `on`: coordinates, then the value
//! quantity = "u"                             # instead of `equation`; default the unknown
//! # noise = 0.1                              # standard deviation of the values
//!
//! [exact]                                    # optional: for the error
//! u = "exp(-kappa*t)*sin(x)"                 # and so on for every unknown
//!
//! [reference]                                # in its place: an evolution problem in t and one
//! equation = "u_t = 0.01*u_xx"               # periodic coordinate with the same solution
//! range = [-1, 1]                            # default: the coordinate's
//! initial = "sin(pi*x)"
//! value = "u"                                # the solution by this problem's u; default
//! # data = [[0.5, 1.0, 0.7]]                 # or else the solution at single points, with the
//! # columns = ["t", "x", "u"]                # names of the numbers in a row; default
//!
//! [evaluation]
//! layout = "grid"                            # grid up to 3 coordinates, else random
//! count = 200                                # per coordinate; else in all
//!
//! [network]
//! layers = [20, 20, 20, 20]                  # the width of each hidden layer
//! activation = "tanh"                        # sin, swish, rational
//! inputs = "scaled"                          # to [-1, 1], the default; raw
//! initialisation = "normal"                  # weights and biases; glorot, lecun
//! deviation = 0.1                            # of the normal ones
//! architecture = "mlp"                       # modified-mlp: two encoders gate the hidden layers
//! fourier = { count = 32, scale = 2 }        # random Fourier features; default: none
//!
//! [method]
//! name = "lm"                                # engd, sngd, sngd-two-pass, anagram, kernel, spring,
//!                                            # nystrom, adam, lbfgs, bfgs
//! iterations = 1000
//! tolerance = 0                              # stop where the loss is below
//! cutoff = 1e-13                             # default: the method's own
//! cutoff_scale = "relative"                  # to the largest value, the default; absolute,
//!                                            # adapted (anagram, none below the cutoff; sngd)
//! sketch = 200                               # columns of the (first) sketch; default: the method's
//! oversampling = 10                          # likewise
//! line_search = "grid"                       # golden, none; default: none where a rate is given
//! rate = 1e-3                                # step length without line search
//! schedule = "constant"                      # of the rate, the default; cosine
//! damping = 1e-8                             # default: the method's own
//! momentum = 0.9                             # of spring
//! causal = { tolerance = 100, slices = 32, along = "t" }   # weights along time; default: none
//!
//! [run]
//! seed = 0
//! precision = "auto"                         # f32, mixed, f64
//! ```
//!
//! With `norm = "integral"` a block adds `weight * measure * mean(F^2)` to the loss, with the
//! measure of the part of the domain that it lives on; with `mean` and `sum` what they say. A
//! block with `energy = ".."` instead of `equation` adds the integral of that density, which is
//! minimised as it stands: the variational form of a problem.

mod companion;
mod domain;
mod error;
pub mod points;
mod settings;
mod sought;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::expression::{Expression, Names, Pair};
use crate::settings::{NetworkSettings, Precision};
use crate::shape::Shape;
use crate::tabulated::Tabulated;
use crate::{Overrides, Parameter, ProblemErrors, file};

pub use companion::Companion;
pub(crate) use companion::Parts;
pub use domain::Domain;
pub use error::ResidualIssue;
pub use points::BlockPoints;
pub use settings::{
    CausalSettings, CutoffScale, EvaluationSettings, Initialisation, InputScaling, LineSearch,
    Norm, RateSchedule, SampleLayout, SampleSettings, TrainingMethod, TrainingSettings,
};

/// A problem stated by residuals over the whole domain. Made by reading a problem file; every
/// expression is already parsed and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualProblem {
    /// Short name, as on the command line.
    pub name: String,
    /// Name for people, as in plots.
    pub title: String,
    pub description: String,
    /// The unknowns' names in the text (`u`), in order: formulas and values that belong to them
    /// come in this order.
    pub unknowns: Vec<String>,
    /// Complex unknowns, whose parts are among the unknowns.
    pub complex: Vec<Pair>,
    pub axes: Vec<Axis>,
    /// The part of the axes' box, in the coordinates of space, that is the domain; `None`: all.
    pub shape: Option<Shape>,
    pub parameters: Vec<Parameter>,
    /// Functions of the formulas that are given by tables.
    pub tables: Vec<Arc<Tabulated>>,
    /// In the order of the file, which is that of the rows.
    pub blocks: Vec<ResidualBlock>,
    /// The exact solution of each unknown, where the file gives it: coordinates and parameters.
    pub exact: Option<Vec<Expression>>,
    /// An evolution problem with the same solution, where the file gives one.
    pub companion: Option<Companion>,
    /// The solution at some points, where the file gives it there.
    pub known: Option<KnownValues>,
    pub evaluation: EvaluationSettings,
    pub network: NetworkSettings,
    pub inputs: InputScaling,
    pub initialisation: Initialisation,
    pub method: TrainingSettings,
    pub precision: Precision,
    pub seed: u64,
    /// The file's text with every override applied.
    pub source: String,
}

/// The solution at single points, to measure errors by.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownValues {
    /// Point-major, all coordinates in their order.
    pub points: Vec<f64>,
    /// A value per point for one unknown after the other; NaN for those of which none are known.
    pub values: Vec<f64>,
}

/// A coordinate of the domain, space or time.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub name: String,
    pub lower: f64,
    pub upper: f64,
    /// Whether the network is periodic along it by construction.
    pub periodic: bool,
}

impl Axis {
    #[must_use]
    pub fn length(&self) -> f64 {
        self.upper - self.lower
    }
}

/// Positions of all axes but that of the time; of this where it is the only one.
#[must_use]
pub fn space(axes: &[Axis]) -> Vec<usize> {
    (0..axes.len()).filter(|&k| axes.len() == 1 || axes[k].name != "t").collect()
}

/// Equations of one kind on one part of the domain.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualBlock {
    /// As in the file: `[residual.NAME]`.
    pub name: String,
    /// The equations as typed, a line each, for people.
    pub text: String,
    pub location: Location,
    pub condition: Condition,
    pub weight: f64,
    pub norm: Norm,
    pub samples: SampleSettings,
}

/// A part of the domain.
#[derive(Clone, Debug, PartialEq)]
pub enum Location {
    Interior,
    /// Parts of the boundary, or planes in the domain.
    Parts(Vec<Part>),
    /// Pairs of points at the two ends of a coordinate.
    Seam {
        coordinate: usize,
    },
    /// Points that the file lists, point-major.
    Listed(Vec<f64>),
}

/// Points with one coordinate less than the domain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// A side of the box, or a plane in it.
    Plane(Plane),
    /// What the surface of this piece of the problem's shape bounds of the domain.
    Piece(usize),
}

/// Where a coordinate has one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    pub coordinate: usize,
    pub at: f64,
}

/// What a block asks for. Expressions are in coordinates, parameters and the unknowns' jets; on
/// parts of the boundary also in the outward normal, whose component along axis k is the
/// coordinate of number d + k.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// F = 0 for each.
    Equations(Vec<Expression>),
    /// The integral of the density is as small as it can be.
    Energy(Expression),
    /// Each expression has the same value at both points of a pair.
    Match(Vec<Expression>),
    /// The expression has the value that was observed at each point.
    /// `noise` is the standard deviation of the values, where the file says it.
    Observed { quantity: Expression, values: Vec<f64>, noise: Option<f64> },
}

impl Condition {
    /// The expressions of it.
    #[must_use]
    pub fn expressions(&self) -> &[Expression] {
        match self {
            Self::Energy(e) | Self::Observed { quantity: e, .. } => std::slice::from_ref(e),
            Self::Equations(list) | Self::Match(list) => list,
        }
    }
}

impl ResidualProblem {
    /// Reads a problem file and applies overrides to it.
    ///
    /// # Errors
    /// Every mistake in the file and in the overrides; also where the file states an evolution
    /// problem.
    pub fn from_toml(text: &str, overrides: &Overrides) -> Result<Self, ProblemErrors> {
        file::load(text, overrides, None)?.residual(text)
    }

    /// The built-in problem of that name.
    ///
    /// # Errors
    /// Where there is none of this family; the nearest name is suggested.
    pub fn preset(name: &str) -> Result<Self, ProblemErrors> {
        Self::from_toml(crate::Preset::find(name)?.text, &Overrides::new())
    }

    /// The problem, where it has one unknown: for what shows only one.
    ///
    /// # Errors
    /// Where there are several.
    pub fn of_one_unknown(self) -> Result<Self, ProblemErrors> {
        file::alone(&self.unknowns, &self.source)?;
        Ok(self)
    }

    /// Names of the symbols, for printing and for parsing expressions of this problem.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            unknowns: self.unknowns.clone(),
            coordinates: self.axes.iter().map(|axis| axis.name.clone()).collect(),
            parameters: self.parameters.iter().map(|p| p.name.clone()).collect(),
            tables: self.tables.clone(),
            complex: self.complex.clone(),
        }
    }

    /// Values of the named parameters, in order.
    #[must_use]
    pub fn parameter_values(&self) -> Vec<f64> {
        self.parameters.iter().map(|p| p.value).collect()
    }

    /// d: the number of coordinates, time included.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.axes.len()
    }

    /// Where it is solved.
    #[must_use]
    pub fn domain(&self) -> Domain<'_> {
        Domain { axes: &self.axes, shape: self.shape.as_ref() }
    }

    /// The equation of the interior as typed, for lists.
    #[must_use]
    pub fn equation(&self) -> &str {
        let interior = |block: &&ResidualBlock| block.location == Location::Interior;
        self.blocks.iter().find(interior).map_or("", |block| &block.text)
    }
}
