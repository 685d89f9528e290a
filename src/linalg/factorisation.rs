//! One factorisation, many right-hand sides, cutoffs and dampings.

use nalgebra::{DMatrix, DMatrixView};

use super::decomposition::Decomposition;
use super::error::LeastSquaresError;
use super::products::{norm, times};
use super::sketch::RowSketch;
use crate::problem::Solver;
use crate::scalar::Real;

/// How small singular values are kept from blowing up the solution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filter {
    /// Singular values below `rcond` times the largest count as zero.
    Truncate { rcond: f64 },
    /// `min |J v - r|^2 + lambda^2 |v|^2` (Tikhonov; Levenberg-Marquardt's step).
    Damp { lambda: f64 },
}

impl Filter {
    /// phi in `v = sum phi(sigma_i) (u_i . r) v_i`.
    #[must_use]
    pub fn factor(self, sigma: f64, largest: f64) -> f64 {
        match self {
            _ if sigma <= 0.0 => 0.0,
            Self::Truncate { rcond } if sigma < rcond * largest => 0.0,
            Self::Truncate { .. } => sigma.recip(),
            Self::Damp { lambda } => {
                // Divided through by sigma, so that tiny values do not underflow when squared.
                let ratio = lambda / sigma;
                (sigma * (1.0 + ratio * ratio)).recip()
            }
        }
    }

    fn check(self) -> Result<(), LeastSquaresError> {
        match self {
            Self::Truncate { rcond } if !(0.0..1.0).contains(&rcond) => {
                Err(LeastSquaresError::Cutoff { rcond })
            }
            Self::Damp { lambda } if !(lambda.is_finite() && lambda >= 0.0) => {
                Err(LeastSquaresError::Damping { lambda })
            }
            _ => Ok(()),
        }
    }
}

/// What a solve returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// v, one entry per column.
    pub coefficients: Vec<f64>,
    /// How many singular values were kept; of a damped solve about how many lie above the damping,
    /// or all that the factorisation holds.
    pub rank: usize,
    /// The largest singular value (of the sketch, where one was used).
    pub largest: f64,
    /// Singular values in descending order, as far as the factorisation resolves them.
    pub singular_values: Vec<f64>,
    /// `|r - J v| / |r|`, computed from v itself; 0 when r is 0.
    pub residual_norm: f64,
    /// Iterations of LSQR, or refinement passes.
    pub iterations: usize,
    /// The solver that ran.
    pub solver: Solver,
}

/// The part of a right-hand side that J can reach: `c = U^T r`.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    coefficients: Vec<f64>,
    /// `|r|`.
    norm: f64,
}

/// The truncated decomposition `J ~ U Sigma V^T` of a matrix, or of its sketch S J, ready to solve.
///
/// Each damping after the first costs s k products (k the numerical rank), not a new
/// factorisation. With a sketch, `solve` is sketch-and-solve: its residual is within (1 + e) of the
/// best.
#[derive(Debug)]
pub struct Factorisation<'a, T> {
    pub matrix: DMatrixView<'a, T>,
    pub sketched: Option<Sketched<'a>>,
    pub decomposition: &'a Decomposition,
    pub solver: Solver,
    pub refinements: usize,
}

/// S and S J.
#[derive(Debug)]
pub struct Sketched<'a> {
    pub sketch: RowSketch,
    pub matrix: &'a DMatrix<f64>,
}

impl<T: Real> Factorisation<'_, T> {
    /// Singular values in descending order, as far as the factorisation resolves them.
    #[must_use]
    pub fn singular_values(&self) -> &[f64] {
        &self.decomposition.singular_values
    }

    /// The largest singular value; 0 for a zero matrix.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.singular_values().first().copied().unwrap_or(0.0)
    }

    /// How many singular values are at least `rcond` times the largest.
    #[must_use]
    pub fn rank(&self, rcond: f64) -> usize {
        let cutoff = rcond * self.largest();
        self.singular_values().iter().take_while(|&&sigma| sigma > 0.0 && sigma >= cutoff).count()
    }

    /// `U^T r`, to be combined with several filters.
    ///
    /// # Errors
    /// `Shape` or `RightHandSideNotFinite`.
    pub fn project(&self, r: &[f64]) -> Result<Projection, LeastSquaresError> {
        check_right_hand_side(self.matrix.nrows(), r)?;
        let coefficients = match &self.sketched {
            None => self.decomposition.project(self.matrix, r),
            Some(Sketched { sketch, matrix }) => {
                self.decomposition.project(matrix.as_view(), &sketch.apply_to_vector(r))
            }
        };
        Ok(Projection { coefficients, norm: norm(r) })
    }

    /// `v = sum phi(sigma_i) c_i v_i`.
    #[must_use]
    pub fn combine(&self, projection: &Projection, filter: Filter) -> Vec<f64> {
        let largest = self.largest();
        let filtered: Vec<f64> = projection
            .coefficients
            .iter()
            .zip(self.singular_values())
            .map(|(c, &sigma)| c * filter.factor(sigma, largest))
            .collect();
        self.combine_coefficients(&filtered)
    }

    /// `V c`; c may be shorter than the rank.
    pub fn combine_coefficients(&self, c: &[f64]) -> Vec<f64> {
        match &self.sketched {
            None => self.decomposition.combine(self.matrix, c),
            Some(sketched) => self.decomposition.combine(sketched.matrix.as_view(), c),
        }
    }

    /// `V^T g`.
    pub fn project_solution(&self, g: &[f64]) -> Vec<f64> {
        match &self.sketched {
            None => self.decomposition.project_solution(self.matrix, g),
            Some(sketched) => self.decomposition.project_solution(sketched.matrix.as_view(), g),
        }
    }

    /// The norm of v that [`Self::combine`] would return, without forming it.
    #[must_use]
    pub fn solution_norm(&self, projection: &Projection, filter: Filter) -> f64 {
        let largest = self.largest();
        let each = projection.coefficients.iter().zip(self.singular_values());
        norm(&each.map(|(c, &sigma)| c * filter.factor(sigma, largest)).collect::<Vec<_>>())
    }

    /// `|r - J v|` as the factorisation predicts it for a filter, without forming v.
    #[must_use]
    pub fn predicted_residual(&self, projection: &Projection, filter: Filter) -> f64 {
        let largest = self.largest();
        let inside: f64 = projection
            .coefficients
            .iter()
            .zip(self.singular_values())
            .map(|(c, &sigma)| {
                let left = 1.0 - sigma * filter.factor(sigma, largest);
                (c * left).powi(2) - c * c
            })
            .sum();
        (projection.norm * projection.norm + inside).max(0.0).sqrt()
    }

    /// `min |J v - r|` with singular values below `rcond` times the largest left out.
    ///
    /// # Errors
    /// `Shape`, `RightHandSideNotFinite` or `Cutoff`.
    pub fn solve(&self, r: &[f64], rcond: f64) -> Result<Solution, LeastSquaresError> {
        let filter = Filter::Truncate { rcond };
        filter.check()?;
        let mut v = self.combine(&self.project(r)?, filter);
        let mut residual = self.residual(&v, r);
        let refined = self.sketched.is_none() && self.decomposition.gains_from_refinement();
        let passes = if refined { self.refinements } else { 0 };
        for _ in 0..passes {
            let correction = self.combine(&self.project(&residual)?, filter);
            for (v, d) in v.iter_mut().zip(correction) {
                *v += d;
            }
            residual = self.residual(&v, r);
        }
        Ok(self.solution(v, &residual, r, self.rank(rcond), passes))
    }

    /// `min |J v - r|^2 + lambda^2 |v|^2`.
    ///
    /// # Errors
    /// `Shape`, `RightHandSideNotFinite` or `Damping`.
    pub fn solve_damped(&self, r: &[f64], lambda: f64) -> Result<Solution, LeastSquaresError> {
        let filter = Filter::Damp { lambda };
        filter.check()?;
        let v = self.combine(&self.project(r)?, filter);
        let residual = self.residual(&v, r);
        Ok(self.solution(v, &residual, r, self.rank(0.0), 0))
    }

    /// `r - J v` with the matrix itself, not its sketch.
    #[must_use]
    pub fn residual(&self, v: &[f64], r: &[f64]) -> Vec<f64> {
        r.iter().zip(times(self.matrix, v)).map(|(r, image)| r - image).collect()
    }

    pub fn solution(
        &self,
        coefficients: Vec<f64>,
        residual: &[f64],
        r: &[f64],
        rank: usize,
        iterations: usize,
    ) -> Solution {
        Solution {
            coefficients,
            rank,
            largest: self.largest(),
            singular_values: self.singular_values().to_vec(),
            residual_norm: relative(residual, r),
            iterations,
            solver: self.solver,
        }
    }
}

/// `|residual| / |r|`, or 0 for r = 0.
pub fn relative(residual: &[f64], r: &[f64]) -> f64 {
    let scale = norm(r);
    if scale > 0.0 { norm(residual) / scale } else { 0.0 }
}

pub fn check_right_hand_side(rows: usize, r: &[f64]) -> Result<(), LeastSquaresError> {
    if r.len() != rows {
        return Err(LeastSquaresError::Shape { rows, entries: r.len() });
    }
    match r.iter().position(|x| !x.is_finite()) {
        Some(row) => Err(LeastSquaresError::RightHandSideNotFinite { row }),
        None => Ok(()),
    }
}
