//! What can be wrong with a residual problem beyond single settings.

use thiserror::Error;

/// A mistake in the blocks of a residual problem; [`ResidualIssue::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ResidualIssue {
    #[error("this file does not state {wanted}")]
    OtherFamily { wanted: &'static str },
    #[error("no block states the equation inside the domain")]
    NoInterior,
    #[error("the block {block} has no points")]
    EmptyBlock { block: String },
    #[error("{first} and {second} exclude each other")]
    Exclusive { first: &'static str, second: &'static str },
    #[error("'{found}' is no part of the domain")]
    UnknownPlace { found: String, coordinates: Vec<String>, shapes: Vec<String> },
    #[error("{name} = {value} lies outside the domain, which goes from {lower} to {upper}")]
    OutsideDomain { name: String, value: f64, lower: f64, upper: f64 },
    #[error("no coordinate is called {name}")]
    UnknownCoordinate { name: String, nearest: Option<String>, coordinates: Vec<String> },
    #[error("the block {block} does not contain {unknown}")]
    NothingUnknown { block: String, unknown: String },
    #[error("a row of {found} numbers where {expected} are needed")]
    RowLength { found: usize, expected: usize },
    #[error("{equations} equations inside the domain for {unknowns} unknowns")]
    EquationCount { equations: usize, unknowns: usize, names: String },
    #[error("the hidden layers have different widths")]
    UnequalLayers,
    #[error("a reference is for problems for one unknown in t and one other coordinate")]
    ReferenceShape,
    #[error("there are {found} {what}, more than {limit}")]
    TooMany { what: &'static str, found: usize, limit: usize },
    #[error("{first} and {second} ask for different values at {place}: {a} and {b}")]
    ConditionsDisagree { first: String, second: String, place: String, a: f64, b: f64 },
    #[error("{name} is to be found, which only trainings over the whole domain do")]
    SoughtInEvolution { name: String },
    #[error("{name} begins at {value}, an end of its range from {lower} to {upper}")]
    SoughtAtItsBound { name: String, value: f64, lower: f64, upper: f64 },
    #[error("{what} names {name}, which is to be found")]
    SoughtElsewhere { name: String, what: &'static str },
    #[error("{name} is to be found, and no block names it")]
    SoughtNowhere { name: String },
    #[error("{name} is to be found, and there are no data to find it from")]
    NoData { name: String },
    #[error("the exact solution misses the block {block} by {value} at {place}")]
    ExactFails { block: String, place: String, value: f64 },
}

impl ResidualIssue {
    /// What the writer of the file can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::OtherFamily { .. } => {
                "files with [residual.NAME] blocks are trained over the whole domain, files with \
                 [equation] evolve in time"
                    .into()
            }
            Self::NoInterior => {
                "write [residual.interior] and under it equation = \"u_t = u_xx\", for example"
                    .into()
            }
            Self::EmptyBlock { .. } => "choose more points, or remove the block".into(),
            Self::Exclusive { first, second } => format!("remove {first} or {second}"),
            Self::UnknownPlace { coordinates, shapes, .. } => {
                let coordinate = coordinates.first().map_or("x", String::as_str);
                let shapes = match shapes.is_empty() {
                    true => String::new(),
                    false => format!(", a shape ({})", shapes.join(", ")),
                };
                format!("write interior, boundary{shapes}, or a side such as \"{coordinate} = 0\"")
            }
            Self::OutsideDomain { .. } => "change it, or the range of the coordinate".into(),
            Self::UnknownCoordinate { nearest: Some(nearest), .. } => {
                format!("did you mean {nearest}?")
            }
            Self::UnknownCoordinate { coordinates, .. } => {
                format!("the coordinates are {}", coordinates.join(", "))
            }
            Self::NothingUnknown { unknown, .. } => {
                format!("write an equation for {unknown} or its derivatives")
            }
            Self::EquationCount { equations, unknowns, names } if equations > unknowns => {
                format!("remove one, or list what is unknown: unknown = [..], now {names}")
            }
            Self::EquationCount { names, .. } => {
                format!("write as many equations as unknowns ({names}), or data for one of them")
            }
            Self::RowLength { .. } => "write all coordinates, in order, then the values".into(),
            Self::UnequalLayers => "give every hidden layer the same width".into(),
            Self::ReferenceShape => {
                "remove it; [exact], and data under [reference], may have any coordinates".into()
            }
            Self::TooMany { .. } => "choose fewer".into(),
            Self::ConditionsDisagree { .. } => "change or remove one of the two".into(),
            Self::SoughtInEvolution { .. } => {
                "remove find; or state the problem over the whole domain, with t among the \
                 coordinates and the equation under [residual.interior], as `sketchpde show heat` does"
                    .into()
            }
            Self::SoughtAtItsBound { .. } => "begin inside the range, or widen it".into(),
            Self::SoughtElsewhere { .. } => {
                "write a number, or a parameter of its own that is not to be found".into()
            }
            Self::SoughtNowhere { name } => {
                format!("write {name} in an equation, or remove find = true")
            }
            Self::NoData { .. } => {
                "add a block of measurements, [residual.data] with data = [[COORDINATES, VALUE], ..]"
                    .into()
            }
            Self::ExactFails { .. } => "correct the equation or the exact solution".into(),
        }
    }
}
