//! The files of a training under way: its folder and its checkpoints.

use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Verbosity};
use crate::field::device::Description;
use crate::optimize::OptimizeError;
use crate::output::{CheckpointError, OutputError, ResultFolder, checkpoint};
use crate::problem::ResidualProblem;
use crate::session::{
    Checkpoint, Maker, SavedState, TrainingSession, TrainingSystem, wall_clock,
};

/// Where a training keeps its files.
pub struct Store {
    pub folder: ResultFolder,
    problem: String,
    maker: Maker,
}

impl Store {
    pub fn new(folder: ResultFolder, problem: &ResidualProblem, device: &Description) -> Self {
        Self { folder, problem: problem.source.clone(), maker: Maker::of(device) }
    }

    /// A state to go on from.
    pub fn checkpoint(&self, session: &TrainingSession) -> Result<(), Failure> {
        let state = SavedState::Training(session.save());
        let checkpoint = Checkpoint::new(self.maker.clone(), &self.problem, state);
        Ok(checkpoint.save(self.folder.path())?)
    }

    /// The session as its newest usable checkpoint has it.
    pub fn resume(
        &self,
        system: TrainingSystem,
        problem: &ResidualProblem,
        progress: &Progress,
    ) -> Result<TrainingSession, Failure> {
        let (checkpoint, warning) =
            Checkpoint::resume(self.folder.path(), &self.maker, &self.problem)?;
        if let Some(error) = warning {
            let text = format!("warning: {error}; the one before it is used");
            progress.say(Verbosity::Normal, &text);
        }
        progress.say(Verbosity::Normal, &format!("Going on {}", checkpoint.place()));
        let damaged = |reason: String| {
            let (path, source) =
                (checkpoint::path(self.folder.path()), CheckpointError::Inconsistent { reason });
            Failure::from(OutputError::Checkpoint { path, source })
        };
        let SavedState::Training(state) = &checkpoint.state else {
            return Err(damaged("it is that of an evolution".to_owned()));
        };
        match pollster::block_on(TrainingSession::restore_on(system, problem, state, wall_clock)) {
            Err(error @ OptimizeError::State { .. }) => Err(damaged(error.to_string())),
            restored => Ok(restored?),
        }
    }
}
