//! A density's moments along the run, held against the Gaussian that it should be.

use super::Recording;
use crate::evolve::Evolution;
use crate::output::DensityRecord;
use crate::problem::{Moments, PointLayout, Problem, antithetic};
use crate::random::{Philox, Stream};
use crate::reference::Gaussian;

/// Draws of the moments, and points of the errors.
const DRAWS: usize = 2_048;

impl Recording {
    /// The density's moments at the times of the frames, where points are drawn from one.
    #[must_use]
    pub fn densities(&self) -> &[DensityRecord] {
        &self.densities
    }

    /// Keeps the moments at the present time.
    pub(super) fn keep_density(&mut self, evolution: &Evolution) {
        let Some(near) = evolution.moments(DRAWS) else { return };
        let mut record = DensityRecord {
            time: evolution.time(),
            mass: near.moments.mass,
            effective: near.effective,
            ..unknown(evolution.problem().dimensions())
        };
        record.covariance = rows(&near.moments);
        record.mean.clone_from(&near.moments.mean);
        if let Some(gaussian) = &self.gaussian {
            compare(&mut record, evolution, &near.moments, gaussian);
        }
        self.densities.push(record);
    }
}

/// The Gaussian that the run should follow, where it should.
pub(super) fn gaussian(problem: &Problem) -> Option<Gaussian> {
    let drawn = problem.points.layout == PointLayout::Adaptive;
    Gaussian::of(problem).ok().filter(|_| drawn)
}

fn unknown(d: usize) -> DensityRecord {
    DensityRecord {
        exact_mass: f64::NAN,
        exact_mean: vec![f64::NAN; d],
        exact_covariance: vec![f64::NAN; d * d],
        mean_error: f64::NAN,
        covariance_error: f64::NAN,
        log_error: f64::NAN,
        density_error: f64::NAN,
        ..DensityRecord::default()
    }
}

fn rows(moments: &Moments) -> Vec<f64> {
    let d = moments.mean.len();
    (0..d * d).map(|i| moments.covariance[(i / d, i % d)]).collect()
}

/// Puts the exact moments and the errors into a record.
fn compare(
    record: &mut DensityRecord,
    evolution: &Evolution,
    found: &Moments,
    gaussian: &Gaussian,
) {
    let time = evolution.time();
    let (Ok(exact), Ok((normal, mass))) = (gaussian.moments(time), gaussian.normal(time)) else {
        return;
    };
    record.exact_mass = mass;
    record.exact_covariance = rows(&exact);
    let off = normal.standard(&found.mean);
    record.mean_error = off.iter().map(|z| z * z).sum::<f64>().sqrt();
    let off = &found.covariance - &exact.covariance;
    record.covariance_error = off.norm() / exact.covariance.norm();
    record.exact_mean = exact.mean;
    let problem = evolution.problem();
    let random = Philox::new(problem.seed.wrapping_add(1), Stream::Vectors);
    let normals = antithetic(&random, DRAWS, problem.dimensions());
    let places: Vec<f64> = normals.iter().flat_map(|z| normal.place(z)).collect();
    let density = problem.points.density;
    let (mut logs, mut densities) = ([0.0; 2], [0.0; 2]);
    for (u, z) in evolution.evaluate(&places).into_iter().zip(&normals) {
        let (u, exact) = (density.logarithm(u), normal.log_density_at(z) + mass.ln());
        logs[0] += (u - exact).powi(2);
        logs[1] += exact.powi(2);
        densities[0] += (u.exp() - exact.exp()).powi(2);
        densities[1] += exact.exp().powi(2);
    }
    record.log_error = (logs[0] / logs[1]).sqrt();
    record.density_error = (densities[0] / densities[1]).sqrt();
}
