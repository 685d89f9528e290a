//! One integration whose number of modes follows the spectrum.

use std::collections::BTreeMap;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use super::etdrk4::{Stepper, System};
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
    step: f64,
    pub modes: usize,
    pub most_modes: usize,
    /// The largest part of the norm that the upper quarter of the spectrum has had.
    pub largest_tail: f64,
    pub state: Vec<Complex64>,
    steppers: BTreeMap<usize, Stepper>,
    planner: FftPlanner<f64>,
}

impl<'a> March<'a> {
    #[must_use]
    pub fn new(
        system: &'a System,
        settings: &SpectralSettings,
        initial: &[Complex64],
        step: f64,
    ) -> Self {
        let unknowns = system.unknowns();
        let tail = (settings.tolerance * TAIL).max(TAIL_NOISE);
        let mut modes = settings.modes.unwrap_or(FEWEST_MODES);
        let max_modes = settings.modes.unwrap_or(settings.max_modes);
        while modes < max_modes && share_above(initial, unknowns * (modes * 3 / 8)) > tail {
            modes = finer(modes).min(max_modes);
        }
        let mut state = initial.to_vec();
        state.resize(unknowns * (modes / 2), Complex64::default());
        Self {
            system,
            tail: settings.modes.is_none().then_some(tail),
            max_modes,
            step,
            modes,
            most_modes: modes,
            largest_tail: share_above(initial, unknowns * (modes * 3 / 8)),
            state,
            steppers: BTreeMap::new(),
            planner: FftPlanner::new(),
        }
    }

    /// `count` steps from `time`; repeated with more modes when the spectrum's tail asks for them.
    ///
    /// # Errors
    /// [`ReferenceError::NotFinite`] and [`ReferenceError::Unresolved`].
    pub fn advance(&mut self, time: f64, count: usize) -> Result<(), ReferenceError> {
        let unknowns = self.system.unknowns();
        let before = self.state.clone();
        loop {
            let (system, step, modes) = (self.system, self.step, self.modes);
            let planner = &mut self.planner;
            let stepper = self
                .steppers
                .entry(modes)
                .or_insert_with(|| Stepper::new(system, modes, step, planner));
            for index in 0..count {
                stepper.advance(system, time + step * index as f64, &mut self.state);
            }
            let size: f64 = self.state.iter().map(Complex64::norm_sqr).sum();
            if !size.is_finite() {
                return Err(ReferenceError::NotFinite { time, modes, step });
            }
            let share = share_above(&self.state, unknowns * (modes * 3 / 8));
            match self.tail {
                Some(tail) if share > tail && modes < self.max_modes => {
                    self.modes = finer(modes).min(self.max_modes);
                    self.most_modes = self.most_modes.max(self.modes);
                    self.state.clone_from(&before);
                    self.state.resize(unknowns * (self.modes / 2), Complex64::default());
                }
                _ if share > LOST => return Err(ReferenceError::Unresolved { time, modes }),
                _ => {
                    self.largest_tail = self.largest_tail.max(share);
                    break;
                }
            }
        }
        self.coarsen();
        Ok(())
    }

    /// Gives modes back when the next coarser resolution would have room to spare.
    fn coarsen(&mut self) {
        let Some(tail) = self.tail else { return };
        let (fewer, unknowns) = (coarser(self.modes), self.system.unknowns());
        let share = || share_above(&self.state, unknowns * (fewer * 3 / 10));
        if fewer >= FEWEST_MODES && share() < tail {
            self.modes = fewer;
            self.state.truncate(unknowns * (fewer / 2));
        }
    }
}

/// The next of the sizes 2^k and 3 2^k.
fn finer(modes: usize) -> usize {
    if modes.is_power_of_two() { modes * 3 / 2 } else { modes * 4 / 3 }
}

fn coarser(modes: usize) -> usize {
    if modes.is_power_of_two() { modes * 3 / 4 } else { modes * 2 / 3 }
}

/// Part of the L2 norm in coefficients from `first` on.
fn share_above(coefficients: &[Complex64], first: usize) -> f64 {
    let energy = |c: &[Complex64]| c.iter().map(Complex64::norm_sqr).sum::<f64>();
    let tail = energy(coefficients.get(first..).unwrap_or(&[]));
    if tail == 0.0 { 0.0 } else { (tail / energy(coefficients)).sqrt() }
}
