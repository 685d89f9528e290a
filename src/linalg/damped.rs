//! Damped least squares by Cholesky: the cheapest regularised solve.
//!
//! `(J^T J + lambda^2 I) v = J^T r` with `lambda = rcond sigma_max` filters each singular direction
//! by `sigma^2 / (sigma^2 + lambda^2)` where truncation would keep or drop it. It costs s^3 / 3
//! where an eigen-decomposition costs 9 s^3.

use faer::linalg::cholesky::llt;
use faer::linalg::triangular_solve;
use faer::{MatMut, MatRef, Par, Spec};

use super::buffer::Buffer;
use super::compressed::Scratch;
use super::decomposition::not_finite;
use super::error::LeastSquaresError;
use super::factorisation::{Solution, check_right_hand_side, relative};
use super::lsqr::Preconditioner;
use super::products::{gram, kernel, multiply, multiply_transposed, norm, parallelism};
use crate::problem::Solver;
use crate::scalar::Real;

/// Power iterations for the largest singular value; the estimate is low by a few per cent at most,
/// which moves lambda by as much and nothing else.
const POWER_ITERATIONS: usize = 4;

/// The Gram matrix `A = J^T J` (n >= s) or `J J^T` (n < s), and the Cholesky factor of
/// `A + lambda^2 I` for one damping at a time.
#[derive(Debug, Default)]
pub struct Damped {
    gram: Buffer,
    factor: Buffer,
    panel: Buffer,
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
    pub fn form<T: Real>(&mut self, columns: &[&[T]]) -> Result<(), LeastSquaresError> {
        let (n, s) = (columns[0].len(), columns.len());
        let order = n.min(s);
        self.factored = false;
        self.gram.reshape(order, order);
        if n >= s {
            gram(columns, self.gram.view_mut(), &mut self.panel);
        } else {
            kernel(columns, self.gram.view_mut(), &mut self.panel);
        }
        self.largest = largest_eigenvalue(self.gram.view()).sqrt();
        if self.largest.is_finite() { Ok(()) } else { Err(not_finite(columns)) }
    }

    /// Factors `A + lambda^2 I`, unless that stands already; false where the damping is too small
    /// for the round-off of A.
    pub fn damp(&mut self, lambda: f64) -> bool {
        if self.factored && self.lambda == lambda {
            return true;
        }
        self.lambda = lambda;
        let gram = self.gram.view();
        let order = gram.nrows();
        let mut matrix = self.factor.reshape(order, order);
        matrix.copy_from_triangular_lower(gram);
        for i in 0..order {
            matrix[(i, i)] += lambda * lambda;
        }
        let par = if order > 1_000 { parallelism((order as f64).powi(3)) } else { Par::Seq };
        let need = llt::factor::cholesky_in_place_scratch::<f64>(order, par, Spec::default());
        self.factored = llt::factor::cholesky_in_place(
            matrix,
            llt::factor::LltRegularization::default(),
            par,
            self.scratch.of(need),
            Spec::default(),
        )
        .is_ok();
        self.factored
    }

    /// The numerical rank above lambda, about: the pivots of the factor that stand out from the
    /// damping. A column within lambda of those before it leaves a pivot of lambda^2 to twice that.
    pub fn rank(&self) -> usize {
        let factor = self.factor.view();
        let threshold = 2.0 * self.lambda * self.lambda;
        (0..factor.nrows()).filter(|&i| factor[(i, i)].powi(2) > threshold).count()
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
        columns: &[&[T]],
        r: &[f64],
        refinements: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let square = self.lambda * self.lambda;
        let tall = r.len() >= columns.len();
        let (mut v, mut dual) = (vec![0.0; columns.len()], vec![0.0; r.len()]);
        let mut residual = r.to_vec();
        let mut image = vec![0.0; r.len()];
        for _ in 0..=refinements {
            if tall {
                let mut step = vec![0.0; v.len()];
                multiply_transposed(columns, &residual, &mut step);
                step.iter_mut().zip(&v).for_each(|(g, v)| *g -= square * v);
                self.solve(&mut step);
                v.iter_mut().zip(step).for_each(|(v, d)| *v += d);
            } else {
                // v = J^T y with (J J^T + lambda^2 I) y = r.
                let mut step = residual.clone();
                step.iter_mut().zip(&dual).for_each(|(x, y)| *x -= square * y);
                self.solve(&mut step);
                dual.iter_mut().zip(step).for_each(|(y, d)| *y += d);
                multiply_transposed(columns, &dual, &mut v);
            }
            multiply(columns, &v, &mut image);
            for ((residual, r), image) in residual.iter_mut().zip(r).zip(&image) {
                *residual = r - image;
            }
        }
        (v, residual)
    }

    /// v as [`Self::solve_refined`] has it before any refinement, without its residual: half the
    /// passes over J.
    pub fn solve_once<T: Real>(&self, columns: &[&[T]], r: &[f64]) -> Vec<f64> {
        let mut v = vec![0.0; columns.len()];
        if r.len() >= columns.len() {
            multiply_transposed(columns, r, &mut v);
            self.solve(&mut v);
        } else {
            let mut dual = r.to_vec();
            self.solve(&mut dual);
            multiply_transposed(columns, &dual, &mut v);
        }
        v
    }

    /// `(A + lambda^2 I)^-1 b` in place; A is the Gram or the kernel matrix.
    pub fn solve(&self, b: &mut [f64]) {
        self.substitute(b, false);
        self.substitute(b, true);
    }

    /// `L^-1 b`, or `L^-T b`.
    fn substitute(&self, b: &mut [f64], transposed: bool) {
        let (factor, order) = (self.factor.view(), b.len());
        let b = MatMut::from_column_major_slice_mut(b, order, 1);
        if transposed {
            let upper = factor.transpose();
            triangular_solve::solve_upper_triangular_in_place(upper, b, Par::Seq);
        } else {
            triangular_solve::solve_lower_triangular_in_place(factor, b, Par::Seq);
        }
    }
}

/// `M = L^-T`: `(J^T J + lambda^2 I)` becomes almost the identity.
impl Preconditioner for Damped {
    fn dimension(&self) -> usize {
        self.factor.view().nrows()
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
    pub matrix: Vec<&'a [T]>,
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
        let all = self.matrix.len().min(self.matrix[0].len());
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
        check_right_hand_side(self.matrix[0].len(), r)?;
        Ok(match self.refinements {
            0 => self.damped.solve_once(&self.matrix, r),
            passes => self.damped.solve_refined(&self.matrix, r, passes).0,
        })
    }

    /// `min |J v - r|^2 + lambda^2 |v|^2`.
    ///
    /// # Errors
    /// Those of [`Self::damp`] and of [`Self::solve`].
    pub fn solve_damped(&mut self, r: &[f64], lambda: f64) -> Result<Solution, LeastSquaresError> {
        check_right_hand_side(self.matrix[0].len(), r)?;
        self.damp(lambda)?;
        let (v, residual) = self.damped.solve_refined(&self.matrix, r, self.refinements);
        Ok(self.damped.solution(v, &residual, r, self.refinements, Solver::Gram))
    }
}

/// A lower estimate of the largest eigenvalue of a positive semidefinite matrix (lower triangle).
fn largest_eigenvalue(a: MatRef<'_, f64>) -> f64 {
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
fn symmetric_product(a: MatRef<'_, f64>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for k in 0..x.len() {
        let column = a.col(k).try_as_col_major().expect("a buffer's columns are contiguous");
        let column = &column.as_slice()[k..];
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
