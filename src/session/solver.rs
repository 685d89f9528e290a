//! A problem of either family on the device that is to solve it.

use super::{SessionError, TrainingSystem, memory};
use crate::evolve::{Engine, features};
use crate::field::device::{Backend, Description};
use crate::network::Network;
use crate::problem::{Problem, ProblemFile, ResidualProblem};

/// The problem with all decided that its file leaves to the program before a run begins: which scheme
/// an evolution takes. On a GPU that was asked for it is that of deep networks, which run there.
#[must_use]
pub fn resolved(problem: ProblemFile, backend: &Backend) -> ProblemFile {
    match problem {
        ProblemFile::Evolution(problem) if !matches!(backend, Backend::Gpu(_)) => {
            ProblemFile::Evolution(features::resolved(problem))
        }
        problem => problem,
    }
}

/// What a [`Session`](super::Session) begins with; nothing is computed yet.
pub enum Solver {
    Evolution(Box<Problem>, Box<Engine>),
    Training(Box<ResidualProblem>, Box<TrainingSystem>),
}

impl Solver {
    /// Opens the device that was asked for.
    ///
    /// # Errors
    /// When the run needs more memory than there is, no device answers, or the one that does cannot take
    /// the problem in its precision.
    pub async fn open(problem: ProblemFile, backend: &Backend) -> Result<Self, SessionError> {
        let problem = resolved(problem, backend);
        memory::check(&problem)?;
        Ok(match problem {
            ProblemFile::Evolution(problem) => {
                let engine = Engine::new(&problem, backend).await?;
                Self::Evolution(Box::new(problem), Box::new(engine))
            }
            ProblemFile::Residual(problem) => {
                let system = TrainingSystem::choose(&problem, backend).await?;
                Self::Training(Box::new(problem), Box::new(system))
            }
        })
    }

    /// Backend, device and precision.
    #[must_use]
    pub fn describe(&self) -> Description {
        match self {
            Self::Evolution(_, engine) => engine.describe(),
            Self::Training(_, system) => system.describe(),
        }
    }

    /// Why `auto` took the CPU although there is a hardware adapter, where it did.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Evolution(..) => None,
            Self::Training(_, system) => system.reason(),
        }
    }

    /// p: parameters of the network.
    #[must_use]
    pub fn parameters(&self) -> usize {
        match self {
            Self::Evolution(problem, _) => Network::of(problem).parameters(),
            Self::Training(problem, _) => Network::of_residual(problem).parameters(),
        }
    }
}
