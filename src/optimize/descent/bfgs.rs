//! BFGS with a dense approximation of the inverse Hessian.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::wolfe::line_search;
use super::{QuasiNewton, Sample, difference, dot};
use crate::linalg::times;

/// Nocedal, Wright: "Numerical Optimization", algorithm 6.1, with a line search for the weak Wolfe
/// conditions; the first curvature pair scales the identity that H starts as (equation 6.20).
#[derive(Clone, Debug, Default)]
pub struct Bfgs {
    /// H; 0 x 0 before the first curvature pair: the identity.
    pub inverse: DMatrix<f64>,
}

impl QuasiNewton for Bfgs {
    async fn step<E>(
        &mut self,
        from: &Sample,
        objective: &mut impl AsyncFnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<Option<Sample>, E> {
        let mut direction = self.direction(&from.gradient);
        if dot(&direction, &from.gradient) >= 0.0 {
            self.inverse = DMatrix::default();
            direction = self.direction(&from.gradient);
        }
        let length = dot(&direction, &direction).sqrt();
        let first = if self.inverse.nrows() == 0 { length.recip().min(1.0) } else { 1.0 };
        let Some(next) = line_search(from, &direction, first, objective).await? else {
            return Ok(None);
        };
        let s = difference(&next.theta, &from.theta);
        let y = difference(&next.gradient, &from.gradient);
        if dot(&s, &y) > f64::EPSILON * dot(&y, &y) {
            self.update(&s, &y);
        }
        Ok(Some(next))
    }
}

impl Bfgs {
    /// `-H g`.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        if self.inverse.nrows() == 0 {
            return gradient.iter().map(|g| -g).collect();
        }
        times(self.inverse.as_view(), gradient).iter().map(|d| -d).collect()
    }

    /// `H <- (I - s y^T / c) H (I - y s^T / c) + s s^T / c` with `c = s . y`, written as a symmetric
    /// change of rank two.
    fn update(&mut self, s: &[f64], y: &[f64]) {
        let c = dot(s, y);
        if self.inverse.nrows() == 0 {
            let scale = c / dot(y, y);
            self.inverse = DMatrix::from_diagonal_element(s.len(), s.len(), scale);
        }
        let hy = times(self.inverse.as_view(), y);
        let weight = (1.0 + dot(y, &hy) / c) / c;
        let columns = self.inverse.as_mut_slice().par_chunks_exact_mut(s.len());
        columns.enumerate().for_each(|(k, column)| {
            for ((h, s_i), hy_i) in column.iter_mut().zip(s).zip(&hy) {
                *h += weight * s_i * s[k] - (hy_i * s[k] + s_i * hy[k]) / c;
            }
        });
    }
}
