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

    /// Multilinear interpolation of `values`, one per point, at the place `x`. Beyond the last
    /// position of a coordinate its first one follows, as on a periodic box.
    ///
    /// # Panics
    /// When the numbers of values or coordinates are not those of the grid.
    #[must_use]
    pub fn interpolate(&self, values: &[f64], x: &[f64]) -> f64 {
        assert_eq!((values.len(), x.len()), (self.points(), self.axes.len()));
        // Cell and share of it along each coordinate.
        let cells: Vec<(usize, f64)> = self
            .axes
            .iter()
            .zip(x)
            .map(|(axis, x)| {
                let spacing = axis.get(1).map_or(1.0, |second| second - axis[0]);
                let at = ((x - axis[0]) / spacing).clamp(0.0, axis.len() as f64);
                (at.floor() as usize, at.fract())
            })
            .collect();
        let corner = |corner: usize| {
            let (mut index, mut weight) = (0, 1.0);
            for (k, (&(cell, share), axis)) in cells.iter().zip(&self.axes).enumerate() {
                let next = corner >> k & 1;
                index = index * axis.len() + (cell + next) % axis.len();
                weight *= if next == 1 { share } else { 1.0 - share };
            }
            if weight == 0.0 { 0.0 } else { weight * values[index] }
        };
        (0..1 << cells.len()).map(corner).sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Overrides, Preset};

    #[test]
    fn linear_functions_are_interpolated_exactly_and_periodic_ones_around_the_end() {
        let preset = Preset::find("advection-diffusion-2d").expect("a preset");
        let problem = Problem::from_toml(preset.text, &Overrides::new()).expect("a problem");
        let grid = EvaluationGrid::of(&problem);
        let f = |x: &[f64]| 2.0 * x[0] - 3.0 * x[1] + 1.0;
        let values: Vec<f64> = grid.coordinates().chunks_exact(2).map(f).collect();
        let [a, b] = [0, 1].map(|k| &grid.axes()[k]);
        for (s, t) in [(0.0, 0.0), (0.3, 0.9), (1.0, 0.5)] {
            let inside = [a[3] + s * (a[4] - a[3]), b[7] + t * (b[8] - b[7])];
            assert!((grid.interpolate(&values, &inside) - f(&inside)).abs() < 1e-12);
        }
        // Half way from the last position to the first one, which follows it.
        let spacing = a[1] - a[0];
        let end = [a[a.len() - 1] + spacing / 2.0, b[0]];
        let mean = (f(&[a[a.len() - 1], b[0]]) + f(&[a[0], b[0]])) / 2.0;
        assert!((grid.interpolate(&values, &end) - mean).abs() < 1e-12);
    }
}
