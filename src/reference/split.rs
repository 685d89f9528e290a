//! F of one unknown's equation split into a constant-coefficient linear operator in that unknown and
//! the rest: F(x, t, u, v, ...) = sum over m of c_m d^m u / dx^m + R(x, t, u, v, u_x, ...).

use super::ReferenceError;
use crate::problem::expression::{
    Binary, Channel, Expression, Function, MAX_ORDER, MultiIndex, Place,
};

/// Orders 0 to 4 of the linear part.
pub const ORDERS: usize = MAX_ORDER as usize + 1;

/// The split of a right-hand side in one space dimension, with parameters at fixed values.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// u.
    pub unknown: usize,
    /// c_m, the coefficient of the m-th derivative of u in the linear part.
    pub linear: [f64; ORDERS],
    /// R; `None` when F is linear with constant coefficients.
    pub rest: Option<Expression>,
    /// The unknowns and the orders of their derivatives that the rest names, ascending.
    pub entries: Vec<(usize, u8)>,
    /// Degree of the rest as a polynomial in the unknowns and their derivatives; `None` when it is not one.
    pub degree: Option<u32>,
}

impl Split {
    /// Splits `right_hand_side`, which says how `unknown` changes. Sums, differences and constant multiples are taken apart; a
    /// constant (or parameter) times a derivative of that unknown goes to the linear part, everything else to
    /// the rest, above all what a coordinate or the time multiplies.
    ///
    /// # Errors
    /// [`ReferenceError::Dimensions`] when the expression names a derivative along a second
    /// coordinate.
    pub fn of(
        right_hand_side: &Expression,
        unknown: usize,
        parameters: &[f64],
    ) -> Result<Self, ReferenceError> {
        let mut split =
            Self { unknown, linear: [0.0; ORDERS], rest: None, entries: vec![], degree: None };
        split.collect(right_hand_side, 1.0, parameters)?;
        if let Some(rest) = &split.rest {
            for entry in rest.entries() {
                split.entries.push((entry.unknown, order_of(entry.channel)?));
            }
            split.entries.sort_unstable();
            split.entries.dedup();
            split.degree = degree(rest);
        }
        Ok(split)
    }

    fn collect(
        &mut self,
        term: &Expression,
        factor: f64,
        parameters: &[f64],
    ) -> Result<(), ReferenceError> {
        match term {
            Expression::Jet(entry) if entry.unknown == self.unknown => {
                self.linear[usize::from(order_of(entry.channel)?)] += factor;
                return Ok(());
            }
            Expression::Negate(a) => return self.collect(a, -factor, parameters),
            Expression::Power(a, 1) => return self.collect(a, factor, parameters),
            Expression::Binary(Binary::Add, a, b) => {
                self.collect(a, factor, parameters)?;
                return self.collect(b, factor, parameters);
            }
            Expression::Binary(Binary::Subtract, a, b) => {
                self.collect(a, factor, parameters)?;
                return self.collect(b, -factor, parameters);
            }
            Expression::Binary(Binary::Multiply, a, b) => {
                if let Some(value) = constant(a, parameters) {
                    return self.collect(b, factor * value, parameters);
                }
                if let Some(value) = constant(b, parameters) {
                    return self.collect(a, factor * value, parameters);
                }
            }
            Expression::Binary(Binary::Divide, a, b) => {
                if let Some(value) = constant(b, parameters) {
                    return self.collect(a, factor / value, parameters);
                }
            }
            _ => {}
        }
        self.add_to_rest(term, factor);
        Ok(())
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

/// Order of a derivative channel along the only coordinate.
fn order_of(channel: Channel) -> Result<u8, ReferenceError> {
    match channel {
        Channel::Laplacian => Ok(2),
        Channel::Partial(index) if index == MultiIndex::along(0, index.0[0]) => Ok(index.0[0]),
        Channel::Partial(index) => Err(ReferenceError::Dimensions {
            dimensions: 1 + index.0.iter().rposition(|&k| k > 0).unwrap_or(0),
        }),
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
        Expression::Call(Function::Abs | Function::Sign, _) => None,
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
    use crate::problem::expression::Entry;
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
                let jet = |entry: Entry| values[usize::from(order_of(entry.channel).expect("1D"))];
                let place = Place { coordinates: &values[5..6], time: values[6], parameters };
                let rest = split.rest.as_ref().map_or(0.0, |rest| rest.evaluate(place, &jet));
                let linear: f64 = split.linear.iter().zip(&values).map(|(c, u)| c * u).sum();
                (linear + rest - whole.evaluate(place, &jet)).abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_two_parts_add_up_to_the_whole() {
        let parameters = [0.7, -0.2];
        let whole = varied();
        let split = Split::of(&whole, 0, &parameters).expect("one dimension");
        assert_eq!(split.linear, [-1.4, -0.7, 0.3, 0.0, -0.1]);
        assert_eq!(split.entries, vec![(0, 0), (0, 1)]);
        assert_eq!(split.degree, Some(3));
        assert!(largest_defect(&split, &whole, &parameters) < 1e-12);
        // The oracle sees a planted error.
        let mut wrong = split;
        wrong.linear[2] += 1e-9;
        assert!(largest_defect(&wrong, &whole, &parameters) > 1e-10);
    }

    #[test]
    fn a_linear_equation_has_no_rest() {
        let heat = product(parameter(0), Expression::Jet(Entry::new(0, Channel::Laplacian)));
        let split = Split::of(&heat, 0, &[0.5]).expect("one dimension");
        assert_eq!(split.linear, [0.0, 0.0, 0.5, 0.0, 0.0]);
        assert_eq!(split.rest, None);
    }

    #[test]
    fn what_is_not_polynomial_has_no_degree() {
        let sine = Expression::Call(Function::Sin, Box::new(jet(0)));
        assert_eq!(Split::of(&sine, 0, &[]).expect("one dimension").degree, None);
        let mixed = Expression::Jet(Entry::new(0, Channel::Partial(MultiIndex::along(1, 2))));
        assert!(matches!(
            Split::of(&mixed, 0, &[]),
            Err(ReferenceError::Dimensions { dimensions: 2 })
        ));
    }
}
