//! The pictures of a run.

use std::path::{Path, PathBuf};

use super::Course;
use crate::output::plots::{self, Names};
use crate::output::{DensityRecord, OutputError, ResultFolder, SpaceTimeField};
use crate::problem::ProblemFile;
use crate::session::EvaluationGrid;

/// Where pictures go inside a run's folder.
pub const PLOTS: &str = "plots";

/// Draws the pictures of the run that a folder holds, and says which files.
///
/// # Errors
/// Where the folder's files cannot be read, or the pictures not be written.
pub fn pictures(
    folder: &ResultFolder,
    problem: &ProblemFile,
    into: &Path,
) -> Result<Vec<PathBuf>, OutputError> {
    let field = folder.read_fields()?;
    let (course, densities) = match problem {
        ProblemFile::Evolution(problem) => (
            Course::Steps(folder.read_history()?),
            folder.read_moments(&problem.names().coordinates)?,
        ),
        ProblemFile::Residual(_) => (Course::Iterations(folder.read_training()?), Vec::new()),
    };
    save(into, problem, &field, &course, &densities)
}

pub(super) fn save(
    into: &Path,
    problem: &ProblemFile,
    field: &SpaceTimeField,
    course: &Course,
    densities: &[DensityRecord],
) -> Result<Vec<PathBuf>, OutputError> {
    let mut files = Vec::new();
    match (problem, course) {
        (ProblemFile::Evolution(problem), Course::Steps(history)) => {
            let unknown = EvaluationGrid::of(problem).unknown(problem);
            let names = Names { title: &problem.title, unknown };
            files.extend(plots::save_all(into, field, history, &names)?);
            let coordinates = problem.names().coordinates;
            files.extend(plots::density::save_all(into, densities, &coordinates, &names)?);
        }
        (ProblemFile::Residual(problem), Course::Iterations(history)) => {
            let names = Names { title: &problem.title, unknown: &problem.unknowns[0] };
            files.extend(plots::training::save_all(into, field, history, &names)?);
        }
        // A folder has the course of its own problem.
        _ => {}
    }
    Ok(files)
}
