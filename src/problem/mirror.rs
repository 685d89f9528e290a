//! A problem between insulated sides as half of a periodic one.

use crate::expression::{Channel, Entry, Expression, Function, Place};
use crate::random::{Philox, Stream};
use crate::{Boundary, Coordinate, Problem, Side};

/// Draws at which a right-hand side is compared with its mirror image.
const DRAWS: u32 = 32;
/// Relative difference above which they are two.
const SAME: f64 = 1e-12;

impl Problem {
    /// The periodic problem of twice the length along every coordinate with `u_n = 0` at both ends,
    /// whose solution is that of this problem and its mirror image: where the equation is the same
    /// in a mirror. A periodic problem is its own; `None` where there are other sides.
    #[must_use]
    pub fn mirrored(&self) -> Option<Self> {
        let mut problem = self.clone();
        for k in 0..self.coordinates.len() {
            let c = &self.coordinates[k];
            if c.boundary == Boundary::Periodic {
                continue;
            }
            if !insulated(c) || !self.is_even(k) {
                return None;
            }
            let (x, end) = (Expression::Coordinate(k), Expression::Constant(c.upper));
            let folded = end.clone() - (x - end).call(Function::Abs);
            for initial in &mut problem.initial {
                *initial = initial.substitute_coordinate(k, &folded);
            }
            let upper = 2.0 * c.upper - c.lower;
            problem.coordinates[k] =
                Coordinate { upper, boundary: Boundary::Periodic, ..c.clone() };
        }
        (problem.distance, problem.lift, problem.exact) = (None, None, None);
        Some(problem)
    }

    /// Whether the equations do not know the direction of coordinate `k`: odd derivatives along it
    /// come in pairs, and it does not stand in them itself.
    fn is_even(&self, k: usize) -> bool {
        let here = |e: &Expression| matches!(e, Expression::Coordinate(j) if *j == k);
        if self.right_hand_side.iter().any(|f| f.any(&here)) {
            return false;
        }
        let random = Philox::new(0, Stream::Points);
        let parameters = self.parameter_values();
        (0..DRAWS).all(|draw| {
            let place = |c: (usize, &Coordinate)| {
                c.1.lower + (c.1.upper - c.1.lower) * random.uniform(c.0 as u64, draw)
            };
            let coordinates: Vec<f64> = self.coordinates.iter().enumerate().map(place).collect();
            let time = self.time.start;
            let place = Place { coordinates: &coordinates, time, parameters: &parameters };
            self.right_hand_side.iter().all(|f| {
                let entries: Vec<Entry> = f.entries().into_iter().collect();
                let at = |mirror: f64| {
                    f.evaluate(place, &|entry| {
                        let number = entries.iter().position(|known| *known == entry).unwrap_or(0);
                        let value = random.normal(100 + number as u64, draw);
                        let odd = matches!(entry.channel, Channel::Partial(i) if i.0[k] % 2 == 1);
                        if odd { mirror * value } else { value }
                    })
                };
                let (own, other) = (at(1.0), at(-1.0));
                (own - other).abs() <= SAME * own.abs().max(other.abs())
            })
        })
    }
}

fn insulated(c: &Coordinate) -> bool {
    let zero = |e: &Expression| *e == Expression::Constant(0.0);
    let insulated = |side: &Side| match side {
        Side::Flux { factor, value, .. } => zero(factor) && zero(value),
        Side::Value(_) => false,
    };
    c.sides().is_some_and(|sides| sides.iter().all(|(side, _)| side.iter().all(insulated)))
}

#[cfg(test)]
mod tests {
    use crate::{Boundary, Overrides, Problem};

    fn mirrored(equation: &str, sides: &str) -> Option<Problem> {
        let text = format!(
            "format = 1\n[equation]\ntext = '{equation}'\n[domain]\nx = {{ range = [1, 3], {sides} }}\n\
             y = {{ range = [0, 1] }}\n[time]\nend = 1\n[initial]\nu = 'x^2 + y'\n"
        );
        Problem::from_toml(&text, &Overrides::new()).expect("a problem").mirrored()
    }

    #[test]
    fn equations_that_are_the_same_in_a_mirror_are_half_of_periodic_ones() {
        let insulated = "lower = 'u_n = 0', upper = 'u_x = 0'";
        let whole = mirrored("u_t = u_xx + u_y + u_x^2*u", insulated).expect("even");
        let x = &whole.coordinates[0];
        assert_eq!((x.lower, x.upper, &x.boundary), (1.0, 5.0, &Boundary::Periodic));
        let initial = |x: f64| whole.initial[0].evaluate_at(&[x, 0.0], 0.0, &[]);
        assert_eq!([1.5, 2.9, 3.1, 4.5].map(initial), [1.5, 2.9, 2.9, 1.5].map(|x| x * x));
        assert!(mirrored("u_t = u_xx + u*u_x", insulated).is_none());
        assert!(mirrored("u_t = u_xx + sin(x)", insulated).is_none());
        assert!(mirrored("u_t = u_xx", "lower = 'u_n = 0', upper = 'u_n + u = 0'").is_none());
        assert!(mirrored("u_t = u_xx", "lower = 'u_n = t', upper = 'u_n = 0'").is_none());
        assert!(mirrored("u_t = u_xx", "lower = '1 + y', upper = '9 + y'").is_none());
    }
}
