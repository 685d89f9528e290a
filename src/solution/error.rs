//! What can be wrong with a question to a solution.

use std::path::PathBuf;

use crate::output::OutputError;
use crate::problem::ProblemErrors;

/// Why a solution gives no answer, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolutionError {
    #[error(
        "there is no result in {}: name the folder of a run that has ended (it holds problem.toml \
         and parameters.safetensors)", path.display()
    )]
    NoResult { path: PathBuf },
    #[error("{errors}\n\n{}: the problem file of this folder cannot be read by this version", path.display())]
    Problem { path: PathBuf, errors: ProblemErrors },
    #[error(
        "{} says `{found}`, this version reads `{supported}`: open it with the version that wrote \
         it", path.display()
    )]
    Version { path: PathBuf, found: String, supported: &'static str },
    #[error(transparent)]
    Files(#[from] OutputError),
    #[error("there are no parameters: the run failed before its initial fit was done")]
    NoParameters,
    #[error(
        "{found} coordinates are no whole number of points: give {dimensions} per point ({names})"
    )]
    Points { found: usize, dimensions: usize, names: String },
    #[error(
        "point {index}: {name} = {value} is outside the domain, {name} goes from {lower} to {upper}"
    )]
    Outside { index: usize, name: String, value: f64, lower: f64, upper: f64 },
    #[error("point {index}: {name} is {value}, no number that a solution has a value at")]
    NotFinite { index: usize, name: String, value: f64 },
    #[error("there is no solution at t = {time}: the run goes from {start} to {end}")]
    Time { time: f64, start: f64, end: f64 },
    #[error(
        "the parameters were kept at t = {only} alone, so there is no solution at t = {time}: solve \
         again with this version, which keeps them along the run"
    )]
    OnlyTime { time: f64, only: f64 },
    #[error("{problem} has no time: leave it out")]
    NoTime { problem: String },
    #[error("{times} times for {points} points: give one, or one per point")]
    TimeCount { times: usize, points: usize },
    #[error("cannot evaluate `{text}`: {issue}\n  help: {remedy}")]
    Quantity { text: String, issue: String, remedy: String },
}
