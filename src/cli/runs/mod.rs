//! Many runs: what they are, carried out over the cores, and how each one ended.

pub mod distribution;
pub mod execute;
pub mod outcome;
mod slurm;

use std::num::NonZeroUsize;

use super::failure::Failure;
use super::options::read_problem;
use crate::problem::{Overrides, ProblemFile};

/// One run among many.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Names its folder: runs with the same settings are one run.
    pub key: String,
    /// As on the command line: a built-in problem, or a file.
    pub problem: String,
    pub variant: Option<String>,
    pub overrides: Overrides,
    /// The problem with every change applied, as the run's folder will keep it.
    pub source: String,
    /// Seconds that it is expected to take; between runs of one kind only their ratios matter.
    pub cost: f64,
    /// Seconds after which it ends with what it has, where it is given no more.
    pub time_limit: Option<f64>,
}

impl Run {
    /// Of the problem with this text, which the command line knows as `problem`; `name` begins the
    /// name of its folder.
    pub fn new(
        name: &str,
        (problem, text): (&str, &[u8]),
        variant: Option<&str>,
        overrides: Overrides,
        cost: f64,
    ) -> Result<Self, Failure> {
        let file = read_problem(problem, text, variant, &overrides)
            .map_err(|errors| Failure::Problem { file: problem.to_owned(), errors })?;
        let source = match file {
            ProblemFile::Evolution(problem) => problem.source,
            ProblemFile::Residual(problem) => problem.source,
        };
        let mut key = name.to_owned();
        for part in variant.into_iter() {
            key += &format!("+{part}");
        }
        for (name, value) in &overrides {
            key += &format!("+{name}={value}");
        }
        let allowed = |c: char| if c.is_alphanumeric() || "-_.+=".contains(c) { c } else { '_' };
        let key = key.replace("run.seed=", "seed").chars().map(allowed).collect();
        let (problem, variant) = (problem.to_owned(), variant.map(str::to_owned));
        Ok(Self { key, problem, variant, overrides, source, cost, time_limit: None })
    }
}

/// How many runs go on at a time, where so many are to be done: as asked for, else one a core.
fn jobs(asked: Option<NonZeroUsize>, runs: usize) -> usize {
    asked.map_or_else(cores, NonZeroUsize::get).min(runs.max(1))
}

/// Threads of each of so many jobs.
fn threads(jobs: usize) -> usize {
    (cores() / jobs).max(1)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
