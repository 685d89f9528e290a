//! A state that the output's biases alone give, and that an equation leaves to them.

use nalgebra::DMatrix;

use super::target::{Residual, Target, Wanted, default_counts, points};
use crate::field::cpu::Evaluator;
use crate::linalg::norm;
use crate::network::Network;
use crate::problem::expression::Expression;
use crate::problem::{Points, Problem};

/// A state is that of the biases where they leave this part of it.
const ROUND_OFF: f64 = 1e-13;
/// Places where an equation is asked whether it moves a state.
const PLACES: usize = 64;

/// `theta` without the output's weights and with the biases that are nearest to the state, where that
/// is the state to round-off.
///
/// A fit would come to it within its tolerance only, and what it leaves is as large as it likes in
/// derivatives, which an equation then moves: a solution that stands still would take short steps.
/// Only for a state that [`stays`], since a network without weights moves in few directions.
pub(super) fn constant(
    problem: &Problem,
    network: &Network,
    target: &Target,
    mut theta: Vec<f64>,
) -> Option<(Vec<f64>, Residual)> {
    let weights = network.layout().segment("output.weight")?.range();
    let biases = network.layout().segment("output.bias")?.range();
    theta[weights].fill(0.0);
    theta[biases.clone()].fill(0.0);
    let zero = target.residual(&theta);
    let columns: Vec<u32> = biases.clone().map(|k| k as u32).collect();
    let mut jacobian = DMatrix::zeros(target.rows(), columns.len());
    target.jacobian(&theta, &columns, jacobian.as_view_mut());
    // An unknown has rows and a bias of its own: the columns are orthogonal.
    for (k, column) in biases.zip(jacobian.column_iter()) {
        let square = column.norm_squared();
        if square > 0.0 {
            theta[k] = column.iter().zip(&zero.entries).map(|(j, r)| j * r).sum::<f64>() / square;
        }
    }
    let residual = target.residual(&theta);
    let size = norm(&zero.entries).max(1.0);
    let exact = residual.loss.sqrt() <= ROUND_OFF * size;
    (exact && stays(problem, network, &theta)).then_some((theta, residual))
}

/// Whether a fit of a problem's initial state begins with [`constant`], and is done.
pub(super) fn stands_still(problem: &Problem) -> bool {
    let network = Network::of(problem);
    let places = points(problem, &default_counts(problem, network.parameters()));
    let target = Target::new(problem, &network, &Wanted::Initial, &places);
    let theta = network.initialise(problem.seed);
    target.is_ok_and(|target| constant(problem, &network, &target, theta).is_some())
}

/// Whether a state that the biases `theta` alone give stays one: F names no place and nothing else
/// does, so that constants stay constants, or F is zero at all times. What holds for one set of
/// parameters only may end when one of them is changed.
fn stays(problem: &Problem, network: &Network, theta: &[f64]) -> bool {
    let places = |e: &Expression| {
        let mut found = false;
        e.visit(&mut |node| found |= matches!(node, Expression::Coordinate(_)));
        found
    };
    let fixed = problem.lift.is_none() && !problem.distance.iter().flatten().any(places);
    if fixed && !problem.right_hand_side.iter().any(places) {
        return true;
    }
    let mut other = problem.clone();
    other.parameters.iter_mut().for_each(|p| p.value = 1.1 * p.value + 0.1);
    let points = Points::sobol(&problem.coordinates, PLACES, 0);
    let (start, span) = (problem.time.start, problem.time.end - problem.time.start);
    [problem, &other].into_iter().all(|problem| {
        let evaluator = Evaluator::<f64>::new(problem, network, &points.coordinates);
        [0.0, 0.371, 1.0].into_iter().all(|share| {
            let field = evaluator.field(theta, start + share * span);
            norm(&field.right_hand_side) * span <= ROUND_OFF * norm(&field.values)
        })
    })
}
