//! Where the equation is looked at: grids and sampled points.

use rayon::prelude::*;

use super::walkers::{BURN_IN, Walkers};
use super::{Boundary, Coordinate, PointLayout, Problem};
use crate::random::{Philox, Stream};

/// Points of the domain, all of equal weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// d: numbers per point.
    pub dimensions: usize,
    /// Point-major: the d coordinates of the first point, then those of the second, ...
    pub coordinates: Vec<f64>,
    /// Points per coordinate where they form a grid; the last coordinate runs fastest.
    pub grid: Option<Vec<usize>>,
}

impl Points {
    /// The points that a problem asks for. Their number was bounded when the file was read.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let (coordinates, settings) = (&problem.coordinates, &problem.points);
        let total = settings.count.first().copied().unwrap_or(1);
        match settings.layout {
            PointLayout::Grid => Self::grid(coordinates, &settings.count),
            PointLayout::Random => Self::random(coordinates, total, problem.seed),
            // Until there is a network to follow.
            PointLayout::Following if coordinates.len() == 1 => Self::grid(coordinates, &[total]),
            PointLayout::Sobol | PointLayout::Following => {
                Self::sobol(coordinates, total, problem.seed)
            }
            PointLayout::Adaptive => Self::initial(problem, total, problem.seed),
        }
    }

    /// `count` points drawn from the density of the problem's initial state, which has one unknown.
    #[must_use]
    pub fn initial(problem: &Problem, count: usize, seed: u64) -> Self {
        let (time, parameters) = (problem.time.start, problem.parameter_values());
        let initial = problem.initial[0].substitute_parameters(&parameters).simplify();
        let mut points = Self::sobol(&problem.coordinates, count, seed);
        let walkers = Walkers::new(&problem.coordinates, problem.points.density, seed);
        walkers.walk(&mut points.coordinates, 0..BURN_IN, |places| {
            let logarithm = |x: &[f64]| {
                problem.points.density.logarithm(initial.evaluate_at(x, time, &parameters))
            };
            places.par_chunks_exact(points.dimensions).with_min_len(64).map(logarithm).collect()
        });
        points
    }

    /// An equispaced grid with `count` points per coordinate (one entry: the same along each).
    /// Periodic coordinates leave out the upper end, others keep half a spacing from both ends:
    /// in both cases the mean over the points is a quadrature rule with equal weights.
    #[must_use]
    pub fn grid(coordinates: &[Coordinate], count: &[usize]) -> Self {
        let along = |c: &Coordinate, n: usize| -> Vec<f64> {
            let offset = if c.boundary == Boundary::Periodic { 0.0 } else { 0.5 };
            let spacing = (c.upper - c.lower) / n as f64;
            (0..n).map(|i| c.lower + (i as f64 + offset) * spacing).collect()
        };
        Self::product(coordinates, count, along)
    }

    /// A grid for pictures and errors: `resolution` points along each coordinate. Periodic
    /// coordinates leave out the upper end, others have both ends.
    #[must_use]
    pub fn evaluation_grid(coordinates: &[Coordinate], resolution: &[usize]) -> Self {
        let along = |c: &Coordinate, n: usize| -> Vec<f64> {
            let gaps = if c.boundary == Boundary::Periodic { n } else { n - 1 }.max(1);
            let share = |i: usize| i as f64 / gaps as f64;
            // Both ends exactly, whatever the rounding in between.
            (0..n).map(|i| c.lower * (1.0 - share(i)) + c.upper * share(i)).collect()
        };
        Self::product(coordinates, resolution, along)
    }

    /// The resolution of the evaluation grid that fits a number of dimensions: about 1e5 points
    /// at most.
    #[must_use]
    pub fn evaluation_resolution(dimensions: usize) -> usize {
        [1, 1024, 128, 40, 16, 10, 7, 5, 4][dimensions.min(8)]
    }

    fn product(
        coordinates: &[Coordinate],
        count: &[usize],
        along: impl Fn(&Coordinate, usize) -> Vec<f64>,
    ) -> Self {
        let dimensions = coordinates.len();
        let counts: Vec<usize> =
            (0..dimensions).map(|k| *count.get(k).unwrap_or(&count[0])).collect();
        let axes: Vec<Vec<f64>> =
            coordinates.iter().zip(&counts).map(|(c, &n)| along(c, n)).collect();
        let total: usize = counts.iter().product();
        let mut flat = Vec::with_capacity(total * dimensions);
        let mut index = vec![0; dimensions];
        for _ in 0..total {
            flat.extend(axes.iter().zip(&index).map(|(axis, &i)| axis[i]));
            for k in (0..dimensions).rev() {
                index[k] += 1;
                if index[k] < counts[k] {
                    break;
                }
                index[k] = 0;
            }
        }
        Self { dimensions, coordinates: flat, grid: Some(counts) }
    }

    /// `count` points, independent and uniform.
    #[must_use]
    pub fn random(coordinates: &[Coordinate], count: usize, seed: u64) -> Self {
        let random = Philox::new(seed, Stream::Points);
        Self::mapped(coordinates, count, |index, k| random.uniform(k as u64, index as u32))
    }

    /// The first `count` points of Sobol's sequence, with a random digital shift: every bit of a
    /// coordinate is flipped by one random word, which keeps the points as evenly spread as they
    /// are. Powers of two are the best counts.
    #[must_use]
    pub fn sobol(coordinates: &[Coordinate], count: usize, seed: u64) -> Self {
        let random = Philox::new(seed, Stream::Points);
        let shifts = (0..coordinates.len()).map(|k| random.words(u64::MAX, k as u32)[0]);
        let sequence = Sobol::new(shifts.collect());
        Self::mapped(coordinates, count, |index, k| sequence.unit(index, k))
    }

    /// Points from numbers in (0, 1), asked for by point and coordinate.
    fn mapped(
        coordinates: &[Coordinate],
        count: usize,
        unit: impl Fn(usize, usize) -> f64,
    ) -> Self {
        let point = |index: usize| {
            let unit = &unit;
            let place =
                move |(k, c): (usize, &Coordinate)| c.lower + unit(index, k) * (c.upper - c.lower);
            coordinates.iter().enumerate().map(place)
        };
        let flat = (0..count).flat_map(point).collect();
        Self { dimensions: coordinates.len(), coordinates: flat, grid: None }
    }

    /// n: the number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.coordinates.len() / self.dimensions.max(1)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.coordinates.is_empty()
    }

    /// The coordinates of one point.
    #[must_use]
    pub fn point(&self, index: usize) -> &[f64] {
        &self.coordinates[index * self.dimensions..(index + 1) * self.dimensions]
    }
}

/// Sobol's sequence in the open unit cube of up to 8 dimensions, digitally shifted.
pub(super) struct Sobol {
    axes: [[u32; 32]; 8],
    /// One random word per dimension.
    shifts: Vec<u32>,
}

impl Sobol {
    pub(super) fn new(shifts: Vec<u32>) -> Self {
        Self { axes: SOBOL.map(direction_numbers), shifts }
    }

    /// Coordinate `k` of point `index`.
    pub(super) fn unit(&self, index: usize, k: usize) -> f64 {
        let bits = sobol_bits(&self.axes[k], index as u32) ^ self.shifts[k];
        (f64::from(bits) + 0.5) / 2f64.powi(32)
    }
}

/// A primitive polynomial over the field of two elements, and the first direction numbers.
struct Direction {
    degree: usize,
    /// The inner coefficients, highest power first, as bits.
    coefficients: u32,
    initial: [u32; 5],
}

/// Table `new-joe-kuo-6` (Joe, Kuo: "Constructing Sobol sequences with better two-dimensional
/// projections", 2008), dimensions 1 to 8. The first is the van der Corput sequence.
const SOBOL: [Direction; 8] = [
    Direction { degree: 0, coefficients: 0, initial: [0, 0, 0, 0, 0] },
    Direction { degree: 1, coefficients: 0, initial: [1, 0, 0, 0, 0] },
    Direction { degree: 2, coefficients: 1, initial: [1, 3, 0, 0, 0] },
    Direction { degree: 3, coefficients: 1, initial: [1, 3, 1, 0, 0] },
    Direction { degree: 3, coefficients: 2, initial: [1, 1, 1, 0, 0] },
    Direction { degree: 4, coefficients: 1, initial: [1, 1, 3, 3, 0] },
    Direction { degree: 4, coefficients: 4, initial: [1, 3, 5, 13, 0] },
    Direction { degree: 5, coefficients: 2, initial: [1, 1, 5, 5, 17] },
];

/// The 32 direction numbers of a dimension, scaled to 32-bit fractions.
fn direction_numbers(direction: Direction) -> [u32; 32] {
    let degree = direction.degree;
    let mut numbers = [0u32; 32];
    for bit in 0..32 {
        numbers[bit] = if degree == 0 {
            1 << (31 - bit)
        } else if bit < degree {
            direction.initial[bit] << (31 - bit)
        } else {
            let inner = (1..degree)
                .filter(|k| (direction.coefficients >> (degree - 1 - k)) & 1 == 1)
                .fold(0, |sum, k| sum ^ numbers[bit - k]);
            inner ^ numbers[bit - degree] ^ (numbers[bit - degree] >> degree)
        };
    }
    numbers
}

/// Coordinate of point `index` as a 32-bit fraction, in Gray-code order.
fn sobol_bits(numbers: &[u32; 32], index: u32) -> u32 {
    let gray = index ^ (index >> 1);
    (0..32).filter(|bit| (gray >> bit) & 1 == 1).fold(0, |sum, bit| sum ^ numbers[bit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn box_of(dimensions: usize) -> Vec<Coordinate> {
        let unit = |k| Coordinate {
            name: format!("x{k}"),
            lower: -1.0,
            upper: 3.0,
            boundary: Boundary::Periodic,
        };
        (0..dimensions).map(unit).collect()
    }

    fn fractions(points: &Points) -> Vec<Vec<f64>> {
        (0..points.len())
            .map(|i| points.point(i).iter().map(|x| (x + 1.0) / 4.0).collect())
            .collect()
    }

    #[test]
    fn sobol_starts_as_published() {
        let axes = SOBOL.map(direction_numbers);
        let quarters = |k: usize| -> Vec<u32> {
            (0..8).map(|index| sobol_bits(&axes[k], index) >> 29).collect()
        };
        // Eighths of the first eight points, from the authors' own generator.
        assert_eq!(quarters(0), [0, 4, 6, 2, 3, 7, 5, 1]);
        assert_eq!(quarters(1), [0, 4, 2, 6, 3, 7, 1, 5]);
        assert_eq!(quarters(2), [0, 4, 2, 6, 5, 1, 7, 3]);
    }

    #[test]
    fn every_sobol_coordinate_has_one_point_in_each_cell() {
        for (dimensions, log_count) in [(1, 5), (2, 7), (8, 8)] {
            let count = 1 << log_count;
            let points = fractions(&Points::sobol(&box_of(dimensions), count, 11));
            for k in 0..dimensions {
                let mut hits = vec![0; count];
                points.iter().for_each(|p| hits[(p[k] * count as f64) as usize] += 1);
                assert!(hits.iter().all(|&h| h == 1), "coordinate {k} of {dimensions}");
            }
        }
        // The first two coordinates are a net: one point in every box of area 1/n.
        let points = fractions(&Points::sobol(&box_of(2), 64, 3));
        for wide in 0..=6 {
            let (columns, rows) = (1 << wide, 64 >> wide);
            let mut hits = vec![0; 64];
            for p in &points {
                let cell = (p[0] * columns as f64) as usize * rows + (p[1] * rows as f64) as usize;
                hits[cell] += 1;
            }
            assert!(hits.iter().all(|&h| h == 1), "{columns} x {rows}");
        }
    }

    #[test]
    fn random_points_are_uniform_and_seeded() {
        let points = Points::random(&box_of(3), 20_000, 5);
        assert_eq!(points, Points::random(&box_of(3), 20_000, 5));
        assert_ne!(points, Points::random(&box_of(3), 20_000, 6));
        let n = points.len() as f64;
        let fractions = fractions(&points);
        for k in 0..3 {
            let mean = fractions.iter().map(|p| p[k]).sum::<f64>() / n;
            assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(), "{mean}");
            let product = fractions.iter().map(|p| p[k] * p[(k + 1) % 3]).sum::<f64>() / n;
            assert!((product - 0.25).abs() < 5.0 * (7.0 / 144.0 / n).sqrt(), "{product}");
        }
    }

    /// Equal weights on a grid integrate trigonometric polynomials of periodic coordinates, and
    /// linear functions of the others.
    #[test]
    fn grids_are_quadrature_rules() {
        let mut coordinates = box_of(2);
        coordinates[1].boundary = Boundary::Sides {
            lower: vec![crate::Side::Value(0.0.into())],
            upper: vec![crate::Side::Value(0.0.into())],
        };
        let points = Points::grid(&coordinates, &[8, 5]);
        assert_eq!((points.len(), points.grid.as_deref()), (40, Some(&[8, 5][..])));
        let mean =
            |f: &dyn Fn(&[f64]) -> f64| (0..40).map(|i| f(points.point(i))).sum::<f64>() / 40.0;
        let wave = |x: f64| (std::f64::consts::TAU * (x + 1.0) / 4.0 * 3.0).cos();
        assert!(mean(&|p| wave(p[0]) * p[1]).abs() < 1e-14);
        assert!((mean(&|p| wave(p[0]).powi(2) * p[1]) - 0.5).abs() < 1e-14);
        assert_eq!(points.point(0), [-1.0, -0.6]);
        assert_eq!(points.point(2), [-1.0, 1.0]);
    }

    #[test]
    fn evaluation_grids_have_the_ends_that_are_not_periodic() {
        let mut coordinates = box_of(2);
        coordinates[1].boundary = Boundary::Sides {
            lower: vec![crate::Side::Value(0.0.into())],
            upper: vec![crate::Side::Value(0.0.into())],
        };
        let points = Points::evaluation_grid(&coordinates, &[3]);
        assert_eq!(points.len(), 9);
        assert_eq!(points.point(0), [-1.0, -1.0]);
        assert_eq!(points.point(2), [-1.0, 3.0]);
        assert!((points.point(8)[0] - 5.0 / 3.0).abs() < 1e-15);
        let one = Points::evaluation_grid(&coordinates, &[1]);
        assert_eq!(one.point(0), [-1.0, -1.0]);
    }
}
