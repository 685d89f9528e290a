//! `sketchpde plot`: the figures of a run, again.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::kernels;
use super::output::print;
use crate::output::plots::{self, Names, training};
use crate::output::{DensityRecord, History, OutputError, ResultFolder, SpaceTimeField};
use crate::problem::{Overrides, Problem, ProblemFile};
use crate::session::EvaluationGrid;

/// Draw the figures of a run again, as PNG and SVG, from the files in its folder.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Folder for the figures [default: DIR/plots].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Draw the tangent kernels and the operator's Green's function as well (problems that are
    /// trained over the whole domain), and keep them as DIR/kernels.npz.
    #[arg(long)]
    kernels: bool,

    /// The point from which they are shown, in two dimensions and more [default: the middle].
    #[arg(
        long,
        value_name = "X,Y,...",
        requires = "kernels",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    at: Vec<f64>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = ResultFolder::open(&arguments.folder);
    let problem = folder.file("problem.toml");
    let text = folder.read_problem()?;
    let problem = ProblemFile::from_bytes(text.as_bytes(), None, &Overrides::new())
        .map_err(|errors| Failure::Problem { file: problem.display().to_string(), errors })?;
    let field = folder.read_fields()?;
    let into = arguments.out.clone().unwrap_or_else(|| folder.file(FOLDER));
    let mut lines = String::new();
    let files = match &problem {
        ProblemFile::Evolution(problem) if arguments.kernels => {
            return Err(Failure::NoKernels { problem: problem.name.clone() });
        }
        ProblemFile::Evolution(problem) => {
            let densities = folder.read_moments(&problem.names().coordinates)?;
            draw(&into, problem, &field, &folder.read_history()?, &densities)?
        }
        ProblemFile::Residual(problem) => {
            let names = Names { title: &problem.title, unknown: &problem.unknowns[0] };
            let mut files = training::save_all(&into, &field, &folder.read_training()?, &names)?;
            if arguments.kernels {
                files.extend(kernels::draw(&folder, problem, &arguments.at, &into)?);
            }
            files
        }
    };
    for file in files {
        lines += &format!("{}\n", file.display());
    }
    print(&lines)
}

/// Where figures go inside a run's folder.
pub const FOLDER: &str = "plots";

/// Draws every figure that there are data for, and says which files.
pub fn draw(
    into: &std::path::Path,
    problem: &Problem,
    field: &SpaceTimeField,
    history: &History,
    densities: &[DensityRecord],
) -> Result<Vec<PathBuf>, OutputError> {
    let unknown = EvaluationGrid::of(problem).unknown(problem);
    let names = Names { title: &problem.title, unknown };
    let mut files = plots::save_all(into, field, history, &names)?;
    let coordinates = problem.names().coordinates;
    files.extend(plots::density::save_all(into, densities, &coordinates, &names)?);
    Ok(files)
}
