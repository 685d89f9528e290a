//! The reverse sweep over the jet's channels, and the Jacobian entries that follow from it.

use pulp::Simd;

use super::activation::{Rational, rational_sensitivities};
use super::block::{Adjoint, Features, Pass, Shape};
use super::forward::{channels_along, cosine_coefficient, powers};
use super::lanes::{add, fma, scale, turn};
use super::product::multiply;
use super::weights::{Linear, Packed, Weights};
use crate::network::{Network, RATIONAL_COEFFICIENTS, Site};
use crate::scalar::Real;

/// Fills `adjoint` with the derivatives of sum_c seed_c N_c by z and h of every layer, where N_c is
/// the network's Taylor coefficient of channel c.
#[inline(always)]
pub fn backward<S: Simd, T: Real, const L: usize>(
    simd: S,
    shape: &Shape,
    weights: &Weights<T>,
    transposed: &[Packed<T>],
    seed: &[[T; L]],
    pass: &Pass<'_, T, L>,
    adjoint: &mut Adjoint<'_, T, L>,
) {
    let (width, size) = (shape.width, shape.adjoint.len() * shape.width);
    let output = &weights.layers[shape.hidden].entries;
    for (c, s) in seed.iter().enumerate() {
        let start = shape.hidden * size + c * width;
        for (to, &w) in adjoint.h_bar[start..start + width].iter_mut().zip(output) {
            *to = scale(w, *s);
        }
    }
    for layer in (0..=shape.hidden).rev() {
        through_activation(shape, layer, pass, adjoint);
        if layer > 0 {
            let at = layer * size;
            let h_bar = &mut adjoint.h_bar[at - size..at];
            multiply(simd, &transposed[layer - 1], &adjoint.z_bar[at..at + size], h_bar);
        }
    }
}

/// z_bar_a = sum over (a, b) -> c of slope_b h_bar_c.
#[inline(always)]
fn through_activation<T: Real, const L: usize>(
    shape: &Shape,
    layer: usize,
    pass: &Pass<'_, T, L>,
    adjoint: &mut Adjoint<'_, T, L>,
) {
    let (width, size) = (shape.width, shape.adjoint.len() * shape.width);
    let slope = &pass.slope[layer * shape.slopes * width..];
    let h_bar = &adjoint.h_bar[layer * size..(layer + 1) * size];
    let z_bar = &mut adjoint.z_bar[layer * size..(layer + 1) * size];
    z_bar.fill([T::ZERO; L]);
    for t in shape.adjoint.products() {
        let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
        let (slope, h_bar) = (&slope[b..b + width], &h_bar[c..c + width]);
        let z_bar = &mut z_bar[a..a + width];
        for (z_bar, (slope, h_bar)) in z_bar.iter_mut().zip(slope.iter().zip(h_bar)) {
            *z_bar = fma(*slope, *h_bar, *z_bar);
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
pub struct ColumnPlan<T> {
    pub sources: Vec<Source>,
    /// The hidden layers' transposed weights.
    pub transposed: Vec<Packed<T>>,
    /// Per activated layer: does any column differentiate by the activation's coefficients?
    pub activations: Vec<bool>,
}

impl<T: Real> ColumnPlan<T> {
    pub fn new(network: &Network, weights: &Weights<T>, columns: &[u32]) -> Self {
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
            Site::Feature { .. } | Site::Encoder { .. } => {
                unreachable!("networks of one instant have none")
            }
        };
        let sources: Vec<Source> = columns.iter().map(resolve).collect();
        for source in &sources {
            if let Source::Activation { layer, .. } = source {
                activations[*layer] = true;
            }
        }
        let hidden = &weights.layers[..network.hidden_layers()];
        Self { sources, transposed: hidden.iter().map(Linear::transposed).collect(), activations }
    }
}

/// Derivatives by the activations' coefficients, per layer, filled where the plan asks for them.
pub type Coefficients<T, const L: usize> = Vec<[[T; L]; RATIONAL_COEFFICIENTS]>;

#[inline(always)]
pub fn coefficient_columns<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    plan: &ColumnPlan<T>,
    pass: &Pass<'_, T, L>,
    h_bar: &[[T; L]],
    out: &mut Coefficients<T, L>,
) {
    out.resize(shape.hidden + 1, [[T::ZERO; L]; RATIONAL_COEFFICIENTS]);
    for (layer, sums) in out.iter_mut().enumerate() {
        if plan.activations[layer] {
            let rational = &weights.rational[layer];
            let z = &pass.z[layer * shape.layer()..(layer + 1) * shape.layer()];
            let h_bar = &h_bar[layer * shape.adjoint.len() * shape.width..];
            // A value's Jacobian needs one coefficient of the sensitivities' series.
            *sums = match shape.adjoint.order() {
                0 => layer_coefficients::<T, L, 1>(shape, rational, z, h_bar),
                1 => layer_coefficients::<T, L, 2>(shape, rational, z, h_bar),
                2 => layer_coefficients::<T, L, 3>(shape, rational, z, h_bar),
                3 => layer_coefficients::<T, L, 4>(shape, rational, z, h_bar),
                _ => layer_coefficients::<T, L, 5>(shape, rational, z, h_bar),
            };
        }
    }
}

/// sum over units and channels of h_bar times the composed sensitivity series: its first N
/// coefficients, for a sweep back of order N - 1.
#[inline(always)]
fn layer_coefficients<T: Real, const L: usize, const N: usize>(
    shape: &Shape,
    rational: &Rational<T>,
    z: &[[T; L]],
    h_bar: &[[T; L]],
) -> [[T; L]; RATIONAL_COEFFICIENTS] {
    debug_assert_eq!(usize::from(shape.adjoint.order()) + 1, N, "coefficients");
    let width = shape.width;
    let higher = contract::<T, L, N>(shape, z, h_bar);
    let mut sums = [[T::ZERO; L]; RATIONAL_COEFFICIENTS];
    for j in 0..width {
        let series = rational_sensitivities::<T, L, N>(rational, &z[j]);
        for (sum, s) in sums.iter_mut().zip(&series) {
            *sum = fma(s[0], h_bar[j], *sum);
            for m in 1..N {
                *sum = fma(s[m], higher[j][m], *sum);
            }
        }
    }
    sums
}

/// Per unit, entry m from 1 on: sum_c h_bar_c (h^m)_c, h the unit's series without its constant.
/// Nothing where the value alone is swept back.
#[inline(always)]
fn contract<T: Real, const L: usize, const N: usize>(
    shape: &Shape,
    z: &[[T; L]],
    h_bar: &[[T; L]],
) -> Vec<[[T; L]; N]> {
    let (width, size) = (shape.width, shape.adjoint.len() * shape.width);
    if N == 1 {
        return Vec::new();
    }
    let mut sums = vec![[[T::ZERO; L]; N]; width];
    let mut room = vec![[T::ZERO; L]; 2 * size];
    powers(
        &shape.adjoint,
        width,
        z,
        &mut room,
        #[inline(always)]
        |m, power| {
            let channels = power.chunks_exact(width).zip(h_bar.chunks_exact(width)).skip(1);
            for (power, h_bar) in channels {
                for ((sum, power), h_bar) in sums.iter_mut().zip(power).zip(h_bar) {
                    sum[m] = fma(*h_bar, *power, sum[m]);
                }
            }
        },
    );
    sums
}

/// What the entries of a block's columns are made of.
#[derive(Clone, Copy)]
pub struct Swept<'a, T, const L: usize> {
    pub features: &'a Features<'a, T, L>,
    pub pass: Pass<'a, T, L>,
    pub z_bar: &'a [[T; L]],
    pub coefficients: &'a Coefficients<T, L>,
    pub seed: &'a [[T; L]],
}

/// The entries of one column for the block's points.
#[inline(always)]
pub fn entry<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    swept: &Swept<'_, T, L>,
    source: Source,
) -> [T; L] {
    let (width, channels) = (shape.width, shape.adjoint.len());
    let size = channels * width;
    let z_bar = |layer: usize, c: usize, unit: usize| &swept.z_bar[layer * size + c * width + unit];
    match source {
        Source::Weight { layer, row, column } => {
            let h = &swept.pass.h[(layer - 1) * shape.layer()..];
            let mut sum = [T::ZERO; L];
            for c in 0..channels {
                sum = fma(*z_bar(layer, c, row), h[c * width + column], sum);
            }
            sum
        }
        Source::OutputWeight { column } => {
            let h = &swept.pass.h[shape.hidden * shape.layer()..];
            let mut sum = [T::ZERO; L];
            for (c, s) in swept.seed.iter().enumerate() {
                sum = fma(*s, h[c * width + column], sum);
            }
            sum
        }
        Source::Bias { layer, row } => *z_bar(layer, 0, row),
        Source::OutputBias => swept.seed[0],
        Source::Activation { layer, coefficient } => swept.coefficients[layer][coefficient],
        Source::Shift { unit } => *z_bar(0, 0, unit),
        Source::Amplitude { .. } | Source::Phase { .. } | Source::Slope { .. } => {
            embedding_entry(shape, weights, swept, source)
        }
    }
}

#[inline(always)]
fn embedding_entry<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    swept: &Swept<'_, T, L>,
    source: Source,
) -> [T; L] {
    let width = shape.width;
    let mut sum = [T::ZERO; L];
    let channels = shape.adjoint.len();
    match source {
        Source::Amplitude { part: k, unit } | Source::Phase { part: k, unit } => {
            let part = &weights.periodic[k];
            let (cosine, sine) = swept.features.periodic(k);
            let (pc, ps) = (part.phase_cosine[unit], part.phase_sine[unit]);
            // d/d phase turns cos into -sin, sin into cos, times the amplitude.
            let by_phase = matches!(source, Source::Phase { .. });
            for (c, order) in channels_along(shape, part.input).filter(|&(c, _)| c < channels) {
                let (factor, use_sine) = cosine_coefficient(part.frequency, order);
                let sign = if by_phase && !use_sine { -1.0 } else { 1.0 };
                let mut factor = T::of(sign * factor);
                if by_phase {
                    factor *= part.amplitude[unit];
                }
                let wave = if use_sine == by_phase {
                    turn(*cosine, *sine, pc, ps)
                } else {
                    turn(*sine, *cosine, pc, -ps)
                };
                sum = fma(scale(factor, wave), swept.z_bar[c * width + unit], sum);
            }
        }
        Source::Slope { part: k, unit } => {
            let (part, scaled) = (&weights.linear[k], swept.features.linear(k));
            sum = fma(*scaled, swept.z_bar[unit], sum);
            for (c, order) in channels_along(shape, part.input).filter(|&(c, _)| c < channels) {
                if order == 1 {
                    sum = add(sum, scale(T::of(part.scale), swept.z_bar[c * width + unit]));
                }
            }
        }
        _ => unreachable!("only the embedding's parameters come here"),
    }
    sum
}
