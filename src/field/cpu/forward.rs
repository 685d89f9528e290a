//! The forward pass: jets through the embedding, the layers and the activations of one tile.

use pulp::Simd;

use super::activation::{MAX_COEFFICIENTS, Rational, taylor};
use super::gate::gate;
use super::lanes::{fma, scale};
use super::product::{add_constants, multiply};
use super::tile::{PassMut, Room, Sizes, passed_on};
use super::weights::Weights;
use crate::jet::JetSet;
use crate::scalar::Real;

/// Fills `pass`; `features` are those of the carried channels.
#[inline(always)]
pub fn forward<S: Simd, T: Real, const L: usize>(
    simd: S,
    sizes: &Sizes,
    weights: &Weights<T>,
    features: &[[T; L]],
    pass: &mut PassMut<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let blocks = features.len() / (sizes.channels * sizes.features);
    let (size, whole) = (blocks * sizes.block(), sizes.blocks * sizes.block());
    // One loop for encoders, layers and the output: a product is much code.
    for turn in 0..=sizes.activated() {
        let at = order(sizes, turn);
        let input = match turn.checked_sub(sizes.encoders + 1) {
            Some(previous) => &passed_on(sizes, pass.h, pass.mixed, previous)[..size],
            None => features,
        };
        let is_output = at == sizes.activated();
        let (output, per_block) = match is_output {
            true => (&mut pass.output[..blocks * sizes.output()], sizes.output()),
            false => (&mut pass.z[at * whole..][..size], sizes.block()),
        };
        let layer = &weights.layers[at];
        multiply(simd, &layer.weight, input, output);
        // The bias is a constant and enters the value alone.
        for block in output.chunks_exact_mut(per_block) {
            add_constants(simd, &layer.bias, block);
        }
        if !is_output {
            activate(sizes, &weights.rational[at], at, blocks, pass, room);
            if sizes.encoders > 0 {
                gate(sizes, at, blocks, pass);
            }
        }
    }
}

/// The layer that comes in a turn: the encoders first, then the embedding and the hidden layers,
/// the output last.
#[inline(always)]
pub fn order(sizes: &Sizes, turn: usize) -> usize {
    match turn {
        turn if turn < sizes.encoders => sizes.layers + turn,
        turn if turn == sizes.activated() => turn,
        turn => turn - sizes.encoders,
    }
}

/// h = sigma(z) as series, and the slope series sigma'(z) for the channels that need it:
/// h = sum_m s_m (z - z_0)^m and sigma' = sum_m (m + 1) s_{m+1} (z - z_0)^m, s those of sigma.
#[inline(always)]
fn activate<T: Real, const L: usize>(
    sizes: &Sizes,
    rational: &Rational<T>,
    layer: usize,
    blocks: usize,
    pass: &mut PassMut<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let (width, size, slopes) = (sizes.width, sizes.block(), sizes.slopes * sizes.width);
    // Of the slope's channels; the series needs one coefficient more.
    let steepest = sizes.slopes.checked_sub(1).map(|c| usize::from(sizes.jets.channel_order(c)));
    let order = usize::from(sizes.jets.order());
    let count = steepest.map_or(0, |steepest| steepest + 2).max(order + 1);
    for block in layer * sizes.blocks..layer * sizes.blocks + blocks {
        let z = &pass.z[block * size..(block + 1) * size];
        let h = &mut pass.h[block * size..(block + 1) * size];
        let slope = &mut pass.slope[block * slopes..(block + 1) * slopes];
        for j in 0..width {
            let s = taylor(sizes.activation, rational, &z[j], count);
            for k in 0..count {
                room.series[k * width + j] = s[k];
            }
        }
        let s = &*room.series;
        h[..width].copy_from_slice(&s[..width]);
        h[width..].fill([T::ZERO; L]);
        if slopes > 0 {
            slope[..width].copy_from_slice(&s[width..2 * width]);
            slope[width..].fill([T::ZERO; L]);
        }
        powers(
            &sizes.jets,
            width,
            z,
            room.power,
            #[inline(always)]
            |m, power| {
                add_power(width, T::ONE, &s[m * width..], power, h);
                if steepest.is_some_and(|steepest| m <= steepest) {
                    let factor = T::of((m + 1) as f64);
                    add_power(width, factor, &s[(m + 1) * width..], power, slope);
                }
            },
        );
    }
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
            accumulate(&lower[a..a + width], &z[b..b + width], &mut next[c..c + width]);
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

/// `to += a b`.
#[inline(always)]
pub fn accumulate<T: Real, const L: usize>(a: &[[T; L]], b: &[[T; L]], to: &mut [[T; L]]) {
    for ((a, b), to) in a.iter().zip(b).zip(to) {
        *to = fma(*a, *b, *to);
    }
}

const _: () = assert!(MAX_COEFFICIENTS >= 6, "order 4 and its slope");
