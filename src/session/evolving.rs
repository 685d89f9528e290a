//! The two parts of an evolution: the initial fit, and the time steps.

use super::frames::Marks;
use super::pace::Pace;
use super::{Clock, Recording, Seconds, SessionError};
use crate::evolve::initial_fit::{FitReport, InitialFit};
use crate::evolve::{Coherence, Engine, Evolution};
use crate::output::Spectrum;

/// Spectra that the history of a run keeps, and the first and the last besides.
const SPECTRA: usize = 8;
/// Entries of the largest Jacobian whose singular values are computed only to be looked at.
const MOST_ENTRIES: usize = 16 << 20;

/// The network is being fitted to the initial state.
pub(super) struct Fitting {
    pub record: Recording,
    pub engine: Engine,
    pub fit: InitialFit,
}

impl Fitting {
    pub fn new(record: Recording, engine: Engine) -> Result<Self, SessionError> {
        let fit = InitialFit::new(&record.problem)?;
        Ok(Self { record, engine, fit })
    }

    pub fn iterate(&mut self) -> Result<FitReport, SessionError> {
        let report = self.fit.iterate()?;
        let fit = &mut self.record.fit;
        (fit.iteration, fit.error, fit.ended) =
            (report.iteration, Some(report.between), report.reason);
        Ok(report)
    }
}

/// Time steps.
pub(super) struct Evolving {
    pub record: Recording,
    pub evolution: Evolution,
    /// Of the Jacobian at the start, where its columns are drawn uniformly.
    pub coherence: Option<Coherence>,
    /// The latest spectrum that was computed.
    pub spectrum: Option<Spectrum>,
    /// The parameters that the latest step changed.
    pub columns: Vec<u32>,
    /// Where along the run spectra are kept.
    marks: Marks,
    pub pace: Pace,
}

impl Evolving {
    /// At the beginning of the steps, or where the evolution is restored to.
    pub fn new(mut record: Recording, evolution: Evolution) -> Self {
        let time = &record.problem.time;
        let marks = Marks::new(time.start, time.end, SPECTRA);
        record.judge_the_beginning(&evolution);
        Self {
            // There to be looked at: what is not finite shows in the first step.
            coherence: evolution.coherence().unwrap_or_default(),
            record,
            evolution,
            spectrum: None,
            columns: Vec::new(),
            marks,
            pace: Pace::default(),
        }
    }

    /// Step and time now.
    pub fn position(&self) -> (usize, f64) {
        let step = self.record.history.records.last().map_or(0, |record| record.step);
        (step, self.evolution.time())
    }

    /// Takes one step and keeps what is due after it: a frame and singular values. The step alone
    /// counts as `seconds`.
    pub async fn step(
        &mut self,
        clock: Clock,
        seconds: &mut Seconds,
        messages: &mut Vec<String>,
    ) -> Result<(), SessionError> {
        let begun = clock();
        let report = self.evolution.step().await?;
        let took = clock() - begun;
        seconds.steps += took;
        self.pace.add(report.dt, took);
        self.record.record(&report, seconds.steps);
        if let Some(found) = &report.fresh_start {
            self.record.note = Some(found.to_string());
            messages.push(found.to_string());
        }
        self.columns = report.columns;
        let done = self.evolution.finished();
        if done || self.record.frames.wants(report.time) {
            self.keep_frame(messages)?;
        }
        let kept = self.record.history.spectra.last();
        if done || kept.is_none_or(|last| self.marks.between(last.time, report.time)) {
            self.keep_spectrum(report.singular_values, messages).await;
        }
        Ok(())
    }

    /// Keeps the solution at the present time, and its error where the reference is known.
    pub fn keep_frame(&mut self, messages: &mut Vec<String>) -> Result<(), SessionError> {
        let (step, time) = self.position();
        let kept = self.record.keep(&self.evolution);
        let what = "the solution";
        kept.map_err(|place| SessionError::Diverged { what, step, time, place })?;
        messages.extend(self.record.compare().err());
        Ok(())
    }

    /// Keeps the singular values of the Jacobian at the present state: those that the step found,
    /// else computed for this. They are there to be looked at, so a failure is no end of the run.
    pub async fn keep_spectrum(&mut self, found: Option<Vec<f64>>, messages: &mut Vec<String>) {
        let (step, time) = self.position();
        let method = &self.record.problem.method;
        let computed = match found {
            Some(values) => Ok(values),
            None if self.evolution.engine().points() * method.columns > MOST_ENTRIES => return,
            None => self.evolution.spectrum().await,
        };
        match computed {
            Ok(singular_values) => {
                let spectrum = Spectrum { step, time, singular_values, rcond: method.rcond };
                self.record.history.spectra.push(spectrum.clone());
                self.spectrum = Some(spectrum);
            }
            Err(error) => messages.push(format!("no singular values at t = {time}: {error}")),
        }
    }

    /// A fit that is worse than the problem accepts. Of a state that was drawn by hand nothing is
    /// known but what the network has of it.
    pub fn poor_fit(&self) -> Option<SessionError> {
        let (error, accepted) = (self.record.initial_error?, self.record.problem.fit.accept);
        // What is not a number is not accepted either.
        let good = self.record.redrawn || error <= accepted;
        (!good).then_some(SessionError::PoorFit { error, accepted })
    }

    /// The method's settings as they are now, from the next step on.
    pub fn take_method(&mut self) {
        self.evolution.set_method(self.record.problem.method.clone());
        self.pace = Pace::default();
    }
}
