//! Rows of measurements and references from files: which columns are meant, by their names.

use super::document::{Node, Place, Table, Value};
use super::embed::{Issues, Mistake, column, columns_of, content, list, mistake, put, sheet};
use super::symbols::items;
use crate::tabulated::Sheet;
use crate::{ReadFile, SettingIssue};

/// Rows in place of `data = { file = ".." }`, where a section has that; `rows` makes them of the table
/// and of the section's `quantity`.
pub(super) fn embed_data(
    section: &mut Table,
    issues: &mut Issues,
    rows: impl FnOnce(&Table, Option<&str>) -> Result<Value, Mistake>,
) -> bool {
    let quantity = match section.get("quantity").map(|node| &node.value) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let Some(Node { value: Value::Table(data), place }) = section.get("data").cloned() else {
        return false;
    };
    match rows(&data, quantity.as_deref()) {
        Ok(rows) => put(section, "data", rows, &place),
        Err((place, issue)) => issues.push((place, *issue)),
    }
    true
}

/// What numbers of files may be of: the names of the problem's coordinates and unknowns.
pub(super) struct Own {
    coordinates: Vec<String>,
    unknowns: Vec<String>,
}

impl Own {
    pub(super) fn of(root: &Table) -> Self {
        let text = |node: &Node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let coordinates = match root.get("domain").map(|node| &node.value) {
            Some(Value::Table(domain)) => {
                let keys = domain.entries.iter().map(|entry| entry.key.clone());
                keys.filter(|key| key != "shape").collect()
            }
            _ => Vec::new(),
        };
        let unknowns = root.get("unknown").map_or(&[][..], items);
        let mut unknowns: Vec<String> = unknowns.iter().filter_map(text).collect();
        if unknowns.is_empty() {
            unknowns.push("u".into());
        }
        Self { coordinates, unknowns }
    }

    /// Rows of coordinates and a value. In a file with names the coordinates are found by theirs, and
    /// the value under that of the quantity or of the one unknown, or in the one other column; or
    /// `columns` lists all of them.
    pub(super) fn measurements(
        &self,
        path: &str,
        data: &Table,
        quantity: Option<&str>,
        files: Option<ReadFile<'_>>,
    ) -> Result<Value, Mistake> {
        let (file, place, sheet) = data_sheet(path, data, &["file", "columns"], files)?;
        let expected = self.coordinates.len() + 1;
        let wrong = |place: &Place, reason: String, remedy: &str| {
            mistake(place, content(file.clone(), reason, remedy))
        };
        let wanted = format!("{} and the value", self.coordinates.join(", "));
        let Some(head) = &sheet.head else {
            if sheet.width() == expected && !data.entries.iter().any(|e| e.key == "columns") {
                return Ok(rows(&sheet, &(0..expected).collect::<Vec<_>>(), &place));
            }
            let reason = format!("its rows have {} numbers without names", sheet.width());
            let remedy = format!("begin it with a line of names, or write {wanted} in a row");
            return Err(wrong(&place, reason, &remedy));
        };
        let known = columns_of(head);
        let find = |name: &str, place: &Place| column(&file, head, name, place);
        let columns: Vec<usize> = if let Some(node) = data.get("columns") {
            let of = |item: &Node| match &item.value {
                Value::Text(name) => find(name, &item.place),
                _ => Err(wrong(&node.place, "columns are names".into(), &known)),
            };
            items(node).iter().map(of).collect::<Result<_, _>>()?
        } else {
            let mut columns = Vec::new();
            for name in &self.coordinates {
                columns.push(find(name, &place)?);
            }
            let alone = (self.unknowns.len() == 1).then(|| self.unknowns[0].as_str());
            let named = [quantity, alone].into_iter().flatten();
            let value = named.into_iter().find_map(|name| head.iter().position(|h| h == name));
            let mut others = (0..head.len()).filter(|k| !columns.contains(k));
            let only = others.next().filter(|_| others.next().is_none());
            columns.extend(value.or(only));
            columns
        };
        if columns.len() != expected {
            let names = self.coordinates.iter().map(|name| format!("\"{name}\""));
            let names = names.chain(["\"..\"".to_owned()]).collect::<Vec<_>>().join(", ");
            let remedy = format!("write columns = [{names}]: {wanted}");
            return Err(wrong(&place, known.clone(), &remedy));
        }
        Ok(rows(&sheet, &columns, &place))
    }

    /// Rows of a reference, and their columns where the file names them: those of the problem, or those
    /// of them that are asked for.
    pub(super) fn known(
        &self,
        data: &Table,
        asked: Option<&Node>,
        files: Option<ReadFile<'_>>,
    ) -> Result<(Value, Option<Node>), Mistake> {
        let (_, place, sheet) = data_sheet("reference.data", data, &["file"], files)?;
        let Some(head) = &sheet.head else {
            let all: Vec<usize> = (0..sheet.width()).collect();
            return Ok((rows(&sheet, &all, &place), None));
        };
        let wanted = |name: &String| match asked {
            Some(node) => items(node)
                .iter()
                .any(|item| matches!(&item.value, Value::Text(text) if text == name)),
            None => self.coordinates.contains(name) || self.unknowns.contains(name),
        };
        let columns: Vec<usize> = (0..head.len()).filter(|&k| wanted(&head[k])).collect();
        let name = |&k: &usize| Node { place: place.clone(), value: Value::Text(head[k].clone()) };
        let names = Value::Array(columns.iter().map(name).collect());
        let names = Node { place: place.clone(), value: names };
        Ok((rows(&sheet, &columns, &place), Some(names)))
    }
}

/// The sheet of a table that names a file, and where its name is.
fn data_sheet(
    path: &str,
    data: &Table,
    known: &[&str],
    files: Option<ReadFile<'_>>,
) -> Result<(String, Place, Sheet), Mistake> {
    if let Some(stray) = data.entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        let (key, section) = (stray.key.clone(), path.to_owned());
        let known = known.iter().map(|&key| key.to_owned()).collect();
        let issue = SettingIssue::UnknownKey { key, section, nearest: None, known };
        return Err(mistake(&stray.key_place, issue));
    }
    let Some(node) = data.get("file") else {
        let place = data.entries.first().map_or(Place::File(0, 0), |e| e.key_place.clone());
        let remedy = "write file = \"measured.csv\", or rows of numbers in place of the table";
        let issue =
            SettingIssue::MissingKey { key: "file".into(), section: path.to_owned(), remedy };
        return Err(mistake(&place, issue));
    };
    let (file, sheet) = sheet(node, files)?;
    if sheet.shape.len() > 2 {
        let reason = format!("its array has {} dimensions", sheet.shape.len());
        return Err(mistake(&node.place, content(file, reason, "save a table with a row each")));
    }
    Ok((file, node.place.clone(), sheet))
}

fn rows(sheet: &Sheet, columns: &[usize], place: &Place) -> Value {
    let row = |row: &[f64]| {
        let numbers: Vec<f64> = columns.iter().map(|&k| row[k]).collect();
        list(&numbers, place)
    };
    Value::Array(sheet.rows().map(row).collect())
}
