//! Typed reading of a document: every accessor notes what is wrong and goes on with the default.

use super::document::{Node, Place, Sources, Table, Value};
use crate::equation::{EquationError, parse_constant};
use crate::nearest::nearest;
use crate::settings::Choice;
use crate::{Issue, SettingIssue};

/// Collects mistakes.
pub(super) struct Reader<'a> {
    pub sources: &'a Sources<'a>,
    pub issues: Vec<(Place, Issue)>,
}

/// A count, or a word in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Counted {
    Number(u64),
    Word,
}

impl Counted {
    pub(super) fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Word => None,
        }
    }
}

/// A table that is being read, with the keys that were asked for: what is left is unknown.
pub(super) struct Section<'a> {
    /// The name for messages: `[method]`.
    pub name: String,
    /// The dotted key in front of the keys inside; empty at the top.
    path: String,
    pub place: Place,
    table: Option<&'a Table>,
    known: Vec<String>,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a Table) -> Self {
        Self {
            name: "the file".into(),
            path: String::new(),
            place: Place::File(0, 0),
            table: Some(table),
            known: Vec::new(),
        }
    }

    pub(super) fn get(&mut self, key: &str) -> Option<&'a Node> {
        self.known.push(key.into());
        self.table?.get(key)
    }

    /// Where `key` was written, or else where its section was.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let node = self.table.and_then(|table| table.get(key));
        node.map_or_else(|| self.place.clone(), |node| node.place.clone())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.get(key).is_some())
    }

    /// The keys that a section of it has, and the text at one of them.
    pub(super) fn keys_in(&self, section: &str) -> Vec<&'a str> {
        let entries = self.inner(section).map(|table| table.entries.iter());
        entries.into_iter().flatten().map(|entry| entry.key.as_str()).collect()
    }

    pub(super) fn text_in(&self, section: &str, key: &str) -> Option<&'a str> {
        match &self.inner(section)?.get(key)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn inner(&self, section: &str) -> Option<&'a Table> {
        match &self.table?.get(section)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Whether nothing is written in it.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_none_or(|table| table.entries.is_empty())
    }

    /// Every entry, for sections whose keys are the user's own; all of them count as known.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Node)> + use<'a> {
        let entries = self.table.into_iter().flat_map(|table| &table.entries);
        entries.map(|entry| (entry.key.as_str(), &entry.node))
    }

    fn dotted(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn report(&mut self, place: &Place, issue: impl Into<Issue>) {
        self.issues.push((place.clone(), issue.into()));
    }

    /// Mistakes inside the text that was written at `place`.
    pub(super) fn report_equation(&mut self, place: &Place, errors: Vec<EquationError>) {
        for EquationError { span, issue } in errors {
            let inner = self.sources.inside(place, &span);
            self.report(&inner, Issue::Equation(issue));
        }
    }

    /// The table under `key`; an absent one reads as empty.
    pub(super) fn section(&mut self, parent: &mut Section<'a>, key: &str) -> Section<'a> {
        let path = parent.dotted(key);
        let name = format!("[{path}]");
        let mut section =
            Section { name, path, place: parent.place.clone(), table: None, known: Vec::new() };
        if let Some(node) = parent.get(key) {
            section.place = node.place.clone();
            section.table = self.table(&section.path, node);
        }
        section
    }

    /// The table of an entry with a name of the user's own.
    pub(super) fn named_section(&mut self, path: String, node: &'a Node) -> Section<'a> {
        let table = self.table(&path, node);
        let name = format!("[{path}]");
        Section { name, path, place: node.place.clone(), table, known: Vec::new() }
    }

    fn table(&mut self, path: &str, node: &'a Node) -> Option<&'a Table> {
        match &node.value {
            Value::Table(table) => Some(table),
            _ => {
                self.wrong_type(path, "a table", node);
                None
            }
        }
    }

    pub(super) fn wrong_type(&mut self, key: &str, expected: &'static str, node: &Node) {
        let found = node.value.kind();
        self.report(&node.place, SettingIssue::WrongType { key: key.into(), expected, found });
    }

    /// Reports every key that nothing asked for.
    pub(super) fn finish(&mut self, section: Section<'a>) {
        for entry in section.table.into_iter().flat_map(|table| &table.entries) {
            if !section.known.contains(&entry.key) {
                let mut known = section.known.clone();
                known.sort_unstable();
                let issue = SettingIssue::UnknownKey {
                    key: entry.key.clone(),
                    section: section.name.clone(),
                    nearest: nearest(&entry.key, known.iter().map(String::as_str)).map(Into::into),
                    known,
                };
                self.report(&entry.key_place, issue);
            }
        }
    }

    pub(super) fn missing(&mut self, section: &Section<'a>, key: &str, remedy: &'static str) {
        let (key, section_name) = (key.into(), section.name.clone());
        let issue = SettingIssue::MissingKey { key, section: section_name, remedy };
        self.report(&section.place, issue);
    }

    pub(super) fn text(&mut self, section: &mut Section<'a>, key: &str) -> Option<&'a str> {
        let node = section.get(key)?;
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.wrong_type(&section.dotted(key), "text in quotes", node);
                None
            }
        }
    }

    /// A number, or text that is an expression of numbers.
    pub(super) fn number_of(&mut self, key: &str, node: &Node) -> Option<f64> {
        let value = match &node.value {
            Value::Integer(value) => *value as f64,
            Value::Float(value) => *value,
            Value::Text(text) => match parse_constant(text) {
                Ok(value) => value,
                Err(errors) => {
                    self.report_equation(&node.place, errors);
                    return None;
                }
            },
            _ => {
                self.wrong_type(key, "a number", node);
                return None;
            }
        };
        if !value.is_finite() {
            self.out_of_range(key, &node.place, value.to_string(), "a finite number");
            return None;
        }
        Some(value)
    }

    /// A number for which `holds`; `allowed` says in words which these are.
    pub(super) fn number(
        &mut self,
        section: &mut Section<'a>,
        key: &str,
        allowed: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let node = section.get(key)?;
        let dotted = section.dotted(key);
        let value = self.number_of(&dotted, node)?;
        if !holds(value) {
            self.out_of_range(&dotted, &node.place, value.to_string(), allowed);
            return None;
        }
        Some(value)
    }

    fn out_of_range(&mut self, key: &str, place: &Place, found: String, allowed: &str) {
        let (key, allowed) = (key.into(), allowed.into());
        self.report(place, SettingIssue::OutOfRange { key, found, allowed });
    }

    /// An integer of `lower..=upper`; numbers such as 1e4 count as integers.
    fn integer(&mut self, key: &str, node: &Node, [lower, upper]: [u64; 2]) -> Option<u64> {
        let allowed = || format!("an integer from {lower} to {upper}");
        // Beyond 2^53 a floating-point number is no longer exact: take integers as they are.
        let value = match &node.value {
            Value::Integer(value) => u64::try_from(*value).ok(),
            _ => {
                let value = self.number_of(key, node)?;
                let exact = value.fract() == 0.0 && (0.0..9.0e15).contains(&value);
                exact.then_some(value as u64)
            }
        };
        match value {
            Some(value) if (lower..=upper).contains(&value) => Some(value),
            _ => {
                let found = match &node.value {
                    Value::Integer(value) => value.to_string(),
                    Value::Float(value) => value.to_string(),
                    _ => "something else".into(),
                };
                self.out_of_range(key, &node.place, found, &allowed());
                None
            }
        }
    }

    pub(super) fn count(
        &mut self,
        section: &mut Section<'a>,
        key: &str,
        bounds: [u64; 2],
    ) -> Option<u64> {
        let node = section.get(key)?;
        self.integer(&section.dotted(key), node, bounds)
    }

    /// An integer as [`Reader::count`] reads it, or that word.
    pub(super) fn count_or(
        &mut self,
        section: &mut Section<'a>,
        key: &str,
        word: &'static str,
        bounds: [u64; 2],
    ) -> Option<Counted> {
        let node = section.get(key)?;
        match &node.value {
            Value::Text(text) if text == word => Some(Counted::Word),
            Value::Text(text) if parse_constant(text).is_err() => {
                let (key, words) = (section.dotted(key), vec!["a number", word]);
                let (found, nearest) = (text.clone(), nearest(text, [word]));
                let issue = SettingIssue::UnknownWord { key, found, nearest, words };
                self.report(&node.place, issue);
                None
            }
            _ => self.integer(&section.dotted(key), node, bounds).map(Counted::Number),
        }
    }

    /// One integer, or a list of them.
    pub(super) fn counts(
        &mut self,
        section: &mut Section<'a>,
        key: &str,
        bounds: [u64; 2],
    ) -> Option<Vec<usize>> {
        let node = section.get(key)?;
        let dotted = section.dotted(key);
        let items = match &node.value {
            Value::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let read: Vec<Option<u64>> =
            items.iter().map(|item| self.integer(&dotted, item, bounds)).collect();
        read.into_iter().map(|value| value.map(|value| value as usize)).collect()
    }

    /// Two numbers, the first below the second.
    pub(super) fn range(
        &mut self,
        section: &mut Section<'a>,
        key: &str,
        name: &str,
    ) -> Option<[f64; 2]> {
        let node = section.get(key)?;
        let dotted = section.dotted(key);
        let Value::Array(items) = &node.value else {
            self.wrong_type(&dotted, "a list of two numbers", node);
            return None;
        };
        let [lower, upper] = items.as_slice() else {
            let found = format!("a list of {}", items.len());
            self.out_of_range(&dotted, &node.place, found, "a list of two numbers");
            return None;
        };
        let (lower, upper) = (self.number_of(&dotted, lower), self.number_of(&dotted, upper));
        let (lower, upper) = (lower?, upper?);
        if lower < upper && (upper - lower).is_finite() {
            return Some([lower, upper]);
        }
        self.report(&node.place, SettingIssue::EmptyRange { name: name.into(), lower, upper });
        None
    }

    pub(super) fn boolean(&mut self, section: &mut Section<'a>, key: &str) -> Option<bool> {
        let node = section.get(key)?;
        match node.value {
            Value::Boolean(value) => Some(value),
            _ => {
                self.wrong_type(&section.dotted(key), "true or false", node);
                None
            }
        }
    }

    pub(super) fn choice<C: Choice>(&mut self, section: &mut Section<'a>, key: &str) -> Option<C> {
        let place = section.place_of(key);
        let found = self.text(section, key)?;
        if let Some(&(_, choice)) = C::WORDS.iter().find(|(word, _)| *word == found) {
            return Some(choice);
        }
        let words: Vec<&'static str> = C::WORDS.iter().map(|(word, _)| *word).collect();
        let issue = SettingIssue::UnknownWord {
            key: section.dotted(key),
            found: found.into(),
            nearest: nearest(found, words.iter().copied()),
            words,
        };
        self.report(&place, issue);
        None
    }
}
