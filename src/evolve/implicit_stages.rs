//! Linearly implicit stages in the tangent space.
//!
//! At theta, with J = du/dtheta and A = dF/dtheta on the step's columns S, the stages of a
//! [`Rosenbrock`] method are points u + J d of the tangent space:
//!
//! ```text
//! stage i:  d_i = argmin | (J - gamma dt A) d - gamma (dt F(u + J sum_j a_ij d_j, t + alpha_i dt)
//!                              + J sum_j c_ij d_j + gamma_i dt^2 dF/dt) |
//! target:   w = u + J sum_i m_i d_i
//! ```
//!
//! All stages share one matrix. A d is the derivative of F along J d, so that the stiffest
//! directions that the network has are damped instead of limiting the step. The cutoff is relative
//! to the largest singular value of J - gamma dt A, whose columns are scaled to about unit length.
//! The points have to determine a direction by its values and its rates alike: take more of them than
//! columns. Below 1e-6 of the largest singular value directions are noise that the next stage would amplify.

use super::columns::Columns;
use super::engine::Engine;
use super::error::{AttemptError, EvolveError};
use super::rosenbrock::Rosenbrock;
use super::stage_fit::{Prediction, Settings, project};
use super::subset::{Equations, TangentSpace};
use super::tableau::combine;
use crate::field::cpu::Field;
use crate::linalg::{LeastSquares, LeastSquaresError, norm};

/// Damping below this multiple of the largest singular value lets noise into the stages.
const LEAST_DAMPING: f64 = 1e-6;

/// J - gamma dt A in the tangent space of J, its columns scaled by E to about unit length.
pub struct Pencil {
    gamma: f64,
    dt: f64,
    matrix: Columns,
    /// Entries of E over those of J's own scale: from solutions to coordinates of the tangent space.
    ratio: Vec<f64>,
}

/// What the stages give beside the [`Prediction`].
pub struct Stages {
    pub prediction: Prediction,
    /// The move of all parameters that leads to the target in the tangent space.
    pub step: Vec<f64>,
    /// |sum_i m_i r_i|, r_i what stage i leaves of its right-hand side: the part of the motion that no
    /// direction of the tangent space makes. The step misses at most that much. Of noise in stiff
    /// directions, which the equation damps, it misses far less, and nothing here tells the two
    /// apart.
    pub left: f64,
    pub rank: usize,
    pub largest: f64,
}

impl Pencil {
    /// At theta, along the directions of `space`, which must stand there.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn at(
        engine: &mut Engine,
        space: &TangentSpace,
        gamma: f64,
        theta: &[f64],
        (time, dt): (f64, f64),
    ) -> Result<Self, EvolveError> {
        let rates = space.directions.rate_columns(engine, theta, time).await?;
        let mut matrix = space.minus(rates, gamma * dt);
        let ratio = space.ratio(&matrix.normalise());
        Ok(Self { gamma, dt, matrix, ratio })
    }

    /// The normal equations; `squares` lends its memory.
    ///
    /// # Errors
    /// When an entry is not finite.
    pub fn equations<'a>(
        &'a self,
        squares: &'a mut LeastSquares,
    ) -> Result<Equations<'a>, LeastSquaresError> {
        Equations::of(&self.matrix, squares)
    }

    /// The coordinates z of the tangent space with `(J - gamma dt A) z = r` in the least-squares
    /// sense, and what they leave of r.
    fn solve(
        &self,
        equations: &mut Equations<'_>,
        mut r: Vec<f64>,
        rcond: f64,
    ) -> Result<(Vec<f64>, Vec<f64>), LeastSquaresError> {
        let lambda = rcond.max(LEAST_DAMPING) * equations.largest();
        let mut z = project(equations, &r, lambda)?;
        // Once more on what is left: damping's bias is squared away.
        r.iter_mut().zip(self.matrix.multiply(&z)).for_each(|(r, image)| *r -= image);
        let rest = project(equations, &r, lambda)?;
        r.iter_mut().zip(self.matrix.multiply(&rest)).for_each(|(r, image)| *r -= image);
        z.iter_mut().zip(rest).for_each(|(z, d)| *z += d);
        z.iter_mut().zip(&self.ratio).for_each(|(z, ratio)| *z *= ratio);
        Ok((z, r))
    }

    /// What of a change of F goes on into the solution, over one step: of F's noise in stiff
    /// directions next to nothing does.
    ///
    /// # Errors
    /// When the change is not finite.
    pub fn damped(
        &self,
        space: &TangentSpace,
        equations: &mut Equations<'_>,
        change: impl Iterator<Item = f64>,
        rcond: f64,
    ) -> Result<f64, LeastSquaresError> {
        let r = change.map(|change| self.gamma * self.dt * change).collect();
        Ok(norm(&space.image(&self.solve(equations, r, rcond)?.0)))
    }

    /// Gives the matrix's memory back to the engine.
    pub fn recycle(self, engine: &mut Engine) {
        engine.recycle(self.matrix);
    }
}

/// The stages of one step from theta, whose field is `field`.
///
/// # Errors
/// When a least-squares problem has no solution or the device fails.
pub async fn stages(
    engine: &mut Engine,
    settings: &Settings,
    method: &Rosenbrock,
    (space, pencil): (&TangentSpace, &Pencil),
    equations: &mut Equations<'_>,
    (theta, field): (&[f64], &Field),
    (time, dt): (f64, f64),
) -> Result<Stages, AttemptError> {
    let by_time = engine.time_derivative(theta, time).await?;
    // Coordinates of the stages in the tangent space, and their images.
    let (mut stages, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let mut residuals: Vec<Vec<f64>> = Vec::new();
    for (i, (a, c)) in method.a.iter().zip(method.c).enumerate() {
        let at = time + method.alpha[i] * dt;
        let mut r = match i {
            0 => field.right_hand_side.clone(),
            _ => {
                let direction = space.direction(theta.len(), &combine(a, &stages));
                engine.field_along(theta, &direction, at).right_hand_side
            }
        };
        if let Some(by_time) = &by_time {
            let factor = method.gammas[i] * dt;
            r.iter_mut().zip(by_time).for_each(|(r, rate)| *r += factor * rate);
        }
        r.iter_mut().for_each(|r| *r *= method.gamma * dt);
        let old = combine(c, &images);
        r.iter_mut().zip(&old).for_each(|(r, old)| *r += method.gamma * old);
        let (z, residual) = pencil.solve(equations, r, settings.rcond)?;
        residuals.push(residual);
        images.push(space.image(&z));
        stages.push(z);
    }
    let step = space.direction(theta.len(), &combine(method.m, &stages));
    let way = combine(method.m, &images);
    let lambda = settings.rcond.max(LEAST_DAMPING) * equations.largest();
    Ok(Stages {
        prediction: Prediction {
            target: field.values.iter().zip(&way).map(|(u, way)| u + way).collect(),
            slope: engine.field_along(theta, &step, time + dt).right_hand_side,
            error: Some(norm(&combine(method.error, &images))),
        },
        left: norm(&combine(method.m, &residuals)),
        rank: equations.rank(lambda),
        largest: equations.largest(),
        step,
    })
}
