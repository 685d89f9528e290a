//! The sections of a problem file, format 1.

use super::document::{Node, Place, Table, Value};
use super::reader::{Reader, Section};
use super::{Family, sides, sought, symbols, tables};
use crate::ansatz::Ansatz;
use crate::equation::{Role, parse_complex, parse_equation, parse_expression};
use crate::expression::{Expression, MAX_DIMENSIONS, Names};
use crate::shape::ShapeIssue;
use crate::{Coordinate, Parameter, Precision, Problem, SettingIssue, TimeSpan};

/// Where the parts of a problem were written, for the checks between them.
pub(super) struct Places {
    pub initial: Place,
    pub exact: Place,
    pub coordinates: Vec<Place>,
    pub reference: Place,
    pub points: Place,
    pub tables: Vec<Place>,
}

/// Reads everything; `None` where a part that has no default is missing or broken.
pub(super) fn problem<'a>(
    reader: &mut Reader<'a>,
    root: &'a Table,
    top: &mut Section<'a>,
) -> Option<(Problem, Places)> {
    format(reader, top);
    let name = reader.text(top, "name").unwrap_or("untitled").to_owned();
    let title = reader.text(top, "title").unwrap_or(&name).to_owned();
    let description = reader.text(top, "description").unwrap_or("").trim().to_owned();
    let mut equation_section = reader.section(top, "equation");
    let mut names = symbols::names(reader, root, &mut equation_section, Family::Evolution);
    let tables = tables::tables(reader, top, &mut names);
    let equation = equations(reader, &names, equation_section);
    let (mut coordinates, coordinate_places) = coordinates(reader, top, &names);
    let time = time(reader, top);
    let parameters = parameters(reader, top, Family::Evolution);
    sides::settle(&mut coordinates, &parameters);
    let (exact, exact_place) = formulas(reader, top, "exact", &names, Role::Exact);
    let (initial, initial_place) = initial(reader, top, &names, time, exact.as_ref());
    let settings = super::settings::Settings::read(
        reader,
        top,
        &coordinates,
        time,
        &exact,
        names.unknowns.len(),
    );
    let (reference, points) = (top.place_of("reference"), top.place_of("points"));
    let (seed, precision) = run(reader, top);
    // Read elsewhere; here only its being a table matters.
    let _ = reader.section(top, "variants");

    let (equation, right_hand_side) = equation?;
    let complete = coordinates.len() == names.coordinates.len() && !coordinates.is_empty();
    let ansatz = match complete.then(|| Ansatz::new(&coordinates, names.unknowns.len()))? {
        Ok(ansatz) => ansatz,
        Err(issue) => {
            reader.report(&top.place_of("domain"), issue);
            return None;
        }
    };
    let places = Places {
        initial: initial_place,
        exact: exact_place,
        coordinates: coordinate_places,
        reference,
        points,
        tables,
    };
    let problem = Problem {
        name,
        title,
        description,
        unknowns: names.unknowns,
        complex: names.complex,
        coordinates,
        parameters,
        tables: names.tables,
        time: time?,
        equation,
        right_hand_side,
        initial: initial?,
        exact,
        distance: ansatz.distance,
        lift: ansatz.lift,
        network: settings.network,
        points: settings.points,
        fit: settings.fit,
        method: settings.method,
        reference: settings.reference,
        precision,
        seed,
        source: String::new(),
    };
    Some((problem.with_its_size(), places))
}

pub(super) fn format<'a>(reader: &mut Reader<'a>, top: &mut Section<'a>) {
    let Some(node) = top.get("format") else {
        reader.missing(top, "format", "begin the file with format = 1");
        return;
    };
    match node.value {
        Value::Integer(1) => {}
        Value::Integer(found) => reader.report(&node.place, SettingIssue::UnknownFormat { found }),
        _ => reader.wrong_type("format", "the number 1", node),
    }
}

pub(super) fn run<'a>(reader: &mut Reader<'a>, top: &mut Section<'a>) -> (u64, Precision) {
    let mut section = reader.section(top, "run");
    let seed = reader.count(&mut section, "seed", [0, i64::MAX as u64]).unwrap_or(0);
    let precision = reader.choice(&mut section, "precision").unwrap_or(Precision::Auto);
    reader.finish(section);
    (seed, precision)
}

/// The equations as typed, and F of each unknown.
fn equations<'a>(
    reader: &mut Reader<'a>,
    names: &Names,
    mut section: Section<'a>,
) -> Option<(String, Vec<Expression>)> {
    let node = section.get("text");
    if node.is_none() {
        reader.missing(&section, "text", "write text = \"u_t = u_xx\" under [equation]");
    }
    reader.finish(section);
    let node = node?;
    // The rate of an unknown of second order is the unknown beside it.
    let mut rates: Vec<Option<Expression>> =
        (0..names.unknowns.len()).map(|k| names.velocity(k).map(Expression::unknown)).collect();
    let (mut texts, before) = (Vec::new(), reader.issues.len());
    for item in symbols::items(node) {
        let Value::Text(text) = &item.value else {
            reader.wrong_type("equation.text", "text in quotes, or a list of such", item);
            continue;
        };
        texts.push(text.trim());
        match parse_equation(text, names) {
            Ok(found) => {
                for (unknown, expression) in found {
                    if rates[unknown].replace(expression.simplify()).is_some() {
                        let left = names.left(unknown);
                        reader.report(&item.place, SettingIssue::EquationTwice { left });
                    }
                }
            }
            Err(errors) => reader.report_equation(&item.place, errors),
        }
    }
    if reader.issues.len() > before {
        return None;
    }
    for (unknown, rate) in rates.iter().enumerate() {
        if rate.is_none() {
            let left = names.left(unknown);
            let name = left.trim_end_matches("_t").to_owned();
            reader.report(&node.place, SettingIssue::NoRate { name, left });
        }
    }
    let rates: Option<Vec<Expression>> = rates.into_iter().collect();
    Some((texts.join("\n"), rates?))
}

/// An expression, written as text or as a number.
pub(super) fn expression(
    reader: &mut Reader<'_>,
    key: &str,
    node: &Node,
    names: &Names,
    role: Role,
) -> Option<Expression> {
    match &node.value {
        Value::Text(text) => match parse_expression(text, names, role) {
            Ok(expression) => Some(expression.simplify()),
            Err(errors) => {
                reader.report_equation(&node.place, errors);
                None
            }
        },
        Value::Integer(_) | Value::Float(_) => {
            reader.number_of(key, node).map(Expression::Constant)
        }
        _ => {
            reader.wrong_type(key, "an expression in quotes", node);
            None
        }
    }
}

/// The same of what may be complex: its parts.
pub(super) fn complex(
    reader: &mut Reader<'_>,
    key: &str,
    node: &Node,
    names: &Names,
    role: Role,
) -> Option<(Expression, Option<Expression>)> {
    let Value::Text(text) = &node.value else {
        return expression(reader, key, node, names, role).map(|real| (real, None));
    };
    match parse_complex(text, names, role) {
        Ok((re, im)) => Some((re.simplify(), im.map(|im| im.simplify()))),
        Err(errors) => {
            reader.report_equation(&node.place, errors);
            None
        }
    }
}

/// `[initial]` or `[exact]`: the formulas under the unknowns' names, and where the first one is.
pub(super) fn formulas<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    key: &'static str,
    names: &Names,
    role: Role,
) -> (Option<Vec<Expression>>, Place) {
    let mut section = reader.section(top, key);
    let pair = |unknown: usize| names.complex.iter().find(|pair| pair.parts.contains(&unknown));
    let written =
        |unknown: usize| pair(unknown).map_or(&names.unknowns[unknown], |pair| &pair.name);
    let place = section.place_of(written(0));
    let several = names.unknowns.len() > 1;
    let mut found = Vec::new();
    for (unknown, name) in names.unknowns.iter().enumerate() {
        let name = if pair(unknown).is_some() { written(unknown) } else { name };
        let node = section.get(name);
        let path = format!("{key}.{name}");
        if let Some(pair) = pair(unknown)
            && let Some(node) = node
        {
            if pair.parts[0] == unknown {
                let parts = complex(reader, &path, node, names, role);
                let (re, im) = parts.unzip();
                found.push(re);
                found.push(im.map(|im| im.unwrap_or(Expression::Constant(0.0))));
            }
            continue;
        }
        let of_base = || {
            // The exact solution says how fast it changes; what starts stands still.
            let base = (0..unknown).find(|&k| names.velocity(k) == Some(unknown))?;
            let known: &Option<Expression> = &found[base];
            match role {
                Role::Exact => known.as_ref().map(|e| e.differentiate_time().simplify()),
                Role::Initial => known.as_ref().map(|_| Expression::Constant(0.0)),
                _ => None,
            }
        };
        let formula = match node {
            Some(node) => expression(reader, &path, node, names, role),
            None => of_base(),
        };
        let absent = node.is_none() && formula.is_none();
        let second_part = pair(unknown).is_some_and(|pair| pair.parts[1] == unknown);
        if top.has(key) && absent && !second_part && (section.is_empty() || several) {
            let remedy = "write u = \"..\", with the unknown's name in place of u";
            reader.missing(&section, name, remedy);
        }
        found.push(formula);
    }
    reader.finish(section);
    (found.into_iter().collect(), place)
}

/// The initial state; where the file gives none, the exact solution at the start.
fn initial<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &Names,
    time: Option<TimeSpan>,
    exact: Option<&Vec<Expression>>,
) -> (Option<Vec<Expression>>, Place) {
    let (initial, place) = formulas(reader, top, "initial", names, Role::Initial);
    if top.has("initial") || top.has("exact") {
        let at_start = |list: &Vec<Expression>| -> Option<Vec<Expression>> {
            let start = time?.start;
            Some(list.iter().map(|e| e.substitute_time(&start.into())).collect())
        };
        let initial = if top.has("initial") { initial } else { exact.and_then(at_start) };
        return (initial, place);
    }
    reader.missing(top, "[initial]", "write [initial] and under it u = \"sin(x)\", for example");
    (None, place)
}

fn coordinates<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &Names,
) -> (Vec<Coordinate>, Vec<Place>) {
    let mut domain = reader.section(top, "domain");
    if domain.has("shape") || top.has("shapes") {
        // One mistake: it is no unknown key besides.
        let _ = top.get("shapes");
        let place =
            if domain.has("shape") { domain.place_of("shape") } else { top.place_of("shapes") };
        reader.report(&place, ShapeIssue::Evolution);
    }
    if names.coordinates.is_empty() {
        let issue = SettingIssue::CoordinateCount { found: 0, limit: MAX_DIMENSIONS };
        reader.report(&domain.place, issue);
    }
    let (mut coordinates, mut places) = (Vec::new(), Vec::new());
    for (k, name) in names.coordinates.iter().enumerate() {
        if let Some(node) = domain.get(name) {
            let section = reader.named_section(format!("domain.{name}"), node);
            coordinates.extend(coordinate(reader, section, names, k));
            places.push(node.place.clone());
        }
    }
    (coordinates, places)
}

fn coordinate<'a>(
    reader: &mut Reader<'a>,
    mut section: Section<'a>,
    names: &Names,
    k: usize,
) -> Option<Coordinate> {
    let name = &names.coordinates[k];
    let range = reader.range(&mut section, "range", name);
    if !section.has("range") {
        reader.missing(&section, "range", "write range = [lower, upper]");
    }
    let boundary = sides::boundary(reader, &mut section, names, k);
    reader.finish(section);
    let [lower, upper] = range?;
    Some(Coordinate { name: name.clone(), lower, upper, boundary: boundary? })
}

fn time<'a>(reader: &mut Reader<'a>, top: &mut Section<'a>) -> Option<TimeSpan> {
    let mut section = reader.section(top, "time");
    let had_start = section.has("start");
    let start = reader.number(&mut section, "start", "a number", |_| true);
    let end = reader.number(&mut section, "end", "a number", |_| true);
    if !section.has("end") {
        reader.missing(&section, "end", "write end = 1.0 under [time]");
    }
    let end_place = section.place_of("end");
    reader.finish(section);
    let start = if had_start { start? } else { 0.0 };
    let end = end?;
    if end > start {
        return Some(TimeSpan { start, end });
    }
    reader.report(&end_place, SettingIssue::EmptyTimeSpan { start, end });
    None
}

pub(super) fn parameters<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    family: Family,
) -> Vec<Parameter> {
    let section = reader.section(top, "parameters");
    let entries: Vec<(&'a str, &'a Node)> = section.entries().collect();
    entries.into_iter().filter_map(|(name, node)| parameter(reader, name, node, family)).collect()
}

/// `eps = 5e-3`, or a table with value, range, description, and whether it is to be found.
fn parameter<'a>(
    reader: &mut Reader<'a>,
    name: &str,
    node: &'a Node,
    family: Family,
) -> Option<Parameter> {
    let path = format!("parameters.{name}");
    if !matches!(node.value, Value::Table(_)) {
        let value = reader.number_of(&path, node)?;
        return Some(Parameter {
            name: name.into(),
            value,
            range: None,
            description: String::new(),
            find: false,
        });
    }
    let mut section = reader.named_section(path, node);
    let value = reader.number(&mut section, "value", "a number", |_| true);
    if !section.has("value") {
        reader.missing(&section, "value", "write value = 1.0");
    }
    let place = section.place_of("value");
    let range = reader.range(&mut section, "range", name);
    let description = reader.text(&mut section, "description").unwrap_or("").to_owned();
    let find = reader.boolean(&mut section, "find").unwrap_or(false);
    let parameter =
        value.map(|value| Parameter { name: name.into(), value, range, description, find });
    if let Some(parameter) = &parameter {
        match sought::outside(parameter) {
            Some(issue) => reader.report(&place, issue),
            None if find => sought::constant(reader, &section, parameter, family),
            None => {}
        }
    }
    reader.finish(section);
    parameter
}
