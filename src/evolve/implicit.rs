//! Least squares on the CPU where the Jacobian is better not stored.

use std::convert::Infallible;

use nalgebra::DMatrix;

use super::columns::weigh_rows;
use super::engine::Engine;
use super::error::AttemptError;
use super::evaluators::Evaluators;
use crate::field::cpu::{Evaluator, Field, ImplicitColumns, Kernel};
use crate::linalg::{
    LeastSquares, LeastSquaresError, MatrixFreeError, RowSample, Solution, TallOperator, Unstored,
};
use crate::network::Network;
use crate::problem::Problem;

/// J by sweeps over the points.
struct Implicit<'a, T>(ImplicitColumns<'a, T>);

impl<T: Kernel> TallOperator for Implicit<'_, T> {
    type Error = Infallible;

    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn columns(&self) -> usize {
        self.0.count()
    }

    async fn multiply(&mut self, v: &[f64], out: &mut [f64]) -> Result<(), Infallible> {
        self.0.multiply(v, out);
        Ok(())
    }

    async fn multiply_transposed(&mut self, w: &[f64], out: &mut [f64]) -> Result<(), Infallible> {
        self.0.multiply_transposed(w, out);
        Ok(())
    }

    async fn multiply_both(
        &mut self,
        v: &[f64],
        alpha: f64,
        u: &mut [f64],
        out: &mut [f64],
    ) -> Result<(), Infallible> {
        self.0.multiply_both(v, alpha, u, out);
        Ok(())
    }
}

impl Engine {
    /// Field and solution of `min |J v - F|` without storing J; `None` where there is a device, where
    /// rows have weights, or where `squares` would rather have J itself. The field at theta is `known`, or computed here.
    ///
    /// # Errors
    /// When the least-squares problem has no solution.
    pub async fn solve_unstored(
        &mut self,
        at: (&[f64], f64),
        columns: &[u32],
        squares: &mut LeastSquares,
        epoch: u64,
        known: Option<&Field>,
    ) -> Result<Option<(Field, Solution)>, AttemptError> {
        let unstored = squares.unstored(self.rows(), columns.len(), epoch);
        let Some(unstored) = unstored.filter(|_| self.gpu().is_none() && self.weights().is_empty())
        else {
            return Ok(None);
        };
        let field = match known {
            Some(field) => field.clone(),
            None => self.field(at.0, at.1).await?,
        };
        let rate = field.right_hand_side.as_slice();
        let (problem, network, coordinates) = (&self.problem, &self.network, &self.coordinates);
        let linear = Linear { problem, network, coordinates, at, chosen: columns, rate };
        let solution = match &self.evaluators {
            Evaluators::Single(host) | Evaluators::Mixed { jacobian: host, .. } => {
                linear.solve(&host.evaluator, squares, &unstored, epoch).await?
            }
            Evaluators::Double(host) => {
                linear.solve(&host.evaluator, squares, &unstored, epoch).await?
            }
            Evaluators::Device(_) | Evaluators::Beside { .. } => return Ok(None),
        };
        Ok(Some((field, solution)))
    }
}

/// A least-squares problem `min |J v - rate|^2 + lambda^2 |v|^2` over chosen columns.
struct Linear<'a> {
    problem: &'a Problem,
    network: &'a Network,
    /// Of all points.
    coordinates: &'a [f64],
    /// theta and the time.
    at: (&'a [f64], f64),
    chosen: &'a [u32],
    rate: &'a [f64],
}

impl Linear<'_> {
    /// The solution; of J no more is ever stored than the rows that a sample has drawn.
    ///
    /// # Errors
    /// When the problem has no solution.
    async fn solve<T: Kernel>(
        &self,
        evaluator: &Evaluator<T>,
        squares: &mut LeastSquares,
        how: &Unstored,
        epoch: u64,
    ) -> Result<Solution, LeastSquaresError> {
        let mut operator = Implicit(ImplicitColumns::new(evaluator, self.at.0, self.chosen));
        let sample = match how {
            Unstored::Products => {
                return squares.solve_by_products(&mut operator, self.rate, epoch);
            }
            Unstored::Sampled(sample) => sample,
        };
        let rows = self.rows::<T>(sample);
        let solved = squares.solve_sampled_free(&mut operator, sample, rows.as_view(), self.rate);
        solved.await.map_err(|error| match error {
            MatrixFreeError::LeastSquares(error) => error,
            MatrixFreeError::Operator(never) => match never {},
        })
    }

    /// The sampled rows of J, with their weights.
    fn rows<T: Kernel>(&self, sample: &RowSample) -> DMatrix<T> {
        let (dimensions, picks) = (self.network.inputs().len(), sample.picks());
        let points = self.coordinates.len() / dimensions;
        let place = |row: u32| {
            let point = row as usize % points;
            &self.coordinates[point * dimensions..][..dimensions]
        };
        let places: Vec<f64> = picks.iter().flat_map(|&(row, _)| place(row)).copied().collect();
        let evaluator = Evaluator::<T>::new(self.problem, self.network, &places);
        let (theta, time) = self.at;
        let mut all = DMatrix::repeat(evaluator.rows(), self.chosen.len(), T::ZERO);
        evaluator.columns(theta, time, self.chosen, 0, all.as_view_mut());
        // At a picked row's point every unknown was computed: one of them was picked.
        let mut rows = all;
        if self.network.outputs() > 1 {
            let from = |i: usize| picks[i].0 as usize / points * picks.len() + i;
            rows = DMatrix::from_fn(picks.len(), self.chosen.len(), |i, k| rows[(from(i), k)]);
        }
        let weights: Vec<f64> = picks.iter().map(|pick| pick.1).collect();
        weigh_rows(&mut rows, &weights);
        rows
    }
}
