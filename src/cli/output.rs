//! Standard output as something that can fail: a closed pipe or a full disk is no panic.

use std::io::Write;

use serde::Serialize;

use super::failure::Failure;

/// Writes to standard output. A pipe that was closed is no failure: whoever reads it has seen enough
/// (`sketchpde list | head -1`), and how a run went is still to be told by the exit code.
pub fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::Output),
    }
}

/// Writes `text` to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

/// Writes `value` to standard output as one JSON object and a line end.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|e| Failure::Output(e.into()))?;
    text.push('\n');
    print(&text)
}

/// Lines up the columns of `rows` with two spaces between them.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|k| rows.iter().filter_map(|row| Some(row.get(k)?.chars().count())).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!("{cell:width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_blanks() {
        let rows = [vec!["a".to_owned(), "é1".into()], vec!["long".into(), String::new()]];
        assert_eq!(table(&rows), "a     é1\nlong\n");
        assert_eq!(table(&[]), "");
    }
}
