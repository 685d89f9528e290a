//! What a name in equation text means, and where it may be used.

use std::f64::consts;

use super::error::EquationIssue;
use super::value::Value;
use crate::expression::{
    Binary, Channel, Entry, Expression, Function, MAX_DIMENSIONS, MAX_ORDER, MultiIndex, Names,
    Pair,
};
use crate::nearest::nearest;

/// What a text is for; it decides which symbols may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    RightHandSide,
    /// The initial state: coordinates and parameters.
    Initial,
    /// The exact solution: coordinates, time and parameters.
    Exact,
    /// The value on a side of the given coordinate: the other coordinates, time and parameters.
    Side(usize),
    /// What holds on a side of the given coordinate: the same with the unknowns, their slopes and the
    /// outward normal.
    Condition(usize),
    /// A number.
    Constant,
    /// An equation of a residual problem, in which the time is a coordinate like the others.
    Residual,
    /// The same on a part of the boundary, where there is an outward normal: `u_n`, `n_x`.
    Boundary,
    /// One expression of a residual problem: what is observed, matched or integrated.
    Quantity,
    /// The exact solution of a residual problem: coordinates and parameters.
    Known,
    /// The formula of a shape: coordinates of space and parameters.
    Shape,
}

impl Role {
    /// Whether derivatives by a time that is no coordinate can be meant.
    fn has_time(self) -> bool {
        matches!(
            self,
            Self::RightHandSide | Self::Initial | Self::Exact | Self::Side(_) | Self::Condition(_)
        )
    }

    fn has_unknown(self) -> bool {
        matches!(
            self,
            Self::RightHandSide
                | Self::Residual
                | Self::Boundary
                | Self::Quantity
                | Self::Condition(_)
        )
    }

    /// Whether there is an outward normal.
    fn has_normal(self) -> bool {
        matches!(self, Self::Boundary | Self::Condition(_))
    }

    fn describe(self, names: &Names) -> String {
        match self {
            Self::RightHandSide => "the equation".into(),
            Self::Initial => "the initial state".into(),
            Self::Exact => "the exact solution".into(),
            Self::Side(k) => format!("the value at an end of {}", names.coordinates[k]),
            Self::Condition(k) => format!("the condition at an end of {}", names.coordinates[k]),
            Self::Constant => "a number".into(),
            Self::Residual | Self::Boundary => "the equation".into(),
            Self::Quantity => "this expression".into(),
            Self::Known => "the exact solution".into(),
            Self::Shape => "the formula of a shape".into(),
        }
    }

    /// What to do about a symbol that may not be used here; `None` if it may.
    fn objection(self, meaning: &Expression, names: &Names) -> Option<String> {
        let unknowns = names.unknowns.join(" and ");
        match (self, meaning) {
            (Self::Shape, Expression::Time) => Some("shapes stand still: leave t out".into()),
            (Self::Residual | Self::Boundary | Self::Quantity | Self::Known, Expression::Time) => {
                Some("to make t a coordinate, add t = { range = [0, 1] } under [domain]".into())
            }
            (Self::RightHandSide | Self::Residual | Self::Boundary | Self::Quantity, _)
            | (Self::Condition(_), Expression::Jet(_))
            | (_, Expression::Constant(_)) => None,
            (Self::Constant, _) => Some("write a number or an expression of numbers".into()),
            (_, Expression::Jet(_)) => {
                Some(format!("write a formula without {unknowns}, in coordinates and parameters"))
            }
            (Self::Initial, Expression::Time) => {
                Some("write the start time as a number instead of t".into())
            }
            (Self::Side(k) | Self::Condition(k), Expression::Coordinate(j)) if k == *j => {
                let name = &names.coordinates[k];
                Some(format!("put in the value that {name} has at this end"))
            }
            _ => None,
        }
    }
}

/// A function of equation text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callable {
    Plain(Function),
    Pair(Binary),
    Laplacian,
    Derivative,
    /// Of complex unknowns.
    Conjugate,
    Real,
    Imaginary,
}

impl Callable {
    pub(super) fn named(name: &str, names: &Names) -> Option<Self> {
        match name {
            "conj" if names.has_imaginary_unit() => Some(Self::Conjugate),
            "re" if names.has_imaginary_unit() => Some(Self::Real),
            "im" if names.has_imaginary_unit() => Some(Self::Imaginary),
            "min" => Some(Self::Pair(Binary::Minimum)),
            "max" => Some(Self::Pair(Binary::Maximum)),
            "laplace" | "lap" => Some(Self::Laplacian),
            "d" => Some(Self::Derivative),
            "ln" => Some(Self::Plain(Function::Log)),
            _ => Function::ALL.into_iter().find(|f| f.name() == name).map(Self::Plain),
        }
    }

    pub(super) fn arguments(self) -> usize {
        match self {
            Self::Plain(_) | Self::Laplacian => 1,
            Self::Conjugate | Self::Real | Self::Imaginary => 1,
            Self::Pair(_) | Self::Derivative => 2,
        }
    }

    fn names() -> impl Iterator<Item = &'static str> {
        Function::ALL
            .into_iter()
            .map(Function::name)
            .chain(["min", "max", "laplace", "lap", "d", "if"])
    }
}

/// Whether the notation itself uses `name`, so that nothing else may be called that. `d` is free:
/// only `d(` is a derivative.
#[must_use]
pub(crate) fn is_reserved(name: &str) -> bool {
    matches!(name, "t" | "pi" | "e" | "if" | "and" | "or")
        || (name != "d" && Callable::named(name, &Names::default()).is_some())
}

pub(super) fn unknown_function(name: &str, names: &Names) -> EquationIssue {
    let functions: Vec<&str> = Callable::names().collect();
    let tables = names.tables.iter().map(|table| table.name.as_str());
    let known = functions.into_iter().chain(tables);
    EquationIssue::UnknownFunction {
        name: name.into(),
        nearest: nearest(name, known).map(Into::into),
    }
}

/// The tree of a name that stands alone.
pub(super) fn resolve(name: &str, names: &Names, role: Role) -> Result<Value, EquationIssue> {
    let meaning =
        complex(name, names, role).unwrap_or_else(|| Ok(meaning(name, names, role)?.into()))?;
    match role.objection(&meaning.re, names) {
        Some(remedy) => {
            let place = role.describe(names);
            Err(EquationIssue::NotAllowed { name: name.into(), place, remedy })
        }
        None => Ok(meaning),
    }
}

/// i, and complex unknowns with their derivatives.
fn complex(name: &str, names: &Names, role: Role) -> Option<Result<Value, EquationIssue>> {
    if name == "i" && names.has_imaginary_unit() {
        return Some(Ok(Value::imaginary_unit()));
    }
    if names.unknowns.iter().any(|unknown| unknown == name) {
        return None;
    }
    let suffix = |pair: &Pair| name.strip_prefix(pair.name.as_str()).map(str::to_owned);
    let parts: [String; 2] = names.complex.iter().find_map(|pair| {
        let suffix = suffix(pair).filter(|s| s.is_empty() || s.starts_with('_'))?;
        let own = |of: usize| format!("{}{suffix}", names.unknowns[pair.parts[of]]);
        // psi_re_x is that of the part.
        let part = |of: usize| name.starts_with(&format!("{}_", names.unknowns[pair.parts[of]]));
        (!part(0) && !part(1)).then(|| [own(0), own(1)])
    })?;
    let of = |part: &String| meaning(part, names, role);
    let both = || Ok(Value::complex(of(&parts[0])?, of(&parts[1])?));
    Some(both())
}

fn meaning(name: &str, names: &Names, role: Role) -> Result<Expression, EquationIssue> {
    let position = |list: &[String]| list.iter().position(|known| known == name);
    if let Some(k) = position(&names.coordinates) {
        return Ok(Expression::Coordinate(k));
    }
    if let Some(k) = position(&names.parameters) {
        return Ok(Expression::Parameter(k));
    }
    if let Some(along) = name.strip_prefix("n_")
        && let Some(k) = position_of(along, names)
    {
        return match role {
            role if role.has_normal() => Ok(Expression::Coordinate(names.coordinates.len() + k)),
            _ => Err(EquationIssue::NoNormal { text: name.into() }),
        };
    }
    match name {
        "t" => return Ok(Expression::Time),
        "pi" => return Ok(Expression::Constant(consts::PI)),
        "e" => return Ok(Expression::Constant(consts::E)),
        _ => {}
    }
    if let Some(unknown) = position(&names.unknowns) {
        return Ok(Expression::unknown(unknown));
    }
    let suffix = |unknown: &usize| {
        name.strip_prefix(names.unknowns[*unknown].as_str()).and_then(|s| s.strip_prefix('_'))
    };
    // The longest name: `u_t` where that is an unknown beside `u`.
    let derived = (0..names.unknowns.len()).filter(|k| suffix(k).is_some());
    if let Some(unknown) = derived.max_by_key(|k| names.unknowns[*k].len()) {
        let suffix = suffix(&unknown).unwrap_or("");
        if suffix == "n" && position_of("n", names).is_none() {
            return match role {
                role if role.has_normal() => Ok(along_normal(unknown, names)),
                _ => Err(EquationIssue::NoNormal { text: name.into() }),
            };
        }
        return derivative(name, unknown, suffix, names, role);
    }
    if Callable::named(name, names).is_some() || name == "if" {
        return Err(EquationIssue::FunctionWithoutArgument { name: name.into() });
    }
    let known = names.coordinates.iter().chain(&names.parameters).map(String::as_str);
    let unknowns = names.unknowns.iter().filter(|_| role.has_unknown()).map(String::as_str);
    let known = known.chain(["t", "pi"]).chain(unknowns);
    Err(EquationIssue::UnknownSymbol {
        name: name.into(),
        nearest: nearest(name, known).map(Into::into),
        could_be_parameter: role != Role::Constant && !name.contains('{'),
    })
}

/// The derivative along the outward normal, `n . grad u` in the coordinates of space.
fn along_normal(unknown: usize, names: &Names) -> Expression {
    let d = names.coordinates.len();
    let space = (0..d).filter(|&k| d == 1 || names.coordinates[k] != "t");
    let along = |k| {
        let index = MultiIndex::along(k, 1);
        let slope = Expression::Jet(Entry::new(unknown, Channel::Partial(index)));
        Expression::Coordinate(d + k) * slope
    };
    space.map(along).fold(Expression::Constant(0.0), |sum, term| sum + term)
}

fn position_of(name: &str, names: &Names) -> Option<usize> {
    names.coordinates.iter().position(|known| known == name)
}

/// `u_suffix`, with the suffix either a run of coordinate names or names in braces.
fn derivative(
    text: &str,
    unknown: usize,
    suffix: &str,
    names: &Names,
    role: Role,
) -> Result<Expression, EquationIssue> {
    let orders = match suffix.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        Some(group) => separated(group, names),
        None => {
            let mut readings = Vec::new();
            split(suffix, names, &mut Vec::new(), &mut readings);
            match readings.len() {
                0 => Err(suffix.to_owned()),
                1 => Ok(readings.remove(0)),
                _ => return Err(EquationIssue::AmbiguousDerivative { text: text.into() }),
            }
        }
    };
    let mut factors = orders.map_err(|suffix| EquationIssue::UnknownDerivative {
        text: text.into(),
        suffix,
        coordinates: names.coordinates.clone(),
    })?;
    if factors.contains(&TIME) && !role.has_time() {
        let (text, coordinates) = (text.into(), names.coordinates.clone());
        return Err(EquationIssue::NoTimeCoordinate { text, coordinates });
    }
    let mut unknown = unknown;
    if let Some(at) = factors.iter().position(|&k| k == TIME) {
        // u_tx where u_t is an unknown of its own: that one's derivative.
        let left = names.left(unknown);
        let velocity = names.velocity(unknown);
        factors.remove(at);
        match velocity {
            Some(velocity) if !factors.contains(&TIME) => unknown = velocity,
            _ => return Err(EquationIssue::TimeDerivative { text: text.into(), left }),
        }
    }
    if factors.len() > usize::from(MAX_ORDER) {
        let (text, order) = (text.into(), factors.len());
        return Err(EquationIssue::OrderTooHigh { text, order, limit: MAX_ORDER });
    }
    let index = factors
        .iter()
        .fold(MultiIndex::default(), |index, &k| index.plus(&MultiIndex::along(k, 1)));
    Ok(Expression::Jet(Entry::new(unknown, Channel::Partial(index))))
}

/// Stands for the time in a list of coordinates.
const TIME: usize = MAX_DIMENSIONS;

fn position(name: &str, names: &Names) -> Option<usize> {
    let coordinate = names.coordinates.iter().take(MAX_DIMENSIONS).position(|known| known == name);
    coordinate.or((name == "t").then_some(TIME))
}

fn separated(group: &str, names: &Names) -> Result<Vec<usize>, String> {
    let parts: Vec<&str> =
        group.split([' ', ',']).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Err("(nothing)".into());
    }
    parts.into_iter().map(|part| position(part, names).ok_or_else(|| part.to_owned())).collect()
}

/// The suffix of a slope as numbers among these names, where it is one and can be read in one way.
pub(super) fn along(suffix: &str, axes: Vec<String>) -> Option<Vec<usize>> {
    let names = Names { coordinates: axes, ..Names::default() };
    let found = match suffix.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        Some(group) => separated(group, &names).ok()?,
        None => {
            let mut readings = Vec::new();
            split(suffix, &names, &mut Vec::new(), &mut readings);
            (readings.len() == 1).then(|| readings.remove(0))?
        }
    };
    found.iter().all(|&k| k < names.coordinates.len()).then_some(found)
}

/// Every way to read `suffix` as a run of coordinate names, as far as a second reading.
fn split(suffix: &str, names: &Names, prefix: &mut Vec<usize>, readings: &mut Vec<Vec<usize>>) {
    if suffix.is_empty() {
        if !prefix.is_empty() {
            readings.push(prefix.clone());
        }
        return;
    }
    for end in 1..=suffix.len() {
        if readings.len() < 2
            && prefix.len() < MAX_FACTORS
            && suffix.is_char_boundary(end)
            && let Some(k) = position(&suffix[..end], names)
        {
            prefix.push(k);
            split(&suffix[end..], names, prefix, readings);
            prefix.pop();
        }
    }
}

/// How many factors of a derivative are read before it counts as unreadable; enough to tell an
/// order that is too high from a name that is unknown.
const MAX_FACTORS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(coordinates: &[&str]) -> Names {
        let coordinates = coordinates.iter().map(|&c| c.to_owned()).collect();
        let parameters = vec!["eps".into()];
        Names { unknowns: vec!["u".into()], coordinates, parameters, ..Names::default() }
    }

    #[test]
    fn suffixes_split_into_coordinates() {
        let orders = |text: &str, coordinates: &[&str]| match meaning(
            text,
            &names(coordinates),
            Role::RightHandSide,
        ) {
            Ok(Expression::Jet(Entry { channel: Channel::Partial(index), .. })) => {
                Ok(index.0[..coordinates.len()].to_vec())
            }
            Ok(other) => panic!("{text} is {other:?}"),
            Err(issue) => Err(issue),
        };
        assert_eq!(orders("u_xxy", &["x", "y"]), Ok(vec![2, 1]));
        assert_eq!(orders("u_x1x2x1", &["x1", "x2"]), Ok(vec![2, 1]));
        assert_eq!(orders("u_{x1 x2}", &["x1", "x2"]), Ok(vec![1, 1]));
        assert_eq!(orders("u_{x,xx}", &["x", "xx"]), Ok(vec![1, 1]));
        assert!(matches!(
            orders("u_xx", &["x", "xx"]),
            Err(EquationIssue::AmbiguousDerivative { .. })
        ));
        assert!(matches!(orders("u_", &["x"]), Err(EquationIssue::UnknownDerivative { .. })));
        assert!(matches!(orders("u_{}", &["x"]), Err(EquationIssue::UnknownDerivative { .. })));
        assert!(matches!(orders("u_xz", &["x"]), Err(EquationIssue::UnknownDerivative { .. })));
        assert!(matches!(orders("u_xt", &["x"]), Err(EquationIssue::TimeDerivative { .. })));
        assert!(matches!(
            orders("u_xxxxx", &["x"]),
            Err(EquationIssue::OrderTooHigh { order: 5, .. })
        ));
    }
}
