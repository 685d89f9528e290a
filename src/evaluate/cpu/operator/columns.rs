//! The derivatives by every parameter, in the order of the parameter vector.

use faer::ColMut;

use super::layers::Layers;
use super::passes::{Buffers, Sizes};
use crate::problem::Activation;
use crate::scalar::Real;

/// The most blocks of a tile.
const MAX_BLOCKS: usize = 8;

/// Where a parameter's derivatives go; asked for one parameter after another.
pub trait Sink<T, const L: usize> {
    /// The next parameter's derivatives: lanes of each block of the tile.
    fn next(&mut self, lanes: &[[T; L]]);
}

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
    embedding(sizes, layers, features, blocks, buffers, sink);
    for layer in 1..sizes.layers {
        let (h, z_bar) = (buffers.h::<L>(layer - 1), buffers.z_bar::<L>(layer));
        let group = |block: usize, c: usize| (block * sizes.channels + c) * sizes.width;
        for row in 0..sizes.width {
            for column in 0..sizes.width {
                let entry = |block: usize| {
                    contract(sizes.channels, |c| {
                        (&z_bar[group(block, c) + row], &h[group(block, c) + column])
                    })
                };
                emit(blocks, entry, sink);
            }
        }
        biases(sizes, layer, blocks, buffers, sink);
    }
    let h = buffers.h::<L>(sizes.layers - 1);
    for column in 0..sizes.width {
        let entry = |block: usize| {
            contract(sizes.channels, |c| {
                let group = block * sizes.channels + c;
                (&seed[group], &h[group * sizes.width + column])
            })
        };
        emit(blocks, entry, sink);
    }
    emit(blocks, |block| seed[block * sizes.channels], sink);
    if sizes.activation == Activation::Rational {
        coefficients(sizes, blocks, buffers, sink);
    }
}

#[inline(always)]
fn emit<T: Real, const L: usize>(
    blocks: usize,
    entry: impl Fn(usize) -> [T; L],
    sink: &mut impl Sink<T, L>,
) {
    let mut lanes = [[T::ZERO; L]; MAX_BLOCKS];
    for (block, lanes) in lanes[..blocks].iter_mut().enumerate() {
        *lanes = entry(block);
    }
    sink.next(&lanes[..blocks]);
}

/// The sum over channels of the products of pairs.
#[inline(always)]
fn contract<'a, T: Real, const L: usize>(
    channels: usize,
    pair: impl Fn(usize) -> (&'a [T; L], &'a [T; L]),
) -> [T; L] {
    let mut sum = [T::ZERO; L];
    for c in 0..channels {
        let (a, b) = pair(c);
        for l in 0..L {
            sum[l] = a[l].fma(b[l], sum[l]);
        }
    }
    sum
}

#[inline(always)]
fn biases<T: Real, const L: usize>(
    sizes: &Sizes,
    layer: usize,
    blocks: usize,
    buffers: &Buffers<T>,
    sink: &mut impl Sink<T, L>,
) {
    let z_bar = buffers.z_bar::<L>(layer);
    for row in 0..sizes.width {
        emit(blocks, |block| z_bar[block * sizes.channels * sizes.width + row], sink);
    }
}

/// Amplitudes, phases and shifts of the periodic coordinates, slopes of the linear ones, offsets.
#[inline(always)]
fn embedding<T: Real, const L: usize>(
    sizes: &Sizes,
    layers: &Layers<T>,
    features: &[[T; L]],
    blocks: usize,
    buffers: &Buffers<T>,
    sink: &mut impl Sink<T, L>,
) {
    let z_bar = buffers.z_bar::<L>(0);
    let by_weight = |block: usize, unit: usize, feature: usize| {
        contract(sizes.channels, |c| {
            let group = block * sizes.channels + c;
            (&z_bar[group * sizes.width + unit], &features[group * sizes.features + feature])
        })
    };
    let waves = &layers.waves;
    let periodic = waves.amplitude.len() / sizes.width;
    // The weights of cosine and sine are a cos(phi) and -a sin(phi).
    let rotated = |k: usize, block: usize, by_cosine: T, by_sine: T| -> [T; L] {
        let (unit, coordinate) = (k / periodic, k % periodic);
        let cosine = by_weight(block, unit, 2 * coordinate);
        let sine = by_weight(block, unit, 2 * coordinate + 1);
        std::array::from_fn(|l| by_cosine * cosine[l] + by_sine * sine[l])
    };
    for k in 0..waves.amplitude.len() {
        emit(blocks, |block| rotated(k, block, waves.cosine[k], -waves.sine[k]), sink);
    }
    for k in 0..waves.amplitude.len() {
        let a = waves.amplitude[k];
        emit(blocks, |block| rotated(k, block, -a * waves.sine[k], -a * waves.cosine[k]), sink);
    }
    for k in 0..waves.amplitude.len() {
        let unit = k / periodic;
        emit(blocks, |block| z_bar[block * sizes.channels * sizes.width + unit], sink);
    }
    if sizes.features > 2 * periodic {
        for unit in 0..sizes.width {
            for feature in 2 * periodic..sizes.features {
                emit(blocks, |block| by_weight(block, unit, feature), sink);
            }
        }
        biases(sizes, 0, blocks, buffers, sink);
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
            let lanes = buffers.coefficient::<L>(layer, which);
            emit(blocks, |block| lanes[block], sink);
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
            store(to, from, self.add);
        }
        if let Some(from) = lanes.get(whole.len()) {
            store(rest, from, self.add);
        }
    }
}

#[inline(always)]
fn store<T: Real>(to: &mut [f64], from: &[T], add: bool) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = if add { *to + from.to_f64() } else { from.to_f64() };
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
