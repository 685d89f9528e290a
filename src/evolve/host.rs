//! The evaluators on the CPU.

use nalgebra::DMatrix;

use super::columns::{Columns, Stored};
use crate::field::cpu::{self, Field, Linearisation};
use crate::network::Network;
use crate::problem::Problem;

/// The CPU evaluator of one precision, and where it was linearised last.
pub(super) struct Host<T> {
    pub evaluator: cpu::Evaluator<T>,
    at: Linearisation<T>,
}

/// What an evaluator on the CPU gives, whatever its precision.
pub(super) trait OnHost {
    fn set_parameters(&mut self, values: &[f64]);

    fn field(&self, theta: &[f64], time: f64) -> Field;

    fn values(&self, theta: &[f64], time: f64) -> Vec<f64>;

    /// The field, after which tangents and columns at the same theta need no forward pass.
    fn linearise(&mut self, theta: &[f64], time: f64) -> Field;

    /// After a rejected step the linearisation stands where that one ended.
    fn field_along(&mut self, theta: &[f64], direction: &[f64], time: f64) -> Field;

    /// The columns of du/dtheta, in `spare`'s memory where its shape fits.
    fn columns(&self, theta: &[f64], time: f64, columns: &[u32], spare: Option<Columns>)
    -> Columns;

    /// Those of dF/dtheta.
    fn rate_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Columns>,
    ) -> Columns;

    /// Field and columns of du/dtheta in one sweep.
    fn field_and_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Columns>,
    ) -> (Field, Columns);
}

impl<T: Stored> Host<T> {
    pub fn new(problem: &Problem, network: &Network, coordinates: &[f64]) -> Self {
        let evaluator = cpu::Evaluator::new(problem, network, coordinates);
        Self { evaluator, at: Linearisation::default() }
    }

    fn room(&self, columns: &[u32], spare: Option<Columns>) -> DMatrix<T> {
        let shape = (self.evaluator.rows(), columns.len());
        let spare = spare.and_then(T::taken).filter(|m| m.shape() == shape);
        spare.unwrap_or_else(|| DMatrix::repeat(shape.0, shape.1, T::ZERO))
    }
}

impl<T: Stored> OnHost for Host<T> {
    fn set_parameters(&mut self, values: &[f64]) {
        self.evaluator.set_parameters(values);
    }

    fn field(&self, theta: &[f64], time: f64) -> Field {
        self.evaluator.field(theta, time)
    }

    fn values(&self, theta: &[f64], time: f64) -> Vec<f64> {
        self.evaluator.values(theta, time)
    }

    fn linearise(&mut self, theta: &[f64], time: f64) -> Field {
        self.evaluator.linearise(theta, time, &mut self.at)
    }

    fn field_along(&mut self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        if !self.at.is_at(theta) {
            self.linearise(theta, time);
        }
        self.evaluator.field_at(&self.at, direction, time)
    }

    fn columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Columns>,
    ) -> Columns {
        let mut matrix = self.room(columns, spare);
        if self.at.is_at(theta) {
            self.evaluator.columns_at(&self.at, columns, matrix.as_view_mut());
        } else {
            self.evaluator.columns(theta, time, columns, 0, matrix.as_view_mut());
        }
        T::stored(matrix)
    }

    fn rate_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Columns>,
    ) -> Columns {
        let mut matrix = self.room(columns, spare);
        if self.at.is_at(theta) {
            self.evaluator.rate_columns_at(&self.at, time, columns, matrix.as_view_mut());
        } else {
            self.evaluator.rate_columns(theta, time, columns, matrix.as_view_mut());
        }
        T::stored(matrix)
    }

    fn field_and_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Columns>,
    ) -> (Field, Columns) {
        let mut matrix = self.room(columns, spare);
        let field = self.evaluator.jacobian(theta, time, columns, 0, matrix.as_view_mut());
        (field, T::stored(matrix))
    }
}
