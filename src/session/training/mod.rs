//! A training under way: the problem, its optimiser and the comparison with the exact solution.

mod judgement;
mod system;
#[cfg(test)]
mod tests;

pub use system::TrainingSystem;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use self::judgement::judgement;
use super::Clock;
use crate::field::device::Description;
use crate::field::gpu::{Gpu, GpuError};
use crate::field::residual::{Comparison, ResidualError, ResidualSystem};
use crate::network::Network;
use crate::optimize::{
    Convergence, Correction, ErrorEstimate, Method, OptimizeError, Stall, StopReason, StoppingRule,
    Training, TrainingHistory, TrainingRecord, TrainingReport, TrainingState, Uncertainty,
    Untrained, beyond_precision, correct, estimate, uncertainty,
};
use crate::output::{Axis, SpaceTimeField};
use crate::problem::{Points, Precision, ResidualProblem};
use crate::reference::{ReferenceError, companion_values};

/// Iterations between two measurements of the error: rarely enough that they cost little.
fn error_interval(method: &Method) -> usize {
    match method {
        Method::Adam(_) => 100,
        Method::Lbfgs(_) | Method::Bfgs => 20,
        _ => 5,
    }
}

/// When a training in f32 goes on with residuals in f64: its loss has then come down to the noise of
/// single precision.
const NOISE: Stall = Stall { patience: 10, factor: 0.8 };

/// Where a training stands, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingStatus {
    pub iteration: usize,
    pub iterations: usize,
    pub loss: f64,
    /// As last measured.
    pub error: Option<f64>,
    pub step_length: f64,
    pub rank: usize,
    pub seconds: f64,
    /// Until all iterations are done, at the pace so far.
    pub seconds_left: Option<f64>,
}

/// One training from the starting parameters to its end; no thread and no clock of its own.
pub struct TrainingSession {
    problem: ResidualProblem,
    training: Training<TrainingSystem>,
    comparison: Comparison,
    /// With what the problem file says of the solution at single points.
    known: Option<Comparison>,
    clock: Clock,
    seconds: f64,
    error: Option<f64>,
    /// At the present parameters, once it was asked for.
    /// Or why there is none.
    estimate: OnceLock<Result<ErrorEstimate, String>>,
    /// The same of the constants that were found.
    uncertainty: OnceLock<Result<Option<Uncertainty>, String>>,
    /// Of the parameters at the end, where the problem asks for one.
    correction: Option<Correction>,
    /// The search for what needs no training, once it has begun; nothing where it cannot.
    untrained: Option<Option<Untrained>>,
    /// The iteration after which the precision went from f32 to mixed.
    mixed_after: Option<usize>,
    /// Whether the device has no longer numbers than f32.
    only_single: bool,
    /// How many records the snapshots have shown already.
    shown: usize,
}

/// From the first iteration on an answer is looked for that needs no training, a stage an iteration; after so
/// many a correction of the trained network, then after twice as many, and so on.
const FIRST_LOOK: usize = 32;

/// Of a saved state: the iteration after which the precision changed, if it did.
const MIXED_AFTER: &str = "session.mixed";
/// Seconds of the runs before this one, in a saved state.
const SECONDS: &str = "session.seconds";

impl TrainingSession {
    /// Begins on the CPU at the starting parameters of the problem's seed.
    ///
    /// # Errors
    /// As [`Training::new`].
    pub async fn new(problem: &ResidualProblem, clock: Clock) -> Result<Self, OptimizeError> {
        Self::on(TrainingSystem::on_cpu(problem), problem, clock).await
    }

    /// The same on a system that was made for the problem.
    ///
    /// # Errors
    /// As [`Training::new`].
    pub async fn on(
        system: TrainingSystem,
        problem: &ResidualProblem,
        clock: Clock,
    ) -> Result<Self, OptimizeError> {
        let theta = system.initial_parameters();
        let (method, rule) = (Method::chosen(&problem.method), StoppingRule::chosen(problem));
        Ok(Self {
            training: Training::new(system, method, rule, theta, problem.seed).await?,
            comparison: Comparison::new(problem),
            known: problem
                .known
                .as_ref()
                .map(|known| Comparison::at(problem, &known.points).against(known.values.clone())),
            problem: problem.clone(),
            clock,
            seconds: 0.0,
            error: None,
            estimate: OnceLock::new(),
            uncertainty: OnceLock::new(),
            correction: None,
            untrained: None,
            mixed_after: None,
            only_single: false,
            shown: 0,
        })
    }

    /// Goes on from a saved state of the same problem, on the CPU.
    ///
    /// # Errors
    /// As [`Training::new`] and [`Training::restore`].
    pub async fn restore(
        problem: &ResidualProblem,
        state: &TrainingState,
        clock: Clock,
    ) -> Result<Self, OptimizeError> {
        Self::restore_on(TrainingSystem::on_cpu(problem), problem, state, clock).await
    }

    /// The same on a system that was made for the problem.
    ///
    /// # Errors
    /// As [`Training::new`] and [`Training::restore`].
    pub async fn restore_on(
        system: TrainingSystem,
        problem: &ResidualProblem,
        state: &TrainingState,
        clock: Clock,
    ) -> Result<Self, OptimizeError> {
        let mut session = Self::on(system, problem, clock).await?;
        if let Some(&[iteration]) = state.get(MIXED_AFTER).map(Vec::as_slice) {
            session.go_on_mixed(iteration as usize).await?;
        }
        session.training.restore(state).await?;
        session.seconds = match state.get(SECONDS).map(Vec::as_slice) {
            Some(&[seconds]) => seconds,
            _ => return Err(OptimizeError::State { entry: SECONDS.to_owned() }),
        };
        session.error = session.training.history().records.iter().rev().find_map(|r| r.error);
        if session.is_over() {
            session.end_again();
        }
        Ok(session)
    }

    /// Back to the starting parameters, on the same device.
    ///
    /// # Errors
    /// As [`Training::new`], and when the device fails.
    pub async fn begin_anew(&mut self) -> Result<(), OptimizeError> {
        let system = self.training.system().renewed(&self.problem).await;
        let system = system.map_err(ResidualError::from)?;
        let fresh = Self::on(system, &self.problem, self.clock).await?;
        self.take_over(fresh);
        Ok(())
    }

    /// Goes on from where it is on the CPU, as after the loss of a device.
    ///
    /// # Errors
    /// As [`TrainingSession::restore`]; nothing has changed then.
    pub async fn go_on_on_cpu(&mut self) -> Result<(), OptimizeError> {
        let mut moved = Self::restore(&self.problem, &self.save(), self.clock).await?;
        // The loss is not the same to the last bit where its numbers are others.
        moved.training.change_system(async |_| {}).await?;
        self.take_over(moved);
        Ok(())
    }

    /// Becomes another session of the same problem; what the error is measured against stays.
    fn take_over(&mut self, mut other: Self) {
        std::mem::swap(&mut self.comparison, &mut other.comparison);
        // What was shown of the same iterations need not be shown again.
        other.shown = self.shown.min(other.history().records.len());
        *self = other;
    }

    /// The device in use, where it is no CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        self.training.system().gpu()
    }

    /// Measures the error against these values at the problem's evaluation points, for problems
    /// without an exact solution.
    pub fn compare_with(&mut self, values: Vec<f64>) {
        self.comparison = Comparison::new(&self.problem).against(values);
    }

    /// Measures the error against the problem's companion, where it has one in place of an exact
    /// solution; takes as long as that takes to compute.
    ///
    /// # Errors
    /// Why there is nothing to measure against.
    pub fn compare_with_companion(&mut self) -> Result<(), ReferenceError> {
        let points = self.problem.evaluation_points();
        let go_on = |_| std::ops::ControlFlow::Continue(());
        if let Some(values) = companion_values(&self.problem, &points, &go_on)? {
            self.compare_with(values);
        }
        Ok(())
    }

    /// The records that no snapshot has shown yet, and the number of the first.
    pub(super) fn show(&mut self) -> (usize, &[TrainingRecord]) {
        let records = &self.training.history().records;
        let first = self.shown.min(records.len());
        self.shown = records.len();
        (first, &records[first..])
    }

    /// Whether its stopping rule has ended it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.training.reason().is_some()
    }

    /// One iteration, and the error where it is due.
    ///
    /// # Errors
    /// As [`Training::iterate`].
    pub async fn iterate(&mut self) -> Result<TrainingReport, OptimizeError> {
        let begun = (self.clock)();
        if self.stalls_in_single() {
            self.go_on_mixed(self.history().records.len()).await?;
        }
        let report = self.training.iterate().await?;
        self.estimate = OnceLock::new();
        self.uncertainty = OnceLock::new();
        self.correction = None;
        let iteration = report.record.iteration;
        let interval = error_interval(self.training.method());
        let due = iteration == 1 || iteration.is_multiple_of(interval) || report.reason.is_some();
        self.seconds += (self.clock)() - begun;
        let error = due.then(|| self.measured().relative_l2(self.training.parameters())).flatten();
        self.error = error.or(self.error);
        let report = self.training.observe(error, self.seconds);
        let begun = (self.clock)();
        let report = self.finish(report);
        self.seconds += (self.clock)() - begun;
        if report.reason.is_some() {
            self.estimate();
            self.uncertainty();
        }
        Ok(report)
    }

    /// Looks for a correction at the end, and now and then before it: where one goes to round-off, that is
    /// the end.
    fn finish(&mut self, report: TrainingReport) -> TrainingReport {
        let iteration = report.record.iteration;
        let early = iteration >= FIRST_LOOK && iteration.is_power_of_two();
        self.seek_untrained(if report.reason.is_some() { usize::MAX } else { iteration });
        if report.reason.is_some() {
            self.correct(true);
        } else if !self.take_answer() && early {
            self.correct(false);
        }
        match self.correction {
            Some(_) if report.reason.is_none() => self.training.end(StopReason::RoundOff),
            _ => report,
        }
    }

    /// Seeks what needs no training until so many stages are done, where the problem asks for corrections. A
    /// residual that is no number elsewhere ends the search.
    fn seek_untrained(&mut self, stages: usize) {
        if self.problem.method.correction {
            let made = || Untrained::new(&self.problem).ok();
            if let Some(untrained) = self.untrained.get_or_insert_with(made) {
                untrained.advance_to(stages, &self.problem).unwrap_or_default();
            }
        }
    }

    /// Takes what makes the training needless, and says whether there is such a thing.
    fn take_answer(&mut self) -> bool {
        let answer = self.untrained.iter().flatten().find_map(Untrained::answer).cloned();
        let needless = answer.is_some();
        if needless {
            self.take(answer);
        }
        needless
    }

    /// Takes away what the tangent space of the network now can, where the problem asks for it: at the end
    /// with plane waves beside it, before the end only if that goes to round-off.
    fn correct(&mut self, end: bool) {
        if self.problem.method.correction {
            let theta = self.training.parameters();
            let untrained = self.untrained.iter().flatten().find_map(Untrained::correction);
            let found = correct(&self.problem, theta, untrained, end).unwrap_or_default();
            self.take(found.filter(|found| end || found.is_round_off()));
        }
    }

    fn take(&mut self, correction: Option<Correction>) {
        self.correction = correction;
        if self.correction.is_some() {
            self.error = self.measured().relative_l2(self.parameters()).or(self.error);
        }
    }

    /// The correction that ended the training; none where there was nothing to gain.
    #[must_use]
    pub fn correction(&self) -> Option<&Correction> {
        self.correction.as_ref()
    }

    /// The correction of a training that is over.
    fn end_again(&mut self) {
        let over = self.training.reason() == Some(StopReason::RoundOff);
        let iterations = self.history().records.len();
        self.seek_untrained(if over { iterations } else { usize::MAX });
        if !(over && self.take_answer()) {
            self.correct(!over);
        }
    }

    fn stalls_in_single(&self) -> bool {
        let single = self.training.system().precision() == Precision::F32 && !self.only_single;
        let losses = || -> Vec<f64> { self.history().records.iter().map(|r| r.loss).collect() };
        single && NOISE.holds(&losses())
    }

    /// Changes to residuals in longer numbers, unless the device has none.
    async fn go_on_mixed(&mut self, iteration: usize) -> Result<(), OptimizeError> {
        let mut changed = Ok(());
        let change = async |system: &mut TrainingSystem| {
            changed = system.set_precision(Precision::Mixed).await;
        };
        self.training.change_system(change).await?;
        match changed {
            Ok(()) => self.mixed_after = Some(iteration),
            Err(GpuError::NoLongNumbers { .. }) => self.only_single = true,
            Err(error) => return Err(ResidualError::from(error).into()),
        }
        Ok(())
    }

    /// Where it computes, and in which precision it does now.
    #[must_use]
    pub fn describe(&self) -> Description {
        self.training.system().describe()
    }

    /// The precision tier in words, with the change of tier where there was one.
    #[must_use]
    pub fn precision(&self) -> String {
        let now = self.describe().precision;
        match self.mixed_after {
            Some(iteration) => format!("f32, {now} after iteration {iteration}"),
            None => now.to_owned(),
        }
    }

    #[must_use]
    pub fn problem(&self) -> &ResidualProblem {
        &self.problem
    }

    /// The parameters of the network now; at the end with the correction behind them, where there is
    /// one.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        match &self.correction {
            Some(correction) => &correction.parameters,
            None => self.training.parameters(),
        }
    }

    /// The constants that are to be found, by name, as they are now.
    #[must_use]
    pub fn found(&self) -> BTreeMap<String, f64> {
        let trained = self.network().constants(self.parameters());
        let values = self.problem.values_at(&trained);
        let of = |k: usize| (self.problem.parameters[k].name.clone(), values[k]);
        self.problem.sought().map(of).collect()
    }

    /// How well these are known, in the order of the file; none where nothing was to be found, or where that
    /// cannot be told.
    pub fn uncertainty(&self) -> Option<&Uncertainty> {
        let made = || uncertainty(&self.problem, self.parameters()).map_err(|why| why.to_string());
        self.uncertainty.get_or_init(made).as_ref().ok()?.as_ref()
    }

    #[must_use]
    pub fn history(&self) -> &TrainingHistory {
        self.training.history()
    }

    #[must_use]
    pub fn method(&self) -> &Method {
        self.training.method()
    }

    /// What the residual at other points says of the error, without a reference; none where it cannot
    /// be evaluated there. Costs about as much as a few iterations, once.
    pub fn estimate(&self) -> Option<&ErrorEstimate> {
        self.estimate_or_why().as_ref().ok()
    }

    fn estimate_or_why(&self) -> &Result<ErrorEstimate, String> {
        let made = || match estimate(&self.problem, self.parameters()) {
            Ok(found) => Ok(match self.uncertainty() {
                Some(known) => found.with_noise(known),
                None => found,
            }),
            Err(why) => Err(why.to_string()),
        };
        self.estimate.get_or_init(made)
    }

    /// How the error was estimated, or why it was not.
    #[must_use]
    pub fn estimate_method(&self) -> String {
        match self.estimate_or_why() {
            Ok(estimate) => estimate.method(),
            Err(why) => format!("none: {why}"),
        }
    }

    /// [`TrainingSession::estimate`], where that was asked for already.
    pub fn known_estimate(&self) -> Option<&ErrorEstimate> {
        self.estimate.get()?.as_ref().ok()
    }

    /// What came of it so far, by the estimate of its error.
    pub fn convergence(&self) -> Convergence {
        self.training.convergence(self.estimate().is_some_and(ErrorEstimate::is_good))
    }

    /// What makes the answer less than it should be: settings beyond what the numbers of this run can
    /// tell, and at the end what is known of the error.
    pub fn warning(&self) -> Option<String> {
        let precision = beyond_precision(&self.problem.method, self.training.system().rounding());
        // While it goes on, nobody has asked for the estimate.
        let ended = self.estimate.get().filter(|_| self.is_over());
        let ended =
            ended.and_then(|estimate| judgement(estimate.as_ref().ok(), self.convergence()));
        let constants = self.uncertainty.get().filter(|_| self.is_over());
        let constants =
            constants.and_then(|known| judgement::of_constants(&self.problem, known.as_ref()));
        let warnings: Vec<String> = precision.into_iter().chain(ended).chain(constants).collect();
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }

    /// n: rows of the least-squares problem.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.training.system().rows()
    }

    /// The latest iteration, and why the training is over, where it is.
    #[must_use]
    pub fn report(&self) -> TrainingReport {
        let record = self.history().records.last().cloned().unwrap_or_default();
        TrainingReport { record, reason: self.training.reason() }
    }

    /// What errors are measured by.
    fn measured(&self) -> &Comparison {
        self.known.as_ref().unwrap_or(&self.comparison)
    }

    /// The relative L2 error as last measured.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        self.error
    }

    /// The relative L2 error of each unknown now; `None` without an exact solution.
    #[must_use]
    pub fn errors_of_each(&self) -> Option<Vec<f64>> {
        self.measured().relative_l2_of_each(self.parameters())
    }

    /// Seconds spent in iterations and in the correction, those before a restart included.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    #[must_use]
    pub fn status(&self) -> TrainingStatus {
        let record = self.history().records.last().cloned().unwrap_or_default();
        let (done, all) = (record.iteration, self.training.rule().max_iterations);
        let pace = (done > 0).then(|| self.seconds / done as f64);
        TrainingStatus {
            iteration: done,
            iterations: all,
            loss: self.training.loss(),
            error: self.error,
            step_length: record.step_length,
            rank: record.rank,
            seconds: self.seconds,
            seconds_left: pace.map(|pace| pace * all.saturating_sub(done) as f64),
        }
    }

    /// The state between two iterations.
    #[must_use]
    pub fn save(&self) -> TrainingState {
        let mut state = self.training.save();
        state.insert(SECONDS.to_owned(), vec![self.seconds]);
        if let Some(iteration) = self.mixed_after {
            state.insert(MIXED_AFTER.to_owned(), vec![iteration as f64]);
        }
        state
    }

    /// The network and the exact solution on the grid of the problem's evaluation points, NaN outside
    /// its shape; `None` where these form no grid. A first coordinate named `t` becomes the field's time.
    #[must_use]
    pub fn field(&self) -> Option<SpaceTimeField> {
        let points = Points::of_evaluation(&self.problem);
        let counts = points.grid?;
        let dimensions = points.dimensions;
        let mut axes = Vec::with_capacity(dimensions);
        // Points from one node of a coordinate to the next: the last one runs fastest.
        let mut stride: usize = counts.iter().product();
        for (k, (&count, axis)) in counts.iter().zip(&self.problem.axes).enumerate() {
            stride /= count;
            let value = |i: usize| points.coordinates[i * stride * dimensions + k];
            axes.push(Axis { name: axis.name.clone(), values: (0..count).map(value).collect() });
        }
        let timed = dimensions > 1 && axes[0].name == "t";
        let times = if timed { axes.remove(0).values } else { vec![0.0] };
        let domain = self.problem.domain();
        let inside: Vec<bool> =
            points.coordinates.chunks_exact(dimensions).map(|p| domain.contains(p)).collect();
        let held = inside.iter().filter(|inside| **inside).count();
        // Values at the points of the domain, put where the grid has them.
        let on_grid = |values: Vec<f64>| -> Vec<f64> {
            let mut all = Vec::with_capacity(inside.len() * self.problem.unknowns.len());
            for values in values.chunks_exact(held.max(1)) {
                let mut values = values.iter().copied();
                let value = |inside: &bool| inside.then(|| values.next()).flatten();
                all.extend(inside.iter().map(value).map(|value| value.unwrap_or(f64::NAN)));
            }
            all
        };
        // From unknown by unknown to time by time.
        let (unknowns, frame) =
            (self.problem.unknowns.len(), counts.iter().product::<usize>() / times.len());
        let by_time = |values: Vec<f64>| -> Vec<f64> {
            let row = |k: usize, q: usize| &values[(q * times.len() + k) * frame..][..frame];
            let rows = (0..times.len()).flat_map(|k| (0..unknowns).map(move |q| (k, q)));
            rows.flat_map(|(k, q)| row(k, q)).copied().collect()
        };
        Some(SpaceTimeField {
            unknowns: self.problem.unknowns.clone(),
            values: by_time(on_grid(self.comparison.values(self.parameters()))),
            reference: self.comparison.exact().map(|exact| by_time(on_grid(exact.to_vec()))),
            times,
            axes,
        })
    }

    /// The network of the problem.
    #[must_use]
    pub fn network(&self) -> Network {
        Network::of_residual(&self.problem)
    }
}
