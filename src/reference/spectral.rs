//! The spectral solver: resolution in space follows the spectrum along the run, resolution in
//! time is refined until two runs agree.

use std::ops::ControlFlow;

use rustfft::FftPlanner;

use super::etdrk4::System;
use super::fourier::FieldTransform;
use super::march::March;
use super::pointwise::{Fields, Pointwise};
use super::solution::{Quality, SpectralSolution, interpolate};
use super::spectrum::{Spectrum, relative_distance};
use super::split::Split;
use super::{Progress, ReferenceError};
use crate::problem::{Boundary, Problem};

/// What the solver is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectralSettings {
    /// Relative L2 error over space and time at which refinement ends.
    pub tolerance: f64,
    /// Fourier modes, an even number; `None`: as many as the spectrum needs, changing along the
    /// run, up to `max_modes`.
    pub modes: Option<usize>,
    /// Time step (at most); `None`: halved until the runs agree.
    pub step: Option<f64>,
    /// Intervals between kept snapshots: times that divide the run into so many equal parts are
    /// hit exactly. More are taken where interpolation in time needs them.
    pub intervals: usize,
    /// Along an axis.
    pub max_modes: usize,
    /// Most time steps of one run.
    pub max_steps: usize,
    /// Most numbers that all runs together may transform between coefficients and samples.
    pub max_work: f64,
}

impl SpectralSettings {
    /// The defaults for so many dimensions.
    #[must_use]
    pub fn in_dimensions(dimensions: usize) -> Self {
        let max_modes = match dimensions {
            1 => 1 << 14,
            2 => 512,
            _ => 64,
        };
        Self {
            tolerance: 1e-9,
            modes: None,
            step: None,
            intervals: usual_intervals(dimensions) / 4,
            max_modes,
            max_steps: 1 << 18,
            max_work: 4e9,
        }
    }

    /// The problem's own wishes. Every so many of its time steps, few where possible, a snapshot
    /// is hit exactly.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let dimensions = problem.dimensions();
        let defaults = Self::in_dimensions(dimensions);
        let steps = (problem.time.end - problem.time.start) / problem.method.step;
        let divides = steps.is_finite() && (steps - steps.round()).abs() < 1e-6;
        let steps = if divides { steps.round() as usize } else { defaults.intervals };
        let intervals = (FEWEST_INTERVALS..=usual_intervals(dimensions))
            .rev()
            .find(|&count| steps.is_multiple_of(count))
            .unwrap_or(defaults.intervals);
        let modes = problem.reference.modes.map(|modes| modes.next_multiple_of(2));
        Self { modes, step: problem.reference.step, intervals, ..defaults }
    }
}

/// More snapshots than this are only kept where interpolation in time needs them: one in two
/// dimensions takes a megabyte, not a kilobyte.
fn usual_intervals(dimensions: usize) -> usize {
    if dimensions == 1 { 1_024 } else { 256 }
}

fn most_intervals(dimensions: usize) -> usize {
    4 * usual_intervals(dimensions)
}

const FEWEST_INTERVALS: usize = 64;
/// Steps beyond which a given step is a slip.
const MOST_STEPS: f64 = 1e9;
/// Dimensions in which a grid has not more points than a computer has room for.
pub const MOST_DIMENSIONS: usize = 3;
/// Steps between looks at the spectrum.
const CHECK_EVERY: usize = 8;
/// Part of the norm that snapshots may leave out, over the tolerance.
const NEGLIGIBLE: f64 = 1e-4;
/// Leaving out every other snapshot costs at least this much in interpolation error; the eighth
/// order of the stencil would say 256.
const LEAVE_OUT_FACTOR: f64 = 32.0;

/// Called now and then; `Break` ends the computation with [`ReferenceError::Cancelled`].
pub type Observer<'a> = &'a dyn Fn(Progress) -> ControlFlow<()>;

/// Everything that the solution depends on, as text: the key of a cache.
#[must_use]
pub fn identity(problem: &Problem, settings: &SpectralSettings) -> String {
    format!(
        "spectral 4 {:?} {:?} {:?} {:?} {:?} {settings:?}",
        problem.coordinates,
        problem.parameters.iter().map(|p| p.value).collect::<Vec<_>>(),
        problem.time,
        problem.right_hand_side,
        problem.initial,
    )
}

/// Solves a periodic problem in up to three space dimensions.
///
/// Refinement stops at the tolerance, or where more steps no longer help (rounding, chaos) or
/// would be too many or too much work: [`Quality::estimated_error`] says what was reached.
///
/// # Errors
/// [`ReferenceError::Dimensions`], [`ReferenceError::NotPeriodic`] and
/// [`ReferenceError::Settings`] when the problem does not allow it;
/// [`ReferenceError::InitialNotFinite`], [`ReferenceError::NotFinite`],
/// [`ReferenceError::Unresolved`] and [`ReferenceError::TooMuchWork`] when the solution does not;
/// [`ReferenceError::Cancelled`] when the observer says so.
pub fn solve(
    problem: &Problem,
    settings: &SpectralSettings,
    observe: Observer<'_>,
) -> Result<SpectralSolution, ReferenceError> {
    let system = system(problem)?;
    settings.check(problem)?;
    let initial = initial_coefficients(problem, &system, settings)?;
    let mut refinement = Refinement { problem, settings, system, initial, observe, work: 0.0 };
    match settings.step {
        Some(step) => refinement.with_given_step(step),
        None => refinement.until_runs_agree(),
    }
}

impl SpectralSettings {
    fn check(&self, problem: &Problem) -> Result<(), ReferenceError> {
        let span = problem.time.end - problem.time.start;
        // A grid that has room in memory.
        let most = match problem.dimensions() {
            1 => 1 << 20,
            2 => 2_048,
            _ => 192,
        };
        let bad = |name, value| Err(ReferenceError::Settings { name, value });
        match (self.modes, self.step) {
            (Some(modes), _) if modes < 4 || !modes.is_multiple_of(2) || modes > most => {
                bad("modes", modes as f64)
            }
            (_, Some(step)) if !(step > 0.0 && step.is_finite() && span / step < MOST_STEPS) => {
                bad("step", step)
            }
            _ if self.tolerance <= 0.0 || self.tolerance.is_nan() => {
                bad("tolerance", self.tolerance)
            }
            _ if self.intervals == 0 => bad("intervals", 0.0),
            _ if self.max_modes < 64 || !self.max_modes.is_multiple_of(2) => {
                bad("max_modes", self.max_modes as f64)
            }
            _ => Ok(()),
        }
    }
}

fn system(problem: &Problem) -> Result<System, ReferenceError> {
    let dimensions = problem.dimensions();
    if dimensions > MOST_DIMENSIONS {
        return Err(ReferenceError::Dimensions { dimensions });
    }
    let walled = problem.coordinates.iter().find(|c| c.boundary != Boundary::Periodic);
    if let Some(coordinate) = walled {
        return Err(ReferenceError::NotPeriodic { coordinate: coordinate.name.clone() });
    }
    let parameters: Vec<f64> = problem.parameters.iter().map(|p| p.value).collect();
    let sides = &problem.right_hand_side;
    let own = |(unknown, side)| Split::of(side, unknown, &parameters, dimensions);
    let mut splits: Vec<Split> = sides.iter().enumerate().map(own).collect();
    let mut turning: Vec<[usize; 2]> = Vec::new();
    for u in 0..splits.len() {
        for v in u + 1..splits.len() {
            let free = !turning.iter().flatten().any(|taken| *taken == u || *taken == v);
            let pair = free.then(|| Split::turning(sides, [u, v], &parameters, dimensions));
            if let Some([of_u, of_v]) = pair.flatten() {
                (splits[u], splits[v]) = (of_u, of_v);
                turning.push([u, v]);
            }
        }
    }
    Ok(System {
        lower: problem.coordinates.iter().map(|c| c.lower).collect(),
        length: problem.coordinates.iter().map(|c| c.upper - c.lower).collect(),
        splits,
        turning,
        parameters,
    })
}

/// Coefficients of the initial state from a grid finer than the most modes.
fn initial_coefficients(
    problem: &Problem,
    system: &System,
    settings: &SpectralSettings,
) -> Result<Spectrum, ReferenceError> {
    let dimensions = problem.dimensions();
    let modes = settings.modes.unwrap_or(settings.max_modes);
    // What lies beyond the most modes folds onto them: of little where it is small, and all that
    // memory allows in three dimensions.
    let finer = if dimensions == 1 { 4 } else { 2 };
    let samples = vec![finer * modes; dimensions];
    let grid = system.grid(&samples);
    let mut values = vec![0.0; samples.iter().product()];
    let fields = Fields {
        coordinates: &grid,
        time: problem.time.start,
        parameters: &system.parameters,
        entries: &[],
        derivatives: &[],
    };
    let shape = Spectrum::zeros(problem.initial.len(), &vec![modes / 2; dimensions]);
    let mut state = shape.clone();
    let count = shape.values.len() / shape.fields();
    let mut transform = FieldTransform::new(&samples, &mut FftPlanner::new());
    for (initial, own) in problem.initial.iter().zip(state.values.chunks_exact_mut(count)) {
        Pointwise::default().evaluate(initial, fields, &mut values);
        if let Some(bad) = values.iter().position(|u| !u.is_finite()) {
            let place = grid.iter().map(|axis| axis[bad]).collect();
            return Err(ReferenceError::InitialNotFinite { place });
        }
        transform.analyze(&values, &shape, own);
    }
    Ok(state)
}

/// One integration over the whole time.
struct Run {
    snapshots: Vec<Spectrum>,
    modes: usize,
    steps: usize,
    /// The largest part of the norm in the upper quarter of the spectrum.
    tail: f64,
    work: f64,
}

impl Run {
    fn intervals(&self) -> usize {
        self.snapshots.len() - 1
    }
}

struct Refinement<'a> {
    problem: &'a Problem,
    settings: &'a SpectralSettings,
    system: System,
    initial: Spectrum,
    observe: Observer<'a>,
    /// Of all runs so far.
    work: f64,
}

impl Refinement<'_> {
    /// The given step, and a run at twice the step to know the error.
    fn with_given_step(&mut self, step: f64) -> Result<SpectralSolution, ReferenceError> {
        let span = self.problem.time.end - self.problem.time.start;
        let mut intervals = self.settings.intervals;
        let most = most_intervals(self.problem.dimensions());
        while 2 * intervals <= most && 2.0 * step * intervals as f64 <= 0.5 * span {
            intervals *= 2;
        }
        let substeps = (span / (intervals as f64 * step) / 2.0 - 1e-9).ceil().max(1.0) as usize;
        let coarse = self.run(intervals, substeps, 0, None)?;
        let fine = self.run(intervals, 2 * substeps, 1, None)?;
        let error = distance(&coarse, &fine);
        Ok(self.finish(fine, error))
    }

    fn until_runs_agree(&mut self) -> Result<SpectralSolution, ReferenceError> {
        let tolerance = self.settings.tolerance;
        let (mut intervals, mut substeps) = (self.settings.intervals, 1);
        let most_intervals = most_intervals(self.problem.dimensions());
        let mut previous: Option<Run> = None;
        let mut last_difference: Option<f64> = None;
        let mut error = None;
        let mut failure: Option<ReferenceError> = None;
        for level in 0.. {
            let run = match self.run(intervals, substeps, level, error) {
                Ok(run) => run,
                Err(ReferenceError::Cancelled) => return Err(ReferenceError::Cancelled),
                Err(found @ ReferenceError::TooMuchWork { .. }) => {
                    let (Some(run), Some(error)) = (previous, error) else { return Err(found) };
                    return Ok(self.finish(run, error));
                }
                Err(found) => {
                    let settled = failure.as_ref().is_some_and(|f| same_failure(f, &found));
                    if settled || 2 * intervals * substeps > self.settings.max_steps {
                        return Err(found);
                    }
                    failure = Some(found);
                    (previous, last_difference) = (None, None);
                    substeps *= 2;
                    continue;
                }
            };
            let coarse_in_time = interpolation_error(&run) > tolerance;
            if let Some(previous) = &previous {
                let difference = distance(previous, &run);
                let ratio = last_difference.map_or(2.0, |last: f64| last / difference);
                // A run of order four leaves 1/15 of the difference; believe what was observed.
                let estimate = difference / (ratio.clamp(2.0, 16.0) - 1.0);
                let stalled = ratio < 2.0 && last_difference.is_some() && difference < 1e-6;
                let full = 2 * run.steps > self.settings.max_steps
                    || self.work + 2.0 * run.work > self.settings.max_work;
                if (estimate <= tolerance && !coarse_in_time) || stalled || full {
                    return Ok(self.finish(run, estimate));
                }
                (error, last_difference) = (Some(estimate), Some(difference));
            }
            previous = Some(run);
            if coarse_in_time && 2 * intervals <= most_intervals {
                intervals *= 2;
            } else {
                substeps *= 2;
            }
        }
        unreachable!("the number of steps is bounded")
    }

    fn finish(&self, mut run: Run, error: f64) -> SpectralSolution {
        // Snapshots that interpolation does not need only fill the disk.
        let fewest = self.settings.intervals;
        while run.intervals() >= 2 * fewest
            && run.intervals().is_multiple_of(2)
            && left_out_error(&run) <= 0.1 * self.settings.tolerance
        {
            let mut index = 0;
            run.snapshots.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        let estimated_error = error.hypot(interpolation_error(&run)).hypot(run.tail);
        let quality = Quality { modes: run.modes, steps: run.steps, estimated_error };
        let bound = (self.settings.tolerance * NEGLIGIBLE).max(f64::EPSILON);
        let snapshots = run.snapshots.iter().map(|snapshot| snapshot.significant(bound)).collect();
        let (lower, length) = (self.system.lower.clone(), self.system.length.clone());
        let (start, end) = (self.problem.time.start, self.problem.time.end);
        SpectralSolution { lower, length, start, end, snapshots, quality }
    }

    /// Integrates with `intervals` x `substeps` equal steps and keeps a snapshot per interval.
    fn run(
        &mut self,
        intervals: usize,
        substeps: usize,
        level: usize,
        error: Option<f64>,
    ) -> Result<Run, ReferenceError> {
        let (start, end) = (self.problem.time.start, self.problem.time.end);
        let steps = intervals * substeps;
        let step = (end - start) / steps as f64;
        let mut march = March::new(&self.system, self.settings, &self.initial, step);
        let before = self.work;
        let mut snapshots = vec![march.state.clone()];
        for interval in 0..intervals {
            let mut done = 0;
            while done < substeps {
                let count = CHECK_EVERY.min(substeps - done);
                let time = start + step * (interval * substeps + done) as f64;
                march.advance(time, count)?;
                done += count;
                self.work = before + march.work;
                if self.work > self.settings.max_work {
                    return Err(ReferenceError::TooMuchWork { time, steps });
                }
            }
            snapshots.push(march.state.clone());
            let fraction = (interval + 1) as f64 / intervals as f64;
            let modes = march.modes.iter().copied().max().unwrap_or(0);
            let progress = Progress { level, fraction, modes, steps, error };
            if (self.observe)(progress).is_break() {
                return Err(ReferenceError::Cancelled);
            }
        }
        let (modes, tail, work) = (march.most_modes, march.largest_tail, march.work);
        Ok(Run { snapshots, modes, steps, tail, work })
    }
}

/// Relative L2 distance over the snapshots that both runs have.
fn distance(coarse: &Run, fine: &Run) -> f64 {
    let stride = fine.intervals() / coarse.intervals();
    let pairs = coarse.snapshots.iter().zip(fine.snapshots.iter().step_by(stride));
    relative_distance(pairs)
}

/// What interpolation in time between the snapshots costs.
fn interpolation_error(run: &Run) -> f64 {
    left_out_error(run) / LEAVE_OUT_FACTOR
}

/// What it costs to leave out every other snapshot.
fn left_out_error(run: &Run) -> f64 {
    let even = |index: usize| &run.snapshots[2 * index];
    let count = run.snapshots.len().div_ceil(2);
    let odd = (1..2 * count - 1).step_by(2);
    let guesses: Vec<_> = odd.clone().map(|j| interpolate(count, even, 0.5 * j as f64)).collect();
    relative_distance(guesses.iter().zip(odd.map(|j| &run.snapshots[j])))
}

/// Whether smaller steps fail in the same way at nearly the same time.
fn same_failure(first: &ReferenceError, second: &ReferenceError) -> bool {
    match (first.failure_time(), second.failure_time()) {
        (Some(first), Some(second)) => (first - second).abs() <= 0.02 * second.abs(),
        _ => false,
    }
}
