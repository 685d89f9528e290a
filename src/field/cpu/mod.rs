//! The ansatz on the CPU in f32 or f64: fast in its own right, and the oracle of the GPU.
//!
//! Points are taken in blocks of as many as fit a SIMD register; the passes over a block
//! ([`forward`], [`backward`], [`tangent`]) keep everything in caches and are compiled once per
//! instruction set; threads take runs of blocks. A [`Linearisation`] keeps the forward passes at
//! some parameters for the Jacobian and the tangents there.

// Lanes are indexed side by side in several arrays: one plain counted loop is what vectorises.
#![allow(clippy::needless_range_loop)]

mod activation;
mod backward;
mod block;
mod forward;
mod implicit;
mod lanes;
mod linearisation;
pub mod operator;
mod output;
mod product;
mod rates;
mod sweep;
mod tangent;
mod weights;

#[cfg(test)]
mod tests;

use faer::MatMut;

use super::ansatz::Ansatz;
use super::jet::JetSet;
use super::program::{Program, Rows};
use crate::network::{Input, Network};
use crate::problem::Problem;
use crate::scalar::Real;
use backward::ColumnPlan;
use output::Output;
use sweep::{Request, Wanted};
use tangent::Direction;
use weights::Weights;

pub use implicit::ImplicitColumns;
pub use linearisation::Linearisation;

/// u and the right-hand side of the ansatz' equation at every point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// u(x_i).
    pub values: Vec<f64>,
    /// F(x_i, t, u, ...) minus the lift's own rate of change: what J v has to match.
    pub right_hand_side: Vec<f64>,
}

/// Evaluates one problem's ansatz at fixed points in precision `T`.
#[derive(Clone)]
pub struct Evaluator<T> {
    network: Network,
    jets: JetSet,
    /// The jet of the value alone, and with the first derivatives.
    value: JetSet,
    first: JetSet,
    points: usize,
    /// Coordinate by coordinate, padded to whole blocks by repeating the last point, so that
    /// padding never makes a NaN of its own.
    coordinates: Vec<f64>,
    ansatz: Ansatz,
    right_hand_side: Program,
    /// dF/d(channel) for every channel of the jet.
    sensitivities: Program,
    parameters: Vec<f64>,
    /// Per block: the embedding's features, lane by lane (see [`block::Features`]).
    features: Vec<T>,
    /// Per block: Taylor coefficients of the distance per channel; empty where it is 1.
    distance: Vec<T>,
}

impl<T: Real> Evaluator<T> {
    /// `coordinates` is point-major: the coordinates of the first point, of the second, ...
    #[must_use]
    pub fn new(problem: &Problem, network: &Network, coordinates: &[f64]) -> Self {
        let dimensions = network.inputs().len();
        let jets = JetSet::closure(dimensions, problem.right_hand_side.channels());
        Self::with_jets(problem, network, coordinates, jets)
    }

    /// As [`Evaluator::new`], with channels of the caller's choice beside the equation's.
    #[must_use]
    pub fn with_jets(
        problem: &Problem,
        network: &Network,
        coordinates: &[f64],
        jets: JetSet,
    ) -> Self {
        let dimensions = network.inputs().len();
        let points = coordinates.len() / dimensions;
        assert_eq!(points * dimensions, coordinates.len(), "whole points");
        let wanted = problem.right_hand_side.channels();
        let jets = JetSet::closure(dimensions, wanted.into_iter().chain(jets.channels().to_vec()));
        let first = (0..jets.len()).take_while(|&c| jets.channel_order(c) <= 1).count();
        let padded = points.div_ceil(T::LANES) * T::LANES;
        let at = |i: usize, k: usize| coordinates[i.min(points - 1) * dimensions + k];
        let mut evaluator = Self {
            network: network.clone(),
            points,
            coordinates: (0..dimensions).flat_map(|k| (0..padded).map(move |i| at(i, k))).collect(),
            right_hand_side: Program::compile(
                std::slice::from_ref(&problem.right_hand_side),
                jets.channels(),
            ),
            sensitivities: rates::sensitivities(&problem.right_hand_side, &jets),
            parameters: problem.parameter_values(),
            features: Vec::new(),
            distance: Vec::new(),
            ansatz: Ansatz::new(problem, &jets),
            value: jets.prefix(1),
            first: jets.prefix(first),
            jets,
        };
        evaluator.features = evaluator.block_features();
        evaluator.distance = evaluator.block_distance();
        evaluator
    }

    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    #[must_use]
    pub fn jets(&self) -> &JetSet {
        &self.jets
    }

    /// Values of the named parameters, in the problem's order (sliders change them).
    pub fn set_parameters(&mut self, values: &[f64]) {
        self.parameters = values.to_vec();
        self.ansatz.set_parameters(values);
    }

    /// u and the right-hand side at every point.
    #[must_use]
    pub fn field(&self, theta: &[f64], time: f64) -> Field {
        let weights = Weights::unpack(&self.network, theta);
        let mut out = Output::fields(self.points);
        self.sweep(&Request::new(&weights, time), &mut out);
        out.into_field()
    }

    /// u at every point.
    #[must_use]
    pub fn values(&self, theta: &[f64], time: f64) -> Vec<f64> {
        let weights = Weights::unpack(&self.network, theta);
        let mut out = Output::fields(self.points);
        self.sweep(&Request { wanted: Wanted::Values, ..Request::new(&weights, time) }, &mut out);
        out.values
    }

    /// u and the right-hand side of the field u(theta) + d/d eps u(theta + eps direction): a point
    /// of the tangent space at theta.
    #[must_use]
    pub fn field_along(&self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        let weights = Weights::unpack(&self.network, theta);
        let along = Direction::unpack(&self.network, direction);
        let mut out = Output::fields(self.points);
        self.sweep(&Request { direction: Some(&along), ..Request::new(&weights, time) }, &mut out);
        out.into_field()
    }

    /// Every derivative of the jet set at every point: one vector per channel.
    #[must_use]
    pub fn derivatives(&self, theta: &[f64], time: f64) -> Vec<Vec<f64>> {
        let weights = Weights::unpack(&self.network, theta);
        let mut out = Output::fields(self.points);
        out.derivatives = vec![vec![0.0; self.points]; self.jets.len()];
        self.sweep(&Request::new(&weights, time), &mut out);
        out.derivatives
    }

    /// The chosen columns of the Jacobian of one channel's derivative by the parameters, as
    /// points x columns, and the field itself.
    ///
    /// `channel` counts in [`Evaluator::jets`]; 0 is u.
    #[must_use]
    pub fn jacobian(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        channel: usize,
        out: MatMut<'_, T>,
    ) -> Field {
        assert_eq!((out.nrows(), out.ncols()), (self.points, columns.len()), "shape of J");
        let weights = Weights::unpack(&self.network, theta);
        let plan = ColumnPlan::new(&self.network, &weights, columns);
        let mut output = Output::fields(self.points);
        output.jacobian = Some(out);
        let request = Request { plan: Some(&plan), channel, ..Request::new(&weights, time) };
        self.sweep(&request, &mut output);
        output.into_field()
    }

    /// [`Evaluator::jacobian`] without the field: the sweep carries the channels up to `channel`'s
    /// order alone, whatever the equation needs.
    pub fn columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        channel: usize,
        out: MatMut<'_, T>,
    ) {
        assert_eq!((out.nrows(), out.ncols()), (self.points, columns.len()), "shape of J");
        let weights = Weights::unpack(&self.network, theta);
        let plan = ColumnPlan::new(&self.network, &weights, columns);
        let mut output = Output::fields(self.points);
        output.jacobian = Some(out);
        let wanted = Wanted::Nothing;
        let request =
            Request { plan: Some(&plan), channel, wanted, ..Request::new(&weights, time) };
        self.sweep(&request, &mut output);
    }

    /// Points including the padding.
    fn padded(&self) -> usize {
        self.points.div_ceil(T::LANES) * T::LANES
    }

    fn blocks(&self) -> usize {
        self.points.div_ceil(T::LANES)
    }

    /// One row per coordinate, from point `first` on.
    fn coordinate_rows(&self, first: usize) -> Rows<'_, f64> {
        Rows { data: &self.coordinates[first..], stride: self.padded() }
    }

    fn block_features(&self) -> Vec<T> {
        let inputs = self.network.inputs();
        let mut features = Vec::with_capacity(self.blocks() * inputs.len() * 2 * T::LANES);
        for block in 0..self.blocks() {
            let lanes = |k: usize| {
                let first = k * self.padded() + block * T::LANES;
                self.coordinates[first..first + T::LANES].iter()
            };
            for (k, input) in inputs.iter().enumerate() {
                if let Input::Periodic { period } = input {
                    let angle = |x: &f64| std::f64::consts::TAU * x / period;
                    features.extend(lanes(k).map(|x| T::of(angle(x).cos())));
                    features.extend(lanes(k).map(|x| T::of(angle(x).sin())));
                }
            }
            for (k, input) in inputs.iter().enumerate() {
                if let Input::Linear { lower, upper } = *input {
                    let scaled = |x: &f64| 2.0 * (x - lower) / (upper - lower) - 1.0;
                    features.extend(lanes(k).map(|x| T::of(scaled(x))));
                }
            }
        }
        features
    }

    fn block_distance(&self) -> Vec<T> {
        let Some(rows) = self.ansatz.distance(self.coordinate_rows(0), self.padded()) else {
            return Vec::new();
        };
        let mut table = Vec::with_capacity(rows.len());
        for block in 0..self.blocks() {
            for c in 0..self.jets.len() {
                let first = c * self.padded() + block * T::LANES;
                table.extend(rows[first..first + T::LANES].iter().map(|&v| T::of(v)));
            }
        }
        table
    }
}
