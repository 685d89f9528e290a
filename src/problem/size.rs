//! How large a solution is, before anything is solved.

use crate::expression::{Expression, Place};
use crate::{PointLayout, Points, Problem};

/// Places where sizes are looked for, and times of a load.
const PLACES: usize = 512;
const TIMES: usize = 8;
/// Networks are about 1 in size: within this factor of it a solution is left to them as it is.
const NEAR: f64 = 64.0;

/// The largest value of what the network has to be at the start, without what carries Dirichlet
/// values; of a state that is zero the largest that the equation's load alone could make of it over
/// the time span, `T max |F(x, t, 0)|`, and 1 where there is no load either.
#[must_use]
pub fn natural_size(problem: &Problem) -> f64 {
    let places = Points::sobol(&problem.coordinates, PLACES, 0);
    let (start, end) = (problem.time.start, problem.time.end);
    let parameters = problem.parameter_values();
    let largest = |values: &dyn Fn(&[f64]) -> f64| -> f64 {
        let places = (0..places.len()).map(|i| values(places.point(i)).abs());
        places.filter(|value| value.is_finite()).fold(0.0, f64::max)
    };
    let initial = |q: usize| {
        let lift = problem.lift.as_ref().map(|lift| &lift[q]);
        largest(&|x| {
            let carried = lift.map_or(0.0, |lift| lift.evaluate_at(x, start, &parameters));
            problem.initial[q].evaluate_at(x, start, &parameters) - carried
        })
    };
    let size = (0..problem.unknowns.len()).map(initial).fold(0.0, f64::max);
    if size > 0.0 {
        return size;
    }
    let load = |f: &Expression| {
        let at = |k: usize| {
            let time = start + (end - start) * k as f64 / (TIMES - 1) as f64;
            largest(&|coordinates| {
                let place = Place { coordinates, time, parameters: &parameters };
                f.evaluate(place, &|_| 0.0)
            })
        };
        (0..TIMES).map(at).fold(0.0, f64::max)
    };
    let load = problem.right_hand_side.iter().map(load).fold(0.0, f64::max) * (end - start);
    if load > 0.0 && load.is_finite() { load } else { 1.0 }
}

impl Problem {
    /// Takes the size of the solution into the factor of the network, where that is far from 1: the
    /// same problem in other units is then the same problem for the network. A power of two, which
    /// rounds nothing.
    pub(crate) fn with_its_size(self) -> Self {
        let size = natural_size(&self);
        // The logarithm of a density goes by values that mean something.
        let drawn = self.points.layout == PointLayout::Adaptive;
        if drawn || (1.0 / NEAR..=NEAR).contains(&size) {
            return self;
        }
        let factor = Expression::Constant(size.log2().round().exp2());
        let distance = match &self.distance {
            Some(distance) => (factor * distance.clone()).simplify(),
            None => factor,
        };
        Self { distance: Some(distance), ..self }
    }
}
