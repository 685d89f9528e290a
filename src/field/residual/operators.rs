//! From the blocks of a problem to operators at points.

use crate::cpu::operator::{Operator, OperatorPoints};
use crate::cpu::{Head, Kernel};
use crate::network::Network;
use crate::problem::expression::Expression;
use crate::problem::residual::{BlockPoints, Condition, Location, Norm, ResidualBlock};
use crate::problem::{Precision, ResidualProblem};

/// One operator per block.
pub(super) enum Operators {
    Single(Vec<Operator<f32>>),
    Double(Vec<Operator<f64>>),
}

macro_rules! with_operators {
    ($operators:expr, $list:ident => $body:expr) => {
        match $operators {
            Operators::Single($list) => $body,
            Operators::Double($list) => $body,
        }
    };
}
pub(super) use with_operators;

/// The operators for residuals, and those for Jacobians where they are in another precision.
pub(super) fn in_precision(
    problem: &ResidualProblem,
    network: &Network,
    points: &[BlockPoints],
    precision: Precision,
) -> (Operators, Option<Operators>) {
    let double = || Operators::Double(operators(problem, network, points));
    let single = || Operators::Single(operators(problem, network, points));
    match precision {
        Precision::Auto | Precision::F64 => (double(), None),
        Precision::Mixed => (double(), Some(single())),
        Precision::F32 => (single(), None),
    }
}

/// The operators of all blocks.
fn operators<T: Kernel>(
    problem: &ResidualProblem,
    network: &Network,
    points: &[BlockPoints],
) -> Vec<Operator<T>> {
    let blocks = problem.blocks.iter().zip(points);
    blocks.map(|(block, points)| operator(problem, network, block, points)).collect()
}

pub(super) fn operator<T: Kernel>(
    problem: &ResidualProblem,
    network: &Network,
    block: &ResidualBlock,
    points: &BlockPoints,
) -> Operator<T> {
    let dimensions = problem.dimensions();
    let fixed = |e: &Expression| problem.fixed(e);
    let mut given: Vec<&[f64]> = Vec::new();
    let normals = normals(problem, block, points);
    let head = match &block.condition {
        Condition::Energy(density) => Head::energy(&fixed(density), dimensions),
        Condition::Equations(list) | Condition::Match(list) => {
            given.extend(normals.iter().map(Vec::as_slice));
            Head::equations(&list.iter().map(fixed).collect::<Vec<_>>(), dimensions, given.len())
        }
        Condition::Observed { quantity, values, .. } => {
            given.push(values);
            let difference = fixed(quantity) - Expression::Coordinate(dimensions);
            Head::equations(&[difference], dimensions, 1)
        }
    };
    let weights = row_weights(block, points, dimensions);
    let points = OperatorPoints {
        coordinates: &points.coordinates,
        partners: points.partners.as_deref(),
        given: &given,
        weights: &weights,
    };
    Operator::new(network, head, points)
}

/// The outward normals at a block's points, a row per axis, where its equations have them.
pub(super) fn normals(
    problem: &ResidualProblem,
    block: &ResidualBlock,
    points: &BlockPoints,
) -> Vec<Vec<f64>> {
    let dimensions = problem.dimensions();
    let is_normal = |e: &Expression| matches!(e, Expression::Coordinate(k) if *k >= dimensions);
    let Location::Parts(parts) = &block.location else { return Vec::new() };
    match block.condition.expressions().iter().any(|e| e.any(&is_normal)) {
        true => problem.domain().normals(parts, &points.coordinates),
        false => Vec::new(),
    }
}

/// What the square of each point's rows counts in the loss.
pub(super) fn row_weights(
    block: &ResidualBlock,
    points: &BlockPoints,
    dimensions: usize,
) -> Vec<f64> {
    let count = points.coordinates.len() / dimensions;
    let mean = match block.norm {
        Norm::Integral => block.weight * points.measure / count as f64,
        Norm::Mean => block.weight / count as f64,
        Norm::Sum => block.weight,
    };
    let quadrature = points.weights.as_deref();
    (0..count).map(|i| mean * quadrature.map_or(1.0, |w| w[i])).collect()
}
