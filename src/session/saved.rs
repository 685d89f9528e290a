//! What a run needs to go on to the same bits.

use serde::{Deserialize, Serialize};

use super::{Phase, Seconds, Session, SessionError};
use crate::evolve::initial_fit::{FitState, InitialFit};
use crate::evolve::{Evolution, EvolutionState};
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
        if !finite || !state.dt.is_finite() || state.dt <= 0.0 {
            return refuse("a number that is not finite".to_owned());
        }
        Ok(())
    }
}

impl Session {
    /// The state to go on from; `None` where a failure of the initial fit left none.
    #[must_use]
    pub fn save(&self) -> Option<SavedState> {
        if let Some(fit) = &self.fit {
            return Some(SavedState::Fit { fit: fit.save(), seconds: self.seconds });
        }
        self.evolution.as_ref().map(|evolution| {
            SavedState::Steps(Box::new(SavedSteps {
                fitted: self.fitted.clone(),
                evolution: evolution.save(),
                history: self.history.clone(),
                frames: Rows::of(self.frames.times(), self.frames.values()),
                trajectory: Rows::of(self.trajectory.times(), self.trajectory.values()),
                densities: self.densities.clone(),
                seconds: self.seconds,
            }))
        })
    }

    /// The part of [`Session::save`] that the next step needs, without what was computed before;
    /// `None` before the first step can be taken.
    #[must_use]
    pub fn mark(&self) -> Option<SavedState> {
        let evolution = self.evolution.as_ref().map(Evolution::save)?;
        let (fitted, seconds) = (self.fitted.clone(), self.seconds);
        let steps = SavedSteps { fitted, evolution, seconds, ..SavedSteps::default() };
        Some(SavedState::Steps(Box::new(steps)))
    }

    pub(super) fn restore(&mut self, saved: SavedState) -> Result<(), SessionError> {
        match saved {
            SavedState::Fit { fit, seconds } => {
                let fit = InitialFit::restore(&self.problem, &fit)?;
                self.fit_error = Some(fit.between());
                self.fit = Some(fit);
                self.seconds = seconds;
                Ok(())
            }
            SavedState::Steps(saved) => self.restore_steps(*saved),
            SavedState::Training(_) => {
                let reason = "it is the state of a training".to_owned();
                Err(SessionError::Saved { reason })
            }
        }
    }

    fn restore_steps(&mut self, saved: SavedSteps) -> Result<(), SessionError> {
        saved.check(&self.problem, self.grid.points())?;
        self.take_fitted(saved.fitted)?;
        if let Some(evolution) = &mut self.evolution {
            evolution.restore(saved.evolution)?;
            if evolution.finished() {
                self.phase = Phase::Done;
            }
        }
        self.spectrum = saved.history.spectra.last().cloned();
        self.history = saved.history;
        self.frames.restore(&saved.frames.times, &saved.frames.values);
        self.trajectory.restore(saved.trajectory.times, saved.trajectory.values);
        self.densities = saved.densities;
        self.seconds = saved.seconds;
        Ok(())
    }
}
