//! `[tables.NAME]`: functions that are given by values on a grid. Files are in place of these
//! already (`embed`).

use std::sync::Arc;

use super::document::{Node, Place, Value};
use super::reader::{Reader, Section};
use super::symbols;
use crate::SettingIssue;
use crate::expression::Names;
use crate::residual::ResidualIssue;
use crate::tabulated::{Interpolation, TableAxis, TableIssue, Tabulated};

/// The most tables of a problem.
const MAX_TABLES: usize = 16;

/// Puts the tables among the names, also those that cannot be read, so that one mistake there does
/// not make every formula look wrong. Where each of them is written.
pub(super) fn tables<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &mut Names,
) -> Vec<Place> {
    let section = reader.section(top, "tables");
    let entries: Vec<(&'a str, &'a Node)> = section.entries().collect();
    if entries.len() > MAX_TABLES {
        let (what, found, limit) = ("tables", entries.len(), MAX_TABLES);
        reader.report(&section.place, ResidualIssue::TooMany { what, found, limit });
    }
    let mut places = Vec::new();
    for (name, node) in entries.into_iter().take(MAX_TABLES) {
        if let Err(issue) = symbols::table_name(name, names) {
            reader.report(&node.place, issue);
        }
        let section = reader.named_section(format!("tables.{name}"), node);
        let table = table(reader, name, section).unwrap_or_else(|| Tabulated::broken(name));
        names.tables.push(Arc::new(table));
        places.push(node.place.clone());
    }
    places
}

fn table<'a>(reader: &mut Reader<'a>, name: &str, mut section: Section<'a>) -> Option<Tabulated> {
    let before = reader.issues.len();
    let interpolation = reader.choice::<Interpolation>(&mut section, "interpolation");
    let _ = reader.text(&mut section, "description");
    let place = section.place_of("values");
    let file = section.get("file").is_some();
    // The column of a file.
    let _ = section.get("column");
    let (axes, values) = (section.get("axes"), section.get("values"));
    let whole = section.place.clone();
    reader.finish(section);
    if file {
        // Why it is not in place of the file is told already.
        return None;
    }
    let table = name.to_owned();
    let Some(values) = values else {
        reader.report(&whole, TableIssue::Nothing { table });
        return None;
    };
    let (shape, numbers) = (Vec::new(), Vec::new());
    let mut grid = Grid { table: name, depth: depth(values), shape, numbers };
    grid.collect(reader, values, 0)?;
    let axes = axes_of(reader, name, &whole, axes, &grid.shape)?;
    let made = Tabulated::new(name, axes, grid.numbers, interpolation.unwrap_or_default());
    match made {
        Ok(table) => (reader.issues.len() == before).then_some(table),
        Err(issue) => {
            reader.report(&place, issue);
            None
        }
    }
}

/// Values while they are read: a list for each node of the first axis, and so on.
struct Grid<'r> {
    table: &'r str,
    /// How deep the lists go, as far as the first of each says.
    depth: usize,
    /// Lengths of the lists at each depth.
    shape: Vec<usize>,
    numbers: Vec<f64>,
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => 1 + items.first().map_or(0, depth),
        _ => 0,
    }
}

impl Grid<'_> {
    fn collect(&mut self, reader: &mut Reader<'_>, node: &Node, depth: usize) -> Option<()> {
        let key = || format!("tables.{}.values", self.table);
        if depth == self.depth && depth > 0 {
            let number = reader.number_of(&key(), node)?;
            self.numbers.push(number);
            return Some(());
        }
        let Value::Array(items) = &node.value else {
            reader.wrong_type(&key(), "a list of numbers", node);
            return None;
        };
        match self.shape.get(depth) {
            None => self.shape.push(items.len()),
            Some(&before) if before != items.len() => {
                let (table, found) = (self.table.to_owned(), items.len());
                reader.report(&node.place, TableIssue::Ragged { table, found, before });
                return None;
            }
            Some(_) => {}
        }
        items.iter().try_for_each(|item| self.collect(reader, item, depth + 1).ok_or(())).ok()
    }
}

/// `axes = { x = [0, 1] }`: the ends of even steps, or every node.
fn axes_of(
    reader: &mut Reader<'_>,
    table: &str,
    whole: &Place,
    node: Option<&Node>,
    shape: &[usize],
) -> Option<Vec<TableAxis>> {
    let Some(Node { value: Value::Table(axes), place }) = node else {
        match node {
            Some(node) => reader.wrong_type(
                &format!("tables.{table}.axes"),
                "a range or every node for each axis, as in { x = [0, 1], y = [0, 2] }",
                node,
            ),
            None => {
                let (key, section) = ("axes".into(), format!("[tables.{table}]"));
                let remedy = "write axes = { x = [0, 1] }, with an axis for each argument";
                reader.report(whole, SettingIssue::MissingKey { key, section, remedy });
            }
        }
        return None;
    };
    if axes.entries.len() != shape.len() {
        let (table, found) = (table.to_owned(), axes.entries.len());
        let issue = match found {
            1..=3 => TableIssue::Depth { table, axes: found, depth: shape.len() },
            _ => TableIssue::AxisCount { table, found },
        };
        reader.report(place, issue);
        return None;
    }
    let mut read = Vec::new();
    for (entry, &values) in axes.entries.iter().zip(shape) {
        let (key, name) = (format!("tables.{table}.axes.{}", entry.key), entry.key.clone());
        let items = symbols::items(&entry.node);
        let nodes: Option<Vec<f64>> =
            items.iter().map(|item| reader.number_of(&key, item)).collect();
        let nodes = match nodes?.as_slice() {
            &[lower, upper] if values > 2 => {
                let share = |k: usize| k as f64 / (values - 1) as f64;
                (0..values).map(|k| lower + (upper - lower) * share(k)).collect()
            }
            nodes => nodes.to_vec(),
        };
        if nodes.len() != values {
            let (table, axis, nodes) = (table.to_owned(), name, nodes.len());
            reader.report(&entry.node.place, TableIssue::AxisLength { table, axis, nodes, values });
            return None;
        }
        if let Err(issue) = symbols::plain_name(&name, "an axis") {
            reader.report(&entry.key_place, issue);
        }
        read.push(TableAxis { name, nodes });
    }
    Some(read)
}
