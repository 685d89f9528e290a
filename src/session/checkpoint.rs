//! A run as a file, which every program of this house writes and reads.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SavedState;
use crate::field::device::Description;
use crate::output::OutputError;
use crate::output::checkpoint::{self, CheckpointError};

/// The exact state of a run and everything on which its next step depends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Who wrote it.
    pub maker: Maker,
    /// The problem file with every change applied.
    pub problem: String,
    /// Whether the problem's reference is a reference of this run: nothing was changed on the way.
    pub comparable: bool,
    /// How the run came here, in the words of the app's links; empty where nobody interfered.
    pub story: String,
    /// How many of the story's deeds the state contains.
    pub told: usize,
    pub state: SavedState,
}

/// What the bits of a run depend on beside its problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The program's version.
    pub program: String,
    /// [`Description::identity`].
    pub device: String,
}

impl Maker {
    /// This program on a device.
    #[must_use]
    pub fn of(device: &Description) -> Self {
        Self { program: env!("CARGO_PKG_VERSION").to_owned(), device: device.identity() }
    }

    fn accept(&self, other: &Self) -> Result<(), CheckpointError> {
        if self == other {
            return Ok(());
        }
        let (own, Self { program, device }) = (self.clone(), other.clone());
        let (own_program, own_device) = (own.program, own.device);
        Err(CheckpointError::OtherMaker { program, device, own_program, own_device })
    }
}

impl Checkpoint {
    /// Of a run that nobody interfered with.
    #[must_use]
    pub fn new(maker: Maker, problem: &str, state: SavedState) -> Self {
        let (problem, story) = (problem.to_owned(), String::new());
        Self { maker, problem, comparable: true, story, told: 0, state }
    }

    /// Whether the bytes begin as a checkpoint does, of whatever version.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        checkpoint::is_one(bytes)
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        checkpoint::encode(self)
    }

    /// The inverse of [`Checkpoint::to_bytes`].
    ///
    /// # Errors
    /// When the bytes are no complete checkpoint of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        checkpoint::decode(bytes)
    }

    /// Becomes a result folder's newest checkpoint; the one before it is kept until the next.
    ///
    /// # Errors
    /// As [`checkpoint::save`].
    pub fn save(&self, folder: &Path) -> Result<(), OutputError> {
        checkpoint::save(folder, &self.to_bytes())
    }

    /// The newest checkpoint of a result folder that belongs to this problem and maker, and why a
    /// newer one could not be used.
    ///
    /// # Errors
    /// As [`checkpoint::resume`].
    pub fn resume(
        folder: &Path,
        maker: &Maker,
        problem: &str,
    ) -> Result<(Self, Option<OutputError>), OutputError> {
        checkpoint::resume(folder, &|found: &Self| found.accept(maker, problem))
    }

    /// Whether the run goes on to the same bits as this problem by this maker.
    ///
    /// # Errors
    /// [`CheckpointError::OtherProblem`] and [`CheckpointError::OtherMaker`].
    pub fn accept(&self, maker: &Maker, problem: &str) -> Result<(), CheckpointError> {
        if self.problem != problem {
            return Err(CheckpointError::OtherProblem);
        }
        maker.accept(&self.maker)
    }
}

impl SavedState {
    /// Time steps or iterations that were done.
    #[must_use]
    pub fn step(&self) -> usize {
        match self {
            Self::Fit { .. } => 0,
            Self::Steps(steps) => steps.evolution.step,
            Self::Training(state) => crate::optimize::TrainingHistory::length(state),
        }
    }

    /// Where the run stands, in words that follow "goes on".
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Fit { .. } => "in the initial fit".to_owned(),
            Self::Steps(steps) => {
                format!("at step {}, t = {:.4}", steps.evolution.step, steps.evolution.time)
            }
            Self::Training(_) => format!("at iteration {}", self.step()),
        }
    }
}
