//! A solution from what a run left: a folder, a session.

use std::path::Path;

use super::{Evolved, Kind, Solution, SolutionError, Trained};
use crate::network::Network;
use crate::output::{ResultFolder, description};
use crate::problem::{Overrides, Problem, ProblemFile, ResidualProblem};
use crate::session::{Course, Session, TrainingSession};

impl Solution {
    /// The solution in a run's folder, of either family.
    ///
    /// # Errors
    /// [`SolutionError::NoResult`], [`SolutionError::Problem`], [`SolutionError::Version`]; also
    /// where a file is damaged or belongs to another network.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SolutionError> {
        let folder = ResultFolder::open(path.as_ref());
        let there = |name: &str| folder.file(name).exists();
        if !there("problem.toml") || !there("parameters.safetensors") {
            return Err(SolutionError::NoResult { path: folder.path().to_owned() });
        }
        let text = folder.read_problem()?;
        let path = folder.file("problem.toml");
        match ProblemFile::from_bytes(text.as_bytes(), None, &Overrides::new()) {
            Ok(ProblemFile::Evolution(problem)) => evolution(&folder, problem),
            Ok(ProblemFile::Residual(problem)) => training(&folder, problem),
            Err(errors) => Err(SolutionError::Problem { path, errors }),
        }
    }

    /// The solution of a run so far.
    ///
    /// # Errors
    /// [`SolutionError::NoParameters`] before its first time step.
    pub fn of_session(session: &Session) -> Result<Self, SolutionError> {
        let record = match session.course() {
            Some(Course::Training(training)) => return Ok(Self::of_training(training)),
            Some(Course::Evolution(record)) => record,
            None => return Err(SolutionError::NoParameters),
        };
        let (trajectory, time) = (record.trajectory(), session.status().time);
        Self::evolved(
            record.problem().clone(),
            (trajectory.times().to_vec(), trajectory.values().to_vec()),
            Some((time, session.parameters().to_vec())),
        )
    }

    /// The solution of a training so far.
    #[must_use]
    pub fn of_training(session: &TrainingSession) -> Self {
        let (problem, theta) = (session.problem().clone(), session.parameters().to_vec());
        Self::trained(problem, theta)
    }

    /// The network of a whole-domain problem with these parameters, alone or with a correction behind
    /// them ([`Network::split`]).
    ///
    /// # Panics
    /// When there are not as many as that takes.
    #[must_use]
    pub fn trained(problem: ResidualProblem, theta: Vec<f64>) -> Self {
        let network = Network::of_residual(&problem);
        assert!(network.holds(theta.len()), "the network's parameters, perhaps with a correction");
        Self(Kind::Training(Box::new(Trained { problem, network, theta })))
    }

    /// From parameters along a run, and those at the last time where they are not among them.
    pub(super) fn evolved(
        problem: Problem,
        (mut times, mut values): (Vec<f64>, Vec<f64>),
        last: Option<(f64, Vec<f64>)>,
    ) -> Result<Self, SolutionError> {
        let network = Network::of(&problem);
        if let Some((time, theta)) = last.filter(|(_, theta)| !theta.is_empty())
            && times.last().is_none_or(|&kept| kept < time)
        {
            times.push(time);
            values.extend(theta);
        }
        if times.is_empty() {
            return Err(SolutionError::NoParameters);
        }
        Ok(Self(Kind::Evolution(Box::new(Evolved { problem, network, times, values }))))
    }
}

fn evolution(folder: &ResultFolder, problem: Problem) -> Result<Solution, SolutionError> {
    let network = Network::of(&problem);
    let (theta, head) = folder.read_parameters(&network)?;
    check_format(folder, head.get("format"))?;
    let trajectory = folder.read_trajectory(network.parameters())?;
    let time = head.get("time").and_then(|text| text.parse().ok()).unwrap_or(problem.time.end);
    Solution::evolved(problem, trajectory, Some((time, theta)))
}

fn training(folder: &ResultFolder, problem: ResidualProblem) -> Result<Solution, SolutionError> {
    let network = Network::of_residual(&problem);
    let (theta, head) = folder.read_parameters(&network)?;
    check_format(folder, head.get("format"))?;
    Ok(Solution::trained(problem, theta))
}

/// Heads without a format are older: their problem file says the same.
fn check_format(folder: &ResultFolder, found: Option<&String>) -> Result<(), SolutionError> {
    match found {
        Some(found) if found != description::FORMAT => Err(SolutionError::Version {
            path: folder.file("parameters.safetensors"),
            found: found.clone(),
            supported: description::FORMAT,
        }),
        _ => Ok(()),
    }
}
