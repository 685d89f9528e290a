//! The spectral solver: resolution in space follows the spectrum along the run, resolution in
//! time is refined until two runs agree.

use std::ops::ControlFlow;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use super::etdrk4::System;
use super::fourier::RealTransform;
use super::march::March;
use super::pointwise::{Fields, Pointwise};
use super::solution::{Quality, SpectralSolution, interpolate, relative_distance};
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
    pub max_modes: usize,
    /// Most time steps of one run.
    pub max_steps: usize,
}

impl Default for SpectralSettings {
    fn default() -> Self {
        Self {
            tolerance: 1e-9,
            modes: None,
            step: None,
            intervals: 256,
            max_modes: 1 << 14,
            max_steps: 1 << 18,
        }
    }
}

impl SpectralSettings {
    /// The problem's own wishes. Every so many of its time steps, few where possible, a snapshot
    /// is hit exactly.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let defaults = Self::default();
        let steps = (problem.time.end - problem.time.start) / problem.method.step;
        let divides = steps.is_finite() && (steps - steps.round()).abs() < 1e-6;
        let steps = if divides { steps.round() as usize } else { defaults.intervals };
        let intervals = (FEWEST_INTERVALS..=USUAL_INTERVALS)
            .rev()
            .find(|&count| steps.is_multiple_of(count))
            .unwrap_or(defaults.intervals);
        Self { modes: problem.reference.modes, step: problem.reference.step, intervals, ..defaults }
    }
}

const FEWEST_INTERVALS: usize = 64;
/// More snapshots than this are only kept where interpolation in time needs them.
const USUAL_INTERVALS: usize = 1_024;
const MOST_INTERVALS: usize = 4_096;
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
        "spectral 2 {:?} {:?} {:?} {:?} {:?} {settings:?}",
        problem.coordinates,
        problem.parameters.iter().map(|p| p.value).collect::<Vec<_>>(),
        problem.time,
        problem.right_hand_side,
        problem.initial,
    )
}

/// Solves a periodic problem in one space dimension, of any number of unknowns.
///
/// Refinement stops at the tolerance, or where more steps no longer help (rounding, chaos) or
/// would be too many: [`Quality::estimated_error`] says what was reached.
///
/// # Errors
/// [`ReferenceError::Dimensions`], [`ReferenceError::NotPeriodic`] and
/// [`ReferenceError::Settings`] when the problem does not allow it;
/// [`ReferenceError::InitialNotFinite`], [`ReferenceError::NotFinite`] and
/// [`ReferenceError::Unresolved`] when the solution does not;
/// [`ReferenceError::Cancelled`] when the observer says so.
pub fn solve(
    problem: &Problem,
    settings: &SpectralSettings,
    observe: Observer<'_>,
) -> Result<SpectralSolution, ReferenceError> {
    let system = system(problem)?;
    settings.check()?;
    let initial = initial_coefficients(problem, &system, settings)?;
    let mut refinement = Refinement { problem, settings, system, initial, observe };
    match settings.step {
        Some(step) => refinement.with_given_step(step),
        None => refinement.until_runs_agree(),
    }
}

impl SpectralSettings {
    fn check(&self) -> Result<(), ReferenceError> {
        let bad = |name, value| Err(ReferenceError::Settings { name, value });
        match (self.modes, self.step) {
            (Some(modes), _) if modes < 4 || !modes.is_multiple_of(2) || modes > 1 << 20 => {
                bad("modes", modes as f64)
            }
            (_, Some(step)) if !(step > 0.0 && step.is_finite()) => bad("step", step),
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
    let [coordinate] = problem.coordinates.as_slice() else {
        return Err(ReferenceError::Dimensions { dimensions: problem.coordinates.len() });
    };
    if coordinate.boundary != Boundary::Periodic {
        return Err(ReferenceError::NotPeriodic { coordinate: coordinate.name.clone() });
    }
    let parameters: Vec<f64> = problem.parameters.iter().map(|p| p.value).collect();
    let splits = problem.right_hand_side.iter().enumerate();
    let splits = splits.map(|(unknown, f)| Split::of(f, unknown, &parameters));
    Ok(System {
        lower: coordinate.lower,
        length: coordinate.upper - coordinate.lower,
        splits: splits.collect::<Result<_, _>>()?,
        parameters,
    })
}

/// Coefficients of the initial state from a grid far finer than the most modes: wave number by wave
/// number, and in each unknown by unknown.
fn initial_coefficients(
    problem: &Problem,
    system: &System,
    settings: &SpectralSettings,
) -> Result<Vec<Complex64>, ReferenceError> {
    let modes = settings.modes.unwrap_or(settings.max_modes);
    let samples = (4 * modes).next_power_of_two();
    let x: Vec<f64> =
        (0..samples).map(|j| system.lower + system.length * (j as f64 / samples as f64)).collect();
    let mut values = vec![0.0; samples];
    let fields = Fields {
        coordinates: &x,
        time: problem.time.start,
        parameters: &system.parameters,
        derivatives: &[],
    };
    let unknowns = problem.initial.len();
    let mut transform = RealTransform::new(samples, &mut FftPlanner::new());
    let mut coefficients = vec![Complex64::default(); modes / 2];
    let mut state = vec![Complex64::default(); unknowns * coefficients.len()];
    for (unknown, initial) in problem.initial.iter().enumerate() {
        Pointwise::default().evaluate(initial, fields, &mut values);
        if let Some(bad) = values.iter().position(|u| !u.is_finite()) {
            return Err(ReferenceError::InitialNotFinite { place: x[bad] });
        }
        transform.analyze(&values, &mut coefficients);
        let of_unknown = state.iter_mut().skip(unknown).step_by(unknowns);
        of_unknown.zip(&coefficients).for_each(|(to, c)| *to = *c);
    }
    Ok(state)
}

/// One integration over the whole time.
struct Run {
    unknowns: usize,
    snapshots: Vec<Vec<Complex64>>,
    modes: usize,
    steps: usize,
    /// The largest part of the norm in the upper quarter of the spectrum.
    tail: f64,
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
    initial: Vec<Complex64>,
    observe: Observer<'a>,
}

impl Refinement<'_> {
    /// The given step, and a run at twice the step to know the error.
    fn with_given_step(&mut self, step: f64) -> Result<SpectralSolution, ReferenceError> {
        let span = self.problem.time.end - self.problem.time.start;
        let mut intervals = self.settings.intervals;
        while 2 * intervals <= MOST_INTERVALS && 2.0 * step * intervals as f64 <= 0.5 * span {
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
        let mut previous: Option<Run> = None;
        let mut last_difference: Option<f64> = None;
        let mut error = None;
        let mut failure: Option<ReferenceError> = None;
        for level in 0.. {
            let run = match self.run(intervals, substeps, level, error) {
                Ok(run) => run,
                Err(ReferenceError::Cancelled) => return Err(ReferenceError::Cancelled),
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
                let full = 2 * run.steps > self.settings.max_steps;
                if (estimate <= tolerance && !coarse_in_time) || stalled || full {
                    return Ok(self.finish(run, estimate));
                }
                (error, last_difference) = (Some(estimate), Some(difference));
            }
            previous = Some(run);
            if coarse_in_time && 2 * intervals <= MOST_INTERVALS {
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
        let unknowns = self.system.unknowns();
        let bound = (self.settings.tolerance * NEGLIGIBLE).max(f64::EPSILON);
        let snapshots =
            run.snapshots.into_iter().map(|c| significant(c, unknowns, bound)).collect();
        let (lower, length) = (self.system.lower, self.system.length);
        let (start, end) = (self.problem.time.start, self.problem.time.end);
        SpectralSolution { unknowns, lower, length, start, end, snapshots, quality }
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
        let mut snapshots = vec![march.state.clone()];
        for interval in 0..intervals {
            let mut done = 0;
            while done < substeps {
                let count = CHECK_EVERY.min(substeps - done);
                let time = start + step * (interval * substeps + done) as f64;
                march.advance(time, count)?;
                done += count;
            }
            snapshots.push(march.state.clone());
            let fraction = (interval + 1) as f64 / intervals as f64;
            let progress = Progress { level, fraction, modes: march.modes, steps, error };
            if (self.observe)(progress).is_break() {
                return Err(ReferenceError::Cancelled);
            }
        }
        let unknowns = self.system.unknowns();
        Ok(Run { unknowns, snapshots, modes: march.most_modes, steps, tail: march.largest_tail })
    }
}

/// Relative L2 distance over the snapshots that both runs have.
fn distance(coarse: &Run, fine: &Run) -> f64 {
    let stride = fine.intervals() / coarse.intervals();
    let pairs = coarse.snapshots.iter().zip(fine.snapshots.iter().step_by(stride));
    relative_distance(fine.unknowns, pairs.map(|(a, b)| (a.as_slice(), b.as_slice())))
}

/// What interpolation in time between the snapshots costs.
fn interpolation_error(run: &Run) -> f64 {
    left_out_error(run) / LEAVE_OUT_FACTOR
}

/// What it costs to leave out every other snapshot.
fn left_out_error(run: &Run) -> f64 {
    let even = |index: usize| run.snapshots[2 * index].as_slice();
    let count = run.snapshots.len().div_ceil(2);
    let odd: Vec<usize> = (1..2 * count - 1).step_by(2).collect();
    let guesses: Vec<_> = odd.iter().map(|&j| interpolate(count, even, 0.5 * j as f64)).collect();
    let pairs = guesses.iter().zip(&odd);
    relative_distance(
        run.unknowns,
        pairs.map(|(guess, &j)| (guess.as_slice(), run.snapshots[j].as_slice())),
    )
}

/// Whether smaller steps fail in the same way at nearly the same time.
fn same_failure(first: &ReferenceError, second: &ReferenceError) -> bool {
    match (first.failure_time(), second.failure_time()) {
        (Some(first), Some(second)) => (first - second).abs() <= 0.02 * second.abs(),
        _ => false,
    }
}

/// Drops the trailing coefficients whose part of the L2 norm is at most `share`.
fn significant(mut coefficients: Vec<Complex64>, unknowns: usize, share: f64) -> Vec<Complex64> {
    let bound = share * share * coefficients.iter().map(Complex64::norm_sqr).sum::<f64>();
    let mut dropped = 0.0;
    let kept = coefficients
        .iter()
        .rposition(|c| {
            dropped += c.norm_sqr();
            dropped > bound
        })
        .map_or(1, |last| last + 1);
    coefficients.truncate(kept.next_multiple_of(unknowns));
    coefficients
}
