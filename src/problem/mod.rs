//! What is solved: a versioned TOML file becomes a typed [`Problem`].
//!
//! [`expression`] holds the tree that equation text becomes.

pub mod expression;

use std::collections::BTreeMap;

use expression::Expression;

/// An evolution problem u_t = F(x, t, u, derivatives, parameters) with everything that is needed
/// to solve it. Made by reading a problem file; every expression is already parsed and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Short name, as on the command line.
    pub name: String,
    /// Name for people, as in plots.
    pub title: String,
    pub description: String,
    /// The unknown's name in the text (`u`).
    pub unknown: String,
    pub coordinates: Vec<Coordinate>,
    pub parameters: Vec<Parameter>,
    pub time: TimeSpan,
    /// The equation as typed, for people.
    pub equation: String,
    /// F in u_t = F.
    pub right_hand_side: Expression,
    /// u at the start time: coordinates and parameters only.
    pub initial: Expression,
    /// The exact solution, where the file gives one: coordinates, time and parameters.
    pub exact: Option<Expression>,
    /// Factor of the network in the ansatz u = lift + distance * network; `None` is 1.
    pub distance: Option<Expression>,
    /// Part of the ansatz that carries Dirichlet values; `None` is 0. May depend on time.
    pub lift: Option<Expression>,
    pub network: NetworkSettings,
    pub points: PointSettings,
    pub fit: FitSettings,
    pub method: MethodSettings,
    pub reference: ReferenceSettings,
    pub precision: Precision,
    pub seed: u64,
    /// The file's text with every override applied: what `--out` keeps and what the cache hashes.
    pub source: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Coordinate {
    pub name: String,
    pub lower: f64,
    pub upper: f64,
    pub boundary: Boundary,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Boundary {
    Periodic,
    /// u equals the given expressions on the lower and the upper side, exactly.
    Dirichlet {
        lower: Expression,
        upper: Expression,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub value: f64,
    /// For sliders and for checks.
    pub range: Option<[f64; 2]>,
    pub description: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeSpan {
    pub start: f64,
    pub end: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    pub width: usize,
    /// Hidden linear layers after the embedding (the paper's "depth 7" is 5 here).
    pub hidden_layers: usize,
    pub activation: Activation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// P3(z) / Q2(z) with seven trainable coefficients per layer.
    Rational,
    Tanh,
    Sin,
    /// z / (1 + exp(-z)).
    Swish,
}

impl Activation {
    pub const ALL: [Self; 4] = [Self::Rational, Self::Tanh, Self::Sin, Self::Swish];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rational => "rational",
            Self::Tanh => "tanh",
            Self::Sin => "sin",
            Self::Swish => "swish",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PointSettings {
    pub layout: PointLayout,
    /// Grid: points per coordinate (one entry: the same along each). Random, Sobol: one total.
    pub count: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointLayout {
    /// Equispaced; periodic coordinates leave out the upper end, others keep half a spacing from
    /// both ends.
    Grid,
    /// Uniform at random.
    Random,
    /// Sobol's low-discrepancy sequence.
    Sobol,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    pub method: FitMethod,
    /// Stop at this relative L2 error.
    pub tolerance: f64,
    pub max_iterations: usize,
    /// Points per coordinate of the fit; empty: chosen by the fit.
    pub count: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitMethod {
    LevenbergMarquardt,
    /// The paper's: L-BFGS, then Adam with cosine decay.
    LbfgsAdam,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MethodSettings {
    pub scheme: Scheme,
    pub update: Update,
    /// s: how many parameters a sparse update changes.
    pub columns: usize,
    pub integrator: Integrator,
    /// Time step; the first one where `tolerance` is set.
    pub step: f64,
    /// Local error per step, relative, that the step controller aims at; `None`: fixed steps.
    pub tolerance: Option<f64>,
    /// Singular values below `rcond` times the largest are left out.
    pub rcond: f64,
    pub solver: Solver,
    /// Most Gauss-Newton corrections of one stage fit.
    pub corrections: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Runge-Kutta on theta' = J^+ f, as published.
    ParameterOde,
    /// Runge-Kutta in function space, each step fitted by Gauss-Newton corrections.
    StageFit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    Dense,
    RandomSparse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrator {
    Euler,
    Rk4,
    /// Dormand-Prince 5(4).
    DormandPrince,
}

/// How the least-squares problem of a stage is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// By size, from the measurements written down in `linalg`.
    Auto,
    /// Truncated singular value decomposition: the oracle.
    Svd,
    /// Rank-revealing QR with column pivoting.
    PivotedQr,
    /// Normal equations in f64 with pivoted Cholesky or an eigen-decomposition.
    Gram,
    /// The least-squares solution of the sketched problem.
    SketchAndSolve,
    /// LSQR preconditioned by the sketch's factor.
    SketchedLsqr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceSettings {
    pub kind: ReferenceKind,
    /// Fourier modes; `None`: doubled until two resolutions agree.
    pub modes: Option<usize>,
    pub step: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// The exact solution if there is one, else spectral if the problem allows it, else none.
    Auto,
    Exact,
    Spectral,
    None,
}

/// Precision tier (see the crate's documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Auto,
    F32,
    /// Jacobian in f32, residuals and solution in f64 or double-float.
    Mixed,
    F64,
}

/// Overrides by dotted key, as `--set method.columns=150` gives them, in order.
pub type Overrides = Vec<(String, String)>;

/// Named sets of overrides that a problem file carries (`[variants.published-fast]`).
pub type Variants = BTreeMap<String, Overrides>;
