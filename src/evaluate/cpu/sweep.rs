//! One pass over all points: blocks, threads, and what is kept of each block.

use faer::MatMut;
use pulp::Simd;
use rayon::prelude::*;

use super::activation::MAX_COEFFICIENTS;
use super::backward::{Coefficients, ColumnPlan, Swept, backward, coefficient_columns, entry};
use super::block::{Adjoint, Features, Lanes, Pass, PassMut, Shape};
use super::forward::forward;
use super::tangent::{Direction, Tangent, tangent};
use super::weights::Weights;
use super::{Evaluator, Field};
use crate::evaluate::program::{Block, Registers, Rows};
use crate::network::Input;
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
            wanted: Wanted::Fields,
            kept: None,
        }
    }
}

/// Where the results go; a part of it goes to each thread.
#[derive(Default)]
pub struct Output<'a, T> {
    pub values: Vec<f64>,
    pub right_hand_side: Vec<f64>,
    /// Per channel; empty when not wanted.
    pub derivatives: Vec<Vec<f64>>,
    pub jacobian: Option<MatMut<'a, T>>,
    /// Keeps the forward passes, with all slopes.
    pub passes: Option<&'a mut Lanes<T>>,
}

impl<T> Output<'_, T> {
    pub fn fields(points: usize) -> Self {
        Self {
            values: vec![0.0; points],
            right_hand_side: vec![0.0; points],
            derivatives: Vec::new(),
            jacobian: None,
            passes: None,
        }
    }

    pub fn into_field(self) -> Field {
        Field { values: self.values, right_hand_side: self.right_hand_side }
    }
}

/// A run of blocks and the matching parts of the output.
struct Part<'a, T> {
    first_block: usize,
    values: &'a mut [f64],
    right_hand_side: &'a mut [f64],
    derivatives: Vec<&'a mut [f64]>,
    jacobian: Option<MatMut<'a, T>>,
    passes: Option<&'a mut [T]>,
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
        let swept = if request.channel == 0 { &self.value } else { &self.first };
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

    /// Cuts the output into runs of blocks: a few per thread, so that an interrupted one costs
    /// little.
    fn parts<'a>(&self, shape: &Shape, out: &'a mut Output<'_, T>) -> Vec<Part<'a, T>> {
        let tasks = (rayon::current_num_threads() * 2).min(self.blocks()).max(1);
        let blocks = self.blocks().div_ceil(tasks);
        let rows = blocks * T::LANES;
        let mut jacobian = out.jacobian.as_mut().map(|j| j.as_mut());
        let mut derivatives: Vec<_> =
            out.derivatives.iter_mut().map(|d| d.chunks_mut(rows)).collect();
        let mut passes =
            out.passes.as_mut().map(|p| p.entries_mut().chunks_mut(rows * shape.pass()));
        let fields = out.values.chunks_mut(rows).zip(out.right_hand_side.chunks_mut(rows));
        fields
            .enumerate()
            .map(|(k, (values, right_hand_side))| {
                let mine = jacobian.take().map(|j| {
                    let (head, tail) = j.split_at_row_mut(values.len());
                    jacobian = Some(tail);
                    head
                });
                let derivatives =
                    derivatives.iter_mut().map(|d| d.next().expect("as many points")).collect();
                Part {
                    first_block: k * blocks,
                    values,
                    right_hand_side,
                    derivatives,
                    jacobian: mine,
                    passes: passes.as_mut().map(|p| p.next().expect("as many blocks")),
                }
            })
            .collect()
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
        let room = [size, Adjoint::<T, L>::lanes(shape), Tangent::<T, L>::lanes(shape)];
        let mut room_for_all = Lanes::new(room.iter().sum::<usize>() + 2 * shape.channels);
        let rest = room_for_all.entries_mut().as_chunks_mut::<L>().0;
        let (own, rest) = rest.split_at_mut(room[0]);
        let (adjoint, rest) = rest.split_at_mut(room[1]);
        let (along, power) = rest.split_at_mut(room[2]);
        let mut adjoint = Adjoint::of(adjoint);
        let mut along = Tangent::of(shape, along);
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
                forward(simd, shape, request.weights, &features, to, power);
                Pass::of(shape, lanes)
            };
            let mut output = pass.output;
            if let Some(direction) = request.direction {
                let weights = request.weights;
                tangent(simd, shape, weights, direction, &features, &pass, &mut along);
                for (d, u) in along.output.iter_mut().zip(output) {
                    for l in 0..L {
                        d[l] += u[l];
                    }
                }
                output = along.output;
            }
            if request.wanted != Wanted::Nothing {
                self.apply_distance::<L>(shape, block, output, &mut jets[first..], padded);
            }
            if let (Some(plan), Some(jacobian)) = (request.plan, part.jacobian.as_mut()) {
                let (weights, seed) =
                    (request.weights, self.seed::<L>(shape, request.channel, block));
                backward(simd, shape, weights, &plan.transposed, &seed, &pass, &mut adjoint);
                let h_bar = &*adjoint.h_bar;
                coefficient_columns(shape, weights, plan, &pass, h_bar, power, &mut coefficients);
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
    fn features_of<const L: usize>(&self, block: usize) -> Features<'_, T, L> {
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

    #[inline(always)]
    fn block_distances<const L: usize>(&self, block: usize) -> Option<&[[T; L]]> {
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
