//! A run: the state that moves on, step by step.

use super::attempt::{Outcome, StepReport};
use super::control::Controller;
use super::endless::Look;
use super::engine::Engine;
use super::error::{AttemptError, EvolveError};
use super::estimate::{Estimate, EvolutionEstimate};
use super::features::Features;
use super::rates::is_autonomous;
use super::sampling;
use super::stepping::{Methods, Stepping};
use super::subset::Subsets;
use crate::field::cpu::Field;
use crate::linalg::{self, LeastSquares, LeastSquaresError, norm};
use crate::problem::{
    MethodSettings, PointLayout, Problem, Sampling, Scheme, Update, natural_size,
};

/// A run whose steps shrink below this part of the whole time span, accepted or not, ends.
pub(super) const SMALLEST_STEP: f64 = 1e-7;
/// A solution that has grown this many times has blown up, finite as it may be.
const MOST_GROWTH: f64 = 1e6;
/// A fit of a fixed step that leaves more than this of its target has lost the solution.
const LOST: f64 = 0.5;

/// A solution that starts from zero is measured by where it goes, from the first step on; else 0.
fn size_from_zero(problem: &Problem, engine: &Engine) -> f64 {
    let (time, parameters) = (problem.time.start, problem.parameter_values());
    let mut places = engine.coordinates().chunks_exact(problem.dimensions());
    let zero =
        places.all(|x| problem.initial.iter().all(|u| u.evaluate_at(x, time, &parameters) == 0.0));
    if zero { natural_size(problem) * (engine.rows() as f64).sqrt() } else { 0.0 }
}

/// A solution on its way from the start time to the end.
pub struct Evolution {
    pub(super) engine: Engine,
    pub(super) problem: Problem,
    pub(super) methods: Methods,
    /// Whether the next step is implicit.
    pub(super) stepping: Stepping,
    /// Neither the equation nor its lift depends on time.
    pub(super) autonomous: bool,
    pub(super) subsets: Subsets,
    pub(super) squares: LeastSquares,
    pub(super) controller: Option<Controller>,
    pub(super) step: usize,
    pub(super) time: f64,
    pub(super) dt: f64,
    pub(super) theta: Vec<f64>,
    /// u and F at theta, once computed.
    pub(super) field: Option<Field>,
    pub(super) looked: Look,
    /// Of a run in the space of random features, from its first step on.
    pub(super) features: Option<Features>,
    /// Of the error; none where there is no way to know.
    pub(super) estimate: Option<Estimate>,
    /// max |u| of the first field that was seen.
    first_size: Option<f64>,
    /// How large the problem alone says that the solution is.
    natural: f64,
    /// The largest norm of the solution at the points so far.
    pub(super) size: f64,
    /// What accepted steps have left, over the size, of ways that no fit could go.
    ///
    /// Where a solution stands still, F is what the fit of the initial state has left of itself in
    /// derivatives: it is as large as it likes and cannot be followed, and a shorter step is no better.
    /// A fit that misses no more than any step's may is let go there, as long as all that was left is
    /// small.
    pub(super) lost: f64,
}

impl Evolution {
    /// # Errors
    /// When `theta` does not fit the network.
    pub fn new(problem: &Problem, engine: Engine, theta: Vec<f64>) -> Result<Self, EvolveError> {
        let expected = engine.network().parameters();
        if theta.len() != expected {
            return Err(EvolveError::Parameters { given: theta.len(), expected });
        }
        let method = &problem.method;
        let mut evolution = Self {
            methods: Methods::of(method),
            stepping: Stepping::default(),
            autonomous: is_autonomous(problem),
            subsets: Subsets::new(problem.seed, expected, method),
            squares: LeastSquares::default(),
            controller: None,
            step: 0,
            time: problem.time.start,
            dt: method.step,
            theta,
            field: None,
            first_size: None,
            natural: natural_size(problem),
            size: size_from_zero(problem, &engine),
            lost: 0.0,
            looked: Look { step: 0, time: problem.time.start },
            features: None,
            estimate: None,
            problem: problem.clone(),
            engine,
        };
        evolution.configure();
        let network = evolution.engine.network();
        evolution.estimate = Estimate::new(problem, network, &evolution.theta);
        evolution.begin_features()?;
        if evolution.problem.points.layout == PointLayout::Following {
            evolution.draw_points()?;
        }
        Ok(evolution)
    }

    /// Takes the solver and the controller from the problem's method.
    fn configure(&mut self) {
        let method = &self.problem.method;
        self.methods = Methods::of(method);
        if !self.methods.chooses {
            let implicit = method.integrator.is_implicit() && self.methods.rosenbrock.is_some();
            self.stepping = Stepping::fixed(implicit);
        }
        self.squares = LeastSquares::new(linalg::Settings {
            solver: method.solver,
            regularisation: method.regularisation,
            rcond: method.rcond.max(self.engine.noise()),
            seed: self.problem.seed,
            ..linalg::Settings::default()
        });
        self.controller = self.new_controller(self.stepping.implicit);
    }

    /// For explicit or implicit steps.
    pub(super) fn new_controller(&self, implicit: bool) -> Option<Controller> {
        let method = &self.problem.method;
        let order = self.methods.order(implicit);
        // The parameter ODE knows its error from an embedded method alone; without one its steps
        // stay as they are, rather than grow for want of an objection.
        let estimated = self.methods.tableau.error.is_some() || method.scheme == Scheme::StageFit;
        let tolerance = method.tolerance.filter(|_| estimated)?;
        Some(Controller::new(tolerance, order))
    }

    /// Changes the method while the run goes on (columns, rcond, step, scheme, ...).
    pub fn set_method(&mut self, method: MethodSettings) {
        let parameters = self.theta.len();
        let new = Subsets::new(self.problem.seed, parameters, &method);
        let old = std::mem::replace(&mut self.subsets, new);
        self.subsets.epoch = old.epoch;
        if self.subsets.adaptive && old.adaptive {
            self.subsets.count = old.count;
        }
        self.dt = method.step;
        self.look();
        self.problem.method = method;
        self.configure();
    }

    /// Changes the problem's named parameters while the run goes on.
    ///
    /// # Errors
    /// When the device fails.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<(), EvolveError> {
        for (parameter, &value) in self.problem.parameters.iter_mut().zip(values) {
            parameter.value = value;
        }
        self.field = None;
        if let Some(features) = &mut self.features {
            features.set_parameters(values);
        }
        if let Some(estimate) = &mut self.estimate {
            estimate.set_parameters(values, &self.theta, self.time);
        }
        self.engine.set_parameters(values)
    }

    /// What is known of the error without a reference, as of the last time that it was carried on;
    /// none where points are drawn from a density.
    #[must_use]
    pub fn estimated_error(&self) -> Option<&EvolutionEstimate> {
        self.estimate.as_ref()?.latest()
    }

    /// The run has begun with another state than the problem's: its start has no error.
    pub fn forget_the_start(&mut self) {
        if let Some(estimate) = &mut self.estimate {
            estimate.forget_the_start();
        }
    }

    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, for another run.
    #[must_use]
    pub fn into_engine(self) -> Engine {
        self.engine
    }

    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    #[must_use]
    pub fn time(&self) -> f64 {
        self.time
    }

    #[must_use]
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// Has the end time been reached, to within round-off?
    #[must_use]
    pub fn finished(&self) -> bool {
        let span = self.problem.time.end - self.problem.time.start;
        self.problem.time.end - self.time <= 1e-12 * span.abs()
    }

    /// u at any points (point-major), now.
    #[must_use]
    pub fn evaluate(&self, coordinates: &[f64]) -> Vec<f64> {
        self.engine.evaluate(&self.theta, self.time, coordinates)
    }

    /// Singular values of the Jacobian's columns that the next step would choose, descending.
    ///
    /// # Errors
    /// When the device fails or J is not finite.
    pub async fn spectrum(&mut self) -> Result<Vec<f64>, EvolveError> {
        if let Some(features) = &self.features {
            return Ok(features.singular_values().to_vec());
        }
        self.prepare_draws()?;
        let directions = self.subsets.clone().draw();
        let columns = directions.columns(&mut self.engine, &self.theta, self.time).await?;
        linalg::singular_values(columns.to_double().as_view())
            .map_err(|source| self.unsolvable(source))
    }

    pub(super) fn unsolvable(&self, source: LeastSquaresError) -> EvolveError {
        EvolveError::LeastSquares { step: self.step + 1, time: self.time, source }
    }

    pub(super) fn not_finite(&self, what: &'static str) -> EvolveError {
        EvolveError::NotFinite { step: self.step + 1, time: self.time, what }
    }

    /// Moves on by one step; with a tolerance, by one that meets it.
    ///
    /// # Errors
    /// When the solution is no longer finite, no step is short enough, or the device fails.
    pub async fn step(&mut self) -> Result<StepReport, EvolveError> {
        if self.problem.method.scheme == Scheme::RandomFeatures {
            return self.feature_step();
        }
        let mut rejected = 0;
        self.prepare_draws()?;
        let (outcome, dt) = loop {
            let left = self.problem.time.end - self.time;
            if let Some(found) = self.other_way(left).await? {
                break found;
            }
            // A remainder that is all but a whole step is taken as one.
            let dt = if self.dt > left * (1.0 - 1e-9) { left } else { self.dt };
            let outcome = self.outcome(self.stepping.implicit, dt).await?;
            let (reached, residual) = (outcome.error.unwrap_or(0.0), outcome.report.residual);
            let fits = self.problem.method.scheme == Scheme::StageFit;
            if self.controller.is_none() && fits && residual > LOST {
                return Err(EvolveError::Lost { step: self.step + 1, time: self.time, residual });
            }
            if self.controlled(dt, reached)? {
                break (outcome, dt);
            }
            rejected += 1;
        };
        let mut report = self.accept(outcome, dt, rejected).await?;
        self.gets_on()?;
        if self.refit_is_due() {
            report.refit_error = Some(self.refit().await?);
        }
        report.fresh_start = self.start_afresh().await?;
        if let Some((_, error)) = report.fresh_start.and_then(|found| found.after) {
            report.refit_error = Some(error);
        }
        if self.draw_is_due() {
            self.draw_points()?;
        }
        Ok(report)
    }

    /// An attempt at a step; one whose equations cannot be solved is hopeless where a shorter one
    /// may follow.
    pub(super) async fn outcome(
        &mut self,
        implicit: bool,
        dt: f64,
    ) -> Result<Outcome, EvolveError> {
        let field = self.current_field().await?;
        let outcome = match self.attempt(&field, implicit, dt).await {
            Ok(outcome) => outcome,
            Err(AttemptError::Evolve(error)) => return Err(error),
            Err(AttemptError::LeastSquares(_)) if self.controller.is_some() => Outcome::hopeless(),
            Err(AttemptError::LeastSquares(source)) => return Err(self.blown_up(source)),
        };
        if let Some(seen) = outcome.seen {
            self.subsets.follow(self.engine.rows(), seen);
        }
        Ok(outcome)
    }

    /// Whether a step of that length and error stands, and the length of the next one.
    fn controlled(&mut self, dt: f64, reached: f64) -> Result<bool, EvolveError> {
        let span = (self.problem.time.end - self.problem.time.start).abs();
        let Some(controller) = &mut self.controller else { return Ok(true) };
        let (accepted, factor) = controller.judge(reached);
        let tolerance = controller.tolerance();
        self.stepping.attempted(accepted, factor);
        // The last step is cut to the end; the next run of it should not remember that.
        let cut = accepted && dt < self.dt;
        self.dt = if cut { self.dt } else { dt * factor };
        // A first step that was set shorter still may grow.
        let shrunk = self.dt < SMALLEST_STEP * span && factor <= 1.0;
        let way_out = self.methods.chooses && self.stepping.try_the_other().is_some();
        if shrunk && !way_out && !self.subsets.double(self.engine.rows()) {
            let (time, dt) = (self.time, self.dt);
            return Err(EvolveError::StepTooSmall { time, dt, tolerance, reached });
        }
        Ok(accepted)
    }

    /// Weighs the parameters for the subsets of a step from theta.
    fn prepare_draws(&mut self) -> Result<(), EvolveError> {
        let method = &self.problem.method;
        if method.sampling == Sampling::Uniform || method.update == Update::Dense {
            return Ok(());
        }
        let (at, count) = ((self.theta.as_slice(), self.time), self.subsets.count);
        let how = sampling::draw(method.sampling, &self.problem, &self.engine, at, count);
        self.subsets.how = how.map_err(|source| self.blown_up(source))?;
        Ok(())
    }

    async fn accept(
        &mut self,
        outcome: Outcome,
        dt: f64,
        rejected: usize,
    ) -> Result<StepReport, EvolveError> {
        if outcome.theta.iter().any(|v| !v.is_finite()) {
            return Err(self.not_finite("a parameter of the network"));
        }
        self.theta = outcome.theta;
        self.lost += outcome.lost;
        self.step += 1;
        let summed = self.time + dt;
        // Fixed steps count in whole steps, so that rounding does not pile up over a long run.
        let start = self.problem.time.start;
        let counted = start + self.step as f64 * self.problem.method.step;
        let fixed = self.controller.is_none() && (counted - self.time - dt).abs() < 1e-9 * dt;
        let end = self.problem.time.end;
        // Neither sum need be the end time to the last bit.
        let last = dt == end - self.time;
        self.time = if last {
            end
        } else if fixed {
            counted
        } else {
            summed
        };
        // A field at another time, if only by rounding, would make a resumed run differ.
        self.field = outcome.field.filter(|_| self.time == summed);
        let report =
            StepReport { step: self.step, time: self.time, dt, rejected, ..outcome.report };
        match self.field.take() {
            Some(field) => self.keep(field)?,
            None => drop(self.current_field().await?),
        }
        let finished = self.finished();
        if let Some(estimate) = &mut self.estimate {
            estimate.step(&self.theta, self.time, finished);
        }
        Ok(report)
    }

    /// The field at theta, computed once; an error where it is not finite.
    pub(super) async fn current_field(&mut self) -> Result<Field, EvolveError> {
        if let Some(field) = &self.field {
            return Ok(field.clone());
        }
        let field = match self.problem.method.scheme {
            Scheme::StageFit => self.engine.linearise(&self.theta, self.time).await?,
            Scheme::ParameterOde | Scheme::RandomFeatures => {
                self.engine.field(&self.theta, self.time).await?
            }
        };
        self.keep(field.clone())?;
        Ok(field)
    }

    /// Keeps the field at theta if it is finite.
    pub(super) fn keep(&mut self, field: Field) -> Result<(), EvolveError> {
        let (step, time) = (self.step, self.time);
        if field.values.iter().any(|v| !v.is_finite()) {
            return Err(EvolveError::NotFinite { step, time, what: "the solution" });
        }
        if field.right_hand_side.iter().any(|v| !v.is_finite()) {
            return Err(EvolveError::NotFinite { step, time, what: "the right-hand side" });
        }
        self.size = self.size.max(norm(&field.values));
        let size = field.values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
        let first = *self.first_size.get_or_insert(size);
        if size > MOST_GROWTH * first.max(self.natural) {
            return Err(EvolveError::Grown { step, time, size });
        }
        self.field = Some(field);
        Ok(())
    }

    /// What a least-squares failure means: usually a solution that is no longer finite.
    fn blown_up(&self, source: LeastSquaresError) -> EvolveError {
        match source {
            LeastSquaresError::MatrixNotFinite { .. } | LeastSquaresError::Overflow { .. } => {
                self.not_finite("the Jacobian")
            }
            LeastSquaresError::RightHandSideNotFinite { .. } => {
                self.not_finite("the right-hand side of a stage")
            }
            source => self.unsolvable(source),
        }
    }
}
