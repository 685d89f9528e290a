//! The evaluators on the CPU.

use faer::Mat;

use crate::field::cpu::{self, Field, Kernel, Linearisation};
use crate::network::Network;
use crate::problem::Problem;

/// The CPU evaluator of one precision, and where it was linearised last.
pub(super) struct Host<T> {
    pub evaluator: cpu::Evaluator<T>,
    at: Linearisation<T>,
}

impl<T: Kernel> Host<T> {
    pub fn new(problem: &Problem, network: &Network, coordinates: &[f64]) -> Self {
        let evaluator = cpu::Evaluator::new(problem, network, coordinates);
        Self { evaluator, at: Linearisation::default() }
    }

    pub fn linearise(&mut self, theta: &[f64], time: f64) -> Field {
        self.evaluator.linearise(theta, time, &mut self.at)
    }

    /// After a rejected step the linearisation stands where that one ended.
    pub fn field_along(&mut self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        if !self.at.is_at(theta) {
            self.linearise(theta, time);
        }
        self.evaluator.field_at(&self.at, direction, time)
    }

    /// The columns in `spare`'s memory where its shape fits.
    pub fn columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Mat<T>>,
    ) -> Mat<T> {
        let mut matrix = self.room(columns, spare);
        if self.at.is_at(theta) {
            self.evaluator.columns_at(&self.at, columns, matrix.as_mut());
        } else {
            self.evaluator.columns(theta, time, columns, 0, matrix.as_mut());
        }
        matrix
    }

    pub fn rate_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Mat<T>>,
    ) -> Mat<T> {
        let mut matrix = self.room(columns, spare);
        if self.at.is_at(theta) {
            self.evaluator.rate_columns_at(&self.at, time, columns, matrix.as_mut());
        } else {
            self.evaluator.rate_columns(theta, time, columns, matrix.as_mut());
        }
        matrix
    }

    pub fn field_and_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Mat<T>>,
    ) -> (Field, Mat<T>) {
        let mut matrix = self.room(columns, spare);
        let field = self.evaluator.jacobian(theta, time, columns, 0, matrix.as_mut());
        (field, matrix)
    }

    fn room(&self, columns: &[u32], spare: Option<Mat<T>>) -> Mat<T> {
        let shape = (self.evaluator.rows(), columns.len());
        spare.filter(|m| m.shape() == shape).unwrap_or_else(|| Mat::zeros(shape.0, shape.1))
    }
}
