//! Exact solutions given in closed form by the problem file.

use crate::problem::Problem;
use crate::problem::expression::{Expression, Place};

/// u(x, t) as an expression of coordinates, time and parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedForm {
    expression: Expression,
    dimensions: usize,
    parameters: Vec<f64>,
}

impl ClosedForm {
    /// The problem's exact solution, if it gives one.
    #[must_use]
    pub fn of(problem: &Problem) -> Option<Self> {
        Some(Self {
            expression: problem.exact.clone()?,
            dimensions: problem.coordinates.len(),
            parameters: problem.parameters.iter().map(|p| p.value).collect(),
        })
    }

    /// u at the points, whose coordinates lie point by point.
    #[must_use]
    pub fn values(&self, time: f64, coordinates: &[f64]) -> Vec<f64> {
        coordinates
            .chunks_exact(self.dimensions)
            .map(|coordinates| {
                let place = Place { coordinates, time, parameters: &self.parameters };
                self.expression.evaluate(place, &|_| f64::NAN)
            })
            .collect()
    }
}
