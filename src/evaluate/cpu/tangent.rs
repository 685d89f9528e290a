//! Directional derivatives: the jet of d/d eps u(theta + eps direction), one sweep forward.

use super::activation::{Taylor, rational_change};
use super::block::{Features, Scratch, Shape};
use super::forward::{channels_along, cosine_coefficient, multiply};
use super::weights::Weights;
use crate::problem::Activation;
use crate::scalar::Real;

/// Buffers of a tangent sweep.
pub struct Tangent<T, const L: usize> {
    z: Vec<[T; L]>,
    h: Vec<[T; L]>,
    power: Vec<[T; L]>,
    product: Vec<[T; L]>,
    /// The tangent's jet.
    pub output: Vec<[T; L]>,
}

impl<T: Real, const L: usize> Tangent<T, L> {
    pub fn new(shape: &Shape) -> Self {
        let zeros = |count: usize| vec![[T::ZERO; L]; count];
        Self {
            z: zeros(shape.layer()),
            h: zeros(shape.layer()),
            power: zeros(2 * shape.channels),
            product: zeros(shape.width),
            output: zeros(shape.channels),
        }
    }
}

/// Fills `tangent.output`; `scratch` holds the forward pass at theta with all slopes kept.
#[inline(always)]
pub fn tangent<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    direction: &Weights<T>,
    features: &Features<'_, T, L>,
    scratch: &Scratch<T, L>,
    tangent: &mut Tangent<T, L>,
) {
    let width = shape.width;
    embed(shape, weights, direction, features, &mut tangent.z);
    for layer in 0..=shape.hidden {
        activate(shape, weights, direction, layer, scratch, tangent);
        let (at, along) = (&weights.layers[layer], &direction.layers[layer]);
        let rows = at.rows;
        let h = &scratch.h[layer * shape.layer()..(layer + 1) * shape.layer()];
        let product = &mut tangent.product[..rows];
        for c in 0..shape.channels {
            let unit = c * width..(c + 1) * width;
            let to = if layer < shape.hidden {
                &mut tangent.z[c * rows..(c + 1) * rows]
            } else {
                &mut tangent.output[c..=c]
            };
            multiply(&at.weight, &tangent.h[unit.clone()], to);
            multiply(&along.weight, &h[unit], product);
            for (r, (to, from)) in to.iter_mut().zip(&*product).enumerate() {
                let bias = if c == 0 { along.bias[r] } else { T::ZERO };
                for l in 0..L {
                    to[l] += from[l] + bias;
                }
            }
        }
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
    scratch: &Scratch<T, L>,
    tangent: &mut Tangent<T, L>,
) {
    let width = shape.width;
    let slope = &scratch.slope[layer * shape.slopes * width..];
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
    if shape.activation == Activation::Rational {
        let z = &scratch.z[layer * shape.layer()..(layer + 1) * shape.layer()];
        let order = usize::from(shape.jets.order());
        let (at, along) = (&weights.rational[layer], &direction.rational[layer]);
        for j in 0..width {
            let s = rational_change(at, along, &z[j], order + 1);
            compose(shape, &s, j, z, &mut tangent.h, &mut tangent.power);
        }
    }
}

/// `out += sum_m s_m h^m` with h the unit's series without its constant.
#[inline(always)]
fn compose<T: Real, const L: usize>(
    shape: &Shape,
    s: &Taylor<T, L>,
    unit: usize,
    z: &[[T; L]],
    out: &mut [[T; L]],
    power: &mut [[T; L]],
) {
    let (width, channels) = (shape.width, shape.channels);
    let (mut previous, mut next) = power.split_at_mut(channels);
    previous[0] = [T::ZERO; L];
    for c in 1..channels {
        previous[c] = z[c * width + unit];
    }
    add_power(shape, &s[1], unit, previous, out);
    for (m, terms) in (2..).zip(shape.jets.powers()) {
        next.fill([T::ZERO; L]);
        for t in terms {
            let (a, b) = (&previous[t.a as usize], &z[t.b as usize * width + unit]);
            let to = &mut next[t.c as usize];
            for l in 0..L {
                to[l] = a[l].fma(b[l], to[l]);
            }
        }
        add_power(shape, &s[m], unit, next, out);
        std::mem::swap(&mut previous, &mut next);
    }
    for l in 0..L {
        out[unit][l] += s[0][l];
    }
}

/// `out += factor * power`, channel by channel.
#[inline(always)]
fn add_power<T: Real, const L: usize>(
    shape: &Shape,
    factor: &[T; L],
    unit: usize,
    power: &[[T; L]],
    out: &mut [[T; L]],
) {
    for c in 1..shape.channels {
        let (from, to) = (&power[c], &mut out[c * shape.width + unit]);
        for l in 0..L {
            to[l] = factor[l].fma(from[l], to[l]);
        }
    }
}
