//! Directional derivatives: the jet of d/d eps u(theta + eps direction), one sweep forward.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::Simd;

use super::activation::{Taylor, rational_change};
use super::block::{Features, Pass, Shape};
use super::forward::{Room, add_power, channels_along, cosine_coefficient, powers};
use super::lanes::{add, fma, scale, turn};
use super::product::{Vector, multiply};
use super::weights::{Linear, Weights};
use crate::network::Network;
use crate::problem::Activation;
use crate::scalar::Real;

/// A direction in parameter space.
pub struct Direction<T> {
    pub weights: Weights<T>,
    /// Of the linear layers, output last.
    layers: Vec<Sparse<T>>,
}

impl<T: Real> Direction<T> {
    pub fn unpack(network: &Network, direction: &[f64]) -> Self {
        let weights = Weights::unpack(network, direction);
        let layers = weights.layers.iter().map(Sparse::of).collect();
        Self { weights, layers }
    }
}

/// A layer's change, row by row, without its zeros: a random-sparse update changes few of its
/// entries.
struct Sparse<T> {
    /// Of each row, the end in `entries`.
    ends: Vec<usize>,
    /// Column and value.
    entries: Vec<(usize, T)>,
    bias: Vec<T>,
}

impl<T: Real> Sparse<T> {
    fn of(layer: &Linear<T>) -> Self {
        let (mut ends, mut entries) = (Vec::new(), Vec::new());
        for row in layer.entries.chunks_exact(layer.weight.columns) {
            entries.extend(row.iter().copied().enumerate().filter(|(_, w)| *w != T::ZERO));
            ends.push(entries.len());
        }
        Self { ends, entries, bias: layer.bias.clone() }
    }

    /// `output += W' input + b'`, channel by channel; the bias in the value alone.
    #[inline(always)]
    fn add_product<S: Simd, const L: usize>(
        &self,
        simd: S,
        width: usize,
        input: &[[T; L]],
        output: &mut [[T; L]],
    ) {
        let (channels, rows) = (input.len() / width, self.ends.len());
        let input: &[Vector<T, S>] = cast_slice(input.as_flattened());
        let output: &mut [Vector<T, S>] = cast_slice_mut(output.as_flattened_mut());
        let parts = L * size_of::<T>() / size_of::<Vector<T, S>>();
        let mut done = 0;
        while done < channels {
            let from = &input[done * width * parts..];
            let to = &mut output[done * rows * parts..];
            let biased = done == 0;
            done += match channels - done {
                3.. => self.add_channels::<S, 3>(simd, parts, width, biased, from, to),
                2 => self.add_channels::<S, 2>(simd, parts, width, biased, from, to),
                _ => self.add_channels::<S, 1>(simd, parts, width, biased, from, to),
            };
        }
    }

    /// The first C channels of [`Self::add_product`]; returns C.
    #[inline(always)]
    fn add_channels<S: Simd, const C: usize>(
        &self,
        simd: S,
        parts: usize,
        width: usize,
        biased: bool,
        input: &[Vector<T, S>],
        output: &mut [Vector<T, S>],
    ) -> usize {
        let (simd, rows) = (T::simd_ctx(simd), self.ends.len());
        for part in 0..parts {
            let mut start = 0;
            for (r, (&end, bias)) in self.ends.iter().zip(&self.bias).enumerate() {
                let mut sums = [T::simd_splat(&simd, &T::ZERO); C];
                if biased {
                    sums[0] = T::simd_splat(&simd, bias);
                }
                for (column, w) in &self.entries[start..end] {
                    let w = T::simd_splat(&simd, w);
                    for c in 0..C {
                        let x = input[(c * width + column) * parts + part];
                        sums[c] = T::simd_mul_add(&simd, w, x, sums[c]);
                    }
                }
                for c in 0..C {
                    let to = &mut output[(c * rows + r) * parts + part];
                    *to = T::simd_add(&simd, *to, sums[c]);
                }
                start = end;
            }
        }
        C
    }
}

/// The buffers of a tangent sweep: z' and h' of one layer, room for its units' series, and the
/// tangent's jet.
pub struct Tangent<'a, T, const L: usize> {
    z: &'a mut [[T; L]],
    h: &'a mut [[T; L]],
    room: Room<'a, T, L>,
    pub output: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Tangent<'a, T, L> {
    pub fn lanes(shape: &Shape) -> usize {
        2 * shape.layer() + Room::<T, L>::lanes(shape) + shape.channels
    }

    #[inline(always)]
    pub fn of(shape: &Shape, lanes: &'a mut [[T; L]]) -> Self {
        let (z, rest) = lanes.split_at_mut(shape.layer());
        let (h, rest) = rest.split_at_mut(shape.layer());
        let (room, output) = rest.split_at_mut(Room::<T, L>::lanes(shape));
        Self { z, h, room: Room::of(shape, room), output }
    }
}

/// Fills `tangent.output`; `pass` is the forward pass at theta with all slopes kept.
#[inline(always)]
pub fn tangent<S: Simd, T: Real, const L: usize>(
    simd: S,
    shape: &Shape,
    weights: &Weights<T>,
    direction: &Direction<T>,
    features: &Features<'_, T, L>,
    pass: &Pass<'_, T, L>,
    tangent: &mut Tangent<'_, T, L>,
) {
    embed(shape, weights, &direction.weights, features, tangent.z);
    for layer in 0..=shape.hidden {
        activate(shape, weights, &direction.weights, layer, pass, tangent);
        let h = &pass.h[layer * shape.layer()..(layer + 1) * shape.layer()];
        let to = if layer < shape.hidden { &mut *tangent.z } else { &mut *tangent.output };
        multiply(simd, &weights.layers[layer].weight, tangent.h, to);
        direction.layers[layer].add_product(simd, shape.width, h, to);
    }
}

#[inline(always)]
fn embed<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    direction: &Weights<T>,
    features: &Features<'_, T, L>,
    z: &mut [[T; L]],
) {
    let width = shape.width;
    z.fill([T::ZERO; L]);
    for (k, (at, along)) in weights.periodic.iter().zip(&direction.periodic).enumerate() {
        let (cosine, sine) = features.periodic(k);
        for (to, &shift) in z[..width].iter_mut().zip(&along.shift) {
            *to = add(*to, [shift; L]);
        }
        for (c, order) in channels_along(shape, at.input) {
            let (factor, use_sine) = cosine_coefficient(at.frequency, order);
            let factor = T::of(factor);
            for (j, to) in z[c * width..][..width].iter_mut().enumerate() {
                let (pc, ps) = (at.phase_cosine[j], at.phase_sine[j]);
                let (cos, sin) = (turn(*cosine, *sine, pc, ps), turn(*sine, *cosine, pc, -ps));
                // d/d eps of a cos + b sin-type pairs: the wave, or its quarter turn.
                let (amplitude, by_phase) = (along.amplitude[j], at.amplitude[j] * along.phase[j]);
                let wave = if use_sine {
                    turn(sin, cos, amplitude, -by_phase)
                } else {
                    turn(cos, sin, amplitude, by_phase)
                };
                *to = add(*to, scale(factor, wave));
            }
        }
    }
    for (k, (at, along)) in weights.linear.iter().zip(&direction.linear).enumerate() {
        let scaled = features.linear(k);
        for (to, &slope) in z[..width].iter_mut().zip(&along.slope) {
            *to = add(*to, scale(slope, *scaled));
        }
        for (c, _) in channels_along(shape, at.input).filter(|&(_, order)| order == 1) {
            for (to, &slope) in z[c * width..].iter_mut().zip(&along.slope) {
                *to = add(*to, [slope * T::of(at.scale); L]);
            }
        }
    }
    for (to, &c) in z[..width].iter_mut().zip(&direction.offset) {
        *to = add(*to, [c; L]);
    }
}

/// h' = sigma'(z) z' + (d sigma / d coefficients)(z) . direction, as series.
#[inline(always)]
fn activate<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    direction: &Weights<T>,
    layer: usize,
    pass: &Pass<'_, T, L>,
    tangent: &mut Tangent<'_, T, L>,
) {
    let width = shape.width;
    let slope = &pass.slope[layer * shape.slopes * width..];
    tangent.h.fill([T::ZERO; L]);
    for t in shape.jets.products() {
        let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
        let (slope, z) = (&slope[b..b + width], &tangent.z[a..a + width]);
        let h = &mut tangent.h[c..c + width];
        for (h, (slope, z)) in h.iter_mut().zip(slope.iter().zip(z)) {
            *h = fma(*slope, *z, *h);
        }
    }
    let (at, along) = (&weights.rational[layer], &direction.rational[layer]);
    if shape.activation != Activation::Rational || along.iter().all(|c| *c == T::ZERO) {
        return;
    }
    let z = &pass.z[layer * shape.layer()..(layer + 1) * shape.layer()];
    let count = usize::from(shape.jets.order()) + 1;
    for j in 0..width {
        let s: Taylor<T, L> = rational_change(at, along, &z[j], count);
        tangent.room.set(width, j, &s, count);
    }
    let (series, h) = (&*tangent.room.series, &mut *tangent.h);
    h.iter_mut().zip(&series[..width]).for_each(|(h, s)| *h = add(*h, *s));
    powers(
        &shape.jets,
        width,
        z,
        tangent.room.power,
        #[inline(always)]
        |m, power| add_power(width, T::ONE, &series[m * width..], power, h),
    );
}
