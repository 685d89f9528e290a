//! Damped steps with iterated geodesic acceleration, and the search for the damping.
//!
//! With the residual r, `J = -dr/dtheta` and damping lambda a step is `d = J^+ r`, where `J^+` is
//! the damped inverse `(J^T J + lambda^2 I)^-1 J^T`. The residual there is
//! `r(theta + d) = r - J d - N(d)`; the nonlinearity N is known once it has been evaluated, so the
//! same factor gives `d <- J^+ (r - N(d))`, again and again while the loss falls. To second order
//! the first repetition is the geodesic acceleration of Transtrum and Sethna ("Improvements to the
//! Levenberg-Marquardt algorithm", arXiv 1201.5885); a repetition costs two products with the
//! factor where a new Jacobian costs hundreds of times as much.
//!
//! An energy has no residual whose square it is, but a gradient g by the step: its steps are repeated
//! as `d <- d - (J^T J + lambda^2 I)^-1 g(d) / 2`, Newton's with one Hessian.

use nalgebra::DMatrixView;

use crate::linalg::{Factorisation, Filter, LeastSquaresError, NormalEquations, times};

/// Ratio of one trial's damping to the next: the square root of ten.
pub const FACTOR: f64 = 3.162_277_660_168_379_5;
/// A step of a larger share may begin with so many times the loss of the smaller one's end.
const PATIENCE: f64 = 4.0;

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// Smaller dampings that are tried while they do better.
    pub decreases: usize,
    /// Larger ones until one succeeds.
    pub increases: usize,
    /// Finer and finer dampings around the best one: a quarter of a decade beside it, then an
    /// eighth, and so on.
    pub refinements: usize,
    /// Repetitions with one factor.
    pub repetitions: usize,
    /// Shares of the residual that a step aims to take away, one after the other, each starting
    /// from where the last one led.
    pub shares: &'static [f64],
    /// Relative to the largest singular value; below it the damping is lost in round-off.
    pub least_damping: f64,
}

impl Default for SearchSettings {
    fn default() -> Self {
        // 4e-8: the square root of the round-off of `J J^T`.
        Self {
            decreases: 4,
            increases: 12,
            refinements: 0,
            repetitions: 5,
            shares: &[1.0],
            least_damping: 4e-8,
        }
    }
}

/// The damped inverse of one matrix for one damping after another.
pub trait DampedInverse {
    /// The largest singular value.
    fn largest(&self) -> f64;
    /// Takes a damping; false where it is lost in round-off.
    fn damp(&mut self, lambda: f64) -> bool;
    /// `J^+ r` with the damping that was taken.
    fn solve(&self, r: &[f64]) -> Result<Vec<f64>, LeastSquaresError>;
    /// `(J^T J + lambda^2 I)^-1 g`; `None` where it is not to be had.
    fn solve_normal(&self, _g: &[f64]) -> Option<Vec<f64>> {
        None
    }
}

/// By Cholesky: a factorisation a damping.
impl DampedInverse for NormalEquations<'_, f64> {
    fn largest(&self) -> f64 {
        NormalEquations::largest(self)
    }

    fn damp(&mut self, lambda: f64) -> bool {
        NormalEquations::damp(self, lambda).is_ok()
    }

    fn solve(&self, r: &[f64]) -> Result<Vec<f64>, LeastSquaresError> {
        NormalEquations::solve(self, r)
    }
}

/// By singular values: one decomposition for all dampings, down to round-off.
pub struct Decomposed<'a> {
    pub factorisation: Factorisation<'a, f64>,
    pub lambda: f64,
}

impl DampedInverse for Decomposed<'_> {
    fn largest(&self) -> f64 {
        self.factorisation.largest()
    }

    fn damp(&mut self, lambda: f64) -> bool {
        self.lambda = lambda;
        lambda > 0.0 && lambda.is_finite()
    }

    fn solve(&self, r: &[f64]) -> Result<Vec<f64>, LeastSquaresError> {
        let projection = self.factorisation.project(r)?;
        Ok(self.factorisation.combine(&projection, Filter::Damp { lambda: self.lambda }))
    }

    fn solve_normal(&self, g: &[f64]) -> Option<Vec<f64>> {
        let mut c = self.factorisation.project_solution(g);
        let values = self.factorisation.singular_values();
        c.iter_mut().zip(values).for_each(|(c, sigma)| *c /= sigma.powi(2) + self.lambda.powi(2));
        Some(self.factorisation.combine_coefficients(&c))
    }
}

/// What a trial step leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// For an energy its change.
    pub loss: f64,
    pub next: Next,
}

/// From what a step is repeated.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// From r at the trial point.
    Residual(Vec<f64>),
    /// From half the loss's gradient there by the step: of an energy, which is no sum of squares.
    Gradient(Vec<f64>),
    /// Not at all: something is not finite.
    Nothing,
}

impl Reached {
    /// Of a least-squares problem.
    pub fn of(residual: Vec<f64>) -> Self {
        Self { loss: residual.iter().map(|r| r * r).sum(), next: Next::Residual(residual) }
    }

    /// Of a point at which nothing can be evaluated.
    pub fn nothing() -> Self {
        Self { loss: f64::INFINITY, next: Next::Nothing }
    }
}

/// The best step that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    pub step: Vec<f64>,
    pub reached: Reached,
    /// Relative to the largest singular value.
    pub damping: f64,
}

/// A problem linearised at a point: `r(d) ~ r - J d`.
pub struct Linearised<'a, I, F> {
    pub jacobian: DMatrixView<'a, f64>,
    pub residual: &'a [f64],
    pub loss: f64,
    pub inverse: I,
    /// The residual after a step d.
    pub evaluate: F,
    pub settings: SearchSettings,
}

impl<I, F, E> Linearised<'_, I, F>
where
    I: DampedInverse,
    F: AsyncFnMut(&[f64]) -> Result<Reached, E>,
    E: From<LeastSquaresError>,
{
    /// The best step with dampings around `damping`: smaller ones while they do better, larger ones
    /// and then again smaller ones only if none lowers the loss; `None` where none does at all.
    pub async fn search(&mut self, damping: f64) -> Result<Option<Trial>, E> {
        let SearchSettings { decreases, increases, least_damping, .. } = self.settings;
        let mut best = None;
        self.improve(&mut best, damping).await?;
        let mut smaller = damping;
        for _ in 0..decreases {
            smaller = (smaller / FACTOR).max(least_damping);
            if !self.improve(&mut best, smaller).await? || smaller == least_damping {
                break;
            }
        }
        let mut larger = damping;
        for _ in 0..increases {
            if best.is_some() {
                break;
            }
            larger *= FACTOR;
            self.improve(&mut best, larger).await?;
        }
        // Nothing helped: the last resort is to be bold.
        let mut smaller = damping;
        for _ in 0..decreases {
            if best.is_some() || smaller <= least_damping {
                break;
            }
            smaller = (smaller / FACTOR).max(least_damping);
            self.improve(&mut best, smaller).await?;
        }
        self.refine(&mut best).await?;
        Ok(best)
    }

    /// Closes in on the best damping. What it gains over half decades is worth several iterations:
    /// for Poisson's equation by 129 parameters the loss after 150 iterations is a hundred times
    /// less.
    async fn refine(&mut self, best: &mut Option<Trial>) -> Result<(), E> {
        let mut factor = FACTOR;
        for _ in 0..self.settings.refinements {
            factor = factor.sqrt();
            let Some(centre) = best.as_ref().map(|trial| trial.damping) else { return Ok(()) };
            for damping in [centre / factor, centre * factor] {
                if damping >= self.settings.least_damping {
                    self.improve(best, damping).await?;
                }
            }
        }
        Ok(())
    }

    /// Tries a damping; true where it does better than everything before.
    async fn improve(&mut self, best: &mut Option<Trial>, damping: f64) -> Result<bool, E> {
        let limit = best.as_ref().map_or(self.loss, |trial| trial.reached.loss);
        let trial = self.attempt(damping).await?.filter(|trial| trial.reached.loss < limit);
        let better = trial.is_some();
        if better {
            *best = trial;
        }
        Ok(better)
    }

    /// The step for one damping, repeated with the nonlinearity taken out; `None` where the
    /// damping is lost in round-off or nothing can be evaluated there.
    async fn attempt(&mut self, damping: f64) -> Result<Option<Trial>, E> {
        let lambda = damping * self.inverse.largest();
        if !self.inverse.damp(lambda) {
            return Ok(None);
        }
        let linear = self.inverse.solve(self.residual)?;
        let mut best = None;
        let mut step = vec![0.0; linear.len()];
        let mut before = 0.0;
        for &share in self.settings.shares {
            step.iter_mut().zip(&linear).for_each(|(d, linear)| *d += (share - before) * linear);
            before = share;
            if !self.repeat(share, &linear, &mut step, damping, &mut best).await? {
                break;
            }
        }
        Ok(best)
    }

    /// Repeats a step towards `share` of the linear one while the loss falls; true where it found a
    /// better one than `best`.
    async fn repeat(
        &mut self,
        share: f64,
        linear: &[f64],
        step: &mut Vec<f64>,
        damping: f64,
        best: &mut Option<Trial>,
    ) -> Result<bool, E> {
        let mut improved = false;
        for repetition in 0..=self.settings.repetitions {
            let reached = (self.evaluate)(step).await?;
            let limit = best.as_ref().map_or(f64::INFINITY, |trial| trial.reached.loss);
            let better = reached.loss < limit;
            // Also where the loss is not a number. A longer step may begin worse than it ends.
            let hopeless = !(reached.loss < PATIENCE * limit && reached.loss.is_finite());
            if !better && (repetition > 0 || hopeless) {
                break;
            }
            let next = match repetition < self.settings.repetitions {
                true => self.again(&reached.next, share, linear, step)?,
                false => None,
            };
            if better {
                improved = true;
                *best = Some(Trial { step: step.clone(), reached, damping });
            }
            let Some(next) = next else { break };
            *step = next;
        }
        Ok(improved)
    }

    /// The step with the nonlinearity at its end taken out.
    fn again(
        &self,
        reached: &Next,
        share: f64,
        linear: &[f64],
        step: &[f64],
    ) -> Result<Option<Vec<f64>>, E> {
        Ok(match reached {
            Next::Residual(reached) => {
                let correction = self.inverse.solve(&self.nonlinearity(reached, step))?;
                Some(linear.iter().zip(correction).map(|(a, b)| share * a + b).collect())
            }
            Next::Gradient(half) => self
                .inverse
                .solve_normal(half)
                .map(|correction| step.iter().zip(correction).map(|(a, b)| a - b).collect()),
            Next::Nothing => None,
        })
    }

    /// What the residual after a step has beyond `r - J d`.
    fn nonlinearity(&self, reached: &[f64], step: &[f64]) -> Vec<f64> {
        let image = times(self.jacobian, step);
        let linear = self.residual.iter().zip(image).map(|(r, image)| r - image);
        reached.iter().zip(linear).map(|(new, linear)| new - linear).collect()
    }
}
