//! Gaussians in several dimensions, and moments and marginals of densities that are nearly so.

use std::f64::consts::TAU;

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::random::Philox;

/// Mass, mean and covariance of a density.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The density's integral.
    pub mass: f64,
    pub mean: Vec<f64>,
    /// d x d.
    pub covariance: DMatrix<f64>,
}

/// [`Moments`] found by importance sampling.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    pub moments: Moments,
    /// Part of the draws that count, (sum w)^2 / (n sum w^2): 1 where the density is Gaussian.
    pub effective: f64,
}

/// A normalised Gaussian, `x = m + L z` with z standard normal.
#[derive(Clone, Debug)]
pub struct Normal {
    mean: Vec<f64>,
    /// L, the covariance's Cholesky factor.
    factor: DMatrix<f64>,
    /// Logarithm of the density at the mean.
    peak: f64,
}

/// Draws per place of a marginal.
const ACROSS: usize = 32;
/// Standard deviations from the mean beyond which a marginal is taken to be zero.
const REACH: f64 = 8.0;

impl Moments {
    /// Mean and covariance of points, each of which counts by its weight; the mass is 1.
    #[must_use]
    pub fn of_points(points: &[f64], dimensions: usize, weight: &dyn Fn(usize) -> f64) -> Self {
        let count = points.len() / dimensions;
        let total: f64 = (0..count).map(weight).sum();
        let mut mean = vec![0.0; dimensions];
        for (i, x) in points.chunks_exact(dimensions).enumerate() {
            mean.iter_mut().zip(x).for_each(|(mean, x)| *mean += weight(i) / total * x);
        }
        let mut covariance = DMatrix::zeros(dimensions, dimensions);
        for (i, x) in points.chunks_exact(dimensions).enumerate() {
            let off: Vec<f64> = x.iter().zip(&mean).map(|(x, mean)| x - mean).collect();
            for (k, l) in (0..dimensions).flat_map(|k| (0..dimensions).map(move |l| (k, l))) {
                covariance[(k, l)] += weight(i) / total * off[k] * off[l];
            }
        }
        Self { mass: 1.0, mean, covariance }
    }
}

impl Sampled {
    /// The one of two whose weights are more even; one that has no number is worse.
    fn or_better(self, other: Self) -> Self {
        if other.effective > self.effective || self.effective.is_nan() { other } else { self }
    }
}

impl Normal {
    /// The Gaussian of given moments; `None` where the covariance is not positive definite.
    #[must_use]
    pub fn of(moments: &Moments) -> Option<Self> {
        let factor = Cholesky::new(moments.covariance.clone())?.unpack();
        let dimensions = moments.mean.len();
        let roots = (0..dimensions).map(|k| factor[(k, k)].ln()).sum::<f64>();
        let peak = -0.5 * dimensions as f64 * TAU.ln() - roots;
        peak.is_finite().then(|| Self { mean: moments.mean.clone(), factor, peak })
    }

    /// m + L z.
    #[must_use]
    pub fn place(&self, z: &[f64]) -> Vec<f64> {
        let along = |k: usize| (0..=k).map(|l| self.factor[(k, l)] * z[l]).sum::<f64>();
        (0..z.len()).map(|k| self.mean[k] + along(k)).collect()
    }

    /// Logarithm of the density at m + L z.
    #[must_use]
    pub fn log_density_at(&self, z: &[f64]) -> f64 {
        self.peak - 0.5 * z.iter().map(|z| z * z).sum::<f64>()
    }

    /// z = L^-1 (x - m).
    #[must_use]
    pub fn standard(&self, x: &[f64]) -> Vec<f64> {
        let mut z = vec![0.0; x.len()];
        for (k, (x, mean)) in x.iter().zip(&self.mean).enumerate() {
            let known: f64 = (0..k).map(|l| self.factor[(k, l)] * z[l]).sum();
            z[k] = (x - mean - known) / self.factor[(k, k)];
        }
        z
    }

    /// Logarithm of the density at x.
    #[must_use]
    pub fn log_density(&self, x: &[f64]) -> f64 {
        self.log_density_at(&self.standard(x))
    }

    /// Moments of a density p near this Gaussian q by importance sampling with `draws` draws in
    /// antithetic pairs, x_i = m + L z_i and w_i = p(x_i) / q(x_i):
    ///
    /// ```text
    /// mass = mean w,   mean = m + sum w_i (x_i - m) / sum w_i - mean(x_i - m),
    /// ```
    ///
    /// and likewise for the covariance: what the draws themselves miss of m and L L^T is taken off (a
    /// control variate). Two other Gaussians are tried in place of q, and the one whose weights are
    /// the most even is taken: that of the quadratic polynomial nearest to log p at the draws, which
    /// is p where p is Gaussian, and that of the moments found until then (Cappe, Guillin, Marin,
    /// Robert, "Population Monte Carlo", 2004). So the error is that of the draws' number times the
    /// density's distance from being Gaussian.
    ///
    /// `log_density` gives log p at places, point by point. `None` where the moments found are not
    /// those of a density.
    #[must_use]
    pub fn moments(
        &self,
        draws: usize,
        random: &Philox,
        log_density: &dyn Fn(&[f64]) -> Vec<f64>,
    ) -> Option<Sampled> {
        let normals = antithetic(random, draws, self.mean.len());
        let log_at = |near: &Self| -> Vec<f64> {
            let places: Vec<f64> = normals.iter().flat_map(|z| near.place(z)).collect();
            log_density(&places)
        };
        let values = log_at(self);
        let mut best = self.sample(&normals, &values);
        if let Some(near) = self.nearest(&normals, &values) {
            best = best.or_better(near.sample(&normals, &log_at(&near)));
        }
        if let Some(near) = Self::of(&best.moments) {
            best = best.or_better(near.sample(&normals, &log_at(&near)));
        }
        let possible = best.moments.mass.is_finite() && Self::of(&best.moments).is_some();
        possible.then_some(best)
    }

    /// The Gaussian whose logarithm is, up to a constant, the polynomial a + b . z - z . P z / 2 that
    /// is nearest to `values` at the draws: its covariance is L P^-1 L^T, its mean m + L P^-1 b.
    fn nearest(&self, normals: &[Vec<f64>], values: &[f64]) -> Option<Self> {
        let d = self.mean.len();
        let pairs: Vec<[usize; 2]> = (0..d).flat_map(|k| (k..d).map(move |l| [k, l])).collect();
        let whole: Vec<usize> = (0..values.len()).filter(|i| values[*i].is_finite()).collect();
        let unknowns = 1 + d + pairs.len();
        if whole.len() < 2 * unknowns {
            return None;
        }
        let monomial = |i: usize, j: usize| match (normals[whole[i]].as_slice(), j) {
            (_, 0) => 1.0,
            (z, j) if j <= d => z[j - 1],
            (z, j) => z[pairs[j - 1 - d][0]] * z[pairs[j - 1 - d][1]],
        };
        let monomials = DMatrix::from_fn(whole.len(), unknowns, monomial);
        let mut wanted = DVector::from_fn(whole.len(), |i, _| values[whole[i]]);
        let qr = monomials.qr();
        qr.q_tr_mul(&mut wanted);
        let found = qr.r().solve_upper_triangular(&wanted.rows(0, unknowns))?;
        let mut precision = DMatrix::zeros(d, d);
        for (j, [k, l]) in pairs.iter().enumerate() {
            // A square stands alone, a product for both of its orders.
            precision[(*k, *l)] -= found[1 + d + j];
            precision[(*l, *k)] -= found[1 + d + j];
        }
        let inverse = Cholesky::new(precision)?;
        let mean = self.place(inverse.solve(&found.rows(1, d)).as_slice());
        let covariance = &self.factor * inverse.inverse() * self.factor.transpose();
        Self::of(&Moments { mass: 1.0, mean, covariance })
    }

    /// Moments by the draws from this Gaussian at which log p has these values.
    fn sample(&self, normals: &[Vec<f64>], values: &[f64]) -> Sampled {
        let (dimensions, draws) = (self.mean.len(), normals.len() as f64);
        let places: Vec<f64> = normals.iter().flat_map(|z| self.place(z)).collect();
        let weigh = |(u, z): (&f64, &Vec<f64>)| (u - self.log_density_at(z)).exp();
        let weights: Vec<f64> = values.iter().zip(normals).map(weigh).collect();
        let (sum, squares) = weights.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        let plain = Moments::of_points(&places, dimensions, &|_| 1.0);
        let weighted = Moments::of_points(&places, dimensions, &|i| weights[i]);
        let own = &self.factor * self.factor.transpose();
        let shifted = |k: usize| self.mean[k] + weighted.mean[k] - plain.mean[k];
        let moments = Moments {
            mass: sum / draws,
            mean: (0..dimensions).map(shifted).collect(),
            covariance: own + weighted.covariance - plain.covariance,
        };
        Sampled { moments, effective: sum * sum / (squares * draws) }
    }

    /// The density's marginal along the first coordinate at the places `x`,
    ///
    /// ```text
    /// p_1(x) = int p(x, x_2, .., x_d) = q_1(x) mean over i of p(m + L z_i) / q(m + L z_i),
    /// ```
    ///
    /// where q is this Gaussian, q_1 its marginal and z_i has its first entry fixed by x. Further from
    /// the mean than eight standard deviations it is 0. Arguments as for [`Normal::moments`].
    #[must_use]
    pub fn marginal(
        &self,
        x: &[f64],
        random: &Philox,
        log_density: &dyn Fn(&[f64]) -> Vec<f64>,
    ) -> Vec<f64> {
        let dimensions = self.mean.len();
        let deviation = self.factor[(0, 0)];
        let across = antithetic(random, ACROSS, dimensions);
        let firsts: Vec<f64> = x.iter().map(|x| (x - self.mean[0]) / deviation).collect();
        let near: Vec<usize> = (0..x.len()).filter(|i| firsts[*i].abs() < REACH).collect();
        let with_first = |i: &usize| {
            let first = firsts[*i];
            across.iter().map(move |z| [&[first], &z[1..]].concat())
        };
        let normals: Vec<Vec<f64>> = near.iter().flat_map(with_first).collect();
        let places: Vec<f64> = normals.iter().flat_map(|z| self.place(z)).collect();
        let values = log_density(&places);
        let mut marginal = vec![0.0; x.len()];
        for ((i, values), normals) in
            near.iter().zip(values.chunks(ACROSS)).zip(normals.chunks(ACROSS))
        {
            // Of the other coordinates alone: what is left is the marginal of q.
            let first = -0.5 * (firsts[*i].powi(2) + TAU.ln()) - deviation.ln();
            let weigh = |(u, z): (&f64, &Vec<f64>)| (u - self.log_density_at(z) + first).exp();
            marginal[*i] = values.iter().zip(normals).map(weigh).sum::<f64>() / ACROSS as f64;
        }
        marginal
    }
}

/// Standard normal vectors in pairs of opposite sign.
#[must_use]
pub fn antithetic(random: &Philox, count: usize, dimensions: usize) -> Vec<Vec<f64>> {
    let draw = |i: usize| -> Vec<f64> {
        let sign = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        (0..dimensions).map(|k| sign * random.normal(k as u64, i as u32 / 2)).collect()
    };
    (0..count).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn moments(mean: &[f64], covariance: &[f64]) -> Moments {
        let d = mean.len();
        let covariance = DMatrix::from_fn(d, d, |k, l| covariance[k * d + l]);
        Moments { mass: 1.0, mean: mean.to_vec(), covariance }
    }

    fn apart(a: &Moments, b: &Moments) -> f64 {
        let mean = a.mean.iter().zip(&b.mean).map(|(a, b)| (a - b).abs());
        let covariance = (&a.covariance - &b.covariance).amax();
        mean.fold(covariance.max((a.mass - b.mass).abs()), f64::max)
    }

    #[test]
    fn moments_and_marginal_of_a_gaussian_are_found_from_another_one_nearby() {
        let truth =
            moments(&[1.0, -0.5, 2.0], &[0.04, 0.01, 0.0, 0.01, 0.09, 0.02, 0.0, 0.02, 0.01]);
        let near = moments(&[1.05, -0.4, 1.98], &[0.05, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.012]);
        let (normal, near) = (Normal::of(&truth).expect("one"), Normal::of(&near).expect("one"));
        let random = Philox::new(3, Stream::Vectors);
        let density = |x: &[f64]| x.chunks_exact(3).map(|x| normal.log_density(x)).collect();
        let found = near.moments(2_000, &random, &density).expect("moments");
        assert!(apart(&found.moments, &truth) < 1e-12, "{found:?}");
        assert!(found.effective > 1.0 - 1e-12);
        let twice = |x: &[f64]| density(x).iter().map(|u: &f64| u + 2f64.ln()).collect::<Vec<_>>();
        let doubled = near.moments(2_000, &random, &twice).expect("moments").moments;
        assert!((doubled.mass - 2.0).abs() < 1e-12, "{doubled:?}");
        let found = Normal::of(&found.moments).expect("one");
        let x = [0.5, 0.9, 1.0, 1.3, 9.0];
        for (x, p) in x.iter().zip(found.marginal(&x, &random, &density)) {
            let exact = (-0.5 * (x - 1.0f64).powi(2) / 0.04).exp() / (TAU * 0.04).sqrt();
            assert!((p - exact).abs() < 1e-11 * exact.max(1e-3), "{x}: {p}, {exact}");
        }
        // Planted: a density whose covariance is another one.
        let other = moments(&truth.mean, &[0.04, 0.01, 0.0, 0.01, 0.0901, 0.02, 0.0, 0.02, 0.01]);
        let other = Normal::of(&other).expect("one");
        let density = |x: &[f64]| x.chunks_exact(3).map(|x| other.log_density(x)).collect();
        let found = near.moments(2_000, &random, &density).expect("moments");
        assert!(apart(&found.moments, &truth) > 5e-5, "{found:?}");
    }

    /// Away from Gaussians the error falls with the root of the number of draws.
    #[test]
    fn moments_of_another_density_are_found_to_within_the_sampling_error() {
        // 0.6 N(0, 1) + 0.4 N(1, 1/4): mean 0.4, variance 0.6 + 0.5 - 0.16.
        let gaussian =
            |x: f64, m: f64, v: f64| (-0.5 * (x - m).powi(2) / v).exp() / (TAU * v).sqrt();
        let density = |x: &[f64]| {
            x.iter()
                .map(|&x| (0.6 * gaussian(x, 0.0, 1.0) + 0.4 * gaussian(x, 1.0, 0.25)).ln())
                .collect()
        };
        let near = Normal::of(&moments(&[0.2], &[1.3])).expect("one");
        let draws = 20_000;
        let found = near.moments(draws, &Philox::new(1, Stream::Vectors), &density).expect("some");
        let bound = 5.0 / (draws as f64).sqrt();
        assert!((found.moments.mean[0] - 0.4).abs() < bound, "{found:?}");
        assert!((found.moments.covariance[(0, 0)] - 0.94).abs() < bound, "{found:?}");
        assert!((found.moments.mass - 1.0).abs() < bound, "{found:?}");
        assert!(found.effective < 0.99, "it is no Gaussian: {found:?}");
    }

    #[test]
    fn a_flat_covariance_has_no_gaussian() {
        assert!(Normal::of(&moments(&[0.0, 0.0], &[1.0, 1.0, 1.0, 1.0])).is_none());
        assert!(Normal::of(&moments(&[0.0], &[f64::NAN])).is_none());
    }
}
