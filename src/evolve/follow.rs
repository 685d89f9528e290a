//! Points that follow the solution: they are drawn from it anew every few steps.
//!
//! Where the solution is a density that fills a small part of a space of many dimensions, points
//! anywhere else say nothing about it (Bruna, Peherstorfer, Vanden-Eijnden, "Neural Galerkin schemes
//! with active learning for high-dimensional evolution equations", arXiv 2203.01360, section 3). The
//! points are Markov chains in the present density ([`crate::problem::walkers`]): each draw goes on
//! from the one before, so that a few sweeps keep up with the solution.

use super::error::EvolveError;
use super::evolution::Evolution;
use crate::problem::PointLayout;
use crate::problem::walkers::{BURN_IN, Walkers};

/// Sweeps of one draw.
const SWEEPS: u64 = 20;

impl Evolution {
    /// The points, where they move.
    pub(super) fn moving_points(&self) -> Option<&[f64]> {
        let adaptive = self.problem.points.layout == PointLayout::Adaptive;
        adaptive.then(|| self.engine.coordinates())
    }

    /// Whether the points are to be drawn after the step that was just taken; not at the end.
    pub(super) fn draw_is_due(&self) -> bool {
        let due = self.step.is_multiple_of(self.problem.points.resample);
        due && !self.finished() && self.moving_points().is_some()
    }

    /// Draws the points from the present solution. The draw depends on the step's number and on the
    /// points alone, both of which are saved: a resumed run repeats it.
    pub(super) fn draw_points(&mut self) -> Result<(), EvolveError> {
        let draw = (self.step / self.problem.points.resample) as u64;
        let first = BURN_IN + (draw - 1) * SWEEPS;
        let mut places = self.engine.coordinates().to_vec();
        let walkers =
            Walkers::new(&self.problem.coordinates, self.problem.points.density, self.problem.seed);
        walkers.walk(&mut places, first..first + SWEEPS, |places| self.log_density(places));
        self.field = None;
        self.engine.set_points(places)
    }
}
