//! F of one unknown's equation split into a constant-coefficient linear operator in that unknown and
//! the rest: F(x, t, u, v, ...) = sum over multi-indices m of c_m D^m u + R(x, t, u, v, u_x, ...).

use std::collections::BTreeMap;

use super::etdrk4::terms;
use crate::problem::expression::{Binary, Entry, Expression, Function, MultiIndex, Place};

/// The split of a right-hand side, with parameters at fixed values.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// u.
    pub unknown: usize,
    /// m and c_m, the coefficients of the derivatives of u in the linear part; an m may come twice.
    pub linear: Vec<(MultiIndex, f64)>,
    /// The same of another unknown's derivatives, where that is asked for.
    pub cross: Vec<(MultiIndex, f64)>,
    /// R; `None` when F is linear with constant coefficients.
    pub rest: Option<Expression>,
    /// The derivatives that the rest names.
    pub entries: Vec<Entry>,
    /// Degree of the rest as a polynomial in the unknowns and their derivatives; `None` when it is
    /// not one.
    pub degree: Option<u32>,
}

impl Split {
    /// Splits `right_hand_side`, which says how `unknown` changes. Sums, differences and constant
    /// multiples are taken apart; a constant (or parameter) times a derivative of that unknown goes to
    /// the linear part, everything else to the rest, above all what a coordinate or the time
    /// multiplies.
    #[must_use]
    pub fn of(
        right_hand_side: &Expression,
        unknown: usize,
        parameters: &[f64],
        dimensions: usize,
    ) -> Self {
        Self::beside(right_hand_side, [unknown, unknown], parameters, dimensions)
    }

    /// As [`Split::of`], with what is linear in a second unknown taken apart as well.
    fn beside(
        right_hand_side: &Expression,
        [unknown, partner]: [usize; 2],
        parameters: &[f64],
        dimensions: usize,
    ) -> Self {
        let (linear, cross, entries) = (vec![], vec![], vec![]);
        let mut split = Self { unknown, linear, cross, rest: None, entries, degree: None };
        split.collect((right_hand_side, partner), 1.0, parameters, dimensions);
        if let Some(rest) = &split.rest {
            split.entries = rest.entries().into_iter().collect();
            split.degree = degree(rest);
        }
        split
    }

    /// Of two unknowns u and v that turn into each other, `u_t = A u + B v + ..` and
    /// `v_t = A v - B u + ..` with constant coefficients, as real and imaginary part of a complex one do;
    /// `None` of others.
    #[must_use]
    pub fn turning(
        right_hand_sides: &[Expression],
        [u, v]: [usize; 2],
        parameters: &[f64],
        dimensions: usize,
    ) -> Option<[Self; 2]> {
        let of = |of: usize, partner: usize| {
            Self::beside(&right_hand_sides[of], [of, partner], parameters, dimensions)
        };
        let both = [of(u, v), of(v, u)];
        let sums = |list: &[(MultiIndex, f64)], sign: f64| {
            let mut sums = BTreeMap::new();
            list.iter().for_each(|(index, c)| *sums.entry(*index).or_insert(0.0) += sign * c);
            sums.retain(|_, c| *c != 0.0);
            sums
        };
        let [a, b] = &both;
        let same = sums(&a.linear, 1.0) == sums(&b.linear, 1.0);
        let turns = sums(&a.cross, 1.0);
        (same && !turns.is_empty() && turns == sums(&b.cross, -1.0)).then_some(both)
    }

    fn collect(
        &mut self,
        (term, partner): (&Expression, usize),
        factor: f64,
        parameters: &[f64],
        dimensions: usize,
    ) {
        let unknown = self.unknown;
        let mut inner = |term, factor| {
            self.collect((term, partner), factor, parameters, dimensions);
        };
        match term {
            Expression::Jet(entry) if entry.unknown == unknown || entry.unknown == partner => {
                let terms = terms(entry.channel, dimensions).into_iter();
                let own = entry.unknown == unknown;
                let list = if own { &mut self.linear } else { &mut self.cross };
                list.extend(terms.map(|(index, c)| (index, factor * c)));
                return;
            }
            Expression::Negate(a) => return inner(a, -factor),
            Expression::Power(a, 1) => return inner(a, factor),
            Expression::Binary(Binary::Add, a, b) => {
                inner(a, factor);
                return inner(b, factor);
            }
            Expression::Binary(Binary::Subtract, a, b) => {
                inner(a, factor);
                return inner(b, -factor);
            }
            Expression::Binary(Binary::Multiply, a, b) => {
                if let Some(value) = constant(a, parameters) {
                    return inner(b, factor * value);
                }
                if let Some(value) = constant(b, parameters) {
                    return inner(a, factor * value);
                }
            }
            Expression::Binary(Binary::Divide, a, b) => {
                if let Some(value) = constant(b, parameters) {
                    return inner(a, factor / value);
                }
            }
            _ => {}
        }
        self.add_to_rest(term, factor);
    }

    fn add_to_rest(&mut self, term: &Expression, factor: f64) {
        let binary = |operation, a, b| Expression::Binary(operation, Box::new(a), Box::new(b));
        self.rest = Some(match (self.rest.take(), factor) {
            (None, 1.0) => term.clone(),
            (None, -1.0) => Expression::Negate(Box::new(term.clone())),
            (None, _) => binary(Binary::Multiply, Expression::Constant(factor), term.clone()),
            (Some(sum), 1.0) => binary(Binary::Add, sum, term.clone()),
            (Some(sum), -1.0) => binary(Binary::Subtract, sum, term.clone()),
            (Some(sum), _) => binary(
                Binary::Add,
                sum,
                binary(Binary::Multiply, Expression::Constant(factor), term.clone()),
            ),
        });
    }
}

/// The value of an expression that names neither a coordinate, nor the time, nor an unknown.
fn constant(expression: &Expression, parameters: &[f64]) -> Option<f64> {
    let mut varies = false;
    expression.visit(&mut |node| {
        varies |= matches!(node, Expression::Coordinate(_) | Expression::Time | Expression::Jet(_));
    });
    let place = Place { coordinates: &[], time: 0.0, parameters };
    (!varies).then(|| expression.evaluate(place, &|_| f64::NAN))
}

/// Degree in u and its derivatives. A coefficient that varies with x counts one: it widens the
/// spectrum as another factor does.
fn degree(expression: &Expression) -> Option<u32> {
    match expression {
        Expression::Constant(_) | Expression::Time | Expression::Parameter(_) => Some(0),
        Expression::Coordinate(_) | Expression::Jet(_) => Some(1),
        Expression::Negate(a) => degree(a),
        Expression::Call(Function::Abs | Function::Sign, _) | Expression::Table(_) => None,
        Expression::Call(_, a) => (a.entries().is_empty()).then_some(1),
        Expression::Power(a, exponent) => {
            let exponent = u32::try_from(*exponent).ok()?;
            degree(a)?.checked_mul(exponent)
        }
        Expression::Binary(operation, a, b) => {
            let (a, b) = (degree(a)?, degree(b)?);
            match operation {
                Binary::Add | Binary::Subtract => Some(a.max(b)),
                Binary::Multiply => a.checked_add(b),
                Binary::Divide if b == 0 => Some(a),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::expression::Channel;
    use crate::random::{Philox, Stream};
    use crate::tests::{coordinate, jet, number, parameter, product, sum, time};

    /// A right-hand side with every kind of term, written by hand.
    fn varied() -> Expression {
        // 0.3 u_xx - p0 (u_x + 2 u) + u^3 / 4 + sin(x) u - t u_x + p1 u_xxxx / 2 - u u_x + 5
        let terms = [
            product(number(0.3), jet(2)),
            product(
                Expression::Negate(Box::new(parameter(0))),
                sum(jet(1), product(jet(0), number(2.0))),
            ),
            Expression::Binary(
                Binary::Divide,
                Box::new(Expression::Power(Box::new(jet(0)), 3)),
                Box::new(number(4.0)),
            ),
            product(Expression::Call(Function::Sin, Box::new(coordinate())), jet(0)),
            Expression::Negate(Box::new(product(time(), jet(1)))),
            Expression::Binary(
                Binary::Divide,
                Box::new(product(parameter(1), jet(4))),
                Box::new(number(2.0)),
            ),
            Expression::Negate(Box::new(product(jet(0), jet(1)))),
            number(5.0),
        ];
        terms.into_iter().reduce(sum).expect("terms")
    }

    fn largest_defect(split: &Split, whole: &Expression, parameters: &[f64]) -> f64 {
        let random = Philox::new(11, Stream::Vectors);
        (0..200)
            .map(|draw| {
                let values: Vec<f64> = (0..7).map(|i| random.normal(draw, i)).collect();
                let derivative = |index: &MultiIndex| values[usize::from(index.0[0])];
                let jet = |entry: Entry| match entry.channel {
                    Channel::Partial(index) => derivative(&index),
                    Channel::Laplacian => values[2],
                };
                let place = Place { coordinates: &values[5..6], time: values[6], parameters };
                let rest = split.rest.as_ref().map_or(0.0, |rest| rest.evaluate(place, &jet));
                let linear: f64 = split.linear.iter().map(|(index, c)| c * derivative(index)).sum();
                (linear + rest - whole.evaluate(place, &jet)).abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_two_parts_add_up_to_the_whole() {
        let parameters = [0.7, -0.2];
        let whole = varied();
        let split = Split::of(&whole, 0, &parameters, 1);
        let along = |order| MultiIndex::along(0, order);
        let linear = [(along(2), 0.3), (along(1), -0.7), (along(0), -1.4), (along(4), -0.1)];
        assert_eq!(split.linear, linear);
        let entry = |order| Entry::new(0, Channel::Partial(along(order)));
        assert_eq!(split.entries, [0, 1].map(entry));
        assert_eq!(split.degree, Some(3));
        assert!(largest_defect(&split, &whole, &parameters) < 1e-12);
        // The oracle sees a planted error.
        let mut wrong = split;
        wrong.linear[2].1 += 1e-9;
        assert!(largest_defect(&wrong, &whole, &parameters) > 1e-10);
    }

    #[test]
    fn a_linear_equation_has_no_rest() {
        let heat = product(parameter(0), Expression::Jet(Entry::new(0, Channel::Laplacian)));
        let split = Split::of(&heat, 0, &[0.5], 2);
        let second = |axis| (MultiIndex::along(axis, 2), 0.5);
        assert_eq!(split.linear, [second(0), second(1)]);
        assert_eq!(split.rest, None);
    }

    #[test]
    fn what_is_not_polynomial_has_no_degree() {
        let sine = Expression::Call(Function::Sin, Box::new(jet(0)));
        assert_eq!(Split::of(&sine, 0, &[], 1).degree, None);
    }
}
