//! `sketchpde plot`: the figures of a run, again.

use std::path::PathBuf;

use clap::Args;
use sketchpde::output::plots::{self, Names};
use sketchpde::output::{History, OutputError, ResultFolder, SpaceTimeField};
use sketchpde::problem::{Overrides, Problem};

use super::failure::Failure;
use super::output::print;

/// Draw the figures of a run again, as PNG and SVG, from the files in its folder.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Folder for the figures [default: DIR/plots].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = ResultFolder::open(&arguments.folder);
    let problem = folder.file("problem.toml");
    let problem = Problem::from_toml(&folder.read_problem()?, &Overrides::new())
        .map_err(|errors| Failure::Problem { file: problem.display().to_string(), errors })?;
    let (field, history) = (folder.read_fields()?, folder.read_history()?);
    let into = arguments.out.clone().unwrap_or_else(|| folder.file(FOLDER));
    let mut lines = String::new();
    for file in draw(&into, &problem, &field, &history)? {
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
) -> Result<Vec<PathBuf>, OutputError> {
    let names = Names { title: &problem.title, unknown: &problem.unknown };
    plots::save_all(into, field, history, &names)
}
