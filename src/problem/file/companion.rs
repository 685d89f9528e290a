//! `[reference]` of a residual problem: an evolution problem with the same solution, or the solution
//! at single points.

use super::document::{Node, Place, Value};
use super::reader::{Reader, Section};
use super::{sections, symbols};
use crate::equation::{Role, parse_equation};
use crate::expression::{Expression, Names};
use crate::nearest::nearest;
use crate::residual::{Axis, Companion, KnownValues, Parts, ResidualIssue};
use crate::{Boundary, Coordinate, Parameter, TimeSpan};

/// What `[reference]` says, and where the companion's initial state stands.
pub(super) fn reference<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &Names,
    axes: Option<&[Axis]>,
    parameters: &[Parameter],
) -> (Option<Companion>, Option<KnownValues>, Place) {
    let mut section = reader.section(top, "reference");
    if section.has("data") {
        if top.has("exact") {
            let (first, second) = ("[exact]", "[reference]");
            reader.report(&section.place, ResidualIssue::Exclusive { first, second });
        }
        let place = section.place.clone();
        let known = known_values(reader, &mut section, names, axes);
        reader.finish(section);
        return (None, known, place);
    }
    let (companion, place) = companion(reader, top, names, axes, parameters);
    (companion, None, place)
}

/// `data`: rows of numbers, and `columns`, what they are.
fn known_values<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    names: &Names,
    axes: Option<&[Axis]>,
) -> Option<KnownValues> {
    let own: Vec<String> = names.coordinates.iter().chain(&names.unknowns).cloned().collect();
    let node = section.get("data")?;
    if let Value::Table(_) = &node.value {
        // Why its file is not in its place is told already.
        let _ = section.get("columns");
        return None;
    }
    let columns = match section.get("columns") {
        Some(node) => columns(reader, node, names, &own)?,
        None => (0..own.len()).collect(),
    };
    let items = symbols::items(node);
    if items.is_empty() {
        let block = "reference".to_owned();
        reader.report(&node.place, ResidualIssue::EmptyBlock { block });
        return None;
    }
    let (axes, coordinates) = (axes?, names.coordinates.len());
    let mut points = Vec::with_capacity(items.len() * coordinates);
    let mut values = vec![f64::NAN; items.len() * names.unknowns.len()];
    for (index, item) in items.iter().enumerate() {
        let row = row(reader, item, columns.len())?;
        let mut point = vec![0.0; coordinates];
        for (&column, &value) in columns.iter().zip(&row) {
            match column.checked_sub(coordinates) {
                None => point[column] = value,
                Some(unknown) => values[unknown * items.len() + index] = value,
            }
        }
        for (Axis { name, lower, upper, .. }, &value) in axes.iter().zip(&point) {
            if !(lower..=upper).contains(&&value) {
                let (name, lower, upper) = (name.clone(), *lower, *upper);
                let issue = ResidualIssue::OutsideDomain { name, value, lower, upper };
                reader.report(&item.place, issue);
                return None;
            }
        }
        points.extend(point);
    }
    Some(KnownValues { points, values })
}

/// Numbers of the columns among the coordinates and unknowns: all coordinates, and an unknown.
fn columns(
    reader: &mut Reader<'_>,
    node: &Node,
    names: &Names,
    own: &[String],
) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for item in symbols::items(node) {
        let Value::Text(text) = &item.value else {
            reader.wrong_type("reference.columns", "a list of names", item);
            return None;
        };
        match own.iter().position(|name| name == text) {
            Some(column) if !found.contains(&column) => found.push(column),
            _ => {
                let near = nearest(text, own.iter().map(String::as_str)).map(Into::into);
                let (name, coordinates) = (text.clone(), own.to_vec());
                let issue = ResidualIssue::UnknownCoordinate { name, nearest: near, coordinates };
                reader.report(&item.place, issue);
                return None;
            }
        }
    }
    let coordinates = names.coordinates.len();
    let complete = (0..coordinates).all(|k| found.contains(&k));
    if !complete || found.iter().all(|&k| k < coordinates) {
        let (found, expected) = (found.len(), coordinates + 1);
        reader.report(&node.place, ResidualIssue::RowLength { found, expected });
        return None;
    }
    Some(found)
}

fn row(reader: &mut Reader<'_>, node: &Node, expected: usize) -> Option<Vec<f64>> {
    let items = match &node.value {
        Value::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.len() != expected {
        let found = items.len();
        reader.report(&node.place, ResidualIssue::RowLength { found, expected });
        return None;
    }
    items.iter().map(|item| reader.number_of("reference.data", item)).collect()
}

/// The companion, and where its initial state stands.
fn companion<'a>(
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
            tables: names.tables.clone(),
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
        Ok(rates) => {
            let (_, expression) = rates.into_iter().next()?;
            Some((text.trim().to_owned(), expression.simplify()))
        }
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
