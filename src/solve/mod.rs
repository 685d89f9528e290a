//! From a problem to its solution, in one call or step by step.

#[cfg(not(target_arch = "wasm32"))]
mod background;

use crate::evolve::EvolveError;
use crate::field::device::Backend;
use crate::field::gpu::GpuError;
use crate::optimize::OptimizeError;
use crate::problem::{Problem, ProblemFile, ResidualProblem};
use crate::session::{Activity, Course, Options, Session, SessionError, Solver, Start};
use crate::solution::{Solution, SolutionError};

#[cfg(not(target_arch = "wasm32"))]
pub use background::{BackgroundRun, RunOptions, RunStatus};

/// A problem of either family.
#[derive(Clone, Copy, Debug)]
pub enum ProblemRef<'a> {
    Evolution(&'a Problem),
    Residual(&'a ResidualProblem),
}

impl<'a> From<&'a Problem> for ProblemRef<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self::Evolution(problem)
    }
}

impl<'a> From<&'a ResidualProblem> for ProblemRef<'a> {
    fn from(problem: &'a ResidualProblem) -> Self {
        Self::Residual(problem)
    }
}

impl<'a> From<&'a ProblemFile> for ProblemRef<'a> {
    fn from(file: &'a ProblemFile) -> Self {
        match file {
            ProblemFile::Evolution(problem) => Self::Evolution(problem),
            ProblemFile::Residual(problem) => Self::Residual(problem),
        }
    }
}

/// Why a problem was not solved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    #[error(transparent)]
    Session(SessionError),
    #[error(transparent)]
    Training(#[from] OptimizeError),
    #[error(transparent)]
    Device(#[from] GpuError),
    #[error(transparent)]
    Solution(#[from] SolutionError),
}

impl From<SessionError> for SolveError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Training(error) => Self::Training(error),
            SessionError::Device(error) | SessionError::Evolve(EvolveError::Gpu(error)) => {
                Self::Device(error)
            }
            other => Self::Session(other),
        }
    }
}

/// Solves a problem of either family, on a hardware GPU where there is one, else on the CPU.
///
/// # Errors
/// When the solver fails: the solution stops being finite, a step cannot be made, the device is lost.
#[cfg(not(target_arch = "wasm32"))]
pub fn solve<'a>(problem: impl Into<ProblemRef<'a>>) -> Result<Solution, SolveError> {
    pollster::block_on(solve_on(problem, &Backend::Auto))
}

/// [`solve`] where the caller wants it; what a page awaits.
///
/// # Errors
/// As [`solve`], and when no device answers what was asked for.
pub async fn solve_on<'a>(
    problem: impl Into<ProblemRef<'a>>,
    backend: &Backend,
) -> Result<Solution, SolveError> {
    let mut run = Run::new(problem, backend).await?;
    while run.step().await?.is_some() {}
    Ok(run.solution()?)
}

/// A step of a run: of time, or an iteration of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// From 1.
    pub number: usize,
    /// The time after it; none of a training.
    pub time: Option<f64>,
    /// The relative residual of a time step, or the loss of a training.
    pub residual: f64,
    /// The error against the exact solution of a training, where it was measured in this step.
    pub error: Option<f64>,
}

/// A run of either family that goes on when it is asked to.
pub struct Run(Session);

/// Frames that a run keeps, as on the command line.
const FRAMES: usize = 400;

impl Run {
    /// Sets up the run; nothing is computed yet.
    ///
    /// # Errors
    /// When no device answers what was asked for, or settings do not fit together.
    pub async fn new<'a>(
        problem: impl Into<ProblemRef<'a>>,
        backend: &Backend,
    ) -> Result<Self, SolveError> {
        let problem = match problem.into() {
            ProblemRef::Evolution(problem) => ProblemFile::Evolution(problem.clone()),
            ProblemRef::Residual(problem) => ProblemFile::Residual(problem.clone()),
        };
        let solver = Solver::open(problem, backend).await?;
        let options = Options { start: Start::Beginning, frames: FRAMES, clock };
        Ok(Self(Session::new(solver, options).await?))
    }

    /// The next step; none at the end. The first one of an evolution comes after the fit to its
    /// initial state.
    ///
    /// # Errors
    /// As [`solve`].
    pub async fn step(&mut self) -> Result<Option<Step>, SolveError> {
        let before = self.latest().map_or(0, |step| step.number);
        loop {
            let activity = self.0.advance(0.0).await;
            if let Some(failure) = self.0.take_failure() {
                return Err(failure.into());
            }
            if let Some(step) = self.latest().filter(|step| step.number > before) {
                return Ok(Some(step));
            }
            if activity == Activity::Idle {
                return Ok(None);
            }
        }
    }

    fn latest(&self) -> Option<Step> {
        match self.0.course()? {
            Course::Evolution(record) => record.history().records.last().map(|record| Step {
                number: record.step,
                time: Some(record.time),
                residual: record.residual,
                error: record.error,
            }),
            Course::Training(training) => training.history().records.last().map(|record| Step {
                number: record.iteration,
                time: None,
                residual: record.loss,
                error: record.error,
            }),
        }
    }

    /// The steps that are left, one after the other; after an error there are no more.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn steps(&mut self) -> impl Iterator<Item = Result<Step, SolveError>> + '_ {
        let mut failed = false;
        std::iter::from_fn(move || {
            let step = if failed { None } else { pollster::block_on(self.step()).transpose() };
            failed |= matches!(step, Some(Err(_)));
            step
        })
    }

    /// The solution so far.
    ///
    /// # Errors
    /// [`SolutionError::NoParameters`] before the first step of an evolution.
    pub fn solution(&self) -> Result<Solution, SolutionError> {
        Solution::of_session(&self.0)
    }
}

#[cfg(not(target_arch = "wasm32"))]
use crate::session::wall_clock as clock;

/// A page has clocks of its own; here times of steps are not kept.
#[cfg(target_arch = "wasm32")]
fn clock() -> f64 {
    0.0
}
