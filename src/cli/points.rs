//! Points from a file: CSV with a head that names the coordinates, or a NumPy array.

use std::path::Path;

use super::failure::Failure;
use crate::problem::tabulated::Sheet;

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
    let bytes = std::fs::read(path)
        .map_err(|source| Failure::ReadPoints { path: path.to_owned(), source })?;
    Sheet::read(&path.to_string_lossy(), &bytes)
        .and_then(|sheet| points(&sheet, names, timed))
        .map_err(|reason| Failure::Points { path: path.to_owned(), reason })
}

fn points(sheet: &Sheet, names: &[String], timed: bool) -> Result<PointTable, String> {
    let dimensions = sheet.shape.len();
    if !(1..=2).contains(&dimensions) {
        return Err(format!("its array has {dimensions} dimensions, points are rows of a table"));
    }
    let (wanted, width) = (names.join(", "), sheet.width());
    let (time, columns) = match &sheet.head {
        Some(head) => {
            let find = |name: &str| head.iter().position(|h| h == name);
            let columns: Result<Vec<usize>, String> = names
                .iter()
                .map(|name| {
                    find(name).ok_or_else(|| {
                        let found = head.join(", ");
                        format!(
                            "the column {name} is missing: it has {found}, the points need {wanted}"
                        )
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
        None if width == names.len() => (None, (0..width).collect()),
        None if timed && width == names.len() + 1 => (Some(0), (1..width).collect()),
        None => {
            let before = if timed { ", or t before them" } else { "" };
            return Err(format!(
                "its rows have {width} numbers, a point has {}: {wanted}{before}",
                names.len()
            ));
        }
    };
    let rows = sheet.rows();
    let coordinates = rows.clone().flat_map(|row| columns.iter().map(|&k| row[k])).collect();
    let times = time.map(|k| rows.map(|row| row[k]).collect());
    Ok(PointTable { coordinates, times })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    fn points(text: &str, coordinates: &[&str], timed: bool) -> Result<PointTable, String> {
        super::points(&Sheet::csv(text.as_bytes())?, &names(coordinates), timed)
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
        says("1,2,3", "its rows have 3 numbers");
        says("", "no numbers");
    }
}
