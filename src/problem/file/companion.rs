//! `[reference]` of a residual problem: an evolution problem with the same solution.

use super::document::{Node, Place};
use super::reader::{Reader, Section};
use super::sections;
use crate::equation::{Role, parse_equation};
use crate::expression::{Expression, Names};
use crate::residual::{Axis, Companion, Parts, ResidualIssue};
use crate::{Boundary, Coordinate, Parameter, TimeSpan};

/// The companion, and where its initial state stands.
pub(super) fn companion<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &Names,
    axes: Option<&[Axis]>,
    parameters: &[Parameter],
) -> (Option<Companion>, Place) {
    let mut section = reader.section(top, "reference");
    let place = section.place_of("initial");
    if !top.has("reference") {
        return (None, place);
    }
    if top.has("exact") {
        let (first, second) = ("[exact]", "[reference]");
        reader.report(&section.place, ResidualIssue::Exclusive { first, second });
    }
    let time = names.coordinates.iter().position(|name| name == "t");
    let (Some(time), 2, 1) = (time, names.coordinates.len(), names.unknowns.len()) else {
        reader.report(&section.place, ResidualIssue::ReferenceShape);
        return (None, place);
    };
    let space = 1 - time;
    let inner = Names { coordinates: vec![names.coordinates[space].clone()], ..names.clone() };
    let right_hand_side = equation(reader, &mut section, &inner);
    let initial = formula(reader, &mut section, "initial", &inner, Role::Initial);
    if !section.has("initial") {
        reader.missing(&section, "initial", "write initial = \"sin(pi*x)\", for example");
    }
    let value = match section.has("value") {
        true => formula(reader, &mut section, "value", &inner, Role::RightHandSide),
        false => Some(Expression::unknown(0)),
    };
    let _ = section.get("value");
    let range = reader.range(&mut section, "range", &names.coordinates[space]);
    let has_range = section.has("range");
    reader.finish(section);
    let built = || {
        let axes = axes?;
        let [lower, upper] =
            if has_range { range? } else { [axes[space].lower, axes[space].upper] };
        let (equation, right_hand_side) = right_hand_side?;
        let name = names.coordinates[space].clone();
        let parts = Parts {
            unknown: names.unknowns[0].clone(),
            space: Coordinate { name, lower, upper, boundary: Boundary::Periodic },
            span: TimeSpan { start: axes[time].lower, end: axes[time].upper },
            parameters: parameters.to_vec(),
            equation,
            right_hand_side,
            initial: initial?,
        };
        Some(Companion { problem: Box::new(parts.problem()), value: value?, time, space })
    };
    (built(), place)
}

fn equation<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    names: &Names,
) -> Option<(String, Expression)> {
    let place = section.place_of("equation");
    if !section.has("equation") {
        reader.missing(section, "equation", "write equation = \"u_t = u_xx\", for example");
    }
    let text = reader.text(section, "equation")?;
    match parse_equation(text, names) {
        Ok((_, expression)) => Some((text.trim().to_owned(), expression.simplify())),
        Err(errors) => {
            reader.report_equation(&place, errors);
            None
        }
    }
}

fn formula<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    key: &str,
    names: &Names,
    role: Role,
) -> Option<Expression> {
    let node: &'a Node = section.get(key)?;
    sections::expression(reader, &format!("reference.{key}"), node, names, role)
}
