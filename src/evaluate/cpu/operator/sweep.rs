//! The passes of an operator over a run of points, tile by tile.

use std::ops::Range;

use faer::MatMut;
use pulp::{Simd, WithSimd};

use super::columns::{Rows, Sum, columns};
use super::head::HeadScratch;
use super::layers::{Layers, feature_count};
use super::passes::{Buffers, Sizes, backward, forward};
use super::{Operator, Side, padded};
use crate::evaluate::program;
use crate::network::Network;
use crate::scalar::Real;

/// What a run leaves behind of the rows' derivatives by the parameters.
pub enum Rate<'a, 'm> {
    /// Nothing, and only the residuals; for an energy the weighted density, in the first slice.
    Density,
    /// Nothing; for an energy the rows of its factored form.
    None,
    /// Rows of J: one matrix of the run's points by p per expression, from expression `first` on.
    Rows { first: usize, matrices: &'a mut [MatMut<'m, f64>] },
    /// `sum_i w_i J_i`: the weights per expression and point, and where the sum is added.
    Sum { weights: &'a [&'a [f64]], out: &'a mut [f64] },
}

/// The work on one run of points. A type with `with_simd`, not a closure: a closure that the
/// compiler does not inline is compiled for the oldest processor, silently.
pub struct Run<'a, 'v, 'r, 'm, T> {
    operator: &'a Operator<T>,
    network: &'a Network,
    layers: &'a Layers<T>,
    range: Range<usize>,
    /// One slice per expression; none where the residuals are not wanted.
    values: &'a mut [&'v mut [f64]],
    rate: &'a mut Rate<'r, 'm>,
}

/// A precision that the kernels are compiled for.
pub trait Kernel: Real {
    /// Runs with the widest registers of this machine.
    fn dispatch(run: Run<'_, '_, '_, '_, Self>);
}

macro_rules! kernel {
    ($type:ident, $lanes:literal) => {
        impl WithSimd for Run<'_, '_, '_, '_, $type> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.tiles::<S, $lanes>(simd);
            }
        }

        impl Kernel for $type {
            fn dispatch(run: Run<'_, '_, '_, '_, Self>) {
                const { assert!(<$type as Real>::LANES == $lanes) };
                pulp::Arch::new().dispatch(run);
            }
        }
    };
}

kernel!(f32, 16);
kernel!(f64, 8);

impl<T: Kernel> Operator<T> {
    /// The residuals of the points in `range` (which begins at a multiple of the lanes) go to
    /// `values`, one slice per expression, and what `rate` asks for to where it says.
    pub fn run(
        &self,
        network: &Network,
        layers: &Layers<T>,
        range: Range<usize>,
        values: &mut [&mut [f64]],
        rate: &mut Rate<'_, '_>,
    ) {
        T::dispatch(Run { operator: self, network, layers, range, values, rate });
    }
}

/// The blocks of one tile on one side.
struct Tile<'a, T, const L: usize> {
    side: &'a Side<T>,
    /// Whether what is computed is added to the other side's.
    add: bool,
    start: usize,
    valid: usize,
    features: &'a [[T; L]],
}

impl<T: Real> Run<'_, '_, '_, '_, T> {
    #[inline(always)]
    fn tiles<S: Simd, const L: usize>(self, simd: S) {
        let Self { operator, network, layers, range, values, mut rate } = self;
        debug_assert!(range.start % L == 0, "runs begin at whole blocks");
        let back = matches!(rate, Rate::Rows { .. } | Rate::Sum { .. });
        let head = &operator.head;
        let sizes = Sizes::new(network, feature_count(network), head.jets(), back);
        let mut buffers = Buffers::<T>::new(&sizes);
        let mut scratch = HeadScratch::<T, L>::new(head);
        let groups = sizes.channels * sizes.blocks;
        let mut seeds = vec![[T::ZERO; L]; groups * head.rows()];
        for (number, side) in operator.sides.iter().enumerate() {
            for start in range.clone().step_by(sizes.blocks * L) {
                let valid = (range.end - start).min(sizes.blocks * L);
                let per_block = sizes.channels * sizes.features;
                let blocks = start / L..(start + valid).div_ceil(L);
                let features = &side.features.as_chunks::<L>().0
                    [blocks.start * per_block..blocks.end * per_block];
                let tile = Tile { side, add: number > 0, start, valid, features };
                forward(simd, &sizes, layers, features, &mut buffers);
                operator.head_of_tile(
                    &sizes,
                    &tile,
                    buffers.output(),
                    &mut scratch,
                    &mut seeds,
                    range.start,
                    values,
                    rate,
                );
                if back {
                    let all = blocks.len() * sizes.channels;
                    let seeds = seeds.chunks_exact(groups).map(|seed| &seed[..all]);
                    let offset = start - range.start;
                    sweep_back(simd, &sizes, layers, &tile, offset, seeds, &mut buffers, &mut rate);
                }
            }
        }
    }
}

impl<T: Real> Operator<T> {
    /// Residuals and seeds of a tile's points.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn head_of_tile<const L: usize>(
        &self,
        sizes: &Sizes,
        tile: &Tile<'_, T, L>,
        output: &[[T; L]],
        scratch: &mut HeadScratch<T, L>,
        seeds: &mut [[T; L]],
        first: usize,
        values: &mut [&mut [f64]],
        rate: &Rate<'_, '_>,
    ) {
        let stride = padded::<T>(self.points);
        let density = matches!(rate, Rate::Density);
        let groups = sizes.channels * sizes.blocks;
        for (block, at) in (0..tile.valid).step_by(L).enumerate() {
            let rows = program::Rows { data: &tile.side.rows[tile.start + at..], stride };
            let channels = block * sizes.channels..(block + 1) * sizes.channels;
            let network = &output[channels.clone()];
            let sign = T::of(tile.side.sign);
            let scales = &self.scales[tile.start + at..][..L];
            let scale: [T; L] = std::array::from_fn(|l| sign * scales[l]);
            if density {
                scratch.evaluate(&self.head, network, rows, &scale);
            } else {
                let mut seeds = seeds.chunks_exact_mut(groups).map(|s| &mut s[channels.clone()]);
                scratch.differentiate(&self.head, network, rows, &scale, &mut seeds);
            }
            let valid = L.min(tile.valid - at);
            for (slice, lanes) in values.iter_mut().zip(&scratch.values) {
                let to = &mut slice[tile.start + at - first..][..valid];
                for (to, lane) in to.iter_mut().zip(lanes) {
                    let value = lane.to_f64();
                    *to = if tile.add { *to + value } else { value };
                }
            }
        }
    }
}

/// One sweep back per row that is wanted, or one for their weighted sum.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn sweep_back<'s, S: Simd, T: Real, const L: usize>(
    simd: S,
    sizes: &Sizes,
    layers: &Layers<T>,
    tile: &Tile<'_, T, L>,
    offset: usize,
    seeds: impl Iterator<Item = &'s [[T; L]]>,
    buffers: &mut Buffers<T>,
    rate: &mut Rate<'_, '_>,
) {
    match rate {
        Rate::Density | Rate::None => {}
        Rate::Rows { first, matrices } => {
            for (seed, matrix) in seeds.skip(*first).zip(matrices.iter_mut()) {
                backward(simd, sizes, layers, seed, buffers);
                let columns_of = matrix.as_mut().col_iter_mut();
                let mut sink =
                    Rows { columns: columns_of, first: offset, valid: tile.valid, add: tile.add };
                columns(sizes, layers, tile.features, seed, buffers, &mut sink);
            }
        }
        Rate::Sum { weights, out } => {
            let mut combined: Vec<[T; L]> = Vec::new();
            for (seed, weights) in seeds.zip(weights.iter()) {
                combined.resize(seed.len(), [T::ZERO; L]);
                for (group, (to, s)) in combined.iter_mut().zip(seed).enumerate() {
                    let at = group / sizes.channels * L;
                    for l in 0..L.min(tile.valid - at) {
                        to[l] += s[l] * T::of(weights[offset + at + l]);
                    }
                }
            }
            backward(simd, sizes, layers, &combined, buffers);
            let mut sink = Sum { out: out.iter_mut() };
            columns(sizes, layers, tile.features, &combined, buffers, &mut sink);
        }
    }
}
