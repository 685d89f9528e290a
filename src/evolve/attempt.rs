//! Attempts at a step, by either scheme, and what the controller sees of them.

use super::error::AttemptError;
use super::evolution::Evolution;
use super::fresh_start::FreshStart;
use super::growth::Seen;
use super::{implicit_fit, parameter_ode, stage_fit};
use crate::field::cpu::Field;
use crate::problem::{Precision, Scheme};

/// Fits aim this far below the step's tolerance, so that their errors do not add up to it.
const FIT_SHARE: f64 = 0.2;
/// With fixed steps a fit stops here at the latest.
const FIT_FLOOR: f64 = 1e-9;
/// Damping below this multiple of the largest singular value drowns in the Gram matrix.
pub(super) const LEAST_DAMPING: f64 = 1e-7;

/// So many steps' tolerance may be left, over a whole run, of ways that no fit can go: ordinary steps
/// may err as much together.
const LET_GO: f64 = 100.0;
/// A solution stands still where at its pace it would go this part of its size until the end.
const STILL: f64 = 1e-3;

/// What one accepted step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Steps so far, this one included.
    pub step: usize,
    /// Time after the step.
    pub time: f64,
    pub dt: f64,
    /// Stage fits: |w - u| / |u| of the fitted step. Parameter ODE: |J v - F| / |F|.
    pub residual: f64,
    pub rank: usize,
    pub largest_singular_value: f64,
    /// Where the solver computes them anyway; [`Evolution::spectrum`] always does.
    pub singular_values: Option<Vec<f64>>,
    /// s: columns of the step's least-squares problems.
    pub count: usize,
    /// The parameters that the step's first subset chose.
    pub columns: Vec<u32>,
    pub corrections: usize,
    /// Whether its stages were implicit.
    pub implicit: bool,
    /// Attempts that were thrown away before this one.
    pub rejected: usize,
    /// Relative L2 error of the fit of a fresh network, where one followed.
    pub refit_error: Option<f64>,
    /// What was done about badly placed parameters after it, where it was time to judge them.
    pub fresh_start: Option<FreshStart>,
}

/// One attempt, of either scheme.
pub(super) struct Outcome {
    /// What it says about s; nothing where it came to nothing.
    pub seen: Option<Seen>,
    pub theta: Vec<f64>,
    /// What the controller judges.
    pub error: Option<f64>,
    /// What it leaves of a way that it cannot go, where that is let go ([`Evolution::lost`]); else 0.
    pub lost: f64,
    /// u and F after the step, where the scheme has computed them.
    pub field: Option<Field>,
    pub report: StepReport,
}

impl Evolution {
    pub(super) async fn attempt(
        &mut self,
        field: &Field,
        implicit: bool,
        dt: f64,
    ) -> Result<Outcome, AttemptError> {
        match self.problem.method.scheme {
            Scheme::StageFit => self.attempt_fit(field, implicit, dt).await,
            Scheme::ParameterOde | Scheme::RandomFeatures => self.attempt_ode(field, dt).await,
        }
    }

    async fn attempt_fit(
        &mut self,
        field: &Field,
        implicit: bool,
        dt: f64,
    ) -> Result<Outcome, AttemptError> {
        let method = &self.problem.method;
        let floor = if self.problem.precision == Precision::F32 { 1e-6 } else { FIT_FLOOR };
        let rosenbrock = self.methods.rosenbrock.filter(|_| implicit);
        let implicit = rosenbrock.is_some();
        let settings = stage_fit::Settings {
            tableau: self.methods.tableau,
            rcond: method.rcond.max(LEAST_DAMPING).max(self.engine.noise()),
            corrections: method.corrections
                * if implicit { implicit_fit::MORE_CORRECTIONS } else { 1 },
            patience: if implicit { implicit_fit::PATIENCE } else { stage_fit::PATIENCE },
            target: method.tolerance.map_or(floor, |t| (FIT_SHARE * t).max(floor)),
            floor,
            size: self.size,
        };
        let (at, from) = ((self.time, dt), (self.theta.as_slice(), field));
        let (engine, subsets, memory) = (&mut self.engine, &mut self.subsets, &mut self.squares);
        let attempt = match &rosenbrock {
            Some(method) => {
                let how = (method, self.autonomous);
                implicit_fit::attempt(engine, &settings, how, subsets, memory, from, at).await?
            }
            None => stage_fit::attempt(engine, &settings, subsets, memory, from, at).await?,
        };
        // `f64::max` would drop what is not a number.
        let spare = method.tolerance.map_or(0.0, |tolerance| LET_GO * tolerance - self.lost);
        // The way |w - u| is |w - u(theta')| over the part that is left.
        let pace = attempt.residual / attempt.left
            * (self.problem.time.end - self.problem.time.start)
            / dt;
        let still = attempt.left > 0.0 && pace <= STILL;
        let let_go = still && attempt.residual <= settings.target.min(spare);
        let (left, lost) = if let_go { (0.0, attempt.residual) } else { (attempt.left, 0.0) };
        let parts = [attempt.error.unwrap_or(0.0), attempt.missed, attempt.roughness, left];
        let whole = parts.iter().all(|part| part.is_finite());
        let error = if whole { parts.into_iter().fold(0.0, f64::max) } else { f64::INFINITY };
        let (corrections, most, rank) = (attempt.corrections, method.corrections, attempt.rank);
        let seen = match attempt.missed > method.tolerance.unwrap_or(settings.target) {
            true => Seen::Missed { rank },
            false => Seen::Met { corrections, most, rank },
        };
        Ok(Outcome {
            seen: Some(seen),
            theta: attempt.theta,
            error: Some(error),
            lost,
            report: StepReport {
                residual: attempt.residual,
                rank: attempt.rank,
                count: attempt.count,
                largest_singular_value: attempt.largest,
                columns: attempt.chosen,
                corrections: attempt.corrections,
                implicit,
                ..StepReport::empty()
            },
            field: Some(attempt.field),
        })
    }

    async fn attempt_ode(&mut self, field: &Field, dt: f64) -> Result<Outcome, AttemptError> {
        let at = (self.time, dt);
        let attempt = parameter_ode::attempt(
            &mut self.engine,
            &self.methods.tableau,
            &mut self.squares,
            &mut self.subsets,
            (&self.theta, field),
            at,
        );
        let attempt = attempt.await?;
        Ok(Outcome {
            seen: Some(Seen::Rank(attempt.rank)),
            theta: attempt.theta,
            error: attempt.error,
            lost: 0.0,
            field: None,
            report: StepReport {
                residual: attempt.residual,
                rank: attempt.rank,
                count: attempt.count,
                largest_singular_value: attempt.largest,
                singular_values: Some(attempt.singular_values).filter(|s| !s.is_empty()),
                columns: attempt.chosen,
                ..StepReport::empty()
            },
        })
    }
}

impl Outcome {
    /// An attempt without a result: the controller rejects it.
    pub(super) fn hopeless() -> Self {
        Self {
            seen: None,
            theta: Vec::new(),
            error: Some(f64::INFINITY),
            lost: 0.0,
            field: None,
            report: StepReport::empty(),
        }
    }
}

impl StepReport {
    fn empty() -> Self {
        Self {
            step: 0,
            time: 0.0,
            dt: 0.0,
            residual: f64::NAN,
            rank: 0,
            largest_singular_value: 0.0,
            singular_values: None,
            count: 0,
            columns: Vec::new(),
            corrections: 0,
            implicit: false,
            rejected: 0,
            refit_error: None,
            fresh_start: None,
        }
    }
}
