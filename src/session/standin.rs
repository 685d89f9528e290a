//! Stand-in for `evolve`, with its planned shape; to be deleted when that arrives.

use crate::problem::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendChoice {
    Auto,
    Cpu,
    Gpu,
}

#[derive(Clone, Debug)]
pub struct Description {
    pub backend: String,
    pub device: String,
    pub precision: String,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvolveError {
    #[error("the solution is no longer finite: {what} at step {step}, t = {time}")]
    NotFinite { step: usize, time: f64, what: &'static str },
    #[error("no usable device")]
    NoDevice,
}

pub struct Engine {
    choice: BackendChoice,
}

impl Engine {
    pub async fn new(
        _problem: &Problem,
        choice: BackendChoice,
        _adapter: Option<&str>,
    ) -> Result<Self, EvolveError> {
        if choice == BackendChoice::Gpu { Err(EvolveError::NoDevice) } else { Ok(Self { choice }) }
    }
    pub fn describe(&self) -> Description {
        let _ = self.choice;
        Description { backend: "cpu".into(), device: "cpu".into(), precision: "f64".into() }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct FitReport {
    pub iteration: usize,
    pub relative_l2: f64,
    pub done: bool,
}

pub struct InitialFit {
    iteration: usize,
    theta: Vec<f64>,
}

impl InitialFit {
    pub fn new(problem: &Problem) -> Result<Self, EvolveError> {
        let parameters = crate::network::Network::of(problem).parameters();
        Ok(Self { iteration: 0, theta: vec![1.0; parameters] })
    }
    pub fn iterate(&mut self) -> Result<FitReport, EvolveError> {
        self.iteration += 1;
        Ok(FitReport {
            iteration: self.iteration,
            relative_l2: 0.5f64.powi(self.iteration as i32),
            done: self.iteration >= 20,
        })
    }
    pub fn parameters(&self) -> &[f64] {
        &self.theta
    }
}

#[derive(Clone, Debug)]
pub struct StepReport {
    pub step: usize,
    pub time: f64,
    pub dt: f64,
    pub residual: f64,
    pub rank: usize,
    pub largest_singular_value: f64,
    pub singular_values: Option<Vec<f64>>,
    pub columns: Vec<u32>,
    pub corrections: usize,
    pub rejected: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EvolutionState {
    pub step: usize,
    pub time: f64,
    pub theta: Vec<f64>,
}

pub struct Evolution {
    problem: Problem,
    state: EvolutionState,
}

impl Evolution {
    pub fn new(problem: &Problem, _engine: &Engine, theta: Vec<f64>) -> Result<Self, EvolveError> {
        let state = EvolutionState { step: 0, time: problem.time.start, theta };
        Ok(Self { problem: problem.clone(), state })
    }
    pub async fn step(&mut self) -> Result<StepReport, EvolveError> {
        let dt = self.problem.method.step.min(self.problem.time.end - self.state.time);
        std::thread::sleep(std::time::Duration::from_millis(3));
        self.state.step += 1;
        self.state.time = self.problem.time.start + self.state.step as f64 * dt;
        self.state.theta[0] *= 1.0 - dt;
        if self.problem.method.rcond < 1e-12 && self.state.step > 20 {
            return Err(EvolveError::NotFinite {
                step: self.state.step,
                time: self.state.time,
                what: "the residual",
            });
        }
        Ok(StepReport {
            step: self.state.step,
            time: self.state.time,
            dt,
            residual: 1e-5,
            rank: self.problem.method.columns,
            largest_singular_value: 1.0,
            singular_values: None,
            columns: vec![0],
            corrections: 2,
            rejected: 0,
        })
    }
    pub fn time(&self) -> f64 {
        self.state.time
    }
    pub fn theta(&self) -> &[f64] {
        &self.state.theta
    }
    pub async fn evaluate(&mut self, coordinates: &[f64]) -> Result<Vec<f64>, EvolveError> {
        let amplitude = self.state.theta[0];
        let dimensions = self.problem.coordinates.len();
        Ok(coordinates.chunks(dimensions).map(|x| amplitude * x[0].sin()).collect())
    }
    pub fn save(&self) -> EvolutionState {
        self.state.clone()
    }
    pub fn restore(&mut self, state: EvolutionState) {
        self.state = state;
    }
}
