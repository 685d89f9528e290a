//! What a run leaves, of either family: its solution, its fields, its history and its summary, in
//! memory, written into a folder and read back from it.

mod evolution;
mod folder;
mod memory;
#[cfg(feature = "plots")]
mod pictures;
mod training;

use std::collections::BTreeMap;

use crate::optimize::TrainingHistory;
use crate::output::npz::Array;
use crate::output::{
    Axis, DensityRecord, History, OutputError, ResultFolder, SpaceTimeField, training_columns,
};
use crate::problem::ProblemFile;
use crate::session::{self, Recording, Session};
use crate::solution::{Solution, SolutionError};

pub use evolution::{DensityErrors, DensityResult, RunResult, Seconds};
#[cfg(feature = "plots")]
pub use pictures::{PLOTS, pictures};
pub use training::{CorrectionResult, FoundConstant, NoiseResult, TrainingResult};

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
    Evolution(Box<RunResult>),
    Training(Box<TrainingResult>),
}

impl Outcome {
    /// Of a run so far; `reference_error` is what the reference of an evolution says of itself.
    ///
    /// # Errors
    /// [`SolutionError::NoParameters`] where an internal error left nothing of the run.
    pub fn of(session: &Session, reference_error: Option<f64>) -> Result<Self, SolutionError> {
        match session.course().ok_or(SolutionError::NoParameters)? {
            session::Course::Evolution(record) => Ok(Self {
                problem: ProblemFile::Evolution(record.problem().clone()),
                solution: Solution::of_session(session).ok(),
                field: field(record),
                course: Course::Steps(record.history().clone()),
                densities: record.densities().to_vec(),
                summary: Summary::Evolution(Box::new(RunResult::of(
                    session,
                    record,
                    reference_error,
                ))),
            }),
            session::Course::Training(training) => Ok(Self {
                problem: ProblemFile::Residual(training.problem().clone()),
                solution: Some(Solution::of_training(training)),
                field: training.field().unwrap_or_default(),
                course: Course::Iterations(training.history().clone()),
                densities: Vec::new(),
                summary: Summary::Training(Box::new(TrainingResult::of(training))),
            }),
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

    /// The run step by step, as columns with the names of `history.npz`.
    #[must_use]
    pub fn columns(&self) -> Vec<Array> {
        match &self.course {
            Course::Steps(history) => history.columns(),
            Course::Iterations(history) => training_columns(history),
        }
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
    /// Whether the run reached its end.
    #[must_use]
    pub fn completed(&self) -> bool {
        match self {
            Self::Evolution(result) => result.completed,
            Self::Training(result) => result.completed,
        }
    }

    /// As in `result.json`.
    ///
    /// # Errors
    /// Where a number has no JSON form.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Evolution(result) => serde_json::to_string_pretty(&**result),
            Self::Training(result) => serde_json::to_string_pretty(&**result),
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

    /// The same by the run's own estimate, with or without something to measure against.
    #[must_use]
    pub fn estimated_error(&self) -> Option<f64> {
        match self {
            Self::Evolution(result) => result.estimated_error,
            Self::Training(result) => result.estimated_error,
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

/// The errors of several unknowns by name; of one there is nothing beside its own.
fn of_each(unknowns: &[String], errors: Option<Vec<f64>>) -> BTreeMap<String, f64> {
    let errors = errors.filter(|_| unknowns.len() > 1).unwrap_or_default();
    unknowns.iter().cloned().zip(errors).collect()
}

/// The frames with their axes.
fn field(record: &Recording) -> SpaceTimeField {
    let frames = record.frames();
    let names = record.problem().coordinates.iter().map(|c| c.name.clone());
    let axes = names
        .zip(record.grid().axes())
        .map(|(name, values)| Axis { name, values: values.clone() })
        .collect();
    SpaceTimeField {
        unknowns: record.problem().unknowns.clone(),
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

    /// Draws the pictures of the run (the feature `plots`) into [`PLOTS`] in the folder.
    ///
    /// # Errors
    /// [`OutputError::Write`], and where a picture cannot be drawn.
    #[cfg(feature = "plots")]
    pub fn draw(&self, folder: &ResultFolder) -> Result<(), OutputError> {
        let into = folder.file(PLOTS);
        pictures::save(&into, &self.problem, &self.field, &self.course, &self.densities).map(drop)
    }
}
