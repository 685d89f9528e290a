//! Least squares for a matrix that is never stored: its sketch and its products are all there is.

use std::convert::Infallible;

use nalgebra::DMatrixView;

use super::error::LeastSquaresError;
use super::factorisation::{Solution, check_right_hand_side};
use super::least_squares::LeastSquares;
use super::lsqr::{LsqrOutcome, LsqrSettings, lsqr};
use super::operator::TallOperator;
use super::sample::RowSample;
use super::sketch::RowSketch;
use crate::problem::{Regularisation, Solver};
use crate::scalar::Real;

/// Rows of a sample for such a matrix, over its columns: at least and at most. With 16, two products
/// do where 2 take a dozen.
const LEAST_SAMPLED: usize = 2;
const MOST_SAMPLED: usize = 16;
/// Operations per row of the matrix that the sample's Gram product may take: those of about four
/// products with a matrix that is swept anew.
const SAMPLING_PAYS: f64 = 1.6e5;

/// Rows of the sample for an n x s matrix.
fn sampled_rows(n: usize, s: usize) -> usize {
    let paying = SAMPLING_PAYS * n as f64 / (s as f64).powi(2);
    (paying as usize).clamp(LEAST_SAMPLED * s, MOST_SAMPLED * s)
}

/// What a solver needs of a matrix that is not stored, beside its products.
#[derive(Clone, Debug)]
pub enum Unstored {
    /// Rows that were drawn, for [`LeastSquares::solve_sampled_free`].
    Sampled(RowSample),
    /// Nothing, for [`LeastSquares::solve_by_products`].
    Products,
}

/// Why a matrix-free solve failed; E is the operator's own error.
#[derive(Debug, thiserror::Error)]
pub enum MatrixFreeError<E> {
    #[error(transparent)]
    LeastSquares(#[from] LeastSquaresError),
    #[error("a product with the matrix failed")]
    Operator(E),
}

impl LeastSquares {
    /// The sketch that [`Self::solve_matrix_free`] wants of a matrix with s columns, or `None`
    /// where these settings do not take that way: with truncation, and where `choose` says that the
    /// matrix is small.
    #[must_use]
    pub fn matrix_free_sketch(&self, n: usize, s: usize, epoch: u64) -> Option<RowSketch> {
        let settings = &self.settings;
        let damp = settings.regularisation == Regularisation::Damp;
        let rows = (settings.oversampling * s as f64).ceil() as usize;
        (damp && settings.choose(n, s) == Solver::SketchedLsqr)
            .then(|| RowSketch::new(settings.seed, epoch, rows.max(s)))
    }

    /// `min |J v - r|^2 + lambda^2 |v|^2`, lambda = rcond sigma_max, from S J (`sketched`, m x s)
    /// and products with J: LSQR preconditioned by the Cholesky factor of
    /// `(S J)^T S J + lambda^2 I`, started from the sketch-and-solve solution.
    ///
    /// # Errors
    /// `RightHandSideNotFinite`, `MatrixNotFinite` or `Overflow` (of the sketch);
    /// `Damping` where lambda is lost in round-off; whatever a product fails with.
    pub async fn solve_matrix_free<O: TallOperator>(
        &mut self,
        operator: &mut O,
        sketch: &RowSketch,
        sketched: DMatrixView<'_, f64>,
        r: &[f64],
    ) -> Result<Solution, MatrixFreeError<O::Error>> {
        check_right_hand_side(operator.rows(), r)?;
        self.solve_preconditioned(operator, sketched, &sketch.apply_to_vector(r), r).await
    }

    /// How these settings solve with a matrix of s columns that is better not stored; `None` where
    /// they would rather have it: a smaller one, and with truncation.
    #[must_use]
    pub fn unstored(&self, n: usize, s: usize, epoch: u64) -> Option<Unstored> {
        let settings = &self.settings;
        let damp = settings.regularisation == Regularisation::Damp;
        if n.saturating_mul(s) <= settings.most_stored {
            return None;
        }
        match settings.choose(n, s) {
            Solver::SketchedLsqr if damp => {
                let sample = RowSample::new(settings.seed, epoch, n, sampled_rows(n, s));
                Some(Unstored::Sampled(sample))
            }
            Solver::NystromCg => Some(Unstored::Products),
            _ => None,
        }
    }

    /// Conjugate gradients by products alone.
    ///
    /// # Errors
    /// `RightHandSideNotFinite`, `Shape`, `Overflow` or `NoConvergence`.
    pub fn solve_by_products<O: TallOperator<Error = Infallible>>(
        &mut self,
        operator: &mut O,
        r: &[f64],
        epoch: u64,
    ) -> Result<Solution, LeastSquaresError> {
        check_right_hand_side(operator.rows(), r)?;
        self.solve_nystrom(operator, r, epoch)
    }

    /// As [`Self::solve_matrix_free`], preconditioned by a sample of the rows; `sampled` holds those
    /// rows, with their weights.
    ///
    /// # Errors
    /// As [`Self::solve_matrix_free`].
    pub async fn solve_sampled_free<O: TallOperator, T: Real>(
        &mut self,
        operator: &mut O,
        sample: &RowSample,
        sampled: DMatrixView<'_, T>,
        r: &[f64],
    ) -> Result<Solution, MatrixFreeError<O::Error>> {
        check_right_hand_side(operator.rows(), r)?;
        self.solve_preconditioned(operator, sampled, &sample.gather_vector(r), r).await
    }

    /// LSQR preconditioned by the damped factor of a smaller matrix, from that one's solution.
    async fn solve_preconditioned<O: TallOperator, T: Real>(
        &mut self,
        operator: &mut O,
        smaller: DMatrixView<'_, T>,
        reduced: &[f64],
        r: &[f64],
    ) -> Result<Solution, MatrixFreeError<O::Error>> {
        self.damped.form(smaller)?;
        let lambda = self.settings.rcond * self.damped.largest;
        if !self.damped.damp(lambda) {
            return Err(LeastSquaresError::Damping { lambda }.into());
        }
        let damped = &self.damped;
        let start = damped.solve_once(smaller, reduced);
        let settings = LsqrSettings { damping: lambda, ..self.settings.lsqr };
        let outcome = lsqr(operator, damped, r, start, settings).await;
        let LsqrOutcome { coefficients, residual, iterations, .. } =
            outcome.map_err(MatrixFreeError::Operator)?;
        Ok(damped.solution(coefficients, &residual, r, iterations, Solver::SketchedLsqr))
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::products::norm;
    use crate::testing::{Planted, decaying, distance, normals};
    use crate::{InMemory, Settings};

    #[test]
    fn products_and_a_sketch_give_the_direct_solution() {
        let (n, s) = (700, 40);
        let planted = Planted::new(n, s, decaying(s, 10f64.powf(0.2)));
        let r = normals(n, 5);
        let settings = Settings {
            solver: Solver::SketchedLsqr,
            regularisation: Regularisation::Damp,
            rcond: 1e-5,
            lsqr: LsqrSettings { tolerance: 1e-9, max_iterations: 100, passes: 2, damping: 0.0 },
            ..Settings::default()
        };
        let mut squares = LeastSquares::new(settings);
        let sketch = squares.matrix_free_sketch(n, s, 3).expect("a large problem by its settings");
        let sketched = sketch.apply(planted.matrix.as_view());
        let mut operator = InMemory::new(planted.matrix.as_view());
        let solve = |squares: &mut LeastSquares, operator: &mut InMemory<'_, f64>, r: &[f64]| {
            pollster::block_on(squares.solve_matrix_free(operator, &sketch, sketched.as_view(), r))
        };
        let found = solve(&mut squares, &mut operator, &r).expect("finite");
        // At the same damping, which here comes from the sketch's own largest singular value.
        let lambda = squares.damped.lambda;
        let mut direct = LeastSquares::default();
        let mut equations = direct.normal_equations(planted.matrix.as_view()).expect("finite");
        let best = equations.solve_damped(&r, lambda).expect("well above round-off");
        let error = distance(&found.coefficients, &best.coefficients);
        assert!(error < 1e-5 * norm(&best.coefficients), "{error:e}");
        assert!((found.residual_norm / best.residual_norm - 1.0).abs() < 1e-9);
        let other = solve(&mut squares, &mut operator, &normals(n, 6)).expect("finite");
        let apart = distance(&other.coefficients, &found.coefficients);
        assert!(apart > 0.1 * norm(&found.coefficients), "another r has another solution");
        let bad = solve(&mut squares, &mut operator, &[0.0; 3]);
        assert!(matches!(bad, Err(MatrixFreeError::LeastSquares(LeastSquaresError::Shape { .. }))));
        squares.settings.regularisation = Regularisation::Truncate;
        assert!(squares.matrix_free_sketch(n, s, 3).is_none());
    }

    #[test]
    fn products_and_a_sample_give_the_direct_solution() {
        let (n, s) = (2_000, 40);
        let planted = Planted::new(n, s, decaying(s, 10f64.powf(0.2)));
        let r = normals(n, 5);
        let mut squares = LeastSquares::new(Settings {
            regularisation: Regularisation::Damp,
            rcond: 1e-5,
            lsqr: LsqrSettings { tolerance: 1e-9, max_iterations: 100, passes: 2, damping: 0.0 },
            ..Settings::default()
        });
        assert!(squares.unstored(n, s, 1).is_none(), "it is small enough to be stored");
        let Some(Unstored::Sampled(large)) = squares.unstored(200_000, 757, 1) else {
            panic!("it is too large to be stored")
        };
        assert_eq!(large.sample_rows(), 16 * 757);
        assert_eq!(sampled_rows(200_000, 3_468), 2 * 3_468, "its Gram product would cost more");
        let sample = RowSample::new(7, 1, n, 4 * s);
        let mut solve = |weight: f64| {
            let row = |q: usize| sample.picks()[q];
            let sampled = DMatrix::from_fn(sample.sample_rows(), s, |q, k| {
                weight * row(q).1 * planted.matrix[(row(q).0 as usize, k)]
            });
            let mut operator = InMemory::new(planted.matrix.as_view());
            let (operator, sampled) = (&mut operator, sampled.as_view());
            let solving = squares.solve_sampled_free(operator, &sample, sampled, &r);
            let found = pollster::block_on(solving).expect("finite");
            (found, squares.damped.lambda)
        };
        let (found, lambda) = solve(1.0);
        let mut direct = LeastSquares::default();
        let mut equations = direct.normal_equations(planted.matrix.as_view()).expect("finite");
        let best = equations.solve_damped(&r, lambda).expect("well above round-off");
        let error = distance(&found.coefficients, &best.coefficients);
        assert!(error < 1e-5 * norm(&best.coefficients), "{error:e}");
        let (_, wrong) = solve(3.0);
        assert!((wrong / lambda - 3.0).abs() < 1e-9, "the weights of the rows set the damping");
    }
}
