//! Holes of a domain, around which solutions change quickly, and points there.

use crate::problem::ResidualProblem;
use crate::problem::residual::{Condition, Location, Norm, ResidualBlock, space};
use crate::problem::shape::Hole;
use crate::random::{Philox, Stream};
use crate::recurrence::Recurrence;

/// Least and most distance of points around a hole from its middle, in half axes.
const NEAR: f64 = 0.5;
const FAR: f64 = 4.0;
/// Behind the name of a block.
const SUFFIX: &str = " around holes";
/// Tries for each point: those in a hole, or beyond the domain, are none.
const TRIES: usize = 16;

/// Middle and inverse half axes of each hole of the domain in all coordinates, zeros along those that
/// it does not depend on; none where periodic coordinates would tear what is around them.
pub fn holes(problem: &ResidualProblem) -> Vec<Vec<f64>> {
    let Some(shape) = &problem.shape else { return Vec::new() };
    let (d, space) = (problem.dimensions(), space(&problem.axes));
    if space.iter().any(|&k| problem.axes[k].periodic) {
        return Vec::new();
    }
    let hole = |hole: Hole| {
        let mut numbers = vec![0.0; 2 * d];
        for ((&k, centre), axis) in space.iter().zip(hole.centre).zip(hole.axes) {
            (numbers[k], numbers[d + k]) = (centre, 1.0 / axis);
        }
        numbers
    };
    shape.holes().into_iter().map(hole).collect()
}

/// For each block of equations of the interior a block of the same at about `count` points around the
/// holes, evenly in the logarithm of the distance: of points that are even in the domain a small hole
/// has next to none.
pub fn blocks_around(
    problem: &ResidualProblem,
    blocks: &[ResidualBlock],
    (count, generation): (usize, u64),
) -> Vec<ResidualBlock> {
    let holes = holes(problem);
    if holes.is_empty() {
        return Vec::new();
    }
    let each = count.div_ceil(holes.len());
    let points = holes.iter().enumerate().flat_map(|(number, hole)| {
        around(problem, hole, each, generation + ((number as u64) << 32))
    });
    let points: Vec<f64> = points.collect();
    let interior = |block: &&ResidualBlock| {
        block.location == Location::Interior && matches!(block.condition, Condition::Equations(_))
    };
    let copy = |block: &ResidualBlock| ResidualBlock {
        name: format!("{}{SUFFIX}", block.name),
        location: Location::Listed(points.clone()),
        norm: Norm::Mean,
        ..block.clone()
    };
    if points.is_empty() { Vec::new() } else { blocks.iter().filter(interior).map(copy).collect() }
}

/// Whether a block is one of [`blocks_around`].
pub fn is_around(block: &ResidualBlock) -> bool {
    block.name.ends_with(SUFFIX)
}

/// Points of the domain around one hole: directions evenly in a cube, then distances.
fn around(problem: &ResidualProblem, hole: &[f64], count: usize, generation: u64) -> Vec<f64> {
    let d = problem.dimensions();
    let (centre, inverse_axes) = hole.split_at(d);
    let random = Philox::new(problem.seed, Stream::Points);
    let draws = Recurrence::new(d + 1, &random, generation);
    let domain = problem.domain();
    let mut found = Vec::with_capacity(d * count);
    for unit in (0..TRIES * count).map(|j| draws.point(j)) {
        let spatial = |k: &usize| inverse_axes[*k] != 0.0;
        let length = (0..d).filter(spatial).map(|k| (2.0 * unit[k] - 1.0).powi(2)).sum::<f64>();
        let distance = NEAR * (FAR / NEAR).powf(unit[d]) / length.sqrt();
        let place = |k: usize| match spatial(&k) {
            true => centre[k] + distance * (2.0 * unit[k] - 1.0) / inverse_axes[k],
            false => problem.axes[k].lower + problem.axes[k].length() * unit[k],
        };
        let point: Vec<f64> = (0..d).map(place).collect();
        if domain.contains(&point) {
            found.extend(point);
        }
        if found.len() >= d * count {
            break;
        }
    }
    found
}
