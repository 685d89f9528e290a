//! What holds at the ends of an evolution's coordinate.

use super::document::{Node, Place, Value};
use super::reader::{Reader, Section};
use super::sections::{complex, expression};
use super::symbols;
use crate::equation::{Role, parse_residual};
use crate::expression::{Channel, Entry, Expression, MultiIndex, Names, Pair};
use crate::{Boundary, Coordinate, Parameter, SettingIssue, Side};

/// Where the other coordinates stand, as fractions of their ranges, when a factor is measured.
const FRACTIONS: [f64; 5] = [0.0, 0.137, 0.5, 0.831, 1.0];

/// The words of `boundary`.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Periodic,
    Dirichlet,
    Open,
}

impl crate::Choice for Kind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("periodic", Self::Periodic), ("dirichlet", Self::Dirichlet), ("open", Self::Open)];
}

/// Of coordinate `k`; `None` where what the file says is broken.
pub(super) fn boundary<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    names: &Names,
    k: usize,
) -> Option<Boundary> {
    let name = &names.coordinates[k];
    let kind = kind(reader, section);
    let mut side = |end: &'static str, sign: f64| -> Option<Option<Vec<Side>>> {
        let node = section.get(end)?;
        if kind? != Kind::Dirichlet {
            reader.report(&node.place, SettingIssue::ValuesOnPeriodic { name: name.clone() });
            return Some(None);
        }
        let path = format!("domain.{name}.{end}");
        Some(OneSide { names, k, sign }.read(reader, path, node))
    };
    let (lower, upper) = (side("lower", -1.0), side("upper", 1.0));
    let boundary = match kind? {
        Kind::Periodic => Boundary::Periodic,
        Kind::Open => Boundary::Open,
        Kind::Dirichlet => {
            let has_flux = |side: &Option<Option<Vec<Side>>>| {
                side.iter().flatten().flatten().any(Side::is_flux)
            };
            // Where nothing but values is asked, 0 is asked of what is not mentioned.
            let flux = has_flux(&lower) || has_flux(&upper);
            for (end, side) in [("lower", &lower), ("upper", &upper)] {
                if flux && side.is_none() {
                    let name = name.clone();
                    reader.report(&section.place, SettingIssue::OneSide { name, end });
                    return None;
                }
            }
            let or_zero = |side: Option<Option<Vec<Side>>>| {
                side.unwrap_or_else(|| Some(vec![Side::Value(0.0.into()); names.unknowns.len()]))
            };
            Boundary::Sides { lower: or_zero(lower)?, upper: or_zero(upper)? }
        }
    };
    Some(boundary)
}

/// Where the file does not say it, what it says of the ends does; `None` where that is broken.
fn kind<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>) -> Option<Kind> {
    if section.has("boundary") {
        return reader.choice(section, "boundary");
    }
    section.get("boundary");
    let sides = section.has("lower") || section.has("upper");
    Some(if sides { Kind::Dirichlet } else { Kind::Periodic })
}

/// One end of coordinate `k`, whose outward normal points along `sign`.
struct OneSide<'n> {
    names: &'n Names,
    k: usize,
    sign: f64,
}

impl OneSide<'_> {
    /// The conditions of all unknowns: a value, a formula for every one of them; an equation, or a
    /// list of such; or a table of either by name, zero where nothing is said. An unknown that is the
    /// rate of another one moves as that does.
    fn read<'a>(&self, reader: &mut Reader<'a>, path: String, node: &'a Node) -> Option<Vec<Side>> {
        let count = self.names.unknowns.len();
        let mut sides: Vec<Option<Side>> = vec![None; count];
        match &node.value {
            Value::Table(_) => {
                let mut section = reader.named_section(path.clone(), node);
                for pair in &self.names.complex {
                    if let Some(node) = section.get(&pair.name) {
                        let path = format!("{path}.{}", pair.name);
                        self.of_both(reader, &path, node, pair, &mut sides)?;
                    }
                }
                for (unknown, name) in self.names.unknowns.iter().enumerate() {
                    if self.names.complex.iter().any(|pair| pair.parts.contains(&unknown)) {
                        continue;
                    }
                    if let Some(node) = section.get(name) {
                        let path = format!("{path}.{name}");
                        sides[unknown] = Some(self.of(reader, &path, node, unknown)?);
                    }
                }
                reader.finish(section);
            }
            Value::Array(_) => self.equations(reader, symbols::items(node), &mut sides)?,
            Value::Text(text) if is_equation(text) => {
                self.equations(reader, symbols::items(node), &mut sides)?;
            }
            _ => {
                let (re, im) = complex(reader, &path, node, self.names, Role::Side(self.k))?;
                let imaginary =
                    |unknown: usize| self.names.complex.iter().any(|pair| pair.parts[1] == unknown);
                for unknown in (0..count).filter(|&unknown| !self.is_rate(unknown)) {
                    let value = match imaginary(unknown) {
                        true => im.clone().unwrap_or(Expression::Constant(0.0)),
                        false => re.clone(),
                    };
                    sides[unknown] = Some(Side::Value(value));
                }
            }
        }
        for base in 0..count {
            if let Some(rate) = self.names.velocity(base).filter(|&rate| sides[rate].is_none()) {
                sides[rate] = sides[base].as_ref().map(Side::rate);
            }
        }
        self.whole(reader, sides, node)
    }

    fn is_rate(&self, unknown: usize) -> bool {
        (0..self.names.unknowns.len()).any(|base| self.names.velocity(base) == Some(unknown))
    }

    /// All of them have values, or all fluxes.
    fn whole(
        &self,
        reader: &mut Reader<'_>,
        sides: Vec<Option<Side>>,
        node: &Node,
    ) -> Option<Vec<Side>> {
        let fluxes = sides.iter().flatten().filter(|side| side.is_flux()).count();
        let equations = matches!(&node.value, Value::Array(_) | Value::Text(_));
        if (equations || fluxes > 0) && sides.iter().any(Option::is_none) {
            let missing = (0..sides.len()).filter(|&unknown| sides[unknown].is_none());
            let missing: Vec<&str> =
                missing.map(|unknown| self.names.unknowns[unknown].as_str()).collect();
            let unknowns = missing.join(" and ");
            reader.report(&node.place, SettingIssue::NothingOnSide { unknowns });
            return None;
        }
        if fluxes > 0 && fluxes < sides.len() {
            reader.report(&node.place, SettingIssue::MixedSides);
            return None;
        }
        Some(sides.into_iter().map(|side| side.unwrap_or(Side::Value(0.0.into()))).collect())
    }

    /// What a table says of one unknown.
    fn of(&self, reader: &mut Reader<'_>, path: &str, node: &Node, unknown: usize) -> Option<Side> {
        match &node.value {
            Value::Text(text) if is_equation(text) => {
                let found = self.equation(reader, text, &node.place)?;
                if let [(of, side)] = found.as_slice()
                    && *of == unknown
                {
                    return Some(side.clone());
                }
                let unknowns = self.names.unknowns[unknown].clone();
                reader.report(&node.place, SettingIssue::NothingOnSide { unknowns });
                None
            }
            _ => {
                let value = expression(reader, path, node, self.names, Role::Side(self.k))?;
                Some(Side::Value(value))
            }
        }
    }

    fn equations(
        &self,
        reader: &mut Reader<'_>,
        items: &[Node],
        sides: &mut [Option<Side>],
    ) -> Option<()> {
        for item in items {
            let Value::Text(text) = &item.value else {
                reader.wrong_type("lower and upper", "an equation in quotes, \"u_n = 0\"", item);
                return None;
            };
            for (unknown, side) in self.equation(reader, text, &item.place)? {
                if sides[unknown].replace(side).is_some() {
                    let unknown = self.names.unknowns[unknown].clone();
                    reader.report(&item.place, SettingIssue::ConditionTwice { unknown });
                    return None;
                }
            }
        }
        Some(())
    }

    /// What a table says of a complex unknown: a value, or an equation.
    fn of_both(
        &self,
        reader: &mut Reader<'_>,
        path: &str,
        node: &Node,
        pair: &Pair,
        sides: &mut [Option<Side>],
    ) -> Option<()> {
        if let Value::Text(text) = &node.value
            && is_equation(text)
        {
            return self.equations(reader, std::slice::from_ref(node), sides);
        }
        let (re, im) = complex(reader, path, node, self.names, Role::Side(self.k))?;
        sides[pair.parts[0]] = Some(Side::Value(re));
        sides[pair.parts[1]] = Some(Side::Value(im.unwrap_or(Expression::Constant(0.0))));
        Some(())
    }

    /// The conditions of an equation: of a complex one that of each part.
    fn equation(
        &self,
        reader: &mut Reader<'_>,
        text: &str,
        place: &Place,
    ) -> Option<Vec<(usize, Side)>> {
        match parse_residual(text, self.names, Role::Condition(self.k)) {
            Ok(list) => list.iter().map(|e| self.condition(reader, e, place)).collect(),
            Err(errors) => {
                reader.report_equation(place, errors);
                None
            }
        }
    }

    /// `a u_x + b u = c` of one unknown, a and b without unknowns: u = c / b, or with the sign of the
    /// normal `u_n + sign (b / a) u = sign c / a`.
    fn condition(
        &self,
        reader: &mut Reader<'_>,
        zero: &Expression,
        place: &Place,
    ) -> Option<(usize, Side)> {
        let dimensions = self.names.coordinates.len();
        let normal = |j: usize| if j == self.k { self.sign } else { 0.0 };
        let zero = (0..dimensions).fold(zero.simplify(), |e, j| {
            e.substitute_coordinate(dimensions + j, &normal(j).into())
        });
        let mut refuse = |found: &'static str| {
            let name = self.names.coordinates[self.k].clone();
            reader.report(place, SettingIssue::NoSuchCondition { found, name });
        };
        let entries = zero.entries();
        let Some(unknown) = entries.first().map(|entry| entry.unknown) else {
            refuse("no unknown");
            return None;
        };
        let along = Channel::Partial(MultiIndex::along(self.k, 1));
        let [value, slope] = [Channel::value(), along].map(|channel| Entry::new(unknown, channel));
        if entries.iter().any(|entry| entry.unknown != unknown) {
            refuse("several unknowns");
            return None;
        }
        if entries.iter().any(|entry| *entry != value && *entry != slope) {
            refuse("a derivative along the side or of higher order");
            return None;
        }
        let [b, a] = [value, slope].map(|entry| zero.derivative_by(entry).simplify());
        if [&a, &b].iter().any(|e| !e.entries().is_empty()) {
            refuse("a product or a function of the unknown");
            return None;
        }
        let rest = zero.substitute_jet(&|_| Expression::Constant(0.0));
        let sign = || Expression::Constant(self.sign);
        let is_zero = |e: &Expression| *e == Expression::Constant(0.0);
        let side = if is_zero(&a) {
            Side::Value((-rest / b).simplify())
        } else {
            let factor = (sign() * b / a.clone()).simplify();
            let value = (-(sign() * rest) / a).simplify();
            Side::Flux { factor, value, steepness: 0.0 }
        };
        Some((unknown, side))
    }
}

/// A formula may compare, but has no `=` alone.
fn is_equation(text: &str) -> bool {
    let before = std::iter::once(' ').chain(text.chars());
    before.zip(text.chars()).any(|(before, here)| here == '=' && before != '<' && before != '>')
}

/// Measures how steep solutions may be at sides with a flux.
pub(super) fn settle(coordinates: &mut [Coordinate], parameters: &[Parameter]) {
    let values: Vec<f64> = parameters.iter().map(|p| p.value).collect();
    let places = FRACTIONS.map(|fraction| -> Vec<f64> {
        coordinates.iter().map(|c| c.lower + fraction * (c.upper - c.lower)).collect()
    });
    for c in coordinates {
        let length = c.upper - c.lower;
        let Boundary::Sides { lower, upper } = &mut c.boundary else { continue };
        for side in lower.iter_mut().chain(upper) {
            let Side::Flux { factor, steepness, .. } = side else { continue };
            let at = |x: &Vec<f64>| factor.evaluate_at(x, 0.0, &values).abs();
            let mean = length * places.iter().map(at).sum::<f64>() / places.len() as f64;
            // Rounded, so that a little change makes no other network.
            let rounded = if mean < 0.25 { 0.0 } else { mean.log2().round().exp2() };
            *steepness = if rounded.is_finite() { rounded } else { 0.0 };
        }
    }
}

/// Factors change with nothing that would undo another side's condition.
pub(super) fn factors(
    coordinates: &[Coordinate],
    names: &Names,
    places: &[Place],
    reader: &mut Reader<'_>,
) {
    let has_flux = |c: &Coordinate| c.flat_ends().iter().any(Option::is_some);
    for (k, coordinate) in coordinates.iter().enumerate() {
        for (sides, _) in coordinate.sides().into_iter().flatten() {
            for (side, unknown) in sides.iter().zip(&names.unknowns) {
                let Side::Flux { factor, .. } = side else { continue };
                let other = |j: &usize| {
                    let slope = factor.differentiate_coordinate(*j, coordinates.len());
                    *j != k && has_flux(&coordinates[*j]) && slope.simplify() != 0.0.into()
                };
                let by_time = factor.differentiate_time().simplify() != 0.0.into();
                let with = if by_time {
                    "t".to_owned()
                } else if let Some(j) = (0..coordinates.len()).find(other) {
                    format!("{}, whose own sides have fluxes", coordinates[j].name)
                } else {
                    continue;
                };
                let unknown = unknown.clone();
                reader.report(&places[k], SettingIssue::ChangingFactor { unknown, with });
                return;
            }
        }
    }
}
