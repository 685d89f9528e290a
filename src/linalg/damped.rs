//! Damped least squares by Cholesky: the cheapest regularised solve.
//!
//! `(J^T J + lambda^2 I) v = J^T r` with `lambda = rcond sigma_max` filters each singular direction
//! by `sigma^2 / (sigma^2 + lambda^2)` where truncation would keep or drop it. It costs s^3 / 3
//! where an eigen-decomposition costs 9 s^3.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use super::blocks::reshape;
use super::bridge::{Scratch, cholesky, substitute};
use super::decomposition::not_finite;
use super::error::LeastSquaresError;
use super::factorisation::{Solution, check_right_hand_side, relative};
use super::lsqr::Preconditioner;
use super::products::{gram, kernel, multiply, norm, transposed_times};
use crate::problem::Solver;
use crate::scalar::Real;

/// Power iterations for the largest singular value; the estimate is low by a few per cent at most,
/// which moves lambda by as much and nothing else.
const POWER_ITERATIONS: usize = 4;

/// The Gram matrix `A = J^T J` (n >= s) or `J J^T` (n < s), and the Cholesky factor of
/// `A + lambda^2 I` for one damping at a time.
#[derive(Debug, Default)]
pub struct Damped {
    gram: DMatrix<f64>,
    factor: DMatrix<f64>,
    panel: DMatrix<f64>,
    scratch: Scratch,
    pub lambda: f64,
    /// `factor` belongs to this matrix and this lambda.
    factored: bool,
    /// Estimate of the largest singular value.
    pub largest: f64,
}

impl Damped {
    /// Forms A.
    ///
    /// # Errors
    /// `MatrixNotFinite` or `Overflow`.
    pub fn form<T: Real>(&mut self, j: DMatrixView<'_, T>) -> Result<(), LeastSquaresError> {
        self.factored = false;
        if j.nrows() >= j.ncols() {
            gram(j, &mut self.gram, &mut self.panel);
        } else {
            kernel(j, &mut self.gram, &mut self.panel);
        }
        self.largest = largest_eigenvalue(&self.gram).sqrt();
        if self.largest.is_finite() { Ok(()) } else { Err(not_finite(j)) }
    }

    /// Factors `A + lambda^2 I`, unless that stands already; false where the damping is too small
    /// for the round-off of A.
    pub fn damp(&mut self, lambda: f64) -> bool {
        if self.factored && self.lambda == lambda {
            return true;
        }
        self.lambda = lambda;
        let order = self.gram.nrows();
        reshape(&mut self.factor, order, order);
        let to = self.factor.as_mut_slice().chunks_exact_mut(order);
        for (k, (to, from)) in to.zip(self.gram.as_slice().chunks_exact(order)).enumerate() {
            to[k..].copy_from_slice(&from[k..]);
            to[k] += lambda * lambda;
        }
        self.factored = cholesky(&mut self.factor, &mut self.scratch);
        self.factored
    }

    /// The numerical rank above lambda, about: the pivots of the factor that stand out from the
    /// damping. A column within lambda of those before it leaves a pivot of lambda^2 to twice that.
    pub fn rank(&self) -> usize {
        let threshold = 2.0 * self.lambda * self.lambda;
        let order = self.factor.nrows();
        (0..order).filter(|&i| self.factor[(i, i)].powi(2) > threshold).count()
    }

    pub fn solution(
        &self,
        coefficients: Vec<f64>,
        residual: &[f64],
        r: &[f64],
        iterations: usize,
        solver: Solver,
    ) -> Solution {
        // Conjugate gradients have no factor to look at.
        let known = self.factored && solver != Solver::NystromCg;
        Solution {
            rank: if known { self.rank() } else { coefficients.len().min(r.len()) },
            coefficients,
            largest: self.largest,
            singular_values: Vec::new(),
            residual_norm: relative(residual, r),
            iterations,
            solver,
        }
    }

    /// v and `r - J v`; each refinement pass solves for the error that is left.
    pub fn solve_refined<T: Real>(
        &self,
        j: DMatrixView<'_, T>,
        r: &[f64],
        refinements: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let square = self.lambda * self.lambda;
        let tall = j.nrows() >= j.ncols();
        let (mut v, mut dual) = (vec![0.0; j.ncols()], vec![0.0; r.len()]);
        let mut residual = r.to_vec();
        let mut image = vec![0.0; r.len()];
        for _ in 0..=refinements {
            if tall {
                let mut step = transposed_times(j, &residual);
                step.iter_mut().zip(&v).for_each(|(g, v)| *g -= square * v);
                self.solve(&mut step);
                v.iter_mut().zip(step).for_each(|(v, d)| *v += d);
            } else {
                // v = J^T y with (J J^T + lambda^2 I) y = r.
                let mut step = residual.clone();
                step.iter_mut().zip(&dual).for_each(|(x, y)| *x -= square * y);
                self.solve(&mut step);
                dual.iter_mut().zip(step).for_each(|(y, d)| *y += d);
                v = transposed_times(j, &dual);
            }
            multiply(j, &v, &mut image);
            for ((residual, r), image) in residual.iter_mut().zip(r).zip(&image) {
                *residual = r - image;
            }
        }
        (v, residual)
    }

    /// v as [`Self::solve_refined`] has it before any refinement, without its residual: half the
    /// passes over J.
    pub fn solve_once<T: Real>(&self, j: DMatrixView<'_, T>, r: &[f64]) -> Vec<f64> {
        if j.nrows() >= j.ncols() {
            let mut v = transposed_times(j, r);
            self.solve(&mut v);
            v
        } else {
            let mut dual = r.to_vec();
            self.solve(&mut dual);
            transposed_times(j, &dual)
        }
    }

    /// `(A + lambda^2 I)^-1 b` in place; A is the Gram or the kernel matrix.
    pub fn solve(&self, b: &mut [f64]) {
        self.substitute(b, false);
        self.substitute(b, true);
    }

    /// `L^-1 b`, or `L^-T b`.
    fn substitute(&self, b: &mut [f64], transposed: bool) {
        let order = b.len();
        let b = DMatrixViewMut::from_slice(b, order, 1);
        substitute(self.factor.as_view(), b, transposed);
    }
}

/// `M = L^-T`: `(J^T J + lambda^2 I)` becomes almost the identity.
impl Preconditioner for Damped {
    fn dimension(&self) -> usize {
        self.factor.nrows()
    }

    fn apply(&self, y: &[f64]) -> Vec<f64> {
        let mut v = y.to_vec();
        self.substitute(&mut v, true);
        v
    }

    fn apply_transposed(&self, g: &[f64]) -> Vec<f64> {
        let mut y = g.to_vec();
        self.substitute(&mut y, false);
        y
    }
}

/// `J^T J` (or `J J^T`, n < s), ready for one damping after another: a Cholesky factorisation
/// each, s^3 / 3. For more than about eight dampings a [`Factorisation`](super::Factorisation) is
/// cheaper.
#[derive(Debug)]
pub struct NormalEquations<'a, T> {
    pub matrix: DMatrixView<'a, T>,
    pub damped: &'a mut Damped,
    pub refinements: usize,
}

impl<T: Real> NormalEquations<'_, T> {
    /// Estimate of the largest singular value, low by a few per cent at most.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.damped.largest
    }

    /// About how many singular values lie above lambda; all of them where lambda is lost in the
    /// round-off of `J^T J`.
    pub fn rank(&mut self, lambda: f64) -> usize {
        let all = self.matrix.nrows().min(self.matrix.ncols());
        if self.damped.damp(lambda) { self.damped.rank() } else { all }
    }

    /// Factors for the damping that the next calls of [`Self::solve`] use.
    ///
    /// # Errors
    /// `Damping` where lambda is not a damping value or is lost in the round-off of `J^T J` (below
    /// about 1e-8 of the largest singular value).
    pub fn damp(&mut self, lambda: f64) -> Result<(), LeastSquaresError> {
        if lambda.is_finite() && lambda >= 0.0 && self.damped.damp(lambda) {
            Ok(())
        } else {
            Err(LeastSquaresError::Damping { lambda })
        }
    }

    /// `v` of `min |J v - r|^2 + lambda^2 |v|^2` with the factor of the last [`Self::damp`], which
    /// must have succeeded.
    ///
    /// # Errors
    /// `Shape` or `RightHandSideNotFinite`.
    pub fn solve(&self, r: &[f64]) -> Result<Vec<f64>, LeastSquaresError> {
        check_right_hand_side(self.matrix.nrows(), r)?;
        Ok(match self.refinements {
            0 => self.damped.solve_once(self.matrix, r),
            passes => self.damped.solve_refined(self.matrix, r, passes).0,
        })
    }

    /// `min |J v - r|^2 + lambda^2 |v|^2`.
    ///
    /// # Errors
    /// Those of [`Self::damp`] and of [`Self::solve`].
    pub fn solve_damped(&mut self, r: &[f64], lambda: f64) -> Result<Solution, LeastSquaresError> {
        check_right_hand_side(self.matrix.nrows(), r)?;
        self.damp(lambda)?;
        let (v, residual) = self.damped.solve_refined(self.matrix, r, self.refinements);
        Ok(self.damped.solution(v, &residual, r, self.refinements, Solver::Gram))
    }
}

/// A lower estimate of the largest eigenvalue of a positive semidefinite matrix (lower triangle).
fn largest_eigenvalue(a: &DMatrix<f64>) -> f64 {
    let order = a.nrows();
    let diagonal = |i: usize| a[(i, i)];
    let Some(top) = (0..order).max_by(|&i, &k| diagonal(i).total_cmp(&diagonal(k))) else {
        return 0.0;
    };
    // The largest entries of a positive semidefinite matrix are on its diagonal.
    if !diagonal(top).is_finite() {
        return f64::NAN;
    }
    let mut x = vec![0.0; order];
    x[top] = 1.0;
    let mut value = 0.0;
    for _ in 0..POWER_ITERATIONS {
        let mut y = symmetric_product(a, &x);
        value = norm(&y);
        if value == 0.0 || !value.is_finite() {
            return value;
        }
        y.iter_mut().for_each(|y| *y /= value);
        x = y;
    }
    value
}

/// `A x` from the lower triangle of A.
fn symmetric_product(a: &DMatrix<f64>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for k in 0..x.len() {
        let column = a.column(k).data.into_slice();
        let column = &column[k..];
        pulp::Arch::new().dispatch(SymmetricColumn { column, x: &x[k..], y: &mut y[k..] });
    }
    y
}

/// Column k of the lower triangle and its mirror image; all from row k on.
struct SymmetricColumn<'a> {
    column: &'a [f64],
    x: &'a [f64],
    y: &'a mut [f64],
}

impl pulp::WithSimd for SymmetricColumn<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { column, x, y } = self;
        let mut sums = [0.0; 8];
        for (y, a) in y.iter_mut().zip(column) {
            *y += a * x[0];
        }
        let (below, rest) = (&column[1..], &x[1..]);
        let mut lanes = below.chunks_exact(8).zip(rest.chunks_exact(8));
        for (a, x) in &mut lanes {
            for lane in 0..8 {
                sums[lane] += a[lane] * x[lane];
            }
        }
        let done = below.len() / 8 * 8;
        let tail: f64 = below[done..].iter().zip(&rest[done..]).map(|(a, x)| a * x).sum();
        y[0] += sums.iter().sum::<f64>() + tail;
    }
}
