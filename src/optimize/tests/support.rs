//! Small least-squares problems with derivatives by hand.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVector};

use crate::field::residual::{Collocation, ResidualError, ResidualSystem};
use crate::linalg::testing::Planted;
use crate::problem::ResidualProblem;
use crate::random::{Philox, Stream};
use crate::{Method, StoppingRule, Training};

/// A system that gives r and J together; the rest follows.
pub trait Small {
    fn shape(&self) -> (usize, usize);
    fn evaluate(&self, theta: &[f64]) -> (Vec<f64>, DMatrix<f64>);
}

/// Any [`Small`] as a residual system, its Jacobian in blocks of three rows.
pub struct Whole<T>(pub T);

impl<T: Small> ResidualSystem for Whole<T> {
    fn parameters(&self) -> usize {
        self.0.shape().1
    }

    fn rows(&self) -> usize {
        self.0.shape().0
    }

    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        out.copy_from_slice(&self.0.evaluate(theta).0);
        match out.iter().find(|r| !r.is_finite()) {
            Some(&value) => {
                let (block, place) = ("test".into(), "somewhere".into());
                Err(ResidualError::NotFinite { block, place, value })
            }
            None => Ok(()),
        }
    }

    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        let loss = |theta: &&[f64]| self.0.evaluate(theta).0.iter().map(|r| r * r).sum();
        Ok(thetas.iter().map(loss).collect())
    }

    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        mut jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        self.residual(theta, residual).await?;
        jacobian.copy_from(&self.0.evaluate(theta).1);
        Ok(())
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        let jacobian = self.0.evaluate(theta).1;
        for first in (0..jacobian.nrows()).step_by(3) {
            visit(first, jacobian.rows(first, 3.min(jacobian.nrows() - first)));
        }
        Ok(())
    }
}

/// r = A theta - b for A with a planted singular value decomposition.
pub struct Linear {
    pub planted: Planted,
    pub right: Vec<f64>,
}

impl Linear {
    /// Singular values from 2 down by factors of four.
    pub fn new(rows: usize, parameters: usize) -> Whole<Self> {
        let sigma = (0..rows.min(parameters)).map(|k| 2.0 * 0.25f64.powi(k as i32)).collect();
        let right = (0..rows).map(|i| (1.7 * i as f64).sin() + 0.2).collect();
        Whole(Self { planted: Planted::new(rows, parameters, sigma), right })
    }
}

impl Small for Linear {
    fn shape(&self) -> (usize, usize) {
        self.planted.matrix.shape()
    }

    fn evaluate(&self, theta: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        let image = &self.planted.matrix * DVector::from_column_slice(theta);
        let residual = image.iter().zip(&self.right).map(|(image, b)| image - b).collect();
        (residual, self.planted.matrix.clone())
    }
}

/// r = (10 (y - x^2), 1 - x): zero at (1, 1).
pub struct Rosenbrock;

impl Small for Rosenbrock {
    fn shape(&self) -> (usize, usize) {
        (2, 2)
    }

    fn evaluate(&self, theta: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        let (x, y) = (theta[0], theta[1]);
        let jacobian = [[-20.0 * x, 10.0], [-1.0, 0.0]];
        (vec![10.0 * (y - x * x), 1.0 - x], DMatrix::from_fn(2, 2, |i, k| jacobian[i][k]))
    }
}

/// `-u_xx - u_yy = 2 pi^2 sin(pi x) sin(pi y)` on the unit square, u = 0 on its sides, by
/// `u = sum_j c_j tanh(a_j x + b_j y + d_j)`.
pub struct Poisson {
    pub width: usize,
    /// (x, y) and whether the point is on a side.
    points: Vec<([f64; 2], bool)>,
}

impl Poisson {
    pub fn new(width: usize, side: usize) -> Whole<Self> {
        let at = |i: usize| i as f64 / (side - 1) as f64;
        let inner = |i: usize| 0 < i && i + 1 < side;
        let grid = (0..side).flat_map(|i| (0..side).map(move |k| (i, k)));
        let points = grid.map(|(i, k)| ([at(i), at(k)], !(inner(i) && inner(k)))).collect();
        Whole(Self { width, points })
    }

    pub fn start(&self, seed: u64) -> Vec<f64> {
        let random = Philox::new(seed, Stream::Initialisation);
        (0..4 * self.width as u32).map(|k| 0.6 * random.normal(0, k)).collect()
    }

    /// Relative L2 error on a grid of the test's own.
    pub fn error(&self, theta: &[f64]) -> f64 {
        let (mut difference, mut size) = (0.0, 0.0);
        for i in 0..=30 {
            for k in 0..=30 {
                let x = [i as f64 / 30.0, k as f64 / 30.0];
                let u: f64 = (0..self.width)
                    .map(|j| {
                        let [a, b, d, c] = neuron(theta, j);
                        c * (a * x[0] + b * x[1] + d).tanh()
                    })
                    .sum();
                let truth = solution(x);
                difference += (u - truth) * (u - truth);
                size += truth * truth;
            }
        }
        (difference / size).sqrt()
    }
}

fn solution([x, y]: [f64; 2]) -> f64 {
    use std::f64::consts::PI;
    (PI * x).sin() * (PI * y).sin()
}

fn neuron(theta: &[f64], j: usize) -> [f64; 4] {
    [theta[4 * j], theta[4 * j + 1], theta[4 * j + 2], theta[4 * j + 3]]
}

impl Small for Poisson {
    fn shape(&self) -> (usize, usize) {
        (self.points.len(), 4 * self.width)
    }

    fn evaluate(&self, theta: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        use std::f64::consts::PI;
        let (rows, parameters) = self.shape();
        let weight = (rows as f64).sqrt().recip();
        let mut residual = Vec::with_capacity(rows);
        let mut jacobian = DMatrix::zeros(rows, parameters);
        for (i, &(x, wall)) in self.points.iter().enumerate() {
            let mut sum = if wall { 0.0 } else { -2.0 * PI * PI * solution(x) };
            for j in 0..self.width {
                let [a, b, d, c] = neuron(theta, j);
                let t = (a * x[0] + b * x[1] + d).tanh();
                let first = 1.0 - t * t;
                let second = -2.0 * t * first;
                let third = first * (6.0 * t * t - 2.0);
                let square = a * a + b * b;
                // A side sees u itself, the inside minus the Laplacian.
                let (value, slope, of_square) = if wall {
                    (t, first, 0.0)
                } else {
                    (-square * second, -square * third, -second)
                };
                sum += c * value;
                let entries = [
                    c * (slope * x[0] + 2.0 * a * of_square),
                    c * (slope * x[1] + 2.0 * b * of_square),
                    c * slope,
                    value,
                ];
                for (k, entry) in entries.into_iter().enumerate() {
                    jacobian[(i, 4 * j + k)] = weight * entry;
                }
            }
            residual.push(weight * sum);
        }
        (residual, jacobian)
    }
}

#[test]
fn derivatives_by_hand_are_those_of_finite_differences() {
    let system = Poisson::new(3, 4).0;
    let theta = system.start(1);
    let jacobian = system.evaluate(&theta).1;
    for k in 0..theta.len() {
        let at = |shift: f64| {
            let mut theta = theta.clone();
            theta[k] += shift;
            system.evaluate(&theta).0
        };
        for (i, (up, down)) in at(1e-5).into_iter().zip(at(-1e-5)).enumerate() {
            let slope = (up - down) / 2e-5;
            assert!((jacobian[(i, k)] - slope).abs() < 1e-7 * (1.0 + slope.abs()), "({i}, {k})");
        }
    }
}

/// The problem of a text, and its training at the end.
pub fn trained(text: &str) -> (ResidualProblem, Training<Collocation>) {
    let problem = ResidualProblem::from_toml(text, &Vec::new()).expect("a problem");
    let system = Collocation::new(&problem);
    let theta = system.initial_parameters();
    let (method, rule) = (Method::chosen(&problem.method), StoppingRule::chosen(&problem));
    let training = pollster::block_on(async {
        let mut training = Training::new(system, method, rule, theta, 0).await.expect("starts");
        while training.iterate().await.expect("goes on").reason.is_none() {}
        training
    });
    (problem, training)
}
