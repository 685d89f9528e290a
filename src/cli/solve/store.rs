//! The files of a run under way: its folder, its checkpoints, the caches.

use std::ops::ControlFlow;

use super::drive::{Found, Keeper};
use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Verbosity};
use crate::evolve::initial_fit::fit_key;
use crate::field::device::Description;
use crate::output::{self, Cache, CachedFit, Lookup, ResultFolder};
use crate::problem::Problem;
use crate::session::{Checkpoint, Maker, SavedState, Start};

/// Frames that a run keeps.
pub const FRAMES: usize = 400;

/// Where a run keeps its files.
pub struct Store {
    pub folder: ResultFolder,
    problem: String,
    maker: Maker,
    cache: Option<Cache>,
    fit_key: Vec<u8>,
}

impl Store {
    pub fn new(
        folder: ResultFolder,
        problem: &Problem,
        device: &Description,
        cache: Option<Cache>,
    ) -> Self {
        Self {
            folder,
            problem: problem.source.clone(),
            maker: Maker::of(device),
            cache,
            fit_key: fit_key(problem),
        }
    }

    /// Where the run begins: at its checkpoint, with a cached fit, or with the fit.
    pub fn start(&self, resume: bool, progress: &Progress) -> Result<Start, Failure> {
        if resume {
            return self.resume(progress);
        }
        let Some(cache) = &self.cache else { return Ok(Start::Fit) };
        Ok(match cache.fit(&self.fit_key) {
            Lookup::Found(fit) => {
                progress.say(
                    Verbosity::Normal,
                    &format!("Initial state from the cache, relative error {:.1e}", fit.error),
                );
                Start::Fitted(fit.parameters)
            }
            Lookup::Missing => Start::Fit,
            Lookup::Damaged(path) => {
                let warning =
                    format!("warning: the cached {} is damaged: fitted anew", path.display());
                progress.say(Verbosity::Normal, &warning);
                Start::Fit
            }
        })
    }

    fn resume(&self, progress: &Progress) -> Result<Start, Failure> {
        let (checkpoint, warning) =
            Checkpoint::resume(self.folder.path(), &self.maker, &self.problem)?;
        if let Some(error) = warning {
            progress
                .say(Verbosity::Normal, &format!("warning: {error}; the one before it is used"));
        }
        progress.say(Verbosity::Normal, &format!("Going on {}", checkpoint.place()));
        Ok(Start::Saved(checkpoint.state))
    }
}

impl Keeper for Store {
    fn checkpoint(&mut self, state: &SavedState) -> Result<(), Failure> {
        let checkpoint = Checkpoint::new(self.maker.clone(), &self.problem, state.clone());
        Ok(checkpoint.save(self.folder.path())?)
    }

    fn fitted(&mut self, theta: &[f64], error: f64) -> Option<String> {
        let fit = CachedFit { parameters: theta.to_vec(), error };
        let stored = self.cache.as_ref()?.store_fit(&self.fit_key, &fit);
        stored.err().map(|error| format!("the fit is not cached: {error}"))
    }
}

/// The reference, from the cache if it is there; with a warning where the cache fails.
pub fn reference(problem: &Problem, cache: Option<&Cache>) -> Found {
    let go_on = |_| ControlFlow::Continue(());
    output::cache::reference(cache, problem, &go_on)
}
