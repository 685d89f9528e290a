//! One integration whose number of modes follows the spectrum.

use std::collections::BTreeMap;

use rustfft::FftPlanner;

use super::etdrk4::{Stepper, System};
use super::spectrum::Spectrum;
use super::{ReferenceError, SpectralSettings};

const FEWEST_MODES: usize = 32;
/// The part of the norm in the upper quarter of the spectrum at which modes are added is this
/// times the tolerance, and not below the noise of rounding.
const TAIL: f64 = 1e-3;
const TAIL_NOISE: f64 = 1e-13;
/// The part of the norm in the tail at which the solution counts as lost.
const LOST: f64 = 1e-3;

/// A run under way: the state, and steppers for every resolution that it has used.
pub struct March<'a> {
    system: &'a System,
    /// The tail at which modes are added; `None`: a fixed number of modes.
    tail: Option<f64>,
    max_modes: usize,
    /// No fewer than these along an axis: the state would not show that they are too few.
    fewest: Vec<usize>,
    step: f64,
    /// Along every axis.
    pub modes: Vec<usize>,
    pub most_modes: usize,
    /// The largest part of the norm that the upper quarter of the spectrum has had along an axis.
    pub largest_tail: f64,
    pub state: Spectrum,
    /// Numbers transformed so far.
    pub work: f64,
    steppers: BTreeMap<Vec<usize>, Stepper>,
    planner: FftPlanner<f64>,
}

impl<'a> March<'a> {
    #[must_use]
    pub fn new(
        system: &'a System,
        settings: &SpectralSettings,
        initial: &Spectrum,
        step: f64,
    ) -> Self {
        let tail = (settings.tolerance * TAIL).max(TAIL_NOISE);
        let dimensions = system.length.len();
        let max_modes = settings.modes.unwrap_or(settings.max_modes);
        let modes: Vec<usize> = (0..dimensions)
            .map(|axis| {
                let mut modes = settings.modes.unwrap_or(FEWEST_MODES);
                while modes < max_modes && initial.share_above(axis, modes * 3 / 8) > tail {
                    modes = finer(modes).min(max_modes);
                }
                modes
            })
            .collect();
        let mut march = Self {
            system,
            tail: settings.modes.is_none().then_some(tail),
            max_modes,
            fewest: vec![FEWEST_MODES; dimensions],
            step,
            most_modes: 0,
            largest_tail: 0.0,
            state: initial.resized(&halves(&modes)),
            work: 0.0,
            modes,
            steppers: BTreeMap::new(),
            planner: FftPlanner::new(),
        };
        let tails =
            (0..dimensions).map(|axis| initial.share_above(axis, march.modes[axis] * 3 / 8));
        march.largest_tail = tails.fold(0.0, f64::max);
        march.note_modes();
        march
    }

    fn note_modes(&mut self) {
        self.most_modes = self.modes.iter().fold(self.most_modes, |most, &modes| most.max(modes));
    }

    /// `count` steps from `time`; repeated with more modes when the spectrum's tail asks for them.
    ///
    /// # Errors
    /// [`ReferenceError::NotFinite`] and [`ReferenceError::Unresolved`].
    pub fn advance(&mut self, time: f64, count: usize) -> Result<(), ReferenceError> {
        let before = self.state.clone();
        loop {
            let (system, step, planner) = (self.system, self.step, &mut self.planner);
            let stepper = self
                .steppers
                .entry(self.modes.clone())
                .or_insert_with(|| Stepper::new(system, &self.modes, step, planner));
            self.work += stepper.work(system) * count as f64;
            for index in 0..count {
                stepper.advance(system, time + step * index as f64, &mut self.state);
            }
            let during = step * count as f64;
            let spilt = during * stepper.spill(system, time + during, &self.state);
            let modes = self.modes.iter().copied().max().unwrap_or(0);
            if !self.state.energy().is_finite() {
                return Err(ReferenceError::NotFinite { time, modes, step });
            }
            let shares: Vec<f64> = (0..self.modes.len())
                .map(|axis| self.state.share_above(axis, self.modes[axis] * 3 / 8))
                .collect();
            if self.refine(&shares, spilt) {
                self.state = before.resized(&halves(&self.modes));
                continue;
            }
            if shares.iter().any(|&share| share > LOST) {
                return Err(ReferenceError::Unresolved { time, modes });
            }
            self.largest_tail = shares.into_iter().fold(self.largest_tail, f64::max);
            break;
        }
        self.coarsen();
        Ok(())
    }

    /// Adds modes along the axes whose tails ask for them and that may have more, or along all where
    /// the rests spill over; whether there was one.
    fn refine(&mut self, shares: &[f64], spilt: f64) -> bool {
        let (Some(tail), most) = (self.tail, self.max_modes) else { return false };
        let mut changed = false;
        for (axis, (modes, &share)) in self.modes.iter_mut().zip(shares).enumerate() {
            if share.max(spilt) > tail && *modes < most {
                *modes = finer(*modes).min(most);
                changed = true;
                if share <= tail {
                    self.fewest[axis] = *modes;
                }
            }
        }
        self.note_modes();
        changed
    }

    /// Gives modes back where the next coarser resolution would have room to spare.
    fn coarsen(&mut self) {
        let Some(tail) = self.tail else { return };
        let mut modes = self.modes.clone();
        for (axis, modes) in modes.iter_mut().enumerate() {
            let fewer = coarser(*modes);
            if fewer >= self.fewest[axis] && self.state.share_above(axis, fewer * 3 / 10) < tail {
                *modes = fewer;
            }
        }
        if modes != self.modes {
            self.state = self.state.resized(&halves(&modes));
            self.modes = modes;
        }
    }
}

fn halves(modes: &[usize]) -> Vec<usize> {
    modes.iter().map(|modes| modes / 2).collect()
}

/// The next of the sizes 2^k and 3 2^k.
fn finer(modes: usize) -> usize {
    if modes.is_power_of_two() { modes * 3 / 2 } else { modes * 4 / 3 }
}

fn coarser(modes: usize) -> usize {
    if modes.is_power_of_two() { modes * 3 / 4 } else { modes * 2 / 3 }
}
