//! An outcome on disk: written into a run's folder and read back.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::{Course, Outcome, Summary};
use crate::network::Network;
use crate::output::{OutputError, ResultFolder, description};
use crate::problem::ProblemFile;
use crate::solution::{Solution, SolutionError};

pub fn write(outcome: &Outcome, folder: &ResultFolder) -> Result<(), OutputError> {
    let mut outcomes = Vec::new();
    if let Some(solution) = &outcome.solution {
        outcomes.push(write_network(&outcome.problem, solution, &outcome.summary, folder));
    }
    outcomes.push(match &outcome.course {
        Course::Steps(history) => folder.write_history(history),
        Course::Iterations(history) => folder.write_training(history),
    });
    outcomes.push(folder.write_fields(&outcome.field));
    if let (Some(solution), false) = (&outcome.solution, outcome.densities.is_empty()) {
        outcomes.push(folder.write_moments(&solution.coordinates(), &outcome.densities));
    }
    // The last one: it says that the others are there.
    if outcomes.iter().all(Result::is_ok) {
        outcomes.push(match &outcome.summary {
            Summary::Evolution(result) => folder.write_result(&**result),
            Summary::Training(result) => folder.write_result(&**result),
        });
    }
    outcomes.into_iter().collect()
}

/// The parameters with all that builds the network again, and of an evolution those on its way.
fn write_network(
    problem: &ProblemFile,
    solution: &Solution,
    summary: &Summary,
    folder: &ResultFolder,
) -> Result<(), OutputError> {
    let (network, mut head) = match problem {
        ProblemFile::Evolution(problem) => {
            (Network::of(problem), description::of_evolution(problem))
        }
        ProblemFile::Residual(problem) => (
            Network::of_residual(problem),
            description::of_training(problem, solution.parameters()),
        ),
    };
    head.extend(state(summary));
    folder.write_parameters(&network, solution.parameters(), &head)?;
    let (times, values) = solution.trajectory();
    if times.is_empty() { Ok(()) } else { folder.write_trajectory(times, values) }
}

/// Where the run stood when it left the parameters.
fn state(summary: &Summary) -> BTreeMap<String, String> {
    let (key, value, precision) = match summary {
        Summary::Evolution(result) => ("time", result.time.to_string(), &result.precision),
        Summary::Training(result) => {
            ("iterations", result.iterations.to_string(), &result.precision)
        }
    };
    BTreeMap::from([(key.into(), value), ("precision".into(), precision.clone())])
}

impl Outcome {
    /// What the run in this folder left.
    ///
    /// # Errors
    /// As [`Solution::open`]; also where another file of the run is missing or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SolutionError> {
        let solution = Solution::open(path.as_ref())?;
        let folder = ResultFolder::open(path.as_ref());
        let problem = solution.problem();
        let (course, summary, densities) = match &problem {
            ProblemFile::Evolution(problem) => (
                Course::Steps(folder.read_history()?),
                Summary::Evolution(Box::new(result(&folder)?)),
                folder.read_moments(&problem.names().coordinates)?,
            ),
            ProblemFile::Residual(_) => (
                Course::Iterations(folder.read_training()?),
                Summary::Training(Box::new(result(&folder)?)),
                Vec::new(),
            ),
        };
        Ok(Self {
            problem,
            solution: Some(solution),
            field: folder.read_fields()?,
            course,
            densities,
            summary,
        })
    }

    /// Writes the run into a folder as the command line does: the problem and every result. Pictures
    /// can then be drawn into the folder that it gives.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<ResultFolder, OutputError> {
        let folder = ResultFolder::create(path.as_ref())?;
        folder.write_problem(match &self.problem {
            ProblemFile::Evolution(problem) => &problem.source,
            ProblemFile::Residual(problem) => &problem.source,
        })?;
        self.write(&folder)?;
        Ok(folder)
    }
}

fn result<R: DeserializeOwned>(folder: &ResultFolder) -> Result<R, OutputError> {
    let value = folder.read_result()?;
    serde_json::from_value(value)
        .map_err(|source| OutputError::Json { path: folder.file("result.json"), source })
}
