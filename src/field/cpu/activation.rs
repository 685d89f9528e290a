//! Taylor coefficients of the activations, many points at a time.

use crate::network::RATIONAL_COEFFICIENTS;
use crate::problem::Activation;
use crate::scalar::Real;

/// One coefficient more than the highest order: the slope series needs it.
pub const MAX_COEFFICIENTS: usize = 6;

/// Taylor coefficients about one point per lane: entry k is sigma^(k)(z) / k!.
pub type Taylor<T, const L: usize> = [[T; L]; MAX_COEFFICIENTS];

/// The coefficients of a rational activation as lanes' common scalars:
/// p3, p2, p1, p0, then q2, q1, q0.
pub type Rational<T> = [T; RATIONAL_COEFFICIENTS];

/// `sigma^(k)(z) / k!` for k = 0 .. `count` - 1.
#[inline(always)]
pub fn taylor<T: Real, const L: usize>(
    activation: Activation,
    rational: &Rational<T>,
    z: &[T; L],
    count: usize,
) -> Taylor<T, L> {
    debug_assert!(count <= MAX_COEFFICIENTS);
    match activation {
        Activation::Rational => rational_taylor(rational, z, count),
        Activation::Tanh => tanh_taylor(z, count),
        Activation::Sin => sine_taylor(z, count),
        Activation::Swish => swish_taylor(z, count),
    }
}

/// Coefficients of the numerator P about z: P(z + h) = sum_k p_k h^k.
#[inline(always)]
fn numerator<T: Real, const L: usize>(c: &Rational<T>, z: &[T; L]) -> [[T; L]; 4] {
    let (two, three) = (T::of(2.0), T::of(3.0));
    let mut p = [[T::ZERO; L]; 4];
    for l in 0..L {
        let x = z[l];
        p[0][l] = c[0].fma(x, c[1]).fma(x, c[2]).fma(x, c[3]);
        p[1][l] = (three * c[0]).fma(x, two * c[1]).fma(x, c[2]);
        p[2][l] = (three * c[0]).fma(x, c[1]);
        p[3][l] = c[0];
    }
    p
}

/// 1 / Q(z) and Q'(z); Q'' / 2 is the constant `c[4]`.
#[inline(always)]
fn denominator<T: Real, const L: usize>(c: &Rational<T>, z: &[T; L]) -> ([T; L], [T; L]) {
    let (mut inverse, mut slope) = ([T::ZERO; L], [T::ZERO; L]);
    for l in 0..L {
        inverse[l] = T::ONE / c[4].fma(z[l], c[5]).fma(z[l], c[6]);
        slope[l] = (c[4] + c[4]).fma(z[l], c[5]);
    }
    (inverse, slope)
}

// The loops over lanes stand inside those over coefficients: the other way round they stay scalar.

/// Coefficients of 1 / Q about z, by the recurrence r_k = -(q_1 r_{k-1} + q_2 r_{k-2}) / q_0.
#[inline(always)]
fn reciprocal<T: Real, const L: usize, const N: usize>(c: &Rational<T>, z: &[T; L]) -> [[T; L]; N] {
    let (inverse, slope) = denominator(c, z);
    let mut r = [[T::ZERO; L]; N];
    r[0] = inverse;
    if N > 1 {
        for l in 0..L {
            r[1][l] = -slope[l] * inverse[l] * inverse[l];
        }
    }
    for k in 2..N {
        for l in 0..L {
            r[k][l] = -(slope[l].fma(r[k - 1][l], c[4] * r[k - 2][l])) * inverse[l];
        }
    }
    r
}

/// Divides the series `s` by Q: s_k becomes (s_k - q_1 s_{k-1} - q_2 s_{k-2}) / q_0.
#[inline(always)]
fn divide<T: Real, const L: usize>(
    c: &Rational<T>,
    z: &[T; L],
    s: &mut Taylor<T, L>,
    count: usize,
) {
    let (inverse, slope) = denominator(c, z);
    for l in 0..L {
        s[0][l] *= inverse[l];
    }
    if count > 1 {
        for l in 0..L {
            s[1][l] = (s[1][l] - slope[l] * s[0][l]) * inverse[l];
        }
    }
    for k in 2..count {
        for l in 0..L {
            s[k][l] = (s[k][l] - slope[l] * s[k - 1][l] - c[4] * s[k - 2][l]) * inverse[l];
        }
    }
}

#[inline(always)]
fn rational_taylor<T: Real, const L: usize>(
    c: &Rational<T>,
    z: &[T; L],
    count: usize,
) -> Taylor<T, L> {
    let mut s = [[T::ZERO; L]; MAX_COEFFICIENTS];
    s[..4].copy_from_slice(&numerator(c, z));
    divide(c, z, &mut s, count);
    s
}

/// The first N Taylor coefficients about z of the derivatives of P/Q by its seven coefficients:
/// z^m / Q for the numerator, -(P/Q) z^m / Q for the denominator.
#[inline(always)]
pub fn rational_sensitivities<T: Real, const L: usize, const N: usize>(
    c: &Rational<T>,
    z: &[T; L],
) -> [[[T; L]; N]; RATIONAL_COEFFICIENTS] {
    let mut powers = [[[T::ZERO; L]; N]; 4];
    powers[0] = reciprocal(c, z);
    for m in 1..4 {
        for l in 0..L {
            powers[m][0][l] = z[l] * powers[m - 1][0][l];
        }
        for k in 1..N {
            for l in 0..L {
                powers[m][k][l] = z[l].fma(powers[m - 1][k][l], powers[m - 1][k - 1][l]);
            }
        }
    }
    let value = rational_taylor(c, z, N);
    let mut out = [[[T::ZERO; L]; N]; RATIONAL_COEFFICIENTS];
    for m in 0..4 {
        out[3 - m] = powers[m];
    }
    for m in 0..3 {
        for k in 0..N {
            for j in 0..=k {
                for l in 0..L {
                    out[6 - m][k][l] -= value[j][l] * powers[m][k - j][l];
                }
            }
        }
    }
    out
}

/// Taylor coefficients about z of the change of P/Q when its coefficients move along `along`:
/// (dP - (P/Q) dQ) / Q.
#[inline(always)]
pub fn rational_change<T: Real, const L: usize>(
    at: &Rational<T>,
    along: &Rational<T>,
    z: &[T; L],
    count: usize,
) -> Taylor<T, L> {
    let value = rational_taylor(at, z, count);
    let mut s = [[T::ZERO; L]; MAX_COEFFICIENTS];
    s[..4].copy_from_slice(&numerator(along, z));
    let mut moved_q = [[T::ZERO; L]; 3];
    for l in 0..L {
        moved_q[0][l] = along[4].fma(z[l], along[5]).fma(z[l], along[6]);
        moved_q[1][l] = (along[4] + along[4]).fma(z[l], along[5]);
        moved_q[2][l] = along[4];
    }
    for k in 0..count {
        for (j, q) in moved_q.iter().enumerate().take(k + 1) {
            for l in 0..L {
                s[k][l] -= value[k - j][l] * q[l];
            }
        }
    }
    divide(at, z, &mut s, count);
    s
}

/// t' = 1 - t^2, as a recurrence on the coefficients.
#[inline(always)]
fn tanh_taylor<T: Real, const L: usize>(z: &[T; L], count: usize) -> Taylor<T, L> {
    let mut s = [[T::ZERO; L]; MAX_COEFFICIENTS];
    for l in 0..L {
        s[0][l] = z[l].hyperbolic_tangent();
    }
    for k in 1..count {
        let scale = T::of(1.0 / k as f64);
        for l in 0..L {
            let mut square = T::ZERO;
            for j in 0..k {
                square += s[j][l] * s[k - 1 - j][l];
            }
            s[k][l] = if k == 1 { T::ONE - square } else { -square * scale };
        }
    }
    s
}

#[inline(always)]
fn sine_taylor<T: Real, const L: usize>(z: &[T; L], count: usize) -> Taylor<T, L> {
    let mut s = [[T::ZERO; L]; MAX_COEFFICIENTS];
    for l in 0..L {
        s[0][l] = z[l].sine();
        if count > 1 {
            s[1][l] = z[l].cosine();
        }
    }
    for k in 2..count {
        let scale = T::of(-1.0 / (k * (k - 1)) as f64);
        for l in 0..L {
            s[k][l] = s[k - 2][l] * scale;
        }
    }
    s
}

/// z g(z) with the logistic function g, g' = g (1 - g).
#[inline(always)]
fn swish_taylor<T: Real, const L: usize>(z: &[T; L], count: usize) -> Taylor<T, L> {
    let mut g = [[T::ZERO; L]; MAX_COEFFICIENTS];
    for l in 0..L {
        g[0][l] = T::ONE / (T::ONE + (-z[l]).exponential());
    }
    for k in 1..count {
        let scale = T::of(1.0 / k as f64);
        for l in 0..L {
            let mut square = T::ZERO;
            for j in 0..k {
                square += g[j][l] * g[k - 1 - j][l];
            }
            g[k][l] = (g[k - 1][l] - square) * scale;
        }
    }
    let mut s = [[T::ZERO; L]; MAX_COEFFICIENTS];
    for k in 0..count {
        for l in 0..L {
            let lower = if k > 0 { g[k - 1][l] } else { T::ZERO };
            s[k][l] = z[l].fma(g[k][l], lower);
        }
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::RATIONAL_START;

    /// Coefficients against a polynomial fitted through nearby values: an independent derivative.
    #[test]
    fn the_coefficients_predict_neighbouring_values() {
        for activation in Activation::ALL {
            for z in [-2.3, -0.4, 0.0, 0.7, 3.1] {
                let s = taylor::<f64, 1>(activation, &RATIONAL_START, &[z], MAX_COEFFICIENTS);
                for h in [-2e-2f64, 1e-2, 3e-2] {
                    let near = taylor::<f64, 1>(activation, &RATIONAL_START, &[z + h], 1)[0][0];
                    let sum = (0..MAX_COEFFICIENTS).rev().fold(0.0, |sum, k| sum * h + s[k][0]);
                    let bound = 40.0 * h.abs().powi(6) + 1e-15;
                    assert!((near - sum).abs() < bound, "{activation:?} at {z}: {near} {sum}");
                    let planted = sum + 1e-3 * h * h;
                    assert!((near - planted).abs() > bound, "the check sees a wrong coefficient");
                }
            }
        }
    }

    #[test]
    fn rational_sensitivities_are_central_differences() {
        let z = [0.37f64];
        let step = 1e-6;
        let exact = rational_sensitivities::<f64, 1, 4>(&RATIONAL_START, &z);
        for (m, wanted) in exact.iter().enumerate() {
            let shifted = |sign: f64| {
                let mut c = RATIONAL_START;
                c[m] += sign * step;
                taylor::<f64, 1>(Activation::Rational, &c, &z, 4)
            };
            let (up, down) = (shifted(1.0), shifted(-1.0));
            for k in 0..4 {
                let difference = (up[k][0] - down[k][0]) / (2.0 * step);
                assert!((difference - wanted[k][0]).abs() < 1e-7, "{m} {k}");
            }
        }
    }
}
