//! One pass over all points: blocks, threads, and what is kept of each block.

use faer::MatMut;
use rayon::prelude::*;

use super::activation::MAX_COEFFICIENTS;
use super::backward::{Coefficients, ColumnPlan, backward, coefficient_columns, entry};
use super::block::{Features, Scratch, Shape};
use super::forward::forward;
use super::tangent::{Tangent, tangent};
use super::weights::Weights;
use super::{Evaluator, Field};
use crate::evaluate::program::{Block, Registers, Rows};
use crate::network::Input;
use crate::scalar::Real;

/// What to compute at every point.
pub struct Request<'a, T> {
    pub weights: &'a Weights<T>,
    pub time: f64,
    /// Add the tangent along this direction to the field.
    pub direction: Option<&'a Weights<T>>,
    /// Columns of the Jacobian of `channel`.
    pub plan: Option<&'a ColumnPlan>,
    pub channel: usize,
    /// Whether u, F and the derivatives are wanted: a Jacobian alone needs fewer channels.
    pub fields: bool,
}

impl<'a, T> Request<'a, T> {
    pub fn new(weights: &'a Weights<T>, time: f64) -> Self {
        Self { weights, time, direction: None, plan: None, channel: 0, fields: true }
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
}

impl<T> Output<'_, T> {
    pub fn fields(points: usize) -> Self {
        Self {
            values: vec![0.0; points],
            right_hand_side: vec![0.0; points],
            derivatives: Vec::new(),
            jacobian: None,
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
}

impl<T: Real> Evaluator<T> {
    pub(super) fn sweep(&self, request: &Request<'_, T>, out: &mut Output<'_, T>) {
        let adjoint = if request.channel == 0 { 1 } else { self.first_channels() };
        assert!(request.channel < adjoint.max(1), "a Jacobian of the value or a first derivative");
        let slopes = match (request.direction, request.plan) {
            (Some(_), _) => self.jets.len(),
            (None, Some(_)) => adjoint,
            (None, None) => 0,
        };
        let swept = self.jets.prefix(adjoint);
        let carried = if request.fields { self.jets.clone() } else { swept.clone() };
        let shape = Shape::new(&self.network, carried, slopes, swept);
        self.parts(out).into_par_iter().for_each(|part| {
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || match T::LANES {
                    8 => self.run::<8>(&shape, request, part),
                    _ => self.run::<16>(&shape, request, part),
                },
            );
        });
    }

    /// The value and the first derivatives.
    fn first_channels(&self) -> usize {
        (0..self.jets.len()).take_while(|&c| self.jets.channel_order(c) <= 1).count()
    }

    /// Cuts the output into runs of blocks: a few per thread, so that an interrupted one costs
    /// little.
    fn parts<'a>(&self, out: &'a mut Output<'_, T>) -> Vec<Part<'a, T>> {
        let tasks = (rayon::current_num_threads() * 2).min(self.blocks()).max(1);
        let blocks = self.blocks().div_ceil(tasks);
        let rows = blocks * T::LANES;
        let mut jacobian = out.jacobian.as_mut().map(|j| j.as_mut());
        let mut derivatives: Vec<_> =
            out.derivatives.iter_mut().map(|d| d.chunks_mut(rows)).collect();
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
                }
            })
            .collect()
    }

    #[inline(always)]
    fn run<const L: usize>(&self, shape: &Shape, request: &Request<'_, T>, mut part: Part<'_, T>) {
        let mut scratch = Scratch::<T, L>::new(shape);
        let mut along = Tangent::<T, L>::new(shape);
        let mut coefficients = Coefficients::new();
        let padded = part.values.len().div_ceil(L) * L;
        let mut jets = vec![T::ZERO; self.jets.len() * padded];
        let inputs = self.network.inputs();
        let periodic = inputs.iter().filter(|i| matches!(i, Input::Periodic { .. })).count();
        let per_block = periodic + inputs.len();
        let features = self.features.as_chunks::<L>().0;
        for (index, first) in (0..part.values.len()).step_by(L).enumerate() {
            let block = part.first_block + index;
            let features =
                Features { lanes: &features[block * per_block..(block + 1) * per_block], periodic };
            forward(shape, request.weights, &features, &mut scratch);
            if let Some(direction) = request.direction {
                tangent(shape, request.weights, direction, &features, &scratch, &mut along);
                for (u, d) in scratch.output.iter_mut().zip(&along.output) {
                    for l in 0..L {
                        u[l] += d[l];
                    }
                }
            }
            if request.fields {
                self.apply_distance::<L>(block, &scratch.output, &mut jets[first..], padded);
            }
            if let (Some(plan), Some(jacobian)) = (request.plan, part.jacobian.as_mut()) {
                let seed = self.seed::<L>(shape, request.channel, block);
                backward(shape, request.weights, &seed, &mut scratch);
                coefficient_columns(shape, request.weights, plan, &scratch, &mut coefficients);
                let valid = L.min(part.values.len() - first);
                for (k, &source) in plan.sources.iter().enumerate() {
                    let lanes = entry(
                        shape,
                        request.weights,
                        &features,
                        &scratch,
                        &coefficients,
                        &seed,
                        source,
                    );
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
        }
        if request.fields {
            self.store_fields(request.time, &mut jets, padded, part);
        }
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
        for c in 0..self.jets.len() {
            jets[c * stride..c * stride + L].fill(T::ZERO);
        }
        for t in self.jets.products() {
            let (d, n) = (&distance[t.a as usize], &network[t.b as usize]);
            let to = &mut jets[t.c as usize * stride..][..L];
            for l in 0..L {
                to[l] = d[l].fma(n[l], to[l]);
            }
        }
    }

    /// Adds the lift, turns Taylor coefficients into derivatives and evaluates the equation.
    #[inline(always)]
    fn store_fields(&self, time: f64, jets: &mut [T], stride: usize, mut part: Part<'_, T>) {
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

const _: () = assert!(MAX_COEFFICIENTS >= 6, "order 4 and its slope");
