//! Looking at a session, and comparing it with the reference.

use super::evolving::Evolving;
use super::run::{Course, Play, Work};
use super::{
    Phase, Recording, Session, SessionError, Snapshot, Status, TrainingPoint, TrainingSession,
    fixed_steps,
};
use crate::evolve::{Coherence, Engine, EvolutionEstimate, EvolveError};
use crate::field::device::Description;
use crate::field::gpu::Gpu;
use crate::optimize::{Convergence, GOOD};
use crate::problem::{Scheme, Update};
use crate::reference::Reference;

impl Session {
    /// The run, by its family; `None` of an evolution that was lost in an internal error.
    #[must_use]
    pub fn course(&self) -> Option<Course<'_>> {
        match &self.work {
            Work::Training(training) => Some(Course::Training(training)),
            _ => self.recording().map(Course::Evolution),
        }
    }

    /// What is kept of an evolution.
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        match &self.work {
            Work::InitialFit(fitting) => Some(&fitting.record),
            Work::Evolution(evolving) => Some(&evolving.record),
            Work::Lost(record) => Some(record),
            Work::Training(_) | Work::Nothing => None,
        }
    }

    pub(super) fn recording_mut(&mut self) -> Option<&mut Recording> {
        match &mut self.work {
            Work::InitialFit(fitting) => Some(&mut fitting.record),
            Work::Evolution(evolving) => Some(&mut evolving.record),
            Work::Lost(record) => Some(record),
            Work::Training(_) | Work::Nothing => None,
        }
    }

    /// The training, where the run is one.
    #[must_use]
    pub fn training(&self) -> Option<&TrainingSession> {
        match &self.work {
            Work::Training(training) => Some(training),
            _ => None,
        }
    }

    /// [`Session::training`], to compare it with values or to ask for what it counts.
    pub fn training_mut(&mut self) -> Option<&mut TrainingSession> {
        match &mut self.work {
            Work::Training(training) => Some(training),
            _ => None,
        }
    }

    fn evolving(&self) -> Option<&Evolving> {
        match &self.work {
            Work::Evolution(evolving) => Some(evolving),
            _ => None,
        }
    }

    /// The problem file with every change applied.
    #[must_use]
    pub fn source(&self) -> &str {
        match self.course() {
            Some(Course::Evolution(record)) => &record.problem.source,
            Some(Course::Training(training)) => &training.problem().source,
            None => "",
        }
    }

    /// Backend, device and precision in use.
    #[must_use]
    pub fn description(&self) -> Description {
        match self.course() {
            Some(Course::Evolution(record)) => record.description.clone(),
            Some(Course::Training(training)) => training.describe(),
            None => Description::of(None, ""),
        }
    }

    /// The precision tier in words, with the change of tier where there was one.
    #[must_use]
    pub fn precision(&self) -> String {
        match self.training() {
            Some(training) => training.precision(),
            None => self.description().precision.to_owned(),
        }
    }

    /// The device in use, where it is no CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        match &self.work {
            Work::InitialFit(fitting) => Engine::gpu(&fitting.engine),
            Work::Evolution(evolving) => evolving.evolution.engine().gpu(),
            Work::Training(training) => training.gpu(),
            Work::Lost(_) | Work::Nothing => None,
        }
    }

    /// The network's parameters now; empty before the initial fit is done.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        match &self.work {
            Work::Evolution(evolving) => evolving.evolution.theta(),
            Work::Training(training) => training.parameters(),
            Work::InitialFit(_) | Work::Lost(_) | Work::Nothing => &[],
        }
    }

    /// What the evaluation grid of an evolution looks at, now: u, or the density; empty before the
    /// fit is done.
    #[must_use]
    pub fn evaluate(&self) -> Vec<f64> {
        let evolving = self.evolving();
        evolving.map(|e| e.record.grid.look(&e.evolution)).unwrap_or_default()
    }

    /// What ended the run before its time.
    #[must_use]
    pub fn failure(&self) -> Option<&SessionError> {
        self.failure.as_ref()
    }

    /// [`Session::failure`], at the end.
    #[must_use]
    pub fn into_failure(self) -> Option<SessionError> {
        self.failure
    }

    /// Takes the failure out of a run that is given up.
    pub(crate) fn take_failure(&mut self) -> Option<SessionError> {
        let failure = self.failure.take();
        if failure.is_some() {
            self.play = Play::Steps(0);
        }
        failure
    }

    /// Keeps a message for the next snapshot; of a session on a thread of its own.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn note(&mut self, message: String) {
        self.messages.push(message);
    }

    /// Step and time now; iterations of a training.
    pub(super) fn position(&self) -> (usize, f64) {
        match &self.work {
            Work::Evolution(evolving) => evolving.position(),
            Work::Training(training) => {
                let iterations = training.history().records.len();
                (iterations, iterations as f64)
            }
            _ => (0, self.recording().map_or(0.0, |record| record.problem.time.start)),
        }
    }

    /// The truth to compare an evolution with, whenever it is ready; the frames kept until now are
    /// compared at once.
    pub fn set_reference(&mut self, reference: Reference) {
        let Some(record) = self.recording_mut() else { return };
        record.frames.drop_reference();
        record.reference = Some(reference);
        let failed = record.compare().err();
        self.messages.extend(failed);
    }

    /// Of the Jacobian at the start, where its columns are drawn uniformly.
    #[must_use]
    pub fn coherence(&self) -> Option<Coherence> {
        self.evolving()?.coherence
    }

    /// What an evolution says of its error itself.
    #[must_use]
    pub fn estimated_error(&self) -> Option<&EvolutionEstimate> {
        self.evolving()?.evolution.estimated_error()
    }

    /// What came of the run, or of what there is of it.
    #[must_use]
    pub fn convergence(&self) -> Convergence {
        if let Some(training) = self.training() {
            return training.convergence();
        }
        // Where nothing is known of the error nothing speaks against it.
        let good = self.estimated_error().is_none_or(|e| e.largest() <= GOOD);
        match (&self.failure, self.phase()) {
            (None, Phase::Done) if good => Convergence::Converged,
            (None, Phase::Done) => Convergence::Stalled,
            (None, _) => Convergence::Budget,
            (Some(SessionError::Evolve(EvolveError::Endless { .. })), _)
            | (Some(SessionError::PoorFit { .. }), _) => Convergence::Stalled,
            (Some(_), _) => Convergence::Diverged,
        }
    }

    /// Where the run stands, in numbers.
    #[must_use]
    pub fn status(&self) -> Status {
        let (step, time) = self.position();
        let mut status = Status {
            phase: self.phase(),
            playing: self.play == Play::Freely,
            precision: self.precision(),
            fit_iteration: 0,
            fit_error: None,
            fit_ended: None,
            step,
            steps: None,
            time,
            start: 0.0,
            end: 0.0,
            seconds_left: None,
            last: None,
            iteration: None,
            initial_error: None,
            error: None,
            space_time_error: None,
            estimated_error: None,
            seconds: self.seconds,
            ended: None,
            warning: None,
            note: None,
            failure: self.failure.as_ref().map(ToString::to_string),
        };
        match self.course() {
            Some(Course::Evolution(record)) => self.describe_evolution(record, &mut status),
            Some(Course::Training(training)) => describe_training(training, &mut status),
            None => {}
        }
        if status.phase == Phase::Done {
            status.seconds_left = Some(0.0);
        }
        status
    }

    fn describe_evolution(&self, record: &Recording, status: &mut Status) {
        let time = &record.problem.time;
        (status.start, status.end) = (time.start, time.end);
        let fit = &record.fit;
        (status.fit_iteration, status.fit_error, status.fit_ended) =
            (fit.iteration, fit.error, fit.ended);
        status.steps = fixed_steps(&record.problem);
        if status.phase == Phase::Steps {
            let pace = self.evolving().map(|evolving| evolving.pace);
            status.seconds_left = pace.and_then(|pace| pace.seconds_for(time.end - status.time));
        }
        status.last = record.history.records.last().cloned();
        status.initial_error = record.initial_error;
        status.error = record.error;
        status.space_time_error = record.frames.space_time_error();
        status.estimated_error = self.estimated_error().map(|e| e.relative_l2);
        status.warning = self.evolving().and_then(Evolving::warning);
        status.note.clone_from(&record.note);
    }

    /// [`Session::status`] with the solution at the present time, and the messages since the last
    /// snapshot.
    pub fn snapshot(&mut self) -> Snapshot {
        let status = self.status();
        let values = self.evaluate();
        let reference = self
            .recording()
            .and_then(|record| Some((record, record.reference.as_ref()?)))
            .filter(|_| !values.is_empty())
            .and_then(|(record, truth)| record.grid.look_at(truth, status.time).ok());
        let mut snapshot = Snapshot {
            status,
            values,
            reference,
            spectrum: self.evolving().and_then(|evolving| evolving.spectrum.clone()),
            columns: self.evolving().map(|evolving| evolving.columns.clone()).unwrap_or_default(),
            records: Vec::new(),
            points: Vec::new(),
            first_record: 0,
            messages: std::mem::take(&mut self.messages),
        };
        if let Some(record) = self.recording_mut() {
            let first = record.shown.min(record.history.records.len());
            record.shown = record.history.records.len();
            snapshot.first_record = first;
            snapshot.records = record.history.records[first..].to_vec();
        } else if let Some(training) = self.training_mut() {
            let (first, records) = training.show();
            snapshot.first_record = first;
            snapshot.points = records.iter().map(TrainingPoint::from).collect();
        }
        snapshot
    }
}

fn describe_training(training: &TrainingSession, status: &mut Status) {
    let done = training.status();
    (status.steps, status.end) = (Some(done.iterations), done.iterations as f64);
    status.seconds_left = done.seconds_left;
    status.iteration = training.history().records.last().map(TrainingPoint::from);
    (status.error, status.space_time_error) = (done.error, done.error);
    status.estimated_error = training.known_estimate().map(|e| e.relative_l2);
    status.seconds.steps = done.seconds;
    status.ended = training.report().reason.map(|reason| reason.describe().to_owned());
    status.warning = training.warning();
}

impl Evolving {
    /// What makes the run less accurate than it could be, and what helps.
    fn warning(&self) -> Option<String> {
        let warnings = [self.fit_warning(), self.columns_warning(), self.error_warning()];
        let warnings: Vec<String> = warnings.into_iter().flatten().collect();
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }

    /// An error that the run's own estimate tells.
    fn error_warning(&self) -> Option<String> {
        let error = self.evolution.estimated_error()?.largest();
        let remedy = match self.record.problem.method.scheme {
            Scheme::RandomFeatures => {
                "a smaller method.tolerance, or method.scheme = \"stage-fit\""
            }
            _ => {
                "more points (points.count), columns (method.columns) or a wider network, or a smaller \
                 method.tolerance"
            }
        };
        (error > GOOD).then(|| {
            format!(
                "the answer is wrong by about {:.0} % by what the steps leave at other points: take \
                 {remedy}; where a front steepens without limit the equation has no smooth solution any \
                 more",
                100.0 * error.min(10.0)
            )
        })
    }

    /// Measured on the state itself, so that a fit from a cache or a checkpoint is judged as a new
    /// one.
    fn fit_warning(&self) -> Option<String> {
        let (record, tolerance) = (&self.record, self.record.problem.fit.tolerance);
        let error = record.initial_error.filter(|_| !record.redrawn)?;
        let kinks = &record.kinks;
        let features = record.problem.method.scheme == Scheme::RandomFeatures;
        if error > tolerance {
            let remedy = match (kinks.is_empty(), features) {
                (true, true) => "method.scheme = \"stage-fit\" fits a deep network".into(),
                (true, false) => {
                    "fit a wider network or allow more iterations (fit.max_iterations)".into()
                }
                (false, _) => format!("it has {kinks}, which no smooth network fits"),
            };
            return Some(format!(
                "the initial state is fitted to {error:.1e} only, above its tolerance of \
                 {tolerance:.1e} (fit.tolerance): nothing that follows can be more accurate; {remedy}"
            ));
        }
        (!kinks.is_empty() && !features).then(|| {
            format!(
                "the initial state has {kinks}: errors gather there; take more points \
                 (points.count), or points that follow (points.layout = \"following\")"
            )
        })
    }

    /// Too few columns for the Jacobian at the start.
    fn columns_warning(&self) -> Option<String> {
        let method = &self.record.problem.method;
        // Where the run chooses s, it does so by itself.
        let fixed = method.update == Update::RandomSparse && !method.adaptive_columns;
        let coherence = self.coherence.filter(|_| fixed)?;
        coherence.warning(method.columns, self.record.fitted.len())
    }
}
