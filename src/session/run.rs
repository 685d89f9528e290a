//! The session itself.

use super::evolving::{Evolving, Fitting};
use super::{Phase, Recording, SavedState, Seconds, SessionError, Solver, TrainingSession};
use crate::evolve::{Engine, Evolution, EvolveError};
use crate::field::device::Backend;

/// Seconds since some fixed moment.
pub type Clock = fn() -> f64;

/// How a session is set up.
pub struct Options {
    pub start: Start,
    /// Frames that are kept of an evolution, at most (and at most 64 MiB of them).
    pub frames: usize,
    pub clock: Clock,
}

/// Where a run begins.
pub enum Start {
    /// With the initial fit, or the starting parameters of a training.
    Beginning,
    /// With parameters that were fitted before; a training begins as ever.
    Fitted(Vec<f64>),
    /// In the middle of a run.
    Saved(SavedState),
}

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The budget was used up.
    Busy,
    /// Paused, done or failed: nothing to do until a command comes.
    Idle,
}

/// Steps that may be taken before the session pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Play {
    Freely,
    Steps(usize),
}

/// One run of either family: an initial fit and time steps, or a training; with the frames and the
/// history that it leaves.
pub struct Session {
    pub(super) work: Work,
    pub(super) clock: Clock,
    pub(super) play: Play,
    pub(super) seconds: Seconds,
    pub(super) failure: Option<SessionError>,
    pub(super) messages: Vec<String>,
}

/// What a session is at, with everything that belongs to it.
#[derive(Default)]
pub(super) enum Work {
    InitialFit(Box<Fitting>),
    Evolution(Box<Evolving>),
    Training(Box<TrainingSession>),
    /// An evolution that lost its engine in a failure between fit and steps.
    Lost(Box<Recording>),
    /// While one becomes another.
    #[default]
    Nothing,
}

/// A run, by its family.
pub enum Course<'a> {
    Evolution(&'a Recording),
    Training(&'a TrainingSession),
}

impl Session {
    /// A session at the beginning of what [`Options::start`] says, playing.
    ///
    /// # Errors
    /// When the parameters to start with belong to another network, or the device fails.
    pub async fn new(solver: Solver, options: Options) -> Result<Self, SessionError> {
        let mut session = Self {
            work: Work::Nothing,
            clock: options.clock,
            play: Play::Freely,
            seconds: Seconds::default(),
            failure: None,
            messages: Vec::new(),
        };
        match solver {
            Solver::Evolution(problem, engine) => {
                let record = Recording::new(*problem, engine.describe(), options.frames);
                session.begin_evolution(record, *engine, options.start).await?;
            }
            Solver::Training(problem, system) => {
                let (problem, clock) = (*problem, options.clock);
                let training = match options.start {
                    Start::Beginning | Start::Fitted(_) => {
                        TrainingSession::on(*system, &problem, clock).await?
                    }
                    Start::Saved(SavedState::Training(state)) => {
                        TrainingSession::restore_on(*system, &problem, &state, clock).await?
                    }
                    Start::Saved(other) => {
                        let reason = format!("it is an evolution {}", other.place());
                        return Err(SessionError::Saved { reason });
                    }
                };
                session.seconds.total = training.seconds();
                session.work = Work::Training(Box::new(training));
            }
        }
        Ok(session)
    }

    async fn begin_evolution(
        &mut self,
        record: Recording,
        engine: Engine,
        start: Start,
    ) -> Result<(), SessionError> {
        match start {
            Start::Beginning => {
                self.work = Work::InitialFit(Box::new(Fitting::new(record, engine)?));
                Ok(())
            }
            Start::Fitted(theta) => self.begin_steps(record, engine, theta).await,
            Start::Saved(saved) => self.restore(record, engine, saved),
        }
    }

    /// Works for about `budget` seconds: iterations or time steps, never less than one where one is
    /// due. Between two of them control goes back to the caller's executor, so that a page or a GPU
    /// queue gets its turn.
    ///
    /// An error does not come back from here: it ends the run, see [`Session::failure`] and
    /// [`Status::failure`](super::Status::failure).
    pub async fn advance(&mut self, budget: f64) -> Activity {
        let until = (self.clock)() + budget;
        while self.is_due() {
            let begun = (self.clock)();
            if let Err(error) = self.work_once().await {
                self.fail(error);
            }
            let now = (self.clock)();
            self.seconds.total += now - begun;
            if now >= until {
                return if self.is_due() { Activity::Busy } else { Activity::Idle };
            }
        }
        Activity::Idle
    }

    /// Whether there is something to do now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        match self.phase() {
            // Pausing does not hold up the fit: nothing is to be seen before it is done.
            Phase::Fit => true,
            Phase::Steps | Phase::Training => self.play != Play::Steps(0),
            Phase::Done | Phase::Failed => false,
        }
    }

    /// What it tells the time by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Where the run stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.work {
            _ if self.failure.is_some() => Phase::Failed,
            Work::InitialFit(_) => Phase::Fit,
            Work::Evolution(evolving) if evolving.evolution.finished() => Phase::Done,
            Work::Evolution(_) => Phase::Steps,
            Work::Training(training) if training.is_over() => Phase::Done,
            Work::Training(_) => Phase::Training,
            Work::Lost(_) | Work::Nothing => Phase::Failed,
        }
    }

    async fn work_once(&mut self) -> Result<(), SessionError> {
        match &mut self.work {
            Work::InitialFit(fitting) => {
                let begun = (self.clock)();
                let done = fitting.iterate()?.done;
                self.seconds.fit += (self.clock)() - begun;
                if done {
                    return self.leave_the_fit().await;
                }
            }
            Work::Evolution(evolving) => {
                evolving.step(self.clock, &mut self.seconds, &mut self.messages).await?;
                self.count_step();
            }
            Work::Training(training) => {
                training.iterate().await?;
                self.seconds.steps = training.seconds();
                self.count_step();
            }
            Work::Lost(_) | Work::Nothing => {}
        }
        Ok(())
    }

    fn count_step(&mut self) {
        if let Play::Steps(left) = &mut self.play {
            *left = left.saturating_sub(1);
        }
    }

    async fn leave_the_fit(&mut self) -> Result<(), SessionError> {
        match std::mem::take(&mut self.work) {
            Work::InitialFit(fitting) => {
                let Fitting { record, engine, fit } = *fitting;
                self.begin_steps(record, engine, fit.parameters().to_vec()).await
            }
            other => {
                self.work = other;
                Ok(())
            }
        }
    }

    /// From fitted parameters to the first time step.
    pub(super) async fn begin_steps(
        &mut self,
        record: Recording,
        engine: Engine,
        theta: Vec<f64>,
    ) -> Result<(), SessionError> {
        let mut evolving = self.take_fitted(record, engine, theta)?;
        let kept = evolving.keep_frame(&mut self.messages);
        let poor = evolving.poor_fit();
        if kept.is_ok() && poor.is_none() {
            evolving.keep_spectrum(None, &mut self.messages).await;
        }
        self.work = Work::Evolution(evolving);
        kept?;
        if let Some(error) = poor {
            self.fail(error);
        }
        Ok(())
    }

    /// Hands fitted parameters and the engine to an evolution.
    pub(super) fn take_fitted(
        &mut self,
        mut record: Recording,
        engine: Engine,
        theta: Vec<f64>,
    ) -> Result<Box<Evolving>, SessionError> {
        record.fitted.clone_from(&theta);
        match Evolution::new(&record.problem, engine, theta) {
            Ok(evolution) => Ok(Box::new(Evolving::new(record, evolution))),
            Err(error) => {
                self.work = Work::Lost(Box::new(record));
                Err(error.into())
            }
        }
    }

    /// Ends the run with an error. For one that says that numbers stopped being finite, the place
    /// is looked for in the last state that was kept.
    fn fail(&mut self, error: SessionError) {
        let error = match (error, self.recording()) {
            (SessionError::Evolve(EvolveError::NotFinite { step, time, what }), Some(record)) => {
                SessionError::Diverged { what, step, time, place: record.steepest_place() }
            }
            (other, _) => other,
        };
        self.messages.push(error.to_string());
        self.failure = Some(error);
    }

    /// Goes on from where it is on the CPU, as after the loss of a device.
    ///
    /// # Errors
    /// When it cannot; nothing has changed then.
    pub async fn go_on_on_cpu(&mut self) -> Result<(), SessionError> {
        if let Work::Training(training) = &mut self.work {
            training.go_on_on_cpu().await?;
            self.failure = None;
            return Ok(());
        }
        let Some(record) = self.recording() else { return Ok(()) };
        let (problem, reference) = (record.problem.clone(), record.reference.clone());
        let frames = record.most_frames;
        let engine = Engine::new(&problem, &Backend::Cpu).await?;
        let start = self.save().map_or(Start::Beginning, Start::Saved);
        let solver = Solver::Evolution(Box::new(problem), Box::new(engine));
        let mut moved = Self::new(solver, Options { start, frames, clock: self.clock }).await?;
        moved.play = self.play;
        moved.messages = std::mem::take(&mut self.messages);
        if let Some(reference) = reference {
            moved.set_reference(reference);
        }
        *self = moved;
        Ok(())
    }
}
