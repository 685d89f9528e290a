//! LSQR preconditioned by a factor of the sketch: the exact solution from a few passes over J.
//!
//! Paige and Saunders: "LSQR", ACM TOMS 1982, on `min |[J; lambda I] M y - [r; 0]|`, `v = M y`,
//! where M comes from the sketch and makes `J M` almost orthonormal, so that each iteration gains
//! the factor sqrt(rank / sketch rows). Started from the sketch-and-solve solution, and restarted
//! from a freshly computed residual, it is as accurate as a direct solve (Epperly, Meier,
//! Nakatsukasa: "Fast randomized least-squares solvers can be just as accurate and stable as
//! classical direct solvers", 2024: there SPIR).

use super::factorisation::Factorisation;
use super::operator::TallOperator;
use super::products::norm;
use crate::scalar::Real;

/// M: turns a tall ill-conditioned matrix into an almost orthonormal one.
pub trait Preconditioner {
    /// How many unknowns y has.
    fn dimension(&self) -> usize;

    /// `M y`.
    fn apply(&self, y: &[f64]) -> Vec<f64>;

    /// `M^T g`.
    fn apply_transposed(&self, g: &[f64]) -> Vec<f64>;
}

/// `M = V Sigma^-1` of a truncated factorisation of S J: the solution stays in the span of its
/// right singular vectors above the cutoff.
#[derive(Debug)]
pub struct TruncatedPreconditioner<'a, T> {
    factorisation: &'a Factorisation<'a, T>,
    rank: usize,
}

impl<'a, T: Real> TruncatedPreconditioner<'a, T> {
    #[must_use]
    pub fn new(factorisation: &'a Factorisation<'a, T>, rcond: f64) -> Self {
        Self { factorisation, rank: factorisation.rank(rcond) }
    }
}

impl<T: Real> Preconditioner for TruncatedPreconditioner<'_, T> {
    fn dimension(&self) -> usize {
        self.rank
    }

    fn apply(&self, y: &[f64]) -> Vec<f64> {
        let sigma = self.factorisation.singular_values();
        let scaled: Vec<f64> = y.iter().zip(sigma).map(|(y, sigma)| y / sigma).collect();
        self.factorisation.combine_coefficients(&scaled)
    }

    fn apply_transposed(&self, g: &[f64]) -> Vec<f64> {
        let sigma = self.factorisation.singular_values();
        let mut y = self.factorisation.project_solution(g);
        y.truncate(self.rank);
        y.iter_mut().zip(sigma).for_each(|(y, sigma)| *y /= sigma);
        y
    }
}

/// When LSQR stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LsqrSettings {
    /// Stop when the preconditioned gradient is below `tolerance |J M| |residual|`. The residual's
    /// norm is then within a factor of about `1 + tolerance^2` of the best: 3e-2 is enough for a
    /// time step, 1e-10 and two passes give the accuracy of a direct solve.
    pub tolerance: f64,
    /// Most iterations of one pass.
    pub max_iterations: usize,
    /// Passes, each from a freshly computed residual; two give the accuracy of a direct solve.
    pub passes: usize,
    /// lambda of `min |J v - r|^2 + lambda^2 |v|^2`.
    pub damping: f64,
}

impl Default for LsqrSettings {
    fn default() -> Self {
        Self { tolerance: 3e-2, max_iterations: 50, passes: 1, damping: 0.0 }
    }
}

/// What LSQR returns.
#[derive(Clone, Debug, PartialEq)]
pub struct LsqrOutcome {
    pub coefficients: Vec<f64>,
    /// `r - J v`, carried along with v.
    pub residual: Vec<f64>,
    /// Products with J and with `J^T`, over all passes.
    pub iterations: usize,
    /// Whether the last pass met the tolerance.
    pub converged: bool,
}

/// Solves `min |J v - r|^2 + damping^2 |v|^2` from `start` (sketch-and-solve's solution).
///
/// # Errors
/// Whatever a product of `operator` fails with.
///
/// # Panics
/// If `r` or `start` does not match the operator's shape.
pub async fn lsqr<O: TallOperator>(
    operator: &mut O,
    preconditioner: &impl Preconditioner,
    r: &[f64],
    start: Vec<f64>,
    settings: LsqrSettings,
) -> Result<LsqrOutcome, O::Error> {
    assert_eq!(r.len(), operator.rows(), "the right-hand side has one entry per row");
    assert_eq!(start.len(), operator.columns(), "the start has one entry per column");
    let mut stacked = Stacked { operator, preconditioner, damping: settings.damping };
    let mut v = start;
    let (mut iterations, mut converged, mut carried) = (0, false, None);
    for _ in 0..settings.passes {
        let pass = stacked.pass(&v, r, settings).await?;
        for (v, d) in v.iter_mut().zip(preconditioner.apply(&pass.y)) {
            *v += d;
        }
        iterations += pass.iterations;
        (converged, carried) = (pass.converged, Some(pass.residual));
    }
    let mut residual = match carried {
        Some(residual) => residual,
        None => {
            let mut image = vec![0.0; r.len()];
            stacked.operator.multiply(&v, &mut image).await?;
            r.iter().zip(image).map(|(r, image)| r - image).collect()
        }
    };
    residual.truncate(r.len());
    Ok(LsqrOutcome { coefficients: v, residual, iterations, converged })
}

/// What one run of LSQR ends with.
struct Pass {
    y: Vec<f64>,
    /// `[r; 0] - [J; lambda I] (v + M y)`.
    residual: Vec<f64>,
    iterations: usize,
    converged: bool,
}

/// `A = [J; lambda I] M`.
struct Stacked<'a, O, P> {
    operator: &'a mut O,
    preconditioner: &'a P,
    damping: f64,
}

impl<O: TallOperator, P: Preconditioner> Stacked<'_, O, P> {
    /// Rows below J's: none without damping.
    fn extra(&self) -> usize {
        if self.damping > 0.0 { self.operator.columns() } else { 0 }
    }

    /// `u = [J; lambda I] v - alpha u` and, with that u, `M^T [J; lambda I]^T u`.
    async fn advance(
        &mut self,
        v: &[f64],
        alpha: f64,
        u: &mut [f64],
    ) -> Result<Vec<f64>, O::Error> {
        let mut g = vec![0.0; v.len()];
        let (upper, lower) = u.split_at_mut(self.operator.rows());
        self.operator.multiply_both(v, alpha, upper, &mut g).await?;
        for ((u, v), g) in lower.iter_mut().zip(v).zip(&mut g) {
            *u = self.damping * v - alpha * *u;
            *g += self.damping * *u;
        }
        Ok(self.preconditioner.apply_transposed(&g))
    }

    /// One run of LSQR for the correction `M y` of v, from y = 0. The names are the paper's.
    async fn pass(
        &mut self,
        v: &[f64],
        r: &[f64],
        settings: LsqrSettings,
    ) -> Result<Pass, O::Error> {
        let mut y = vec![0.0; self.preconditioner.dimension()];
        let mut u = r.to_vec();
        u.resize(r.len() + self.extra(), 0.0);
        // u = [J; lambda I] v - [r; 0], whose negative is the residual.
        let mut w = self.advance(v, 1.0, &mut u).await?;
        u.iter_mut().chain(&mut w).for_each(|x| *x = -*x);
        let mut residual = u.clone();
        let mut phi_bar = normalise(&mut u);
        let mut alpha = normalise(&mut w) / phi_bar.max(f64::MIN_POSITIVE);
        let (mut rho_bar, mut frobenius, mut direction) = (alpha, alpha * alpha, w.clone());
        // Of A, so that the gradient is measured relative to it.
        let small = |alpha: f64, frobenius: f64| alpha <= settings.tolerance * frobenius.sqrt();
        if phi_bar == 0.0 || alpha == 0.0 {
            return Ok(Pass { y, residual, iterations: 0, converged: true });
        }
        for iteration in 1..=settings.max_iterations {
            // A^T of u before u gets its unit length: the length divides both.
            let v = self.preconditioner.apply(&w);
            let gradient = self.advance(&v, alpha, &mut u).await?;
            let beta = normalise(&mut u);
            let scale = if beta > 0.0 { beta.recip() } else { 0.0 };
            w.iter_mut().zip(&gradient).for_each(|(w, g)| *w = scale * g - beta * *w);
            alpha = normalise(&mut w);
            frobenius += alpha * alpha + beta * beta;

            let rho = rho_bar.hypot(beta);
            let (c, s) = (rho_bar / rho, beta / rho);
            let (phi, theta) = (c * phi_bar, s * alpha);
            rho_bar = -c * alpha;
            phi_bar *= s;
            y.iter_mut().zip(&direction).for_each(|(y, d)| *y += phi / rho * d);
            direction.iter_mut().zip(&w).for_each(|(d, w)| *d = w - theta / rho * *d);
            // The rotation applied to the residual: another product with J would cost more than
            // all the rest of the last iteration.
            let turned = c * phi_bar;
            residual.iter_mut().zip(&u).for_each(|(x, u)| *x = s * s * *x - turned * u);
            if phi_bar == 0.0 || small(alpha * c.abs(), frobenius / iteration as f64) {
                return Ok(Pass { y, residual, iterations: iteration, converged: true });
            }
        }
        Ok(Pass { y, residual, iterations: settings.max_iterations, converged: false })
    }
}

/// Divides by the norm, which it returns.
fn normalise(x: &mut [f64]) -> f64 {
    let length = norm(x);
    if length > 0.0 {
        x.iter_mut().for_each(|x| *x /= length);
    }
    length
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;
    use crate::problem::Solver;
    use crate::testing::{Planted, decaying, distance, normals};
    use crate::{InMemory, LeastSquares, RowSketch, Settings};

    #[test]
    fn lsqr_solves_an_ill_conditioned_problem_forward_accurately() {
        let (n, s) = (600, 30);
        let planted = Planted::new(n, s, decaying(30, 10f64.powf(8.0 / 29.0))); // condition 1e8
        let truth = normals(s, 9);
        let image = &planted.matrix * DVector::from_column_slice(&truth);
        let r: Vec<f64> = image.iter().copied().collect();
        let settings = Settings {
            solver: Solver::SketchedLsqr,
            rcond: 1e-12,
            oversampling: 4.0,
            lsqr: LsqrSettings { tolerance: 1e-12, max_iterations: 100, passes: 2, damping: 0.0 },
            ..Settings::default()
        };
        let solution = LeastSquares::new(settings).solve(planted.matrix.as_view(), &r, 0);
        let error = distance(&solution.expect("finite").coefficients, &truth);
        let allowed = 4.0 * n as f64 * f64::EPSILON * 1e8 * norm(&truth);
        assert!(error <= allowed, "{error:e} > {allowed:e}");
        assert!(allowed < 1e-3, "the bound must mean something");
    }

    /// An operator whose transposed product is wrong by a factor in one column.
    struct Faulty<'a>(InMemory<'a, f64>);

    impl TallOperator for Faulty<'_> {
        type Error = std::convert::Infallible;

        fn rows(&self) -> usize {
            self.0.rows()
        }

        fn columns(&self) -> usize {
            self.0.columns()
        }

        async fn multiply(&mut self, v: &[f64], out: &mut [f64]) -> Result<(), Self::Error> {
            self.0.multiply(v, out).await
        }

        async fn multiply_transposed(
            &mut self,
            w: &[f64],
            out: &mut [f64],
        ) -> Result<(), Self::Error> {
            self.0.multiply_transposed(w, out).await?;
            out[0] *= 1.01;
            Ok(())
        }
    }

    #[test]
    fn lsqr_shows_a_wrong_transposed_product() {
        let (n, s) = (300, 20);
        let planted = Planted::new(n, s, decaying(20, 1.5));
        let r = normals(n, 10);
        let expected = planted.truncated(&r, 0.0);
        let sketch = RowSketch::new(1, 0, 80);
        let sketched = sketch.apply(planted.matrix.as_view());
        let mut solver = LeastSquares::new(Settings {
            solver: Solver::Gram,
            rcond: 1e-6,
            ..Settings::default()
        });
        let factorisation = solver.factor(sketched.as_view(), 0).expect("finite");
        let preconditioner = TruncatedPreconditioner::new(&factorisation, 1e-6);
        let settings = LsqrSettings { tolerance: 1e-12, ..LsqrSettings::default() };
        let right = InMemory::new(planted.matrix.as_view());
        let mut wrong = Faulty(right.clone());
        let mut right = right;
        let start = vec![0.0; s];
        let Ok(good) =
            pollster::block_on(lsqr(&mut right, &preconditioner, &r, start.clone(), settings));
        let Ok(bad) = pollster::block_on(lsqr(&mut wrong, &preconditioner, &r, start, settings));
        let allowed = 1e-8 * norm(&expected);
        assert!(good.converged);
        assert!(distance(&good.coefficients, &expected) < allowed);
        assert!(distance(&bad.coefficients, &expected) > allowed);
    }
}
