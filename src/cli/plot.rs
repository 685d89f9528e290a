//! `sketchpde plot`: the figures of a run, again.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::kernels;
use super::output::print;
use crate::outcome::{PLOTS, pictures};
use crate::output::ResultFolder;
use crate::problem::{Overrides, ProblemFile};

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
    let into = arguments.out.clone().unwrap_or_else(|| folder.file(PLOTS));
    let mut lines = String::new();
    if arguments.kernels
        && let ProblemFile::Evolution(problem) = &problem
    {
        return Err(Failure::NoKernels { problem: problem.name.clone() });
    }
    let mut files = pictures(&folder, &problem, &into)?;
    if arguments.kernels
        && let ProblemFile::Residual(problem) = &problem
    {
        files.extend(kernels::draw(&folder, problem, &arguments.at, &into)?);
    }
    for file in files {
        lines += &format!("{}\n", file.display());
    }
    print(&lines)
}
