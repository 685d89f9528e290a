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
use super::lsqr::Preconditioner;
use super::products::{gram, kernel, multiply, multiply_transposed, norm, parallelism};
use crate::scalar::Real;

/// Power iterations for the largest singular value; the estimate is low by a few per cent at most,
/// which moves lambda by as much and nothing else.
const POWER_ITERATIONS: usize = 4;

/// Cholesky factor of `J^T J + lambda^2 I` (n >= s) or `J J^T + lambda^2 I` (n < s).
#[derive(Debug, Default)]
pub(crate) struct Damped {
    factor: Buffer,
    panel: Buffer,
    scratch: Scratch,
    pub(crate) lambda: f64,
    /// Estimate of the largest singular value.
    pub(crate) largest: f64,
}

impl Damped {
    /// Factors; false where the damping is too small for round-off, or an entry is not finite.
    pub(crate) fn factor<T: Real>(&mut self, columns: &[&[T]], rcond: f64) -> bool {
        let (n, s) = (columns[0].len(), columns.len());
        let order = n.min(s);
        self.factor.reshape(order, order);
        if n >= s {
            gram(columns, self.factor.view_mut(), &mut self.panel);
        } else {
            kernel(columns, self.factor.view_mut(), &mut self.panel);
        }
        self.largest = largest_eigenvalue(self.factor.view()).sqrt();
        self.lambda = rcond * self.largest;
        let mut matrix = self.factor.view_mut();
        for i in 0..order {
            matrix[(i, i)] += self.lambda * self.lambda;
        }
        let par = if order > 600 { parallelism((order as f64).powi(3)) } else { Par::Seq };
        let need = llt::factor::cholesky_in_place_scratch::<f64>(order, par, Spec::default());
        self.largest.is_finite()
            && llt::factor::cholesky_in_place(
                matrix,
                llt::factor::LltRegularization::default(),
                par,
                self.scratch.of(need),
                Spec::default(),
            )
            .is_ok()
    }

    /// v and `r - J v`; each refinement pass solves for the error that is left.
    pub(crate) fn solve_refined<T: Real>(
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

    /// `(A + lambda^2 I)^-1 b` in place; A is the Gram or the kernel matrix.
    pub(crate) fn solve(&self, b: &mut [f64]) {
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

/// A lower estimate of the largest eigenvalue of a positive semidefinite matrix (lower triangle).
fn largest_eigenvalue(a: MatRef<'_, f64>) -> f64 {
    let order = a.nrows();
    let diagonal = |i: usize| a[(i, i)];
    let Some(top) = (0..order).max_by(|&i, &k| diagonal(i).total_cmp(&diagonal(k))) else {
        return 0.0;
    };
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
    for (k, &xk) in x.iter().enumerate() {
        let column = a.col(k).try_as_col_major().expect("a buffer's columns are contiguous");
        let column = &column.as_slice()[k..];
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                let mut sums = [0.0; 8];
                let (below, rest) = (&column[1..], &x[k + 1..]);
                for (y, a) in y[k..].iter_mut().zip(column) {
                    *y += a * xk;
                }
                let mut lanes = below.chunks_exact(8).zip(rest.chunks_exact(8));
                for (a, x) in &mut lanes {
                    for lane in 0..8 {
                        sums[lane] += a[lane] * x[lane];
                    }
                }
                let done = below.len() / 8 * 8;
                let tail: f64 = below[done..].iter().zip(&rest[done..]).map(|(a, x)| a * x).sum();
                y[k] += sums.iter().sum::<f64>() + tail;
            },
        );
    }
    y
}
