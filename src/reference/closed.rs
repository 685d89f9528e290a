//! Exact solutions given in closed form by the problem file.

use crate::problem::Problem;
use crate::problem::expression::{Expression, Place};

/// The unknowns as expressions of coordinates, time and parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedForm {
    expressions: Vec<Expression>,
    dimensions: usize,
    parameters: Vec<f64>,
}

impl ClosedForm {
    /// The problem's exact solution, if it gives one.
    #[must_use]
    pub fn of(problem: &Problem) -> Option<Self> {
        Some(Self {
            expressions: problem.exact.clone()?,
            dimensions: problem.coordinates.len(),
            parameters: problem.parameters.iter().map(|p| p.value).collect(),
        })
    }

    /// The unknowns at the points, whose coordinates lie point by point: one unknown after the other.
    #[must_use]
    pub fn values(&self, time: f64, coordinates: &[f64]) -> Vec<f64> {
        let of = |expression: &Expression| {
            let at = |coordinates: &[f64]| {
                let place = Place { coordinates, time, parameters: &self.parameters };
                expression.evaluate(place, &|_| f64::NAN)
            };
            coordinates.chunks_exact(self.dimensions).map(at).collect::<Vec<_>>()
        };
        self.expressions.iter().flat_map(of).collect()
    }
}
