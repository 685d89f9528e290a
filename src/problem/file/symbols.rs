//! The names of a problem file: unknown, coordinates, parameters.

use super::Family;
use super::document::{Node, Place, Table, Value};
use super::reader::{Reader, Section};
use crate::SettingIssue;
use crate::equation::is_reserved;
use crate::expression::{MAX_DIMENSIONS, MAX_UNKNOWNS, Names, Pair};

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
    let complex = names_at(reader, equation, "complex", "an unknown");
    let (unknowns, complex) = unknowns(reader, equation, family, complex);
    let mut names = Names { unknowns, complex, ..Names::default() };
    // What else stands under [domain].
    let coordinates = || keys(root, "domain").filter(|(key, _)| *key != "shape");
    for (key, place) in coordinates().take(MAX_DIMENSIONS) {
        // Where time is a coordinate, it is called t.
        let is_time = family == Family::Residual && key == "t";
        if let Err(issue) = coordinate_name(key, &names)
            && !is_time
        {
            reader.report(&place, issue);
        }
        names.coordinates.push(key.to_owned());
    }
    if let Some((_, place)) = coordinates().nth(MAX_DIMENSIONS) {
        let found = coordinates().count();
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

/// The names of `unknown`, one or a list. Where an evolution does not say them, the left sides of
/// its equations do. An equation `u_tt = ..` has the unknown `u_t` beside `u`.
fn unknowns<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    family: Family,
    complex: Vec<String>,
) -> (Vec<String>, Vec<Pair>) {
    let place = section.place_of("unknown");
    let mut found = names_at(reader, section, "unknown", "the unknown");
    let lefts = match family {
        Family::Evolution => {
            section.get("text").map_or(Vec::new(), |n| left_sides(items(n), &complex))
        }
        Family::Residual => Vec::new(),
    };
    if found.is_empty() && (lefts.len() > 1 || !complex.is_empty()) {
        for (name, _) in &lefts {
            if plain_name(name, "the unknown").is_ok() && !found.contains(name) {
                found.push(name.clone());
            }
        }
    }
    found.extend(complex.iter().filter(|name| !found.contains(name)).cloned().collect::<Vec<_>>());
    if found.is_empty() {
        found.push("u".into());
    }
    // A complex one is two.
    let count = found.len() + found.iter().filter(|name| complex.contains(name)).count();
    if count > MAX_UNKNOWNS {
        let (key, found) = ("unknown".into(), format!("a list of {count}"));
        let allowed = format!("at most {MAX_UNKNOWNS} names");
        reader.report(&place, SettingIssue::OutOfRange { key, found, allowed });
    }
    let second = |name: &String| lefts.iter().any(|(left, order)| left == name && *order == 2);
    let (mut all, mut pairs) = (Vec::new(), Vec::new());
    for name in found {
        if all.len() + usize::from(complex.contains(&name)) >= MAX_UNKNOWNS {
            break;
        }
        if complex.contains(&name) {
            let parts = [all.len(), all.len() + 1];
            all.extend([format!("{name}_re"), format!("{name}_im")]);
            pairs.push(Pair { name, parts });
        } else {
            let velocity = second(&name).then(|| format!("{name}_t"));
            all.extend(std::iter::once(name).chain(velocity));
        }
    }
    (all, pairs)
}

/// The names under a key, one or a list.
fn names_at<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    key: &str,
    named: &'static str,
) -> Vec<String> {
    let mut found = Vec::new();
    for item in section.get(key).map_or(&[][..], items) {
        let Value::Text(name) = &item.value else {
            reader.wrong_type(key, "a name in quotes, or a list of such", item);
            continue;
        };
        match plain_name(name, named) {
            Ok(()) if found.contains(name) => {
                let what = "an unknown";
                reader.report(&item.place, SettingIssue::NameTaken { name: name.clone(), what });
            }
            Ok(()) => found.push(name.clone()),
            Err(issue) => reader.report(&item.place, issue),
        }
    }
    found
}

/// A list, or the one thing that stands in its place.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::Array(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// The name and the order of `name_t = ..` and `name_tt = ..`, where the texts begin so.
fn left_sides(texts: &[Node], complex: &[String]) -> Vec<(String, usize)> {
    let of = |node: &Node| {
        let Value::Text(text) = &node.value else { return None };
        let left = text.split('=').next()?.trim().replace("{t}", "t").replace("{t t}", "tt");
        let (name, suffix) = left.rsplit_once('_')?;
        // `i*psi_t` is of psi.
        let last = name.rsplit(['*', '-', ' ']).next().unwrap_or(name);
        let name = if complex.iter().any(|known| known == last) { last } else { name };
        let order = [("t", 1), ("tt", 2)].into_iter().find(|(known, _)| *known == suffix)?.1;
        Some((name.to_owned(), order))
    };
    texts.iter().filter_map(of).collect()
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
pub(super) fn plain_name(name: &str, what: &'static str) -> Result<(), SettingIssue> {
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

/// What formulas of complex unknowns have a meaning of their own for.
fn of_complex(name: &str, names: &Names, what: &'static str) -> Result<(), SettingIssue> {
    if names.has_imaginary_unit() && matches!(name, "i" | "re" | "im" | "conj") {
        let remedy = "with complex unknowns it has a meaning of its own: choose another".into();
        return Err(SettingIssue::BadName { name: name.into(), what, remedy });
    }
    match names.complex.iter().any(|pair| pair.name == name) {
        true => Err(SettingIssue::NameTaken { name: name.into(), what: "the unknown" }),
        false => Ok(()),
    }
}

fn coordinate_name(name: &str, names: &Names) -> Result<(), SettingIssue> {
    plain_name(name, "a coordinate")?;
    of_complex(name, names, "a coordinate")?;
    if names.unknowns.iter().any(|unknown| unknown == name) {
        return Err(SettingIssue::NameTaken { name: name.into(), what: "the unknown" });
    }
    Ok(())
}

/// A table is named as a function, and its slopes by what follows a `_`.
pub(super) fn table_name(name: &str, names: &Names) -> Result<(), SettingIssue> {
    plain_name(name, "a table")?;
    of_complex(name, names, "a table")?;
    let lists = [
        (&names.unknowns, "the unknown"),
        (&names.coordinates, "a coordinate"),
        (&names.parameters, "a parameter"),
    ];
    match lists.into_iter().find(|(list, _)| list.iter().any(|taken| taken == name)) {
        Some((_, what)) => Err(SettingIssue::NameTaken { name: name.into(), what }),
        None if name == "d" => {
            let (name, what) = (name.into(), "a table");
            let remedy = "d(f, x) is a derivative: choose another".into();
            Err(SettingIssue::BadName { name, what, remedy })
        }
        None => Ok(()),
    }
}

fn parameter_name(name: &str, names: &Names) -> Result<(), SettingIssue> {
    plain_name(&name.replace('_', "0"), "a parameter").map_err(|issue| match issue {
        SettingIssue::BadName { what, remedy, .. } => {
            SettingIssue::BadName { name: name.into(), what, remedy }
        }
        other => other,
    })?;
    of_complex(name, names, "a parameter")?;
    let taken = |what| Err(SettingIssue::NameTaken { name: name.into(), what });
    if names.unknowns.iter().any(|unknown| unknown == name) {
        return taken("the unknown");
    }
    if names.coordinates.iter().any(|coordinate| coordinate == name) {
        return taken("a coordinate");
    }
    let derived = |unknown: &String| {
        name.strip_prefix(unknown.as_str()).is_some_and(|rest| rest.starts_with('_'))
    };
    if names.unknowns.iter().any(derived) {
        return taken("a derivative");
    }
    Ok(())
}
