//! Directional derivatives: the jet of d/d eps u(theta + eps direction), one sweep forward.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::Simd;

use super::activation::{Rational, rational_change};
use super::forward::{accumulate, add_power, order, powers};
use super::gate::gate_along;
use super::lanes::add;
use super::product::{Vector, add_constants, multiply};
use super::tile::{Pass, Room, Sizes, Tangent};
use super::weights::{Linear, Weights, linear_layers, rational};
use crate::network::Network;
use crate::problem::Activation;
use crate::scalar::Real;

/// A direction in parameter space.
pub struct Direction<T> {
    /// In the order of [`Weights::layers`].
    layers: Vec<Sparse<T>>,
    rational: Vec<Rational<T>>,
}

impl<T: Real> Direction<T> {
    /// At the parameters of `weights`.
    ///
    /// # Panics
    /// When `direction` has not as many entries as the network has parameters.
    pub fn new(network: &Network, weights: &Weights<T>, direction: &[f64]) -> Self {
        let layers = linear_layers(network, &weights.waves, direction, true);
        Self {
            layers: layers.iter().map(Sparse::of).collect(),
            rational: rational(network, direction),
        }
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
        for row in layer.entries.chunks_exact(layer.columns) {
            entries.extend(row.iter().copied().enumerate().filter(|(_, w)| *w != T::ZERO));
            ends.push(entries.len());
        }
        Self { ends, entries, bias: layer.bias.clone() }
    }

    /// `output += W' input` for every group, of which each has `width` lanes in the input.
    #[inline(always)]
    fn add_product<S: Simd, const L: usize>(
        &self,
        simd: S,
        width: usize,
        input: &[[T; L]],
        output: &mut [[T; L]],
    ) {
        let (groups, rows) = (input.len() / width, self.ends.len());
        let input: &[Vector<T, S>] = cast_slice(input.as_flattened());
        let output: &mut [Vector<T, S>] = cast_slice_mut(output.as_flattened_mut());
        let parts = L * size_of::<T>() / size_of::<Vector<T, S>>();
        let mut done = 0;
        while done < groups {
            let from = &input[done * width * parts..];
            let to = &mut output[done * rows * parts..];
            // So many sums that none waits for its last term.
            done += match groups - done {
                6.. => self.add_groups::<S, 6>(simd, parts, width, from, to),
                3.. => self.add_groups::<S, 3>(simd, parts, width, from, to),
                2 => self.add_groups::<S, 2>(simd, parts, width, from, to),
                _ => self.add_groups::<S, 1>(simd, parts, width, from, to),
            };
        }
    }

    /// The first G groups of [`Self::add_product`]; returns G.
    #[inline(always)]
    fn add_groups<S: Simd, const G: usize>(
        &self,
        simd: S,
        parts: usize,
        width: usize,
        input: &[Vector<T, S>],
        output: &mut [Vector<T, S>],
    ) -> usize {
        let rows = self.ends.len();
        for part in 0..parts {
            let mut start = 0;
            for (r, &end) in self.ends.iter().enumerate() {
                let mut sums = [T::splat(simd, T::ZERO); G];
                for (column, w) in &self.entries[start..end] {
                    let w = T::splat(simd, *w);
                    for g in 0..G {
                        let x = input[(g * width + column) * parts + part];
                        sums[g] = T::multiply_add(simd, w, x, sums[g]);
                    }
                }
                for g in 0..G {
                    let to = &mut output[(g * rows + r) * parts + part];
                    *to = T::add_vectors(simd, *to, sums[g]);
                }
                start = end;
            }
        }
        G
    }
}

/// Fills `tangent.output`; `pass` is the forward pass at theta with all slopes kept.
#[inline(always)]
pub fn tangent<S: Simd, T: Real, const L: usize>(
    simd: S,
    sizes: &Sizes,
    weights: &Weights<T>,
    direction: &Direction<T>,
    features: &[[T; L]],
    pass: &Pass<'_, T, L>,
    tangent: &mut Tangent<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let blocks = features.len() / (sizes.channels * sizes.features);
    let size = blocks * sizes.block();
    for turn in 0..=sizes.activated() {
        let at = order(sizes, turn);
        let is_output = at == sizes.activated();
        let (output, rows) = match is_output {
            true => (&mut tangent.output[..blocks * sizes.output()], sizes.outputs),
            false => (&mut tangent.z[..size], sizes.width),
        };
        // What the layer multiplies, and of how many lanes a channel is made.
        let (input, columns) = match turn.checked_sub(sizes.encoders + 1) {
            Some(previous) => {
                multiply(simd, &weights.layers[at].weight, &tangent.h[..size], output);
                (&pass.passed_on(sizes, previous)[..size], sizes.width)
            }
            None => {
                output.fill([T::ZERO; L]);
                (features, sizes.features)
            }
        };
        direction.layers[at].add_product(simd, columns, input, output);
        for block in output.chunks_exact_mut(sizes.channels * rows) {
            add_constants(simd, &direction.layers[at].bias, block);
        }
        if !is_output {
            activate(sizes, weights, direction, at, blocks, pass, tangent, room);
            if sizes.encoders > 0 {
                gate_along(sizes, at, blocks, pass, tangent, room);
            }
        }
    }
}

/// h' = sigma'(z) z' + (d sigma / d coefficients)(z) . direction, as series.
#[inline(always)]
fn activate<T: Real, const L: usize>(
    sizes: &Sizes,
    weights: &Weights<T>,
    direction: &Direction<T>,
    layer: usize,
    blocks: usize,
    pass: &Pass<'_, T, L>,
    tangent: &mut Tangent<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let (width, size) = (sizes.width, sizes.block());
    let (at, along) = (&weights.rational[layer], &direction.rational[layer]);
    let still = sizes.activation != Activation::Rational || along.iter().all(|c| *c == T::ZERO);
    let count = usize::from(sizes.jets.order()) + 1;
    for block in 0..blocks {
        let first = (layer * sizes.blocks + block) * size;
        let (z, slope) = (&pass.z[first..first + size], &pass.slope[first..first + size]);
        let z_along = &tangent.z[block * size..(block + 1) * size];
        let h = &mut tangent.h[block * size..(block + 1) * size];
        h.fill([T::ZERO; L]);
        for t in sizes.jets.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            accumulate(&slope[b..b + width], &z_along[a..a + width], &mut h[c..c + width]);
        }
        if still {
            continue;
        }
        for j in 0..width {
            let s = rational_change(at, along, &z[j], count);
            for k in 0..count {
                room.series[k * width + j] = s[k];
            }
        }
        let series = &*room.series;
        h.iter_mut().zip(&series[..width]).for_each(|(h, s)| *h = add(*h, *s));
        powers(
            &sizes.jets,
            width,
            z,
            room.power,
            #[inline(always)]
            |m, power| add_power(width, T::ONE, &series[m * width..], power, h),
        );
    }
}
