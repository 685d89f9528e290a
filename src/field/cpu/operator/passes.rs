//! The passes over a tile of points: jets forward through the layers, adjoints back.
//!
//! A tile is a few blocks of lanes, in [`Buffers`].

use pulp::Simd;

use super::buffers::{Buffers, Sizes, lanes, lanes_mut, passed_on};
use super::gate::{gate, ungate};
use super::layers::Layers;
use crate::cpu::activation::{MAX_COEFFICIENTS, rational_sensitivities, taylor};
use crate::cpu::lanes::{fma, scale};
use crate::cpu::product::{add_constants, multiply};
use crate::network::RATIONAL_COEFFICIENTS;
use crate::scalar::Real;

/// Fills z, h and, where they are kept, the slopes of every layer, and the output.
#[inline(always)]
pub fn forward<S: Simd, T: Real, const L: usize>(
    simd: S,
    sizes: &Sizes,
    layers: &Layers<T>,
    features: &[[T; L]],
    buffers: &mut Buffers<T>,
) {
    let blocks = features.len() / (sizes.channels * sizes.features);
    let size = sizes.layer(blocks);
    let block_lanes = sizes.channels * sizes.width;
    // One loop for encoders, layers and the output: a product is much code.
    for turn in 0..=sizes.encoders + sizes.layers {
        let layer = match turn.checked_sub(sizes.encoders) {
            Some(number) => layers.layers.get(number).map(|layer| (layer, number)),
            None => Some((&layers.encoders[turn], sizes.layers + turn)),
        };
        let input = match turn.checked_sub(sizes.encoders + 1) {
            Some(previous) => &passed_on::<T, L>(&buffers.h, &buffers.mixed, previous)[..size],
            None => features,
        };
        let (weight, bias, output, per_block) = match layer {
            Some((layer, at)) => {
                let z = &mut lanes_mut::<T, L>(&mut buffers.z[at])[..size];
                (&layer.weight, layer.bias.as_slice(), z, block_lanes)
            }
            None => {
                let groups = blocks * sizes.channels;
                let output = &mut lanes_mut::<T, L>(&mut buffers.output)[..groups];
                (&layers.output, layers.output_bias.as_slice(), output, sizes.channels)
            }
        };
        multiply(simd, weight, input, output);
        // The bias is a constant and enters the value alone.
        for block in output.chunks_exact_mut(per_block) {
            add_constants(simd, bias, block);
        }
        if let Some((_, at)) = layer {
            activate::<T, L>(sizes, layers, at, blocks, buffers);
            if sizes.encoders > 0 {
                gate::<T, L>(sizes, at, blocks, buffers);
            }
        }
    }
}

/// `h = sum_m s_m (z - z_0)^m` as series, with s the Taylor coefficients of the activation about
/// the value z_0, and its slope `sum_m (m + 1) s_{m+1} (z - z_0)^m`.
#[inline(always)]
fn activate<T: Real, const L: usize>(
    sizes: &Sizes,
    layers: &Layers<T>,
    layer: usize,
    blocks: usize,
    buffers: &mut Buffers<T>,
) {
    let (width, size) = (sizes.width, sizes.layer(1));
    let order = usize::from(sizes.jets.order());
    let count = order + 1 + usize::from(sizes.slopes);
    let z = lanes::<T, L>(&buffers.z[layer]);
    let h = lanes_mut::<T, L>(&mut buffers.h[layer]);
    let slope = lanes_mut::<T, L>(&mut buffers.slope[layer]);
    let s = &mut lanes_mut::<T, L>(&mut buffers.taylor)[..MAX_COEFFICIENTS * width];
    let [first, second] = &mut buffers.power;
    let (mut power, mut next) = (lanes_mut::<T, L>(first), lanes_mut::<T, L>(second));
    for block in 0..blocks {
        let z = &z[block * size..(block + 1) * size];
        let h = &mut h[block * size..(block + 1) * size];
        let rational = &layers.rational[layer];
        for j in 0..width {
            let series = taylor::<T, L>(sizes.activation, rational, &z[j], count);
            for k in 0..count {
                s[k * width + j] = series[k];
            }
        }
        h[..width].copy_from_slice(&s[..width]);
        scaled(&s[width..], T::ONE, &z[width..], &mut h[width..], width, false);
        let mut slope = sizes.slopes.then(|| &mut slope[block * size..(block + 1) * size]);
        if let Some(slope) = &mut slope {
            slope[..width].copy_from_slice(&s[width..2 * width]);
            scaled(&s[2 * width..], T::of(2.0), &z[width..], &mut slope[width..], width, false);
        }
        for (m, terms) in (2..).zip(sizes.jets.powers()) {
            let previous = if m == 2 { z } else { &*power };
            next[..size].fill([T::ZERO; L]);
            for t in terms {
                let (a, b) = (t.a as usize * width, t.b as usize * width);
                let to = &mut next[t.c as usize * width..][..width];
                accumulate(&previous[a..a + width], &z[b..b + width], to);
            }
            std::mem::swap(&mut power, &mut next);
            scaled(&s[m * width..], T::ONE, &power[width..size], &mut h[width..], width, true);
            if let Some(slope) = &mut slope {
                let factor = T::of((m + 1) as f64);
                let s = &s[(m + 1) * width..];
                scaled(s, factor, &power[width..size], &mut slope[width..], width, true);
            }
        }
    }
}

/// `to = factor s x` or `to += factor s x`, for x and `to` of several channels and s of one.
#[inline(always)]
fn scaled<T: Real, const L: usize>(
    s: &[[T; L]],
    factor: T,
    x: &[[T; L]],
    to: &mut [[T; L]],
    width: usize,
    add: bool,
) {
    for (x, to) in x.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        for j in 0..width {
            let old = if add { to[j] } else { [T::ZERO; L] };
            to[j] = fma(scale(factor, s[j]), x[j], old);
        }
    }
}

/// `to += a b`.
#[inline(always)]
pub(super) fn accumulate<T: Real, const L: usize>(a: &[[T; L]], b: &[[T; L]], to: &mut [[T; L]]) {
    for ((a, b), to) in a.iter().zip(b).zip(to) {
        *to = fma(*a, *b, *to);
    }
}

/// Fills z_bar of every layer, and the derivatives by the activations' coefficients, for the
/// derivatives of `sum_g seed_g output_g`, after a forward pass that kept the slopes.
#[inline(always)]
pub fn backward<S: Simd, T: Real, const L: usize>(
    simd: S,
    sizes: &Sizes,
    layers: &Layers<T>,
    seed: &[[T; L]],
    buffers: &mut Buffers<T>,
) {
    let (width, size) = (sizes.width, sizes.layer(1));
    let blocks = seed.len() / sizes.channels;
    let whole = blocks * size;
    let h_bar = &mut lanes_mut::<T, L>(&mut buffers.h_bar)[..whole];
    for (h_bar, s) in h_bar.chunks_exact_mut(width).zip(seed) {
        for (to, &w) in h_bar.iter_mut().zip(&layers.output_row) {
            *to = scale(w, *s);
        }
    }
    if sizes.encoders > 0 {
        buffers.gate_bar.iter_mut().for_each(|bar| lanes_mut::<T, L>(bar).fill([T::ZERO; L]));
    }
    for layer in (0..sizes.layers).rev() {
        if sizes.encoders > 0 && layer > 0 {
            ungate::<T, L>(sizes, layer, blocks, buffers);
        }
        through_slope::<T, L>(sizes, layer, blocks, buffers);
        if !buffers.coefficients.is_empty() {
            differentiate_coefficients::<T, L>(sizes, layers, layer, blocks, buffers);
        }
        if let Some(transposed) = &layers.layers[layer].transposed {
            let z_bar = &lanes::<T, L>(&buffers.z_bar[layer])[..whole];
            multiply(simd, transposed, z_bar, &mut lanes_mut::<T, L>(&mut buffers.h_bar)[..whole]);
        }
    }
    for encoder in 0..sizes.encoders {
        let h_bar = lanes_mut::<T, L>(&mut buffers.h_bar);
        h_bar.copy_from_slice(lanes(&buffers.gate_bar[encoder]));
        through_slope::<T, L>(sizes, sizes.layers + encoder, blocks, buffers);
    }
}

/// z_bar of a layer from h_bar: `z_bar_a = sum over (a, b) -> c of slope_b h_bar_c`.
#[inline(always)]
fn through_slope<T: Real, const L: usize>(
    sizes: &Sizes,
    layer: usize,
    blocks: usize,
    buffers: &mut Buffers<T>,
) {
    let (width, size) = (sizes.width, sizes.layer(1));
    for block in 0..blocks {
        let range = block * size..(block + 1) * size;
        let slope = &lanes::<T, L>(&buffers.slope[layer])[range.clone()];
        let h_bar = &lanes::<T, L>(&buffers.h_bar)[range.clone()];
        let z_bar = &mut lanes_mut::<T, L>(&mut buffers.z_bar[layer])[range];
        z_bar.fill([T::ZERO; L]);
        for t in sizes.jets.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            accumulate(&slope[b..b + width], &h_bar[c..c + width], &mut z_bar[a..a + width]);
        }
    }
}

/// Per coefficient of the layer's activation and per block: the sum over units and channels of
/// h_bar times the composed series of the activation's derivative by the coefficient.
#[inline(always)]
fn differentiate_coefficients<T: Real, const L: usize>(
    sizes: &Sizes,
    layers: &Layers<T>,
    layer: usize,
    blocks: usize,
    buffers: &mut Buffers<T>,
) {
    let (width, size) = (sizes.width, sizes.layer(1));
    let count = usize::from(sizes.jets.order()) + 1;
    let [first, second] = &mut buffers.power;
    let (mut power, mut next) = (lanes_mut::<T, L>(first), lanes_mut::<T, L>(second));
    for block in 0..blocks {
        let z = &lanes::<T, L>(&buffers.z[layer])[block * size..(block + 1) * size];
        let h_bar = &lanes::<T, L>(&buffers.h_bar)[block * size..(block + 1) * size];
        // Entry m, unit j: sum_c h_bar_c (h^m)_c, h the unit's series without its constant.
        let contracted = &mut lanes_mut::<T, L>(&mut buffers.taylor)[..MAX_COEFFICIENTS * width];
        contracted.fill([T::ZERO; L]);
        contracted[..width].copy_from_slice(&h_bar[..width]);
        power[..size].copy_from_slice(z);
        for m in 1..count {
            if m > 1 {
                next[..size].fill([T::ZERO; L]);
                for t in &sizes.jets.powers()[m - 2] {
                    let (a, b) = (t.a as usize * width, t.b as usize * width);
                    let to = &mut next[t.c as usize * width..][..width];
                    accumulate(&power[a..a + width], &z[b..b + width], to);
                }
                std::mem::swap(&mut power, &mut next);
            }
            let to = &mut contracted[m * width..(m + 1) * width];
            for c in (width..size).step_by(width) {
                accumulate(&h_bar[c..c + width], &power[c..c + width], to);
            }
        }
        let mut sums = [[T::ZERO; L]; RATIONAL_COEFFICIENTS];
        for j in 0..width {
            let series =
                rational_sensitivities::<T, L, MAX_COEFFICIENTS>(&layers.rational[layer], &z[j]);
            for (sum, series) in sums.iter_mut().zip(&series) {
                for m in 0..count {
                    *sum = fma(series[m], contracted[m * width + j], *sum);
                }
            }
        }
        for (to, sum) in buffers.coefficients[layer].iter_mut().zip(&sums) {
            lanes_mut::<T, L>(to)[block] = *sum;
        }
    }
}
