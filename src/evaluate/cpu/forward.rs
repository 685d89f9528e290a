//! The forward pass: jets through the embedding, the layers and the activations of one block.

use super::activation::{MAX_COEFFICIENTS, Taylor, taylor};
use super::block::{Features, Scratch, Shape};
use super::weights::{Linear, Weights};
use crate::problem::expression::Channel;
use crate::scalar::Real;

/// Rows of a layer that are accumulated in registers together.
const TILE: usize = 5;

/// `output = weight * input` for one channel: `rows` x `columns` times `columns` lanes.
#[inline(always)]
pub fn multiply<T: Real, const L: usize>(weight: &[T], input: &[[T; L]], output: &mut [[T; L]]) {
    let columns = input.len();
    let mut rows = weight.chunks_exact(columns * TILE);
    let mut tiles = output.chunks_exact_mut(TILE);
    for (tile, out) in rows.by_ref().zip(tiles.by_ref()) {
        tile_product::<T, L, TILE>(tile, input, out);
    }
    for (row, out) in rows.remainder().chunks_exact(columns).zip(tiles.into_remainder()) {
        tile_product::<T, L, 1>(row, input, std::slice::from_mut(out));
    }
}

#[inline(always)]
fn tile_product<T: Real, const L: usize, const R: usize>(
    weight: &[T],
    input: &[[T; L]],
    output: &mut [[T; L]],
) {
    let columns = input.len();
    let mut rows: [&[T]; R] = [&[]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &weight[r * columns..(r + 1) * columns];
    }
    let mut sum = [[T::ZERO; L]; R];
    for i in 0..columns {
        let x = &input[i];
        for r in 0..R {
            let w = rows[r][i];
            for l in 0..L {
                sum[r][l] = w.fma(x[l], sum[r][l]);
            }
        }
    }
    output.copy_from_slice(&sum);
}

/// Fills `scratch.z`, `scratch.h` and `scratch.slope` of every layer, and the network's jet.
#[inline(always)]
pub fn forward<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    features: &Features<'_, T, L>,
    scratch: &mut Scratch<T, L>,
) {
    embed(shape, weights, features, scratch.layer_z(shape, 0));
    for layer in 0..=shape.hidden {
        activate(shape, &weights.rational[layer], layer, scratch);
        let next = &weights.layers[layer];
        if layer < shape.hidden {
            let (h, z) = scratch.h_and_next_z(shape, layer);
            affine(shape, next, h, z);
        } else {
            let (h, out) = scratch.h_and_output(shape);
            affine(shape, next, h, out);
        }
    }
}

/// W h + b, channel by channel; the bias is a constant and enters the value alone.
#[inline(always)]
fn affine<T: Real, const L: usize>(
    shape: &Shape,
    layer: &Linear<T>,
    input: &[[T; L]],
    output: &mut [[T; L]],
) {
    for c in 0..shape.channels {
        let from = &input[c * layer.columns..(c + 1) * layer.columns];
        let to = &mut output[c * layer.rows..(c + 1) * layer.rows];
        multiply(&layer.weight, from, to);
    }
    for (to, &b) in output[..layer.rows].iter_mut().zip(&layer.bias) {
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

/// h = sigma(z) as series, and the slope series sigma'(z) for the channels that need it.
#[inline(always)]
fn activate<T: Real, const L: usize>(
    shape: &Shape,
    rational: &super::activation::Rational<T>,
    layer: usize,
    scratch: &mut Scratch<T, L>,
) {
    let width = shape.width;
    let order = usize::from(shape.jets.order());
    let slopes = shape.slopes;
    let count = (order + 1 + usize::from(slopes > 0)).min(MAX_COEFFICIENTS);
    let (z, h, slope, power) = scratch.activation_buffers(shape, layer);
    for j in 0..width {
        let s: Taylor<T, L> = taylor(shape.activation, rational, &z[j], count);
        h[j] = s[0];
        if slopes > 0 {
            slope[j] = s[1];
        }
        for c in 1..shape.channels {
            let from = &z[c * width + j];
            let to = &mut h[c * width + j];
            for l in 0..L {
                to[l] = s[1][l] * from[l];
            }
        }
        for c in 1..slopes {
            for l in 0..L {
                slope[c * width + j][l] = (s[2][l] + s[2][l]) * z[c * width + j][l];
            }
        }
        if order > 1 {
            higher_powers(shape, &s, j, z, h, slope, power);
        }
    }
}

/// Adds s_m h^m (and (m + 1) s_{m+1} h^m to the slopes) for m >= 2.
#[inline(always)]
fn higher_powers<T: Real, const L: usize>(
    shape: &Shape,
    s: &Taylor<T, L>,
    unit: usize,
    z: &[[T; L]],
    h: &mut [[T; L]],
    slope: &mut [[T; L]],
    power: &mut [[T; L]],
) {
    let (width, channels) = (shape.width, shape.channels);
    let (mut previous, mut next) = power.split_at_mut(channels);
    for c in 1..channels {
        previous[c] = z[c * width + unit];
    }
    for (m, terms) in (2..).zip(shape.jets.powers()) {
        next.fill([T::ZERO; L]);
        for t in terms {
            let (a, b) = (&previous[t.a as usize], &z[t.b as usize * width + unit]);
            let to = &mut next[t.c as usize];
            for l in 0..L {
                to[l] = a[l].fma(b[l], to[l]);
            }
        }
        for c in 1..channels {
            let to = &mut h[c * width + unit];
            for l in 0..L {
                to[l] = s[m][l].fma(next[c][l], to[l]);
            }
        }
        if m + 1 < MAX_COEFFICIENTS {
            let factor = T::of((m + 1) as f64);
            for c in 1..shape.slopes {
                let to = &mut slope[c * width + unit];
                for l in 0..L {
                    to[l] = (factor * s[m + 1][l]).fma(next[c][l], to[l]);
                }
            }
        }
        std::mem::swap(&mut previous, &mut next);
    }
}
