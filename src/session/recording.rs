//! What is kept of an evolution to be looked at, and its comparison with the reference.

use super::density::gaussian;
use super::norm::relative_l2;
use super::{EvaluationGrid, Frames, Trajectory};
use crate::evolve::initial_fit::{FitReason, kinks};
use crate::evolve::{Evolution, StepReport};
use crate::field::device::Description;
use crate::network::Network;
use crate::output::{DensityRecord, History, StepRecord};
use crate::problem::{Problem, natural_size};
use crate::reference::{Gaussian, Reference};

/// The frames and the history that an evolution leaves, whatever it does at the moment.
pub struct Recording {
    pub(super) problem: Problem,
    pub(super) description: Description,
    pub(super) grid: EvaluationGrid,
    pub(super) frames: Frames,
    pub(super) trajectory: Trajectory,
    pub(super) most_frames: usize,
    pub(super) history: History,
    /// How many records the snapshots have shown already.
    pub(super) shown: usize,
    pub(super) reference: Option<Reference>,
    /// Of a density that points are drawn from, at the times of the frames.
    pub(super) densities: Vec<DensityRecord>,
    /// What that density should be.
    pub(super) gaussian: Option<Gaussian>,
    pub(super) fit: FitOutcome,
    /// Where the initial state is not smooth, in words.
    pub(super) kinks: String,
    /// Parameters after the initial fit; empty before.
    pub(super) fitted: Vec<f64>,
    /// Whether the run begins with another state than the problem's.
    pub(super) redrawn: bool,
    pub(super) initial_error: Option<f64>,
    /// Of the latest frame that was compared.
    pub(super) error: Option<f64>,
    /// What the run did about parameters that made its steps short.
    pub(super) note: Option<String>,
}

/// How far the initial fit has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FitOutcome {
    pub iteration: usize,
    pub error: Option<f64>,
    pub ended: Option<FitReason>,
}

impl Recording {
    pub(super) fn new(problem: Problem, description: Description, most_frames: usize) -> Self {
        let grid = EvaluationGrid::of(&problem);
        Self {
            frames: grid.empty_frames(&problem, most_frames),
            trajectory: empty_trajectory(&problem, most_frames),
            gaussian: gaussian(&problem),
            kinks: kinks(&problem).join(" and "),
            problem,
            description,
            grid,
            most_frames,
            history: History::default(),
            shown: 0,
            reference: None,
            densities: Vec::new(),
            fit: FitOutcome::default(),
            fitted: Vec::new(),
            redrawn: false,
            initial_error: None,
            error: None,
            note: None,
        }
    }

    /// Back to the beginning of the run, with the settings as they are now. What is known of the
    /// fit stays, and so does the reference.
    pub(super) fn begin_anew(&mut self) {
        let fresh = Self::new(self.problem.clone(), self.description.clone(), self.most_frames);
        let old = std::mem::replace(self, fresh);
        (self.reference, self.fit) = (old.reference, old.fit);
        (self.fitted, self.redrawn) = (old.fitted, old.redrawn);
        if self.redrawn {
            self.gaussian = None;
        }
    }

    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    #[must_use]
    pub fn grid(&self) -> &EvaluationGrid {
        &self.grid
    }

    #[must_use]
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    #[must_use]
    pub fn trajectory(&self) -> &Trajectory {
        &self.trajectory
    }

    /// One record per step so far, and a few spectra.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Parameters after the initial fit; empty before.
    #[must_use]
    pub fn fitted(&self) -> &[f64] {
        &self.fitted
    }

    /// What the run is compared with, where that is known.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// Puts a step into the history.
    pub(super) fn record(&mut self, report: &StepReport, wall_seconds: f64) {
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
            implicit: report.implicit,
            rejected: report.rejected,
            refit_error: report.refit_error,
            wall_seconds,
        });
    }

    /// Keeps what the grid shows of the present state; gives a point that is not finite.
    pub(super) fn keep(&mut self, evolution: &Evolution) -> Result<(), Vec<(String, f64)>> {
        let (time, values) = (evolution.time(), self.grid.look(evolution));
        if let Some(bad) = values.iter().position(|v| !v.is_finite()) {
            return Err(self.named_place(bad));
        }
        self.frames.push(time, &values);
        self.trajectory.offer(time, evolution.theta(), evolution.finished());
        self.keep_density(evolution);
        Ok(())
    }

    /// The error of the present state against the problem's initial one.
    pub(super) fn judge_the_beginning(&mut self, evolution: &Evolution) {
        let exact = self.grid.initial_values(&self.problem);
        let error = relative_l2(&self.grid.look(evolution), &exact);
        // A state that is zero is measured by what the problem makes of it.
        let zero = exact.iter().all(|u| *u == 0.0);
        let size = if zero { natural_size(&self.problem) } else { 1.0 };
        self.initial_error = Some(error / size);
    }

    /// Compares the frames that have not been compared yet.
    ///
    /// # Errors
    /// Why there is nothing to compare with any more, in words.
    pub(super) fn compare(&mut self) -> Result<(), String> {
        let Some(reference) = &self.reference else { return Ok(()) };
        while let Some(index) = self.frames.next_without_reference() {
            let time = self.frames.times()[index];
            let values = match self.grid.look_at(reference, time) {
                Ok(values) => values,
                Err(error) => {
                    self.reference = None;
                    return Err(format!("no comparison with the reference: {error}"));
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
        Ok(())
    }

    /// There is no truth to compare with any more; whether there was one.
    pub(super) fn depart(&mut self) -> bool {
        self.gaussian = None;
        self.error = None;
        self.reference.take().is_some()
    }

    /// Where the last frame is largest: where a solution that blows up most likely began to.
    pub(super) fn steepest_place(&self) -> Vec<(String, f64)> {
        if self.frames.is_empty() {
            return Vec::new();
        }
        let values = self.frames.frame(self.frames.len() - 1);
        let largest =
            (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
        largest.map(|index| self.named_place(index)).unwrap_or_default()
    }

    /// The largest value of the latest frame, or 1 where that is less.
    pub(super) fn size(&self) -> f64 {
        match self.frames.len() {
            0 => 1.0,
            len => self.frames.frame(len - 1).iter().fold(1.0, |most, v| most.max(v.abs())),
        }
    }

    fn named_place(&self, index: usize) -> Vec<(String, f64)> {
        let names = self.problem.coordinates.iter().map(|c| c.name.clone());
        names.zip(self.grid.point(index).iter().copied()).collect()
    }
}

/// For a run over the problem's time span, with at most `most` marks.
fn empty_trajectory(problem: &Problem, most: usize) -> Trajectory {
    let parameters = Network::of(problem).parameters();
    Trajectory::new(parameters, problem.time.start, problem.time.end, most)
}
