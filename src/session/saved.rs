//! What a run needs to go on to the same bits.

use super::{Frames, Phase, Seconds, Session, SessionError};
use crate::evolve::initial_fit::{FitState, InitialFit};
use crate::evolve::{Evolution, EvolutionState};
use crate::output::{DensityRecord, History};

/// The state of a run between two steps: plain data.
#[derive(Clone, Debug, PartialEq)]
pub enum SavedState {
    /// Between two iterations of the initial fit.
    Fit { fit: FitState, seconds: Seconds },
    /// Between two time steps.
    Steps(Box<SavedSteps>),
}

/// The state of a run between two time steps.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedSteps {
    /// Parameters after the initial fit, for [`Command::Reset`](super::Command::Reset).
    pub fitted: Vec<f64>,
    pub evolution: EvolutionState,
    pub history: History,
    pub frames: Frames,
    /// Times and parameters of the [`Trajectory`](super::Trajectory); empty where none was kept.
    pub trajectory: (Vec<f64>, Vec<f64>),
    /// Of a density that points are drawn from, at the times of the frames.
    pub densities: Vec<DensityRecord>,
    pub seconds: Seconds,
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
                frames: self.frames.clone(),
                trajectory: (self.trajectory.times().to_vec(), self.trajectory.values().to_vec()),
                densities: self.densities.clone(),
                seconds: self.seconds,
            }))
        })
    }

    /// The part of [`Session::save`] that the next step needs, without what was computed before;
    /// `None` before the first step can be taken.
    #[must_use]
    pub fn evolution_state(&self) -> Option<EvolutionState> {
        self.evolution.as_ref().map(Evolution::save)
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
        }
    }

    fn restore_steps(&mut self, saved: SavedSteps) -> Result<(), SessionError> {
        self.take_fitted(saved.fitted)?;
        if let Some(evolution) = &mut self.evolution {
            evolution.restore(saved.evolution)?;
            if evolution.finished() {
                self.phase = Phase::Done;
            }
        }
        self.spectrum = saved.history.spectra.last().cloned();
        self.history = saved.history;
        self.frames = saved.frames;
        let (times, values) = saved.trajectory;
        self.trajectory.restore(times, values);
        self.densities = saved.densities;
        self.seconds = saved.seconds;
        Ok(())
    }
}
