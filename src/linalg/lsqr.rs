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
    /// norm is then within a factor of about `1 + tolerance^2` of the best: 1e-2 is enough for a
    /// time step, 1e-10 and two passes give the accuracy of a direct solve.
    pub tolerance: f64,
    /// Most iterations of one pass.
    pub max_iterations: usize,
    /// Restarts from a freshly computed residual; two give the accuracy of a direct solve.
    pub passes: usize,
    /// lambda of `min |J v - r|^2 + lambda^2 |v|^2`.
    pub damping: f64,
}

impl Default for LsqrSettings {
    fn default() -> Self {
        Self { tolerance: 1e-2, max_iterations: 50, passes: 1, damping: 0.0 }
    }
}

/// What LSQR returns.
#[derive(Clone, Debug, PartialEq)]
pub struct LsqrOutcome {
    pub coefficients: Vec<f64>,
    /// `r - J v`, computed from v.
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
    let mut residual = stacked.residual(&v, r).await?;
    let (mut iterations, mut converged) = (0, false);
    for _ in 0..settings.passes {
        let (y, count, met) = stacked.pass(residual, settings).await?;
        for (v, d) in v.iter_mut().zip(preconditioner.apply(&y)) {
            *v += d;
        }
        residual = stacked.residual(&v, r).await?;
        iterations += count;
        converged = met;
    }
    residual.truncate(r.len());
    Ok(LsqrOutcome { coefficients: v, residual, iterations, converged })
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

    /// `[J; lambda I] v`.
    async fn of_solution(&mut self, v: &[f64]) -> Result<Vec<f64>, O::Error> {
        let rows = self.operator.rows();
        let mut out = vec![0.0; rows + self.extra()];
        self.operator.multiply(v, &mut out[..rows]).await?;
        for (out, v) in out[rows..].iter_mut().zip(v) {
            *out = self.damping * v;
        }
        Ok(out)
    }

    /// `[r; 0] - [J; lambda I] v`.
    async fn residual(&mut self, v: &[f64], r: &[f64]) -> Result<Vec<f64>, O::Error> {
        let mut residual = self.of_solution(v).await?;
        residual.iter_mut().for_each(|x| *x = -*x);
        residual.iter_mut().zip(r).for_each(|(x, r)| *x += r);
        Ok(residual)
    }

    async fn apply(&mut self, y: &[f64]) -> Result<Vec<f64>, O::Error> {
        let v = self.preconditioner.apply(y);
        self.of_solution(&v).await
    }

    async fn apply_transposed(&mut self, u: &[f64]) -> Result<Vec<f64>, O::Error> {
        let rows = self.operator.rows();
        let mut g = vec![0.0; self.operator.columns()];
        self.operator.multiply_transposed(&u[..rows], &mut g).await?;
        for (g, u) in g.iter_mut().zip(&u[rows..]) {
            *g += self.damping * u;
        }
        Ok(self.preconditioner.apply_transposed(&g))
    }

    /// One run of LSQR on `min |A y - residual|` from y = 0. The names are the paper's.
    async fn pass(
        &mut self,
        residual: Vec<f64>,
        settings: LsqrSettings,
    ) -> Result<(Vec<f64>, usize, bool), O::Error> {
        let mut y = vec![0.0; self.preconditioner.dimension()];
        let mut u = residual;
        let mut phi_bar = normalise(&mut u);
        let mut w = if phi_bar > 0.0 { self.apply_transposed(&u).await? } else { y.clone() };
        let mut alpha = normalise(&mut w);
        let (mut rho_bar, mut frobenius, mut direction) = (alpha, alpha * alpha, w.clone());
        // Of A, so that the gradient is measured relative to it.
        let small = |alpha: f64, frobenius: f64| alpha <= settings.tolerance * frobenius.sqrt();
        if phi_bar == 0.0 || alpha == 0.0 {
            return Ok((y, 0, true));
        }
        for iteration in 1..=settings.max_iterations {
            let image = self.apply(&w).await?;
            u.iter_mut().zip(&image).for_each(|(u, image)| *u = image - alpha * *u);
            let beta = normalise(&mut u);
            let gradient = self.apply_transposed(&u).await?;
            w.iter_mut().zip(&gradient).for_each(|(w, g)| *w = g - beta * *w);
            alpha = normalise(&mut w);
            frobenius += alpha * alpha + beta * beta;

            let rho = rho_bar.hypot(beta);
            let (c, s) = (rho_bar / rho, beta / rho);
            let (phi, theta) = (c * phi_bar, s * alpha);
            rho_bar = -c * alpha;
            phi_bar *= s;
            y.iter_mut().zip(&direction).for_each(|(y, d)| *y += phi / rho * d);
            direction.iter_mut().zip(&w).for_each(|(d, w)| *d = w - theta / rho * *d);
            if phi_bar == 0.0 || small(alpha * c.abs(), frobenius / iteration as f64) {
                return Ok((y, iteration, true));
            }
        }
        Ok((y, settings.max_iterations, false))
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
