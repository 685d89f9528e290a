//! Points drawn from a density: Markov chains side by side.
//!
//! Differential-evolution Monte Carlo (ter Braak, "A Markov chain Monte Carlo version of the genetic
//! algorithm differential evolution", Statistics and Computing 2006): a walker proposes a step
//! along the difference of two others, so that proposals have the shape of the density whatever its
//! scales are, and nothing is to be tuned. The walkers move in two halves, each with differences
//! from the other, which leaves the density of all of them as it should be.

use super::{Boundary, Coordinate, Density};
use crate::random::{Philox, Stream};

/// Sweeps that bring walkers spread over the box to where the density is.
pub const BURN_IN: u64 = 600;
/// Part of a difference beside it, so that no walker is bound to a lattice.
const JITTER: f64 = 1e-4;
/// Epochs of the walkers' draws lie beyond those of points that do not move.
const FIRST_EPOCH: u64 = 1 << 32;

/// Walkers over a problem's coordinates.
#[derive(Clone, Debug)]
pub struct Walkers<'a> {
    coordinates: &'a [Coordinate],
    /// Whether they stay inside of open ends too.
    confined: bool,
    random: Philox,
}

impl<'a> Walkers<'a> {
    /// Walkers in a density of that kind. In |u| they stay within the ranges of all coordinates: a
    /// network that is not quite zero far away would draw them out for ever. The logarithm of a
    /// density falls without end, and needs no such help.
    pub fn new(coordinates: &'a [Coordinate], density: Density, seed: u64) -> Self {
        let confined = density == Density::Magnitude;
        Self { coordinates, confined, random: Philox::new(seed, Stream::Points) }
    }

    /// Moves the walkers, whose places lie point by point, by the sweeps numbered `sweeps`.
    /// `log_density` gives the logarithm of the density at places, up to a constant.
    pub fn walk(
        &self,
        places: &mut [f64],
        sweeps: std::ops::Range<u64>,
        mut log_density: impl FnMut(&[f64]) -> Vec<f64>,
    ) {
        let dimensions = self.coordinates.len();
        let count = places.len() / dimensions;
        if count < 4 {
            return;
        }
        let mut here = log_density(places);
        let halves = [(0..count / 2, count / 2..count), (count / 2..count, 0..count / 2)];
        for sweep in sweeps {
            for (half, (moving, others)) in halves.iter().enumerate() {
                let epoch = FIRST_EPOCH + 2 * sweep + half as u64;
                let proposals: Vec<f64> =
                    moving.clone().flat_map(|i| self.propose(places, i, others, epoch)).collect();
                let there = log_density(&proposals);
                for ((i, proposal), there) in
                    moving.clone().zip(proposals.chunks_exact(dimensions)).zip(there)
                {
                    let [.., word] = self.random.words(epoch, i as u32);
                    let chance = (f64::from(word) + 0.5) / 2f64.powi(32);
                    let inside = self.admits(proposal);
                    // A walker where the density has no finite logarithm goes wherever it has one.
                    let better = there.is_finite() && !here[i].is_finite();
                    if inside && (better || chance.ln() < there - here[i]) {
                        places[i * dimensions..(i + 1) * dimensions].copy_from_slice(proposal);
                        here[i] = there;
                    }
                }
            }
        }
    }

    /// `x_i + gamma (x_j - x_k)` with j and k among the others.
    fn propose(
        &self,
        places: &[f64],
        i: usize,
        others: &std::ops::Range<usize>,
        epoch: u64,
    ) -> Vec<f64> {
        let dimensions = self.coordinates.len();
        let [first, second, jitter, _] = self.random.words(epoch, i as u32);
        let among = |word: u32, count: usize| ((u64::from(word) * count as u64) >> 32) as usize;
        let j = among(first, others.len());
        // Another one than j.
        let k = (j + 1 + among(second, others.len() - 1)) % others.len();
        let at = |walker: usize, c: usize| places[walker * dimensions + c];
        let gamma = 2.38 / (2.0 * dimensions as f64).sqrt();
        let gamma = gamma * (1.0 + JITTER * (f64::from(jitter) / 2f64.powi(31) - 1.0));
        let moved = |c: usize| {
            let step = at(others.start + j, c) - at(others.start + k, c);
            at(i, c) + gamma * step
        };
        (0..dimensions).map(|c| self.wrapped(c, moved(c))).collect()
    }

    fn wrapped(&self, k: usize, x: f64) -> f64 {
        let c = &self.coordinates[k];
        match c.boundary {
            Boundary::Periodic => c.lower + (x - c.lower).rem_euclid(c.upper - c.lower),
            Boundary::Sides { .. } | Boundary::Open => x,
        }
    }

    /// Whether a place lies between the ends, where there are some.
    fn admits(&self, place: &[f64]) -> bool {
        self.coordinates.iter().zip(place).all(|(c, x)| match c.boundary {
            Boundary::Sides { .. } => (c.lower..=c.upper).contains(x),
            Boundary::Open => !self.confined || (c.lower..=c.upper).contains(x),
            Boundary::Periodic => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Points;

    fn open(dimensions: usize) -> Vec<Coordinate> {
        let coordinate = |k| Coordinate {
            name: format!("x{k}"),
            lower: 0.0,
            upper: 5.0,
            boundary: Boundary::Open,
        };
        (0..dimensions).map(coordinate).collect()
    }

    /// Draws over open coordinates, or one periodic one, after the burn-in.
    fn drawn(coordinates: &[Coordinate], seed: u64, log: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let mut places = Points::sobol(coordinates, COUNT, seed).coordinates;
        Walkers::new(coordinates, Density::Logarithm, seed).walk(&mut places, 0..BURN_IN, |x| {
            x.chunks_exact(coordinates.len()).map(&log).collect()
        });
        places
    }

    const COUNT: usize = 2_000;
    const BINS: usize = 20;
    /// Of chi-square with 19 degrees of freedom: mean 19, standard deviation 6.2; five of them.
    const BOUND: f64 = 50.0;

    /// Pearson's chi-square of numbers that should be uniform in the unit interval.
    fn chi_square(uniform: impl Iterator<Item = f64>) -> f64 {
        let mut counts = [0.0; BINS];
        uniform.for_each(|u| counts[((u * BINS as f64) as usize).min(BINS - 1)] += 1.0);
        let expected = COUNT as f64 / BINS as f64;
        counts.iter().map(|count| (count - expected) * (count - expected) / expected).sum()
    }

    #[test]
    fn draws_from_the_logistic_distribution_fill_its_quantiles_evenly() {
        // p = e^-x / (1 + e^-x)^2 around 2, whose distribution function is 1 / (1 + e^-x).
        let log = |x: &[f64]| -(x[0] - 2.0) - 2.0 * (1.0 + (2.0 - x[0]).exp()).ln();
        let quantile = |x: &f64, centre: f64| 1.0 / (1.0 + (centre - x).exp());
        for seed in 0..3 {
            let draws = drawn(&open(1), seed, log);
            let found = chi_square(draws.iter().map(|x| quantile(x, 2.0)));
            assert!(found < BOUND, "seed {seed}: {found}");
            // Planted: held against a distribution a quarter of a deviation away.
            let planted = chi_square(draws.iter().map(|x| quantile(x, 2.45)));
            assert!(planted > 2.0 * BOUND, "seed {seed}: {planted}");
        }
    }

    #[test]
    fn draws_in_many_dimensions_are_as_far_from_the_middle_as_those_of_a_gaussian() {
        // In two coordinates of several the squared distance has the distribution 1 - e^(-r^2/2).
        for dimensions in [2, 5, 8] {
            let deviation = |k: usize| if k == 0 { 0.02 } else { 0.3 };
            let standard = |x: &[f64], k: usize| (x[k] - 1.0) / deviation(k);
            let log = |x: &[f64]| -0.5 * (0..x.len()).map(|k| standard(x, k).powi(2)).sum::<f64>();
            let draws = drawn(&open(dimensions), 1, log);
            let radius = |x: &[f64], k: usize| standard(x, k).hypot(standard(x, k + 1));
            for k in 0..dimensions - 1 {
                let along = |scale: f64| {
                    let radii = draws.chunks_exact(dimensions).map(|x| radius(x, k) / scale);
                    chi_square(radii.map(|r| 1.0 - (-0.5 * r * r).exp()))
                };
                let (found, planted) = (along(1.0), along(1.2));
                assert!(found < BOUND, "{dimensions}, {k}: {found}");
                assert!(planted > BOUND, "{dimensions}, {k}: {planted}");
            }
        }
    }

    #[test]
    fn draws_go_around_a_periodic_coordinate_and_stay_between_values_at_ends() {
        let whole = std::f64::consts::TAU;
        let coordinate =
            |boundary| Coordinate { name: "x".into(), lower: 0.0, upper: whole, boundary };
        let log = |x: &[f64]| (1.0 + 0.8 * x[0].cos()).ln();
        let share = |x: &f64| (x + 0.8 * x.sin()) / whole;
        let ends = Boundary::Sides {
            lower: vec![crate::Side::Value(0.0.into())],
            upper: vec![crate::Side::Value(0.0.into())],
        };
        for boundary in [Boundary::Periodic, ends] {
            let draws = drawn(&[coordinate(boundary)], 2, log);
            assert!(draws.iter().all(|x| (0.0..=whole).contains(x)));
            let found = chi_square(draws.iter().map(share));
            assert!(found < BOUND, "{found}");
            assert!(chi_square(draws.iter().map(|x| x / whole)) > 2.0 * BOUND, "it is not uniform");
        }
    }

    #[test]
    fn walkers_in_a_magnitude_stay_in_the_box_and_those_in_a_logarithm_need_not() {
        let coordinates = open(1);
        // Nowhere small: half of it lies in the box from 0 to 5.
        let log = |x: &[f64]| x.iter().map(|x| -0.1 * (x - 5.0).abs()).collect();
        let outside = |density: Density| {
            let mut places = Points::sobol(&coordinates, COUNT, 4).coordinates;
            Walkers::new(&coordinates, density, 4).walk(&mut places, 0..BURN_IN, log);
            places.iter().filter(|x| !(0.0..=5.0).contains(*x)).count()
        };
        assert_eq!(outside(Density::Magnitude), 0);
        assert!(outside(Density::Logarithm) > COUNT / 2);
    }

    #[test]
    fn a_walk_in_two_parts_is_the_walk_as_a_whole() {
        let coordinates = open(2);
        let walkers = Walkers::new(&coordinates, Density::Logarithm, 1);
        let log = |x: &[f64]| x.chunks_exact(2).map(|x| -x[0] * x[0] - x[1].abs()).collect();
        let start = Points::sobol(&coordinates, 64, 1).coordinates;
        let (mut whole, mut parts) = (start.clone(), start.clone());
        walkers.walk(&mut whole, 0..20, log);
        walkers.walk(&mut parts, 0..7, log);
        assert_ne!(whole, parts);
        walkers.walk(&mut parts, 7..20, log);
        assert_eq!(whole, parts);
        assert_ne!(whole, start);
    }
}
