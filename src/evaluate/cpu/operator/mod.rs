//! Differential operators of the network at fixed points, and their parameter Jacobians by one
//! reverse sweep over all channels of the jet per row.
//!
//! [`head`] turns a point's channels into rows of the residual and seeds, [`prepare`] makes
//! equations cheap, [`sweep`] runs over blocks of points.

mod head;
mod prepare;
mod sweep;
#[cfg(test)]
mod tests;

pub use head::Head;
pub use sweep::{Compiled, Rate};

use super::features::lane_features;
use super::weights::Weights;
use crate::evaluate::program::Rows;
use crate::network::Network;
use crate::scalar::Real;

/// A set of points, and how the rows there count.
#[derive(Clone, Debug)]
struct Side<T> {
    sign: f64,
    /// Per block, as [`super::block::Features`] reads them.
    features: Vec<T>,
    /// Coordinates, given rows, then what the head knows: one padded row each.
    rows: Vec<T>,
}

/// An operator at points, in precision `T`. Rows are ordered expression by expression: row
/// `q n + i` is expression q at point i.
#[derive(Clone, Debug)]
pub struct Operator<T> {
    head: Head,
    sides: Vec<Side<T>>,
    points: usize,
    /// Factor of every row.
    scale: f64,
}

/// Where an operator is looked at.
#[derive(Clone, Copy, Debug)]
pub struct OperatorPoints<'a> {
    /// Point-major.
    pub coordinates: &'a [f64],
    /// The other point of each pair, where rows are differences between the two.
    pub partners: Option<&'a [f64]>,
    /// Rows of numbers behind the coordinates, one per point each.
    pub given: &'a [&'a [f64]],
}

impl<T: Real> Operator<T> {
    /// `scale` multiplies every row.
    ///
    /// # Panics
    /// When there are no points, or lists of different lengths.
    #[must_use]
    pub fn new(network: &Network, head: Head, points: OperatorPoints<'_>, scale: f64) -> Self {
        let dimensions = network.inputs().len();
        let count = points.coordinates.len() / dimensions;
        assert!(count > 0 && points.given.iter().all(|row| row.len() == count), "points");
        let side = |coordinates: &[f64], sign: f64| -> Side<T> {
            let padded = padded::<T>(count);
            let at = |i: usize| {
                let i = i.min(count - 1);
                &coordinates[i * dimensions..(i + 1) * dimensions]
            };
            let mut rows: Vec<f64> =
                (0..dimensions).flat_map(|k| (0..padded).map(move |i| at(i)[k])).collect();
            let input = Rows { data: &rows, stride: padded };
            let features = lane_features(network.inputs(), input, padded / T::LANES);
            for row in points.given {
                rows.extend((0..padded).map(|i| row[i.min(count - 1)]));
            }
            for expression in head.known() {
                rows.extend((0..padded).map(|i| expression.evaluate_at(at(i), 0.0, &[])));
            }
            Side { sign, features, rows: rows.into_iter().map(T::of).collect() }
        };
        let mut sides = vec![side(points.coordinates, 1.0)];
        sides.extend(points.partners.map(|partners| side(partners, -1.0)));
        Self { sides, points: count, scale, head }
    }

    /// Points (or pairs).
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Rows of the residual.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.points * self.head.rows()
    }

    /// Factor of every row.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }
}

fn padded<T: Real>(points: usize) -> usize {
    points.div_ceil(T::LANES) * T::LANES
}

/// A parameter vector in the form that the kernels read.
pub struct Unpacked<T>(Weights<T>);

impl<T: Real> Unpacked<T> {
    #[must_use]
    pub fn new(network: &Network, theta: &[f64]) -> Self {
        assert_eq!(theta.len(), network.parameters(), "parameters of the network");
        Self(Weights::unpack(network, theta))
    }
}
