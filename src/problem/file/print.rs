//! A document as TOML text.

use std::fmt::Write;

use super::document::{Node, Table, Value};

/// The document as text that reads back as the same document: plain entries first, then one
/// header for each table at the top.
pub(super) fn print(root: &Table) -> String {
    let mut out = String::new();
    let is_table = |node: &Node| matches!(node.value, Value::Table(_));
    for entry in root.entries.iter().filter(|entry| !is_table(&entry.node)) {
        let _ = writeln!(out, "{} = {}", key(&entry.key), value(&entry.node.value));
    }
    for entry in &root.entries {
        if let Value::Table(table) = &entry.node.value {
            let _ = writeln!(out, "\n[{}]", key(&entry.key));
            for inner in &table.entries {
                let _ = writeln!(out, "{} = {}", key(&inner.key), value(&inner.node.value));
            }
        }
    }
    out
}

/// A value on one line.
pub(super) fn value(value_: &Value) -> String {
    match value_ {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::Boolean(truth) => truth.to_string(),
        Value::Other(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| value(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let pair = |(k, node): (&str, &Node)| format!("{} = {}", key(k), value(&node.value));
            let entries = table.entries.iter().map(|entry| (entry.key.as_str(), &entry.node));
            format!("{{ {} }}", entries.map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The shortest text that reads back as the same number; TOML wants digits after a point.
fn float(number: f64) -> String {
    if number.is_nan() { "nan".into() } else { format!("{number:?}") }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.into() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
