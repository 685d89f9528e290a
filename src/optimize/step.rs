//! What all methods have in common: one iteration, and walking along a direction.

use super::error::OptimizeError;
use super::line_search::moved;
use super::settings::LineSearch;
use super::state::TrainingState;
use crate::field::residual::ResidualSystem;
use crate::linalg::norm;

/// What one iteration of a method did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub theta: Vec<f64>,
    pub loss: f64,
    /// 0: nothing lowered the loss, theta is what it was.
    pub step_length: f64,
    pub rank: usize,
    /// Damping or cutoff relative to the largest singular value of J.
    pub damping: f64,
    /// |grad R|.
    pub gradient_norm: f64,
    pub evaluations: usize,
    /// Of J, descending, as far as they are known.
    pub singular_values: Vec<f64>,
}

impl Step {
    /// No step at all.
    pub fn stay(theta: &[f64], loss: f64) -> Self {
        Self { theta: theta.to_vec(), loss, ..Self::default() }
    }
}

/// Where a method starts an iteration.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    pub theta: &'a [f64],
    /// R at theta.
    pub loss: f64,
    /// Iterations done before: numbers the random draws.
    pub iteration: usize,
}

/// A method: state that lasts from one iteration to the next, and the iteration.
pub trait Optimizer {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError>;

    /// Adds the state that the next iteration depends on.
    fn save(&self, _state: &mut TrainingState) {}

    /// The inverse of [`Optimizer::save`].
    fn restore(&mut self, _state: &TrainingState, _parameters: usize) -> Result<(), OptimizeError> {
        Ok(())
    }
}

/// Goes along `-direction` as far as the line search says.
pub async fn walk<S: ResidualSystem>(
    system: &mut S,
    start: Start<'_>,
    direction: &[f64],
    line_search: LineSearch,
) -> Result<Step, OptimizeError> {
    let (found, evaluations) =
        line_search.search(system, start.theta, direction, start.loss).await?;
    let mut step = Step::stay(start.theta, start.loss);
    step.evaluations = evaluations;
    if let Some(found) = found {
        step.theta = moved(start.theta, direction, found.step_length);
        step.loss = found.loss;
        step.step_length = found.step_length;
    }
    Ok(step)
}

/// How many of the descending singular values lie above `cutoff` times the largest.
pub fn rank(singular_values: &[f64], cutoff: f64) -> usize {
    let bound = cutoff * singular_values.first().copied().unwrap_or(0.0);
    singular_values.iter().take_while(|&&sigma| sigma > bound).count()
}

/// `|grad R| = 2 |J^T r|`.
pub fn gradient_norm(half: &[f64]) -> f64 {
    2.0 * norm(half)
}
