//! What a run needs to go on to the same bits.

use serde::{Deserialize, Serialize};

use super::evolving::{Evolving, Fitting};
use super::run::Work;
use super::{Recording, Seconds, Session, SessionError};
use crate::evolve::initial_fit::{FitState, InitialFit};
use crate::evolve::{Engine, EvolutionState};
use crate::optimize::TrainingState;
use crate::output::{DensityRecord, History};
use crate::problem::Problem;

/// The state of a run between two steps: plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SavedState {
    /// Between two iterations of the initial fit.
    Fit { fit: FitState, seconds: Seconds },
    /// Between two time steps.
    Steps(Box<SavedSteps>),
    /// Between two iterations of a training.
    Training(TrainingState),
}

/// The state of a run between two time steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedSteps {
    /// Parameters after the initial fit, for [`Command::Reset`](super::Command::Reset).
    pub fitted: Vec<f64>,
    /// Whether the run began with another state than the problem's.
    pub redrawn: bool,
    pub evolution: EvolutionState,
    pub history: History,
    /// Of the evaluation grid, for the pictures.
    pub frames: Rows,
    /// Parameters along the run; empty where none were kept.
    pub trajectory: Rows,
    /// Of a density that points are drawn from, at the times of the frames.
    pub densities: Vec<DensityRecord>,
    pub seconds: Seconds,
}

/// A row of numbers at each of some times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    pub times: Vec<f64>,
    /// Row by row.
    pub values: Vec<f64>,
}

impl Rows {
    fn of(times: &[f64], values: &[f64]) -> Self {
        Self { times: times.to_vec(), values: values.to_vec() }
    }
}

impl SavedSteps {
    /// Numbers from which no run of the problem comes, whatever a file's checksum says. That the
    /// network is another one is seen by the evolution itself.
    pub(super) fn check(&self, problem: &Problem, points: usize) -> Result<(), SessionError> {
        let refuse = |reason: String| Err(SessionError::Saved { reason });
        let (found, times) = (self.frames.values.len(), self.frames.times.len());
        if times.checked_mul(points) != Some(found) {
            return refuse(format!("{found} values at {times} times of a grid of {points} points"));
        }
        let state = &self.evolution;
        let (start, end) = (problem.time.start, problem.time.end);
        let slack = 1e-9 * (end - start);
        if !(start - slack..=end + slack).contains(&state.time) {
            let time = state.time;
            return refuse(format!("it stands at t = {time}, outside of {start} to {end}"));
        }
        let lists = [
            &self.fitted,
            &state.theta,
            &state.controller,
            &state.points,
            &state.weights,
            &self.frames.times,
            &self.frames.values,
        ];
        let finite = lists.into_iter().flatten().all(|v| v.is_finite());
        let size = [state.size, state.lost].iter().all(|v| v.is_finite() && *v >= 0.0);
        if !finite || !size || !state.dt.is_finite() || state.dt <= 0.0 {
            return refuse("a number that is not finite".to_owned());
        }
        if !state.stepping.can_be() {
            return refuse("counts of steps that no run comes to".to_owned());
        }
        Ok(())
    }
}

impl Session {
    /// The state to go on from; `None` where a failure between fit and steps left none.
    #[must_use]
    pub fn save(&self) -> Option<SavedState> {
        match &self.work {
            Work::Evolution(evolving) => {
                let record = &evolving.record;
                let mut steps = self.steps(evolving);
                steps.history = record.history.clone();
                steps.frames = Rows::of(record.frames.times(), record.frames.values());
                steps.trajectory = Rows::of(record.trajectory.times(), record.trajectory.values());
                steps.densities = record.densities.clone();
                Some(SavedState::Steps(Box::new(steps)))
            }
            _ => self.mark(),
        }
    }

    /// [`Session::save`] without what was shown of the run before: all that its next step needs.
    #[must_use]
    pub fn mark(&self) -> Option<SavedState> {
        match &self.work {
            Work::InitialFit(fitting) => {
                Some(SavedState::Fit { fit: fitting.fit.save(), seconds: self.seconds })
            }
            Work::Evolution(evolving) => Some(SavedState::Steps(Box::new(self.steps(evolving)))),
            Work::Training(training) => Some(SavedState::Training(training.save())),
            Work::Lost(_) | Work::Nothing => None,
        }
    }

    fn steps(&self, evolving: &Evolving) -> SavedSteps {
        let (evolution, record) = (evolving.evolution.save(), &evolving.record);
        let (fitted, redrawn, seconds) = (record.fitted.clone(), record.redrawn, self.seconds);
        SavedSteps { fitted, redrawn, evolution, seconds, ..SavedSteps::default() }
    }

    pub(super) fn restore(
        &mut self,
        mut record: Recording,
        engine: Engine,
        saved: SavedState,
    ) -> Result<(), SessionError> {
        match saved {
            SavedState::Fit { fit, seconds } => {
                let fit = InitialFit::restore(&record.problem, &fit)?;
                record.fit.error = Some(fit.between());
                self.work = Work::InitialFit(Box::new(Fitting { record, engine, fit }));
                self.seconds = seconds;
                Ok(())
            }
            SavedState::Steps(saved) => self.restore_steps(record, engine, *saved),
            SavedState::Training(_) => {
                let reason = "it is the state of a training".to_owned();
                Err(SessionError::Saved { reason })
            }
        }
    }

    fn restore_steps(
        &mut self,
        mut record: Recording,
        engine: Engine,
        saved: SavedSteps,
    ) -> Result<(), SessionError> {
        saved.check(&record.problem, record.grid.points())?;
        record.redrawn = saved.redrawn;
        let mut evolving = self.take_fitted(record, engine, saved.fitted)?;
        evolving.evolution.restore(saved.evolution)?;
        evolving.spectrum = saved.history.spectra.last().cloned();
        let record = &mut evolving.record;
        record.history = saved.history;
        record.frames.restore(&saved.frames.times, &saved.frames.values);
        record.trajectory.restore(saved.trajectory.times, saved.trajectory.values);
        record.densities = saved.densities;
        if record.redrawn {
            record.initial_error = None;
            record.gaussian = None;
        }
        self.seconds = saved.seconds;
        self.work = Work::Evolution(evolving);
        Ok(())
    }
}
