//! The loop that all methods share.

use super::dispatch::AnyOptimizer;
use super::error::OptimizeError;
use super::history::{TrainingHistory, TrainingRecord, TrainingSpectrum};
use super::settings::Method;
use super::state::{TrainingState, count, list, number};
use super::step::{Optimizer, Start};
use super::stopping::{StopReason, StoppingRule};
use crate::field::residual::ResidualSystem;

/// A loss that has grown by so many times that of the starting parameters does not come back.
const LOST: f64 = 1e6;

/// Minimises R(theta) of a residual system, one iteration at a time: no threads, no clock, no
/// files of its own.
///
/// ```
/// use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
/// use sketchpde_field::residual::{ResidualError, ResidualSystem};
/// use sketchpde_optimize::{Method, StoppingRule, Training};
///
/// /// r = (10 (y - x^2), 1 - x): Rosenbrock's function.
/// struct Rosenbrock;
///
/// impl ResidualSystem for Rosenbrock {
///     fn parameters(&self) -> usize {
///         2
///     }
///     fn rows(&self) -> usize {
///         2
///     }
///     async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
///         out.copy_from_slice(&[10.0 * (theta[1] - theta[0] * theta[0]), 1.0 - theta[0]]);
///         Ok(())
///     }
///     async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
///         let mut r = [0.0; 2];
///         let mut losses = Vec::new();
///         for theta in thetas {
///             self.residual(theta, &mut r).await?;
///             losses.push(r[0] * r[0] + r[1] * r[1]);
///         }
///         Ok(losses)
///     }
///     async fn jacobian(
///         &mut self,
///         theta: &[f64],
///         residual: &mut [f64],
///         mut jacobian: DMatrixViewMut<'_, f64>,
///     ) -> Result<(), ResidualError> {
///         (jacobian[(0, 0)], jacobian[(0, 1)]) = (-20.0 * theta[0], 10.0);
///         (jacobian[(1, 0)], jacobian[(1, 1)]) = (-1.0, 0.0);
///         self.residual(theta, residual).await
///     }
///     async fn jacobian_blocks(
///         &mut self,
///         theta: &[f64],
///         visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
///     ) -> Result<(), ResidualError> {
///         let mut jacobian = DMatrix::zeros(2, 2);
///         self.jacobian(theta, &mut [0.0; 2], jacobian.as_view_mut()).await?;
///         visit(0, jacobian.as_view());
///         Ok(())
///     }
/// }
///
/// let method = Method::of("lm").expect("a method");
/// let rule = StoppingRule { loss: Some(1e-20), ..StoppingRule::default() };
/// // A thread may wait for a device; a page, which must not, awaits the same futures.
/// pollster::block_on(async {
///     let mut training = Training::new(Rosenbrock, method, rule, vec![-1.2, 1.0], 0).await?;
///     while training.iterate().await?.reason.is_none() {}
///     assert!(training.parameters().iter().all(|x| (x - 1.0).abs() < 1e-9));
///     Ok::<(), sketchpde_optimize::OptimizeError>(())
/// })
/// .expect("a minimum");
/// ```
pub struct Training<S> {
    system: S,
    method: Method,
    optimizer: AnyOptimizer,
    rule: StoppingRule,
    theta: Vec<f64>,
    loss: f64,
    /// At the starting parameters.
    first_loss: f64,
    history: TrainingHistory,
    reason: Option<StopReason>,
}

/// Where a training stands after an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingReport {
    pub record: TrainingRecord,
    /// Why it is over, where it is.
    pub reason: Option<StopReason>,
}

impl<S: ResidualSystem> Training<S> {
    /// Starts from `theta`; `seed` is that of the random draws.
    ///
    /// # Errors
    /// Settings out of range, a wrong number of parameters, and a loss that is not finite.
    pub async fn new(
        mut system: S,
        method: Method,
        rule: StoppingRule,
        theta: Vec<f64>,
        seed: u64,
    ) -> Result<Self, OptimizeError> {
        method.check()?;
        let (expected, found) = (system.parameters(), theta.len());
        if expected != found {
            return Err(OptimizeError::Parameters { expected, found });
        }
        let loss = system.losses(&[&theta]).await?[0];
        if !loss.is_finite() {
            return Err(OptimizeError::LossNotFinite { iteration: 0, loss });
        }
        let optimizer = AnyOptimizer::new(&method, seed);
        let history = TrainingHistory::default();
        Ok(Self {
            system,
            method,
            optimizer,
            rule,
            theta,
            loss,
            first_loss: loss,
            history,
            reason: None,
        })
    }

    /// One iteration. Does nothing once the training is over.
    ///
    /// # Errors
    /// From the system and from linear algebra, sizes beyond memory, and a loss that is not finite.
    pub async fn iterate(&mut self) -> Result<TrainingReport, OptimizeError> {
        if self.reason.is_some() {
            return Ok(self.report());
        }
        let iteration = self.history.records.len();
        if self.system.begin_iteration(iteration, &self.theta).await? {
            self.loss = self.system.losses(&[&self.theta]).await?[0];
        }
        let start = Start { theta: &self.theta, loss: self.loss, iteration };
        let step = self.optimizer.step(&mut self.system, start).await?;
        if !step.loss.is_finite() {
            let (iteration, loss) = (iteration + 1, step.loss);
            return Err(OptimizeError::LossNotFinite { iteration, loss });
        }
        let record = TrainingRecord {
            iteration: iteration + 1,
            loss: step.loss,
            error: None,
            step_length: step.step_length,
            rank: step.rank,
            damping: step.damping,
            gradient_norm: step.gradient_norm,
            largest_singular_value: step.singular_values.first().copied().unwrap_or(0.0),
            evaluations: step.evaluations,
            seconds: 0.0,
        };
        (self.theta, self.loss) = (step.theta, step.loss);
        self.history.records.push(record);
        if !step.singular_values.is_empty() {
            self.history.keep(TrainingSpectrum {
                iteration: iteration + 1,
                singular_values: step.singular_values,
                cutoff: step.damping,
            });
        }
        self.decide(None);
        Ok(self.report())
    }

    /// Ends the training by what its rule does not see.
    pub fn end(&mut self, reason: StopReason) -> TrainingReport {
        self.reason = Some(reason);
        self.report()
    }

    /// Adds to the last iteration's record what only its caller knows: the error against a
    /// reference, which may end the training, and the time.
    pub fn observe(&mut self, error: Option<f64>, seconds: f64) -> TrainingReport {
        if let Some(record) = self.history.records.last_mut() {
            record.seconds = seconds;
            record.error = error.or(record.error);
            if self.reason.is_none() {
                self.decide(error);
            }
        }
        self.report()
    }

    fn decide(&mut self, error: Option<f64>) {
        let losses: Vec<f64> = self.history.records.iter().map(|record| record.loss).collect();
        // An energy may be negative: what counts is the growth.
        let grown = self.loss - self.first_loss > LOST * self.first_loss.abs();
        self.reason = match grown {
            true => Some(StopReason::Diverged),
            false => self.rule.check(&losses, error),
        };
    }

    fn report(&self) -> TrainingReport {
        let record = self.history.records.last().cloned().unwrap_or_default();
        TrainingReport { record, reason: self.reason }
    }

    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        &self.theta
    }

    /// R at the parameters.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// R at the starting parameters.
    #[must_use]
    pub fn first_loss(&self) -> f64 {
        self.first_loss
    }

    #[must_use]
    pub fn history(&self) -> &TrainingHistory {
        &self.history
    }

    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    #[must_use]
    pub fn rule(&self) -> &StoppingRule {
        &self.rule
    }

    /// Why the training is over, where it is.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.reason
    }

    #[must_use]
    pub fn system(&self) -> &S {
        &self.system
    }

    pub fn system_mut(&mut self) -> &mut S {
        &mut self.system
    }

    /// Changes the system into one with other values of the same loss, such as another precision's,
    /// and goes on from the same parameters.
    ///
    /// # Errors
    /// A loss that is not finite, in the changed system.
    pub async fn change_system(
        &mut self,
        change: impl AsyncFnOnce(&mut S),
    ) -> Result<(), OptimizeError> {
        change(&mut self.system).await;
        self.loss = self.system.losses(&[&self.theta]).await?[0];
        let (iteration, loss) = (self.history.records.len(), self.loss);
        if loss.is_finite() {
            Ok(())
        } else {
            Err(OptimizeError::LossNotFinite { iteration, loss })
        }
    }

    /// The state between two iterations.
    #[must_use]
    pub fn save(&self) -> TrainingState {
        let mut state = TrainingState::new();
        state.insert("training.parameters".into(), self.theta.clone());
        state.insert("training.loss".into(), vec![self.loss]);
        let reason = StopReason::ALL.iter().position(|known| Some(*known) == self.reason);
        state.insert("training.reason".into(), vec![reason.map_or(0.0, |k| (k + 1) as f64)]);
        self.history.save(&mut state);
        self.optimizer.save(&mut state);
        state.extend(self.system.save());
        state
    }

    /// Takes over the state that a training of the same system, method and seed saved; goes on from
    /// there to the same bits. A rule that allows more iterations reopens a training that is over.
    ///
    /// # Errors
    /// [`OptimizeError::State`] where an entry is missing or does not suit; the training is then
    /// not to be used any more.
    pub async fn restore(&mut self, state: &TrainingState) -> Result<(), OptimizeError> {
        let parameters = self.theta.len();
        self.theta = list(state, "training.parameters", Some(parameters))?.to_vec();
        self.loss = number(state, "training.loss")?;
        self.history = TrainingHistory::restore(state)?;
        let reason = count(state, "training.reason")?;
        self.reason = reason.checked_sub(1).and_then(|k| StopReason::ALL.get(k)).copied();
        let iterations = self.history.records.len();
        if let Some(last) = iterations.checked_sub(1) {
            // To the points of the last iteration: at them the saved loss was computed.
            self.system.begin_iteration(last, &self.theta).await?;
            self.system.restore(state)?;
        }
        if self.reason == Some(StopReason::MaxIterations) && iterations < self.rule.max_iterations {
            self.reason = None;
        }
        self.optimizer.restore(state, parameters)
    }
}
