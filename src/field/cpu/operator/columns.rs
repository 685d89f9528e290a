//! The derivatives by every parameter, in the order of the parameter vector.

use faer::ColMut;

use super::buffers::{Buffers, Sizes};
use super::layers::{Layers, Waves};
use crate::cpu::lanes::fma;
use crate::problem::Activation;
use crate::scalar::Real;

/// The most blocks of a tile.
const MAX_BLOCKS: usize = 8;

/// Where a parameter's derivatives go; asked for one parameter after another.
pub trait Sink<T, const L: usize> {
    /// The next parameter's derivatives: lanes of each block of the tile.
    fn next(&mut self, lanes: &[[T; L]]);
}

// Loops, not closures: a closure that the compiler does not inline loses the instruction set.

/// Hands every parameter's derivatives to the sink, after a sweep back of `seed`.
#[inline(always)]
pub fn columns<T: Real, const L: usize>(
    sizes: &Sizes,
    layers: &Layers<T>,
    features: &[[T; L]],
    seed: &[[T; L]],
    buffers: &Buffers<T>,
    sink: &mut impl Sink<T, L>,
) {
    let blocks = seed.len() / sizes.channels;
    let (channels, width) = (sizes.channels, sizes.width);
    let mut room = [[T::ZERO; L]; MAX_BLOCKS];
    let lanes = &mut room[..blocks];
    embedding(sizes, &layers.waves[0], features, buffers.z_bar(0), lanes, sink);
    for (encoder, waves) in layers.waves[1..].iter().enumerate() {
        let z_bar = buffers.z_bar(sizes.layers + encoder);
        embedding(sizes, waves, features, z_bar, lanes, sink);
    }
    for layer in 1..sizes.layers {
        let (h, z_bar) = (buffers.passed_on::<L>(layer - 1), buffers.z_bar::<L>(layer));
        for row in 0..width {
            for column in 0..width {
                contract(channels, (&z_bar[row..], width), (&h[column..], width), lanes);
                sink.next(lanes);
            }
        }
        biases(sizes, z_bar, lanes, sink);
    }
    let h = buffers.passed_on::<L>(sizes.layers - 1);
    for column in 0..width {
        contract(channels, (seed, 1), (&h[column..], width), lanes);
        sink.next(lanes);
    }
    for (block, to) in lanes.iter_mut().enumerate() {
        *to = seed[block * channels];
    }
    sink.next(lanes);
    if sizes.activation == Activation::Rational {
        coefficients(sizes, blocks, buffers, sink);
    }
}

/// Per block the sum over channels of `a b`; each comes with the distance from one channel to the
/// next.
#[inline(always)]
fn contract<T: Real, const L: usize>(
    channels: usize,
    (a, step_a): (&[[T; L]], usize),
    (b, step_b): (&[[T; L]], usize),
    to: &mut [[T; L]],
) {
    for (block, to) in to.iter_mut().enumerate() {
        let mut sum = [T::ZERO; L];
        for group in block * channels..(block + 1) * channels {
            sum = fma(a[group * step_a], b[group * step_b], sum);
        }
        *to = sum;
    }
}

/// The derivatives by what is added to the values of the units.
#[inline(always)]
fn biases<T: Real, const L: usize>(
    sizes: &Sizes,
    z_bar: &[[T; L]],
    lanes: &mut [[T; L]],
    sink: &mut impl Sink<T, L>,
) {
    for unit in 0..sizes.width {
        bias(sizes, z_bar, unit, lanes);
        sink.next(lanes);
    }
}

#[inline(always)]
fn bias<T: Real, const L: usize>(
    sizes: &Sizes,
    z_bar: &[[T; L]],
    unit: usize,
    lanes: &mut [[T; L]],
) {
    for (block, to) in lanes.iter_mut().enumerate() {
        *to = z_bar[block * sizes.channels * sizes.width + unit];
    }
}

/// Amplitudes, phases and shifts of the periodic coordinates, slopes of the linear ones, offsets:
/// of the embedding or of an encoder, with the adjoints of its units.
#[inline(always)]
fn embedding<T: Real, const L: usize>(
    sizes: &Sizes,
    waves: &Waves<T>,
    features: &[[T; L]],
    z_bar: &[[T; L]],
    lanes: &mut [[T; L]],
    sink: &mut impl Sink<T, L>,
) {
    let count = waves.amplitude.len();
    let periodic = count / sizes.width;
    for k in 0..count {
        wave(sizes, features, z_bar, (k, periodic), [waves.cosine[k], -waves.sine[k]], lanes);
        sink.next(lanes);
    }
    for k in 0..count {
        let a = waves.amplitude[k];
        wave(
            sizes,
            features,
            z_bar,
            (k, periodic),
            [-a * waves.sine[k], -a * waves.cosine[k]],
            lanes,
        );
        sink.next(lanes);
    }
    for k in 0..count {
        bias(sizes, z_bar, k / periodic, lanes);
        sink.next(lanes);
    }
    if sizes.features > 2 * periodic {
        for unit in 0..sizes.width {
            for feature in 2 * periodic..sizes.features {
                let by_unit = (&z_bar[unit..], sizes.width);
                contract(sizes.channels, by_unit, (&features[feature..], sizes.features), lanes);
                sink.next(lanes);
            }
        }
        biases(sizes, z_bar, lanes, sink);
    }
}

/// Derivatives by the weights `a cos(phi)` and `-a sin(phi)` of cosine and sine of wave `k`,
/// combined with `factors`.
#[inline(always)]
fn wave<T: Real, const L: usize>(
    sizes: &Sizes,
    features: &[[T; L]],
    z_bar: &[[T; L]],
    (k, periodic): (usize, usize),
    factors: [T; 2],
    lanes: &mut [[T; L]],
) {
    let (unit, feature) = (k / periodic, 2 * (k % periodic));
    let mut by_sine = [[T::ZERO; L]; MAX_BLOCKS];
    let by_sine = &mut by_sine[..lanes.len()];
    let by_unit = (&z_bar[unit..], sizes.width);
    contract(sizes.channels, by_unit, (&features[feature..], sizes.features), lanes);
    contract(sizes.channels, by_unit, (&features[feature + 1..], sizes.features), by_sine);
    for (cosine, sine) in lanes.iter_mut().zip(by_sine) {
        for l in 0..L {
            cosine[l] = factors[0] * cosine[l] + factors[1] * sine[l];
        }
    }
}

#[inline(always)]
fn coefficients<T: Real, const L: usize>(
    sizes: &Sizes,
    blocks: usize,
    buffers: &Buffers<T>,
    sink: &mut impl Sink<T, L>,
) {
    for layer in 0..sizes.layers {
        for which in 0..crate::network::RATIONAL_COEFFICIENTS {
            sink.next(&buffers.coefficient::<L>(layer, which)[..blocks]);
        }
    }
}

/// Rows of J from `first` on, `valid` of them, column by column.
pub struct Rows<C> {
    pub columns: C,
    pub first: usize,
    pub valid: usize,
    /// Whether entries are added to what is there.
    pub add: bool,
}

impl<'a, T: Real, C, const L: usize> Sink<T, L> for Rows<C>
where
    C: Iterator<Item = ColMut<'a, f64>>,
{
    #[inline(always)]
    fn next(&mut self, lanes: &[[T; L]]) {
        let column = self.columns.next().expect("as many columns as parameters");
        let column = column.try_as_col_major_mut().expect("contiguous columns").as_slice_mut();
        let column = &mut column[self.first..self.first + self.valid];
        let (whole, rest) = column.as_chunks_mut::<L>();
        for (to, from) in whole.iter_mut().zip(lanes) {
            let old = if self.add { *to } else { [0.0; L] };
            for l in 0..L {
                to[l] = old[l] + from[l].to_f64();
            }
        }
        if let Some(from) = lanes.get(whole.len()) {
            for (to, from) in rest.iter_mut().zip(from) {
                *to = if self.add { *to } else { 0.0 } + from.to_f64();
            }
        }
    }
}

/// Adds the sums over all lanes.
pub struct Sum<'a> {
    pub out: std::slice::IterMut<'a, f64>,
}

impl<T: Real, const L: usize> Sink<T, L> for Sum<'_> {
    #[inline(always)]
    fn next(&mut self, lanes: &[[T; L]]) {
        let mut sum = 0.0;
        for lane in lanes.as_flattened() {
            sum += lane.to_f64();
        }
        *self.out.next().expect("as many entries as parameters") += sum;
    }
}
