//! How far the network is from the exact solution.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::parts::runs;
use super::sweeps;
use crate::cpu::operator::{Operator, OperatorPoints, Rate};
use crate::cpu::{Head, Plan, Weights, cut};
use crate::network::Network;
use crate::problem::ResidualProblem;
use crate::problem::expression::Expression;

/// Points of one task.
const RUN: usize = 1024;

/// The unknowns' values at fixed points, and those of the exact solution where there is one: a row of
/// points for one unknown after the other.
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
        let unknowns: Vec<_> = (0..network.unknowns()).map(Expression::unknown).collect();
        let head = Head::equations(&unknowns, dimensions, 0);
        let weights = vec![1.0; coordinates.len() / dimensions];
        let points = OperatorPoints { coordinates, partners: None, given: &[], weights: &weights };
        let parameters = problem.parameter_values();
        let exact = problem.exact.as_ref().map(|exact| {
            let mut values = Vec::new();
            for exact in exact {
                let value = |point: &[f64]| exact.evaluate_at(point, 0.0, &parameters);
                values.par_extend(coordinates.par_chunks(dimensions).map(value));
            }
            values
        });
        let operator = Operator::new(&network, head, points);
        Self { network, operator, exact }
    }

    /// Compares with other values at the same points, in place of the exact solution's. NaN stands
    /// for what is not known.
    ///
    /// # Panics
    /// When there is not one value per point and unknown.
    #[must_use]
    pub fn against(self, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), self.operator.rows(), "a value per point and unknown");
        Self { exact: Some(values), ..self }
    }

    /// The exact solution at the points.
    #[must_use]
    pub fn exact(&self) -> Option<&[f64]> {
        self.exact.as_deref()
    }

    /// The unknowns at the points.
    #[must_use]
    pub fn values(&self, theta: &[f64]) -> Vec<f64> {
        let points = self.operator.points();
        let mut values = vec![0.0; self.operator.rows()];
        let at = Weights::forward(&self.network, theta);
        let parts = cut(&mut values, points, RUN).into_iter().zip(runs(points, RUN));
        parts.par_bridge().for_each(|(mut out, range)| {
            self.operator.run(&self.network, &at, range, &mut out, &mut Rate::Density);
        });
        values
    }

    /// The derivatives of the values by theta: a row each.
    #[must_use]
    pub fn jacobian(&self, theta: &[f64]) -> DMatrix<f64> {
        let rows = self.operator.rows();
        let mut matrix = DMatrix::zeros(rows, self.network.parameters());
        let operators = std::slice::from_ref(&self.operator);
        let mut values = vec![0.0; rows];
        let plan = &Plan::all(&self.network);
        sweeps::jacobian(operators, &self.network, plan, theta, &mut values, matrix.as_view_mut());
        matrix
    }

    /// |u - exact| / |exact| over the points and all unknowns; the root mean square of the difference
    /// where the exact solution is zero. `None` without an exact solution.
    #[must_use]
    pub fn relative_l2(&self, theta: &[f64]) -> Option<f64> {
        Some(relative_l2(&self.values(theta), self.exact.as_ref()?))
    }

    /// [`Comparison::relative_l2`] of each unknown.
    #[must_use]
    pub fn relative_l2_of_each(&self, theta: &[f64]) -> Option<Vec<f64>> {
        let (values, points) = (self.values(theta), self.operator.points());
        let pairs = values.chunks_exact(points).zip(self.exact.as_ref()?.chunks_exact(points));
        Some(pairs.map(|(values, exact)| relative_l2(values, exact)).collect())
    }
}

/// Of the values that are known; NaN where none is.
fn relative_l2(values: &[f64], exact: &[f64]) -> f64 {
    let known = || values.iter().zip(exact).filter(|(_, e)| !e.is_nan());
    let squares: f64 = known().map(|(u, e)| (u - e).powi(2)).sum();
    let size: f64 = known().map(|(_, e)| e * e).sum();
    (squares / if size > 0.0 { size } else { known().count() as f64 }).sqrt()
}

/// The values of expressions at points, a list per expression; `given` rows of numbers stand behind
/// the coordinates.
pub(crate) fn rows(
    problem: &ResidualProblem,
    network: &Network,
    theta: &[f64],
    expressions: &[Expression],
    (coordinates, given): (&[f64], &[&[f64]]),
) -> Vec<Vec<f64>> {
    let dimensions = problem.dimensions();
    let points = coordinates.len() / dimensions;
    if points == 0 {
        return vec![Vec::new(); expressions.len()];
    }
    let fixed: Vec<Expression> = expressions.iter().map(|e| problem.fixed(e)).collect();
    let head = Head::equations(&fixed, dimensions, given.len());
    let weights = vec![1.0; points];
    let at = OperatorPoints { coordinates, partners: None, given, weights: &weights };
    let operator = Operator::<f64>::new(network, head, at);
    let mut values = vec![0.0; points * expressions.len()];
    sweeps::residual(std::slice::from_ref(&operator), network, theta, &mut values);
    values.chunks_exact(points).map(<[f64]>::to_vec).collect()
}
