//! The names of a problem file: unknown, coordinates, parameters.

use super::Family;
use super::document::{Place, Table, Value};
use super::reader::{Reader, Section};
use crate::SettingIssue;
use crate::equation::is_reserved;
use crate::expression::{MAX_DIMENSIONS, Names};

/// The most parameters of a problem.
const MAX_PARAMETERS: usize = 64;

/// Names are known before anything else is read, and also those of broken entries, so that one
/// mistake there does not make every equation look wrong.
pub(super) fn names<'a>(
    reader: &mut Reader<'a>,
    root: &Table,
    equation: &mut Section<'a>,
    family: Family,
) -> Names {
    let unknown_place = equation.place_of("unknown");
    let mut names = Names {
        unknown: reader.text(equation, "unknown").unwrap_or("u").to_owned(),
        ..Names::default()
    };
    let unknown = names.unknown.clone();
    if let Err(issue) = plain_name(&unknown, "the unknown") {
        reader.report(&unknown_place, issue);
        names.unknown = "u".into();
    }
    for (key, place) in keys(root, "domain").take(MAX_DIMENSIONS) {
        // Where time is a coordinate, it is called t.
        let is_time = family == Family::Residual && key == "t";
        if let Err(issue) = coordinate_name(key, &names)
            && !is_time
        {
            reader.report(&place, issue);
        }
        names.coordinates.push(key.to_owned());
    }
    if let Some((_, place)) = keys(root, "domain").nth(MAX_DIMENSIONS) {
        let found = keys(root, "domain").count();
        reader.report(&place, SettingIssue::CoordinateCount { found, limit: MAX_DIMENSIONS });
    }
    for (key, place) in keys(root, "parameters").take(MAX_PARAMETERS) {
        if let Err(issue) = parameter_name(key, &names) {
            reader.report(&place, issue);
        }
        names.parameters.push(key.to_owned());
    }
    if let Some((_, place)) = keys(root, "parameters").nth(MAX_PARAMETERS) {
        let (key, found) =
            ("parameters".into(), format!("{} entries", keys(root, "parameters").count()));
        let allowed = format!("at most {MAX_PARAMETERS} entries");
        reader.report(&place, SettingIssue::OutOfRange { key, found, allowed });
    }
    names
}

fn keys<'t>(root: &'t Table, section: &str) -> impl Iterator<Item = (&'t str, Place)> {
    let table = match root.get(section).map(|node| &node.value) {
        Some(Value::Table(table)) => Some(table),
        _ => None,
    };
    let entries = table.into_iter().flat_map(|table| &table.entries);
    entries.map(|entry| (entry.key.as_str(), entry.key_place.clone()))
}

/// Letters and digits, a letter first, and no word of the notation.
fn plain_name(name: &str, what: &'static str) -> Result<(), SettingIssue> {
    let bad =
        |remedy: &str| SettingIssue::BadName { name: name.into(), what, remedy: remedy.into() };
    if is_reserved(name) {
        return Err(bad("the notation itself uses this name: choose another"));
    }
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric());
    if !letters || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.len() > 32 {
        return Err(bad("use a letter, then letters and digits, at most 32"));
    }
    Ok(())
}

fn coordinate_name(name: &str, names: &Names) -> Result<(), SettingIssue> {
    plain_name(name, "a coordinate")?;
    if name == names.unknown {
        return Err(SettingIssue::NameTaken { name: name.into(), what: "the unknown" });
    }
    Ok(())
}

fn parameter_name(name: &str, names: &Names) -> Result<(), SettingIssue> {
    plain_name(&name.replace('_', "0"), "a parameter").map_err(|issue| match issue {
        SettingIssue::BadName { what, remedy, .. } => {
            SettingIssue::BadName { name: name.into(), what, remedy }
        }
        other => other,
    })?;
    let taken = |what| Err(SettingIssue::NameTaken { name: name.into(), what });
    if name == names.unknown {
        return taken("the unknown");
    }
    if names.coordinates.iter().any(|coordinate| coordinate == name) {
        return taken("a coordinate");
    }
    if name.strip_prefix(names.unknown.as_str()).is_some_and(|rest| rest.starts_with('_')) {
        return taken("a derivative");
    }
    Ok(())
}
