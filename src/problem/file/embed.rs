//! Files of numbers that a problem names, put in place of their names: `file = ".."` of a table
//! becomes `axes` and `values`, `data = { file = ".." }` becomes rows. From there on the problem is
//! one text that holds all it needs, whatever happens to the files.

use super::document::{Entry, Node, Place, Table, Value};
use super::measured::{Own, embed_data};
use crate::ReadFile;
use crate::tabulated::{MAX_AXES, MAX_BYTES, MAX_VALUES, Sheet, TableIssue};
use crate::{Issue, SettingIssue};

/// The mistakes that were found.
pub(super) type Issues = Vec<(Place, Issue)>;

/// Replaces every file in the document, and says whether there was one.
pub(super) fn embed(root: &mut Table, files: Option<ReadFile<'_>>, issues: &mut Issues) -> bool {
    let mut any = false;
    for (name, table) in tables_of(root, "tables") {
        if table.get("file").is_some() {
            any = true;
            if let Err((place, issue)) = tabulate(name, table, files) {
                issues.push((place, *issue));
            }
        }
    }
    let own = Own::of(root);
    for (name, block) in tables_of(root, "residual") {
        any |= embed_data(block, issues, |data, quantity| {
            own.measurements(&format!("residual.{name}.data"), data, quantity, files)
        });
    }
    if let Some(Value::Table(reference)) = value_of(root, "reference") {
        let names = reference.get("columns").cloned();
        let mut columns = None;
        any |= embed_data(reference, issues, |data, _| {
            let (rows, found) = own.known(data, names.as_ref(), files)?;
            columns = found;
            Ok(rows)
        });
        if let Some(node) = columns {
            put(reference, "columns", node.value, &node.place);
        }
    }
    any
}

fn value_of<'t>(root: &'t mut Table, key: &str) -> Option<&'t mut Value> {
    let entry = root.entries.iter_mut().find(|entry| entry.key == key);
    entry.map(|entry| &mut entry.node.value)
}

/// The tables under a section, by their names.
fn tables_of<'t>(
    root: &'t mut Table,
    section: &str,
) -> impl Iterator<Item = (&'t str, &'t mut Table)> + use<'t> {
    let entry = root.entries.iter_mut().find(|entry| entry.key == section);
    let table = entry.and_then(|entry| match &mut entry.node.value {
        Value::Table(table) => Some(table),
        _ => None,
    });
    let entries = table.into_iter().flat_map(|table| &mut table.entries);
    entries.filter_map(|entry| match &mut entry.node.value {
        Value::Table(table) => Some((entry.key.as_str(), table)),
        _ => None,
    })
}

/// A mistake, boxed because it is large beside what is right.
pub(super) type Mistake = (Place, Box<Issue>);

pub(super) fn mistake(place: &Place, issue: impl Into<Issue>) -> Mistake {
    (place.clone(), Box::new(issue.into()))
}

/// The numbers of the file that a node names, and the name.
pub(super) fn sheet(node: &Node, files: Option<ReadFile<'_>>) -> Result<(String, Sheet), Mistake> {
    let Value::Text(file) = &node.value else {
        let (expected, found) = ("the path of a file in quotes", node.value.kind());
        let issue = SettingIssue::WrongType { key: "file".into(), expected, found };
        return Err(mistake(&node.place, issue));
    };
    let wrong = |issue: TableIssue| mistake(&node.place, issue);
    let file = file.clone();
    let Some(read) = files else { return Err(wrong(TableIssue::NoFiles { file })) };
    let bytes = match read(&file) {
        Ok(bytes) => bytes,
        Err(reason) => return Err(wrong(TableIssue::Unreadable { file, reason })),
    };
    if bytes.len() > MAX_BYTES {
        let (bytes, limit) = (bytes.len(), MAX_BYTES);
        return Err(wrong(TableIssue::TooLong { file, bytes, limit }));
    }
    let sheet = match Sheet::read(&file, &bytes) {
        Ok(sheet) => sheet,
        Err(reason) => {
            let remedy = "a line of names, then lines of numbers with commas between them; or an \
                          array of NumPy in a file .npy";
            return Err(wrong(content(file, reason, remedy)));
        }
    };
    let found = sheet.numbers.len();
    if found > MAX_VALUES * (MAX_AXES + 1) {
        return Err(wrong(TableIssue::TooMany { what: file, found }));
    }
    if let Some(position) = sheet.numbers.iter().position(|x| !x.is_finite()) {
        let (value, row) = (sheet.numbers[position], position / sheet.width().max(1) + 1);
        let reason = format!("row {row} of its numbers has {value}");
        let remedy = "fill gaps with a value, or leave that line of the grid out";
        return Err(wrong(content(file, reason, remedy)));
    }
    Ok((file, sheet))
}

pub(super) fn content(file: String, reason: String, remedy: &str) -> TableIssue {
    TableIssue::Content { file, reason, remedy: remedy.into() }
}

/// `[tables.NAME]` with `file` as one with `axes` and `values`.
fn tabulate(name: &str, table: &mut Table, files: Option<ReadFile<'_>>) -> Result<(), Mistake> {
    let Some(node) = table.get("file").cloned() else { return Ok(()) };
    if let Some(values) = table.get("values") {
        return Err(mistake(&values.place, TableIssue::Both { table: name.into() }));
    }
    let (file, sheet) = sheet(&node, files)?;
    let place = node.place;
    match &sheet.head {
        Some(head) => {
            let columns = columns(name, table, (&file, &place), head)?;
            let grid = Grid::of(&file, &sheet, &columns).map_err(|issue| mistake(&place, issue))?;
            let names = columns[1..].iter().map(|&column| head[column].clone());
            let axes = names.zip(&grid.axes).map(|(name, nodes)| (name, list(nodes, &place)));
            let axes = Value::Table(Table { entries: axes.map(entry(&place)).collect() });
            put(table, "axes", axes, &place);
            put(table, "values", nested(&grid.values, &grid.shape(), &place), &place);
        }
        None if file.to_lowercase().ends_with(".npy") => {
            if table.get("axes").is_none() {
                let remedy = "write axes = { x = [0, 1], y = [0, 2] }: the ends of each axis of the \
                              array, the first one first";
                let issue =
                    content(file, "an array does not say where its values are".into(), remedy);
                return Err(mistake(&place, issue));
            }
            put(table, "values", nested(&sheet.numbers, &sheet.shape, &place), &place);
        }
        None => {
            let remedy = "begin it with a line of names: x, y, k";
            let issue = content(file, "its columns have no names".into(), remedy);
            return Err(mistake(&place, issue));
        }
    }
    table.remove("file");
    table.remove("column");
    if table.get("description").is_none() {
        put(table, "description", Value::Text(file), &place);
    }
    Ok(())
}

pub(super) fn put(table: &mut Table, key: &str, value: Value, place: &Place) {
    table.remove(key);
    table.entries.push(entry(place)((key.to_owned(), Node { place: place.clone(), value })));
}

fn entry(place: &Place) -> impl Fn((String, Node)) -> Entry {
    let key_place = place.clone();
    move |(key, node)| Entry { key, key_place: key_place.clone(), node }
}

pub(super) fn list(numbers: &[f64], place: &Place) -> Node {
    let number = |&x: &f64| Node { place: place.clone(), value: Value::Float(x) };
    Node { place: place.clone(), value: Value::Array(numbers.iter().map(number).collect()) }
}

/// Lists of lists, as deep as the shape is long.
fn nested(numbers: &[f64], shape: &[usize], place: &Place) -> Value {
    let each = shape.get(1..).map_or(1, |rest| rest.iter().product::<usize>()).max(1);
    let inner = |part: &[f64]| match shape.len() {
        0 | 1 => Value::Float(part[0]),
        _ => nested(part, &shape[1..], place),
    };
    let node = |part| Node { place: place.clone(), value: inner(part) };
    Value::Array(numbers.chunks_exact(each).map(node).collect())
}

/// What a file with names has.
pub(super) fn columns_of(head: &[String]) -> String {
    format!("its columns are {}", head.join(", "))
}

/// The column of that name, which is wanted where `place` says.
pub(super) fn column(
    file: &str,
    head: &[String],
    name: &str,
    place: &Place,
) -> Result<usize, Mistake> {
    head.iter().position(|column| column == name).ok_or_else(|| {
        let reason = format!("it has no column {name}");
        mistake(place, content(file.to_owned(), reason, &columns_of(head)))
    })
}

/// The column of the values, then those of the axes.
///
/// The values are under `column`, by default under the table's own name, else in the last column;
/// the axes are what `axes` lists, by default all other columns.
fn columns(
    name: &str,
    table: &Table,
    (file, file_place): (&str, &Place),
    head: &[String],
) -> Result<Vec<usize>, Mistake> {
    let wrong = |place: &Place, reason: String, remedy: &str| {
        mistake(place, content(file.to_owned(), reason, remedy))
    };
    let find = |wanted: &str, place: &Place| column(file, head, wanted, place);
    let values = match table.get("column") {
        Some(Node { value: Value::Text(column), place }) => find(column, place)?,
        _ => head.iter().position(|column| column == name).unwrap_or(head.len() - 1),
    };
    let axes: Vec<usize> = match table.get("axes") {
        None => (0..head.len()).filter(|&k| k != values).collect(),
        Some(node) => {
            let of = |item: &Node| match &item.value {
                Value::Text(axis) => find(axis, &item.place),
                _ => {
                    let reason = "its first line names the columns, and axes chooses among them";
                    let remedy = "write axes = [\"x\", \"y\"], or leave it out";
                    Err(wrong(&node.place, reason.into(), remedy))
                }
            };
            super::symbols::items(node).iter().map(of).collect::<Result<_, _>>()?
        }
    };
    if axes.is_empty() || axes.len() > MAX_AXES {
        let remedy = format!(
            "choose the values and up to {MAX_AXES} axes: column = \"{name}\" and axes = [\"x\", \"y\"]"
        );
        return Err(wrong(file_place, columns_of(head), &remedy));
    }
    Ok([vec![values], axes].concat())
}

/// Values in rows put onto the grid that they are of.
struct Grid {
    axes: Vec<Vec<f64>>,
    values: Vec<f64>,
}

/// Numbers of one node differ by less, over the length of their axis.
const SAME: f64 = 1e-9;

impl Grid {
    /// From rows in any order; `columns` are the value's and those of the axes.
    fn of(file: &str, sheet: &Sheet, columns: &[usize]) -> Result<Self, TableIssue> {
        let axes: Vec<Vec<f64>> =
            columns[1..].iter().map(|&k| nodes(sheet.rows().map(|row| row[k]))).collect();
        let expected: usize = axes.iter().map(Vec::len).product();
        let mut values = vec![f64::NAN; expected.min(MAX_VALUES + 1)];
        if expected > MAX_VALUES {
            return Err(TableIssue::TooMany { what: file.to_owned(), found: expected });
        }
        let head = sheet.head.as_deref().unwrap_or_default();
        let place = |row: &[f64]| {
            let names = columns[1..].iter().map(|&k| format!("{} = {}", head[k], row[k]));
            names.collect::<Vec<_>>().join(", ")
        };
        let remedy = "a table has one value for each combination of its axes' values";
        for row in sheet.rows() {
            let along = axes.iter().zip(&columns[1..]);
            let index =
                along.fold(0, |index, (nodes, &k)| index * nodes.len() + nearest(nodes, row[k]));
            if !values[index].is_nan() {
                let reason = format!("it has two values at {}", place(row));
                return Err(content(file.to_owned(), reason, remedy));
            }
            values[index] = row[columns[0]];
        }
        match values.iter().position(|value| value.is_nan()) {
            None => Ok(Self { axes, values }),
            Some(mut gap) => {
                let mut at = Vec::new();
                for (nodes, &k) in axes.iter().zip(&columns[1..]).rev() {
                    at.push(format!("{} = {}", head[k], nodes[gap % nodes.len()]));
                    gap /= nodes.len();
                }
                at.reverse();
                let reason = format!("it has no value at {}", at.join(", "));
                Err(content(file.to_owned(), reason, remedy))
            }
        }
    }

    fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(Vec::len).collect()
    }
}

/// The numbers in order, those that are the same but for rounding once.
fn nodes(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    let length = sorted.last().copied().unwrap_or(0.0) - sorted.first().copied().unwrap_or(0.0);
    sorted.dedup_by(|next, kept| *next - *kept <= SAME * length);
    sorted
}

fn nearest(nodes: &[f64], x: f64) -> usize {
    let above = nodes.partition_point(|node| *node <= x).clamp(1, nodes.len());
    let upper = above < nodes.len() && nodes[above] - x < x - nodes[above - 1];
    if upper { above } else { above - 1 }
}
