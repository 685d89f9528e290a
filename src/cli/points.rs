//! Points from a file: CSV with a head that names the coordinates, or a NumPy array.

use std::path::Path;

use super::failure::Failure;

/// Points, one after the other, and the time of each where the file has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointTable {
    pub coordinates: Vec<f64>,
    pub times: Option<Vec<f64>>,
}

/// Reads the file by its ending.
///
/// Columns are found by name; `names` says which coordinates are needed, and a further column `t`
/// gives each point a time of its own where the problem has one. A table of numbers without names
/// has the coordinates in order, and the time before them where it has one column more.
pub fn read(path: &Path, names: &[String], timed: bool) -> Result<PointTable, Failure> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let bytes = std::fs::read(path)
        .map_err(|source| Failure::ReadPoints { path: path.to_owned(), source })?;
    let table = match ending.as_str() {
        "npy" => array(&bytes),
        _ => csv(&bytes),
    };
    table
        .and_then(|table| table.points(names, timed))
        .map_err(|reason| Failure::Points { path: path.to_owned(), reason })
}

/// Numbers in rows, with names of the columns where the file gives them.
struct Table {
    head: Option<Vec<String>>,
    width: usize,
    /// Row after row.
    numbers: Vec<f64>,
}

impl Table {
    fn points(self, names: &[String], timed: bool) -> Result<PointTable, String> {
        let wanted = names.join(", ");
        let (time, columns) = match &self.head {
            Some(head) => {
                let find = |name: &str| head.iter().position(|h| h == name);
                let columns: Result<Vec<usize>, String> = names
                    .iter()
                    .map(|name| {
                        find(name).ok_or_else(|| {
                            let found = head.join(", ");
                            format!("the column {name} is missing: it has {found}, the points need {wanted}")
                        })
                    })
                    .collect();
                let columns = columns?;
                let known = |name: &String| names.contains(name) || (timed && name == "t");
                if let Some(extra) = head.iter().find(|name| !known(name)) {
                    return Err(format!(
                        "the column {extra} is no coordinate of this problem: leave it out, the \
                         points need {wanted}"
                    ));
                }
                (find("t").filter(|_| timed && !names.iter().any(|n| n == "t")), columns)
            }
            None if self.width == names.len() => (None, (0..self.width).collect()),
            None if timed && self.width == names.len() + 1 => (Some(0), (1..self.width).collect()),
            None => {
                let before = if timed { ", or t before them" } else { "" };
                return Err(format!(
                    "its rows have {} numbers, a point has {}: {wanted}{before}",
                    self.width,
                    names.len()
                ));
            }
        };
        let rows = self.numbers.chunks_exact(self.width.max(1));
        let coordinates = rows.clone().flat_map(|row| columns.iter().map(|&k| row[k])).collect();
        let times = time.map(|k| rows.map(|row| row[k]).collect());
        Ok(PointTable { coordinates, times })
    }
}

/// Lines of numbers with commas, semicolons, tabs or blanks between them; a first line that does not
/// begin with a number names the columns, lines that begin with # say nothing.
fn csv(bytes: &[u8]) -> Result<Table, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| "it is no text: write it as CSV, or as a NumPy array in a file .npy")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = [',', ';', '\t'].into_iter().find(|&c| text.contains(c));
    let cells = |line: &str| -> Vec<String> {
        let own = |cell: &str| cell.trim().trim_matches('"').to_owned();
        match separator {
            Some(separator) => line.split(separator).map(own).collect(),
            None => line.split_whitespace().map(own).collect(),
        }
    };
    let mut table = Table { head: None, width: 0, numbers: Vec::new() };
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let cells = cells(line);
        if table.width == 0 {
            table.width = cells.len();
            if cells[0].parse::<f64>().is_err() {
                table.head = Some(cells);
                continue;
            }
        }
        if cells.len() != table.width {
            let (found, width) = (cells.len(), table.width);
            return Err(format!("line {number} has {found} columns, those before it {width}"));
        }
        for cell in cells {
            let value = cell
                .parse()
                .map_err(|_| format!("line {number}: `{cell}` is no number: write it like 0.25"))?;
            table.numbers.push(value);
        }
    }
    match table.width {
        0 => Err("it has no points: a line each, under a line with the coordinates' names".into()),
        _ => Ok(table),
    }
}

/// A NumPy array of one point a row; of one dimension: a number a point.
fn array(bytes: &[u8]) -> Result<Table, String> {
    let array = crate::output::npz::from_npy(bytes)?;
    let width = match array.shape.as_slice() {
        [_] => 1,
        [_, width] => *width,
        shape => {
            let dimensions = shape.len();
            return Err(format!(
                "its array has {dimensions} dimensions, points are rows of a table"
            ));
        }
    };
    Ok(Table { head: None, width, numbers: array.values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    fn points(text: &str, coordinates: &[&str], timed: bool) -> Result<PointTable, String> {
        csv(text.as_bytes())?.points(&names(coordinates), timed)
    }

    #[test]
    fn columns_are_found_by_name_whatever_their_order() {
        let table =
            points("y, t ,x\n1,2,3\n\n# a note\n4,5,6\n", &["x", "y"], true).expect("reads");
        assert_eq!(table.coordinates, [3.0, 1.0, 6.0, 4.0]);
        assert_eq!(table.times, Some(vec![2.0, 5.0]));
        let bare = points("0.5 1e-3\n-1 2", &["x", "y"], true).expect("reads");
        assert_eq!((bare.coordinates.len(), bare.times), (4, None));
        let before = points("0;7", &["x"], true).expect("reads");
        assert_eq!((before.coordinates, before.times), (vec![7.0], Some(vec![0.0])));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let says = |text: &str, wanted: &str| {
            let error = points(text, &["x", "y"], false).expect_err("wrong");
            assert!(error.contains(wanted), "{error}");
        };
        says("x,z\n1,2", "the column y is missing");
        says("x,y,w\n1,2,3", "the column w is no coordinate");
        says("x,y\n1,2\n3", "line 3 has 1 columns");
        says("x,y\n1,two", "line 2: `two` is no number");
        says("1,2,3", "its rows have 3 numbers");
        says("", "no points");
    }
}
