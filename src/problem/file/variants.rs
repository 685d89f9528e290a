//! Named sets of overrides that a file carries.

use super::document::{self, Node, Place, Sources, Table, Value};
use super::{collect, embed, load, print, read};
use crate::nearest::nearest;
use crate::{Issue, Overrides, ProblemErrors, ProblemFile, ReadFile, SettingIssue, Variants};

/// The settings of a variant by dotted key; nested tables count as dots.
fn settings(table: &Table) -> Vec<(String, Place, Node)> {
    let mut found = Vec::new();
    for entry in &table.entries {
        match &entry.node.value {
            Value::Table(inner) => found.extend(
                settings(inner)
                    .into_iter()
                    .map(|(key, place, node)| (format!("{}.{key}", entry.key), place, node)),
            ),
            _ => found.push((entry.key.clone(), entry.key_place.clone(), entry.node.clone())),
        }
    }
    found
}

fn tables(root: &Table) -> impl Iterator<Item = (&str, &Node)> {
    let table = match root.get("variants").map(|node| &node.value) {
        Some(Value::Table(table)) => Some(table),
        _ => None,
    };
    let entries = table.into_iter().flat_map(|table| &table.entries);
    entries.map(|entry| (entry.key.as_str(), &entry.node))
}

/// The most variants of a file: each is read as a problem of its own.
const MAX_VARIANTS: usize = 32;

/// Every variant must give a valid problem, if the file without them does; `root` has no numbers in
/// place of files yet.
pub(super) fn check(
    root: &Table,
    sources: &Sources<'_>,
    files: Option<ReadFile<'_>>,
) -> Result<(), Vec<(Place, Issue)>> {
    let mut base = root.clone();
    base.remove("variants");
    let mut whole = base.clone();
    let mut missing = Vec::new();
    embed::embed(&mut whole, files, &mut missing);
    if !missing.is_empty() || read(&whole, sources).is_err() {
        // The mistakes of the file itself are reported by whoever reads it.
        return Ok(());
    }
    let found = tables(root).count();
    if found > MAX_VARIANTS {
        let issue = SettingIssue::TooManyVariants { found, limit: MAX_VARIANTS };
        let place = root.get("variants").map_or(Place::File(0, 0), |node| node.place.clone());
        return Err(vec![(place, issue.into())]);
    }
    let mut issues = Vec::new();
    for (name, node) in tables(root) {
        let Value::Table(table) = &node.value else {
            let (key, found) = (format!("variants.{name}"), node.value.kind());
            let issue = SettingIssue::WrongType { key, expected: "a table", found };
            issues.push((node.place.clone(), issue.into()));
            continue;
        };
        let mut varied = base.clone();
        let mut wrong = Vec::new();
        for (key, place, node) in settings(table) {
            if let Err(issue) = document::set(&mut varied, &key, &place, node) {
                wrong.push((place, issue.into()));
            }
        }
        embed::embed(&mut varied, files, &mut wrong);
        wrong.extend(read(&varied, sources).err().unwrap_or_default());
        issues.extend(wrong.into_iter().map(|(place, issue)| {
            let (name, issue) = (name.to_owned(), Box::new(issue));
            (place, SettingIssue::InVariant { name, issue }.into())
        }));
    }
    if issues.is_empty() { Ok(()) } else { Err(issues) }
}

pub(crate) fn variants(text: &str) -> Result<Variants, ProblemErrors> {
    let sources = Sources::new(text, &Overrides::new());
    let root = document::parse(text).map_err(|issues| collect(&sources, issues))?;
    let overrides = |node: &Node| -> Overrides {
        let Value::Table(table) = &node.value else { return Overrides::new() };
        let pair = |(key, _, node): (String, Place, Node)| (key, print::value(&node.value));
        settings(table).into_iter().map(pair).collect()
    };
    Ok(tables(&root).map(|(name, node)| (name.to_owned(), overrides(node))).collect())
}

pub(crate) fn select(
    text: &str,
    variant: &str,
    overrides: &Overrides,
    files: Option<ReadFile<'_>>,
) -> Result<ProblemFile, ProblemErrors> {
    let variants = variants(text)?;
    let Some(chosen) = variants.get(variant) else {
        let sources = Sources::new(text, &Overrides::new());
        let known: Vec<String> = variants.into_keys().collect();
        let nearest = nearest(variant, known.iter().map(String::as_str)).map(Into::into);
        let issue = SettingIssue::UnknownVariant { name: variant.into(), nearest, known };
        return Err(collect(&sources, [(Place::File(0, 0), issue.into())]));
    };
    let all: Overrides = chosen.iter().chain(overrides).cloned().collect();
    load(text, &all, files)
}
