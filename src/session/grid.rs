//! The points at which the solution is looked at.

use super::Frames;
use crate::evolve::Evolution;
use crate::problem::expression::{Expression, Place};
use crate::problem::{Boundary, Density, Moments, Normal, PointLayout, Points, Problem};
use crate::random::{Philox, Stream};
use crate::reference::{Reference, ReferenceError};

/// A tensor grid over the domain: where frames are kept and errors measured.
///
/// It is independent of the points of the least-squares problems, so that an error between those
/// points does not go unseen.
///
/// Of a density that points are drawn from it shows the density itself, also where the unknown is
/// its logarithm, and in more than two dimensions the marginal along the first coordinate: over the
/// whole box it is zero at all points that a grid can have.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationGrid {
    axes: Vec<Vec<f64>>,
    coordinates: Vec<f64>,
    view: View,
    /// d of the problem, whatever the grid shows of it.
    dimensions: usize,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    /// u.
    Solution,
    /// exp(u).
    Exponential,
    /// The integral of the density over all coordinates but the first.
    Marginal,
}

/// Frames of a density at most: each comes with its moments.
const MOST_LOOKS: usize = 200;
/// Places of a marginal: each is a mean over some thirty points.
const MARGINAL: usize = 512;
/// Points of an initial density from which its marginal is found.
const DRAWN: usize = 512;

/// Points per coordinate, by the number of coordinates: some ten thousand in all at most.
const RESOLUTION: [usize; 8] = [1024, 96, 24, 12, 7, 5, 3, 3];

impl EvaluationGrid {
    /// Equispaced points over the domain; a periodic coordinate leaves its upper end out.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let view = View::of(problem);
        let dimensions = if view == View::Marginal { 1 } else { problem.dimensions() };
        let count = match view {
            View::Marginal => MARGINAL,
            _ => RESOLUTION[(dimensions.max(1) - 1).min(RESOLUTION.len() - 1)],
        };
        let axes: Vec<Vec<f64>> = problem
            .coordinates
            .iter()
            .take(dimensions)
            .map(|c| {
                let gaps = match c.boundary {
                    Boundary::Periodic => count,
                    Boundary::Sides { .. } | Boundary::Open => count - 1,
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
        Self { axes, coordinates, view, dimensions: problem.dimensions() }
    }

    /// Whether it shows a density instead of the unknown.
    #[must_use]
    pub fn looks_at_a_density(&self) -> bool {
        self.view != View::Solution
    }

    /// Whether it shows a marginal: then the grid has one coordinate, whatever the problem has.
    #[must_use]
    pub fn looks_at_a_marginal(&self) -> bool {
        self.view == View::Marginal
    }

    /// A short name of what it shows: of several unknowns the first.
    #[must_use]
    pub fn unknown<'a>(&self, problem: &'a Problem) -> &'a str {
        if self.looks_at_a_density() { "p" } else { &problem.unknowns[0] }
    }

    /// Frames for a run over the problem's time span, with at most `most` marks.
    #[must_use]
    pub fn empty_frames(&self, problem: &Problem, most: usize) -> Frames {
        let most = if self.looks_at_a_density() { most.min(MOST_LOOKS) } else { most };
        Frames::new(
            self.points() * problem.unknowns.len(),
            problem.time.start,
            problem.time.end,
            most,
        )
    }

    /// What it shows of a solution, now: of several unknowns a value per point for one after the
    /// other.
    #[must_use]
    pub fn look(&self, evolution: &Evolution) -> Vec<f64> {
        match self.view {
            View::Solution => evolution.evaluate(&self.coordinates),
            View::Exponential => exponentials(evolution.evaluate(&self.coordinates)),
            View::Marginal => evolution.marginal(&self.axes[0]),
        }
    }

    /// The same of a reference.
    ///
    /// # Errors
    /// As [`Reference::values`] and [`Reference::marginal`].
    pub fn look_at(&self, reference: &Reference, time: f64) -> Result<Vec<f64>, ReferenceError> {
        match self.view {
            View::Solution => reference.values(time, &self.coordinates),
            View::Exponential => reference.values(time, &self.coordinates).map(exponentials),
            View::Marginal => reference.marginal(time, &self.axes[0], self.dimensions),
        }
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

    /// What it shows of the problem's initial state.
    #[must_use]
    pub fn initial_values(&self, problem: &Problem) -> Vec<f64> {
        match self.view {
            View::Solution => self.initial_at_points(problem),
            View::Exponential => exponentials(self.initial_at_points(problem)),
            View::Marginal => self.initial_marginal(problem),
        }
    }

    fn initial_marginal(&self, problem: &Problem) -> Vec<f64> {
        let points = Points::initial(problem, DRAWN, problem.seed);
        let moments = Moments::of_points(&points.coordinates, self.dimensions, &|_| 1.0);
        let (time, parameters) = (problem.time.start, problem.parameter_values());
        let density = |x: &[f64]| {
            let u = problem.initial[0].evaluate_at(x, time, &parameters);
            problem.points.density.logarithm(u)
        };
        let log_density = |x: &[f64]| x.chunks_exact(self.dimensions).map(density).collect();
        let random = Philox::new(problem.seed, Stream::Vectors);
        let near = Normal::of(&moments);
        let near = near.and_then(|n| Normal::of(&n.moments(DRAWN, &random, &log_density)?.moments));
        match near {
            Some(near) => near.marginal(&self.axes[0], &random, &log_density),
            None => vec![0.0; self.axes[0].len()],
        }
    }

    fn initial_at_points(&self, problem: &Problem) -> Vec<f64> {
        let parameters: Vec<f64> = problem.parameters.iter().map(|p| p.value).collect();
        let of = |initial: &Expression| -> Vec<f64> {
            let points = self.coordinates.chunks_exact(self.axes.len().max(1));
            let at = |coordinates: &[f64]| {
                let place =
                    Place { coordinates, time: problem.time.start, parameters: &parameters };
                initial.evaluate(place, &|_| f64::NAN)
            };
            points.map(at).collect()
        };
        problem.initial.iter().flat_map(of).collect()
    }
}

impl View {
    fn of(problem: &Problem) -> Self {
        match (problem.points.layout, problem.points.density) {
            (PointLayout::Adaptive, _) if problem.dimensions() > 2 => Self::Marginal,
            (PointLayout::Adaptive, Density::Logarithm) => Self::Exponential,
            _ => Self::Solution,
        }
    }
}

fn exponentials(mut values: Vec<f64>) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value = value.exp());
    values
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
