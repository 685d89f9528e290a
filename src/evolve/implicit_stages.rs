//! Linearly implicit stages in the tangent space.
//!
//! At theta, with J = du/dtheta and A = dF/dtheta on the step's columns S, the stages of a
//! [`Rosenbrock`] method are points u + J d of the tangent space. Let U (n x r) be an orthonormal
//! basis of the range of J above the cutoff, J T = U, and L = A T: F(u + U y) = F + L y + ... The
//! stages are Galerkin's, exact in the tangent space:
//!
//! ```text
//! stage i:  U^T (U - gamma dt L) y_i = gamma U^T (dt F(u + U sum_j a_ij y_j, t + alpha_i dt)
//!                                          + U sum_j c_ij y_j + gamma_i dt^2 dF/dt)
//! target:   w = u + U sum_i m_i y_i
//! ```
//!
//! All stages share one small matrix. L y is the derivative of F along U y, so that the stiffest
//! directions that the network has are damped instead of limiting the step. Least squares would do
//! without U: the residual of (J - gamma dt A) d measures errors by A, which weighs a smooth error
//! next to nothing beside a stiff one, and its cutoff, relative to the stiffest direction, drops
//! smooth ones (on Korteweg and de Vries' equation it came to a stand before the first soliton,
//! where Galerkin's stages go on).
//!
//! U comes from the pivots of a QR factorisation: of A only the r columns of the pivots are computed.

use nalgebra::DMatrix;

use super::directions::Directions;
use super::engine::Engine;
use super::error::{AttemptError, EvolveError};
use super::rosenbrock::Rosenbrock;
use super::stage_fit::Prediction;
use super::subset::TangentSpace;
use super::tableau::combine;
use crate::field::cpu::Field;
use crate::linalg::{
    LeastSquaresError, Lu, norm, orthonormal_and_inverse, product, times, transposed_product,
    transposed_times,
};

/// The Galerkin matrix U^T (U - gamma dt L) at some theta, factored.
pub struct Pencil {
    gamma: f64,
    dt: f64,
    /// P T' with P the chosen directions that make up U: U = J P T'.
    directions: Directions,
    transform: DMatrix<f64>,
    /// U.
    basis: DMatrix<f64>,
    galerkin: Lu,
    /// The largest entry of R: about the largest singular value of J.
    pub largest: f64,
}

impl Pencil {
    /// At theta, in the part of `space`, which must stand there, above `rcond`.
    ///
    /// # Errors
    /// When J or A is not finite, or the device fails.
    pub async fn at(
        engine: &mut Engine,
        space: &TangentSpace,
        (gamma, rcond): (f64, f64),
        theta: &[f64],
        (time, dt): (f64, f64),
    ) -> Result<Self, AttemptError> {
        let (chosen, columns, largest) = space.independent(rcond)?;
        let directions = space.directions.select(&chosen);
        let (basis, mut transform) = orthonormal_and_inverse(columns.as_view());
        let rates = directions.rate_columns(engine, theta, time).await?;
        // Scaled as the columns of J were.
        let scale = space.scale_of(&chosen);
        for (mut row, scale) in transform.row_iter_mut().zip(scale) {
            row *= scale;
        }
        let lifted = product(rates.to_double().as_view(), transform.as_view());
        engine.recycle(rates);
        let projected = transposed_product(basis.as_view(), lifted.as_view());
        let rank = chosen.len();
        let matrix = DMatrix::identity(rank, rank) - projected * (gamma * dt);
        if !matrix.iter().all(|entry| entry.is_finite()) {
            return Err(LeastSquaresError::MatrixNotFinite { row: 0, column: 0 }.into());
        }
        let galerkin = Lu::of(matrix);
        Ok(Self { gamma, dt, directions, transform, basis, galerkin, largest })
    }

    /// r: the dimension of the tangent space.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.transform.ncols()
    }

    /// The coordinates y with `U^T (U - gamma dt L) y = U^T r`.
    fn solve(&self, r: &[f64]) -> Vec<f64> {
        self.galerkin.solve(&transposed_times(self.basis.as_view(), r))
    }

    /// U y.
    fn image(&self, y: &[f64]) -> Vec<f64> {
        times(self.basis.as_view(), y)
    }

    /// The direction in the whole parameter space that moves u by U y.
    fn direction(&self, parameters: usize, y: &[f64]) -> Vec<f64> {
        let z = times(self.transform.as_view(), y);
        self.directions.moved(&vec![0.0; parameters], &z)
    }

    /// Norm of what of a change of F goes on into the solution, over one step: of F's noise in
    /// stiff directions next to nothing does.
    #[must_use]
    pub fn damped(&self, change: impl Iterator<Item = f64>) -> f64 {
        let r: Vec<f64> = change.map(|change| self.gamma * self.dt * change).collect();
        norm(&self.image(&self.solve(&r)))
    }
}

/// Where a step leads and the move of all parameters that leads there in the tangent space.
///
/// # Errors
/// When the device fails.
pub async fn stages(
    engine: &mut Engine,
    method: &Rosenbrock,
    pencil: &Pencil,
    (theta, field): (&[f64], &Field),
    by_time: Option<&[f64]>,
    (time, dt): (f64, f64),
) -> Result<(Prediction, Vec<f64>), EvolveError> {
    // Coordinates of the stages in the tangent space, and their images.
    let (mut stages, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for (i, (a, c)) in method.a.iter().zip(method.c).enumerate() {
        let at = time + method.alpha[i] * dt;
        let mut r = match i {
            0 => field.right_hand_side.clone(),
            _ => {
                let direction = pencil.direction(theta.len(), &combine(a, &stages));
                engine.field_along(theta, &direction, at).right_hand_side
            }
        };
        if let Some(by_time) = by_time {
            let factor = method.gammas[i] * dt;
            r.iter_mut().zip(by_time).for_each(|(r, rate)| *r += factor * rate);
        }
        r.iter_mut().for_each(|r| *r *= method.gamma * dt);
        let old = combine(c, &images);
        r.iter_mut().zip(&old).for_each(|(r, old)| *r += method.gamma * old);
        let y = pencil.solve(&r);
        images.push(pencil.image(&y));
        stages.push(y);
    }
    let step = pencil.direction(theta.len(), &combine(method.m, &stages));
    let way = combine(method.m, &images);
    let prediction = Prediction {
        target: field.values.iter().zip(&way).map(|(u, way)| u + way).collect(),
        slope: engine.field_along(theta, &step, time + dt).right_hand_side,
        error: Some(norm(&combine(method.error, &images))),
    };
    Ok((prediction, step))
}
