//! Random features of a solution: a layer of sines whose frequencies rise from unit to unit.
//!
//! Unit k of the network's only layer is sin(z_k), z_k = sum_j a_kj cos(2 pi x_j / P_j + phi_kj) + c_k
//! behind periodic coordinates and z_k = sum_j w_kj s_j + c_k behind others. The first waves along a
//! period have frequencies up to a_kj (Jacobi-Anger), the second those of w_kj alone: both are as large
//! as it takes for the first k units to span about k / 2 waves, so that any number of the first units
//! resolves what so many can, and more of them resolve more (random feature method: Chen, Chi, E, Yang,
//! arXiv 2207.13380; extreme learning machines in time: Dong, Li, arXiv 2012.02895).

use std::f64::consts::{PI, TAU};

use crate::network::{Input, Network};
use crate::problem::{Points, Problem};
use crate::random::{Philox, Stream};

/// Units for each wave that they span: fewer leave gaps, more add nothing.
const UNITS_PER_WAVE: f64 = 2.0;
/// Frequencies are drawn from this part of the largest one up.
const LEAST: f64 = 0.5;
/// Points at which the shape of the solution is looked at.
const LOOKS: usize = 2_048;
/// A coordinate along which next to nothing happens still gets this part of the largest frequencies.
const LEAST_ASPECT: f64 = 0.02;

/// Parameters of the problem's network: drawn features, and outputs that are zero.
pub fn draw(problem: &Problem, network: &Network) -> Vec<f64> {
    let mut theta = vec![0.0; network.parameters()];
    let random = Philox::new(problem.seed, Stream::Initialisation);
    let mut number = 0;
    let mut uniform = || {
        number += 1;
        random.uniform(0, number)
    };
    let aspects = aspects(problem);
    let layout = network.layout();
    let place = |name: &str| layout.segment(name).map(|s| (s.offset, s.columns));
    let [amplitude, phase, shift, slope, offset] =
        ["amplitude", "phase", "shift", "slope", "offset"]
            .map(|n| place(&format!("embedding.{n}")));
    for unit in 0..network.width() {
        let radius = radius((unit + 1) as f64 / UNITS_PER_WAVE, &aspects);
        let (mut periodic, mut slopes) = (0, 0);
        // A direction whose largest part has a length between the least and one.
        let parts: Vec<f64> = aspects.iter().map(|_| 2.0 * uniform() - 1.0).collect();
        let most = parts.iter().fold(f64::MIN_POSITIVE, |most, part| most.max(part.abs()));
        let length = LEAST + (1.0 - LEAST) * uniform();
        for ((input, part), aspect) in network.inputs().iter().zip(&parts).zip(&aspects) {
            let frequency = length * part / most * (radius * aspect).max(1.0);
            match input {
                Input::Periodic { .. } => {
                    let at = |segment: Option<(usize, usize)>| {
                        let (first, columns) = segment.expect("a periodic coordinate has these");
                        first + unit * columns + periodic
                    };
                    theta[at(amplitude)] = frequency.abs();
                    theta[at(phase)] = TAU * uniform();
                    theta[at(shift)] = TAU * uniform();
                    periodic += 1;
                }
                Input::Linear { .. } | Input::Flat { .. } => {
                    let count = if matches!(input, Input::Flat { .. }) { 2 } else { 1 };
                    let (first, columns) = slope.expect("other coordinates have these");
                    for of_input in 0..count {
                        // The second feature of a flat coordinate has a draw of its own.
                        let own = if of_input == 0 { 1.0 } else { 2.0 * uniform() - 1.0 };
                        theta[first + unit * columns + slopes] = PI * frequency * own;
                        slopes += 1;
                    }
                }
            }
        }
        if let Some((first, _)) = offset {
            theta[first + unit] = TAU * uniform();
        }
    }
    theta
}

/// Points for so many features: two for each, in up to two coordinates a grid that is the finer along each
/// of them the higher the frequencies are there.
pub fn points(problem: &Problem, features: usize) -> Points {
    let dimensions = problem.dimensions();
    if dimensions > 2 {
        return Points::sobol(&problem.coordinates, 2 * (features + 1), problem.seed);
    }
    let aspects = aspects(problem);
    let radius = radius((features + 1) as f64 / UNITS_PER_WAVE, &aspects);
    let points_per_wave = (2.0 * UNITS_PER_WAVE).powf(1.0 / dimensions as f64);
    let along = |aspect: &f64| {
        let waves = 2.0 * (radius * aspect).max(1.0) + 1.0;
        (points_per_wave * waves).ceil() as usize
    };
    Points::grid(&problem.coordinates, &aspects.iter().map(along).collect::<Vec<usize>>())
}

/// The radius within which there are so many waves: `prod_j (2 r alpha_j + 1)` of them.
fn radius(waves: f64, aspects: &[f64]) -> f64 {
    let count = |r: f64| aspects.iter().map(|a| 2.0 * r * a + 1.0).product::<f64>();
    let (mut low, mut high) = (0.0, waves.max(1.0));
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if count(middle) < waves { low = middle } else { high = middle }
    }
    high
}

/// How fast the initial state changes along each coordinate, over the fastest: in waves of the
/// coordinate's whole range, of which every coordinate has one at least.
fn aspects(problem: &Problem) -> Vec<f64> {
    let points = Points::sobol(&problem.coordinates, LOOKS, problem.seed);
    let (parameters, dimensions) = (problem.parameter_values(), problem.dimensions());
    let squares = |of: &dyn Fn(&[f64]) -> f64| -> f64 {
        let values = points.coordinates.chunks_exact(dimensions).map(of);
        values.filter(|v| v.is_finite()).map(|v| v * v).sum()
    };
    let value =
        |q: usize, x: &[f64]| problem.initial[q].evaluate_at(x, problem.time.start, &parameters);
    let unknowns = 0..problem.unknowns.len();
    let size: f64 = unknowns.clone().map(|q| squares(&|x| value(q, x))).sum();
    let waves = |(k, c): (usize, &crate::problem::Coordinate)| {
        let of = |q: usize| {
            let slope = problem.initial[q].differentiate_coordinate(k, dimensions).simplify();
            squares(&|x| slope.evaluate_at(x, problem.time.start, &parameters))
        };
        let slopes: f64 = unknowns.clone().map(of).sum();
        let ratio = (slopes / size.max(f64::MIN_POSITIVE)).sqrt() * (c.upper - c.lower) / TAU;
        if ratio.is_finite() { ratio.max(1.0) } else { 1.0 }
    };
    let waves: Vec<f64> = problem.coordinates.iter().enumerate().map(waves).collect();
    let most = waves.iter().fold(1.0f64, |most, w| most.max(*w));
    waves.iter().map(|w| (w / most).max(LEAST_ASPECT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_waves_lie_within_the_radius() {
        for (waves, aspects) in [(50.0, vec![1.0]), (300.0, vec![1.0, 0.3]), (900.0, vec![1.0; 3])]
        {
            let r = radius(waves, &aspects);
            let count: f64 = aspects.iter().map(|a| 2.0 * r * a + 1.0).product();
            assert!((count - waves).abs() < 1e-6 * waves, "{count} of {waves}");
        }
    }
}
