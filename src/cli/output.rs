//! Standard output as something that can fail: a closed pipe or a full disk is no panic.

use std::borrow::Cow;
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

/// Writes `text` to standard output, [`harmless`].
pub fn print(text: &str) -> Result<(), Failure> {
    write(harmless(text).as_bytes())
}

/// A text in which nothing steers a terminal: names of files and keys may hold any character, and a
/// control character is shown as its escape.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return text.into();
    }
    let shown = text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        match steers(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
        shown
    });
    shown.into()
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
    fn what_steers_a_terminal_is_shown_as_its_escape() {
        assert_eq!(harmless("plain é\n\ttext"), "plain é\n\ttext");
        assert_eq!(harmless("a\x1b[2Jb\x07\r\u{9b}"), "a\\u{1b}[2Jb\\u{7}\\r\\u{9b}");
    }

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_blanks() {
        let rows = [vec!["a".to_owned(), "é1".into()], vec!["long".into(), String::new()]];
        assert_eq!(table(&rows), "a     é1\nlong\n");
        assert_eq!(table(&[]), "");
    }
}
