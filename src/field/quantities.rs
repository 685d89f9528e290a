//! Expressions of the unknown and its derivatives at points, in f64 on the CPU: what a solution is
//! asked once it is there.

use crate::cpu::Evaluator;
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::expression::{Entry, Expression, Place};
use crate::problem::{Problem, ResidualProblem};

/// Expressions of the state of an evolution: a list of values per expression, one per point.
///
/// `coordinates` is point-major; expressions are in coordinates, time, parameters and the
/// unknowns' jets.
#[must_use]
pub fn of_evolution(
    problem: &Problem,
    network: &Network,
    theta: &[f64],
    time: f64,
    expressions: &[Expression],
    coordinates: &[f64],
) -> Vec<Vec<f64>> {
    let dimensions = problem.dimensions();
    if coordinates.is_empty() {
        return vec![Vec::new(); expressions.len()];
    }
    let wanted = expressions.iter().flat_map(Expression::channels);
    let jets = JetSet::closure(dimensions, wanted);
    let evaluator = Evaluator::<f64>::with_jets(problem, network, coordinates, jets);
    let channels = evaluator.derivatives(theta, time);
    let parameters = problem.parameter_values();
    let of = |expression: &Expression| {
        let at = |(i, coordinates): (usize, &[f64])| {
            let place = Place { coordinates, time, parameters: &parameters };
            // Every channel that the expression names is in the closure.
            let jets = evaluator.jets();
            let jet = |Entry { unknown, channel }| {
                let position = jets.position(channel);
                position.map_or(f64::NAN, |k| channels[unknown * jets.len() + k][i])
            };
            expression.evaluate(place, &jet)
        };
        coordinates.chunks_exact(dimensions).enumerate().map(at).collect()
    };
    expressions.iter().map(of).collect()
}

/// The same of a network over the whole domain, where the time is a coordinate.
#[must_use]
pub fn of_training(
    problem: &ResidualProblem,
    network: &Network,
    theta: &[f64],
    expressions: &[Expression],
    coordinates: &[f64],
) -> Vec<Vec<f64>> {
    crate::residual::rows(problem, network, theta, expressions, (coordinates, &[]))
}
