//! What can be wrong with tables, and with files of numbers.

use thiserror::Error;

use super::{MAX_AXES, MAX_VALUES};

/// A mistake in a table or in a file of numbers; [`TableIssue::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TableIssue {
    #[error("{file} cannot be read here, where only the problem's text is known")]
    NoFiles { file: String },
    #[error("{file} cannot be read: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file} has {bytes} bytes, more than {limit}")]
    TooLong { file: String, bytes: usize, limit: usize },
    #[error("{file}: {reason}")]
    Content { file: String, reason: String, remedy: String },
    #[error("the table {table} has neither values nor a file")]
    Nothing { table: String },
    #[error("the table {table} has both values and a file")]
    Both { table: String },
    #[error("the table {table} has {found} axes; a table has 1 to {MAX_AXES}")]
    AxisCount { table: String, found: usize },
    #[error("the values of the table {table} are lists of depth {depth} for {axes} axes")]
    Depth { table: String, axes: usize, depth: usize },
    #[error("the nodes of {axis} of the table {table} are no increasing numbers, two at least")]
    Nodes { table: String, axis: String },
    #[error(
        "{axis} of the table {table} has {nodes} nodes, but there are {values} values along it"
    )]
    AxisLength { table: String, axis: String, nodes: usize, values: usize },
    #[error("the table {table} has {found} values where its axes have {expected} nodes")]
    Size { table: String, found: usize, expected: usize },
    #[error("the values of the table {table} are no full grid: a list of {found} beside {before}")]
    Ragged { table: String, found: usize, before: usize },
    #[error("{what} has {found} numbers, more than {MAX_VALUES}")]
    TooMany { what: String, found: usize },
    #[error("a value of the table {table} is {found}")]
    NoNumber { table: String, found: String },
    #[error(
        "the table {table} covers {axis} from {} to {}, but {coordinate} goes from {} to {}",
        covers[0], covers[1], needed[0], needed[1]
    )]
    Uncovered {
        table: String,
        axis: String,
        coordinate: String,
        covers: [f64; 2],
        needed: [f64; 2],
    },
}

impl TableIssue {
    /// What the writer of the file can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoFiles { .. } => {
                "write the numbers themselves: axes = { x = [0, 1], y = [0, 2] } and values = [[1, 2], \
                 [3, 4]] of a table, data = [[0.5, 1.0, 0.7]] of measurements"
                    .into()
            }
            Self::Unreadable { .. } => "the path is that from the problem file's folder".into(),
            Self::TooLong { .. } | Self::TooMany { .. } => {
                "take every second value, or a part of the table".into()
            }
            Self::Content { remedy, .. } => remedy.clone(),
            Self::Nothing { .. } => {
                "write file = \"k.csv\", or axes = { x = [0, 1] } and values = [1, 2, 3]".into()
            }
            Self::Both { .. } => "leave one of them out".into(),
            Self::AxisCount { .. } => {
                "write axes = { x = [0, 1], y = [0, 2] }: a range, or every node, for each".into()
            }
            Self::Nodes { .. } => {
                "write the two ends of even steps, x = [0, 1], or every node in order".into()
            }
            Self::AxisLength { .. } | Self::Size { .. } | Self::Depth { .. } => {
                "the first axis counts the lists of values, the last one the numbers in each; two \
                 numbers of an axis are the ends of even steps"
                    .into()
            }
            Self::Ragged { .. } => {
                "write a list for each node of the first axis, all of one length".into()
            }
            Self::NoNumber { .. } => {
                "fill gaps with a value, or leave that line of the grid out".into()
            }
            Self::Uncovered { .. } => {
                "extend the table, or make the domain smaller; beyond its ends a table stays what it \
                 is there, which takes an argument such as max(x, 0)"
                    .into()
            }
        }
    }
}
