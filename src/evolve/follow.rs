//! Points that follow the solution: they are drawn from it anew every few steps.
//!
//! Where the solution is a density that fills a small part of a space of many dimensions, points
//! anywhere else say nothing about it (Bruna, Peherstorfer, Vanden-Eijnden, "Neural Galerkin schemes
//! with active learning for high-dimensional evolution equations", arXiv 2203.01360, section 3). The
//! points are Markov chains in the present density ([`crate::problem::walkers`]): each draw goes on
//! from the one before, so that a few sweeps keep up with the solution.
//!
//! Where it has a front, points are wanted most where it bends ([`crate::problem::following`]). The
//! rows of their least squares have weights, so that these still minimise the L2 norm over the whole
//! domain: on Burgers' equation with 300 points the errors are half of those without.

use super::error::EvolveError;
use super::evolution::Evolution;
use crate::field::cpu::Evaluator;
use crate::problem::expression::Expression;
use crate::problem::following::{self, Followed, Following};
use crate::problem::walkers::{BURN_IN, Walkers};
use crate::problem::{PointLayout, Problem};

/// Sweeps of one draw.
const SWEEPS: u64 = 20;

impl Evolution {
    /// The points, where they move.
    pub(super) fn moving_points(&self) -> Option<&[f64]> {
        let layout = self.problem.points.layout;
        let moving = matches!(layout, PointLayout::Adaptive | PointLayout::Following);
        moving.then(|| self.engine.coordinates())
    }

    /// The points, where they are drawn from a density.
    pub(super) fn drawn_points(&self) -> Option<&[f64]> {
        let drawn = self.problem.points.layout == PointLayout::Adaptive;
        drawn.then(|| self.engine.coordinates())
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
        self.field = None;
        match self.problem.points.layout {
            PointLayout::Following => {
                let Followed { coordinates, weights } = self.followed(draw);
                self.engine.set_points(coordinates, weights)
            }
            _ => {
                let places = self.walked(draw);
                self.engine.set_points(places, Vec::new())
            }
        }
    }

    fn walked(&self, draw: u64) -> Vec<f64> {
        let first = BURN_IN + (draw - 1) * SWEEPS;
        let mut places = self.engine.coordinates().to_vec();
        let walkers =
            Walkers::new(&self.problem.coordinates, self.problem.points.density, self.problem.seed);
        walkers.walk(&mut places, first..first + SWEEPS, |places| self.log_density(places));
        places
    }

    fn followed(&self, draw: u64) -> Followed {
        let (coordinates, seed) = (&self.problem.coordinates, self.problem.seed);
        let following = Following { coordinates, count: self.engine.points(), seed };
        // The evaluator takes the lift's own rate of change off a right-hand side: here it has none.
        let lift = self.problem.lift.as_ref().map(|lifts| {
            lifts.iter().map(|lift| lift.substitute_time(&self.time.into())).collect()
        });
        let unknowns = self.problem.unknowns.len();
        // Of all unknowns together, in the first one's place.
        let mut right_hand_side = vec![Expression::Constant(0.0); unknowns];
        right_hand_side[0] = following::squares(coordinates.len(), unknowns);
        let looked_at = Problem { right_hand_side, lift, ..self.problem.clone() };
        following.points(draw, |places| {
            let evaluator = Evaluator::<f64>::new(&looked_at, self.engine.network(), places);
            let squares = evaluator.field(&self.theta, self.time).right_hand_side;
            let count = squares.len() / unknowns;
            squares.into_iter().take(count).map(following::monitor).collect()
        })
    }
}
