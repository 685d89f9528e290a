//! Conjugate gradients on the damped normal equations with a randomized Nystrom preconditioner:
//! how Neural-IVP solves its stages (Finzi, Potapczynski, Choptuik, Wilson, arXiv 2304.14994).
//!
//! ```text
//! (J^T J + mu I) v = J^T r,   P^-1 = (l_k + mu) U (L + mu I)^-1 U^T + I - U U^T,
//! ```
//!
//! with `U L U^T` the Nystrom approximation of `J^T J` of rank k and l_k its least eigenvalue
//! (Frangella, Tropp, Udell: "Randomized Nystrom preconditioning", SIAM Journal on Matrix Analysis
//! 2023, equation 1.3 and algorithm 5.1). J is known by its products alone; the preconditioner
//! costs k of them, each iteration one. LSQR preconditioned by a sample of the rows needs one to
//! three products in all, which is why this is a baseline and not the default.

use std::convert::Infallible;

use nalgebra::{DMatrix, DMatrixView};

use super::eigen::{EigenError, Eigenpairs, SymmetricOperator};
use super::error::LeastSquaresError;
use super::nystrom::nystrom;
use super::operator::{TallOperator, at_once, in_memory};
use super::products::{column, dot, times, transposed_times};
use super::range::RangeSettings;

/// When the iteration ends, and how large the approximation is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NystromCgSettings {
    /// Rank of the Nystrom approximation.
    pub rank: usize,
    /// mu is the square of this times the largest singular value.
    pub rcond: f64,
    /// The gradient in the preconditioner's norm, relative to that at v = 0.
    pub tolerance: f64,
    pub max_iterations: usize,
    pub seed: u64,
    /// Numbers the draw of the test matrix.
    pub epoch: u64,
}

/// What the iteration found.
#[derive(Clone, Debug, PartialEq)]
pub struct NystromCgOutcome {
    pub coefficients: Vec<f64>,
    /// `r - J v`.
    pub residual: Vec<f64>,
    pub iterations: usize,
    pub converged: bool,
    /// Largest singular value of J, by the approximation.
    pub largest: f64,
}

/// `J^T J` of an operator whose products are ready at once.
struct Normal<'a, O>(&'a mut O);

impl<O: TallOperator<Error = Infallible>> Normal<'_, O> {
    fn product(&mut self, v: &[f64], out: &mut [f64]) {
        // From u = 0 one pass gives both products.
        let mut image = vec![0.0; self.0.rows()];
        in_memory(self.0.multiply_both(v, 0.0, &mut image, out));
    }
}

impl<O: TallOperator<Error = Infallible>> SymmetricOperator for Normal<'_, O> {
    type Error = EigenError;

    fn dimension(&self) -> usize {
        self.0.columns()
    }

    async fn apply(&mut self, v: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EigenError> {
        let mut out = DMatrix::zeros(v.nrows(), v.ncols());
        for (k, image) in out.as_mut_slice().chunks_exact_mut(v.nrows()).enumerate() {
            self.product(column(&v, k), image);
        }
        Ok(out)
    }
}

/// P^-1.
struct Preconditioner {
    pairs: Eigenpairs,
    mu: f64,
}

impl Preconditioner {
    fn apply(&self, g: &[f64]) -> Vec<f64> {
        let (values, vectors) = (&self.pairs.values, &self.pairs.vectors);
        let least = values.last().copied().unwrap_or(0.0);
        let mut coefficients = transposed_times(vectors.as_view(), g);
        for (c, value) in coefficients.iter_mut().zip(values) {
            *c *= (least + self.mu) / (value + self.mu) - 1.0;
        }
        let inside = times(vectors.as_view(), &coefficients);
        g.iter().zip(inside).map(|(g, inside)| g + inside).collect()
    }
}

/// Solves `min |J v - r|^2 + mu |v|^2`.
///
/// # Errors
/// `Overflow` where a product is not finite, `NoConvergence` of the approximation.
pub fn nystrom_cg<O: TallOperator<Error = Infallible>>(
    operator: &mut O,
    r: &[f64],
    settings: NystromCgSettings,
) -> Result<NystromCgOutcome, LeastSquaresError> {
    let NystromCgSettings { rank, rcond, tolerance, max_iterations, seed, epoch } = settings;
    let mut v = vec![0.0; operator.columns()];
    let mut gradient = v.clone();
    in_memory(operator.multiply_transposed(r, &mut gradient));
    if let Some(column) = gradient.iter().position(|g| !g.is_finite()) {
        return Err(LeastSquaresError::Overflow { column });
    }
    let mut normal = Normal(operator);
    let range = RangeSettings { seed, epoch, ..RangeSettings::default() };
    let pairs = at_once(nystrom(&mut normal, rank.max(1), range)).map_err(|error| match error {
        EigenError::NotFinite { column } => LeastSquaresError::Overflow { column },
        EigenError::NoConvergence { size } | EigenError::NotPositive { size } => {
            LeastSquaresError::NoConvergence { algorithm: "Nystrom", size }
        }
    })?;
    let largest = pairs.values.first().copied().unwrap_or(0.0).sqrt();
    let preconditioner = Preconditioner { pairs, mu: (rcond * largest).powi(2) };
    let mut search = preconditioner.apply(&gradient);
    let mut square = dot(&gradient, &search);
    let goal = tolerance * tolerance * square;
    let mut iterations = 0;
    while square > goal && iterations < max_iterations {
        let mut image = vec![0.0; v.len()];
        normal.product(&search, &mut image);
        image.iter_mut().zip(&search).for_each(|(a, p)| *a += preconditioner.mu * p);
        let curvature = dot(&search, &image);
        // Round-off has taken over where the operator is no longer positive along the search.
        if curvature <= 0.0 {
            break;
        }
        let step = square / curvature;
        v.iter_mut().zip(&search).for_each(|(v, p)| *v += step * p);
        gradient.iter_mut().zip(&image).for_each(|(g, a)| *g -= step * a);
        let next = preconditioner.apply(&gradient);
        let before = std::mem::replace(&mut square, dot(&gradient, &next));
        search.iter_mut().zip(&next).for_each(|(p, z)| *p = z + square / before * *p);
        iterations += 1;
    }
    let mut residual = r.to_vec();
    let mut image = vec![0.0; r.len()];
    in_memory(operator.multiply(&v, &mut image));
    residual.iter_mut().zip(image).for_each(|(r, image)| *r -= image);
    Ok(NystromCgOutcome {
        coefficients: v,
        residual,
        iterations,
        converged: square <= goal,
        largest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::products::norm;
    use crate::testing::{Planted, decaying, distance, normals};
    use crate::{InMemory, LeastSquares};

    fn settings(rank: usize) -> NystromCgSettings {
        NystromCgSettings {
            rank,
            rcond: 1e-4,
            tolerance: 1e-9,
            max_iterations: 200,
            seed: 3,
            epoch: 1,
        }
    }

    #[test]
    fn the_solution_is_the_direct_one_and_the_preconditioner_saves_iterations() {
        let (n, s) = (500, 60);
        let planted = Planted::new(n, s, decaying(s, 10f64.powf(0.15)));
        let r = normals(n, 5);
        let mut operator = InMemory::new(planted.matrix.as_view());
        let good = nystrom_cg(&mut operator, &r, settings(40)).expect("finite");
        let poor = nystrom_cg(&mut operator, &r, settings(2)).expect("finite");
        assert!(good.converged, "{} iterations", good.iterations);
        assert!(4 * good.iterations < poor.iterations, "{}, {}", good.iterations, poor.iterations);
        let mut direct = LeastSquares::default();
        let mut equations = direct.normal_equations(planted.matrix.as_view()).expect("finite");
        let lambda = 1e-4 * good.largest;
        let best = equations.solve_damped(&r, lambda).expect("above round-off");
        let size = norm(&best.coefficients);
        let error = distance(&good.coefficients, &best.coefficients);
        assert!(error < 1e-5 * size, "{:e}", error / size);
        let other = equations.solve_damped(&r, 1.1 * lambda).expect("above round-off");
        let planted = distance(&good.coefficients, &other.coefficients);
        assert!(planted > 1e-3 * size, "another damping is seen: {:e}", planted / size);
    }

    #[test]
    fn a_zero_right_hand_side_and_one_column() {
        let planted = Planted::new(9, 1, vec![2.0]);
        let mut operator = InMemory::new(planted.matrix.as_view());
        let zero = nystrom_cg(&mut operator, &[0.0; 9], settings(10)).expect("finite");
        assert_eq!((zero.coefficients.as_slice(), zero.iterations), (&[0.0][..], 0));
        let image: Vec<f64> = planted.matrix.column(0).iter().map(|x| 3.0 * x).collect();
        let found = nystrom_cg(&mut operator, &image, settings(10)).expect("finite");
        assert!((found.coefficients[0] - 3.0).abs() < 1e-6, "{:?}", found.coefficients);
    }
}
