//! A TOML document as a tree in which everything knows where it was written, with overrides
//! applied.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Issue, Origin, Overrides, ProblemError, SettingIssue};

/// The largest problem file, in bytes: settings, and the numbers of tables and measurements.
pub(super) const MAX_FILE: usize = 1 << 23;

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Start and end byte of the file.
    File(usize, usize),
    /// Number of the override; start and end byte of its `key=value`.
    Override(usize, usize, usize),
}

impl Place {
    fn range(&self) -> Range<usize> {
        match *self {
            Self::File(start, end) | Self::Override(_, start, end) => start..end,
        }
    }

    fn with_range(&self, range: Range<usize>) -> Self {
        match self {
            Self::File(..) => Self::File(range.start, range.end),
            Self::Override(index, ..) => Self::Override(*index, range.start, range.end),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// An integer beyond 64 bits, or a date: no setting is one.
    Other(String),
    Array(Vec<Node>),
    Table(Table),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Other(_) => "a date or a huge integer",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Entries in the order of the file; overrides that add one put it last.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.entries.retain(|entry| entry.key != key);
    }
}

/// The texts that places refer to.
pub(super) struct Sources<'a> {
    pub file: &'a str,
    /// `key=value` of each override.
    pub overrides: Vec<String>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(file: &'a str, overrides: &Overrides) -> Self {
        let overrides = overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Self { file, overrides }
    }

    fn text(&self, place: &Place) -> &str {
        match place {
            Place::File(..) => self.file,
            Place::Override(index, ..) => &self.overrides[*index],
        }
    }

    pub(super) fn error(&self, place: &Place, issue: Issue) -> ProblemError {
        let origin = match place {
            Place::File(..) => Origin::File,
            Place::Override(index, ..) => {
                Origin::Override { index: *index, text: self.overrides[*index].clone() }
            }
        };
        ProblemError::new(origin, self.text(place), place.range(), issue)
    }

    /// The place of bytes `inner` of the text value that was written at `place`.
    pub(super) fn inside(&self, place: &Place, inner: &Range<usize>) -> Place {
        let range = place.range();
        let Some(raw) = self.text(place).get(range.clone()) else {
            return place.clone();
        };
        let start = range.start + super::escapes::raw_offset(raw, inner.start);
        let end = range.start + super::escapes::raw_offset(raw, inner.end);
        place.with_range(start..end.max(start))
    }
}

/// Reads TOML. Broken syntax is reported alone: what it hides would only add false alarms.
pub(super) fn parse(file: &str) -> Result<Table, Vec<(Place, Issue)>> {
    if file.len() > MAX_FILE {
        let issue = SettingIssue::FileTooLarge { bytes: file.len(), limit: MAX_FILE };
        return Err(vec![(Place::File(0, 0), issue.into())]);
    }
    let (document, errors) = DeTable::parse_recoverable(file);
    if errors.is_empty() {
        return Ok(table(document.get_ref(), &|span| Place::File(span.start, span.end)));
    }
    let report = |error: &toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().to_owned();
        (Place::File(span.start, span.end), SettingIssue::Syntax { message }.into())
    };
    Err(errors.iter().map(report).collect())
}

fn table(source: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
        key: AsRef::<str>::as_ref(key.get_ref()).to_owned(),
        key_place: place(key.span()),
        node: node(value, place),
    };
    let mut entries: Vec<Entry> = source.iter().map(|(k, v)| entry((k, v))).collect();
    entries.sort_by(|a, b| a.key_place.cmp(&b.key_place));
    Table { entries }
}

fn node(source: &Spanned<DeValue<'_>>, place: &dyn Fn(Range<usize>) -> Place) -> Node {
    let value = match source.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Value::Integer(value),
            Err(_) => Value::Other(number.to_string()),
        },
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| Value::Other(number.to_string()), Value::Float)
        }
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(date) => Value::Other(date.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| node(item, place)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, place)),
    };
    Node { place: place(source.span()), value }
}

/// Applies overrides in order. A value is read as TOML, or as bare text where that fails.
pub(super) fn apply(root: &mut Table, overrides: &Overrides, issues: &mut Vec<(Place, Issue)>) {
    for (index, (key, value)) in overrides.iter().enumerate() {
        let shift = key.len() + 1;
        let whole = Place::Override(index, shift, shift + value.len());
        let node = match DeValue::parse(value) {
            Ok(parsed) => {
                node(&parsed, &|span| Place::Override(index, shift + span.start, shift + span.end))
            }
            Err(_) => Node { place: whole, value: Value::Text(value.clone()) },
        };
        let key_place = Place::Override(index, 0, key.len());
        if let Err(issue) = set(root, key, &key_place, node) {
            issues.push((key_place, issue.into()));
        }
    }
}

/// Sets a dotted key; tables on the way are made where they are missing.
pub(super) fn set(
    root: &mut Table,
    dotted: &str,
    key_place: &Place,
    node: Node,
) -> Result<(), SettingIssue> {
    let path: Vec<&str> = dotted.split('.').map(str::trim).collect();
    if path.iter().any(|part| part.is_empty()) || path.len() > MAX_PATH {
        return Err(SettingIssue::MalformedOverride);
    }
    let is_parameter = path.len() == 2 && path[0] == "parameters";
    let mut table = root;
    for (level, part) in path.iter().enumerate() {
        let position = match table.entries.iter().position(|entry| entry.key == *part) {
            Some(position) => position,
            None => {
                let empty =
                    Node { place: node.place.clone(), value: Value::Table(Table::default()) };
                let key = (*part).to_owned();
                table.entries.push(Entry { key, key_place: key_place.clone(), node: empty });
                table.entries.len() - 1
            }
        };
        let entry = &mut table.entries[position];
        if level + 1 == path.len() {
            // `parameters.eps=1e-2` changes the value and keeps range and description.
            if is_parameter
                && !matches!(node.value, Value::Table(_))
                && let Value::Table(inner) = &mut entry.node.value
                && inner.get("value").is_some()
            {
                return set(inner, "value", key_place, node);
            }
            entry.key_place = key_place.clone();
            entry.node = node;
            return Ok(());
        }
        match &mut entry.node.value {
            Value::Table(inner) => table = inner,
            _ => {
                let (key, inside) = ((*part).to_owned(), path[level + 1..].join("."));
                return Err(SettingIssue::NotATable { key, inside });
            }
        }
    }
    Ok(())
}

/// More parts than any setting's key has.
const MAX_PATH: usize = 8;
