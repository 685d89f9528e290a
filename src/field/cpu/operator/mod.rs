//! Differential operators of the network at fixed points, and their parameter Jacobians by one
//! reverse sweep over all channels of the jet per row.
//!
//! `run` goes over tiles of points, `host` does the head alone for jets that a GPU computed.

mod host;
mod run;

pub use host::HeadResults;
pub use run::{Rate, Run};

use super::features::features;
use super::head::Head;
use crate::network::Network;
use crate::scalar::Real;

/// A set of points, and how the rows there count.
#[derive(Clone, Debug)]
struct Side<T> {
    sign: f64,
    /// Taylor coefficients of the embedding's features: block by block, channel by channel,
    /// feature by feature, lanes together.
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
    /// Factor of the rows of each point, padded.
    scales: Vec<T>,
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
    /// What the square of each point's rows counts in the loss.
    pub weights: &'a [f64],
}

impl<T: Real> Operator<T> {
    /// # Panics
    /// When there are no points, or lists of different lengths.
    #[must_use]
    pub fn new(network: &Network, head: Head, points: OperatorPoints<'_>) -> Self {
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
            let features = features::<T>(network, head.jets(), (0..padded).map(at));
            for row in points.given {
                rows.extend((0..padded).map(|i| row[i.min(count - 1)]));
            }
            // What the caller brings along stands behind the coordinates here, too.
            let known_at = |i: usize| -> Vec<f64> {
                let given = points.given.iter().map(|row| row[i.min(count - 1)]);
                at(i).iter().copied().chain(given).collect()
            };
            for expression in head.known() {
                rows.extend((0..padded).map(|i| expression.evaluate_at(&known_at(i), 0.0, &[])));
            }
            Side { sign, features, rows: rows.into_iter().map(T::of).collect() }
        };
        let mut sides = vec![side(points.coordinates, 1.0)];
        sides.extend(points.partners.map(|partners| side(partners, -1.0)));
        let mut operator = Self { sides, points: count, scales: Vec::new(), head };
        operator.set_weights(points.weights);
        operator
    }

    /// Replaces what the square of each point's rows counts in the loss.
    ///
    /// # Panics
    /// Unless there is one weight per point.
    pub fn set_weights(&mut self, weights: &[f64]) {
        let count = self.points;
        assert_eq!(weights.len(), count, "a weight per point");
        let scale = |i: usize| T::of(weights[i.min(count - 1)].sqrt());
        self.scales = (0..padded::<T>(count)).map(scale).collect();
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

    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }
}

fn padded<T: Real>(points: usize) -> usize {
    points.div_ceil(T::LANES) * T::LANES
}
