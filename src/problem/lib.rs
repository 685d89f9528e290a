//! What is solved: a versioned TOML file becomes a typed [`Problem`].
//!
//! [`expression`] holds the tree that equation text becomes, [`equation`] reads that text, and
//! [`Problem::from_toml`] reads a whole file. Everything about an evolution problem is known and
//! checked once a [`Problem`] exists. [`residual`] is the other family: problems over the whole
//! domain that a network is trained for; [`ProblemFile`] is a file of either.
//!
//! # Problem files, format 1
//!
//! Only `format`, `[equation] text`, one coordinate, `[time] end` and one of `[initial]` and
//! `[exact]` must be there. Numbers may be written as expressions of numbers in quotes
//! (`"2*pi"`); formulas use the notation of [`equation`].
//!
//! ```toml
//! format = 1
//! name = "heat"                      # for folders and the command line
//! title = "Heat equation"            # for people
//! description = "What one sees."
//!
//! [equation]
//! text = "u_t = kappa*u_xx"           # several: ["u_t = ..", "v_t = .."]; also "u_tt = ..", which
//!                                    # makes u_t an unknown beside u
//! unknown = "u"                      # default: as the left sides say; several: ["u", "v"]
//! # complex = "psi"                  # of what has complex values: "i*psi_t = psi_xx"
//!
//! [domain]                           # 1 to 8 coordinates, in this order
//! x = { range = [0, 1], lower = "u_n = 0", upper = "0" }   # a flux, a value; "u_n + k*u = g*sin(t)"
//!                                    # of several unknowns: lower = ["u_n = 0", "v_n = t"]
//! y = { range = [0, "2*pi"], boundary = "periodic" }   # periodic is the default; also "open"
//!
//! [time]
//! start = 0                          # default
//! end = 1
//!
//! [parameters]
//! kappa = { value = 0.25, range = [0, 1], description = "diffusivity" }   # or kappa = 0.25
//!
//! [tables.k]                          # functions that are given by numbers: k(x) in formulas
//! axes = { x = [0, 1] }              # a range, or every node, of each argument
//! values = [1, 2, 1]                 # instead: file = "k.csv", or "k.npy" beside its axes
//! interpolation = "linear"           # nearest
//!
//! [initial]                          # default: the exact solution at the start
//! u = "cos(pi*x/2)"                  # and so on for every unknown
//! [exact]                            # optional
//! u = "exp(-pi^2*kappa*t/4)*cos(pi*x/2)"
//!
//! [network]
//! width = 25
//! hidden_layers = 5
//! activation = "rational"            # tanh, sin, swish
//!
//! [points]
//! layout = "grid"                    # random, sobol, following, adaptive; sobol is the default
//!                                    # from 3 coordinates on
//! count = 600                        # grid: per coordinate, one number or a list; else in all
//! # density = "magnitude"            # of adaptive points: drawn from |u|, or logarithm: from exp(u)
//! # resample = 5                     # of following and adaptive points: steps between two draws
//!
//! [fit]
//! method = "levenberg-marquardt"     # lbfgs-adam
//! tolerance = 5e-7                   # relative L2 error to stop at
//! max_iterations = 1000
//! count = 600                        # default: chosen by the fit
//!
//! [method]
//! scheme = "stage-fit"               # parameter-ode
//! update = "random-sparse"           # dense
//! columns = 400                      # at most the number of parameters of the network; or "auto",
//!                                    # chosen along the run
//! sampling = "uniform"               # by-layer, leverage, pivoted-qr, gaussian
//! integrator = "rk4"                 # euler, dormand-prince; of stage fits also rosenbrock-3 and
//!                                    # rosenbrock-4, for stiff equations
//! step = 1e-2                        # default: 400 steps
//! tolerance = 1e-6                   # default: 0, fixed steps
//! rcond = 1e-6
//! solver = "auto"                    # svd, pivoted-qr, gram, sketch-and-solve, sketched-lsqr,
//!                                    # nystrom-cg
//! regularisation = "damp"            # or truncate, as the papers do
//! corrections = 2
//! refit_every = 100                  # steps between fits of a fresh network; default 0, never
//!
//! [reference]
//! kind = "auto"                      # exact, spectral, characteristics, gaussian, none
//! modes = 1024                       # default: chosen by self-convergence
//! step = 1e-3                        # likewise
//!
//! [run]
//! seed = 0
//! precision = "auto"                 # f32, mixed, f64
//!
//! [variants.quick]                   # overrides under a name
//! "points.count" = 100
//! ```

#![forbid(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::random;

mod nearest;
pub mod expression;
pub mod equation;
pub mod settings;
pub mod tabulated;
mod error;
mod file;
mod ansatz;
mod side;
mod mirror;
mod presets;
mod size;
mod builder;
mod transport;
mod fokker_planck;
mod normal;
pub mod walkers;
pub mod following;
pub mod points;
pub mod residual;
pub mod shape;
#[cfg(test)]
mod complex_tests;
#[cfg(test)]
mod system_tests;
#[cfg(test)]
mod table_tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use builder::ProblemBuilder;
pub use error::{Issue, Origin, ProblemError, ProblemErrors, SettingIssue};
use expression::{Expression, Names, Pair};
pub use fokker_planck::{Coefficients, FokkerPlanck};
pub use normal::{Moments, Normal, Sampled, antithetic};
pub use points::Points;
pub use presets::{Preset, benchmarks, presets, residual_presets};
pub use residual::ResidualProblem;
pub use settings::{
    Activation, Architecture, ArchitectureSettings, Choice, Density, FitMethod, FitSettings,
    FourierSettings, Integrator, MOST_FIT_ERROR, MethodSettings, NetworkSettings, PointLayout,
    PointSettings, Precision, ReferenceKind, ReferenceSettings, Regularisation, Sampling, Scheme,
    Solver, Update,
};
pub use side::Side;
pub use size::natural_size;
pub use tabulated::{TableIssue, Tabulated};
pub use transport::Transport;

/// An evolution problem u_t = F(x, t, u, derivatives, parameters) with everything that is needed
/// to solve it. Made by reading a problem file; every expression is already parsed and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Short name, as on the command line.
    pub name: String,
    /// Name for people, as in plots.
    pub title: String,
    pub description: String,
    /// The unknowns' names in the text (`u`), in order: formulas, values and rows that belong to
    /// them come in this order.
    pub unknowns: Vec<String>,
    /// Complex unknowns, whose parts are among the unknowns.
    pub complex: Vec<Pair>,
    pub coordinates: Vec<Coordinate>,
    pub parameters: Vec<Parameter>,
    /// Functions of the formulas that are given by tables.
    pub tables: Vec<Arc<Tabulated>>,
    pub time: TimeSpan,
    /// The equations as typed, a line each, for people.
    pub equation: String,
    /// F in u_t = F, for each unknown.
    pub right_hand_side: Vec<Expression>,
    /// The unknowns at the start time: coordinates and parameters only.
    pub initial: Vec<Expression>,
    /// The exact solution of each unknown, where the file gives it: coordinates, time and
    /// parameters.
    pub exact: Option<Vec<Expression>>,
    /// Factor of the network in each unknown's ansatz u = lift + distance * network; `None` is 1.
    pub distance: Option<Vec<Expression>>,
    /// Part of each unknown's ansatz that carries what sides ask for; `None` is 0. May depend on
    /// time.
    pub lift: Option<Vec<Expression>>,
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
    /// What holds on the lower and on the upper side, exactly: a condition for each unknown.
    Sides {
        lower: Vec<Side>,
        upper: Vec<Side>,
    },
    /// Nothing is asked at the ends: the solution goes on beyond the range. For densities that are
    /// drawn from (`points.layout = "adaptive"`); draws from |u| stay in the range, those from a
    /// density whose logarithm u is go where it is.
    Open,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub value: f64,
    /// For sliders and for checks; of one to be found its bounds.
    pub range: Option<[f64; 2]>,
    pub description: String,
    /// Whether it is to be found, from its value on, beside the unknowns: in trainings alone.
    pub find: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeSpan {
    pub start: f64,
    pub end: f64,
}

impl Problem {
    /// Reads a problem file and applies overrides to it.
    ///
    /// # Errors
    /// Every mistake in the file and in the overrides. Broken TOML syntax is reported alone, and
    /// contradictions between formulas only where everything else is right.
    pub fn from_toml(text: &str, overrides: &Overrides) -> Result<Self, ProblemErrors> {
        file::load(text, overrides, None)?.evolution(text)
    }

    /// As [`Problem::from_toml`], from the bytes of a file.
    ///
    /// # Errors
    /// As [`Problem::from_toml`]; also where the bytes are not UTF-8.
    pub fn from_bytes(bytes: &[u8], overrides: &Overrides) -> Result<Self, ProblemErrors> {
        ProblemFile::from_bytes(bytes, None, overrides)?.evolution(&String::from_utf8_lossy(bytes))
    }

    /// A variant that the file carries (`[variants.NAME]`), with overrides applied after it.
    ///
    /// # Errors
    /// As [`Problem::from_toml`]; also where the file has no such variant.
    pub fn from_toml_variant(
        text: &str,
        variant: &str,
        overrides: &Overrides,
    ) -> Result<Self, ProblemErrors> {
        file::select(text, variant, overrides, None)?.evolution(text)
    }

    /// The variants of a file as sets of overrides.
    ///
    /// # Errors
    /// Where the text is not TOML.
    pub fn variants(text: &str) -> Result<Variants, ProblemErrors> {
        file::variants(text)
    }

    /// The built-in problem of that name.
    ///
    /// # Errors
    /// Where there is none; the nearest name is suggested.
    pub fn preset(name: &str) -> Result<Self, ProblemErrors> {
        Self::from_toml(Preset::find(name)?.text, &Overrides::new())
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
            coordinates: self.coordinates.iter().map(|c| c.name.clone()).collect(),
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

    /// d: the number of space coordinates.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.coordinates.len()
    }
}

/// A problem file of either family.
#[derive(Clone, Debug, PartialEq)]
pub enum ProblemFile {
    /// The network is the solution at one instant, and moves in time.
    Evolution(Problem),
    /// The network is the solution over the whole domain, and is trained.
    Residual(ResidualProblem),
}

impl ProblemFile {
    /// Reads a problem file of either family, chooses a variant that it carries, and applies
    /// overrides after that.
    ///
    /// # Errors
    /// Every mistake in the file and in the overrides; also where the bytes are not UTF-8, and
    /// where the file has no such variant.
    pub fn from_bytes(
        bytes: &[u8],
        variant: Option<&str>,
        overrides: &Overrides,
    ) -> Result<Self, ProblemErrors> {
        Self::load(bytes, variant, overrides, None)
    }

    /// As [`ProblemFile::from_bytes`], with the files of numbers that the problem names, in its
    /// tables. Their numbers become part of [`ProblemFile::source`]: what is read again from there
    /// needs no file.
    ///
    /// # Errors
    /// As [`ProblemFile::from_bytes`]; also where a file cannot be read, or is no table of numbers.
    pub fn read(
        bytes: &[u8],
        variant: Option<&str>,
        overrides: &Overrides,
        files: ReadFile<'_>,
    ) -> Result<Self, ProblemErrors> {
        Self::load(bytes, variant, overrides, Some(files))
    }

    fn load(
        bytes: &[u8],
        variant: Option<&str>,
        overrides: &Overrides,
        files: Option<ReadFile<'_>>,
    ) -> Result<Self, ProblemErrors> {
        let text = file::decode(bytes)?;
        match variant {
            Some(variant) => file::select(text, variant, overrides, files),
            None => file::load(text, overrides, files),
        }
    }

    /// The file's text with every override applied.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Evolution(problem) => &problem.source,
            Self::Residual(problem) => &problem.source,
        }
    }
}

/// How the files are read that a problem names: the bytes by the path as it is written, or why there
/// are none, in words.
pub type ReadFile<'f> = &'f dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Overrides by dotted key, as `--set method.columns=150` gives them, in order.
pub type Overrides = Vec<(String, String)>;

/// Named sets of overrides that a problem file carries (`[variants.published-fast]`).
pub type Variants = BTreeMap<String, Overrides>;
