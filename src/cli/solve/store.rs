//! The files of a run under way: its folder, its checkpoints, the caches.

use std::ops::ControlFlow;

use super::drive::{Found, Keeper};
use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Verbosity};
use crate::evolve::initial_fit::{FitError, fit_key};
use crate::field::device::Description;
use crate::optimize::OptimizeError;
use crate::output::{
    Cache, CachedFit, CheckpointError, Lookup, OutputError, ResultFolder, cache, checkpoint,
};
use crate::problem::ProblemFile;
use crate::session::{
    Checkpoint, Maker, Options, SavedState, Session, SessionError, Solver, Start, wall_clock,
};

/// Frames that a run keeps.
const FRAMES: usize = 400;

/// Where a run keeps its files.
pub struct Store {
    pub folder: ResultFolder,
    problem: ProblemFile,
    maker: Maker,
    cache: Option<Cache>,
    /// How the run came here, as its checkpoints say it.
    origin: Origin,
}

#[derive(Clone)]
struct Origin {
    comparable: bool,
    story: String,
    told: usize,
}

impl Store {
    pub fn new(
        folder: ResultFolder,
        problem: &ProblemFile,
        device: &Description,
        cache: Option<Cache>,
    ) -> Self {
        let origin = Origin { comparable: true, story: String::new(), told: 0 };
        let (problem, maker) = (problem.clone(), Maker::of(device));
        Self { folder, problem, maker, cache, origin }
    }

    /// Where the run begins: at its checkpoint, at one that was given in place of a problem, with a
    /// cached fit, or at its beginning.
    pub fn start(
        &mut self,
        resume: bool,
        given: Option<Checkpoint>,
        progress: &Progress,
    ) -> Result<Start, Failure> {
        let checkpoint = match (resume, given) {
            (true, _) => self.resume(progress)?,
            (false, Some(given)) => {
                given.accept(&self.maker, self.problem.source()).map_err(|source| {
                    let path = "the saved run".into();
                    OutputError::Checkpoint { path, source }
                })?;
                given
            }
            (false, None) => return Ok(self.beginning(progress)),
        };
        progress.say(Verbosity::Normal, &format!("Going on {}", checkpoint.state.place()));
        let Checkpoint { comparable, story, told, state, .. } = checkpoint;
        self.origin = Origin { comparable, story, told };
        Ok(Start::Saved(state))
    }

    fn resume(&self, progress: &Progress) -> Result<Checkpoint, Failure> {
        let (checkpoint, warning) =
            Checkpoint::resume(self.folder.path(), &self.maker, self.problem.source())?;
        if let Some(error) = warning {
            let text = format!("warning: {error}; the one before it is used");
            progress.say(Verbosity::Normal, &text);
        }
        Ok(checkpoint)
    }

    fn beginning(&self, progress: &Progress) -> Start {
        let ProblemFile::Evolution(problem) = &self.problem else { return Start::Beginning };
        let Some(cache) = &self.cache else { return Start::Beginning };
        let (start, said) = match cache.fit(&fit_key(problem)) {
            Lookup::Found(fit) => {
                let error = fit.error;
                let said = format!("Initial state from the cache, relative error {error:.1e}");
                (Start::Fitted(fit.parameters), said)
            }
            Lookup::Missing => return Start::Beginning,
            Lookup::Damaged(path) => {
                let path = path.display();
                let said = format!("warning: the cached {path} is damaged: fitted anew");
                (Start::Beginning, said)
            }
        };
        progress.say(Verbosity::Normal, &said);
        start
    }

    /// The session, with a training's own truth to compare with.
    pub fn session(
        &self,
        solver: Solver,
        start: Start,
        progress: &Progress,
    ) -> Result<Session, Failure> {
        let saved = matches!(start, Start::Saved(_));
        let options = Options { start, frames: FRAMES, clock: wall_clock };
        let mut session = match pollster::block_on(Session::new(solver, options)) {
            Err(error) if saved && is_of_state(&error) => {
                let (path, reason) = (checkpoint::path(self.folder.path()), error.to_string());
                let source = CheckpointError::Inconsistent { reason };
                return Err(OutputError::Checkpoint { path, source }.into());
            }
            made => made?,
        };
        if let Some(training) = session.training_mut()
            && let Err(error) = training.compare_with_companion()
        {
            progress.say(Verbosity::Normal, &format!("There is no error to measure: {error}"));
        }
        Ok(session)
    }

    /// What finds the reference, for a thread of its own: from the cache if it is there, with a
    /// warning where the cache fails. `None` where there is nothing to look for.
    pub fn reference(&self) -> Option<Box<dyn FnOnce() -> Found + Send>> {
        let ProblemFile::Evolution(problem) = &self.problem else { return None };
        if !self.origin.comparable {
            return None;
        }
        let (problem, cache) = (problem.clone(), self.cache.clone());
        let go_on = |_| ControlFlow::Continue(());
        Some(Box::new(move || cache::reference(cache.as_ref(), &problem, &go_on)))
    }
}

/// Whether a session cannot go on because its state is none of its problem's.
fn is_of_state(error: &SessionError) -> bool {
    matches!(
        error,
        SessionError::Saved { .. }
            | SessionError::Training(OptimizeError::State { .. })
            | SessionError::Fit(FitError::State { .. })
    )
}

impl Keeper for Store {
    fn checkpoint(&mut self, state: &SavedState) -> Result<(), Failure> {
        let Origin { comparable, story, told } = self.origin.clone();
        let new = Checkpoint::new(self.maker.clone(), self.problem.source(), state.clone());
        Ok(Checkpoint { comparable, story, told, ..new }.save(self.folder.path())?)
    }

    fn fitted(&mut self, theta: &[f64], error: f64) -> Option<String> {
        let ProblemFile::Evolution(problem) = &self.problem else { return None };
        let fit = CachedFit { parameters: theta.to_vec(), error };
        let stored = self.cache.as_ref()?.store_fit(&fit_key(problem), &fit);
        stored.err().map(|error| format!("the fit is not cached: {error}"))
    }
}
