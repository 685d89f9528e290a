//! Gaussians under linear Fokker-Planck equations, by the equations of their moments.
//!
//! With drift A x + c and diffusion D a Gaussian of mean m and covariance S stays one, and
//!
//! ```text
//! m' = A m + c,   S' = A S + S A^T + 2 D
//! ```
//!
//! (Risken, "The Fokker-Planck Equation", section 6.5), which are integrated to about round-off
//! ([`extrapolation`](super::extrapolation)).

use nalgebra::{Cholesky, DMatrix, DVector};

use super::ReferenceError;
use super::extrapolation::{Step, step};
use crate::problem::expression::{Expression, Function, MAX_DIMENSIONS};
use crate::problem::{Coefficients, Density, FokkerPlanck, Moments, Normal, Points, Problem};

/// Room for a mean and, row by row, a covariance.
const WIDTH: usize = MAX_DIMENSIONS * (MAX_DIMENSIONS + 1);
type State = [f64; WIDTH];

/// Steps over the whole run.
const MOST_STEPS: usize = 100_000;
/// Where two times count as the same, relative to the span.
const SAME: f64 = 1e-12;
/// Places at which the initial state is looked at.
const SAMPLES: usize = 256;
/// Relative error of the Gaussian that is taken for the initial state's logarithm.
const TOLERANCE: f64 = 1e-9;

/// A Gaussian that moves and changes its shape by a linear Fokker-Planck equation.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    equation: FokkerPlanck,
    density: Density,
    dimensions: usize,
    /// The density's integral.
    mass: f64,
    end: f64,
    /// The moments at the ends of steps.
    path: Vec<(f64, State)>,
}

impl Gaussian {
    /// The solution of a problem.
    ///
    /// # Errors
    /// [`ReferenceError::NotFokkerPlanck`] where the equation is another one,
    /// [`ReferenceError::NotGaussian`] where the initial state is, and
    /// [`ReferenceError::Moments`] where the moments cannot be followed to the end.
    pub fn of(problem: &Problem) -> Result<Self, ReferenceError> {
        let equation = FokkerPlanck::of(problem).ok_or(ReferenceError::NotFokkerPlanck)?;
        let start = initial(problem).ok_or(ReferenceError::NotGaussian)?;
        let dimensions = problem.dimensions();
        let mut gaussian = Self {
            equation,
            density: problem.points.density,
            dimensions,
            mass: start.mass,
            end: problem.time.end,
            path: vec![(problem.time.start, packed(&start))],
        };
        gaussian.integrate()?;
        Ok(gaussian)
    }

    fn integrate(&mut self) -> Result<(), ReferenceError> {
        let (mut time, mut state) = self.path[0];
        let mut h = self.end - time;
        for _ in 0..MOST_STEPS {
            match self.step(time, &state, h) {
                Step::Taken { end, factor } => {
                    let last = h == self.end - time;
                    time = if last { self.end } else { time + h };
                    state = end;
                    self.path.push((time, state));
                    if last {
                        return Ok(());
                    }
                    h = (h * factor).min(self.end - time);
                }
                Step::Rejected { factor } => h *= factor,
                Step::Left { .. } => break,
            }
        }
        Err(ReferenceError::Moments { time })
    }

    fn step(&self, time: f64, state: &State, h: f64) -> Step<WIDTH> {
        let d = self.dimensions;
        let rate = |time: f64, y: &State| rate(&self.equation.coefficients(time), d, y);
        step(&rate, time, state, h, &|y| !y[..d + d * d].iter().all(|v| v.is_finite()))
    }

    /// Mass, mean and covariance.
    ///
    /// # Errors
    /// [`ReferenceError::TimeOutside`] where `time` is outside the run.
    pub fn moments(&self, time: f64) -> Result<Moments, ReferenceError> {
        let (start, end) = (self.path[0].0, self.end);
        let slack = SAME * (end - start);
        if !(time >= start - slack && time <= end + slack) {
            return Err(ReferenceError::TimeOutside { time, start, end });
        }
        let before = self.path.partition_point(|(t, _)| *t <= time).max(1) - 1;
        let (from, state) = self.path[before];
        let gap = time - from;
        let state = match gap > slack {
            false => state,
            // Shorter than a step that was good enough.
            true => match self.step(from, &state, gap) {
                Step::Taken { end, .. } => end,
                Step::Rejected { .. } | Step::Left { .. } => {
                    return Err(ReferenceError::Moments { time });
                }
            },
        };
        Ok(self.unpacked(&state))
    }

    /// The Gaussian at a time, of mass 1, and its mass.
    ///
    /// # Errors
    /// As [`Gaussian::moments`].
    pub fn normal(&self, time: f64) -> Result<(Normal, f64), ReferenceError> {
        let normal = Normal::of(&self.moments(time)?).ok_or(ReferenceError::Moments { time })?;
        Ok((normal, self.mass))
    }

    /// u at the points, whose coordinates lie point by point: the density, or its logarithm.
    ///
    /// # Errors
    /// As [`Gaussian::moments`].
    pub fn values(&self, time: f64, coordinates: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        let (normal, mass) = self.normal(time)?;
        let value = |x: &[f64]| match self.density {
            Density::Logarithm => normal.log_density(x) + mass.ln(),
            Density::Magnitude => normal.log_density(x).exp() * mass,
        };
        Ok(coordinates.chunks_exact(self.dimensions).map(value).collect())
    }

    /// The density's marginal along the first coordinate.
    ///
    /// # Errors
    /// As [`Gaussian::moments`].
    pub fn marginal(&self, time: f64, x: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        let Moments { mass, mean, covariance } = self.moments(time)?;
        let variance = covariance[(0, 0)];
        let scale = mass / (std::f64::consts::TAU * variance).sqrt();
        Ok(x.iter().map(|x| scale * (-0.5 * (x - mean[0]).powi(2) / variance).exp()).collect())
    }

    fn unpacked(&self, state: &State) -> Moments {
        let d = self.dimensions;
        let covariance = DMatrix::from_fn(d, d, |k, l| state[d + k * d + l]);
        Moments { mass: self.mass, mean: state[..d].to_vec(), covariance }
    }
}

fn packed(moments: &Moments) -> State {
    let d = moments.mean.len();
    let mut state = [0.0; WIDTH];
    state[..d].copy_from_slice(&moments.mean);
    for (k, l) in (0..d).flat_map(|k| (0..d).map(move |l| (k, l))) {
        state[d + k * d + l] = moments.covariance[(k, l)];
    }
    state
}

/// `(A m + c, A S + S A^T + 2 D)`.
fn rate(at: &Coefficients, d: usize, y: &State) -> State {
    let Coefficients { slopes, constant, diffusion } = at;
    let along = |k: usize, v: &dyn Fn(usize) -> f64| (0..d).map(|l| slopes[k * d + l] * v(l)).sum();
    let covariance = |k: usize, l: usize| y[d + k * d + l];
    let mut rate = [0.0; WIDTH];
    for (k, constant) in constant.iter().enumerate() {
        let drift: f64 = along(k, &|l| y[l]);
        rate[k] = drift + constant;
        for l in 0..d {
            let first: f64 = along(k, &|j| covariance(j, l));
            let second: f64 = along(l, &|j| covariance(k, j));
            rate[d + k * d + l] = first + second + 2.0 * diffusion[k * d + l];
        }
    }
    rate
}

/// The moments of a Gaussian initial state; `None` where it is none.
///
/// The logarithm of a Gaussian is a quadratic function, which its value, gradient g and Hessian -P
/// anywhere say whole: the covariance is P^-1, the mean x + P^-1 g.
fn initial(problem: &Problem) -> Option<Moments> {
    let (d, time) = (problem.dimensions(), problem.time.start);
    let state = problem.initial[0].substitute_parameters(&problem.parameter_values()).simplify();
    let logarithm = match problem.points.density {
        Density::Logarithm => state,
        Density::Magnitude => state.call(Function::Log),
    };
    let at = |e: &Expression, x: &[f64]| e.evaluate_at(x, time, &[]);
    let points = Points::sobol(&problem.coordinates, SAMPLES, 0);
    // The place where a density that is narrow in the box underflows least.
    let x = (0..points.len())
        .map(|i| points.point(i))
        .filter(|x| at(&logarithm, x).is_finite())
        .max_by(|a, b| at(&logarithm, a).total_cmp(&at(&logarithm, b)))?;
    let slopes: Vec<Expression> =
        (0..d).map(|k| logarithm.differentiate_coordinate(k, d).simplify()).collect();
    let curvature = |k: usize, l: usize| -at(&slopes[k].differentiate_coordinate(l, d), x);
    let precision = DMatrix::from_fn(d, d, |k, l| curvature(k.min(l), k.max(l)));
    let factor = Cholesky::new(precision)?;
    let shift = factor.solve(&DVector::from_fn(d, |k, _| at(&slopes[k], x)));
    let mean: Vec<f64> = (0..d).map(|k| x[k] + shift[k]).collect();
    let mut moments = Moments { mass: 1.0, mean, covariance: factor.inverse() };
    let normal = Normal::of(&moments)?;
    moments.mass = (at(&logarithm, x) - normal.log_density(x)).exp();
    let agrees = |x: &[f64]| {
        let (wanted, found) = (at(&logarithm, x), normal.log_density(x) + moments.mass.ln());
        // Far away a density is nothing, and so is its logarithm in f64.
        let nothing = problem.points.density == Density::Magnitude && found < -600.0;
        nothing || (wanted - found).abs() <= TOLERANCE * (1.0 + wanted.abs())
    };
    (0..points.len()).all(|i| agrees(points.point(i))).then_some(moments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Overrides;

    fn problem(text: &str) -> Problem {
        Problem::from_toml(text, &Overrides::new()).expect("a problem")
    }

    fn preset(name: &str) -> Problem {
        Problem::preset(name).expect("a preset")
    }

    /// Mean and variances of the interacting particles of arXiv 2203.01360, section 5.4.1: their
    /// mean follows M' = a - M, what they differ by fades at the rate 5/4, and the noise 0.01 holds
    /// the variances up; along the diagonal, and across it.
    fn particles(d: usize, t: f64) -> (Vec<f64>, f64, f64) {
        use std::f64::consts::PI;
        let wave = ((PI * t).sin() - PI * (PI * t).cos() + PI * (-t).exp()) / (1.0 + PI * PI);
        let centre = 1.95 * (-t).exp() + 1.25 * (1.5 * (1.0 - (-t).exp()) + wave);
        let offset = |k: usize| 2.1 * k as f64 / (d - 1) as f64 - 1.05;
        let mean = (0..d).map(|k| centre + offset(k) * (-1.25 * t).exp()).collect();
        let variance = |rate: f64| 0.01 / rate + (0.1 - 0.01 / rate) * (-2.0 * rate * t).exp();
        (mean, variance(1.0), variance(1.25))
    }

    #[test]
    fn the_presets_moments_are_those_of_the_closed_form_to_1e_12() {
        for (name, d) in [("fokker-planck-5d", 5), ("fokker-planck-8d", 8)] {
            let gaussian = Gaussian::of(&preset(name)).expect("a Gaussian");
            for t in [0.0, 0.013, 1.0, 2.7, 7.99, 8.0] {
                let found = gaussian.moments(t).expect("inside");
                let (mean, along, across) = particles(d, t);
                assert!((found.mass - 1.0).abs() < 1e-12, "{found:?}");
                for (k, mean) in mean.iter().enumerate() {
                    let miss = (found.mean[k] - mean).abs();
                    assert!(miss < 1e-12, "{name}, t = {t}: {miss:e}");
                    for l in 0..d {
                        let own = if k == l { across } else { 0.0 };
                        let exact = (along - across) / d as f64 + own;
                        let miss = (found.covariance[(k, l)] - exact).abs();
                        assert!(miss < 1e-12, "{name}, t = {t}: {miss:e}");
                    }
                }
                let (later, ..) = particles(d, t + 1e-10);
                let seen = t > 7.0 || (found.mean[0] - later[0]).abs() > 1e-12;
                assert!(seen, "another time would be seen");
            }
            assert!(gaussian.moments(8.1).is_err() && gaussian.moments(f64::NAN).is_err());
        }
    }

    /// Coupled, rotating and anisotropic, in a moving place, of mass 3.
    const SPIRAL: &str = "format = 1\n\
        [equation]\ntext = 'u_t = 3*u + (x + 2*y - cos(t))*u_x + (2*y - 2*x)*u_y \
        + 0.3*u_xx + 0.2*u_xy + 0.1*u_yy'\n\
        [domain]\nx = { range = [-2, 2], boundary = 'open' }\n\
        y = { range = [-2, 2], boundary = 'open' }\n[time]\nend = 1\n\
        [initial]\nu = '3*sqrt(0.75)/pi*exp(-(x - 0.3)^2 - y^2 - (x - 0.3)*y)'\n\
        [points]\nlayout = 'adaptive'\n";

    /// u_t by central differences against the right-hand side with derivatives by central
    /// differences, relative to the largest value.
    fn equation_residual(problem: &Problem, gaussian: &Gaussian) -> f64 {
        const H: f64 = 1e-3;
        let u = |t: f64, x: f64, y: f64| gaussian.values(t, &[x, y]).expect("inside")[0];
        let (mut worst, mut size) = (0.0f64, 0.0f64);
        for (x, y, t) in [(0.3, 0.1, 0.5), (-0.5, 0.8, 0.2), (1.1, -0.4, 0.9)] {
            let at = |i: i32, j: i32| u(t, x + H * f64::from(i), y + H * f64::from(j));
            let jets = |channel| match channel {
                crate::problem::expression::Channel::Partial(index) => match index.0[..2] {
                    [0, 0] => at(0, 0),
                    [1, 0] => (at(1, 0) - at(-1, 0)) / (2.0 * H),
                    [0, 1] => (at(0, 1) - at(0, -1)) / (2.0 * H),
                    [2, 0] => (at(1, 0) - 2.0 * at(0, 0) + at(-1, 0)) / (H * H),
                    [0, 2] => (at(0, 1) - 2.0 * at(0, 0) + at(0, -1)) / (H * H),
                    _ => (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4.0 * H * H),
                },
                crate::problem::expression::Channel::Laplacian => f64::NAN,
            };
            let place = crate::problem::expression::Place {
                coordinates: &[x, y],
                time: t,
                parameters: &[],
            };
            let right = problem.right_hand_side[0].evaluate(place, &|entry| jets(entry.channel));
            let left = (u(t + H, x, y) - u(t - H, x, y)) / (2.0 * H);
            worst = worst.max((left - right).abs());
            size = size.max(left.abs());
        }
        worst / size
    }

    #[test]
    fn the_density_satisfies_its_equation_by_finite_differences() {
        let problem = problem(SPIRAL);
        let gaussian = Gaussian::of(&problem).expect("a Gaussian");
        let moments = gaussian.moments(0.0).expect("the start");
        assert!((moments.mass - 3.0).abs() < 1e-12 && (moments.mean[0] - 0.3).abs() < 1e-14);
        let residual = equation_residual(&problem, &gaussian);
        assert!(residual < 2e-5, "{residual:e}: of second order in 1e-3");
        // Planted: another diffusion.
        let other = super::tests::problem(&SPIRAL.replace("0.2*u_xy", "0.201*u_xy"));
        let planted = equation_residual(&other, &gaussian);
        assert!(planted > 5.0 * residual, "{planted:e} against {residual:e}");
    }

    #[test]
    fn a_marginal_is_the_integral_of_the_values() {
        let gaussian = Gaussian::of(&problem(SPIRAL)).expect("a Gaussian");
        let (x, h) = (0.4, 0.01);
        let line: Vec<f64> = (-800..800).flat_map(|k| [x, h * f64::from(k)]).collect();
        let integral = h * gaussian.values(0.6, &line).expect("inside").iter().sum::<f64>();
        let marginal = gaussian.marginal(0.6, &[x]).expect("inside")[0];
        assert!((integral / marginal - 1.0).abs() < 1e-10, "{integral} and {marginal}");
    }

    #[test]
    fn other_problems_have_no_gaussian() {
        let not_gaussian = SPIRAL.replace("- y^2", "- y^4");
        let two = SPIRAL.replace("exp(", "2*cosh(x)*exp(");
        for text in [not_gaussian, two] {
            let found = Gaussian::of(&problem(&text));
            assert_eq!(found, Err(ReferenceError::NotGaussian), "{text}");
        }
        let found = Gaussian::of(&problem(&SPIRAL.replace("3*u", "2*u")));
        assert_eq!(found, Err(ReferenceError::NotFokkerPlanck));
    }
}
