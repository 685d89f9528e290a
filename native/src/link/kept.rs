//! Going on with a run that was kept, after the solver has stopped.

use serde::{Deserialize, Serialize};
use sketchpde::output::History;
use sketchpde::session::{Rows, SavedState};

use super::RunId;

/// What a run needs to take its next step as if nothing had happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub run: RunId,
    /// Of an evolution without what it has shown already.
    pub state: SavedState,
    /// How many of the run's deeds it contains.
    pub deeds: usize,
}

impl Mark {
    /// Steps or iterations until here.
    #[must_use]
    pub fn step(&self) -> usize {
        self.state.step()
    }

    /// The whole state, with what was shown of the run until here.
    #[must_use]
    pub fn whole(self, history: History, frames: Rows) -> SavedState {
        let mut state = self.state;
        if let SavedState::Steps(steps) = &mut state {
            steps.history = history;
            steps.frames = frames;
        }
        state
    }
}
