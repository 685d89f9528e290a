//! Levenberg-Marquardt steps with iterated geodesic acceleration.
//!
//! With the residual r, `J = -dr/dtheta` and damping lambda a step is `d = J^+ r`, where `J^+` is
//! the damped inverse `(J^T J + lambda^2 I)^-1 J^T = J^T (J J^T + lambda^2 I)^-1`. The residual
//! there is `r(theta + d) = r - J d - N(d)`; the nonlinearity N is known once it has been
//! evaluated, so the same factor gives `d <- J^+ (r - N(d))`, again and again while the loss falls.
//! To second order the first repetition is the geodesic acceleration of Transtrum and Sethna
//! ("Improvements to the Levenberg-Marquardt algorithm", arXiv 1201.5885); the repetitions cost
//! two triangular solves each where a new Jacobian costs hundreds of times as much.

use faer::{ColRef, Mat, MatRef};

use super::error::FitError;
use super::target::{Residual, Target};
use crate::linalg::{LeastSquares, NormalEquations};

/// Start value of the damping, relative to the largest singular value.
pub(super) const FIRST_DAMPING: f64 = 1e-3;
/// Below this the damping is lost in the round-off of `J J^T`.
const LEAST_DAMPING: f64 = 4e-8;
/// Ratio of one trial's damping to the next.
const FACTOR: f64 = 3.162_277_660_168_379_5;
/// Smaller dampings that are tried while they do better, and larger ones until one succeeds.
const DECREASES: usize = 4;
const INCREASES: usize = 12;
/// Repetitions with one factor.
const REPETITIONS: usize = 5;

/// A point that was tried.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub theta: Vec<f64>,
    pub residual: Residual,
    /// Relative to the largest singular value.
    pub damping: f64,
}

/// Memory that is kept from one iteration to the next.
pub(super) struct Levenberg {
    solver: LeastSquares,
    jacobian: Mat<f64>,
}

impl Levenberg {
    pub fn new() -> Self {
        Self { solver: LeastSquares::default(), jacobian: Mat::new() }
    }

    /// The best point found from `theta` with dampings around `damping`; `None` where none
    /// lowers the loss. Only the parameters in `columns` move.
    pub fn iterate(
        &mut self,
        target: &Target,
        theta: &[f64],
        residual: &Residual,
        columns: &[u32],
        damping: f64,
    ) -> Result<Option<Trial>, FitError> {
        if self.jacobian.shape() != (target.rows(), columns.len()) {
            self.jacobian = Mat::zeros(target.rows(), columns.len());
        }
        target.jacobian(theta, columns, self.jacobian.as_mut());
        let jacobian = self.jacobian.as_ref();
        let equations = self.solver.normal_equations(jacobian)?;
        Linearised { target, theta, residual, columns, jacobian, equations }.search(damping)
    }
}

/// The problem linearised at theta.
struct Linearised<'a> {
    target: &'a Target,
    theta: &'a [f64],
    residual: &'a Residual,
    columns: &'a [u32],
    jacobian: MatRef<'a, f64>,
    equations: NormalEquations<'a, f64>,
}

impl Linearised<'_> {
    /// Smaller dampings while they do better; larger ones only if none lowers the loss.
    fn search(&mut self, damping: f64) -> Result<Option<Trial>, FitError> {
        let mut best = None;
        self.improve(&mut best, damping)?;
        let mut smaller = damping;
        for _ in 0..DECREASES {
            smaller = (smaller / FACTOR).max(LEAST_DAMPING);
            if !self.improve(&mut best, smaller)? || smaller == LEAST_DAMPING {
                break;
            }
        }
        let mut larger = damping;
        for _ in 0..INCREASES {
            if best.is_some() {
                break;
            }
            larger *= FACTOR;
            self.improve(&mut best, larger)?;
        }
        Ok(best)
    }

    /// Tries a damping; true where it does better than everything before.
    fn improve(&mut self, best: &mut Option<Trial>, damping: f64) -> Result<bool, FitError> {
        let limit = best.as_ref().map_or(self.residual.loss, |trial| trial.residual.loss);
        let trial = self.attempt(damping)?.filter(|trial| trial.residual.loss < limit);
        let better = trial.is_some();
        if better {
            *best = trial;
        }
        Ok(better)
    }

    /// The step for one damping, repeated with the nonlinearity taken out; `None` where the
    /// damping is lost in round-off.
    fn attempt(&mut self, damping: f64) -> Result<Option<Trial>, FitError> {
        let lambda = damping * self.equations.largest();
        if self.equations.damp(lambda).is_err() {
            return Ok(None);
        }
        let r = &self.residual.entries;
        let linear = self.equations.solve(r)?;
        let mut step = linear.clone();
        let mut best = self.trial(&step, damping);
        for _ in 0..REPETITIONS {
            if !best.residual.loss.is_finite() {
                break;
            }
            let image = self.jacobian * ColRef::from_slice(&step);
            let reached = best.residual.entries.iter().zip(r).zip(image.iter());
            let nonlinearity: Vec<f64> =
                reached.map(|((new, r), image)| new - (r - image)).collect();
            let correction = self.equations.solve(&nonlinearity)?;
            step = linear.iter().zip(correction).map(|(a, b)| a + b).collect();
            let next = self.trial(&step, damping);
            // Also false where the loss is not a number.
            if next.residual.loss < best.residual.loss {
                best = next;
            } else {
                break;
            }
        }
        Ok(Some(best))
    }

    fn trial(&self, step: &[f64], damping: f64) -> Trial {
        let mut theta = self.theta.to_vec();
        for (&k, d) in self.columns.iter().zip(step) {
            theta[k as usize] += d;
        }
        let residual = self.target.residual(&theta);
        Trial { theta, residual, damping }
    }
}
