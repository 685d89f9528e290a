//! The passes of an operator over a run of points.

use std::ops::Range;

use faer::MatMut;

use super::head::HeadScratch;
use super::{Operator, Unpacked, padded};
use crate::evaluate::cpu::backward::{
    Coefficients, ColumnPlan, backward, coefficient_columns, entry,
};
use crate::evaluate::cpu::block::{Features, Scratch, Shape};
use crate::evaluate::cpu::features::layout;
use crate::evaluate::cpu::forward::forward;
use crate::evaluate::jet::JetSet;
use crate::evaluate::program::Rows;
use crate::network::Network;
use crate::scalar::Real;

/// A network made ready for Jacobians by every parameter.
pub struct Compiled {
    network: Network,
    plan: ColumnPlan,
}

impl Compiled {
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let columns: Vec<u32> = (0..network.parameters() as u32).collect();
        Self { network: network.clone(), plan: ColumnPlan::new(network, &columns) }
    }

    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }
}

/// What a sweep leaves behind of the rows' derivatives by the parameters.
pub enum Rate<'a, 'm> {
    None,
    /// Rows of J: one matrix of the run's points by p per expression, from expression `first` on.
    Rows {
        first: usize,
        matrices: &'a mut [MatMut<'m, f64>],
    },
    /// `sum_i w_i J_i`: the weights per expression and point, and where the sum is added.
    Sum {
        weights: &'a [&'a [f64]],
        out: &'a mut [f64],
    },
}

/// Lanes of a block of points from the front of the run.
struct Run<'a, const L: usize, T> {
    first: usize,
    valid: usize,
    features: Features<'a, T, L>,
    rows: Rows<'a, T>,
}

impl<T: Real> Operator<T> {
    /// The residuals of the points in `range` (which begins at a multiple of the lanes) go to
    /// `out`, one slice per expression. For an energy the density, in the first slice.
    pub fn values(
        &self,
        network: &Compiled,
        at: &Unpacked<T>,
        range: Range<usize>,
        out: &mut [&mut [f64]],
    ) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || match T::LANES {
                8 => self.run_values::<8>(network, at, range, out),
                _ => self.run_values::<16>(network, at, range, out),
            },
        );
    }

    /// As [`Operator::values`] (for an energy the rows of its factored form), and the derivatives
    /// by the parameters.
    pub fn rates(
        &self,
        network: &Compiled,
        at: &Unpacked<T>,
        range: Range<usize>,
        values: &mut [&mut [f64]],
        rate: &mut Rate<'_, '_>,
    ) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || match T::LANES {
                8 => self.run_rates::<8>(network, at, range, values, rate),
                _ => self.run_rates::<16>(network, at, range, values, rate),
            },
        );
    }

    /// The blocks of a run on one of the sides.
    #[inline(always)]
    fn blocks<'a, const L: usize>(
        &'a self,
        network: &Network,
        side: usize,
        range: Range<usize>,
    ) -> impl Iterator<Item = Run<'a, L, T>> {
        debug_assert!(range.start % L == 0, "runs begin at whole blocks");
        let side = &self.sides[side];
        let stride = padded::<T>(self.points);
        let (per_block, periodic) = layout(network.inputs());
        let features = side.features.as_chunks::<L>().0;
        range.clone().step_by(L).map(move |start| {
            let block = start / L;
            Run {
                first: start - range.start,
                valid: L.min(range.end - start),
                features: Features {
                    lanes: &features[block * per_block..(block + 1) * per_block],
                    periodic,
                },
                rows: Rows { data: &side.rows[start..], stride },
            }
        })
    }

    #[inline(always)]
    fn run_values<const L: usize>(
        &self,
        network: &Compiled,
        at: &Unpacked<T>,
        range: Range<usize>,
        out: &mut [&mut [f64]],
    ) {
        let jets = self.head.jets();
        let shape = Shape::new(&network.network, jets.clone(), 0, jets.prefix(1));
        let mut scratch = Scratch::<T, L>::new(&shape);
        let mut head = HeadScratch::<T, L>::new(&self.head);
        let scale = if self.head.is_energy() { 1.0 } else { self.scale };
        for (number, side) in self.sides.iter().enumerate() {
            for run in self.blocks::<L>(&network.network, number, range.clone()) {
                forward(&shape, &at.0, &run.features, &mut scratch);
                head.evaluate(&self.head, &scratch.output, run.rows);
                for (slice, lanes) in out.iter_mut().zip(&head.values) {
                    add(slice, &run, lanes, scale * side.sign, number > 0);
                }
            }
        }
    }

    #[inline(always)]
    fn run_rates<const L: usize>(
        &self,
        network: &Compiled,
        at: &Unpacked<T>,
        range: Range<usize>,
        values: &mut [&mut [f64]],
        rate: &mut Rate<'_, '_>,
    ) {
        let jets: &JetSet = self.head.jets();
        let shape = Shape::new(&network.network, jets.clone(), jets.len(), jets.clone());
        let mut scratch = Scratch::<T, L>::new(&shape);
        let mut head = HeadScratch::<T, L>::new(&self.head);
        let mut coefficients = Coefficients::new();
        for (number, side) in self.sides.iter().enumerate() {
            let scale = T::of(self.scale * side.sign);
            for run in self.blocks::<L>(&network.network, number, range.clone()) {
                forward(&shape, &at.0, &run.features, &mut scratch);
                head.differentiate(&self.head, &scratch.output, run.rows, scale);
                for (slice, lanes) in values.iter_mut().zip(&head.values) {
                    add(slice, &run, lanes, 1.0, number > 0);
                }
                if let Rate::Sum { weights, .. } = rate {
                    head.combine(weights, run.first, run.valid);
                }
                let sweeps = match rate {
                    Rate::None => 0..0,
                    Rate::Rows { first, matrices } => *first..*first + matrices.len(),
                    Rate::Sum { .. } => 0..1,
                };
                for q in sweeps {
                    let seed = &head.seeds[q];
                    backward(&shape, &at.0, seed, &mut scratch);
                    coefficient_columns(&shape, &at.0, &network.plan, &scratch, &mut coefficients);
                    for (k, &source) in network.plan.sources.iter().enumerate() {
                        let lanes = entry(
                            &shape,
                            &at.0,
                            &run.features,
                            &scratch,
                            &coefficients,
                            seed,
                            source,
                        );
                        rate.store(q, k, &run, &lanes, number > 0);
                    }
                }
            }
        }
    }
}

impl Rate<'_, '_> {
    #[inline(always)]
    fn store<T: Real, const L: usize>(
        &mut self,
        q: usize,
        column: usize,
        run: &Run<'_, L, T>,
        lanes: &[T; L],
        accumulate: bool,
    ) {
        match self {
            Self::None => {}
            Self::Rows { first, matrices } => {
                let column = matrices[q - *first].as_mut().col_mut(column);
                let column = column.try_as_col_major_mut().expect("contiguous columns");
                add(column.as_slice_mut(), run, lanes, 1.0, accumulate);
            }
            Self::Sum { out, .. } => {
                let mut sum = 0.0;
                for lane in lanes {
                    sum += lane.to_f64();
                }
                out[column] += sum;
            }
        }
    }
}

/// `to = factor lanes`, or `to += factor lanes`, for the points of the block that exist.
#[inline(always)]
fn add<T: Real, const L: usize>(
    to: &mut [f64],
    run: &Run<'_, L, T>,
    lanes: &[T; L],
    factor: f64,
    accumulate: bool,
) {
    let to = &mut to[run.first..run.first + run.valid];
    // A whole block is one loop of known length; only the last one may be shorter.
    if let Some(to) = to.as_mut_array::<L>() {
        for l in 0..L {
            let value = factor * lanes[l].to_f64();
            to[l] = if accumulate { to[l] + value } else { value };
        }
        return;
    }
    for (to, lane) in to.iter_mut().zip(lanes) {
        let value = factor * lane.to_f64();
        *to = if accumulate { *to + value } else { value };
    }
}
