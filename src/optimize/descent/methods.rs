//! The gradient methods as methods of a training.

use nalgebra::DMatrix;

use super::adam::{Adam, cosine};
use super::bfgs::Bfgs;
use super::lbfgs::Lbfgs;
use super::{QuasiNewton, Sample, dot};
use crate::error::OptimizeError;
use crate::field::residual::{ResidualError, ResidualSystem};
use crate::line_search::or_infinite;
use crate::settings::{AdamSettings, LbfgsSettings, Schedule};
use crate::state::{TrainingState, count, list};
use crate::step::{Optimizer, Start, Step};

/// The most parameters for which BFGS holds its p x p matrix (512 MiB).
const MOST_DENSE: usize = 8_192;

#[derive(Debug)]
pub struct AdamMethod {
    settings: AdamSettings,
    adam: Adam,
}

impl AdamMethod {
    pub fn new(settings: AdamSettings) -> Self {
        Self { settings, adam: Adam::default() }
    }
}

impl Optimizer for AdamMethod {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        if self.adam.first.is_empty() {
            self.adam = Adam::new(start.theta.len());
        }
        let mut gradient = vec![0.0; start.theta.len()];
        system.gradient(start.theta, &mut gradient).await?;
        let rate = match self.settings.schedule {
            Schedule::Constant => self.settings.rate,
            Schedule::Cosine { period } => self.settings.rate * cosine(self.adam.steps, period),
        };
        let mut theta = start.theta.to_vec();
        self.adam.step(&mut theta, &gradient, rate);
        let loss = system.losses(&[&theta]).await?[0];
        let gradient_norm = dot(&gradient, &gradient).sqrt();
        Ok(Step {
            theta,
            loss,
            step_length: rate,
            gradient_norm,
            evaluations: 1,
            ..Step::default()
        })
    }

    fn save(&self, state: &mut TrainingState) {
        state.insert("adam.steps".into(), vec![self.adam.steps as f64]);
        state.insert("adam.first".into(), self.adam.first.clone());
        state.insert("adam.second".into(), self.adam.second.clone());
    }

    fn restore(&mut self, state: &TrainingState, parameters: usize) -> Result<(), OptimizeError> {
        let steps = count(state, "adam.steps")? as u64;
        let length = Some(if steps == 0 { 0 } else { parameters });
        self.adam = Adam {
            steps,
            first: list(state, "adam.first", length)?.to_vec(),
            second: list(state, "adam.second", length)?.to_vec(),
        };
        Ok(())
    }
}

#[derive(Debug)]
pub struct LbfgsMethod {
    lbfgs: Lbfgs,
    last: LastSample,
}

impl LbfgsMethod {
    pub fn new(settings: LbfgsSettings) -> Self {
        let lbfgs = Lbfgs { memory: settings.memory.max(1), ..Lbfgs::default() };
        Self { lbfgs, last: LastSample::default() }
    }
}

impl Optimizer for LbfgsMethod {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        self.last.quasi_newton(&mut self.lbfgs, system, start).await
    }

    fn save(&self, state: &mut TrainingState) {
        state.insert("lbfgs.pairs".into(), self.lbfgs.save());
        self.last.save(state);
    }

    fn restore(&mut self, state: &TrainingState, parameters: usize) -> Result<(), OptimizeError> {
        let entry = "lbfgs.pairs";
        let pairs = list(state, entry, None)?;
        self.lbfgs = Lbfgs::restored(self.lbfgs.memory, pairs, parameters)
            .ok_or_else(|| OptimizeError::State { entry: entry.to_owned() })?;
        self.last = LastSample::restored(state, parameters)?;
        Ok(())
    }
}

#[derive(Debug, Default)]
pub struct BfgsMethod {
    bfgs: Bfgs,
    last: LastSample,
}

impl Optimizer for BfgsMethod {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        let parameters = start.theta.len();
        if parameters > MOST_DENSE {
            return Err(OptimizeError::TooLarge {
                method: "bfgs",
                parameters,
                rows: system.rows(),
                bytes: 8 * parameters * parameters,
                limit: 8 * MOST_DENSE * MOST_DENSE,
            });
        }
        self.last.quasi_newton(&mut self.bfgs, system, start).await
    }

    fn save(&self, state: &mut TrainingState) {
        state.insert("bfgs.inverse".into(), self.bfgs.inverse.as_slice().to_vec());
        self.last.save(state);
    }

    fn restore(&mut self, state: &TrainingState, parameters: usize) -> Result<(), OptimizeError> {
        let entry = "bfgs.inverse";
        let entries = list(state, entry, None)?;
        let order = match entries.len() {
            0 => 0,
            length if length == parameters * parameters => parameters,
            _ => return Err(OptimizeError::State { entry: entry.to_owned() }),
        };
        self.bfgs.inverse = DMatrix::from_column_slice(order, order, entries);
        self.last = LastSample::restored(state, parameters)?;
        Ok(())
    }
}

/// The value and gradient at the end of the last iteration, where the next one starts.
#[derive(Debug, Default)]
struct LastSample(Option<Sample>);

/// Its entry in saved states: parameters, value and gradient, or nothing.
const LAST: &str = "descent.last";

impl LastSample {
    fn save(&self, state: &mut TrainingState) {
        let list = self.0.iter().flat_map(|sample| {
            let value = std::iter::once(sample.value);
            sample.theta.iter().copied().chain(value).chain(sample.gradient.iter().copied())
        });
        state.insert(LAST.to_owned(), list.collect());
    }

    fn restored(state: &TrainingState, parameters: usize) -> Result<Self, OptimizeError> {
        let list = list(state, LAST, None)?;
        if list.is_empty() {
            return Ok(Self(None));
        }
        if list.len() != 2 * parameters + 1 {
            return Err(OptimizeError::State { entry: LAST.to_owned() });
        }
        let (theta, rest) = list.split_at(parameters);
        let (theta, gradient) = (theta.to_vec(), rest[1..].to_vec());
        Ok(Self(Some(Sample { theta, value: rest[0], gradient })))
    }

    async fn quasi_newton<S: ResidualSystem>(
        &mut self,
        method: &mut impl QuasiNewton,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        let mut evaluations = 0;
        let mut objective = async |theta: &[f64]| -> Result<(f64, Vec<f64>), OptimizeError> {
            evaluations += 1;
            let mut gradient = vec![0.0; theta.len()];
            match system.gradient(theta, &mut gradient).await {
                Ok(value) => Ok((or_infinite(value), gradient)),
                // A trial step may go too far.
                Err(ResidualError::NotFinite { .. }) => Ok((f64::INFINITY, gradient)),
                Err(error) => Err(error.into()),
            }
        };
        // The loss differs where other points were drawn meanwhile.
        let kept = self.0.take();
        let from = match kept.filter(|s| s.theta == start.theta && s.value == start.loss) {
            Some(sample) => sample,
            None => Sample::new(start.theta.to_vec(), &mut objective).await?,
        };
        let gradient_norm = dot(&from.gradient, &from.gradient).sqrt();
        let next = method.step(&from, &mut objective).await?;
        let done = match next {
            None => Step::stay(start.theta, start.loss),
            Some(next) => {
                let done = Step {
                    theta: next.theta.clone(),
                    loss: next.value,
                    step_length: 1.0,
                    ..Step::default()
                };
                self.0 = Some(next);
                done
            }
        };
        Ok(Step { gradient_norm, evaluations, ..done })
    }
}
