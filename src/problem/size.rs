//! How large a solution is, before anything is solved.

use crate::expression::{Expression, Place};
use crate::{PointLayout, Points, Problem};

/// Places where sizes are looked for, and times of a load.
const PLACES: usize = 512;
const TIMES: usize = 8;
/// Networks are about 1 in size: within this factor of it a solution is left to them as it is.
const NEAR: f64 = 64.0;
/// A state that is what carries the Dirichlet values, but for this part of it, is round-off beside.
const ROUND_OFF: f64 = 1e-12;

/// The largest value of what the network has to be at the start, without what carries Dirichlet
/// values. Where nothing is left, that of what carries them; and of a state that is zero altogether the
/// largest that the equation's load alone could make of it over the time span, `T max |F(x, t, 0)|`,
/// and 1 where there is no load either.
#[must_use]
pub fn natural_size(problem: &Problem) -> f64 {
    let places = Points::sobol(&problem.coordinates, PLACES, 0);
    let (start, end) = (problem.time.start, problem.time.end);
    let parameters = problem.parameter_values();
    let largest = |values: &dyn Fn(&[f64]) -> f64| -> f64 {
        let places = (0..places.len()).map(|i| values(places.point(i)).abs());
        places.filter(|value| value.is_finite()).fold(0.0, f64::max)
    };
    let unknowns = problem.unknowns.len();
    let over_unknowns = |of: &dyn Fn(usize) -> f64| (0..unknowns).map(of).fold(0.0, f64::max);
    let carried = |q: usize, x: &[f64]| {
        problem.lift.as_ref().map_or(0.0, |lift| lift[q].evaluate_at(x, start, &parameters))
    };
    let own =
        |q: usize, x: &[f64]| problem.initial[q].evaluate_at(x, start, &parameters) - carried(q, x);
    let left = over_unknowns(&|q| largest(&|x| own(q, x)));
    let lift = over_unknowns(&|q| largest(&|x| carried(q, x)));
    if left > ROUND_OFF * lift {
        return left;
    }
    if lift > 0.0 {
        return lift;
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
            Some(distance) => {
                distance.iter().map(|d| (factor.clone() * d.clone()).simplify()).collect()
            }
            None => vec![factor; self.unknowns.len()],
        };
        Self { distance: Some(distance), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overrides;

    /// Heat on a rod with a value at its right end, from an initial state.
    fn size(right: &str, initial: &str) -> f64 {
        let text = format!(
            "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[domain]\nx = {{ range = [0, 1], \
             lower = '0', upper = '{right}' }}\n[time]\nend = 1\n[initial]\nu = '{initial}'\n"
        );
        natural_size(&Problem::from_toml(&text, &Overrides::new()).expect("a problem"))
    }

    #[test]
    fn a_state_that_is_its_sides_values_has_their_size_and_not_that_of_round_off() {
        assert!((size("3", "3*x + 1e-5*sin(pi*x)") - 1e-5).abs() < 1e-8);
        for state in ["3*x", "3*x + 1e-14*sin(pi*x)", "9*x/3"] {
            assert!((size("3", state) - 3.0).abs() < 0.01, "{state}");
        }
        assert!((size("0", "1e9*sin(pi*x)") - 1e9).abs() < 1e5);
    }
}
