//! The reverse sweep over the jet's channels, and the Jacobian entries that follow from it.

use super::activation::{MAX_COEFFICIENTS, rational_sensitivities};
use super::block::{Features, Scratch, Shape};
use super::forward::{channels_along, cosine_coefficient, multiply};
use super::weights::Weights;
use crate::network::{Network, RATIONAL_COEFFICIENTS, Site};
use crate::scalar::Real;

/// Fills `z_bar` and `h_bar` of every layer with the derivatives of sum_c seed_c N_c by z and h,
/// where N_c is the network's Taylor coefficient of channel c.
#[inline(always)]
pub fn backward<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    seed: &[[T; L]],
    scratch: &mut Scratch<T, L>,
) {
    let (width, size) = (shape.width, shape.adjoint.len() * shape.width);
    let output = &weights.layers[shape.hidden].weight;
    for (c, s) in seed.iter().enumerate() {
        let start = shape.hidden * size + c * width;
        for (to, &w) in scratch.h_bar[start..start + width].iter_mut().zip(output) {
            for l in 0..L {
                to[l] = w * s[l];
            }
        }
    }
    for layer in (0..=shape.hidden).rev() {
        through_activation(shape, layer, scratch);
        if layer > 0 {
            for c in 0..shape.adjoint.len() {
                let at = layer * size + c * width;
                let z_bar = &scratch.z_bar[at..at + width];
                let h_bar = &mut scratch.h_bar[at - size..at - size + width];
                multiply(&weights.layers[layer - 1].transposed, z_bar, h_bar);
            }
        }
    }
}

/// z_bar_a = sum over (a, b) -> c of slope_b h_bar_c.
#[inline(always)]
fn through_activation<T: Real, const L: usize>(
    shape: &Shape,
    layer: usize,
    scratch: &mut Scratch<T, L>,
) {
    let (width, size) = (shape.width, shape.adjoint.len() * shape.width);
    let slope = &scratch.slope[layer * shape.slopes * width..];
    let h_bar = &scratch.h_bar[layer * size..(layer + 1) * size];
    let z_bar = &mut scratch.z_bar[layer * size..(layer + 1) * size];
    z_bar.fill([T::ZERO; L]);
    for t in shape.adjoint.products() {
        let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
        let (slope, h_bar) = (&slope[b..b + width], &h_bar[c..c + width]);
        let z_bar = &mut z_bar[a..a + width];
        for j in 0..width {
            for l in 0..L {
                z_bar[j][l] = slope[j][l].fma(h_bar[j][l], z_bar[j][l]);
            }
        }
    }
}

/// Where a column's entry comes from, resolved once per set of columns.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    Amplitude { part: usize, unit: usize },
    Phase { part: usize, unit: usize },
    Shift { unit: usize },
    Slope { part: usize, unit: usize },
    Weight { layer: usize, row: usize, column: usize },
    OutputWeight { column: usize },
    Bias { layer: usize, row: usize },
    OutputBias,
    Activation { layer: usize, coefficient: usize },
}

/// The chosen columns of the Jacobian, resolved.
pub struct ColumnPlan {
    pub sources: Vec<Source>,
    /// Per activated layer: does any column differentiate by the activation's coefficients?
    pub activations: Vec<bool>,
}

impl ColumnPlan {
    pub fn new(network: &Network, columns: &[u32]) -> Self {
        let mut activations = vec![false; network.activated_layers()];
        let kind_position = |input: usize| {
            let periodic =
                |k: &usize| matches!(network.inputs()[*k], crate::network::Input::Periodic { .. });
            (0..input).filter(|k| periodic(k) == periodic(&input)).count()
        };
        let last = network.hidden_layers() + 1;
        let resolve = |&column: &u32| match network.layout().site(column as usize) {
            Site::Amplitude { unit, input } => {
                Source::Amplitude { part: kind_position(input), unit }
            }
            Site::Phase { unit, input } => Source::Phase { part: kind_position(input), unit },
            Site::Shift { unit, .. } | Site::Offset { unit } => Source::Shift { unit },
            Site::Slope { unit, input } => Source::Slope { part: kind_position(input), unit },
            Site::Weight { layer, column, .. } if layer == last => Source::OutputWeight { column },
            Site::Weight { layer, row, column } => Source::Weight { layer, row, column },
            Site::Bias { layer, .. } if layer == last => Source::OutputBias,
            Site::Bias { layer, row } => Source::Bias { layer, row },
            Site::Activation { layer, coefficient } => Source::Activation { layer, coefficient },
        };
        let sources: Vec<Source> = columns.iter().map(resolve).collect();
        for source in &sources {
            if let Source::Activation { layer, .. } = source {
                activations[*layer] = true;
            }
        }
        Self { sources, activations }
    }
}

/// Derivatives by the activations' coefficients, per layer, filled where the plan asks for them.
pub type Coefficients<T, const L: usize> = Vec<[[T; L]; RATIONAL_COEFFICIENTS]>;

#[inline(always)]
pub fn coefficient_columns<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    plan: &ColumnPlan,
    scratch: &Scratch<T, L>,
    out: &mut Coefficients<T, L>,
) {
    out.resize(shape.hidden + 1, [[T::ZERO; L]; RATIONAL_COEFFICIENTS]);
    for (layer, sums) in out.iter_mut().enumerate() {
        if plan.activations[layer] {
            *sums = layer_coefficients(shape, weights, layer, scratch);
        }
    }
}

/// sum over units and channels of h_bar times the composed sensitivity series.
#[inline(always)]
fn layer_coefficients<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    layer: usize,
    scratch: &Scratch<T, L>,
) -> [[T; L]; RATIONAL_COEFFICIENTS] {
    let (width, channels) = (shape.width, shape.adjoint.len());
    let order = usize::from(shape.adjoint.order());
    let z = &scratch.z[layer * shape.layer()..];
    let h_bar = &scratch.h_bar[layer * channels * width..];
    let mut sums = [[T::ZERO; L]; RATIONAL_COEFFICIENTS];
    for j in 0..width {
        let count = (order + 1).min(MAX_COEFFICIENTS);
        let series = rational_sensitivities(&weights.rational[layer], &z[j], count);
        // powers[c] holds channel c of the current power of the series z - z_0.
        let mut adjoint_power = [[T::ZERO; L]; MAX_COEFFICIENTS];
        adjoint_power[0] = h_bar[j];
        contract_powers(shape, j, z, h_bar, &mut adjoint_power);
        for (sum, s) in sums.iter_mut().zip(&series) {
            for m in 0..count {
                for l in 0..L {
                    sum[l] = s[m][l].fma(adjoint_power[m][l], sum[l]);
                }
            }
        }
    }
    sums
}

/// `out[m] = sum_c h_bar_c (h^m)_c` for m >= 1, h the series without its constant.
#[inline(always)]
fn contract_powers<T: Real, const L: usize>(
    shape: &Shape,
    unit: usize,
    z: &[[T; L]],
    h_bar: &[[T; L]],
    out: &mut [[T; L]; MAX_COEFFICIENTS],
) {
    let (width, channels) = (shape.width, shape.adjoint.len());
    if channels == 1 {
        return;
    }
    let mut power: Vec<[T; L]> = (0..channels).map(|c| z[c * width + unit]).collect();
    power[0] = [T::ZERO; L];
    let mut next = power.clone();
    for m in 1..=usize::from(shape.adjoint.order()) {
        if m > 1 {
            next.fill([T::ZERO; L]);
            for t in &shape.adjoint.powers()[m - 2] {
                let (a, b) = (t.a as usize, t.b as usize);
                for l in 0..L {
                    let product = power[a][l] * z[b * width + unit][l];
                    next[t.c as usize][l] += product;
                }
            }
            std::mem::swap(&mut power, &mut next);
        }
        for c in 1..channels {
            for l in 0..L {
                out[m][l] = h_bar[c * width + unit][l].fma(power[c][l], out[m][l]);
            }
        }
    }
}

/// The entries of one column for the block's points.
#[inline(always)]
pub fn entry<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    features: &Features<'_, T, L>,
    scratch: &Scratch<T, L>,
    coefficients: &Coefficients<T, L>,
    seed: &[[T; L]],
    source: Source,
) -> [T; L] {
    let (width, channels) = (shape.width, shape.adjoint.len());
    let size = channels * width;
    let z_bar =
        |layer: usize, c: usize, unit: usize| &scratch.z_bar[layer * size + c * width + unit];
    match source {
        Source::Weight { layer, row, column } => {
            let h = &scratch.h[(layer - 1) * shape.layer()..];
            let mut sum = [T::ZERO; L];
            for c in 0..channels {
                let (left, right) = (z_bar(layer, c, row), &h[c * width + column]);
                for l in 0..L {
                    sum[l] = left[l].fma(right[l], sum[l]);
                }
            }
            sum
        }
        Source::OutputWeight { column } => {
            let h = &scratch.h[shape.hidden * shape.layer()..];
            let mut sum = [T::ZERO; L];
            for (c, s) in seed.iter().enumerate() {
                for l in 0..L {
                    sum[l] = s[l].fma(h[c * width + column][l], sum[l]);
                }
            }
            sum
        }
        Source::Bias { layer, row } => *z_bar(layer, 0, row),
        Source::OutputBias => seed[0],
        Source::Activation { layer, coefficient } => coefficients[layer][coefficient],
        Source::Shift { unit } => *z_bar(0, 0, unit),
        Source::Amplitude { .. } | Source::Phase { .. } | Source::Slope { .. } => {
            embedding_entry(shape, weights, features, scratch, source)
        }
    }
}

#[inline(always)]
fn embedding_entry<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    features: &Features<'_, T, L>,
    scratch: &Scratch<T, L>,
    source: Source,
) -> [T; L] {
    let width = shape.width;
    let mut sum = [T::ZERO; L];
    let swept = shape.adjoint.len();
    match source {
        Source::Amplitude { part: k, unit } | Source::Phase { part: k, unit } => {
            let part = &weights.periodic[k];
            let (cosine, sine) = features.periodic(k);
            let (pc, ps) = (part.phase_cosine[unit], part.phase_sine[unit]);
            // d/d phase turns cos into -sin, sin into cos, times the amplitude.
            let by_phase = matches!(source, Source::Phase { .. });
            for (c, order) in channels_along(shape, part.input).filter(|&(c, _)| c < swept) {
                let (factor, use_sine) = cosine_coefficient(part.frequency, order);
                let sign = if by_phase && !use_sine { -1.0 } else { 1.0 };
                let mut factor = T::of(sign * factor);
                if by_phase {
                    factor *= part.amplitude[unit];
                }
                for l in 0..L {
                    let wave = if use_sine == by_phase {
                        cosine[l] * pc - sine[l] * ps
                    } else {
                        sine[l] * pc + cosine[l] * ps
                    };
                    sum[l] += factor * wave * scratch.z_bar[c * width + unit][l];
                }
            }
        }
        Source::Slope { part: k, unit } => {
            let (part, scaled) = (&weights.linear[k], features.linear(k));
            for l in 0..L {
                sum[l] = scaled[l] * scratch.z_bar[unit][l];
            }
            for (c, order) in channels_along(shape, part.input).filter(|&(c, _)| c < swept) {
                if order == 1 {
                    for l in 0..L {
                        sum[l] += T::of(part.scale) * scratch.z_bar[c * width + unit][l];
                    }
                }
            }
        }
        _ => unreachable!("only the embedding's parameters come here"),
    }
    sum
}
