//! How far the network is from the exact solution.

use faer::Mat;
use rayon::prelude::*;

use super::parts::runs;
use super::sweeps;
use crate::cpu::operator::{Operator, OperatorPoints, Rate};
use crate::cpu::{Head, Plan, Weights};
use crate::network::Network;
use crate::problem::ResidualProblem;
use crate::problem::expression::{Channel, Expression};

/// Points of one task.
const RUN: usize = 1024;

/// The network's values at fixed points, and those of the exact solution where there is one.
pub struct Comparison {
    network: Network,
    operator: Operator<f64>,
    exact: Option<Vec<f64>>,
}

impl Comparison {
    /// At the points of the problem's `[evaluation]`.
    #[must_use]
    pub fn new(problem: &ResidualProblem) -> Self {
        Self::at(problem, &problem.evaluation_points())
    }

    /// At points of the caller's choice, point-major.
    #[must_use]
    pub fn at(problem: &ResidualProblem, coordinates: &[f64]) -> Self {
        let network = Network::of_residual(problem);
        let dimensions = problem.dimensions();
        let head = Head::equations(&[Expression::Jet(Channel::value())], dimensions, 0);
        let weights = vec![1.0; coordinates.len() / dimensions];
        let points = OperatorPoints { coordinates, partners: None, given: &[], weights: &weights };
        let parameters = problem.parameter_values();
        let exact = problem.exact.as_ref().map(|exact| {
            let value = |point: &[f64]| exact.evaluate_at(point, 0.0, &parameters);
            coordinates.par_chunks(dimensions).map(value).collect()
        });
        let operator = Operator::new(&network, head, points);
        Self { network, operator, exact }
    }

    /// Compares with other values at the same points, in place of the exact solution's.
    ///
    /// # Panics
    /// When there is not one value per point.
    #[must_use]
    pub fn against(self, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), self.operator.points(), "a value per point");
        Self { exact: Some(values), ..self }
    }

    /// The exact solution at the points.
    #[must_use]
    pub fn exact(&self) -> Option<&[f64]> {
        self.exact.as_deref()
    }

    /// u at the points.
    #[must_use]
    pub fn values(&self, theta: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.operator.points()];
        let at = Weights::forward(&self.network, theta);
        let parts = values.chunks_mut(RUN).zip(runs(self.operator.points(), RUN));
        parts.par_bridge().for_each(|(out, range)| {
            self.operator.run(&self.network, &at, range, &mut [out], &mut Rate::Density);
        });
        values
    }

    /// d u / d theta at the points: a row each.
    #[must_use]
    pub fn jacobian(&self, theta: &[f64]) -> Mat<f64> {
        let points = self.operator.points();
        let mut matrix = Mat::zeros(points, theta.len());
        let operators = std::slice::from_ref(&self.operator);
        let mut values = vec![0.0; points];
        let plan = &Plan::all(&self.network);
        sweeps::jacobian(operators, &self.network, plan, theta, &mut values, matrix.as_mut());
        matrix
    }

    /// |u - exact| / |exact| over the points; the root mean square of the difference where the
    /// exact solution is zero. `None` without an exact solution.
    #[must_use]
    pub fn relative_l2(&self, theta: &[f64]) -> Option<f64> {
        let exact = self.exact.as_ref()?;
        let values = self.values(theta);
        let squares: f64 = values.iter().zip(exact).map(|(u, e)| (u - e).powi(2)).sum();
        let size: f64 = exact.iter().map(|e| e * e).sum();
        Some((squares / if size > 0.0 { size } else { exact.len() as f64 }).sqrt())
    }
}

/// The values of expressions at points, a list per expression.
pub(crate) fn rows(
    problem: &ResidualProblem,
    network: &Network,
    theta: &[f64],
    expressions: &[Expression],
    coordinates: &[f64],
) -> Vec<Vec<f64>> {
    let dimensions = problem.dimensions();
    let points = coordinates.len() / dimensions;
    if points == 0 {
        return vec![Vec::new(); expressions.len()];
    }
    let parameters = problem.parameter_values();
    let fixed: Vec<Expression> =
        expressions.iter().map(|e| e.substitute_parameters(&parameters)).collect();
    let head = Head::equations(&fixed, dimensions, 0);
    let weights = vec![1.0; points];
    let at = OperatorPoints { coordinates, partners: None, given: &[], weights: &weights };
    let operator = Operator::<f64>::new(network, head, at);
    let mut values = vec![0.0; points * expressions.len()];
    sweeps::residual(std::slice::from_ref(&operator), network, theta, &mut values);
    values.chunks_exact(points).map(<[f64]>::to_vec).collect()
}
