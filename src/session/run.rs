//! The session itself.

use super::evolve::{
    BackendChoice, Engine, Evolution, EvolutionState, EvolveError, InitialFit, StepReport,
};
use super::pace::Pace;
use super::{EvaluationGrid, Frames, Phase, Seconds, SessionError, StepRecord};
use crate::network::Network;
use crate::problem::Problem;
use crate::reference::Reference;

/// Seconds since some fixed moment.
pub type Clock = fn() -> f64;

/// How a session is set up.
pub struct Options {
    pub backend: BackendChoice,
    /// Part of the name of the adapter to use.
    pub adapter: Option<String>,
    pub start: Start,
    /// Frames that are kept, at most (and at most 64 MiB of them).
    pub frames: usize,
    pub clock: Clock,
}

/// Where a run begins.
pub enum Start {
    /// With the initial fit.
    Fit,
    /// With parameters that were fitted before.
    Fitted(Vec<f64>),
    /// In the middle of a run.
    Saved(Box<SavedState>),
}

/// Everything that a run needs to go on to the same bits: plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedState {
    /// Parameters after the initial fit, for [`Command::Reset`](super::Command::Reset).
    pub fitted: Vec<f64>,
    pub evolution: EvolutionState,
    pub records: Vec<StepRecord>,
    pub frames: Frames,
    pub seconds: Seconds,
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
    Steps(u64),
}

/// One run: initial fit, time steps, the frames and the history that they leave.
pub struct Session {
    pub(super) problem: Problem,
    pub(super) engine: Engine,
    pub(super) clock: Clock,
    pub(super) phase: Phase,
    pub(super) play: Play,
    pub(super) fit: Option<InitialFit>,
    pub(super) fit_iteration: usize,
    pub(super) fit_error: Option<f64>,
    pub(super) fitted: Vec<f64>,
    pub(super) evolution: Option<Evolution>,
    pub(super) last: Option<StepReport>,
    pub(super) grid: EvaluationGrid,
    pub(super) frames: Frames,
    pub(super) most_frames: usize,
    pub(super) reference: Option<Reference>,
    pub(super) records: Vec<StepRecord>,
    /// How many records the snapshots have shown already.
    pub(super) shown: usize,
    pub(super) initial_error: Option<f64>,
    pub(super) error: Option<f64>,
    pub(super) pace: Pace,
    pub(super) seconds: Seconds,
    pub(super) failure: Option<SessionError>,
    pub(super) messages: Vec<String>,
}

impl Session {
    /// A session at the beginning of what [`Options::start`] says, playing.
    ///
    /// # Errors
    /// When there is no such device, or when saved parameters belong to another network.
    pub async fn new(problem: Problem, options: Options) -> Result<Self, SessionError> {
        let engine = Engine::new(&problem, options.backend, options.adapter.as_deref()).await?;
        let grid = EvaluationGrid::of(&problem);
        let frames = empty_frames(&problem, &grid, options.frames);
        let mut session = Self {
            problem,
            engine,
            clock: options.clock,
            phase: Phase::Fit,
            play: Play::Freely,
            fit: None,
            fit_iteration: 0,
            fit_error: None,
            fitted: Vec::new(),
            evolution: None,
            last: None,
            grid,
            frames,
            most_frames: options.frames,
            reference: None,
            records: Vec::new(),
            shown: 0,
            initial_error: None,
            error: None,
            pace: Pace::default(),
            seconds: Seconds::default(),
            failure: None,
            messages: Vec::new(),
        };
        match options.start {
            Start::Fit => session.fit = Some(InitialFit::new(&session.problem)?),
            Start::Fitted(theta) => session.begin_steps(theta).await?,
            Start::Saved(saved) => session.restore(*saved).await?,
        }
        Ok(session)
    }

    /// Works for about `budget` seconds: iterations of the fit or time steps, never less than one
    /// where one is due. Between two of them control goes back to the caller's executor, so that a
    /// page or a GPU queue gets its turn.
    ///
    /// An error does not come back from here: it ends the run, see [`Status::failure`] and
    /// [`Session::failure`].
    pub async fn advance(&mut self, budget: f64) -> Activity {
        let until = (self.clock)() + budget;
        while self.is_due() {
            let begun = (self.clock)();
            let outcome = match self.phase {
                Phase::Fit => self.fit_once().await,
                _ => self.step_once().await,
            };
            if let Err(error) = outcome {
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
    fn is_due(&self) -> bool {
        match self.phase {
            // Pausing does not hold up the fit: nothing is to be seen before it is done.
            Phase::Fit => true,
            Phase::Steps => self.play != Play::Steps(0),
            Phase::Done | Phase::Failed => false,
        }
    }

    async fn fit_once(&mut self) -> Result<(), SessionError> {
        let begun = (self.clock)();
        let Some(fit) = &mut self.fit else { return Ok(()) };
        let report = fit.iterate()?;
        self.fit_iteration = report.iteration;
        self.fit_error = Some(report.relative_l2);
        let fitted = report.done.then(|| fit.parameters().to_vec());
        self.seconds.fit += (self.clock)() - begun;
        match fitted {
            Some(theta) => self.begin_steps(theta).await,
            None => Ok(()),
        }
    }

    /// From fitted parameters to the first time step.
    pub(super) async fn begin_steps(&mut self, theta: Vec<f64>) -> Result<(), SessionError> {
        let expected = Network::of(&self.problem).parameters();
        if theta.len() != expected {
            return Err(SessionError::OtherNetwork { found: theta.len(), expected });
        }
        self.fit = None;
        self.fitted = theta.clone();
        let mut evolution = Evolution::new(&self.problem, &self.engine, theta)?;
        let values = evolution.evaluate(self.grid.coordinates()).await?;
        let exact = self.grid.initial_values(&self.problem);
        self.initial_error = Some(relative_l2(&values, &exact));
        self.evolution = Some(evolution);
        self.phase = Phase::Steps;
        self.keep_frame(&values)
    }

    async fn step_once(&mut self) -> Result<(), SessionError> {
        let Some(evolution) = &mut self.evolution else { return Ok(()) };
        let begun = (self.clock)();
        let report = evolution.step().await?;
        let took = (self.clock)() - begun;
        self.seconds.steps += took;
        self.pace.add(report.dt, took);
        self.records.push(StepRecord {
            step: report.step,
            time: report.time,
            dt: report.dt,
            residual: report.residual,
            rank: report.rank,
            largest_singular_value: report.largest_singular_value,
            error: None,
            corrections: report.corrections,
            rejected: report.rejected,
            wall_seconds: self.seconds.steps,
        });
        let done = report.time >= self.problem.time.end - 1e-9 * report.dt.abs();
        let place = (report.step, report.time);
        self.last = Some(report);
        if done || self.frames.wants(place.1) {
            let values = evolution.evaluate(self.grid.coordinates()).await?;
            self.keep_frame(&values)?;
        }
        if let Play::Steps(left) = &mut self.play {
            *left -= 1;
        }
        if done {
            self.phase = Phase::Done;
        }
        Ok(())
    }

    /// Keeps the solution at the present time, and its error where the reference is known.
    fn keep_frame(&mut self, values: &[f64]) -> Result<(), SessionError> {
        let (step, time) = self.position();
        if let Some(bad) = values.iter().position(|v| !v.is_finite()) {
            return Err(SessionError::Diverged { step, time, place: self.named_place(bad) });
        }
        self.frames.push(time, values);
        self.compare();
        Ok(())
    }

    /// Ends the run with an error. For one that says that numbers stopped being finite, the place
    /// is looked for in the last state that was kept.
    fn fail(&mut self, error: SessionError) {
        let error = match error {
            SessionError::Evolve(EvolveError::NotFinite { step, time, .. }) => {
                SessionError::Diverged { step, time, place: self.steepest_place() }
            }
            other => other,
        };
        self.note(error.to_string());
        self.failure = Some(error);
        self.phase = Phase::Failed;
    }

    /// Where the last frame is largest: where a solution that blows up most likely began to.
    fn steepest_place(&self) -> Vec<(String, f64)> {
        if self.frames.is_empty() {
            return Vec::new();
        }
        let values = self.frames.frame(self.frames.len() - 1);
        let largest =
            (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
        largest.map(|index| self.named_place(index)).unwrap_or_default()
    }

    fn named_place(&self, index: usize) -> Vec<(String, f64)> {
        let names = self.problem.coordinates.iter().map(|c| c.name.clone());
        names.zip(self.grid.point(index).iter().copied()).collect()
    }

    /// Everything that a run needs to go on to the same bits; `None` before the fit is done.
    #[must_use]
    pub fn save(&self) -> Option<SavedState> {
        self.evolution.as_ref().map(|evolution| SavedState {
            fitted: self.fitted.clone(),
            evolution: evolution.save(),
            records: self.records.clone(),
            frames: self.frames.clone(),
            seconds: self.seconds,
        })
    }

    async fn restore(&mut self, saved: SavedState) -> Result<(), SessionError> {
        self.begin_steps(saved.fitted).await?;
        if let Some(evolution) = &mut self.evolution {
            evolution.restore(saved.evolution);
            if evolution.time() >= self.problem.time.end {
                self.phase = Phase::Done;
            }
        }
        self.records = saved.records;
        self.frames = saved.frames;
        self.seconds = saved.seconds;
        Ok(())
    }
}

pub(super) fn empty_frames(problem: &Problem, grid: &EvaluationGrid, most: usize) -> Frames {
    Frames::new(grid.points(), problem.time.start, problem.time.end, most)
}

/// || u - v || / || v ||, or || u - v || where v is zero.
fn relative_l2(u: &[f64], v: &[f64]) -> f64 {
    let (difference, size) =
        u.iter().zip(v).fold((0.0, 0.0), |(d, s), (a, b)| (d + (a - b) * (a - b), s + b * b));
    if size > 0.0 { (difference / size).sqrt() } else { f64::sqrt(difference) }
}
