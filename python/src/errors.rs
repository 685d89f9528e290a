//! The solver's errors as Python's exceptions.

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sketchpde::problem::Origin;
use sketchpde::{OutputError, ProblemErrors, SolutionError};

pyo3::create_exception!(
    sketchpde,
    ProblemError,
    PyValueError,
    "A problem with mistakes. `errors` lists each as a dict: `message`, `remedy`, `line`, `column`, \
     `text`, and `setting` where it stands in a setting given beside the problem."
);
pyo3::create_exception!(
    sketchpde,
    SolveError,
    PyRuntimeError,
    "The solver could not go on: the solution stopped being finite, a step could not be made, no \
     device answers."
);

/// Every mistake, for people as the message, for programs as `errors`.
pub fn problem(py: Python<'_>, errors: &ProblemErrors) -> PyErr {
    let error = ProblemError::new_err(errors.to_string());
    let list = errors.errors.iter().map(|mistake| -> PyResult<_> {
        let entry = PyDict::new(py);
        entry.set_item("message", mistake.message())?;
        entry.set_item("remedy", mistake.remedy())?;
        entry.set_item("line", mistake.line)?;
        entry.set_item("column", mistake.column)?;
        entry.set_item("text", &mistake.text)?;
        let setting = match &mistake.origin {
            Origin::Override { text, .. } => Some(text),
            Origin::File | Origin::Name => None,
        };
        entry.set_item("setting", setting)?;
        Ok(entry)
    });
    match list.collect::<PyResult<Vec<_>>>() {
        Ok(list) => match error.value(py).setattr("errors", list) {
            Ok(()) => error,
            Err(other) => other,
        },
        Err(other) => other,
    }
}

pub fn solve(error: impl std::fmt::Display) -> PyErr {
    SolveError::new_err(error.to_string())
}

/// What was asked for wrongly is a ValueError, a file that cannot be read an OSError.
pub fn solution(py: Python<'_>, error: &SolutionError) -> PyErr {
    match error {
        SolutionError::Problem { errors, .. } => problem(py, errors),
        SolutionError::Files(_) | SolutionError::NoResult { .. } => {
            PyOSError::new_err(error.to_string())
        }
        _ => PyValueError::new_err(error.to_string()),
    }
}

pub fn output(error: &OutputError) -> PyErr {
    PyOSError::new_err(error.to_string())
}
