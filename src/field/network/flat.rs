//! Features of a coordinate that have no slope at some of its ends.
//!
//! Every smooth function of them has none there either, and every smooth function without slope at
//! an end s = 0 is one of s^2 and s^3. Near an end where u_n + k u is given, u over a factor whose
//! normal derivative is -k times itself is still to be without slope, in a layer of width 1/k:
//! with K = k L the features are
//!
//! ```text
//! q = (K + 1) s^2 / (K s + 1)   and   s q,
//! ```
//!
//! of which s^2 = s q + q / K is a polynomial, and so all that a solution without a layer has to be,
//! whatever K is: for K = 0 they are s^2 and s^3, without end s and s^2. Between two such ends, with
//! r = 1 - s,
//!
//! ```text
//! q(s) / (q(s) + q(r))   and   q(s) q(r).
//! ```

use crate::problem::expression::{Binary, Expression};

/// Taylor coefficients along one coordinate, as many as derivatives are ever asked for.
pub type Series = [f64; 5];

/// The features of a coordinate with these ends, between -1 and 1, as formulas in coordinate `k`.
#[must_use]
pub fn features(k: usize, [lower, upper]: [f64; 2], ends: [Option<f64>; 2]) -> [Expression; 2] {
    let number = Expression::Constant;
    let x = Expression::Coordinate(k);
    let s = (x.clone() - number(lower)) / number(upper - lower);
    let r = (number(upper) - x) / number(upper - lower);
    let below = |s: &Expression, steep: f64| number(steep) * s.clone() + number(1.0);
    let above = |s: &Expression, steep: f64| number(steep + 1.0) * (s.clone() * s.clone());
    let to_both_signs = |e: Expression| number(2.0) * e - number(1.0);
    match ends {
        [Some(a), None] => {
            let q = above(&s, a) / below(&s, a);
            [to_both_signs(q.clone()), to_both_signs(s * q)]
        }
        [None, Some(b)] => {
            let q = above(&r, b) / below(&r, b);
            [-to_both_signs(q.clone()), -to_both_signs(r * q)]
        }
        [a, b] => {
            let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
            let [from_a, from_b] = [above(&s, a) * below(&r, b), above(&r, b) * below(&s, a)];
            let ratio = from_a.clone() / (from_a + from_b);
            let middle = 1.0 / (16.0 * (0.5 * a + 1.0) * (0.5 * b + 1.0));
            let product = s.clone() * s.clone() * (r.clone() * r.clone())
                / (below(&s, a) * below(&r, b) * number(middle));
            [to_both_signs(ratio), to_both_signs(product)]
        }
    }
}

/// Taylor coefficients of a rational formula in one coordinate at the place `x`.
///
/// # Panics
/// Where the formula is no rational one.
#[must_use]
pub fn series(formula: &Expression, x: f64) -> Series {
    match formula {
        Expression::Constant(value) => [*value, 0.0, 0.0, 0.0, 0.0],
        Expression::Coordinate(_) => [x, 1.0, 0.0, 0.0, 0.0],
        Expression::Negate(a) => series(a, x).map(|v| -v),
        Expression::Power(a, exponent) => {
            let base = series(a, x);
            let one = [1.0, 0.0, 0.0, 0.0, 0.0];
            let power =
                (0..exponent.unsigned_abs()).fold(one, |product, _| multiply(&product, &base));
            if *exponent < 0 { divide(&one, &power) } else { power }
        }
        Expression::Binary(operation, a, b) => {
            let (a, b) = (series(a, x), series(b, x));
            let each = |of: fn(f64, f64) -> f64| std::array::from_fn(|k| of(a[k], b[k]));
            match operation {
                Binary::Add => each(|a, b| a + b),
                Binary::Subtract => each(|a, b| a - b),
                Binary::Multiply => multiply(&a, &b),
                Binary::Divide => divide(&a, &b),
                other => panic!("{other:?} in a rational formula"),
            }
        }
        other => panic!("{other:?} in a rational formula"),
    }
}

fn multiply(a: &Series, b: &Series) -> Series {
    std::array::from_fn(|n| (0..=n).map(|k| a[k] * b[n - k]).sum())
}

fn divide(a: &Series, b: &Series) -> Series {
    let mut quotient = [0.0; 5];
    for n in 0..quotient.len() {
        let known: f64 = (0..n).map(|k| quotient[k] * b[n - k]).sum();
        quotient[n] = (a[n] - known) / b[0];
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEEP: [f64; 3] = [0.0, 2.0, 1024.0];

    fn all_ends() -> Vec<[Option<f64>; 2]> {
        let single = STEEP.iter().flat_map(|&a| [[Some(a), None], [None, Some(a)]]);
        let pairs = STEEP.iter().flat_map(|&a| STEEP.map(|b| [Some(a), Some(b)]));
        single.chain(pairs).collect()
    }

    #[test]
    fn features_have_no_slope_where_the_flux_is_given_and_are_of_size_one() {
        for ends in all_ends() {
            for feature in features(0, [-0.5, 1.5], ends) {
                for (end, x) in ends.iter().zip([-0.5, 1.5]) {
                    let at = series(&feature, x);
                    assert!(at[0].abs() < 1.0 + 1e-12, "{ends:?} {at:?}");
                    match end {
                        Some(steep) => {
                            assert!(at[1].abs() < 1e-11 * (1.0 + steep), "{ends:?} {at:?}")
                        }
                        None => assert!(at[1].abs() > 0.4, "{ends:?} {at:?}"),
                    }
                }
                for i in 0..50 {
                    let at = series(&feature, -0.5 + 0.04 * f64::from(i));
                    assert!(at[0].abs() < 1.5, "{ends:?} {at:?}");
                }
            }
        }
    }

    /// Against differences of values.
    #[test]
    fn series_are_those_of_the_formula() {
        for ends in [[Some(2.0), Some(0.0)], [Some(8.0), None]] {
            for feature in features(0, [-0.5, 1.5], ends) {
                let (x, h) = (0.37, 1e-3f64);
                let value = |x: f64| feature.evaluate_at(&[x], 0.0, &[]);
                let at = series(&feature, x);
                let moved: f64 = (0..5).map(|n| at[n] * h.powi(n as i32)).sum();
                assert!((moved - value(x + h)).abs() < 1e-12, "{ends:?}");
                let planted: f64 = (0..4).map(|n| at[n] * (3e-2f64).powi(n as i32)).sum();
                assert!((planted - value(x + 3e-2)).abs() > 1e-12, "{ends:?}: without the fourth");
            }
        }
    }
}
