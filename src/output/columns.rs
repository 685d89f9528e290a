//! Histories as tables: one column a quantity, one row a step.

use std::path::Path;

use super::OutputError;
use super::npz::{self, Array};

/// A quantity of a record as a number; an unknown one is not a number.
pub(crate) struct Column<R> {
    pub name: &'static str,
    pub get: fn(&R) -> f64,
    pub set: fn(&mut R, f64),
}

/// One array a column.
pub(crate) fn arrays<R>(columns: &[Column<R>], records: &[R]) -> Vec<Array> {
    let array =
        |column: &Column<R>| Array::vector(column.name, records.iter().map(column.get).collect());
    columns.iter().map(array).collect()
}

/// The inverse of [`arrays`]; `path` is for messages.
///
/// # Errors
/// `MissingArray` and `ArrayLength`.
pub(crate) fn records<R: Default + Clone>(
    columns: &[Column<R>],
    arrays: &[Array],
    path: &Path,
) -> Result<Vec<R>, OutputError> {
    let count = npz::find(arrays, columns[0].name, path)?.values.len();
    let mut records = vec![R::default(); count];
    for column in columns {
        let values = of_length(arrays, column.name, count, path)?;
        for (record, &value) in records.iter_mut().zip(values) {
            (column.set)(record, value);
        }
    }
    Ok(records)
}

/// The array of a name, which must have `expected` numbers.
///
/// # Errors
/// `MissingArray` and `ArrayLength`.
pub(crate) fn of_length<'a>(
    arrays: &'a [Array],
    name: &str,
    expected: usize,
    path: &Path,
) -> Result<&'a [f64], OutputError> {
    let values = npz::find(arrays, name, path)?.values.as_slice();
    if values.len() == expected {
        return Ok(values);
    }
    let (path, name, found) = (path.to_owned(), name.to_owned(), values.len());
    Err(OutputError::ArrayLength { path, name, found, expected })
}

/// The shortest digits that read back to the same number, small numbers by their power of ten; what
/// is not a number is an empty cell.
#[must_use]
pub fn cell(value: f64) -> String {
    match value {
        v if v.is_nan() => String::new(),
        v if v != 0.0 && v.abs() < 1e-3 => format!("{v:e}"),
        v => v.to_string(),
    }
}

/// One line per record.
pub(crate) fn csv<R>(columns: &[Column<R>], records: &[R]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut text = names.join(",") + "\n";
    for record in records {
        for (index, column) in columns.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text += comma;
            text += &cell((column.get)(record));
        }
        text.push('\n');
    }
    text
}
