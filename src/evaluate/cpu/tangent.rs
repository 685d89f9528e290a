//! Directional derivatives: the jet of d/d eps u(theta + eps direction), one sweep forward.

use pulp::Simd;

use super::activation::{Taylor, rational_change};
use super::block::{Features, Pass, Shape};
use super::forward::{channels_along, cosine_coefficient, powers};
use super::product::multiply;
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

    /// `output += W' input + b'`, the bias in the value alone.
    #[inline(always)]
    fn add_product<const L: usize>(&self, input: &[[T; L]], output: &mut [[T; L]], width: usize) {
        let rows = self.ends.len();
        for (c, (input, output)) in
            input.chunks_exact(width).zip(output.chunks_exact_mut(rows)).enumerate()
        {
            let mut start = 0;
            for ((&end, to), &bias) in self.ends.iter().zip(output).zip(&self.bias) {
                let mut sum = [if c == 0 { bias } else { T::ZERO }; L];
                for &(column, w) in &self.entries[start..end] {
                    let x = &input[column];
                    for l in 0..L {
                        sum[l] = w.fma(x[l], sum[l]);
                    }
                }
                for l in 0..L {
                    to[l] += sum[l];
                }
                start = end;
            }
        }
    }
}

/// The buffers of a tangent sweep: z' and h' of one layer, two powers of a unit's series, and the
/// tangent's jet.
pub struct Tangent<'a, T, const L: usize> {
    z: &'a mut [[T; L]],
    h: &'a mut [[T; L]],
    power: &'a mut [[T; L]],
    pub output: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Tangent<'a, T, L> {
    pub fn lanes(shape: &Shape) -> usize {
        2 * shape.layer() + 3 * shape.channels
    }

    #[inline(always)]
    pub fn of(shape: &Shape, lanes: &'a mut [[T; L]]) -> Self {
        let (z, rest) = lanes.split_at_mut(shape.layer());
        let (h, rest) = rest.split_at_mut(shape.layer());
        let (power, output) = rest.split_at_mut(2 * shape.channels);
        Self { z, h, power, output }
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
        direction.layers[layer].add_product(h, to, shape.width);
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
        for j in 0..width {
            let (pc, ps) = (at.phase_cosine[j], at.phase_sine[j]);
            let turn = at.amplitude[j] * along.phase[j];
            // d/d eps of a cos + b sin-type pairs: the wave and its quarter turn.
            let mut wave = [[T::ZERO; L]; 2];
            for l in 0..L {
                let cos = cosine[l] * pc - sine[l] * ps;
                let sin = sine[l] * pc + cosine[l] * ps;
                wave[0][l] = along.amplitude[j] * cos - turn * sin;
                wave[1][l] = along.amplitude[j] * sin + turn * cos;
                z[j][l] += along.shift[j];
            }
            for (c, order) in channels_along(shape, at.input) {
                let (factor, use_sine) = cosine_coefficient(at.frequency, order);
                let (factor, wave) = (T::of(factor), &wave[usize::from(use_sine)]);
                for l in 0..L {
                    z[c * width + j][l] += factor * wave[l];
                }
            }
        }
    }
    for (k, (at, along)) in weights.linear.iter().zip(&direction.linear).enumerate() {
        let scaled = features.linear(k);
        for j in 0..width {
            for l in 0..L {
                z[j][l] += along.slope[j] * scaled[l];
            }
            for (c, order) in channels_along(shape, at.input).filter(|&(_, order)| order == 1) {
                debug_assert_eq!(order, 1);
                for l in 0..L {
                    z[c * width + j][l] += along.slope[j] * T::of(at.scale);
                }
            }
        }
    }
    for (to, &c) in z[..width].iter_mut().zip(&direction.offset) {
        for l in 0..L {
            to[l] += c;
        }
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
        for j in 0..width {
            for l in 0..L {
                h[j][l] = slope[j][l].fma(z[j][l], h[j][l]);
            }
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
        let h = &mut *tangent.h;
        for l in 0..L {
            h[j][l] += s[0][l];
        }
        powers(
            &shape.jets,
            width,
            j,
            z,
            tangent.power,
            #[inline(always)]
            |m, power| {
                for (c, power) in power.iter().enumerate().skip(1) {
                    let to = &mut h[c * width + j];
                    for l in 0..L {
                        to[l] = s[m][l].fma(power[l], to[l]);
                    }
                }
            },
        );
    }
}
