//! The state of a run, from which it goes on to the same bits.

use serde::{Deserialize, Serialize};

use super::control::Controller;
use super::error::EvolveError;
use super::estimate::{Estimate, EstimateState};
use super::evolution::Evolution;
use super::features::{FeatureState, Features};
use super::stepping::Stepping;

/// Everything that a run needs to go on to the same bits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvolutionState {
    pub step: usize,
    pub time: f64,
    pub theta: Vec<f64>,
    /// Length of the next step.
    pub dt: f64,
    /// Subsets drawn so far.
    pub epoch: u64,
    /// s of the next step.
    pub columns: usize,
    pub controller: Vec<f64>,
    pub stepping: Stepping,
    /// The largest norm of the solution at the points so far, which errors are measured by.
    pub size: f64,
    /// What steps have left of ways that could not be gone, over the size.
    pub lost: f64,
    /// Coordinates of points that move with the solution; else empty.
    pub points: Vec<f64>,
    /// Weights of their rows, where they have some.
    pub weights: Vec<f64>,
    /// Of a run in the space of random features.
    pub features: Option<FeatureState>,
    /// What the estimate of the error goes on from.
    pub estimate: Option<EstimateState>,
}

impl Evolution {
    #[must_use]
    pub fn save(&self) -> EvolutionState {
        EvolutionState {
            step: self.step,
            time: self.time,
            theta: self.theta.clone(),
            dt: self.dt,
            epoch: self.subsets.epoch,
            columns: self.subsets.count,
            controller: self.controller.as_ref().map(Controller::save).unwrap_or_default(),
            stepping: self.stepping.clone(),
            size: self.size,
            lost: self.lost,
            points: self.moving_points().map(<[f64]>::to_vec).unwrap_or_default(),
            weights: self.engine.weights().to_vec(),
            features: self.features.as_ref().map(Features::save),
            estimate: self.estimate.as_ref().map(Estimate::save),
        }
    }

    /// # Errors
    /// When the state belongs to another network or to other points.
    pub fn restore(&mut self, state: EvolutionState) -> Result<(), EvolveError> {
        if state.theta.len() != self.theta.len() {
            let (given, expected) = (state.theta.len(), self.theta.len());
            return Err(EvolveError::Parameters { given, expected });
        }
        if self.moving_points().is_some() {
            self.engine.set_points(state.points, state.weights)?;
        }
        self.step = state.step;
        self.time = state.time;
        self.theta = state.theta;
        self.dt = state.dt;
        self.subsets.epoch = state.epoch;
        if self.subsets.adaptive {
            self.subsets.count = state.columns.clamp(1, self.theta.len());
        }
        self.stepping = state.stepping;
        self.size = state.size;
        self.lost = state.lost;
        self.controller = self.new_controller(self.stepping.implicit);
        if let Some(controller) = &mut self.controller {
            controller.restore(&state.controller);
        }
        self.restore_features(state.features)?;
        // Of a run that has none nothing is known from here on.
        let mut estimate = self.estimate.take().zip(state.estimate);
        let suits = estimate
            .as_mut()
            .is_some_and(|(estimate, state)| estimate.restore(std::mem::take(state)));
        self.estimate = estimate.map(|(estimate, _)| estimate).filter(|_| suits);
        self.field = None;
        self.look();
        Ok(())
    }
}
