//! What can be asked of a session.

use serde::{Deserialize, Serialize};

use crate::problem::Overrides;

/// A request, obeyed between two steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Command {
    /// Go on by itself until the end time.
    Play,
    /// Stop after the step in progress.
    Pause,
    /// Take this many steps, then pause.
    Step(usize),
    /// Back to the start time and the fitted parameters, with the settings as they are now.
    Reset,
    /// Change settings by their keys in problem files, all of them at once: the method's, and the
    /// values of the equation's parameters. The problem file with them is read as any other is; the
    /// run goes on from its present state.
    Set(Overrides),
    /// Add `height exp(-|x - place|^2 / radius^2)` to the solution and go on from there; distances
    /// along periodic coordinates are the shorter way round.
    Disturb { place: Vec<f64>, height: f64, radius: f64 },
    /// Make the solution these values, at the points of the [evaluation grid](super::EvaluationGrid),
    /// as nearly as the network can, and go on from there. At the start time this is the initial
    /// state from then on, to which [`Command::Reset`] leads back.
    Redraw { values: Vec<f64> },
}

impl Command {
    /// One setting, by its key.
    #[must_use]
    pub fn set(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Set(vec![(key.into(), value.into())])
    }

    /// Whether it gives parameters of the equation other values.
    #[must_use]
    pub fn changes_the_equation(&self) -> bool {
        let Self::Set(changes) = self else { return false };
        changes.iter().any(|(key, _)| key.starts_with("parameters."))
    }
}
