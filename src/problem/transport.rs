//! Linear transport equations, recognised in the expression tree.

use super::Problem;
use super::expression::{Channel, Entry, Expression, MultiIndex};

/// The parts of `u_t + a(x, t) . grad u = c(x, t) u + s(x, t)`, the parameters' values put in.
///
/// Along `x' = a` such an equation is an ordinary one, `u' = c u + s`, whatever u is elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Transport {
    /// a: one component per coordinate.
    pub velocity: Vec<Expression>,
    /// c.
    pub growth: Expression,
    /// s.
    pub source: Expression,
}

impl Transport {
    /// The transport that a problem's equation is; `None` where it is another one: where the
    /// right-hand side names a derivative of higher order, or is not affine in u and its first
    /// derivatives with coefficients free of them.
    #[must_use]
    pub fn of(problem: &Problem) -> Option<Self> {
        let values = problem.parameter_values();
        let [right] = problem.right_hand_side.as_slice() else { return None };
        let right = right.substitute_parameters(&values).simplify();
        let first = |k: usize| Channel::Partial(MultiIndex::along(k, 1));
        let dimensions = problem.dimensions();
        let known = |c: &Channel| *c == Channel::value() || (0..dimensions).any(|k| *c == first(k));
        if !right.channels().iter().all(known) {
            return None;
        }
        // A derivative that is free of u in every direction is that of an affine function.
        let coefficient = |channel: Channel| {
            let derivative = right.derivative_by(Entry::new(0, channel)).simplify();
            derivative.entries().is_empty().then_some(derivative)
        };
        let velocity: Option<Vec<_>> =
            (0..dimensions).map(|k| Some((-coefficient(first(k))?).simplify())).collect();
        Some(Self {
            velocity: velocity?,
            growth: coefficient(Channel::value())?,
            source: right.substitute_jet(&|_| Expression::Constant(0.0)).simplify(),
        })
    }

    /// Whether none of the parts depends on time.
    #[must_use]
    pub fn is_autonomous(&self) -> bool {
        let parts = self.velocity.iter().chain([&self.growth, &self.source]);
        !parts.into_iter().any(|part| part.any(&|node| *node == Expression::Time))
    }

    /// Whether u is constant along the characteristics.
    #[must_use]
    pub fn conserves(&self) -> bool {
        self.growth == Expression::Constant(0.0) && self.source == Expression::Constant(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overrides;

    fn transport(equation: &str) -> Option<Transport> {
        let text = format!(
            "format = 1\n[equation]\ntext = '{equation}'\n[domain]\nx = {{ range = [0, 1] }}\n\
             y = {{ range = [0, 1] }}\n[parameters]\nc = 2\n[time]\nend = 1\n[initial]\nu = '1'"
        );
        let problem = Problem::from_toml(&text, &Overrides::new()).expect("a problem");
        Transport::of(&problem)
    }

    #[test]
    fn the_parts_are_those_of_the_equation() {
        let found = transport("u_t = -(c*y + t)*u_x + sin(x)*(u_y - 3*u) + x - u/c");
        let found = found.expect("linear and of first order");
        let at = |e: &Expression| e.evaluate_at(&[0.3, 0.7], 0.5, &[]);
        let values = found.velocity.iter().chain([&found.growth, &found.source]).map(at);
        let expected = [2.0 * 0.7 + 0.5, -0.3f64.sin(), -3.0 * 0.3f64.sin() - 0.5, 0.3];
        for (value, expected) in values.zip(expected) {
            assert!((value - expected).abs() < 1e-15, "{value} and {expected}");
        }
        assert!(!found.is_autonomous() && !found.conserves());
        let plain = transport("u_t = -y*u_x + sin(x)*u_y").expect("transport");
        assert!(plain.is_autonomous() && plain.conserves());
    }

    #[test]
    fn other_equations_are_not_transport() {
        for equation in [
            "u_t = u_xx - u_x",
            "u_t = laplace(u)",
            "u_t = -u*u_x",
            "u_t = u_x*u_y",
            "u_t = sin(u) - u_x",
            "u_t = abs(u_x)",
            "u_t = u_xy",
        ] {
            assert_eq!(transport(equation), None, "{equation}");
        }
    }
}
