//! A problem at more and other points than those of its training, where its answer is judged.

use crate::field::network::Network;
use crate::field::residual::Collocation;
use crate::holes::blocks_around;
use crate::problem::ResidualProblem;
use crate::problem::expression::{Channel, Entry, Expression, MultiIndex};
use crate::problem::residual::{
    Condition, Location, Norm, Part, Plane, ResidualBlock, SampleLayout, SampleSettings,
};

/// Points over those of the training, and their bounds in a block.
const MORE: usize = 4;
const LEAST: usize = 256;
const MOST: usize = 4096;
/// Points of a block whose number follows from the functions that it has to tell apart.
const FEWEST: usize = 16;
/// One point around the holes of the domain for so many in all of it.
const AROUND: usize = 3;
/// Points at which functions are made orthonormal.
const VALUES: usize = 1024;
/// Entries of the Jacobian at these points: fewer points where the network is large.
const MOST_ENTRIES: usize = 1 << 26;

/// What a set of other points is for. Sets of different uses have no point in common, nor with the
/// points of the training, so that what was made by one is judged by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Estimating the error.
    Estimate,
    /// Solving for a correction, and choosing among several.
    Correction,
    Choice,
    /// Whether the equations and conditions determine their solution.
    Determined,
}

impl Use {
    /// The redraw of the blocks' points; trainings redraw once an iteration at most.
    fn generation(self) -> u64 {
        (1 << 40) + self as u64
    }
}

/// The problem at points for a use, in f64 on the CPU. For an estimate, and where it is
/// asked whether a solution is determined, there is a block more behind the others, of the unknowns
/// themselves. With `rows` there are so many rows of each block of equations
/// and a quarter of them of each block of conditions; for a correction a third of them around holes.
pub fn elsewhere(problem: &ResidualProblem, purpose: Use, rows: Option<usize>) -> Collocation {
    let parameters = Network::of_residual(problem).parameters();
    let most = (MOST_ENTRIES / parameters.max(1)).clamp(LEAST, MOST);
    let mut other = strong(problem);
    other.method.causal = None;
    let scattered = |count: usize| SampleSettings {
        layout: SampleLayout::Sobol,
        count: vec![count],
        walls: true,
        resample: 0,
        refine: 0.0,
    };
    for (index, block) in other.blocks.iter_mut().enumerate() {
        if matches!(block.location, Location::Listed(_)) {
            continue;
        }
        let before = problem.block_points(index.min(problem.blocks.len() - 1), 0);
        let before = before.coordinates.len() / problem.dimensions();
        let part = match block.location {
            Location::Interior => 1,
            _ => 4,
        };
        let equations = block.condition.expressions().len().max(1);
        let count = match rows {
            None => (MORE * before).clamp(LEAST / part, most / part),
            Some(rows) => (rows / part / equations).max(FEWEST),
        };
        block.samples = scattered(count);
    }
    for index in 0..other.blocks.len() {
        if other.blocks[index].norm == Norm::Sum {
            let [before, now] =
                [problem, &other].map(|p| p.block_points(index, 0).coordinates.len() as f64);
            other.blocks[index].weight *= before / now;
        }
    }
    // A seam of a periodic coordinate holds by construction, of networks and of waves: its rows are
    // round-off, which must not be taken for a residual.
    let closed = |location: &Location| match location {
        Location::Seam { coordinate } => problem.axes[*coordinate].periodic,
        _ => false,
    };
    other.blocks.retain(|block| !closed(&block.location));
    if let (Use::Correction | Use::Choice, Some(rows)) = (purpose, rows) {
        let draw = (rows / AROUND, purpose.generation());
        let more = blocks_around(problem, &other.blocks, draw);
        other.blocks.extend(more);
    }
    if matches!(purpose, Use::Estimate | Use::Determined) {
        other.blocks.push(ResidualBlock {
            name: "values".into(),
            text: String::new(),
            location: Location::Interior,
            condition: Condition::Equations(
                (0..problem.unknowns.len()).map(Expression::unknown).collect(),
            ),
            weight: 1.0,
            norm: Norm::Mean,
            samples: scattered(VALUES.min(most)),
        });
    }
    Collocation::in_double(&other, purpose.generation())
}

/// The problem with the equations that the minimum of an energy satisfies in its place, Euler's and
/// Lagrange's,
///
/// ```text
/// sum over derivatives D that the density e names of (-1)^order(D) D (de / d(D u)) = 0,
/// ```
///
/// and the conditions of such a minimum on the sides where the file has none, for densities of first
/// derivatives: de / d(u_k) = 0 at the ends of coordinate k.
fn strong(problem: &ResidualProblem) -> ResidualProblem {
    let mut other = problem.clone();
    let of = |block: &ResidualBlock| match &block.condition {
        Condition::Energy(density) if block.location == Location::Interior => Some(density.clone()),
        _ => None,
    };
    let parts = |block: &ResidualBlock| match &block.location {
        Location::Parts(parts) => parts.clone(),
        _ => Vec::new(),
    };
    let taken: Vec<Part> = problem.blocks.iter().flat_map(parts).collect();
    for index in 0..problem.blocks.len() {
        let Some(density) = of(&problem.blocks[index]) else { continue };
        let (unknowns, dimensions) = (problem.unknowns.len(), problem.dimensions());
        let equation = |q: usize| euler_lagrange(&density, q, dimensions);
        other.blocks[index].condition = Condition::Equations((0..unknowns).map(equation).collect());
        for (k, axis) in problem.axes.iter().enumerate().filter(|(_, axis)| !axis.periodic) {
            let end = |at| Part::Plane(Plane { coordinate: k, at });
            let ends = [axis.lower, axis.upper].map(end);
            let free: Vec<Part> = ends.into_iter().filter(|end| !taken.contains(end)).collect();
            let slope = |q| Entry::new(q, Channel::Partial(MultiIndex::along(k, 1)));
            let slopes = (0..unknowns).map(|q| density.derivative_by(slope(q)).simplify());
            let condition = Condition::Equations(slopes.collect());
            if !free.is_empty() {
                let location = Location::Parts(free);
                let name = format!("free-{}", axis.name);
                let block = other.blocks[index].clone();
                other.blocks.push(ResidualBlock { name, location, condition, ..block });
            }
        }
    }
    other
}

fn euler_lagrange(density: &Expression, unknown: usize, dimensions: usize) -> Expression {
    let mine = density.entries().into_iter().filter(|entry| entry.unknown == unknown);
    let terms = mine.map(|entry| {
        let mut term = density.derivative_by(entry);
        match entry.channel {
            Channel::Laplacian => term.laplacian(dimensions),
            Channel::Partial(index) => {
                for (k, &order) in index.0.iter().enumerate() {
                    for _ in 0..order {
                        term = -term.differentiate_coordinate(k, dimensions);
                    }
                }
                term
            }
        }
    });
    terms.fold(Expression::Constant(0.0), |sum, term| sum + term).simplify()
}
