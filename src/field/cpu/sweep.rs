//! One pass over all points: blocks, threads, and what is kept of each block.

use faer::MatMut;
use pulp::Simd;
use rayon::prelude::*;

use super::Evaluator;
use super::activation::MAX_COEFFICIENTS;
use super::backward::{Coefficients, ColumnPlan, Swept, backward, coefficient_columns, entry};
use super::block::{Adjoint, Features, Lanes, Pass, PassMut, Shape};
use super::forward::{Room, forward};
use super::lanes::{add, fma};
use super::output::{Output, Part};
use super::tangent::{Direction, Tangent, tangent};
use super::weights::Weights;
use crate::network::Input;
use crate::program::{Block, Registers, Rows};
use crate::scalar::Real;

/// What of the field is wanted: the less, the fewer channels are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Nothing,
    Values,
    /// u, F and the derivatives.
    Fields,
}

/// What to compute at every point.
pub struct Request<'a, T> {
    pub weights: &'a Weights<T>,
    pub time: f64,
    /// Add the tangent along this direction to the field.
    pub direction: Option<&'a Direction<T>>,
    /// Columns of the Jacobian of `channel`.
    pub plan: Option<&'a ColumnPlan<T>>,
    pub channel: usize,
    /// Columns of the Jacobian of a sum over channels instead: the channels' weights at every point,
    /// block by block, channel by channel, lane by lane.
    pub seeds: Option<&'a [T]>,
    pub wanted: Wanted,
    /// The forward passes at the weights, where they have been kept; all channels and slopes.
    pub kept: Option<&'a Lanes<T>>,
}

impl<'a, T> Request<'a, T> {
    pub fn new(weights: &'a Weights<T>, time: f64) -> Self {
        Self {
            weights,
            time,
            direction: None,
            plan: None,
            channel: 0,
            seeds: None,
            wanted: Wanted::Fields,
            kept: None,
        }
    }
}

/// The work on one part. A type with `with_simd`, not a closure: a closure that the compiler does
/// not inline is compiled for the oldest processor, silently.
struct Run<'a, T> {
    evaluator: &'a Evaluator<T>,
    shape: &'a Shape,
    request: &'a Request<'a, T>,
    part: Part<'a, T>,
}

impl<T: Real> pulp::WithSimd for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { evaluator, shape, request, part } = self;
        match T::LANES {
            8 => evaluator.run::<S, 8>(simd, shape, request, part),
            _ => evaluator.run::<S, 16>(simd, shape, request, part),
        }
    }
}

impl<T: Real> Evaluator<T> {
    pub(super) fn sweep(&self, request: &Request<'_, T>, out: &mut Output<'_, T>) {
        let shape = self.shape(request, out.passes.is_some());
        self.parts(&shape, out).into_par_iter().for_each(|part| {
            pulp::Arch::new().dispatch(Run { evaluator: self, shape: &shape, request, part });
        });
    }

    /// Lanes of all kept forward passes.
    pub(super) fn kept_lanes(&self) -> usize {
        let channels = self.jets.len();
        let shape = Shape::new(&self.network, self.jets.clone(), channels, self.value.clone());
        self.blocks() * shape.pass()
    }

    fn shape(&self, request: &Request<'_, T>, keep: bool) -> Shape {
        let swept = match (request.seeds, request.channel) {
            (Some(_), _) => &self.jets,
            (None, 0) => &self.value,
            (None, _) => &self.first,
        };
        assert!(request.channel < swept.len(), "a Jacobian of the value or a first derivative");
        let kept = keep || request.kept.is_some();
        let slopes = match (request.direction, request.plan) {
            _ if kept => self.jets.len(),
            (Some(_), _) => self.jets.len(),
            (None, Some(_)) => swept.len(),
            (None, None) => 0,
        };
        let carried = match request.wanted {
            _ if kept => &self.jets,
            Wanted::Fields => &self.jets,
            Wanted::Values if request.plan.is_none() => &self.value,
            Wanted::Values | Wanted::Nothing => swept,
        };
        Shape::new(&self.network, carried.clone(), slopes, swept.clone())
    }

    #[inline(always)]
    fn run<S: Simd, const L: usize>(
        &self,
        simd: S,
        shape: &Shape,
        request: &Request<'_, T>,
        mut part: Part<'_, T>,
    ) {
        let size = shape.pass();
        let mut memory = Lanes::new(Buffers::<T, L>::lanes(shape));
        let Buffers { own, mut adjoint, mut along, mut room } = Buffers::of(shape, &mut memory);
        let mut coefficients = Coefficients::new();
        let kept = request.kept.map(|kept| kept.entries().as_chunks::<L>().0);
        let padded = part.values.len().div_ceil(L) * L;
        let mut jets = vec![T::ZERO; shape.channels * padded];
        for (index, first) in (0..part.values.len()).step_by(L).enumerate() {
            let block = part.first_block + index;
            let features = self.features_of::<L>(block);
            let pass = if let Some(kept) = kept {
                Pass::of(shape, &kept[block * size..][..size])
            } else {
                let lanes = match part.passes.as_deref_mut() {
                    Some(passes) => &mut passes.as_chunks_mut::<L>().0[index * size..][..size],
                    None => &mut *own,
                };
                let to = PassMut::of(shape, lanes);
                forward(simd, shape, request.weights, &features, to, &mut room);
                Pass::of(shape, lanes)
            };
            let mut output = pass.output;
            if let Some(direction) = request.direction {
                let weights = request.weights;
                tangent(simd, shape, weights, direction, &features, &pass, &mut along);
                for (d, u) in along.output.iter_mut().zip(output) {
                    *d = add(*d, *u);
                }
                output = along.output;
            }
            if request.wanted != Wanted::Nothing {
                self.apply_distance::<L>(shape, block, output, &mut jets[first..], padded);
            }
            if let (Some(plan), Some(jacobian)) = (request.plan, part.jacobian.as_mut()) {
                let weights = request.weights;
                let seed = match request.seeds {
                    Some(seeds) => self.seed_of_sum::<L>(shape, seeds, block),
                    None => self.seed::<L>(shape, request.channel, block),
                };
                backward(simd, shape, weights, &plan.transposed, &seed, &pass, &mut adjoint);
                let h_bar = &*adjoint.h_bar;
                coefficient_columns(shape, weights, plan, &pass, h_bar, &mut coefficients);
                let swept = Swept {
                    features: &features,
                    pass,
                    z_bar: adjoint.z_bar,
                    coefficients: &coefficients,
                    seed: &seed,
                };
                store_columns(shape, weights, plan, &swept, jacobian, first);
            }
        }
        if request.wanted != Wanted::Nothing {
            self.store_fields(request, &mut jets, padded, part);
        }
    }

    #[inline(always)]
    pub(super) fn features_of<const L: usize>(&self, block: usize) -> Features<'_, T, L> {
        let inputs = self.network.inputs();
        let periodic = inputs.iter().filter(|i| matches!(i, Input::Periodic { .. })).count();
        let per_block = periodic + inputs.len();
        let features = self.features.as_chunks::<L>().0;
        Features { lanes: &features[block * per_block..(block + 1) * per_block], periodic }
    }

    /// Adjoint of the network's jet for one channel of u: through the product with the distance.
    #[inline(always)]
    fn seed<const L: usize>(&self, shape: &Shape, channel: usize, block: usize) -> Vec<[T; L]> {
        let mut seed = vec![[T::ZERO; L]; shape.adjoint.len()];
        let factor = T::of(self.jets.factor(channel));
        let Some(distance) = self.block_distances::<L>(block) else {
            seed[channel] = [factor; L];
            return seed;
        };
        for t in shape.adjoint.products().iter().filter(|t| t.c as usize == channel) {
            for l in 0..L {
                seed[t.b as usize][l] += factor * distance[t.a as usize][l];
            }
        }
        seed
    }

    /// Adjoint of the network's jet for a sum over the channels of u, weighed as `seeds` says.
    #[inline(always)]
    fn seed_of_sum<const L: usize>(&self, shape: &Shape, seeds: &[T], block: usize) -> Vec<[T; L]> {
        let channels = shape.adjoint.len();
        let weights = &seeds.as_chunks::<L>().0[block * channels..][..channels];
        let Some(distance) = self.block_distances::<L>(block) else {
            return weights.to_vec();
        };
        let mut seed = vec![[T::ZERO; L]; channels];
        for t in shape.adjoint.products() {
            let (a, b, c) = (t.a as usize, t.b as usize, t.c as usize);
            seed[b] = fma(weights[c], distance[a], seed[b]);
        }
        seed
    }

    #[inline(always)]
    pub(super) fn block_distances<const L: usize>(&self, block: usize) -> Option<&[[T; L]]> {
        let channels = self.jets.len();
        let table = self.distance.as_chunks::<L>().0;
        (!table.is_empty()).then(|| &table[block * channels..(block + 1) * channels])
    }

    /// Taylor coefficients of distance * network into rows `stride` apart.
    #[inline(always)]
    fn apply_distance<const L: usize>(
        &self,
        shape: &Shape,
        block: usize,
        network: &[[T; L]],
        jets: &mut [T],
        stride: usize,
    ) {
        let Some(distance) = self.block_distances::<L>(block) else {
            for (c, n) in network.iter().enumerate() {
                jets[c * stride..c * stride + L].copy_from_slice(n);
            }
            return;
        };
        for c in 0..shape.channels {
            jets[c * stride..c * stride + L].fill(T::ZERO);
        }
        for t in shape.jets.products() {
            let (d, n) = (&distance[t.a as usize], &network[t.b as usize]);
            let to = &mut jets[t.c as usize * stride..][..L];
            for l in 0..L {
                to[l] = d[l].fma(n[l], to[l]);
            }
        }
    }

    /// Adds the lift, turns Taylor coefficients into derivatives and, for whole fields, evaluates
    /// the equation.
    #[inline(always)]
    fn store_fields(
        &self,
        request: &Request<'_, T>,
        jets: &mut [T],
        stride: usize,
        mut part: Part<'_, T>,
    ) {
        let time = request.time;
        let first = part.first_block * T::LANES;
        let lift = self.ansatz.lift(self.coordinate_rows(first), stride, time);
        for (c, row) in jets.chunks_exact_mut(stride).enumerate() {
            if let Some(lift) = &lift {
                for (to, &v) in row.iter_mut().zip(&lift[c * stride..]) {
                    *to += T::of(v);
                }
            }
            let factor = T::of(self.jets.factor(c));
            row.iter_mut().for_each(|v| *v *= factor);
            if let Some(to) = part.derivatives.get_mut(c) {
                to.iter_mut().zip(row.iter()).for_each(|(to, v)| *to = v.to_f64());
            }
        }
        let count = part.values.len();
        part.values.iter_mut().zip(&*jets).for_each(|(to, v)| *to = v.to_f64());
        if request.wanted != Wanted::Fields {
            return;
        }
        let convert = |v: &f64| T::of(*v);
        let parameters: Vec<T> = self.parameters.iter().map(convert).collect();
        let coordinates: Vec<T> = self
            .coordinates
            .chunks_exact(self.padded())
            .flat_map(|row| &row[first..first + stride])
            .map(convert)
            .collect();
        let block = Block {
            count,
            coordinates: Rows { data: &coordinates, stride },
            channels: Rows { data: jets, stride },
            time: T::of(time),
            parameters: &parameters,
        };
        let mut rate = vec![T::ZERO; count];
        self.right_hand_side.run(&block, &mut Registers::new(), &mut rate, count);
        let lift_rate = lift.as_ref().map(|rows| &rows[self.jets.len() * stride..]);
        for (i, to) in part.right_hand_side.iter_mut().enumerate() {
            *to = rate[i].to_f64() - lift_rate.map_or(0.0, |rows| rows[i]);
        }
    }
}

/// The buffers that a part's blocks take in turn.
pub(super) struct Buffers<'a, T, const L: usize> {
    /// The forward pass where it is not kept.
    pub own: &'a mut [[T; L]],
    pub adjoint: Adjoint<'a, T, L>,
    pub along: Tangent<'a, T, L>,
    pub room: Room<'a, T, L>,
}

impl<'a, T: Real, const L: usize> Buffers<'a, T, L> {
    fn sizes(shape: &Shape) -> [usize; 4] {
        let adjoint = Adjoint::<T, L>::lanes(shape);
        [shape.pass(), adjoint, Tangent::<T, L>::lanes(shape), Room::<T, L>::lanes(shape)]
    }

    pub fn lanes(shape: &Shape) -> usize {
        Self::sizes(shape).iter().sum()
    }

    #[inline(always)]
    pub fn of(shape: &Shape, memory: &'a mut Lanes<T>) -> Self {
        let [own, adjoint, along, _] = Self::sizes(shape);
        let rest = memory.entries_mut().as_chunks_mut::<L>().0;
        let (own, rest) = rest.split_at_mut(own);
        let (adjoint, rest) = rest.split_at_mut(adjoint);
        let (along, room) = rest.split_at_mut(along);
        Self {
            own,
            adjoint: Adjoint::of(adjoint),
            along: Tangent::of(shape, along),
            room: Room::of(shape, room),
        }
    }
}

/// Writes a block's entries of the chosen columns, from row `first` on.
#[inline(always)]
fn store_columns<T: Real, const L: usize>(
    shape: &Shape,
    weights: &Weights<T>,
    plan: &ColumnPlan<T>,
    swept: &Swept<'_, T, L>,
    jacobian: &mut MatMut<'_, T>,
    first: usize,
) {
    let valid = L.min(jacobian.nrows() - first);
    for (k, &source) in plan.sources.iter().enumerate() {
        let lanes = entry(shape, weights, swept, source);
        let column = jacobian.as_mut().col_mut(k);
        let column = column.try_as_col_major_mut().expect("contiguous columns");
        let column = &mut column.as_slice_mut()[first..first + valid];
        // A whole block is one store; only the last one may be shorter.
        match column.as_mut_array::<L>() {
            Some(column) => *column = lanes,
            None => column.copy_from_slice(&lanes[..valid]),
        }
    }
}

const _: () = assert!(MAX_COEFFICIENTS >= 6, "order 4 and its slope");
