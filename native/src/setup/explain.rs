//! Mistakes, put at the fields that a person filled in.

use sketchpde::problem::equation::EquationIssue;
use sketchpde::problem::{Issue, Origin, ProblemError, ProblemErrors};

use super::Setup;

/// A mistake in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The setting, such as `equation.text`; empty where it stands in the file itself.
    pub key: String,
    /// Where it begins inside the field's text and how long it is, in characters; `None` where
    /// it is about the field as a whole.
    pub place: Option<(usize, usize)>,
    pub message: String,
    pub remedy: String,
    /// A name that would be right if it were a parameter.
    pub new_parameter: Option<String>,
}

/// What is wrong with a setup, in the order in which it was found.
#[must_use]
pub fn explain(setup: &Setup, errors: &ProblemErrors) -> Vec<FieldError> {
    errors.errors.iter().map(|error| explain_one(setup, error)).collect()
}

/// Every mistake in one line of words, for a notice.
#[must_use]
pub fn in_words(errors: &ProblemErrors) -> String {
    let one = |error: &ProblemError| {
        let line = match error.origin {
            Origin::File => format!("line {}: ", error.line),
            Origin::Name | Origin::Override { .. } => String::new(),
        };
        format!("{line}{} ({})", error.message(), error.remedy())
    };
    errors.errors.iter().map(one).collect::<Vec<String>>().join("; ")
}

fn explain_one(setup: &Setup, error: &ProblemError) -> FieldError {
    let change = match &error.origin {
        Origin::Override { index, .. } => {
            index.checked_sub(setup.before()).and_then(|index| setup.changes().get(index))
        }
        Origin::File | Origin::Name => None,
    };
    let key = change.map(|(key, _)| key.clone()).unwrap_or_default();
    // Places count from 1 in `key=value`.
    let place = change
        .and_then(|(key, _)| error.column.checked_sub(key.chars().count() + 2))
        .map(|start| (start, error.text.chars().count()));
    let line = match (&error.origin, change) {
        (Origin::File, _) => format!("line {}: ", error.line),
        _ => String::new(),
    };
    FieldError {
        key,
        place,
        message: format!("{line}{}", error.message()),
        remedy: error.remedy(),
        new_parameter: match &error.issue {
            Issue::Equation(EquationIssue::UnknownSymbol {
                name,
                could_be_parameter: true,
                ..
            }) => Some(name.clone()),
            _ => None,
        },
    }
}
