//! The linearised equation in a few smooth functions.

use nalgebra::DMatrix;

use crate::field::plane_waves::Functions;
use crate::field::quantities;
use crate::field::waves::{Ends, Span, Waves};
use crate::linalg::{Cholesky, product, transposed_product};
use crate::network::Network;
use crate::problem::expression::{Channel, Entry, Expression};
use crate::problem::{Boundary, Problem};

/// Functions over all unknowns.
const WAVES: usize = 80;
/// Terms of the exponential's series at this size of its argument.
const TERMS: usize = 10;
const SMALL: f64 = 0.25;
/// An error grows by at most this in one interval: beyond it nothing is left to be known.
const MOST_GROWTH: f64 = 30.0;

/// Products of cosines at the points, and what projects on them.
pub struct Linearised {
    waves: Waves,
    /// Values of the functions, points x functions, and the inverse of their products.
    values: DMatrix<f64>,
    gram: Option<Cholesky>,
    /// The derivatives that the equations name: of F_i by a derivative of an unknown, the functions'
    /// such derivative.
    terms: Vec<Term>,
    /// F_i by the derivative, term by term.
    slopes: Vec<Expression>,
}

struct Term {
    equation: usize,
    entry: Entry,
    functions: DMatrix<f64>,
}

impl Term {
    /// dF/d(entry) of its equation.
    fn slope(&self, problem: &Problem) -> Expression {
        problem.right_hand_side[self.equation].derivative_by(self.entry).simplify()
    }
}

impl Linearised {
    pub fn new(problem: &Problem, coordinates: &[f64]) -> Self {
        let spans: Vec<Span> = problem
            .coordinates
            .iter()
            .map(|c| Span {
                lower: c.lower,
                length: c.upper - c.lower,
                ends: match (&c.boundary, c.flat_ends()) {
                    (Boundary::Periodic, _) => Ends::Periodic,
                    (Boundary::Open, _) => Ends::Free,
                    (_, flat) => Ends::Walls(flat.map(|flat| flat.is_some())),
                },
            })
            .collect();
        let waves = Waves::new(&spans, WAVES / problem.unknowns.len());
        let at = |channel| sampled(&waves, coordinates, problem.dimensions(), channel);
        let values = at(Channel::value());
        let terms = problem.right_hand_side.iter().enumerate().flat_map(|(equation, f)| {
            let entries = f.entries().into_iter();
            entries.map(move |entry| (equation, entry))
        });
        let terms: Vec<Term> = terms
            .map(|(equation, entry)| Term { equation, entry, functions: at(entry.channel) })
            .collect();
        let gram = transposed_product(values.as_view(), values.as_view());
        let ridge = 1e-12 * (0..gram.ncols()).map(|j| gram[(j, j)]).fold(0.0, f64::max);
        let gram = DMatrix::from_fn(gram.nrows(), gram.ncols(), |i, j| {
            gram[(i, j)] + if i == j { ridge } else { 0.0 }
        });
        let slopes = terms.iter().map(|term| term.slope(problem)).collect();
        Self { gram: Cholesky::of(gram), waves, values, terms, slopes }
    }

    /// Coefficients of the functions nearest to values at the points, a column each.
    fn project(&self, values: &DMatrix<f64>) -> DMatrix<f64> {
        let mut products = transposed_product(self.values.as_view(), values.as_view());
        match &self.gram {
            Some(gram) => {
                gram.solve(products.as_view_mut());
                products
            }
            None => DMatrix::zeros(products.nrows(), products.ncols()),
        }
    }

    /// The error after `elapsed`, from that before and the defects that were added in between, each at
    /// the points for one unknown after the other:
    ///
    /// ```text
    /// e' = exp(tau A) e + phi(tau A) d,      phi(z) = (exp(z) - 1) / z,
    /// ```
    ///
    /// A the linearised right-hand side at the present state.
    pub fn carry(
        &self,
        (problem, network, coordinates): (&Problem, &Network, &[f64]),
        (theta, time): (&[f64], f64),
        elapsed: f64,
        error: &[f64],
        defect: &[f64],
    ) -> Vec<f64> {
        let (points, count) = (self.values.nrows(), self.waves.len());
        let unknowns = problem.unknowns.len();
        let slopes =
            quantities::of_evolution(problem, network, theta, time, &self.slopes, coordinates);
        let mut operator = DMatrix::<f64>::zeros(unknowns * count, unknowns * count);
        for (term, slope) in self.terms.iter().zip(&slopes) {
            let scaled = DMatrix::from_fn(points, count, |i, j| slope[i] * term.functions[(i, j)]);
            let projected = self.project(&scaled);
            let (row, column) = (term.equation * count, term.entry.unknown * count);
            for j in 0..count {
                for i in 0..count {
                    operator[(row + i, column + j)] += elapsed * projected[(i, j)];
                }
            }
        }
        if operator.iter().any(|v| !v.is_finite()) {
            return error.iter().zip(defect).map(|(e, d)| e + d).collect();
        }
        // What smooth functions cannot hold goes as the roughest of them do.
        let roughest = |q: usize| {
            let from = count - count.div_ceil(8);
            let sum: f64 = (from..count).map(|j| operator[(q * count + j, q * count + j)]).sum();
            (sum / (count - from) as f64).min(MOST_GROWTH)
        };
        let (exponential, phi) = exponentials(&operator);
        let stacked =
            |list: &[f64]| DMatrix::from_fn(points, unknowns, |i, q| list[q * points + i]);
        let [e, d] = [error, defect].map(stacked);
        let [smooth_e, smooth_d] = [&e, &d].map(|m| self.project(m));
        let flat = |m: &DMatrix<f64>| {
            DMatrix::from_fn(unknowns * count, 1, |i, _| m[(i % count, i / count)])
        };
        let moved = &exponential * flat(&smooth_e) + &phi * flat(&smooth_d);
        let moved = DMatrix::from_fn(count, unknowns, |j, q| moved[(q * count + j, 0)]);
        let (inside, rest_e, rest_d) =
            (&self.values * &moved, &e - &self.values * &smooth_e, &d - &self.values * &smooth_d);
        let value = |q: usize, i: usize| {
            let z = roughest(q);
            let phi = if z.abs() < 1e-6 { 1.0 } else { z.exp_m1() / z };
            inside[(i, q)] + z.exp() * rest_e[(i, q)] + phi * rest_d[(i, q)]
        };
        (0..unknowns)
            .flat_map(|q| (0..points).map(move |i| (q, i)))
            .map(|(q, i)| value(q, i))
            .collect()
    }
}

/// A channel of the functions at points.
fn sampled(
    waves: &Waves,
    coordinates: &[f64],
    dimensions: usize,
    channel: Channel,
) -> DMatrix<f64> {
    let rows: Vec<Vec<f64>> = coordinates
        .chunks_exact(dimensions)
        .map(|point| {
            let mut row = vec![0.0; waves.len()];
            waves.add(point, channel, 1.0, &mut row);
            row
        })
        .collect();
    DMatrix::from_fn(rows.len(), waves.len(), |i, j| rows[i][j])
}

/// `exp(A)` and `phi(A)`, `phi(z) = (exp(z) - 1) / z`, by their series where A is small, doubled:
/// `phi(2 z) = (exp(z) + 1) phi(z) / 2` (Higham, "Functions of Matrices", SIAM 2008, 10.7.4).
fn exponentials(a: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let size = a.nrows();
    let largest = a.column_iter().map(|c| c.lp_norm(1)).fold(0.0, f64::max);
    let doublings = (largest / SMALL).max(1.0).log2().ceil() as i32;
    let scale = 0.5f64.powi(doublings);
    let a = DMatrix::from_fn(size, size, |i, j| scale * a[(i, j)]);
    let identity = DMatrix::<f64>::identity(size, size);
    // Horner: phi = 1 + a/2 (1 + a/3 (...)).
    let mut phi = identity.clone();
    for k in (2..=TERMS).rev() {
        let product = product(a.as_view(), phi.as_view());
        phi = DMatrix::from_fn(size, size, |i, j| identity[(i, j)] + product[(i, j)] / k as f64);
    }
    let mut exponential = &identity + product(a.as_view(), phi.as_view());
    for _ in 0..doublings {
        let moved = product(exponential.as_view(), phi.as_view());
        phi = DMatrix::from_fn(size, size, |i, j| 0.5 * (moved[(i, j)] + phi[(i, j)]));
        exponential = product(exponential.as_view(), exponential.as_view());
    }
    (exponential, phi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_those_of_a_stiff_matrix() {
        // Similar to diag(-300, 1.5) by a shear, where both functions are known.
        let (a, b, s) = (-300.0f64, 1.5f64, 0.7);
        let shear = |f: &dyn Fn(f64) -> f64| {
            let (fa, fb) = (f(a), f(b));
            DMatrix::from_fn(2, 2, |i, j| match (i, j) {
                (0, 0) => fa,
                (0, 1) => s * (fb - fa),
                (1, 1) => fb,
                _ => 0.0,
            })
        };
        let (exponential, phi) = exponentials(&shear(&|z| z));
        let expected = [shear(&f64::exp), shear(&|z| z.exp_m1() / z)];
        for (found, expected) in [exponential, phi].iter().zip(&expected) {
            for j in 0..2 {
                for i in 0..2 {
                    let gap = (found[(i, j)] - expected[(i, j)]).abs();
                    assert!(gap < 1e-11, "{i} {j}: {gap:.1e}");
                }
            }
        }
    }
}
