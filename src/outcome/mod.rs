//! What a run leaves, of either family: its solution, its fields, its history and its summary, in
//! memory, written into a folder and read back from it.

mod evolution;
mod folder;
mod memory;
mod pictures;
mod training;

use crate::optimize::TrainingHistory;
use crate::output::{Axis, DensityRecord, History, OutputError, ResultFolder, SpaceTimeField};
use crate::problem::ProblemFile;
use crate::session::{Session, TrainingSession};
use crate::solution::{Solution, SolutionError};

pub use evolution::{DensityErrors, DensityResult, RunResult, Seconds, columns};
pub use pictures::{PLOTS, pictures};
pub use training::TrainingResult;

/// What a run has left.
#[derive(Clone, Debug)]
pub struct Outcome {
    problem: ProblemFile,
    /// None of an evolution that ended before its first step.
    solution: Option<Solution>,
    field: SpaceTimeField,
    course: Course,
    densities: Vec<DensityRecord>,
    summary: Summary,
}

/// How the run went, step by step.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    Steps(History),
    Iterations(TrainingHistory),
}

/// The run in a few numbers: what `result.json` holds.
#[derive(Clone, Debug)]
pub enum Summary {
    Evolution(RunResult),
    Training(TrainingResult),
}

impl Outcome {
    /// Of an evolution so far.
    #[must_use]
    pub fn of_session(session: &Session, summary: RunResult) -> Self {
        Self {
            problem: ProblemFile::Evolution(session.problem().clone()),
            solution: Solution::of_session(session).ok(),
            field: field(session),
            course: Course::Steps(session.history().clone()),
            densities: session.densities().to_vec(),
            summary: Summary::Evolution(summary),
        }
    }

    /// Of a training so far.
    #[must_use]
    pub fn of_training(session: &TrainingSession, summary: TrainingResult) -> Self {
        Self {
            problem: ProblemFile::Residual(session.problem().clone()),
            solution: Some(Solution::of_training(session)),
            field: session.field().unwrap_or_default(),
            course: Course::Iterations(session.history().clone()),
            densities: Vec::new(),
            summary: Summary::Training(summary),
        }
    }

    #[must_use]
    pub fn problem(&self) -> &ProblemFile {
        &self.problem
    }

    /// What can be asked anywhere.
    ///
    /// # Errors
    /// [`SolutionError::NoParameters`] where the run ended before its first step.
    pub fn solution(&self) -> Result<&Solution, SolutionError> {
        self.solution.as_ref().ok_or(SolutionError::NoParameters)
    }

    /// The solution on a grid at several times, with the reference where there is one; empty where
    /// the problem is looked at on points that form no grid.
    #[must_use]
    pub fn field(&self) -> &SpaceTimeField {
        &self.field
    }

    #[must_use]
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Moments along the run of a density that points are drawn from.
    #[must_use]
    pub fn densities(&self) -> &[DensityRecord] {
        &self.densities
    }

    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

impl Summary {
    /// As in `result.json`.
    ///
    /// # Errors
    /// Where a number has no JSON form.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Evolution(result) => serde_json::to_string_pretty(result),
            Self::Training(result) => serde_json::to_string_pretty(result),
        }
    }

    /// Relative L2 error: of an evolution over space and time, of a training at its evaluation
    /// points; none where there is nothing to measure against.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        match self {
            Self::Evolution(result) => result.relative_l2,
            Self::Training(result) => result.relative_l2,
        }
    }

    /// What made the run less accurate than it could be, and what helps.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        match self {
            Self::Evolution(result) => result.warning.as_deref(),
            Self::Training(result) => result.warning.as_deref(),
        }
    }
}

/// The frames with their axes.
fn field(session: &Session) -> SpaceTimeField {
    let frames = session.frames();
    let names = session.problem().coordinates.iter().map(|c| c.name.clone());
    let axes = names
        .zip(session.grid().axes())
        .map(|(name, values)| Axis { name, values: values.clone() })
        .collect();
    SpaceTimeField {
        unknowns: session.problem().unknowns.clone(),
        times: frames.times().to_vec(),
        axes,
        values: frames.values().to_vec(),
        reference: frames.has_reference().then(|| frames.reference().to_vec()),
    }
}

impl Outcome {
    /// Writes every file of the run. One that cannot be written does not keep the others from it;
    /// the first error is given back. See [`ResultFolder`] for the files.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write(&self, folder: &ResultFolder) -> Result<(), OutputError> {
        folder::write(self, folder)
    }

    /// Draws the pictures of the run into [`PLOTS`] in the folder.
    ///
    /// # Errors
    /// [`OutputError::Write`], and where a picture cannot be drawn.
    pub fn draw(&self, folder: &ResultFolder) -> Result<(), OutputError> {
        let into = folder.file(PLOTS);
        pictures::save(&into, &self.problem, &self.field, &self.course, &self.densities).map(drop)
    }
}
