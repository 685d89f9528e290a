//! Moments and marginals of a density that the network is, or is the logarithm of.

use super::evolution::Evolution;
use crate::problem::{Moments, Normal, Sampled};
use crate::random::{Philox, Stream};

/// Draws for the moments of a marginal's Gaussian.
const NEAR: usize = 1_024;

impl Evolution {
    /// Moments of the density that the points are drawn from, by importance sampling with `draws`
    /// draws around the points ([`Normal::moments`]). `None` where points are not drawn, or all lie
    /// in a plane.
    #[must_use]
    pub fn moments(&self, draws: usize) -> Option<Sampled> {
        self.around_the_points()?.moments(draws, &self.draws(), &|x| self.log_density(x))
    }

    /// The density's marginal along the first coordinate at the places `x` ([`Normal::marginal`]);
    /// 0 where [`Evolution::moments`] knows nothing.
    #[must_use]
    pub fn marginal(&self, x: &[f64]) -> Vec<f64> {
        let near = || Normal::of(&self.moments(NEAR)?.moments);
        match near().or_else(|| self.around_the_points()) {
            Some(near) => near.marginal(x, &self.draws(), &|x| self.log_density(x)),
            None => vec![0.0; x.len()],
        }
    }

    /// Logarithm of the density at places, point by point.
    pub(super) fn log_density(&self, places: &[f64]) -> Vec<f64> {
        let density = self.problem.points.density;
        self.evaluate(places).into_iter().map(|u| density.logarithm(u)).collect()
    }

    /// The Gaussian of the points' own mean and covariance.
    fn around_the_points(&self) -> Option<Normal> {
        let points = self.drawn_points()?;
        Normal::of(&Moments::of_points(points, self.problem.dimensions(), &|_| 1.0))
    }

    fn draws(&self) -> Philox {
        Philox::new(self.problem.seed, Stream::Vectors)
    }
}
