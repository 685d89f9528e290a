//! A run on a thread of its own, for programs that must answer meanwhile: an interpreter, a window.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{FRAMES, SolveError};
use crate::evolve::initial_fit::fit_key;
use crate::field::device::Backend;
use crate::outcome::Outcome;
use crate::output::{Cache, CachedFit, Lookup, cache};
use crate::problem::{Problem, ProblemFile};
use crate::reference::{Reference, ReferenceError};
use crate::session::{Options, Phase, Session, Solver, Start, Status, resolved, wall_clock};
use crate::solution::SolutionError;

/// Seconds between two looks at what else there is to do.
const SLICE: f64 = 0.02;

/// How a run is carried out.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    pub backend: Backend,
    /// Where initial fits and references are kept between runs.
    pub cache: Option<Cache>,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum RunStatus {
    /// The device is opened, the problem set up.
    SettingUp,
    Evolution(Box<Status>),
    Training(Box<crate::session::TrainingStatus>),
    /// The run is over, what it is compared with is not there yet.
    WaitingForReference,
}

/// A run that goes on, on its own thread, for as long as it is asked to. Dropped, it ends after the
/// step in progress.
///
/// ```
/// use sketchpde::{BackgroundRun, ProblemBuilder, RunOptions};
///
/// let problem = ProblemBuilder::new()
///     .equation("u_t = 0.05*u_xx")
///     .periodic("x", 0.0, 1.0)
///     .initial("sin(2*pi*x)")
///     .until(0.1)
///     .set("network.width", 6)
///     .set("method.columns", 30)
///     .build()?;
/// let run = BackgroundRun::start(problem, RunOptions::default());
/// while run.advance(0.5).recv()?? {}
/// let outcome = run.outcome().recv()??;
/// assert!(outcome.summary().error().is_some_and(|error| error < 1e-3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BackgroundRun {
    requests: Sender<Request>,
    shared: Arc<Shared>,
}

struct Shared {
    status: Mutex<RunStatus>,
    /// What the person should know, not yet fetched.
    warnings: Mutex<Vec<String>>,
    pause: AtomicBool,
}

enum Request {
    /// Go on for so many seconds; the answer is whether there is more to do.
    Advance(f64, Sender<Result<bool, SolveError>>),
    Outcome(Sender<Result<Outcome, SolveError>>),
}

impl BackgroundRun {
    /// Starts the thread; nothing is computed before [`BackgroundRun::advance`].
    #[must_use]
    pub fn start(problem: ProblemFile, options: RunOptions) -> Self {
        let (requests, inbox) = channel();
        let shared = Arc::new(Shared {
            status: Mutex::new(RunStatus::SettingUp),
            warnings: Mutex::default(),
            pause: AtomicBool::new(false),
        });
        let given = shared.clone();
        std::thread::spawn(move || serve(problem, options, &inbox, &given));
        Self { requests, shared }
    }

    /// Goes on for about so many seconds, at least for a step. What arrives is whether there is
    /// more to do; an error is the run's end. A channel that is closed says that the thread
    /// panicked.
    #[must_use]
    pub fn advance(&self, seconds: f64) -> Receiver<Result<bool, SolveError>> {
        let (sender, receiver) = channel();
        // A thread that is gone has dropped the sender, which the receiver tells.
        let _ = self.requests.send(Request::Advance(seconds, sender));
        receiver
    }

    /// What the run has left so far.
    #[must_use]
    pub fn outcome(&self) -> Receiver<Result<Outcome, SolveError>> {
        let (sender, receiver) = channel();
        let _ = self.requests.send(Request::Outcome(sender));
        receiver
    }

    /// Ends the present [`BackgroundRun::advance`] after the step in progress.
    pub fn pause(&self) {
        self.shared.pause.store(true, Ordering::SeqCst);
    }

    #[must_use]
    pub fn status(&self) -> RunStatus {
        self.shared.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Warnings since the last call.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for BackgroundRun {
    fn drop(&mut self) {
        self.pause();
    }
}

impl Shared {
    fn show(&self, status: RunStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    fn warn(&self, warning: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    fn is_paused(&self) -> bool {
        self.pause.load(Ordering::SeqCst)
    }
}

/// What the thread works at.
enum Work {
    Due(Box<ProblemFile>),
    Run(Box<Running>),
    /// A failure ended it.
    Over,
}

fn serve(problem: ProblemFile, options: RunOptions, inbox: &Receiver<Request>, shared: &Shared) {
    let mut work = Work::Due(Box::new(problem));
    for request in inbox {
        match request {
            Request::Advance(seconds, reply) => {
                let until = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 1e6));
                let outcome = work.advance(&options, until, shared);
                if outcome.is_err() {
                    work = Work::Over;
                }
                shared.pause.store(false, Ordering::SeqCst);
                let _ = reply.send(outcome);
            }
            Request::Outcome(reply) => drop(reply.send(work.outcome())),
        }
    }
}

impl Work {
    fn advance(
        &mut self,
        options: &RunOptions,
        until: Instant,
        shared: &Shared,
    ) -> Result<bool, SolveError> {
        if let Self::Due(problem) = self {
            *self = Self::Run(Box::new(Running::begin(problem, options, shared)?));
        }
        match self {
            Self::Run(running) => running.advance(until, shared),
            Self::Due(_) | Self::Over => Ok(false),
        }
    }

    fn outcome(&self) -> Result<Outcome, SolveError> {
        match self {
            Self::Run(running) => Ok(Outcome::of(&running.session, running.reference_error)?),
            Self::Due(_) | Self::Over => Err(SolutionError::NoParameters.into()),
        }
    }
}

/// What the reference's thread finds: none where the problem has none; and a warning.
type Found = Result<(Option<Reference>, Option<String>), ReferenceError>;

/// A session, and beside an evolution the search for its reference.
struct Running {
    session: Session,
    /// Where the fit is kept once it is there.
    keep: Option<Cache>,
    reference: Option<Receiver<Found>>,
    reference_error: Option<f64>,
}

impl Running {
    fn begin(
        problem: &ProblemFile,
        options: &RunOptions,
        shared: &Shared,
    ) -> Result<Self, SolveError> {
        let problem = &resolved(problem.clone(), &options.backend);
        let solver = pollster::block_on(Solver::open(problem.clone(), &options.backend))?;
        if let Some(reason) = solver.reason() {
            shared.warn(format!("the GPU cannot take this problem, the CPU does: {reason}"));
        }
        let (mut start, mut keep, mut reference) = (Start::Beginning, None, None);
        if let ProblemFile::Evolution(problem) = problem {
            (start, keep) = beginning(problem, options.cache.as_ref(), shared);
            reference = Some(look_for(problem.clone(), options.cache.clone()));
        }
        let settings = Options { start, frames: FRAMES, clock: wall_clock };
        let mut session = pollster::block_on(Session::new(solver, settings))?;
        if let Some(training) = session.training_mut()
            && let Err(error) = training.compare_with_companion()
        {
            shared.warn(format!("there is no error to measure: {error}"));
        }
        Ok(Self { session, keep, reference, reference_error: None })
    }

    fn advance(&mut self, until: Instant, shared: &Shared) -> Result<bool, SolveError> {
        loop {
            pollster::block_on(self.session.advance(SLICE));
            if let Some(failure) = self.session.take_failure() {
                return Err(failure.into());
            }
            let status = self.session.status();
            self.keep_fit(&status, shared);
            let done = status.phase == Phase::Done;
            let waiting = done && self.reference.is_some();
            shared.show(match waiting {
                true => RunStatus::WaitingForReference,
                false => self.status(),
            });
            let patience = if done { Duration::from_secs_f64(SLICE) } else { Duration::ZERO };
            self.look_for_reference(patience, shared);
            if done && self.reference.is_none() {
                shared.show(self.status());
                return Ok(false);
            }
            if shared.is_paused() || Instant::now() >= until {
                return Ok(true);
            }
        }
    }

    fn status(&self) -> RunStatus {
        match self.session.training() {
            Some(training) => RunStatus::Training(Box::new(training.status())),
            None => RunStatus::Evolution(Box::new(self.session.status())),
        }
    }

    /// Takes the reference where it has been found.
    fn look_for_reference(&mut self, patience: Duration, shared: &Shared) {
        let Some(receiver) = &self.reference else { return };
        match receiver.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => {
                shared.warn("computing the reference failed: no errors are measured".into());
            }
            Ok(Err(error)) => shared.warn(format!("no errors are measured: {error}")),
            Ok(Ok((found, warning))) => {
                warning.into_iter().for_each(|warning| shared.warn(warning));
                if let Some(reference) = found {
                    self.reference_error = Some(reference.estimated_error());
                    self.session.set_reference(reference);
                }
            }
        }
        self.reference = None;
    }

    /// Puts the fit into the cache once it is done.
    fn keep_fit(&mut self, status: &Status, shared: &Shared) {
        let (Some(error), Some(record)) = (status.initial_error, self.session.recording()) else {
            return;
        };
        let Some(cache) = self.keep.take() else { return };
        let fit = CachedFit { parameters: record.fitted().to_vec(), error };
        if let Err(error) = cache.store_fit(&fit_key(record.problem()), &fit) {
            shared.warn(format!("the fit is not cached: {error}"));
        }
    }
}

/// Where an evolution begins, and where its fit is to be kept.
fn beginning(problem: &Problem, cache: Option<&Cache>, shared: &Shared) -> (Start, Option<Cache>) {
    match cache.map(|cache| cache.fit(&fit_key(problem))) {
        Some(Lookup::Found(fit)) => (Start::Fitted(fit.parameters), None),
        Some(Lookup::Damaged(path)) => {
            shared.warn(format!("the cached {} is damaged: fitted anew", path.display()));
            (Start::Beginning, cache.cloned())
        }
        Some(Lookup::Missing) | None => (Start::Beginning, cache.cloned()),
    }
}

/// Computes the reference on a thread of its own.
fn look_for(problem: Problem, cache: Option<Cache>) -> Receiver<Found> {
    let (sender, found) = channel();
    std::thread::spawn(move || {
        let go_on = |_| ControlFlow::Continue(());
        // A receiver that is gone has no use for it any more.
        drop(sender.send(cache::reference(cache.as_ref(), &problem, &go_on)));
    });
    found
}
