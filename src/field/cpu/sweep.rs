//! One pass over an evaluator's points: tiles, threads, and what is kept of each tile.

use pulp::Simd;
use rayon::prelude::*;

use super::Evaluator;
use super::backward::backward;
use super::columns::{Plan, Rows, Swept, columns};
use super::forward::forward;
use super::kernel::Kernel;
use super::lanes::{add, fma, scale};
use super::output::{Output, Part};
use super::tangent::{Direction, tangent};
use super::tile::{Buffers, Lanes, Pass, PassMut, Sizes};
use super::weights::Weights;
use crate::jet::JetSet;
use crate::program::{self, Block, Registers};

/// What of the field is wanted: the less, the fewer channels are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Nothing,
    Values,
    /// u, F and the derivatives.
    Fields,
}

/// What the parameters' columns are derivatives of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// One channel's derivative: the value or a first derivative.
    Channel(usize),
    /// The right-hand side F: all channels, each with dF/d(channel).
    RightHandSide,
}

/// What to compute at every point.
pub struct Request<'a, T> {
    pub weights: &'a Weights<T>,
    pub time: f64,
    /// Add the tangent along this direction to the field.
    pub direction: Option<&'a Direction<T>>,
    /// Columns of a Jacobian.
    pub back: Option<(&'a Plan, Seed)>,
    pub wanted: Wanted,
    /// The forward passes at the weights, where they have been kept; all channels and slopes.
    pub kept: Option<&'a Lanes<T>>,
}

impl<'a, T> Request<'a, T> {
    pub fn new(weights: &'a Weights<T>, time: f64) -> Self {
        Self { weights, time, direction: None, back: None, wanted: Wanted::Fields, kept: None }
    }

    /// What is added to the network: a direction, or the correction that belongs to its parameters.
    fn along(&self) -> Option<&'a Direction<T>> {
        self.direction.or(self.weights.correction.as_ref())
    }

    /// Are derivatives of u needed, beside the network's?
    fn needs_fields(&self) -> bool {
        let by_rate = matches!(self.back, Some((_, Seed::RightHandSide)));
        by_rate || self.wanted != Wanted::Nothing
    }
}

/// The work on one part. A type with `with_simd`, not a closure: a closure that the compiler does
/// not inline is compiled for the oldest processor, silently.
pub struct Run<'a, T> {
    evaluator: &'a Evaluator<T>,
    sizes: &'a Sizes,
    request: &'a Request<'a, T>,
    part: Part<'a, T>,
}

impl<T: Kernel> pulp::WithSimd for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { evaluator, sizes, request, part } = self;
        match T::LANES {
            8 => evaluator.run::<S, 8>(simd, sizes, request, part),
            _ => evaluator.run::<S, 16>(simd, sizes, request, part),
        }
    }
}

/// The unknowns' derivatives at a part's points: rows `stride` apart, one per unknown and channel,
/// and the lifts' there.
struct Derivatives<T> {
    rows: Vec<T>,
    stride: usize,
    lift: Option<Vec<f64>>,
    coordinates: Vec<T>,
    parameters: Vec<T>,
}

/// What is swept back in a tile whose first block is `start` and whose first point in the part is
/// `first`.
#[derive(Clone, Copy)]
struct Seeded {
    of: Seed,
    unknown: usize,
    start: usize,
    first: usize,
    blocks: usize,
}

impl<T: Kernel> Evaluator<T> {
    pub(super) fn sweep(&self, request: &Request<'_, T>, out: &mut Output<'_, T>) {
        let sizes = self.sizes(request, out.passes.is_some());
        self.parts(&sizes, out).into_par_iter().for_each(|part| {
            T::run_part(Run { evaluator: self, sizes: &sizes, request, part });
        });
    }

    /// Lanes of all kept forward passes.
    pub(super) fn kept_lanes(&self) -> usize {
        let sizes = self.sizes_of(&self.jets, self.jets.len(), &self.value);
        self.blocks().div_ceil(sizes.blocks) * sizes.pass()
    }

    fn sizes(&self, request: &Request<'_, T>, keep: bool) -> Sizes {
        let swept = match request.back {
            None | Some((_, Seed::Channel(0))) => &self.value,
            Some((_, Seed::Channel(channel))) => {
                assert!(channel < self.first.len(), "of the value or a first derivative");
                &self.first
            }
            Some((_, Seed::RightHandSide)) => &self.jets,
        };
        let all = keep || request.kept.is_some();
        let slopes = match (request.along(), request.back) {
            _ if all => self.jets.len(),
            (Some(_), _) => self.jets.len(),
            (None, Some(_)) => swept.len(),
            (None, None) => 0,
        };
        let carried = match request.wanted {
            _ if all => &self.jets,
            Wanted::Fields => &self.jets,
            Wanted::Values if request.back.is_none() => &self.value,
            Wanted::Values | Wanted::Nothing => swept,
        };
        self.sizes_of(carried, slopes.min(carried.len()), swept)
    }

    /// Tiles so small that several threads have work, whatever their number.
    pub(super) fn sizes_of(&self, carried: &JetSet, slopes: usize, swept: &JetSet) -> Sizes {
        const FEWEST: usize = 8;
        Sizes::new(&self.network, carried, slopes, swept)
            .with_blocks(self.blocks().div_ceil(FEWEST))
    }

    #[inline(always)]
    fn run<S: Simd, const L: usize>(
        &self,
        simd: S,
        sizes: &Sizes,
        request: &Request<'_, T>,
        mut part: Part<'_, T>,
    ) {
        let (size, weights) = (sizes.pass(), request.weights);
        let mut memory = T::take_memory(Buffers::<T, L>::lanes(sizes));
        let Buffers { own, mut adjoint, mut along, mut room } = Buffers::of(sizes, &mut memory);
        let kept = request.kept.map(|kept| kept.entries().as_chunks::<L>().0);
        let mut derivatives = self.room_for_derivatives(sizes, request, &part);
        let mut features = Vec::new();
        let mut seed = Vec::new();
        let points = part.points();
        for (tile, first) in (0..points).step_by(sizes.blocks * L).enumerate() {
            let start = part.first_block + tile * sizes.blocks;
            let blocks = sizes.blocks.min((points - first).div_ceil(L));
            self.load_features::<L>(sizes, start..start + blocks, &mut features);
            let pass = if let Some(kept) = kept {
                Pass::of(sizes, &kept[start / sizes.blocks * size..][..size])
            } else {
                let lanes = match part.passes.as_deref_mut() {
                    Some(passes) => &mut passes.as_chunks_mut::<L>().0[tile * size..][..size],
                    None => &mut *own,
                };
                let to = &mut PassMut::of(sizes, lanes);
                forward(simd, sizes, weights, &features, to, &mut room);
                Pass::of(sizes, lanes)
            };
            let mut output = &pass.output[..blocks * sizes.output()];
            if let Some(direction) = request.along() {
                let to = &mut along;
                tangent(simd, sizes, weights, direction, &features, &pass, to, &mut room);
                for (d, u) in along.output.iter_mut().zip(output) {
                    *d = add(*d, *u);
                }
                output = &along.output[..blocks * sizes.output()];
            }
            if request.needs_fields() {
                self.differentiate::<L>(sizes, start, first, output, &mut derivatives);
            }
            let Some((plan, of)) = request.back else { continue };
            for (unknown, matrix) in part.jacobian.iter_mut().enumerate() {
                let at = Seeded { of, unknown, start, first, blocks };
                self.seed::<L>(sizes, request, at, &derivatives, &mut seed);
                backward(simd, sizes, weights, plan, &seed, &pass, &mut adjoint, &mut room);
                let swept =
                    Swept { features: &features, pass: &pass, adjoint: &adjoint, seed: &seed };
                let valid = (points - first).min(blocks * L);
                let mut sink = Rows { matrix, first, valid, add: false };
                columns(sizes, weights, plan, &swept, &mut sink);
            }
        }
        if request.wanted != Wanted::Nothing {
            self.store_fields(request, &derivatives, part);
        }
        T::keep_memory(memory);
    }

    /// Features of the carried channels, which are the first of those in the table.
    #[inline(always)]
    pub(super) fn load_features<const L: usize>(
        &self,
        sizes: &Sizes,
        blocks: std::ops::Range<usize>,
        to: &mut Vec<[T; L]>,
    ) {
        let stride = self.jets.len() * sizes.features;
        let table = self.features.as_chunks::<L>().0;
        to.clear();
        for block in blocks {
            to.extend_from_slice(&table[block * stride..][..sizes.channels * sizes.features]);
        }
    }

    /// Taylor coefficients of an unknown's distance.
    #[inline(always)]
    pub(super) fn block_distances<const L: usize>(
        &self,
        block: usize,
        unknown: usize,
    ) -> Option<&[[T; L]]> {
        let channels = self.jets.len();
        let table = self.distance.as_chunks::<L>().0;
        let first = (block * self.network.outputs() + unknown) * channels;
        (!table.is_empty()).then(|| &table[first..first + channels])
    }

    fn room_for_derivatives(
        &self,
        sizes: &Sizes,
        request: &Request<'_, T>,
        part: &Part<'_, T>,
    ) -> Derivatives<T> {
        let stride = part.points().div_ceil(T::LANES) * T::LANES;
        let first = part.first_block * T::LANES;
        let convert = |v: &f64| T::of(*v);
        let whole = request.needs_fields() && sizes.channels == self.jets.len();
        let rows =
            self.coordinates.chunks_exact(self.padded()).take(if whole { usize::MAX } else { 0 });
        let lift = request
            .needs_fields()
            .then(|| self.ansatz.lift(self.coordinate_rows(first), stride, request.time));
        Derivatives {
            rows: vec![T::ZERO; sizes.output() * stride],
            stride,
            lift: lift.flatten(),
            coordinates: rows.flat_map(|row| &row[first..first + stride]).map(convert).collect(),
            parameters: self.parameters.iter().map(convert).collect(),
        }
    }

    /// The derivatives of every lift + distance * network at a tile's points, whose first block is `start`
    /// and whose first point in the part is `first`.
    #[inline(always)]
    fn differentiate<const L: usize>(
        &self,
        sizes: &Sizes,
        start: usize,
        first: usize,
        network: &[[T; L]],
        to: &mut Derivatives<T>,
    ) {
        let (stride, outputs) = (to.stride, sizes.outputs);
        for (k, network) in network.chunks_exact(sizes.output()).enumerate() {
            let at = first + k * L;
            for unknown in 0..outputs {
                let rows = &mut to.rows[unknown * sizes.channels * stride + at..];
                if let Some(distance) = self.block_distances::<L>(start + k, unknown) {
                    for c in 0..sizes.channels {
                        rows[c * stride..c * stride + L].fill(T::ZERO);
                    }
                    for t in sizes.jets.products() {
                        let d = &distance[t.a as usize];
                        let n = &network[t.b as usize * outputs + unknown];
                        let to = &mut rows[t.c as usize * stride..][..L];
                        for l in 0..L {
                            to[l] = d[l].fma(n[l], to[l]);
                        }
                    }
                } else {
                    for (c, n) in network.iter().skip(unknown).step_by(outputs).enumerate() {
                        rows[c * stride..c * stride + L].copy_from_slice(n);
                    }
                }
                let lifts =
                    to.lift.as_ref().map(|lift| &lift[unknown * (self.jets.len() + 1) * stride..]);
                for c in 0..sizes.channels {
                    let row = &mut rows[c * stride..c * stride + L];
                    if let Some(lift) = lifts {
                        row.iter_mut()
                            .zip(&lift[c * stride + at..])
                            .for_each(|(to, v)| *to += T::of(*v));
                    }
                    let factor = T::of(self.jets.factor(c));
                    row.iter_mut().for_each(|v| *v *= factor);
                }
            }
        }
    }

    /// Adjoints of the network's Taylor coefficients, block by block: those of one unknown's
    /// derivatives, or of its equation, taken back through the product with the distance.
    #[inline(always)]
    fn seed<const L: usize>(
        &self,
        sizes: &Sizes,
        request: &Request<'_, T>,
        at: Seeded,
        derivatives: &Derivatives<T>,
        seed: &mut Vec<[T; L]>,
    ) {
        let Seeded { of, unknown, start, first, blocks } = at;
        let (outputs, size) = (sizes.outputs, sizes.seed());
        seed.clear();
        seed.resize(blocks * size, [T::ZERO; L]);
        match of {
            Seed::Channel(channel) => {
                let at = channel * outputs + unknown;
                seed.iter_mut().skip(at).step_by(size).for_each(|s| *s = [T::ONE; L]);
            }
            Seed::RightHandSide => {
                let head = &self.right_hand_side;
                let (count, all) = (blocks * L, head.channels().len());
                let mut slopes = vec![T::ZERO; head.slopes().outputs().len() * count];
                let block = derivatives.block(first, count, request.time);
                head.slopes().run(&block, &mut Registers::new(), &mut slopes, count);
                let rows = slopes.chunks_exact(count).skip(head.rows() + unknown * all);
                for (row, &entry) in rows.zip(head.channels()) {
                    let (of, c) = (entry / self.jets.len(), entry % self.jets.len());
                    for (k, lanes) in row.as_chunks::<L>().0.iter().enumerate() {
                        seed[k * size + c * outputs + of] = *lanes;
                    }
                }
            }
        }
        for (k, seed) in seed.chunks_exact_mut(size).enumerate() {
            for (c, of_channel) in seed.chunks_exact_mut(outputs).enumerate() {
                let factor = T::of(self.jets.factor(c));
                of_channel.iter_mut().for_each(|s| *s = scale(factor, *s));
            }
            let mut taken = vec![[T::ZERO; L]; size];
            for of in 0..outputs {
                let Some(distance) = self.block_distances::<L>(start + k, of) else { continue };
                for t in sizes.adjoint.products() {
                    let to = &mut taken[t.b as usize * outputs + of];
                    *to = fma(distance[t.a as usize], seed[t.c as usize * outputs + of], *to);
                }
            }
            if !self.distance.is_empty() {
                seed.copy_from_slice(&taken);
            }
        }
    }

    /// Copies u and the derivatives, and for whole fields evaluates the equation.
    #[inline(always)]
    fn store_fields(
        &self,
        request: &Request<'_, T>,
        derivatives: &Derivatives<T>,
        mut part: Part<'_, T>,
    ) {
        let (count, stride) = (part.points(), derivatives.stride);
        for (to, row) in part.derivatives.iter_mut().zip(derivatives.rows.chunks_exact(stride)) {
            to.iter_mut().zip(row).for_each(|(to, v)| *to = v.to_f64());
        }
        let of_unknown = derivatives.rows.chunks_exact(derivatives.rows.len() / part.values.len());
        for (values, rows) in part.values.iter_mut().zip(of_unknown) {
            values.iter_mut().zip(rows).for_each(|(to, v)| *to = v.to_f64());
        }
        if request.wanted != Wanted::Fields {
            return;
        }
        let mut rates = vec![T::ZERO; count * part.values.len()];
        let program = self.right_hand_side.values();
        let block = derivatives.block(0, count, request.time);
        program.run(&block, &mut Registers::new(), &mut rates, count);
        for (unknown, to) in part.right_hand_side.iter_mut().enumerate() {
            let rate = &rates[unknown * count..][..count];
            let last = unknown * (self.jets.len() + 1) + self.jets.len();
            let lift_rate = derivatives.lift.as_ref().map(|rows| &rows[last * stride..]);
            for (i, to) in to.iter_mut().enumerate() {
                *to = rate[i].to_f64() - lift_rate.map_or(0.0, |rows| rows[i]);
            }
        }
    }
}

impl<T: Kernel> Derivatives<T> {
    /// What an equation reads at `count` points from `first` on.
    #[inline(always)]
    fn block(&self, first: usize, count: usize, time: f64) -> Block<'_, T> {
        Block {
            count,
            coordinates: program::Rows { data: &self.coordinates[first..], stride: self.stride },
            channels: program::Rows { data: &self.rows[first..], stride: self.stride },
            time: T::of(time),
            parameters: &self.parameters,
        }
    }
}
