//! Radau IIA of order 5: implicit steps of a system of ordinary differential equations.
//!
//! Three stages, L-stable and stiffly accurate, so that the same method serves equations that are stiff
//! and those that are not (Hairer and Wanner, "Solving Ordinary Differential Equations II", IV.5 and
//! IV.8). With the eigenvectors of the inverse of its coefficients the Newton systems of a step become a
//! real and a complex one of the size of the system itself.

use nalgebra::{Complex, DMatrix};

use crate::linalg::{Lu, norm};

/// y' = f(t, y), with its Jacobian.
pub trait System {
    fn rates(&mut self, time: f64, y: &[f64]) -> Vec<f64>;

    fn jacobian(&mut self, time: f64, y: &[f64]) -> DMatrix<f64>;
}

/// Newton iterations of a step, at most.
const MOST_ITERATIONS: usize = 7;
/// A Jacobian that made Newton converge slower than this is computed anew for the next step.
const SLOW: f64 = 0.03;
/// Order of the error estimate, plus one.
const EXPONENT: f64 = 4.0;
const SAFETY: f64 = 0.9;
const SHRINK: f64 = 0.2;
const GROW: f64 = 8.0;
/// A step that might grow by less than this keeps its length, and its factorisations with it.
const WORTH_CHANGING: f64 = 1.2;

/// The nodes.
fn nodes() -> [f64; 3] {
    let root = 6f64.sqrt();
    [(4.0 - root) / 10.0, (4.0 + root) / 10.0, 1.0]
}

/// Eigenvalues of the inverse of the coefficients: the real one, and one of the complex pair.
fn eigenvalues() -> (f64, Complex<f64>) {
    let (a, b) = (3f64.cbrt(), 9f64.cbrt());
    let imaginary = -0.5 * (3f64.powf(5.0 / 6.0) + 3f64.powf(7.0 / 6.0));
    (3.0 + b - a, Complex::new(3.0 + 0.5 * (a - b), imaginary))
}

/// Real parts and imaginary parts of its eigenvectors as columns, and the inverse of that matrix (IV.8).
const T: [[f64; 3]; 3] = [
    [0.094_438_762_488_975_24, -0.141_255_295_020_954_2, 0.030_029_194_105_147_424],
    [0.250_213_122_965_333_3, 0.204_129_352_293_799_93, -0.382_942_112_757_261_9],
    [1.0, 1.0, 0.0],
];
const T_INVERSE: [[f64; 3]; 3] = [
    [4.178_718_591_551_905, 0.327_682_820_761_062_4, 0.523_376_445_499_449_5],
    [-4.178_718_591_551_905, -0.327_682_820_761_062_4, 0.476_623_554_500_550_4],
    [0.502_872_634_945_786_9, -2.571_926_949_855_605, 0.596_039_204_828_224_9],
];

/// What the stages leave for the estimate of the error (IV.8, equation 8.19).
fn estimator() -> [f64; 3] {
    let root = 6f64.sqrt();
    [(-13.0 - 7.0 * root) / 3.0, (-13.0 + 7.0 * root) / 3.0, -1.0 / 3.0]
}

/// A Jacobian and the factorisations of a step of one length.
pub struct Newton {
    jacobian: DMatrix<f64>,
    factors: Option<Factors>,
}

struct Factors {
    dt: f64,
    real: Lu,
    complex: Lu<Complex<f64>>,
}

impl Newton {
    #[must_use]
    pub fn new(jacobian: DMatrix<f64>) -> Self {
        Self { jacobian, factors: None }
    }

    fn factors(&mut self, dt: f64) -> &Factors {
        let stale = self.factors.as_ref().is_none_or(|factors| factors.dt != dt);
        if stale {
            let size = self.jacobian.nrows();
            let (real, complex) = eigenvalues();
            let j = &self.jacobian;
            let shifted = DMatrix::from_fn(size, size, |i, k| {
                (if i == k { real / dt } else { 0.0 }) - j[(i, k)]
            });
            let pair = DMatrix::from_fn(size, size, |i, k| {
                let diagonal = if i == k { complex / dt } else { Complex::new(0.0, 0.0) };
                diagonal - Complex::new(j[(i, k)], 0.0)
            });
            self.factors = Some(Factors { dt, real: Lu::of(shifted), complex: Lu::of(pair) });
        }
        self.factors.as_ref().expect("made where they were not")
    }
}

/// What an attempt at a step came to.
pub struct Step {
    pub y: Vec<f64>,
    /// |error| over the tolerance.
    pub error: f64,
    pub iterations: usize,
    /// Whether the next step wants a new Jacobian.
    pub stale: bool,
    /// The step's length times this is the next one's.
    pub factor: f64,
}

/// A step of length `dt` from `y`, whose rates are `rates`; none where Newton's method does not
/// converge. Errors and Newton's own remainder are measured by |.| over `scale`, the size of the error
/// that a step may have.
pub fn step(
    system: &mut impl System,
    newton: &mut Newton,
    (time, y, rates): (f64, &[f64], &[f64]),
    (dt, scale, tolerance): (f64, f64, f64),
) -> Option<Step> {
    let goal = (10.0 * f64::EPSILON / tolerance).max(tolerance.sqrt().min(0.03));
    let (stages, iterations, rate) = collocate(system, newton, (time, y), (dt, scale, goal))?;
    let add = |v: &[f64]| -> Vec<f64> { y.iter().zip(v).map(|(y, v)| y + v).collect() };
    let weights = estimator().map(|weight| weight / dt);
    let left: Vec<f64> =
        (0..y.len()).map(|k| (0..3).map(|s| weights[s] * stages[s][k]).sum::<f64>()).collect();
    let judge = |newton: &mut Newton, rates: &[f64]| -> Vec<f64> {
        let sum: Vec<f64> = rates.iter().zip(&left).map(|(f, z)| f + z).collect();
        newton.factors(dt).real.solve(&sum)
    };
    let mut error = judge(newton, rates);
    let mut size = norm(&error) / scale;
    if size > 1.0 {
        // A stiff part of the estimate that the step itself does not have (equation 8.20).
        let moved = system.rates(time, &add(&error));
        error = judge(newton, &moved);
        size = norm(&error) / scale;
    }
    if !size.is_finite() {
        return None;
    }
    let most = (2 * MOST_ITERATIONS + 1) as f64;
    let safety = SAFETY * most / (2 * MOST_ITERATIONS + iterations) as f64;
    let factor = (safety * size.max(1e-30).powf(-1.0 / EXPONENT)).clamp(SHRINK, GROW);
    let keeps = size <= 1.0 && (1.0..WORTH_CHANGING).contains(&factor);
    Some(Step {
        y: add(&stages[2]),
        error: size,
        iterations,
        stale: iterations > 2 && rate > SLOW,
        factor: if keeps { 1.0 } else { factor },
    })
}

/// The stages less y, by Newton's method; with its iterations and its rate.
fn collocate(
    system: &mut impl System,
    newton: &mut Newton,
    (time, y): (f64, &[f64]),
    (dt, scale, goal): (f64, f64, f64),
) -> Option<([Vec<f64>; 3], usize, f64)> {
    let (size, nodes, (real, complex)) = (y.len(), nodes(), eigenvalues());
    let mut w: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; size]);
    let mut z = w.clone();
    let (mut before, mut rate): (Option<f64>, f64) = (None, 0.0);
    for iteration in 1..=MOST_ITERATIONS {
        let f: [Vec<f64>; 3] = std::array::from_fn(|s| {
            let at: Vec<f64> = y.iter().zip(&z[s]).map(|(y, z)| y + z).collect();
            system.rates(time + nodes[s] * dt, &at)
        });
        if f.iter().flatten().any(|f| !f.is_finite()) {
            return None;
        }
        let mixed = |row: usize, k: usize| (0..3).map(|s| T_INVERSE[row][s] * f[s][k]).sum::<f64>();
        let of_real: Vec<f64> = (0..size).map(|k| mixed(0, k) - real / dt * w[0][k]).collect();
        let of_pair = |k: usize| {
            let pull = complex / dt * Complex::new(w[1][k], w[2][k]);
            Complex::new(mixed(1, k), mixed(2, k)) - pull
        };
        let of_pair: Vec<Complex<f64>> = (0..size).map(of_pair).collect();
        let factors = newton.factors(dt);
        let (d, pair) = (factors.real.solve(&of_real), factors.complex.solve(&of_pair));
        let squares = pair.iter().map(|d| d.norm_sqr()).sum::<f64>();
        let moved = (norm(&d).powi(2) + squares).sqrt() / scale;
        if let Some(before) = before {
            rate = moved / before;
            let left = (MOST_ITERATIONS - iteration) as i32;
            if rate >= 1.0 || rate.powi(left) / (1.0 - rate) * moved > goal {
                return None;
            }
        }
        for k in 0..size {
            w[0][k] += d[k];
            w[1][k] += pair[k].re;
            w[2][k] += pair[k].im;
        }
        for (s, z) in z.iter_mut().enumerate() {
            for (k, z) in z.iter_mut().enumerate() {
                *z = (0..3).map(|row| T[s][row] * w[row][k]).sum();
            }
        }
        if !moved.is_finite() {
            return None;
        }
        let converged = before.is_some() && rate / (1.0 - rate) * moved < goal;
        if moved == 0.0 || converged {
            return Some((z, iteration, rate));
        }
        before = Some(moved);
    }
    None
}
