//! An expression made ready for points that stay: what does not depend on the unknown is computed
//! once, and second derivatives that only occur as a Laplacian become one channel.

use std::collections::BTreeSet;

use crate::problem::expression::{Channel, Entry, Expression, MultiIndex};

/// Expressions in which every part free of the unknown is a coordinate of its own.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub expressions: Vec<Expression>,
    /// Coordinate `dimensions + k` of [`Prepared::expressions`] has the values of `known[k]`.
    pub known: Vec<Expression>,
}

/// Prepares `expressions`, which must not name parameters any more; the last `given` coordinates
/// behind the `dimensions` of the domain are rows that the caller brings along, and stay.
pub fn prepare(expressions: &[Expression], dimensions: usize, given: usize) -> Prepared {
    let mut known = Vec::new();
    let expressions = expressions
        .iter()
        .map(|e| hoist(&collapsed(e, dimensions), dimensions, given, &mut known))
        .collect();
    Prepared { expressions, known }
}

/// Replaces the largest parts without the unknown that vary by coordinates of their own.
fn hoist(
    expression: &Expression,
    dimensions: usize,
    given: usize,
    known: &mut Vec<Expression>,
) -> Expression {
    let free = !expression.any(&|node| matches!(node, Expression::Jet(_)));
    let constant = !expression.any(&|node| matches!(node, Expression::Coordinate(_)));
    if free && (constant || matches!(expression, Expression::Coordinate(_))) {
        return expression.clone();
    }
    if free {
        let position = known.iter().position(|k| k == expression).unwrap_or_else(|| {
            known.push(expression.clone());
            known.len() - 1
        });
        return Expression::Coordinate(dimensions + given + position);
    }
    // `map_operands` wants a shared closure: what it finds goes through a cell.
    let cell = std::cell::RefCell::new(std::mem::take(known));
    let result = expression.map_operands(&|operand| {
        let mut inner = cell.take();
        let result = hoist(operand, dimensions, given, &mut inner);
        cell.replace(inner);
        result
    });
    *known = cell.into_inner();
    result
}

/// [`collapse`] for every unknown.
fn collapsed(expression: &Expression, dimensions: usize) -> Expression {
    let unknowns: BTreeSet<usize> = expression.entries().iter().map(|e| e.unknown).collect();
    let collapse = |e: Expression, unknown| collapse(&e, unknown, dimensions);
    let result = unknowns.into_iter().fold(expression.clone(), collapse);
    // Channels are those of all unknowns: a derivative that one of them cannot spare is carried for
    // all, and two channels for the same are one too many.
    let spared = |e: &Expression| {
        let second = |k| Channel::Partial(MultiIndex::along(k, 2));
        !(0..dimensions).any(|k| e.channels().contains(&second(k)))
    };
    if spared(&result) { result } else { expression.clone() }
}

/// `F` with `u_xx + u_yy + ..` over all coordinates as the one channel that it is, where the pure
/// second derivatives occur in no other way. With the same dF/d(u_kk) for every k, in which none
/// of them stands, F is `F(u_kk = 0) + dF/d(u_xx) laplace(u)`.
fn collapse(expression: &Expression, unknown: usize, dimensions: usize) -> Expression {
    let second = |k: usize| Entry::new(unknown, Channel::Partial(MultiIndex::along(k, 2)));
    let is_second = |entry: &Entry| (0..dimensions).any(|k| *entry == second(k));
    let channels = expression.entries();
    if dimensions < 2 || !(0..dimensions).all(|k| channels.contains(&second(k))) {
        return expression.clone();
    }
    // A derivative that needs u_kk below it keeps it as a channel of its own anyway.
    let above = |entry: &Entry| match entry.channel {
        Channel::Partial(index) => index.order() > 2,
        Channel::Laplacian => false,
    };
    let slope = expression.derivative_by(second(0)).simplify();
    let same = |k: usize| expression.derivative_by(second(k)).simplify() == slope;
    let linear = !slope.entries().iter().any(is_second);
    if channels.iter().any(above) || !linear || !(1..dimensions).all(same) {
        return expression.clone();
    }
    let rest = expression.substitute_jet(&|entry| {
        if is_second(&entry) { 0.0.into() } else { Expression::Jet(entry) }
    });
    (rest + slope * Expression::Jet(Entry::new(unknown, Channel::Laplacian))).simplify()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::equation::{Role, parse_residual};
    use crate::problem::expression::{Names, Place};

    fn parsed(text: &str) -> Expression {
        let names = Names {
            unknowns: vec!["u".into(), "v".into()],
            coordinates: vec!["x".into(), "y".into()],
            ..Names::default()
        };
        parse_residual(text, &names, Role::Residual).expect("an equation").remove(0).simplify()
    }

    /// A number for each channel, the Laplacian the sum that it stands for.
    fn jet(Entry { unknown, channel }: Entry) -> f64 {
        match channel {
            Channel::Partial(index) => (0..2).fold(0.7 + unknown as f64, |value, k| {
                value + (1.3 + k as f64) * f64::from(index.0[k]).powi(2)
            }),
            Channel::Laplacian => {
                let second = |k| Channel::Partial(MultiIndex::along(k, 2));
                (0..2).map(|k| jet(Entry::new(unknown, second(k)))).sum()
            }
        }
    }

    fn value(expression: &Expression, coordinates: &[f64]) -> f64 {
        expression.evaluate(Place { coordinates, time: 0.0, parameters: &[] }, &jet)
    }

    #[test]
    fn a_prepared_expression_has_the_same_values() {
        for (text, channels, known) in [
            ("-(u_xx + u_yy) = 2*pi^2*sin(pi*x)*sin(pi*y)", 1, 1),
            ("u*(u_yy + u_xx) + u_x^2 = exp(x)*u + exp(x)", 3, 1),
            ("u_xx + 2*u_yy = x*y", 2, 1),
            ("(u_xx + u_yy)^2 = 3*x + u", 3, 1),
            ("u_xx + u_yy + u_xxx = 0", 3, 0),
            ("u*v_x = 0.1*(u_xx + u_yy) + v_xx + v_yy", 4, 0),
            ("u_xx + u_yy = v_xx", 3, 0),
        ] {
            let original = parsed(text);
            let prepared = prepare(std::slice::from_ref(&original), 2, 0);
            let point = [0.3, -0.8];
            let mut all = point.to_vec();
            all.extend(prepared.known.iter().map(|e| value(e, &point)));
            let (a, b) = (value(&original, &point), value(&prepared.expressions[0], &all));
            assert!((a - b).abs() < 1e-14 * (1.0 + a.abs()), "{text}: {a} {b}");
            assert_eq!(prepared.expressions[0].entries().len(), channels, "{text}");
            assert_eq!(prepared.known.len(), known, "{text}");
        }
    }
}
