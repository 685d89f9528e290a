//! Looking at a session, and comparing it with the reference.

use super::run::Play;
use super::{
    EvaluationGrid, Frames, Phase, Session, SessionError, Snapshot, Status, Trajectory, fixed_steps,
};
use crate::evolve::{Coherence, Engine, Evolution};
use crate::field::device::Description;
use crate::field::gpu::Gpu;
use crate::output::{History, StepRecord};
use crate::problem::{Problem, Update};
use crate::reference::Reference;

impl Session {
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Backend, device and precision in use.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The device in use, where it is no CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        let engine = self.engine.as_ref().or(self.evolution.as_ref().map(Evolution::engine));
        engine.and_then(Engine::gpu)
    }

    #[must_use]
    pub fn grid(&self) -> &EvaluationGrid {
        &self.grid
    }

    #[must_use]
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// One record per step so far, and a few spectra.
    #[must_use]
    pub fn trajectory(&self) -> &Trajectory {
        &self.trajectory
    }

    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Parameters after the initial fit; empty before.
    #[must_use]
    pub fn fitted(&self) -> &[f64] {
        &self.fitted
    }

    /// The network's parameters now; empty before the initial fit is done.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        self.evolution.as_ref().map_or(&[], |evolution| evolution.theta())
    }

    /// What ended the run before its time.
    #[must_use]
    pub fn failure(&self) -> Option<&SessionError> {
        self.failure.as_ref()
    }

    /// [`Session::failure`], once.
    pub fn take_failure(&mut self) -> Option<SessionError> {
        self.failure.take()
    }

    /// [`Session::failure`], at the end.
    #[must_use]
    pub fn into_failure(self) -> Option<SessionError> {
        self.failure
    }

    /// What the run is compared with, where that is known.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// Keeps a message for the next snapshot.
    pub(super) fn note(&mut self, message: String) {
        self.messages.push(message);
    }

    /// Step and time now.
    pub(super) fn position(&self) -> (usize, f64) {
        let time = self.evolution.as_ref().map_or(self.problem.time.start, |e| e.time());
        (self.history.records.last().map_or(0, |record| record.step), time)
    }

    /// The truth to compare with, whenever it is ready; the frames kept until now are compared at
    /// once.
    pub fn set_reference(&mut self, reference: Reference) {
        self.frames.drop_reference();
        self.reference = Some(reference);
        self.compare();
    }

    /// Compares the frames that have not been compared yet.
    pub(super) fn compare(&mut self) {
        let Some(reference) = &self.reference else { return };
        while let Some(index) = self.frames.next_without_reference() {
            let time = self.frames.times()[index];
            let values = match self.grid.look_at(reference, time) {
                Ok(values) => values,
                Err(error) => {
                    self.messages.push(format!("no comparison with the reference: {error}"));
                    self.reference = None;
                    return;
                }
            };
            let error = self.frames.push_reference(&values);
            self.error = Some(error);
            // Frames are taken at the ends of steps; the first one is the initial state.
            if let Ok(record) = self.history.records.binary_search_by(|r| r.time.total_cmp(&time)) {
                self.history.records[record].error = Some(error);
                self.shown = self.shown.min(record);
            }
        }
    }

    /// Of the Jacobian at the start, where its columns are drawn uniformly.
    #[must_use]
    pub fn coherence(&self) -> Option<Coherence> {
        self.coherence
    }

    /// What makes the run less accurate than it could be, and what helps.
    fn warning(&self) -> Option<String> {
        let warnings = [self.fit_warning(), self.columns_warning(), self.stages_warning()];
        let warnings: Vec<String> = warnings.into_iter().flatten().collect();
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }

    /// Measured on the state itself, so that a fit from a cache or a checkpoint is judged as a new
    /// one.
    fn fit_warning(&self) -> Option<String> {
        let tolerance = self.problem.fit.tolerance;
        let error = self.initial_error.filter(|error| !self.redrawn && *error > tolerance)?;
        Some(format!(
            "the initial state is fitted to {error:.1e} only, above its tolerance of \
             {tolerance:.1e} (fit.tolerance): nothing that follows can be more accurate; fit a wider \
             network or allow more iterations (fit.max_iterations)"
        ))
    }

    /// Too few columns for the Jacobian at the start.
    fn columns_warning(&self) -> Option<String> {
        let method = &self.problem.method;
        // Where the run chooses s, it does so by itself.
        let fixed = method.update == Update::RandomSparse && !method.adaptive_columns;
        let coherence = self.coherence.filter(|_| fixed)?;
        coherence.warning(method.columns, self.fitted.len())
    }

    /// What implicit stages may have missed, which the control of the steps does not see.
    fn stages_warning(&self) -> Option<String> {
        let method = &self.problem.method;
        let tolerance = method.tolerance.filter(|_| method.integrator.is_implicit())?;
        let missed = missed(&self.history.records, tolerance)?;
        Some(format!(
            "the implicit stages may have missed as much as {missed:.1e} of the solution so far, more \
             than the tolerance of their steps promises: less where that was noise which the equation \
             damps. Hold it against an explicit integrator or more columns (method.columns)"
        ))
    }

    /// Where the run stands, in numbers.
    #[must_use]
    pub fn status(&self) -> Status {
        let (step, time) = self.position();
        let end = self.problem.time.end;
        Status {
            phase: self.phase,
            playing: self.play == Play::Freely,
            fit_iteration: self.fit_iteration,
            fit_error: self.fit_error,
            fit_ended: self.fit_ended,
            step,
            steps: fixed_steps(&self.problem),
            time,
            start: self.problem.time.start,
            end,
            seconds_left: match self.phase {
                Phase::Steps => self.pace.seconds_for(end - time),
                Phase::Done => Some(0.0),
                Phase::Fit | Phase::Failed => None,
            },
            last: self.history.records.last().cloned(),
            initial_error: self.initial_error,
            error: self.error,
            space_time_error: self.frames.space_time_error(),
            seconds: self.seconds,
            warning: self.warning(),
            failure: self.failure.as_ref().map(ToString::to_string),
        }
    }

    /// [`Session::status`] with the solution at the present time, and the messages since the last
    /// snapshot.
    pub fn snapshot(&mut self) -> Snapshot {
        let status = self.status();
        let values = self.evaluate();
        let reference = self
            .reference
            .as_ref()
            .filter(|_| !values.is_empty())
            .and_then(|r| self.grid.look_at(r, status.time).ok());
        let first_record = self.shown.min(self.history.records.len());
        self.shown = self.history.records.len();
        Snapshot {
            status,
            values,
            reference,
            spectrum: self.spectrum.clone(),
            columns: self.columns.clone(),
            records: self.history.records[first_record..].to_vec(),
            first_record,
            messages: std::mem::take(&mut self.messages),
        }
    }
}

/// How many tolerances the residuals of a run may add up to before that is worth a warning: those of
/// a run that keeps its promise add up to a few.
const PROMISED: f64 = 10.0;

/// The sum of the steps' residuals, where it is more than a tolerance promises.
fn missed(records: &[StepRecord], tolerance: f64) -> Option<f64> {
    let sum: f64 = records.iter().map(|record| record.residual).sum();
    (sum.is_nan() || sum > PROMISED * tolerance).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stages_miss_is_told_once_it_is_more_than_the_tolerance_promises() {
        let record = |step: usize, residual: f64| StepRecord {
            step,
            time: step as f64,
            dt: 1.0,
            residual,
            columns: 10,
            rank: 10,
            largest_singular_value: 1.0,
            error: None,
            corrections: 1,
            rejected: 0,
            refit_error: None,
            wall_seconds: 0.0,
        };
        let run = |each: f64| -> Vec<StepRecord> { (1..=40).map(|k| record(k, each)).collect() };
        assert_eq!(missed(&run(1e-7), 1e-6), None);
        let sum = missed(&run(8e-6), 1e-6).expect("a warning");
        assert!((sum - 3.2e-4).abs() < 1e-12);
        assert!(missed(&run(f64::NAN), 1e-6).is_some());
    }
}
