//! The points at which the solution is looked at.

use crate::problem::expression::Place;
use crate::problem::{Boundary, Problem};

/// A tensor grid over the domain: where frames are kept and errors measured.
///
/// It is independent of the points of the least-squares problems, so that an error between those
/// points does not go unseen.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationGrid {
    axes: Vec<Vec<f64>>,
    coordinates: Vec<f64>,
}

/// Points per coordinate, by the number of coordinates: some ten thousand in all at most.
const RESOLUTION: [usize; 6] = [1024, 96, 24, 12, 7, 5];

impl EvaluationGrid {
    /// Equispaced points over the domain; a periodic coordinate leaves its upper end out.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let dimensions = problem.coordinates.len();
        let count = RESOLUTION[(dimensions.max(1) - 1).min(RESOLUTION.len() - 1)];
        let axes: Vec<Vec<f64>> = problem
            .coordinates
            .iter()
            .map(|c| {
                let gaps = match c.boundary {
                    Boundary::Periodic => count,
                    Boundary::Dirichlet { .. } => count - 1,
                };
                let spacing = (c.upper - c.lower) / gaps as f64;
                (0..count).map(|k| c.lower + k as f64 * spacing).collect()
            })
            .collect();
        let points = axes.iter().map(Vec::len).product();
        let mut coordinates = Vec::with_capacity(points * dimensions);
        for mut index in 0..points {
            let mut point = vec![0.0; dimensions];
            for (k, axis) in axes.iter().enumerate().rev() {
                point[k] = axis[index % axis.len()];
                index /= axis.len();
            }
            coordinates.extend(point);
        }
        Self { axes, coordinates }
    }

    /// Positions along each coordinate. The last coordinate runs fastest over the points.
    #[must_use]
    pub fn axes(&self) -> &[Vec<f64>] {
        &self.axes
    }

    /// The points, one after the other, each with all its coordinates.
    #[must_use]
    pub fn coordinates(&self) -> &[f64] {
        &self.coordinates
    }

    #[must_use]
    pub fn points(&self) -> usize {
        self.axes.iter().map(Vec::len).product()
    }

    /// Coordinates of one point.
    #[must_use]
    pub fn point(&self, index: usize) -> &[f64] {
        &self.coordinates[index * self.axes.len()..][..self.axes.len()]
    }

    /// The problem's initial state at the points.
    #[must_use]
    pub fn initial_values(&self, problem: &Problem) -> Vec<f64> {
        let parameters: Vec<f64> = problem.parameters.iter().map(|p| p.value).collect();
        self.coordinates
            .chunks_exact(self.axes.len().max(1))
            .map(|coordinates| {
                let place =
                    Place { coordinates, time: problem.time.start, parameters: &parameters };
                problem.initial.evaluate(place, &|_| f64::NAN)
            })
            .collect()
    }
}
