//! What a session shows of itself: plain data, cheap to send to another thread or worker.

use serde::{Deserialize, Serialize};

use crate::evolve::initial_fit::FitReason;
use crate::optimize::TrainingRecord;
use crate::output::{Spectrum, StepRecord};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The network is fitted to the initial state.
    Fit,
    /// Time steps.
    Steps,
    /// Iterations over the whole domain.
    Training,
    /// The end time is reached, or a training's stopping rule.
    Done,
    /// An error ended it, see [`Status::failure`]; what was computed before is kept.
    Failed,
}

/// Seconds of wall time by activity. Time in which the session was not advanced counts nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    pub fit: f64,
    /// The steps alone: evaluating frames and comparing them with the reference is left out.
    pub steps: f64,
    pub total: f64,
}

/// One iteration of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingPoint {
    pub iteration: usize,
    pub loss: f64,
    /// Relative L2 error, where it was measured.
    pub error: Option<f64>,
    pub step_length: f64,
    /// Singular values that were kept; 0 for methods that have none.
    pub rank: usize,
}

impl From<&TrainingRecord> for TrainingPoint {
    fn from(record: &TrainingRecord) -> Self {
        let TrainingRecord { iteration, loss, error, step_length, rank, .. } = *record;
        Self { iteration, loss, error, step_length, rank }
    }
}

/// Numbers only: what a progress line needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub phase: Phase,
    pub playing: bool,
    /// The tier in words, with the change of tier of a training where there was one.
    pub precision: String,
    /// Iterations of the initial fit and its relative L2 error between its points.
    pub fit_iteration: usize,
    pub fit_error: Option<f64>,
    /// Why the initial fit ended, once it has.
    pub fit_ended: Option<FitReason>,
    pub step: usize,
    /// How many steps there will be, where the step size is fixed; of a training the most iterations.
    pub steps: Option<usize>,
    /// Where the run is between start and end: simulated time; iterations of a training.
    pub time: f64,
    pub start: f64,
    pub end: f64,
    /// Seconds of wall time until the end time, from the pace of the latest steps.
    pub seconds_left: Option<f64>,
    pub last: Option<StepRecord>,
    /// The latest iteration of a training.
    pub iteration: Option<TrainingPoint>,
    /// Relative L2 error of the fitted initial state on the evaluation grid.
    pub initial_error: Option<f64>,
    /// Relative L2 error of the latest frame that was compared with the reference.
    pub error: Option<f64>,
    /// Relative L2 error over space and time until now.
    pub space_time_error: Option<f64>,
    /// What the run says of its error itself, over space and time until now; of a training once it is
    /// over.
    pub estimated_error: Option<f64>,
    pub seconds: Seconds,
    /// Why a training is over, in words.
    pub ended: Option<String>,
    /// What makes the run less accurate than it could be, and what helps.
    pub warning: Option<String>,
    /// What the run did about parameters that made its steps short.
    pub note: Option<String>,
    pub failure: Option<String>,
}

/// [`Status`] and the solution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub status: Status,
    /// u on the evaluation grid, at [`Status::time`]; empty before the fit is done.
    pub values: Vec<f64>,
    /// The reference at the same points and time, where there is one.
    pub reference: Option<Vec<f64>>,
    /// Singular values of the Jacobian, the latest that were computed.
    pub spectrum: Option<Spectrum>,
    /// The parameters that the latest step changed, ascending; all of them for dense updates.
    pub columns: Vec<u32>,
    /// The history from record [`Snapshot::first_record`] on: what was added or, by a comparison
    /// with the reference, changed since the last snapshot.
    pub records: Vec<StepRecord>,
    /// The same of a training.
    pub points: Vec<TrainingPoint>,
    pub first_record: usize,
    /// What happened since the last snapshot, in words.
    pub messages: Vec<String>,
}
