//! The forward pass: jets through the embedding, the layers and the activations of one block.

use pulp::Simd;

use super::activation::{MAX_COEFFICIENTS, Rational, Taylor, taylor};
use super::block::{Features, PassMut, Shape};
use super::lanes::{add, fma, scale, turn};
use super::product::multiply;
use super::weights::{Linear, Weights};
use crate::jet::JetSet;
use crate::problem::expression::Channel;
use crate::scalar::Real;

/// Fills `pass`.
#[inline(always)]
pub fn forward<S: Simd, T: Real, const L: usize>(
    simd: S,
    shape: &Shape,
    weights: &Weights<T>,
    features: &Features<'_, T, L>,
    pass: PassMut<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let (size, slopes) = (shape.layer(), shape.slopes * shape.width);
    embed(shape, weights, features, &mut pass.z[..size]);
    for layer in 0..=shape.hidden {
        let z = &pass.z[layer * size..(layer + 1) * size];
        let h = &mut pass.h[layer * size..(layer + 1) * size];
        let slope = &mut pass.slope[layer * slopes..(layer + 1) * slopes];
        activate(shape, &weights.rational[layer], z, h, slope, room);
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
        *to = add(*to, [b; L]);
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
        for (to, &shift) in z[..shape.width].iter_mut().zip(&part.shift) {
            *to = add(*to, [shift; L]);
        }
        for (c, order) in channels_along(shape, part.input) {
            let (factor, use_sine) = cosine_coefficient(part.frequency, order);
            let factor = T::of(factor);
            for (j, to) in z[c * shape.width..][..shape.width].iter_mut().enumerate() {
                let (pc, ps) = (part.phase_cosine[j], part.phase_sine[j]);
                let wave = if use_sine {
                    turn(*sine, *cosine, pc, -ps)
                } else {
                    turn(*cosine, *sine, pc, ps)
                };
                *to = add(*to, scale(factor, scale(part.amplitude[j], wave)));
            }
        }
    }
    for (k, part) in weights.linear.iter().enumerate() {
        let scaled = features.linear(k);
        for (to, &slope) in z[..shape.width].iter_mut().zip(&part.slope) {
            *to = fma([slope; L], *scaled, *to);
        }
        for (c, _) in channels_along(shape, part.input).filter(|&(_, order)| order == 1) {
            for (to, &slope) in z[c * shape.width..].iter_mut().zip(&part.slope) {
                *to = add(*to, [slope * T::of(part.scale); L]);
            }
        }
    }
    for (to, &c) in z[..shape.width].iter_mut().zip(&weights.offset) {
        *to = add(*to, [c; L]);
    }
}

/// Room for the series of one layer's units.
pub struct Room<'a, T, const L: usize> {
    /// Coefficient by coefficient, unit by unit.
    pub series: &'a mut [[T; L]],
    /// Two powers of every unit's series.
    pub power: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Room<'a, T, L> {
    pub fn lanes(shape: &Shape) -> usize {
        MAX_COEFFICIENTS * shape.width + 2 * shape.layer()
    }

    #[inline(always)]
    pub fn of(shape: &Shape, lanes: &'a mut [[T; L]]) -> Self {
        let (series, power) = lanes.split_at_mut(MAX_COEFFICIENTS * shape.width);
        Self { series, power }
    }

    /// Takes in the series of one unit.
    #[inline(always)]
    pub fn set(&mut self, width: usize, unit: usize, s: &Taylor<T, L>, count: usize) {
        for k in 0..count {
            self.series[k * width + unit] = s[k];
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
    room: &mut Room<'_, T, L>,
) {
    let (width, slopes) = (shape.width, shape.slopes);
    let order = usize::from(shape.jets.order());
    let count = (order + 1 + usize::from(slopes > 0)).min(MAX_COEFFICIENTS);
    for j in 0..width {
        let s: Taylor<T, L> = taylor(shape.activation, rational, &z[j], count);
        room.set(width, j, &s, count);
    }
    let series = &*room.series;
    h[..width].copy_from_slice(&series[..width]);
    h[width..].fill([T::ZERO; L]);
    if slopes > 0 {
        slope[..width].copy_from_slice(&series[width..2 * width]);
        slope[width..].fill([T::ZERO; L]);
    }
    powers(
        &shape.jets,
        width,
        z,
        room.power,
        #[inline(always)]
        |m, power| {
            add_power(width, T::ONE, &series[m * width..], power, h);
            if m + 1 < MAX_COEFFICIENTS {
                let factor = T::of((m + 1) as f64);
                add_power(width, factor, &series[(m + 1) * width..], power, slope);
            }
        },
    );
}

/// Calls `each` with m and the channels of h^m of every unit, for m from 1 to the set's order: h is
/// the unit's series z without its constant, and the value's channel is not to be read.
#[inline(always)]
pub fn powers<T: Real, const L: usize>(
    jets: &JetSet,
    width: usize,
    z: &[[T; L]],
    room: &mut [[T; L]],
    mut each: impl FnMut(usize, &[[T; L]]),
) {
    let size = jets.len() * width;
    if jets.len() == 1 {
        return;
    }
    each(1, &z[..size]);
    let (mut power, mut next) = room[..2 * size].split_at_mut(size);
    for (m, terms) in (2..).zip(jets.powers()) {
        next.fill([T::ZERO; L]);
        for t in terms {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            let lower = if m == 2 { z } else { &*power };
            let factors = lower[a..a + width].iter().zip(&z[b..b + width]);
            for (to, (a, b)) in next[c..c + width].iter_mut().zip(factors) {
                *to = fma(*a, *b, *to);
            }
        }
        each(m, next);
        std::mem::swap(&mut power, &mut next);
    }
}

/// `out += factor s power` on as many channels after the value as `out` has.
#[inline(always)]
pub fn add_power<T: Real, const L: usize>(
    width: usize,
    factor: T,
    s: &[[T; L]],
    power: &[[T; L]],
    out: &mut [[T; L]],
) {
    for (power, out) in power.chunks_exact(width).zip(out.chunks_exact_mut(width)).skip(1) {
        for ((s, power), to) in s.iter().zip(power).zip(out) {
            *to = fma(scale(factor, *s), *power, *to);
        }
    }
}
