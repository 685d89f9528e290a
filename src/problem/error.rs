//! What can be wrong with a problem file, each mistake at its place and with its remedy.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

use super::equation::EquationIssue;
use super::residual::ResidualIssue;
use super::shape::ShapeIssue;
use super::tabulated::TableIssue;

/// Every mistake that was found in a problem file and its overrides, in the order of place.
/// Displayed as a compiler does: message, line and column, source line, caret, help.
#[derive(Clone, Debug, PartialEq, Error)]
pub struct ProblemErrors {
    pub errors: Vec<ProblemError>,
}

/// One mistake. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq)]
pub struct ProblemError {
    pub origin: Origin,
    pub line: usize,
    pub column: usize,
    /// Bytes of the file, or of `key=value` in an override.
    pub span: Range<usize>,
    /// The offending text; empty where something is missing.
    pub text: String,
    /// The line that it stands in.
    pub source_line: String,
    pub issue: Issue,
}

/// Which text a mistake stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File,
    /// A name that was asked for.
    Name,
    /// The override of this number (from 0), with its text.
    Override {
        index: usize,
        text: String,
    },
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Issue {
    #[error(transparent)]
    Equation(#[from] EquationIssue),
    #[error(transparent)]
    Setting(#[from] SettingIssue),
    #[error(transparent)]
    Residual(#[from] ResidualIssue),
    #[error(transparent)]
    Shape(#[from] ShapeIssue),
    #[error(transparent)]
    Table(#[from] TableIssue),
}

/// What can be wrong outside the text of equations.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingIssue {
    #[error("not valid UTF-8 text")]
    NotText,
    #[error("the file has {bytes} bytes, more than {limit}")]
    FileTooLarge { bytes: usize, limit: usize },
    #[error("TOML: {message}")]
    Syntax { message: String },
    #[error("the override does not name a setting")]
    MalformedOverride,
    #[error("{key} is not a table, so {inside} cannot be set inside it")]
    NotATable { key: String, inside: String },
    #[error("unknown key {key} in {section}")]
    UnknownKey { key: String, section: String, nearest: Option<String>, known: Vec<String> },
    #[error("{key} is missing in {section}")]
    MissingKey { key: String, section: String, remedy: &'static str },
    #[error("a second equation for {left}")]
    EquationTwice { left: String },
    #[error("no equation says how {name} changes")]
    NoRate { name: String, left: String },
    #[error("points that are drawn from the solution are for one unknown, not {unknowns}")]
    DrawsOfSystem { unknowns: usize },
    #[error("this problem has {unknowns} unknowns, and only one can be shown here")]
    SeveralUnknowns { unknowns: usize },
    #[error("{key} must be {expected}, not {found}")]
    WrongType { key: String, expected: &'static str, found: &'static str },
    #[error("{key} is {found}, but must be {allowed}")]
    OutOfRange { key: String, found: String, allowed: String },
    #[error("{key} cannot be '{found}'")]
    UnknownWord {
        key: String,
        found: String,
        nearest: Option<&'static str>,
        words: Vec<&'static str>,
    },
    #[error("problem files of format {found} cannot be read")]
    UnknownFormat { found: i64 },
    #[error("'{name}' cannot be the name of {what}")]
    BadName { name: String, what: &'static str, remedy: String },
    #[error("{name} is already the name of {what}")]
    NameTaken { name: String, what: &'static str },
    #[error("there are {found} coordinates; there must be 1 to {limit}")]
    CoordinateCount { found: usize, limit: usize },
    #[error("{name}: the lower end {lower} is not below the upper end {upper}")]
    EmptyRange { name: String, lower: f64, upper: f64 },
    #[error("{name}: lower and upper are for boundary = \"dirichlet\"")]
    ValuesOnPeriodic { name: String },
    #[error("{name}: nothing is said of the {end} end")]
    OneSide { name: String, end: &'static str },
    #[error("the condition says nothing of {unknowns}")]
    NothingOnSide { unknowns: String },
    #[error("a second condition for {unknown} on this side")]
    ConditionTwice { unknown: String },
    #[error("{found} in a condition on a side of {name}")]
    NoSuchCondition { found: &'static str, name: String },
    #[error("on this side some unknowns have values and others fluxes")]
    MixedSides,
    #[error("the factor of {unknown} in a flux condition changes with {with}")]
    ChangingFactor { unknown: String, with: String },
    #[error("random Fourier features have a slope where the flux is given ({name})")]
    FourierOnFlux { name: String },
    #[error("the parameter {name} = {value} lies outside its range [{lower}, {upper}]")]
    OutsideItsRange { name: String, value: f64, lower: f64, upper: f64 },
    #[error("the end time {end} is not after the start time {start}")]
    EmptyTimeSpan { start: f64, end: f64 },
    #[error("{columns} columns are more than the {parameters} parameters of the network")]
    TooManyColumns { columns: usize, parameters: usize },
    #[error("{integrator} has no error estimate by which a tolerance could choose the steps")]
    NoErrorEstimate { integrator: &'static str },
    #[error("{integrator} solves its stages in the tangent space, which the parameter ODE has not")]
    ImplicitParameterOde { integrator: &'static str },
    #[error("dense updates take every parameter: there is nothing to sample by {sampling}")]
    NothingToSample { sampling: &'static str },
    #[error("dense updates take every parameter: there is no number of columns to choose")]
    NothingToChoose,
    #[error("a Gaussian sketch of all parameters would have {entries} entries, more than {limit}")]
    SketchTooLarge { entries: usize, limit: usize },
    #[error("{solver} cannot truncate: it always damps")]
    AlwaysDamps { solver: &'static str },
    #[error("refits are for points that stay where they are")]
    RefitsOfAdaptive,
    #[error("points.{key} is for points of another layout")]
    OtherLayout { key: &'static str, layouts: &'static [&'static str] },
    #[error("{name}: open ends are for points that are drawn from the solution")]
    OpenWithoutDraws { name: String },
    #[error(
        "the initial state is zero everywhere that was looked at: nothing can be drawn from it"
    )]
    NothingToDraw,
    #[error("the network would have {parameters} parameters, more than {limit}")]
    NetworkTooLarge { parameters: usize, limit: usize },
    #[error("{key} has {found} entries for {dimensions} coordinate(s)")]
    CountEntries { key: &'static str, found: usize, dimensions: usize },
    #[error("{points} points are more than {limit}")]
    TooManyPoints { points: String, limit: usize },
    #[error("the conditions at {first} and at {second} disagree where they meet: {a} and {b}")]
    CornerDisagrees { first: String, second: String, a: f64, b: f64 },
    #[error("the values at the ends of the coordinates make a formula of {size} terms")]
    LiftTooLarge { size: usize, limit: usize },
    #[error("the initial state is {initial} at {place}, but the value given there is {value}")]
    InitialDisagrees { place: String, initial: f64, value: f64 },
    #[error("{what} has no finite value at {place}")]
    NotFinite { what: &'static str, place: String },
    #[error(
        "at the start the exact solution is {exact}, but the initial state is {initial}, at {place}"
    )]
    ExactDisagrees { place: String, exact: f64, initial: f64 },
    #[error("the exact solution is {exact} at {place}, t = {time}, where the side has {value}")]
    ExactOnSide { place: String, time: f64, exact: f64, value: f64 },
    #[error("the exact solution misses the equation of {unknown} by {value} at {place}")]
    ExactFails { unknown: String, place: String, value: f64 },
    #[error("there is no exact solution to use as the reference")]
    NoExactSolution,
    #[error("the spectral reference is for one to three coordinates, all periodic")]
    NoSpectralReference,
    #[error("the reference by characteristics is for linear transport in a periodic box")]
    NoCharacteristics,
    #[error(
        "the Gaussian reference is for a linear Fokker-Planck equation for the density or, with \
         points.density = \"logarithm\", its logarithm, in a domain with open ends"
    )]
    NoGaussian,
    #[error("{found} variants are more than {limit}")]
    TooManyVariants { found: usize, limit: usize },
    #[error("there is no variant {name}")]
    UnknownVariant { name: String, nearest: Option<String>, known: Vec<String> },
    #[error("in the variant {name}: {issue}")]
    InVariant { name: String, issue: Box<Issue> },
    #[error("there is no built-in problem {name}")]
    UnknownPreset { name: String, nearest: Option<&'static str>, known: Vec<&'static str> },
}

impl Issue {
    /// What the writer of the file can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Equation(issue) => issue.remedy(),
            Self::Setting(issue) => issue.remedy(),
            Self::Residual(issue) => issue.remedy(),
            Self::Shape(issue) => issue.remedy(),
            Self::Table(issue) => issue.remedy(),
        }
    }
}

impl SettingIssue {
    /// What the writer of the file can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NotText => "save the file as UTF-8".into(),
            Self::FileTooLarge { .. } => "a problem file holds settings, not data: keep large tables in files of their own".into(),
            Self::Syntax { .. } => "settings are written key = value; text needs quotes".into(),
            Self::MalformedOverride => "write it as section.key=value".into(),
            Self::NotATable { key, .. } => format!("set {key} itself"),
            Self::UnknownKey { nearest, known, .. } => {
                suggest(nearest.as_deref(), known, "known keys are")
            }
            Self::MissingKey { remedy, .. } => (*remedy).into(),
            Self::EquationTwice { .. } => "keep one of them, or name another unknown".into(),
            Self::NoRate { left, .. } => format!(
                "write {left} = ..; an unknown without a time derivative (a pressure, say) asks for \
                 a training: state the problem by [residual.NAME] blocks, with t under [domain]"
            ),
            Self::SeveralUnknowns { .. } => "solve it with `sketchpde solve FILE`".into(),
            Self::DrawsOfSystem { .. } => {
                "set points.layout = \"grid\", \"sobol\", \"random\" or \"following\"".into()
            }
            Self::WrongType { expected, .. } => format!("write {expected}"),
            Self::OutOfRange { allowed, .. } => format!("choose {allowed}"),
            Self::UnknownWord { nearest, words, .. } => suggest(*nearest, words, "choose one of"),
            Self::UnknownFormat { .. } => "this program reads format = 1".into(),
            Self::BadName { remedy, .. } => remedy.clone(),
            Self::NameTaken { .. } => "choose another name".into(),
            Self::CoordinateCount { .. } => {
                "write x = { range = [0, 1], boundary = \"periodic\" } under [domain]".into()
            }
            Self::EmptyRange { .. } => "write range = [lower, upper]".into(),
            Self::ValuesOnPeriodic { .. } => {
                "remove lower and upper, or set boundary = \"dirichlet\"".into()
            }
            Self::OneSide { name, end } => format!(
                "write {end} = \"..\" as well: a value, or an equation such as \"u_n = 0\"; u_n is the \
                 slope along the outward normal, {}u_{name} there",
                if *end == "lower" { "-" } else { "" }
            ),
            Self::NothingOnSide { .. } => {
                "write a condition for each unknown: [\"u_n = 0\", \"v_n = 0\"]".into()
            }
            Self::ConditionTwice { .. } => "leave one of them out".into(),
            Self::NoSuchCondition { name, .. } => format!(
                "write u = g, u_{name} = g, u_n = g or u_n + k*u = g, with g and k free of the \
                 unknowns; for others state the whole problem by [residual.NAME] blocks with t as a \
                 coordinate"
            ),
            Self::MixedSides => {
                "give all of them values or all of them fluxes there, or state the whole problem by \
                 [residual.NAME] blocks with t as a coordinate"
                    .into()
            }
            Self::ChangingFactor { .. } => {
                "let it depend on named parameters and on coordinates whose own sides have values or \
                 are periodic; the right side of the condition may depend on all of them and on t"
                    .into()
            }
            Self::FourierOnFlux { .. } => "leave network.fourier out".into(),
            Self::OutsideItsRange { .. } => "change the value or the range".into(),
            Self::EmptyTimeSpan { .. } => "set time.end to a later time".into(),
            Self::TooManyColumns { parameters, .. } => {
                format!("set method.columns to at most {parameters}, or use a wider network")
            }
            Self::NoErrorEstimate { .. } => {
                "set integrator = \"dormand-prince\" or leave tolerance out".into()
            }
            Self::ImplicitParameterOde { .. } => {
                "set scheme = \"stage-fit\", or integrator = \"dormand-prince\"".into()
            }
            Self::NothingToSample { .. } => {
                "set update = \"random-sparse\", or leave sampling out".into()
            }
            Self::NothingToChoose => "set update = \"random-sparse\", or leave columns out".into(),
            Self::SketchTooLarge { .. } => {
                "lower method.columns, or leave sampling out: subsets need no memory".into()
            }
            Self::AlwaysDamps { .. } => {
                "set regularisation = \"damp\", or choose another solver".into()
            }
            Self::OtherLayout { layouts, .. } => {
                let words: Vec<String> = layouts.iter().map(|word| format!("\"{word}\"")).collect();
                format!("leave it out, or set points.layout = {}", words.join(" or "))
            }
            Self::OpenWithoutDraws { .. } => {
                "set points.layout = \"adaptive\", or boundary = \"dirichlet\" or \"periodic\""
                    .into()
            }
            Self::NothingToDraw => {
                "give the density as [initial], or its logarithm and points.density = \"logarithm\""
                    .into()
            }
            Self::RefitsOfAdaptive => "set refit_every = 0, or another points.layout".into(),
            Self::NetworkTooLarge { .. } => "choose a smaller width or fewer layers".into(),
            Self::CountEntries { dimensions, .. } => {
                format!("give one number for all coordinates, or {dimensions}")
            }
            Self::TooManyPoints { .. } => {
                "choose fewer, or scattered ones: points.layout = \"sobol\", or \"adaptive\"".into()
            }
            Self::CornerDisagrees { .. } => {
                "change one of them so that they agree at all times: a flux may fade out towards the \
                 corner"
                    .into()
            }
            Self::LiftTooLarge { limit, .. } => {
                format!("write shorter values: the formula may have {limit} terms")
            }
            Self::InitialDisagrees { .. } => {
                "change the initial state or the value, so that the solution starts continuous"
                    .into()
            }
            Self::NotFinite { .. } => "look for a division by zero, a log or a root".into(),
            Self::ExactDisagrees { .. } => {
                "correct one of them, or leave out [initial]: the exact solution then gives it"
                    .into()
            }
            Self::ExactFails { .. } => {
                "correct the formula or the equation; constants need seven digits or more".into()
            }
            Self::ExactOnSide { .. } => "correct the formula or the side's value".into(),
            Self::NoExactSolution => "add [exact], or choose another reference.kind".into(),
            Self::NoSpectralReference | Self::NoCharacteristics | Self::NoGaussian => {
                "choose another reference.kind".into()
            }
            Self::TooManyVariants { .. } => "divide them among several files".into(),
            Self::UnknownVariant { nearest, known, .. } => match known.is_empty() {
                true => "this problem has no variants".into(),
                false => suggest(nearest.as_deref(), known, "variants are"),
            },
            Self::InVariant { issue, .. } => issue.remedy(),
            Self::UnknownPreset { nearest, known, .. } => {
                suggest(*nearest, known, "built-in problems are")
            }
        }
    }
}

fn suggest<S: AsRef<str>>(nearest: Option<&str>, known: &[S], lead: &str) -> String {
    match nearest {
        Some(name) => format!("did you mean {name}?"),
        None => {
            let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            format!("{lead} {}", known.join(", "))
        }
    }
}

impl ProblemError {
    /// A mistake at `span` of `source`.
    pub(super) fn new(origin: Origin, source: &str, span: Range<usize>, issue: Issue) -> Self {
        let start = floor_boundary(source, span.start);
        let end = floor_boundary(source, span.end.max(start));
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        Self {
            origin,
            line: 1 + source[..start].matches('\n').count(),
            column: 1 + source[line_start..start].chars().count(),
            text: excerpt(&source[start..end]),
            source_line: source[line_start..line_end].trim_end_matches('\r').to_owned(),
            span: start..end,
            issue,
        }
    }

    #[must_use]
    pub fn message(&self) -> String {
        self.issue.to_string()
    }

    #[must_use]
    pub fn remedy(&self) -> String {
        self.issue.remedy()
    }
}

/// The first line of a text, shortened.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 200;
    text.lines().next().unwrap_or("").chars().take(LONGEST).collect()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for ProblemError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "error: {}", self.issue)?;
        let number = match &self.origin {
            Origin::Name => String::new(),
            Origin::File => {
                writeln!(out, " --> line {}, column {}", self.line, self.column)?;
                self.line.to_string()
            }
            Origin::Override { text, .. } => {
                writeln!(out, " --> override {}, column {}", printable(text), self.column)?;
                String::new()
            }
        };
        let margin = " ".repeat(number.len());
        let (line, before) = window(&self.source_line, self.column - 1);
        let carets = self.text.chars().count().min(line.chars().count().saturating_sub(before));
        writeln!(out, "{margin} |")?;
        writeln!(out, "{number} | {line}")?;
        writeln!(out, "{margin} | {}{}", " ".repeat(before), "^".repeat(carets.max(1)))?;
        write!(out, "{margin} = help: {}", self.remedy())
    }
}

/// At most 100 characters of `line` around character `at`, and where that one stands in them.
fn window(line: &str, at: usize) -> (String, usize) {
    const WIDTH: usize = 100;
    let start = if at < WIDTH * 4 / 5 { 0 } else { at - WIDTH / 2 };
    (printable(&line.chars().skip(start).take(WIDTH).collect::<String>()), at - start)
}

/// Control characters as spaces, so that carets stay in place and terminals stay sane.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl fmt::Display for ProblemErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                write!(out, "\n\n")?;
            }
            write!(out, "{error}")?;
        }
        Ok(())
    }
}
