//! The forward pass: jets through the embedding, the layers and the activations of one block.

use pulp::Simd;

use super::activation::{MAX_COEFFICIENTS, Rational, Taylor, taylor};
use super::block::{Features, PassMut, Shape};
use super::product::multiply;
use super::weights::{Linear, Weights};
use crate::evaluate::jet::JetSet;
use crate::problem::expression::Channel;
use crate::scalar::Real;

/// Fills `pass`; `power` is room for two powers of a unit's series.
#[inline(always)]
pub fn forward<S: Simd, T: Real, const L: usize>(
    simd: S,
    shape: &Shape,
    weights: &Weights<T>,
    features: &Features<'_, T, L>,
    pass: PassMut<'_, T, L>,
    power: &mut [[T; L]],
) {
    let (size, slopes) = (shape.layer(), shape.slopes * shape.width);
    embed(shape, weights, features, &mut pass.z[..size]);
    for layer in 0..=shape.hidden {
        let z = &pass.z[layer * size..(layer + 1) * size];
        let h = &mut pass.h[layer * size..(layer + 1) * size];
        let slope = &mut pass.slope[layer * slopes..(layer + 1) * slopes];
        activate(shape, &weights.rational[layer], z, h, slope, power);
        let to = if layer < shape.hidden {
            &mut pass.z[(layer + 1) * size..(layer + 2) * size]
        } else {
            &mut *pass.output
        };
        affine(simd, &weights.layers[layer], h, to);
    }
}

/// W h + b, channel by channel; the bias is a constant and enters the value alone.
#[inline(always)]
fn affine<S: Simd, T: Real, const L: usize>(
    simd: S,
    layer: &Linear<T>,
    input: &[[T; L]],
    output: &mut [[T; L]],
) {
    multiply(simd, &layer.weight, input, output);
    for (to, &b) in output.iter_mut().zip(&layer.bias) {
        for l in 0..L {
            to[l] += b;
        }
    }
}

/// k-th Taylor coefficient of cos(frequency x + phase) over cos or sin of the angle: the factor
/// and whether it multiplies the sine.
pub fn cosine_coefficient(frequency: f64, order: u8) -> (f64, bool) {
    let factorial: f64 = (1..=order).map(f64::from).product();
    let size = frequency.powi(i32::from(order)) / factorial;
    match order % 4 {
        0 => (size, false),
        1 => (-size, true),
        2 => (-size, false),
        _ => (size, true),
    }
}

/// Which channels a single coordinate feeds: (channel, order along it). The Laplacian counts as
/// order 2 along each.
pub fn channels_along(shape: &Shape, input: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
    shape.jets.channels().iter().enumerate().filter_map(move |(c, channel)| match channel {
        Channel::Partial(index) => {
            let along = index.0[input];
            (along == index.order()).then_some((c, along))
        }
        Channel::Laplacian => Some((c, 2)),
    })
}

#[inline(always)]
fn embed<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    features: &Features<'_, T, L>,
    z: &mut [[T; L]],
) {
    z.fill([T::ZERO; L]);
    for (k, part) in weights.periodic.iter().enumerate() {
        let (cosine, sine) = features.periodic(k);
        for j in 0..shape.width {
            let (pc, ps) = (part.phase_cosine[j], part.phase_sine[j]);
            let mut angle = [[T::ZERO; L]; 2];
            for l in 0..L {
                angle[0][l] = part.amplitude[j] * (cosine[l] * pc - sine[l] * ps);
                angle[1][l] = part.amplitude[j] * (sine[l] * pc + cosine[l] * ps);
                z[j][l] += part.shift[j];
            }
            for (c, order) in channels_along(shape, part.input) {
                let (factor, use_sine) = cosine_coefficient(part.frequency, order);
                let (factor, wave) = (T::of(factor), &angle[usize::from(use_sine)]);
                for l in 0..L {
                    z[c * shape.width + j][l] += factor * wave[l];
                }
            }
        }
    }
    for (k, part) in weights.linear.iter().enumerate() {
        let scaled = features.linear(k);
        for j in 0..shape.width {
            for l in 0..L {
                z[j][l] = part.slope[j].fma(scaled[l], z[j][l]);
            }
            for (c, order) in channels_along(shape, part.input) {
                if order == 1 {
                    let slope = part.slope[j] * T::of(part.scale);
                    for l in 0..L {
                        z[c * shape.width + j][l] += slope;
                    }
                }
            }
        }
    }
    for (to, &c) in z[..shape.width].iter_mut().zip(&weights.offset) {
        for l in 0..L {
            to[l] += c;
        }
    }
}

/// h = sigma(z) as series, and the slope series sigma'(z) for the channels that need it:
/// h = sum_m s_m (z - z_0)^m and sigma' = sum_m (m + 1) s_{m+1} (z - z_0)^m, s those of sigma.
#[inline(always)]
fn activate<T: Real, const L: usize>(
    shape: &Shape,
    rational: &Rational<T>,
    z: &[[T; L]],
    h: &mut [[T; L]],
    slope: &mut [[T; L]],
    power: &mut [[T; L]],
) {
    let (width, slopes) = (shape.width, shape.slopes);
    let order = usize::from(shape.jets.order());
    let count = (order + 1 + usize::from(slopes > 0)).min(MAX_COEFFICIENTS);
    for j in 0..width {
        let s: Taylor<T, L> = taylor(shape.activation, rational, &z[j], count);
        h[j] = s[0];
        if slopes > 0 {
            slope[j] = s[1];
        }
        powers(
            &shape.jets,
            width,
            j,
            z,
            power,
            #[inline(always)]
            |m, power| {
                add_power(width, j, m, &s[m], T::ONE, &power[..shape.channels], h);
                if m + 1 < MAX_COEFFICIENTS && slopes > 1 {
                    let factor = T::of((m + 1) as f64);
                    add_power(width, j, m, &s[m + 1], factor, &power[..slopes], slope);
                }
            },
        );
    }
}

/// Calls `each` with m and the channels of h^m, for m from 1 to the set's order: h is the series of
/// one unit without its constant, and so is h^m. `room` is for two series.
#[inline(always)]
pub fn powers<T: Real, const L: usize>(
    jets: &JetSet,
    width: usize,
    unit: usize,
    z: &[[T; L]],
    room: &mut [[T; L]],
    mut each: impl FnMut(usize, &[[T; L]]),
) {
    let channels = jets.len();
    if channels == 1 {
        return;
    }
    let (mut power, mut next) = room.split_at_mut(room.len() / 2);
    power[0] = [T::ZERO; L];
    for c in 1..channels {
        power[c] = z[c * width + unit];
    }
    each(1, power);
    for (m, terms) in (2..).zip(jets.powers()) {
        next.fill([T::ZERO; L]);
        for t in terms {
            let (a, b) = (&power[t.a as usize], &z[t.b as usize * width + unit]);
            let to = &mut next[t.c as usize];
            for l in 0..L {
                to[l] = a[l].fma(b[l], to[l]);
            }
        }
        each(m, next);
        std::mem::swap(&mut power, &mut next);
    }
}

/// `out += factor s power` on the channels after the value; the first power, m = 1, is the first
/// to come and is assigned.
#[inline(always)]
fn add_power<T: Real, const L: usize>(
    width: usize,
    unit: usize,
    m: usize,
    s: &[T; L],
    factor: T,
    power: &[[T; L]],
    out: &mut [[T; L]],
) {
    for (c, power) in power.iter().enumerate().skip(1) {
        let to = &mut out[c * width + unit];
        for l in 0..L {
            let before = if m == 1 { T::ZERO } else { to[l] };
            to[l] = (factor * s[l]).fma(power[l], before);
        }
    }
}
