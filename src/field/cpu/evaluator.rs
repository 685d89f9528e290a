//! The ansatz of an evolution at fixed points: u, its right-hand side, tangents and columns.

use nalgebra::DMatrixViewMut;

use super::columns::Plan;
use super::features::features;
use super::head::Head;
use super::kernel::Kernel;
use super::output::Output;
use super::sweep::{Request, Seed, Wanted};
use super::tangent::Direction;
use super::weights::Weights;
use crate::ansatz::Ansatz;
use crate::jet::JetSet;
use crate::linalg::row_blocks;
use crate::network::Network;
use crate::problem::Problem;
use crate::problem::expression::Expression;
use crate::program::Rows;

/// The unknowns and the right-hand sides of the ansatz' equations at every point: a row of points
/// for one unknown after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// u(x_i): entry `q n + i` for unknown q.
    pub values: Vec<f64>,
    /// F(x_i, t, u, ...) minus the lift's own rate of change: what J v has to match.
    pub right_hand_side: Vec<f64>,
}

/// Evaluates one problem's ansatz at fixed points in precision `T`.
#[derive(Clone)]
pub struct Evaluator<T> {
    pub(super) network: Network,
    pub(super) jets: JetSet,
    /// The jet of the value alone, and with the first derivatives.
    pub(super) value: JetSet,
    pub(super) first: JetSet,
    pub(super) points: usize,
    /// Coordinate by coordinate, padded to whole blocks by repeating the last point, so that
    /// padding never makes a NaN of its own.
    pub(super) coordinates: Vec<f64>,
    pub(super) ansatz: Ansatz,
    pub(super) right_hand_side: Head,
    pub(super) parameters: Vec<f64>,
    /// Per block: the embedding's features, with all channels.
    pub(super) features: Vec<T>,
    /// Per block: Taylor coefficients of each unknown's distance per channel; empty where it is 1.
    pub(super) distance: Vec<T>,
}

impl<T: Kernel> Evaluator<T> {
    /// `coordinates` is point-major: the coordinates of the first point, of the second, ...
    #[must_use]
    pub fn new(problem: &Problem, network: &Network, coordinates: &[f64]) -> Self {
        let dimensions = network.inputs().len();
        let wanted = problem.right_hand_side.iter().flat_map(Expression::channels);
        let jets = JetSet::closure(dimensions, wanted);
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
        let wanted = problem.right_hand_side.iter().flat_map(Expression::channels);
        let jets = JetSet::closure(dimensions, wanted.chain(jets.channels().to_vec()));
        let first = (0..jets.len()).take_while(|&c| jets.channel_order(c) <= 1).count();
        let padded = points.div_ceil(T::LANES) * T::LANES;
        let point = |i: usize| &coordinates[i.min(points - 1) * dimensions..][..dimensions];
        let mut evaluator = Self {
            network: network.clone(),
            points,
            coordinates: (0..dimensions)
                .flat_map(|k| (0..padded).map(move |i| point(i)[k]))
                .collect(),
            right_hand_side: Head::right_hand_side(&problem.right_hand_side, jets.clone()),
            parameters: problem.parameter_values(),
            features: features(network, &jets, (0..padded).map(point)),
            distance: Vec::new(),
            ansatz: Ansatz::new(problem, &jets),
            value: jets.prefix(1),
            first: jets.prefix(first),
            jets,
        };
        evaluator.distance = evaluator.block_distance();
        evaluator
    }

    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// m.
    #[must_use]
    pub fn unknowns(&self) -> usize {
        self.network.outputs()
    }

    /// n m: the rows of a Jacobian, those of one unknown after the other.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.points * self.unknowns()
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
        self.distance = self.block_distance();
    }

    /// u and the right-hand side at every point.
    #[must_use]
    pub fn field(&self, theta: &[f64], time: f64) -> Field {
        let weights = Weights::forward(&self.network, theta);
        let mut out = Output::fields(self.points, self.unknowns());
        self.sweep(&Request::new(&weights, time), &mut out);
        out.into_field()
    }

    /// u at every point.
    #[must_use]
    pub fn values(&self, theta: &[f64], time: f64) -> Vec<f64> {
        let weights = Weights::forward(&self.network, theta);
        let mut out = Output::fields(self.points, self.unknowns());
        self.sweep(&Request { wanted: Wanted::Values, ..Request::new(&weights, time) }, &mut out);
        out.values
    }

    /// u and the right-hand side of the field u(theta) + d/d eps u(theta + eps direction): a point
    /// of the tangent space at theta.
    #[must_use]
    pub fn field_along(&self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        let weights = Weights::forward(&self.network, theta);
        let along = Direction::new(&self.network, &weights, direction);
        let mut out = Output::fields(self.points, self.unknowns());
        self.sweep(&Request { direction: Some(&along), ..Request::new(&weights, time) }, &mut out);
        out.into_field()
    }

    /// Every derivative of the jet set at every point: one vector per unknown and channel.
    #[must_use]
    pub fn derivatives(&self, theta: &[f64], time: f64) -> Vec<Vec<f64>> {
        let weights = Weights::forward(&self.network, theta);
        let mut out = Output::fields(self.points, self.unknowns());
        out.derivatives = vec![vec![0.0; self.points]; self.unknowns() * self.jets.len()];
        self.sweep(&Request::new(&weights, time), &mut out);
        out.derivatives
    }

    /// The chosen columns of the Jacobian of one channel's derivative of every unknown by the
    /// parameters, as rows x columns, and the field itself.
    ///
    /// `channel` counts in [`Evaluator::jets`]; 0 is u.
    #[must_use]
    pub fn jacobian(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        channel: usize,
        out: DMatrixViewMut<'_, T>,
    ) -> Field {
        let out = row_blocks(out, self.points);
        self.swept_back(theta, time, columns, Seed::Channel(channel), Wanted::Fields, out)
    }

    /// [`Evaluator::jacobian`] without the field: the sweep carries the channels up to `channel`'s
    /// order alone, whatever the equation needs.
    pub fn columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        channel: usize,
        out: DMatrixViewMut<'_, T>,
    ) {
        self.columns_of_each(theta, time, columns, channel, row_blocks(out, self.points));
    }

    /// [`Evaluator::columns`] with a matrix for each unknown.
    pub fn columns_of_each(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        channel: usize,
        out: Vec<DMatrixViewMut<'_, T>>,
    ) {
        self.swept_back(theta, time, columns, Seed::Channel(channel), Wanted::Nothing, out);
    }

    /// The chosen columns of A = dF/dtheta as rows x columns, F the equations' right-hand sides of
    /// the ansatz at `theta` and `time`:
    ///
    /// ```text
    /// A_ik = sum over unknowns u and channels c of dF/du_c(x_i) du_c(x_i)/dtheta_k
    /// ```
    ///
    /// one sweep back per unknown, seeded with the symbolic dF/du_c. The lift's rate of change, which
    /// [`Evaluator::field`] subtracts from F, does not depend on theta and adds nothing.
    pub fn rate_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        out: DMatrixViewMut<'_, T>,
    ) {
        let out = row_blocks(out, self.points);
        self.swept_back(theta, time, columns, Seed::RightHandSide, Wanted::Nothing, out);
    }

    fn swept_back(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        seed: Seed,
        wanted: Wanted,
        out: Vec<DMatrixViewMut<'_, T>>,
    ) -> Field {
        let fits = |m: &DMatrixViewMut<'_, T>| m.shape() == (self.points, columns.len());
        assert!(out.len() == self.unknowns() && out.iter().all(fits), "shape of J");
        let weights = Weights::new(&self.network, theta);
        let plan = Plan::new(&self.network, columns);
        let mut output = Output::fields(self.points, self.unknowns());
        output.jacobian = out;
        let back = Some((&plan, seed));
        let request = Request { back, wanted, ..Request::new(&weights, time) };
        self.sweep(&request, &mut output);
        output.into_field()
    }

    /// Points including the padding.
    pub(super) fn padded(&self) -> usize {
        self.points.div_ceil(T::LANES) * T::LANES
    }

    pub(super) fn blocks(&self) -> usize {
        self.points.div_ceil(T::LANES)
    }

    /// One row per coordinate, from point `first` on.
    pub(super) fn coordinate_rows(&self, first: usize) -> Rows<'_, f64> {
        Rows { data: &self.coordinates[first..], stride: self.padded() }
    }

    fn block_distance(&self) -> Vec<T> {
        let Some(rows) = self.ansatz.distance(self.coordinate_rows(0), self.padded()) else {
            return Vec::new();
        };
        let mut table = Vec::with_capacity(rows.len());
        for block in 0..self.blocks() {
            for row in 0..self.network.outputs() * self.jets.len() {
                let first = row * self.padded() + block * T::LANES;
                table.extend(rows[first..first + T::LANES].iter().map(|&v| T::of(v)));
            }
        }
        table
    }
}
