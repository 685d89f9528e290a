//! The passes of an operator over a run of points, tile by tile.

use std::ops::Range;

use nalgebra::DMatrixViewMut;
use pulp::{Simd, WithSimd};

use super::{Operator, Side, padded};
use crate::cpu::backward::backward;
use crate::cpu::columns::{Plan, Rows, Sink, Sum, Swept, columns};
use crate::cpu::forward::forward;
use crate::cpu::head::HeadScratch;
use crate::cpu::kernel::Kernel;
use crate::cpu::lanes::add;
use crate::cpu::tangent::tangent;
use crate::cpu::tile::{Adjoint, Buffers, Pass, PassMut, Room, Sizes};
use crate::cpu::weights::Weights;
use crate::network::Network;
use crate::plane_waves::JetSums;
use crate::program;
use crate::scalar::Real;

/// What a run leaves behind of the rows' derivatives by the parameters.
pub enum Rate<'a, 'm> {
    /// Nothing, and only the residuals; for an energy the weighted density, in the first slice.
    Density,
    /// Nothing; for an energy the rows of its factored form.
    None,
    /// Rows of J: one matrix of the run's points by columns per
    /// expression, from expression `first` on.
    Rows { plan: &'a Plan, first: usize, matrices: &'a mut [DMatrixViewMut<'m, f64>] },
    /// `sum_i w_i J_i`: the weights per expression and point, and where the sum is added.
    Sum { plan: &'a Plan, weights: &'a [&'a [f64]], out: &'a mut [f64] },
}

/// The work on one run of points. A type with `with_simd`, not a closure: a closure that the
/// compiler does not inline is compiled for the oldest processor, silently.
pub struct Run<'a, 'v, 'r, 'm, T> {
    operator: &'a Operator<T>,
    network: &'a Network,
    weights: &'a Weights<T>,
    range: Range<usize>,
    /// One slice per expression; none where the residuals are not wanted.
    values: &'a mut [&'v mut [f64]],
    rate: &'a mut Rate<'r, 'm>,
}

impl<T: Kernel> WithSimd for Run<'_, '_, '_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match T::LANES {
            8 => self.tiles::<S, 8>(simd),
            _ => self.tiles::<S, 16>(simd),
        }
    }
}

impl<T: Kernel> Operator<T> {
    /// The residuals of the points in `range` (which begins at a multiple of the lanes) go to
    /// `values`, one slice per expression, and what `rate` asks for to where it says.
    pub fn run(
        &self,
        network: &Network,
        weights: &Weights<T>,
        range: Range<usize>,
        values: &mut [&mut [f64]],
        rate: &mut Rate<'_, '_>,
    ) {
        T::run_operator(Run { operator: self, network, weights, range, values, rate });
    }
}

/// The points of one tile on one side.
struct Tile<'a, T, const L: usize> {
    side: &'a Side<T>,
    /// Whether what is computed is added to the other side's.
    add: bool,
    /// The first point, and where it is in the run.
    start: usize,
    offset: usize,
    /// Points; the last block may not be full.
    count: usize,
    features: &'a [[T; L]],
}

/// What the tiles of a run share.
struct Work<'a, T, const L: usize> {
    operator: &'a Operator<T>,
    weights: &'a Weights<T>,
    sizes: &'a Sizes,
    adjoint: Adjoint<'a, T, L>,
    room: Room<'a, T, L>,
    head: HeadScratch<T, L>,
    /// Per expression, block, channel and output.
    seeds: Vec<[T; L]>,
}

impl<T: Kernel> Run<'_, '_, '_, '_, T> {
    #[inline(always)]
    fn tiles<S: Simd, const L: usize>(self, simd: S) {
        let Self { operator, network, weights, range, values, rate } = self;
        debug_assert!(range.start.is_multiple_of(L), "runs begin at whole blocks");
        let back = matches!(rate, Rate::Rows { .. } | Rate::Sum { .. });
        let head = &operator.head;
        let jets = head.jets();
        let slopes = if back || weights.correction.is_some() { jets.len() } else { 0 };
        let sizes = Sizes::new(network, jets, slopes, jets);
        let groups = sizes.output() * sizes.blocks;
        let mut memory = T::take_memory(Buffers::<T, L>::lanes(&sizes));
        let Buffers { own, adjoint, mut along, room } = Buffers::of(&sizes, &mut memory);
        let waves = weights.plane_waves.as_ref().map(|waves| waves.of_jet(jets));
        let mut work = Work::<T, L> {
            operator,
            weights,
            adjoint,
            room,
            head: HeadScratch::new(head, sizes.outputs),
            seeds: vec![[T::ZERO; L]; groups * head.rows()],
            sizes: &sizes,
        };
        let per_block = sizes.channels * sizes.features;
        let length = sizes.blocks * L;
        for (number, side) in operator.sides.iter().enumerate() {
            for start in range.clone().step_by(length) {
                let count = (range.end - start).min(length);
                let blocks = start / L..(start + count).div_ceil(L);
                let features = &side.features.as_chunks::<L>().0
                    [blocks.start * per_block..blocks.end * per_block];
                let offset = start - range.start;
                let tile = Tile { side, add: number > 0, start, offset, count, features };
                let to = &mut PassMut::of(&sizes, own);
                forward(simd, &sizes, weights, features, to, &mut work.room);
                let mut pass = Pass::of(&sizes, own);
                if let Some(c) = &weights.correction {
                    let to = &mut along;
                    tangent(simd, &sizes, weights, c, features, &pass, to, &mut work.room);
                    for (d, u) in to.output.iter_mut().zip(pass.output) {
                        *d = add(*d, *u);
                    }
                    if let Some(waves) = &waves {
                        add_waves(waves, &tile, operator, network, along.output);
                    }
                    pass.output = along.output;
                }
                work.residuals(&tile, &pass, matches!(rate, Rate::Density), values);
                match rate {
                    Rate::Density | Rate::None => {}
                    Rate::Rows { plan, first, matrices } => {
                        work.rows(simd, &tile, &pass, plan, *first, matrices);
                    }
                    Rate::Sum { plan, weights, out } => {
                        work.sum(simd, &tile, &pass, plan, weights, out);
                    }
                }
            }
        }
        T::keep_memory(memory);
    }
}

impl<T: Real, const L: usize> Work<'_, T, L> {
    /// Residuals of a tile's points, and their seeds unless only the former are wanted.
    #[inline(always)]
    fn residuals(
        &mut self,
        tile: &Tile<'_, T, L>,
        pass: &Pass<'_, T, L>,
        density: bool,
        values: &mut [&mut [f64]],
    ) {
        let (operator, size) = (self.operator, self.sizes.output());
        let stride = padded::<T>(operator.points);
        let sign = T::of(tile.side.sign);
        for (block, at) in (0..tile.count).step_by(L).enumerate() {
            let rows = program::Rows { data: &tile.side.rows[tile.start + at..], stride };
            let groups = block * size..(block + 1) * size;
            let network = &pass.output[groups.clone()];
            let mut scale = [sign; L];
            for (to, s) in scale.iter_mut().zip(&operator.scales[tile.start + at..]) {
                *to *= *s;
            }
            if density {
                self.head.evaluate(&operator.head, network, rows, &scale);
            } else {
                let of_tile = self.seeds.chunks_exact_mut(size * self.sizes.blocks);
                let mut seeds = of_tile.map(|seed| &mut seed[groups.clone()]);
                self.head.differentiate(&operator.head, network, rows, &scale, &mut seeds);
            }
            let valid = L.min(tile.count - at);
            for (slice, lanes) in values.iter_mut().zip(&self.head.values) {
                let to = &mut slice[tile.offset + at..][..valid];
                for (to, lane) in to.iter_mut().zip(lanes) {
                    *to = if tile.add { *to } else { 0.0 } + lane.to_f64();
                }
            }
        }
    }

    /// A sweep back for each of the expressions from `first` on.
    #[inline(always)]
    fn rows<S: Simd>(
        &mut self,
        simd: S,
        tile: &Tile<'_, T, L>,
        pass: &Pass<'_, T, L>,
        plan: &Plan,
        first: usize,
        matrices: &mut [DMatrixViewMut<'_, f64>],
    ) {
        let seeds = std::mem::take(&mut self.seeds);
        for (q, matrix) in (first..).zip(matrices) {
            let (first, valid) = (tile.offset, tile.count);
            let mut sink = Rows { matrix, first, valid, add: tile.add };
            let seed = seed_of(&seeds, self.sizes, q, tile);
            self.sweep_back(simd, tile, pass, plan, seed, &mut sink);
        }
        self.seeds = seeds;
    }

    /// One sweep back for the weighted sum of all rows.
    #[inline(always)]
    fn sum<S: Simd>(
        &mut self,
        simd: S,
        tile: &Tile<'_, T, L>,
        pass: &Pass<'_, T, L>,
        plan: &Plan,
        weights: &[&[f64]],
        out: &mut [f64],
    ) {
        let mut combined = vec![[T::ZERO; L]; seed_of(&self.seeds, self.sizes, 0, tile).len()];
        for (q, weights) in weights.iter().enumerate() {
            let seed = seed_of(&self.seeds, self.sizes, q, tile);
            for (group, (to, s)) in combined.iter_mut().zip(seed).enumerate() {
                let at = group / self.sizes.output() * L;
                for l in 0..L.min(tile.count - at) {
                    to[l] += s[l] * T::of(weights[tile.offset + at + l]);
                }
            }
        }
        self.sweep_back(simd, tile, pass, plan, &combined, &mut Sum { out });
    }

    #[inline(always)]
    fn sweep_back<S: Simd>(
        &mut self,
        simd: S,
        tile: &Tile<'_, T, L>,
        pass: &Pass<'_, T, L>,
        plan: &Plan,
        seed: &[[T; L]],
        sink: &mut impl Sink<T, L>,
    ) {
        let (sizes, weights) = (self.sizes, self.weights);
        backward(simd, sizes, weights, plan, seed, pass, &mut self.adjoint, &mut self.room);
        let (features, adjoint) = (tile.features, &self.adjoint);
        columns(sizes, weights, plan, &Swept { features, pass, adjoint, seed }, sink);
    }
}

/// Adds the jets of plane waves at a tile's points to those of the network.
fn add_waves<T: Real, const L: usize>(
    waves: &JetSums<'_>,
    tile: &Tile<'_, T, L>,
    operator: &Operator<T>,
    network: &Network,
    output: &mut [[T; L]],
) {
    let stride = padded::<T>(operator.points);
    let size = operator.head.jets().len() * network.outputs();
    let mut point = vec![0.0; network.inputs().len()];
    let mut jets = vec![0.0; size];
    for (block, lanes) in output.chunks_exact_mut(size).enumerate() {
        for l in 0..L.min(tile.count.saturating_sub(block * L)) {
            let at = tile.start + block * L + l;
            for (k, x) in point.iter_mut().enumerate() {
                *x = tile.side.rows[k * stride + at].to_f64();
            }
            waves.evaluate(&point, &mut jets);
            lanes.iter_mut().zip(&jets).for_each(|(to, jet)| to[l] += T::of(*jet));
        }
    }
}

/// Seeds of expression q for the blocks of a tile.
#[inline(always)]
fn seed_of<'s, T, const L: usize>(
    seeds: &'s [[T; L]],
    sizes: &Sizes,
    q: usize,
    tile: &Tile<'_, T, L>,
) -> &'s [[T; L]] {
    let groups = sizes.output() * sizes.blocks;
    &seeds[q * groups..][..tile.count.div_ceil(L) * sizes.output()]
}
