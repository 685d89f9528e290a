//! What is solved: a versioned TOML file becomes a typed [`Problem`].
//!
//! [`expression`] holds the tree that equation text becomes, [`equation`] reads that text, and
//! [`Problem::from_toml`] reads a whole file. Everything about an evolution problem is known and
//! checked once a [`Problem`] exists.

mod nearest;
pub mod expression;
pub mod equation;
pub mod settings;
mod error;
mod file;
mod ansatz;
mod presets;

use std::collections::BTreeMap;

pub use error::{Issue, Origin, ProblemError, ProblemErrors, SettingIssue};
use expression::{Expression, Names};
pub use presets::{Preset, presets};
pub use settings::{
    Activation, Choice, FitMethod, FitSettings, Integrator, MethodSettings, NetworkSettings,
    PointLayout, PointSettings, Precision, ReferenceKind, ReferenceSettings, Scheme, Solver,
    Update,
};

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

impl Problem {
    /// Reads a problem file and applies overrides to it.
    ///
    /// # Errors
    /// Every mistake in the file and in the overrides. Broken TOML syntax is reported alone, and
    /// contradictions between formulas only where everything else is right.
    pub fn from_toml(text: &str, overrides: &Overrides) -> Result<Self, ProblemErrors> {
        file::load(text, overrides)
    }

    /// As [`Problem::from_toml`], from the bytes of a file.
    ///
    /// # Errors
    /// As [`Problem::from_toml`]; also where the bytes are not UTF-8.
    pub fn from_bytes(bytes: &[u8], overrides: &Overrides) -> Result<Self, ProblemErrors> {
        file::load(file::decode(bytes)?, overrides)
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
        file::select(text, variant, overrides)
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

    /// Names of the symbols, for printing and for parsing expressions of this problem.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            unknown: self.unknown.clone(),
            coordinates: self.coordinates.iter().map(|c| c.name.clone()).collect(),
            parameters: self.parameters.iter().map(|p| p.name.clone()).collect(),
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

/// Overrides by dotted key, as `--set method.columns=150` gives them, in order.
pub type Overrides = Vec<(String, String)>;

/// Named sets of overrides that a problem file carries (`[variants.published-fast]`).
pub type Variants = BTreeMap<String, Overrides>;
