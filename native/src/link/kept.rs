//! Going on with a run that was kept: after the solver has stopped, or from a file.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sketchpde::evolve::EvolutionState;
use sketchpde::optimize::TrainingState;
use sketchpde::output::History;
use sketchpde::problem::Problem;
use sketchpde::session::{EvaluationGrid, SavedState, SavedSteps, Seconds, Session};

use super::{decode, encode};

/// What a run needs to take its next step as if nothing had happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Parameters after the initial fit.
    pub fitted: Vec<f64>,
    pub evolution: EvolutionState,
    pub seconds: Seconds,
    /// How many of the run's deeds it contains.
    pub deeds: usize,
}

/// A mark with the run until there, as far as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub mark: Mark,
    pub history: History,
    /// Of the frames.
    pub times: Vec<f64>,
    /// One row of the evaluation grid per time, in single precision: enough for pictures.
    pub values: Vec<f32>,
    /// Whether the run can be compared with the problem's reference: nothing was changed on the way.
    pub comparable: bool,
}

impl Mark {
    /// Of a run between two steps; `None` before the first one.
    #[must_use]
    pub fn of(session: &Session, deeds: usize) -> Option<Self> {
        let evolution = session.evolution_state()?;
        let (fitted, seconds) = (session.fitted().to_vec(), session.status().seconds);
        Some(Self { fitted, evolution, seconds, deeds })
    }
}

/// Why a run cannot go on from what was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    #[error("this is no checkpoint of this program")]
    Format,
    #[error("the checkpoint is damaged or was written by another version of the program")]
    Damaged,
    #[error("the checkpoint holds {found} values at {times} times of a grid of {points} points")]
    Frames { found: usize, times: usize, points: usize },
    #[error("the checkpoint stands at t = {time}, outside of the problem's {start} to {end}")]
    Time { time: f64, start: f64, end: f64 },
    #[error("the checkpoint holds a number that is not finite")]
    NotFinite,
}

impl Kept {
    /// As the session takes it, with frames spread as for at most `most` of them.
    ///
    /// # Errors
    /// When it does not belong to the problem. Parameters of another network are refused by the
    /// session itself.
    pub fn state(self, problem: &Problem, most: usize) -> Result<SavedState, KeptError> {
        let grid = EvaluationGrid::of(problem);
        let points = grid.points();
        let (start, end) = (problem.time.start, problem.time.end);
        let (found, times) = (self.values.len(), self.times.len());
        if times.checked_mul(points) != Some(found) {
            return Err(KeptError::Frames { found, times, points });
        }
        let Mark { fitted, evolution, seconds, .. } = self.mark;
        let slack = 1e-9 * (end - start);
        if !(start - slack..=end + slack).contains(&evolution.time) {
            return Err(KeptError::Time { time: evolution.time, start, end });
        }
        let numbers = evolution.theta.iter().chain(&fitted).chain(&evolution.controller);
        let numbers = numbers.chain(&evolution.points);
        if !numbers.chain([&evolution.dt]).all(|v| v.is_finite()) || evolution.dt <= 0.0 {
            return Err(KeptError::NotFinite);
        }
        let mut frames = grid.empty_frames(problem, most);
        let values: Vec<f64> = self.values.iter().map(|&v| f64::from(v)).collect();
        frames.restore(&self.times, &values);
        let history = self.history;
        let (densities, trajectory) = (Vec::new(), Default::default());
        let steps =
            SavedSteps { fitted, evolution, history, frames, trajectory, densities, seconds };
        Ok(SavedState::Steps(Box::new(steps)))
    }
}

/// The first bytes of a checkpoint file.
const MAGIC: &[u8] = b"sketchpde run 3\n";
/// The first bytes of a training's.
const TRAINING: &[u8] = b"sketchpde training 1\n";

/// A file's bytes: what it is, then its contents.
fn file(magic: &[u8], contents: &impl Serialize) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    // Writing plain data into memory cannot fail.
    bytes.extend(encode(contents).unwrap_or_default());
    bytes
}

/// The inverse of [`file`]; `None` where the bytes begin otherwise.
fn contents<T: DeserializeOwned>(magic: &[u8], bytes: &[u8]) -> Option<Result<T, KeptError>> {
    Some(decode(bytes.strip_prefix(magic)?).map_err(|_| KeptError::Damaged))
}

/// A run as a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The problem file with every change applied.
    pub toml: String,
    pub kept: Kept,
    /// The run's own link: how it began and what was done to it.
    pub link: String,
}

impl Checkpoint {
    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        file(MAGIC, self)
    }

    /// Whether the bytes begin as a checkpoint does.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The inverse of [`Checkpoint::to_bytes`].
    ///
    /// # Errors
    /// When the bytes are no whole checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeptError> {
        contents(MAGIC, bytes).unwrap_or(Err(KeptError::Format))
    }
}

/// A training as a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingCheckpoint {
    /// The link that opens the training at its beginning.
    pub link: String,
    pub state: TrainingState,
}

impl TrainingCheckpoint {
    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        file(TRAINING, self)
    }

    /// The inverse of [`TrainingCheckpoint::to_bytes`]; `None` where the file begins as another one.
    ///
    /// # Errors
    /// When the bytes are no whole checkpoint.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Result<Self, KeptError>> {
        contents(TRAINING, bytes)
    }
}
