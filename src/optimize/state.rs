//! The state of a training as named lists of numbers.

use std::collections::BTreeMap;

use super::error::OptimizeError;

/// Named lists of numbers from which a training goes on to the same bits.
pub type TrainingState = BTreeMap<String, Vec<f64>>;

/// The list of a name, of the length that is asked for.
///
/// # Errors
/// [`OptimizeError::State`].
pub fn list<'a>(
    state: &'a TrainingState,
    entry: &str,
    length: Option<usize>,
) -> Result<&'a [f64], OptimizeError> {
    match state.get(entry) {
        Some(list) if length.is_none_or(|length| length == list.len()) => Ok(list),
        _ => Err(OptimizeError::State { entry: entry.to_owned() }),
    }
}

/// A single number.
///
/// # Errors
/// [`OptimizeError::State`].
pub fn number(state: &TrainingState, entry: &str) -> Result<f64, OptimizeError> {
    Ok(list(state, entry, Some(1))?[0])
}

/// A count.
///
/// # Errors
/// [`OptimizeError::State`], also where it is no whole number of reasonable size.
pub fn count(state: &TrainingState, entry: &str) -> Result<usize, OptimizeError> {
    let value = number(state, entry)?;
    if value >= 0.0 && value.fract() == 0.0 && value < 1e15 {
        Ok(value as usize)
    } else {
        Err(OptimizeError::State { entry: entry.to_owned() })
    }
}
