//! The files of a training under way: its folder and its checkpoints.

use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Verbosity};
use crate::field::device::Description;
use crate::optimize::OptimizeError;
use crate::output::checkpoint::{self, digest};
use crate::output::{Checkpoint, History, OutputError, ResultFolder};
use crate::problem::ResidualProblem;
use crate::session::{TrainingSession, TrainingSystem, wall_clock};

/// Where a training keeps its files.
pub struct Store {
    pub folder: ResultFolder,
    seed: u64,
    /// Everything on which the bits of the run depend.
    configuration: [u8; 32],
}

impl Store {
    pub fn new(folder: ResultFolder, problem: &ResidualProblem, device: &Description) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("{version}\n{}\n{}", device.identity(), problem.source);
        Self { folder, seed: problem.seed, configuration: digest(text.as_bytes()) }
    }

    /// A state to go on from.
    pub fn checkpoint(&self, session: &TrainingSession) -> Result<(), Failure> {
        let checkpoint = Checkpoint {
            configuration: self.configuration,
            seed: self.seed,
            step: session.history().records.len() as u64,
            time: 0.0,
            parameters: session.parameters().to_vec(),
            state: session.save(),
            history: History::default(),
        };
        Ok(checkpoint.save(self.folder.path())?)
    }

    /// The session as its newest usable checkpoint has it.
    pub fn resume(
        &self,
        system: TrainingSystem,
        problem: &ResidualProblem,
        progress: &Progress,
    ) -> Result<TrainingSession, Failure> {
        let (checkpoint, warning) = match Checkpoint::resume(self.folder.path(), self.configuration)
        {
            Ok(found) => found,
            // The problem is the same, that was seen to already.
            Err(OutputError::CheckpointOfAnotherRun { path }) => {
                return Err(Failure::OtherDevice { path });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(error) = warning {
            let text = format!("warning: {error}; the one before it is used");
            progress.say(Verbosity::Normal, &text);
        }
        progress.say(Verbosity::Normal, &format!("Going on at iteration {}", checkpoint.step));
        match pollster::block_on(TrainingSession::restore_on(
            system,
            problem,
            &checkpoint.state,
            wall_clock,
        )) {
            Err(OptimizeError::State { .. }) => {
                let path = checkpoint::path(self.folder.path());
                Err(OutputError::CheckpointDamaged { path }.into())
            }
            restored => Ok(restored?),
        }
    }
}
