//! The files of a run under way: its folder, its checkpoints, the caches.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::drive::{Found, Keeper};
use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Verbosity};
use crate::evolve::EvolutionState;
use crate::evolve::initial_fit::fit_key;
use crate::field::device::Description;
use crate::output::checkpoint::{self, digest};
use crate::output::{
    self, Cache, CachedFit, Checkpoint, DensityRecord, Lookup, OutputError, ResultFolder,
};
use crate::problem::Problem;
use crate::session::{EvaluationGrid, SavedState, SavedSteps, Seconds, Start};

/// Frames that a run keeps.
pub const FRAMES: usize = 400;

/// Where a run keeps its files.
pub struct Store {
    pub folder: ResultFolder,
    seed: u64,
    /// Everything on which the bits of the run depend.
    configuration: [u8; 32],
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
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("{version}\n{}\n{}", device.identity(), problem.source);
        Self {
            folder,
            seed: problem.seed,
            configuration: digest(text.as_bytes()),
            cache,
            fit_key: fit_key(problem),
        }
    }

    /// Where the run begins: at its checkpoint, with a cached fit, or with the fit.
    pub fn start(
        &self,
        problem: &Problem,
        resume: bool,
        progress: &Progress,
    ) -> Result<Start, Failure> {
        if resume {
            return self.resume(problem, progress);
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

    fn resume(&self, problem: &Problem, progress: &Progress) -> Result<Start, Failure> {
        let found = Checkpoint::resume(self.folder.path(), self.configuration);
        let (checkpoint, warning) = match found {
            Ok(found) => found,
            // The problem is the same, that was seen to already.
            Err(OutputError::CheckpointOfAnotherRun { path }) => {
                return Err(Failure::OtherDevice { path });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(error) = warning {
            progress
                .say(Verbosity::Normal, &format!("warning: {error}; the one before it is used"));
        }
        let (step, time) = (checkpoint.step, checkpoint.time);
        let place = if checkpoint.state.contains_key(FIT) {
            "in the initial fit".to_owned()
        } else {
            format!("at step {step}, t = {time}")
        };
        progress.say(Verbosity::Normal, &format!("Going on {place}"));
        let path = checkpoint::path(self.folder.path());
        unpack(checkpoint, problem)
            .map(Start::Saved)
            .ok_or_else(|| OutputError::CheckpointDamaged { path }.into())
    }
}

impl Keeper for Store {
    fn checkpoint(&mut self, state: &SavedState) -> Result<(), Failure> {
        let checkpoint = pack(state, self.seed, self.configuration);
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

/// Names of the parts of a state in its checkpoint.
const FITTED: &str = "fitted";
const TIMES: &str = "frames.times";
const VALUES: &str = "frames.values";
const SECONDS: &str = "seconds";
/// Parameters along the run.
const TRAJECTORY_TIMES: &str = "trajectory.times";
const TRAJECTORY: &str = "trajectory.parameters";
/// Length of the next step, how many subsets were drawn, and s of the next one.
const STEPPER: &str = "stepper";
const CONTROLLER: &str = "controller";
/// Moments of a density that points are drawn from.
const DENSITIES: &str = "densities";
/// Points that follow the solution, and the weights of their rows.
const POINTS: &str = "points";
const WEIGHTS: &str = "weights";

/// Only the state of a fit has an entry of this name.
const FIT: &str = "fit.numbers";

fn pack(state: &SavedState, seed: u64, configuration: [u8; 32]) -> Checkpoint {
    match state {
        SavedState::Fit { fit, seconds } => {
            let mut state = fit.clone();
            state.insert(SECONDS.to_owned(), list(*seconds));
            Checkpoint { configuration, seed, state, ..Checkpoint::default() }
        }
        SavedState::Steps(state) => pack_steps(state, seed, configuration),
    }
}

fn list(seconds: Seconds) -> Vec<f64> {
    vec![seconds.fit, seconds.steps, seconds.total]
}

fn pack_steps(state: &SavedSteps, seed: u64, configuration: [u8; 32]) -> Checkpoint {
    Checkpoint {
        configuration,
        seed,
        step: state.evolution.step as u64,
        time: state.evolution.time,
        parameters: state.evolution.theta.clone(),
        state: BTreeMap::from([
            (FITTED.to_owned(), state.fitted.clone()),
            (TIMES.to_owned(), state.frames.times().to_vec()),
            (VALUES.to_owned(), state.frames.values().to_vec()),
            (TRAJECTORY_TIMES.to_owned(), state.trajectory.0.clone()),
            (TRAJECTORY.to_owned(), state.trajectory.1.clone()),
            (SECONDS.to_owned(), list(state.seconds)),
            // A run has far fewer draws than the 2^53 that an f64 counts exactly.
            (STEPPER.to_owned(), stepper(&state.evolution)),
            (CONTROLLER.to_owned(), state.evolution.controller.clone()),
            (DENSITIES.to_owned(), state.densities.iter().flat_map(DensityRecord::row).collect()),
            (POINTS.to_owned(), state.evolution.points.clone()),
            (WEIGHTS.to_owned(), state.evolution.weights.clone()),
        ]),
        history: state.history.clone(),
    }
}

fn stepper(state: &EvolutionState) -> Vec<f64> {
    vec![state.dt, state.epoch as f64, state.columns as f64]
}

/// The inverse of [`pack`]; `None` where parts are missing or do not fit together.
fn unpack(mut checkpoint: Checkpoint, problem: &Problem) -> Option<SavedState> {
    let &[fit, steps, total] = checkpoint.state.remove(SECONDS)?.as_slice() else { return None };
    let seconds = Seconds { fit, steps, total };
    if checkpoint.state.contains_key(FIT) {
        return Some(SavedState::Fit { fit: checkpoint.state, seconds });
    }
    let numbers = [FITTED, TIMES, VALUES, STEPPER, CONTROLLER, POINTS, WEIGHTS];
    let finite = |name| Some(checkpoint.state.get(name)?.iter().all(|v: &f64| v.is_finite()));
    if !numbers.into_iter().all(|name| finite(name) == Some(true)) {
        return None;
    }
    let fitted = checkpoint.state.remove(FITTED)?;
    let (times, values) = (checkpoint.state.remove(TIMES)?, checkpoint.state.remove(VALUES)?);
    let &[dt, epoch, columns] = checkpoint.state.get(STEPPER)?.as_slice() else { return None };
    let mut frames = EvaluationGrid::of(problem).empty_frames(problem, FRAMES);
    if values.len() != times.len() * frames.points() {
        return None;
    }
    let dimensions = problem.dimensions();
    let densities = checkpoint.state.remove(DENSITIES)?;
    let densities = densities.chunks(DensityRecord::width(dimensions));
    let densities: Option<Vec<DensityRecord>> =
        densities.map(|row| DensityRecord::from_row(row, dimensions)).collect();
    frames.restore(&times, &values);
    let trajectory =
        (checkpoint.state.remove(TRAJECTORY_TIMES)?, checkpoint.state.remove(TRAJECTORY)?);
    Some(SavedState::Steps(Box::new(SavedSteps {
        fitted,
        evolution: EvolutionState {
            step: usize::try_from(checkpoint.step).ok()?,
            time: checkpoint.time,
            theta: checkpoint.parameters,
            dt,
            epoch: epoch as u64,
            columns: columns as usize,
            controller: checkpoint.state.remove(CONTROLLER)?,
            points: checkpoint.state.remove(POINTS)?,
            weights: checkpoint.state.remove(WEIGHTS)?,
        },
        history: checkpoint.history,
        frames,
        trajectory,
        densities: densities?,
        seconds,
    })))
}
