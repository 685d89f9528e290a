//! The session itself.

use super::density::gaussian;
use super::frames::Marks;
use super::norm::relative_l2;
use super::pace::Pace;
use super::{EvaluationGrid, Frames, Phase, SavedState, Seconds, SessionError, Trajectory};
use crate::evolve::initial_fit::{FitReason, InitialFit};
use crate::evolve::{Coherence, Engine, Evolution, EvolveError, StepReport};
use crate::field::device::Description;
use crate::network::Network;
use crate::output::{DensityRecord, History, Spectrum, StepRecord};
use crate::problem::Problem;
use crate::reference::{Gaussian, Reference};

/// Seconds since some fixed moment.
pub type Clock = fn() -> f64;

/// How a session is set up.
pub struct Options {
    pub start: Start,
    /// Frames that are kept, at most (and at most 64 MiB of them).
    pub frames: usize,
    pub clock: Clock,
}

/// Spectra that the history of a run keeps, and the first and the last besides.
const SPECTRA: usize = 8;
/// Entries of the largest Jacobian whose singular values are computed only to be looked at.
const MOST_ENTRIES: usize = 16 << 20;

/// Where a run begins.
pub enum Start {
    /// With the initial fit.
    Fit,
    /// With parameters that were fitted before.
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

/// One run: initial fit, time steps, the frames and the history that they leave.
pub struct Session {
    pub(super) problem: Problem,
    pub(super) description: Description,
    /// Here until the fit is done, then in the evolution.
    pub(super) engine: Option<Engine>,
    pub(super) clock: Clock,
    pub(super) phase: Phase,
    pub(super) play: Play,
    pub(super) fit: Option<InitialFit>,
    pub(super) fit_iteration: usize,
    pub(super) fit_error: Option<f64>,
    pub(super) fit_ended: Option<FitReason>,
    pub(super) fitted: Vec<f64>,
    /// Whether the run begins with another state than the problem's.
    pub(super) redrawn: bool,
    pub(super) evolution: Option<Evolution>,
    /// The latest spectrum that was computed.
    pub(super) spectrum: Option<Spectrum>,
    /// The parameters that the latest step changed.
    pub(super) columns: Vec<u32>,
    /// Where along the run spectra are kept.
    pub(super) spectrum_marks: Marks,
    pub(super) grid: EvaluationGrid,
    pub(super) frames: Frames,
    pub(super) trajectory: Trajectory,
    pub(super) most_frames: usize,
    pub(super) reference: Option<Reference>,
    /// Of a density that points are drawn from, at the times of the frames.
    pub(super) densities: Vec<DensityRecord>,
    /// What that density should be.
    pub(super) gaussian: Option<Gaussian>,
    pub(super) history: History,
    /// How many records the snapshots have shown already.
    pub(super) shown: usize,
    /// Of the Jacobian at the start, where its columns are drawn uniformly.
    pub(super) coherence: Option<Coherence>,
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
    /// When the parameters to start with belong to another network, or the device fails.
    pub async fn new(
        problem: Problem,
        engine: Engine,
        options: Options,
    ) -> Result<Self, SessionError> {
        let grid = EvaluationGrid::of(&problem);
        let frames = grid.empty_frames(&problem, options.frames);
        let trajectory = empty_trajectory(&problem, options.frames);
        let gaussian = gaussian(&problem);
        let spectrum_marks = Marks::new(problem.time.start, problem.time.end, SPECTRA);
        let mut session = Self {
            problem,
            description: engine.describe(),
            engine: Some(engine),
            clock: options.clock,
            phase: Phase::Fit,
            play: Play::Freely,
            fit: None,
            fit_iteration: 0,
            fit_error: None,
            fit_ended: None,
            fitted: Vec::new(),
            redrawn: false,
            evolution: None,
            spectrum: None,
            columns: Vec::new(),
            spectrum_marks,
            grid,
            frames,
            trajectory,
            most_frames: options.frames,
            reference: None,
            densities: Vec::new(),
            gaussian,
            history: History::default(),
            shown: 0,
            coherence: None,
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
            Start::Saved(saved) => session.restore(saved)?,
        }
        Ok(session)
    }

    /// Works for about `budget` seconds: iterations of the fit or time steps, never less than one
    /// where one is due. Between two of them control goes back to the caller's executor, so that a
    /// page or a GPU queue gets its turn.
    ///
    /// An error does not come back from here: it ends the run, see [`Session::failure`] and
    /// [`Status::failure`](super::Status::failure).
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
        self.fit_error = Some(report.between);
        self.fit_ended = report.reason;
        let fitted = report.done.then(|| fit.parameters().to_vec());
        self.seconds.fit += (self.clock)() - begun;
        match fitted {
            Some(theta) => self.begin_steps(theta).await,
            None => Ok(()),
        }
    }

    /// From fitted parameters to the first time step.
    pub(super) async fn begin_steps(&mut self, theta: Vec<f64>) -> Result<(), SessionError> {
        self.take_fitted(theta)?;
        let values = self.evaluate();
        self.keep_frame(&values)?;
        match self.poor_fit() {
            Some(error) => self.fail(error),
            None => self.keep_spectrum(None).await,
        }
        Ok(())
    }

    /// A fit that is worse than the problem accepts. Of a state that was drawn by hand nothing is
    /// known but what the network has of it.
    fn poor_fit(&self) -> Option<SessionError> {
        let (error, accepted) = (self.initial_error?, self.problem.fit.accept);
        // What is not a number is not accepted either.
        let good = self.redrawn || error <= accepted;
        (!good).then_some(SessionError::PoorFit { error, accepted })
    }

    /// Hands fitted parameters and the engine to the evolution.
    pub(super) fn take_fitted(&mut self, theta: Vec<f64>) -> Result<(), SessionError> {
        let Some(engine) = self.engine.take() else { return Ok(()) };
        self.fit = None;
        self.fitted = theta.clone();
        let evolution = Evolution::new(&self.problem, engine, theta)?;
        // There to be looked at: what is not finite shows in the first step.
        self.coherence = evolution.coherence().unwrap_or_default();
        self.evolution = Some(evolution);
        let exact = self.grid.initial_values(&self.problem);
        self.initial_error = Some(relative_l2(&self.evaluate(), &exact));
        self.phase = Phase::Steps;
        Ok(())
    }

    async fn step_once(&mut self) -> Result<(), SessionError> {
        let Some(evolution) = &mut self.evolution else { return Ok(()) };
        let begun = (self.clock)();
        let report = evolution.step().await?;
        let took = (self.clock)() - begun;
        self.seconds.steps += took;
        self.pace.add(report.dt, took);
        if let Play::Steps(left) = &mut self.play {
            *left = left.saturating_sub(1);
        }
        let done = evolution.finished();
        let (time, singular_values) = (report.time, report.singular_values.clone());
        self.record(report);
        if done || self.frames.wants(time) {
            let values = self.evaluate();
            self.keep_frame(&values)?;
        }
        let kept = self.history.spectra.last();
        if done || kept.is_none_or(|last| self.spectrum_marks.between(last.time, time)) {
            self.keep_spectrum(singular_values).await;
        }
        if done {
            self.phase = Phase::Done;
        }
        Ok(())
    }

    /// Keeps the singular values of the Jacobian at the present state: those that the step found,
    /// else computed for this. They are there to be looked at, so a failure is no end of the run.
    async fn keep_spectrum(&mut self, found: Option<Vec<f64>>) {
        let (step, time) = self.position();
        let Some(evolution) = &mut self.evolution else { return };
        let computed = match found {
            Some(values) => Ok(values),
            None if evolution.engine().points() * self.problem.method.columns > MOST_ENTRIES => {
                return;
            }
            None => evolution.spectrum().await,
        };
        match computed {
            Ok(singular_values) => {
                let rcond = self.problem.method.rcond;
                let spectrum = Spectrum { step, time, singular_values, rcond };
                self.history.spectra.push(spectrum.clone());
                self.spectrum = Some(spectrum);
            }
            Err(error) => self.note(format!("no singular values at t = {time}: {error}")),
        }
    }

    /// Puts a step into the history.
    fn record(&mut self, report: StepReport) {
        self.columns = report.columns;
        self.history.records.push(StepRecord {
            step: report.step,
            time: report.time,
            dt: report.dt,
            residual: report.residual,
            columns: report.count,
            rank: report.rank,
            largest_singular_value: report.largest_singular_value,
            error: None,
            corrections: report.corrections,
            rejected: report.rejected,
            refit_error: report.refit_error,
            wall_seconds: self.seconds.steps,
        });
    }

    /// What the evaluation grid looks at, now: u, or the density; empty before the fit is done.
    #[must_use]
    pub fn evaluate(&self) -> Vec<f64> {
        self.evolution.as_ref().map(|evolution| self.grid.look(evolution)).unwrap_or_default()
    }

    /// Keeps the solution at the present time, and its error where the reference is known.
    fn keep_frame(&mut self, values: &[f64]) -> Result<(), SessionError> {
        let (step, time) = self.position();
        if let Some(bad) = values.iter().position(|v| !v.is_finite()) {
            let (what, place) = ("the solution", self.named_place(bad));
            return Err(SessionError::Diverged { what, step, time, place });
        }
        self.frames.push(time, values);
        if let Some(evolution) = &self.evolution {
            self.trajectory.offer(time, evolution.theta(), evolution.finished());
        }
        self.keep_density();
        self.compare();
        Ok(())
    }

    /// Ends the run with an error. For one that says that numbers stopped being finite, the place
    /// is looked for in the last state that was kept.
    fn fail(&mut self, error: SessionError) {
        let error = match error {
            SessionError::Evolve(EvolveError::NotFinite { step, time, what }) => {
                SessionError::Diverged { what, step, time, place: self.steepest_place() }
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
}

/// For a run over the problem's time span, with at most `most` marks.
pub(super) fn empty_trajectory(problem: &Problem, most: usize) -> Trajectory {
    let parameters = Network::of(problem).parameters();
    Trajectory::new(parameters, problem.time.start, problem.time.end, most)
}
