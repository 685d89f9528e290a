//! What can be wrong with equation text.

use std::ops::Range;

use thiserror::Error;

/// A mistake at a place in equation text.
#[derive(Clone, Debug, PartialEq)]
pub struct EquationError {
    /// Bytes of the text that are meant; empty where something is missing.
    pub span: Range<usize>,
    pub issue: EquationIssue,
}

/// What is wrong; [`EquationIssue::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EquationIssue {
    #[error("unexpected character '{found}'")]
    ForeignCharacter { found: char, remedy: String },
    #[error("'{text}' is not a number")]
    MalformedNumber { text: String },
    #[error("the number {text} is too large")]
    NumberTooLarge { text: String },
    #[error("missing '*' between {left} and {right}")]
    MissingOperator { left: String, right: String },
    #[error("something is missing before {found}")]
    MissingOperand { found: String },
    #[error("the text is empty")]
    Empty,
    #[error("this '(' is never closed")]
    UnclosedParenthesis,
    #[error("this ')' closes nothing")]
    UnopenedParenthesis,
    #[error("a ',' may only separate the arguments of a function")]
    StrayComma,
    #[error("unknown symbol {name}")]
    UnknownSymbol { name: String, nearest: Option<String>, could_be_parameter: bool },
    #[error("unknown function {name}")]
    UnknownFunction { name: String, nearest: Option<String> },
    #[error("{name} needs its argument in parentheses")]
    FunctionWithoutArgument { name: String },
    #[error("{name} takes {expected} argument(s), not {found}")]
    ArgumentCount { name: String, expected: usize, found: usize },
    #[error("this is complex where a real number is needed")]
    Complex,
    #[error("{found} is not worked out of something complex")]
    ComplexOperand { found: String },
    #[error("the table {call} stands without its arguments")]
    TableWithoutArguments { call: String },
    #[error("the table {call} takes {expected} argument(s), not {found}")]
    TableArguments { call: String, expected: usize, found: usize },
    #[error("{name} may not be used in {place}")]
    NotAllowed { name: String, place: String, remedy: String },
    #[error("{text}: no coordinate is called {suffix}")]
    UnknownDerivative { text: String, suffix: String, coordinates: Vec<String> },
    #[error("{text} can be read in more than one way")]
    AmbiguousDerivative { text: String },
    #[error("{text} is a derivative of order {order}; the highest is {limit}")]
    OrderTooHigh { text: String, order: usize, limit: u8 },
    #[error("{text}: time derivatives may only stand on the left side, as {left}")]
    TimeDerivative { text: String, left: String },
    #[error("this equation has no time derivative")]
    Constraint { left: String },
    #[error("{text} is a derivative of higher order in time")]
    SecondTimeDerivative { text: String, left: String },
    #[error("{text}: the time is no coordinate of this problem")]
    NoTimeCoordinate { text: String, coordinates: Vec<String> },
    #[error("{text}: there is no outward normal here")]
    NoNormal { text: String },
    #[error("a comparison may only stand in the first argument of if")]
    Comparison,
    #[error("if needs a comparison first")]
    NoComparison,
    #[error("the equation has no '='")]
    MissingEquals { left: String },
    #[error("a second '='")]
    ExtraEquals,
    #[error("an '=' does not belong here")]
    UnwantedEquals,
    #[error("the left side must be {left}, not '{found}'")]
    LeftSide { found: String, left: String },
    #[error("d(.., ..) needs a coordinate as its second argument")]
    DerivativeVariable { coordinates: Vec<String> },
    #[error("the exponent {exponent} is too large")]
    ExponentTooLarge { exponent: f64 },
    #[error("this has no finite value")]
    NotFinite,
    #[error("parentheses, signs and powers are nested more than {limit} deep")]
    TooDeep { limit: usize },
    #[error("the expression is too large: {found} {unit}, at most {limit}")]
    TooLarge { found: usize, limit: usize, unit: &'static str },
}

impl EquationIssue {
    /// What the writer of the text can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::ForeignCharacter { remedy, .. } | Self::NotAllowed { remedy, .. } => {
                remedy.clone()
            }
            Self::MalformedNumber { .. } => "write numbers like 5e-3 or 0.25".into(),
            Self::NumberTooLarge { .. } => "numbers go up to 1.7e308".into(),
            Self::MissingOperator { left, right } => format!("write {left}*{right}"),
            Self::MissingOperand { .. } | Self::Empty => {
                "write a number, a symbol, a function or '(' here".into()
            }
            Self::UnclosedParenthesis => "add the missing ')'".into(),
            Self::UnopenedParenthesis => "remove it, or add a '(' before it".into(),
            Self::StrayComma => "write a decimal point, as in 0.5, or remove it".into(),
            Self::UnknownSymbol { name, nearest, could_be_parameter } => {
                unknown_symbol_remedy(name, nearest.as_deref(), *could_be_parameter)
            }
            Self::UnknownFunction { nearest: Some(nearest), .. } => {
                format!("did you mean {nearest}?")
            }
            Self::UnknownFunction { name, nearest: None } => {
                format!(
                    "for a product write {name}*(..); functions are {FUNCTIONS}, or [tables.{name}]"
                )
            }
            Self::FunctionWithoutArgument { name } => format!("write {name}(..)"),
            Self::ArgumentCount { name, expected, .. } => match expected {
                3 => format!("write {name}(a < b, c, d)"),
                2 => format!("write {name}(a, b)"),
                _ => format!("write {name}(a)"),
            },
            Self::Complex => "take its re(..), im(..) or abs(..)".into(),
            Self::ComplexOperand { .. } => {
                "sums, products, quotients, integer powers, exp, sin, cos, sinh, cosh, abs, conj, re and \
                 im are"
                    .into()
            }
            Self::TableWithoutArguments { call } | Self::TableArguments { call, .. } => {
                format!("write {call}")
            }
            Self::UnknownDerivative { coordinates, .. } => {
                format!("the coordinates are {}", coordinates.join(", "))
            }
            Self::AmbiguousDerivative { .. } => "separate the coordinates, as in u_{x1 x2}".into(),
            Self::OrderTooHigh { .. } => "only lower derivatives can be evaluated".into(),
            Self::TimeDerivative { left, .. } => {
                format!("solve the equation for {left} and write {left} = ..")
            }
            Self::SecondTimeDerivative { left, .. } => {
                format!("only equations of first and second order in time are solved: {left} = ..")
            }
            Self::Constraint { left } => format!(
                "an evolution says how every unknown changes: {left} = ..; state a problem with \
                 equations that hold at every instant by [residual.NAME] blocks, with t under [domain]"
            ),
            Self::NoNormal { .. } => {
                "only the equations of blocks on parts of the boundary in space have it".into()
            }
            Self::Comparison | Self::NoComparison => {
                "write if(x < 1/2, a, b), with <, <=, >, >=, and, or".into()
            }
            Self::MissingEquals { left } => format!("write {left} = .."),
            Self::NoTimeCoordinate { coordinates, .. } => format!(
                "add t = {{ range = [0, 1] }} under [domain]; the coordinates are {}",
                coordinates.join(", ")
            ),
            Self::ExtraEquals => "an equation has one '='".into(),
            Self::UnwantedEquals => "write the expression alone".into(),
            Self::LeftSide { left, .. } => {
                format!("move every other term to the right side: {left} = ..")
            }
            Self::DerivativeVariable { coordinates } => {
                format!("the coordinates are {}", coordinates.join(", "))
            }
            Self::ExponentTooLarge { .. } => {
                format!("integer exponents go up to {}", super::MAX_EXPONENT)
            }
            Self::NotFinite => "look for a division by zero or an overflow".into(),
            Self::TooDeep { .. } => "remove parentheses that are not needed".into(),
            Self::TooLarge { .. } => "shorten it".into(),
        }
    }
}

const FUNCTIONS: &str =
    "sin, cos, tan, sinh, cosh, tanh, exp, log, sqrt, abs, sign, min, max, if, laplace and d";

fn unknown_symbol_remedy(name: &str, nearest: Option<&str>, could_be_parameter: bool) -> String {
    let parameter = format!("to make it a parameter, add {name} = 1.0 under [parameters]");
    match (nearest, could_be_parameter) {
        (Some(nearest), true) => format!("did you mean {nearest}? or, {parameter}"),
        (Some(nearest), false) => format!("did you mean {nearest}?"),
        (None, true) => parameter,
        (None, false) => "numbers are made of digits, pi, e and functions".into(),
    }
}
