//! Linear Fokker-Planck equations, recognised in the expression tree.

use super::expression::{Channel, Entry, Expression, MultiIndex, Place};
use super::{Boundary, Density, Problem};
use crate::random::{Philox, Stream};

/// Places, times and jets at which the parts are held against the equation.
const SAMPLES: usize = 24;
/// Their relative difference, at most.
const TOLERANCE: f64 = 1e-10;

/// The parts of an equation for a density p,
///
/// ```text
/// p_t = -div(b p) + sum_kl D_kl p_kl,   b(x, t) = A(t) x + c(t),   D = D(t),
/// ```
///
/// or the same one for its logarithm u = log p (Risken, "The Fokker-Planck Equation", section 6.5),
///
/// ```text
/// u_t = -tr A - b . grad u + sum_kl D_kl (u_kl + u_k u_l).
/// ```
///
/// Under such an equation Gaussians stay Gaussian.
#[derive(Clone, Debug, PartialEq)]
pub struct FokkerPlanck {
    /// b, one component per coordinate.
    drift: Vec<Expression>,
    /// A, row by row.
    slopes: Vec<Expression>,
    /// D, row by row.
    diffusion: Vec<Expression>,
}

/// A, c and D at one time; matrices row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    pub slopes: Vec<f64>,
    pub constant: Vec<f64>,
    pub diffusion: Vec<f64>,
}

impl FokkerPlanck {
    /// The parts of a problem's equation; `None` where it is another one, or where the domain has
    /// ends or is periodic.
    #[must_use]
    pub fn of(problem: &Problem) -> Option<Self> {
        let [right] = problem.right_hand_side.as_slice() else { return None };
        let right = right.substitute_parameters(&problem.parameter_values()).simplify();
        let second = |channel: &Channel| match channel {
            Channel::Partial(index) => index.order() <= 2,
            Channel::Laplacian => true,
        };
        let open = problem.coordinates.iter().all(|c| c.boundary == Boundary::Open);
        if !open || !right.channels().iter().all(second) {
            return None;
        }
        let d = problem.dimensions();
        let at_rest = |channel: Channel| {
            let derivative = right.derivative_by(Entry::new(0, channel));
            derivative.substitute_jet(&|_| Expression::Constant(0.0))
        };
        let along = |k: usize| MultiIndex::along(k, 1);
        let drift: Vec<Expression> =
            (0..d).map(|k| (-at_rest(Channel::Partial(along(k)))).simplify()).collect();
        let slope = |k: usize, l: usize| drift[k].differentiate_coordinate(l, d).simplify();
        let slopes = (0..d * d).map(|i| slope(i / d, i % d)).collect();
        let laplacian = at_rest(Channel::Laplacian);
        let diffusion = |k: usize, l: usize| {
            let factor = at_rest(Channel::Partial(along(k).plus(&along(l))));
            // A mixed derivative stands for both of its orders.
            if k == l { factor + laplacian.clone() } else { factor * Expression::Constant(0.5) }
        };
        let diffusion = (0..d * d).map(|i| diffusion(i / d, i % d).simplify()).collect();
        let found = Self { drift, slopes, diffusion };
        found.is_that_of(&right, problem).then_some(found)
    }

    /// A, c and D at a time.
    #[must_use]
    pub fn coefficients(&self, time: f64) -> Coefficients {
        let origin = vec![0.0; self.drift.len()];
        let all = |parts: &[Expression]| -> Vec<f64> {
            parts.iter().map(|part| part.evaluate_at(&origin, time, &[])).collect()
        };
        Coefficients {
            slopes: all(&self.slopes),
            constant: all(&self.drift),
            diffusion: all(&self.diffusion),
        }
    }

    /// Whether the parts make up the right-hand side, at random places, times and derivatives: for a
    /// sum of so few monomials that is as good as comparing the trees, and blind to how it is
    /// written.
    fn is_that_of(&self, right: &Expression, problem: &Problem) -> bool {
        let d = self.drift.len();
        let random = Philox::new(0, Stream::Vectors);
        (0..SAMPLES as u64).all(|sample| {
            let number = |i: usize| random.normal(sample, i as u32);
            let x: Vec<f64> = (0..d).map(number).collect();
            let time = problem.time.start
                + random.uniform(sample, 90) * (problem.time.end - problem.time.start);
            let (value, g) = (number(50), |k: usize| number(20 + k));
            let h = |k: usize, l: usize| number(100 + k.min(l) * d + k.max(l));
            let jet = |entry: Entry| match entry.channel {
                Channel::Laplacian => (0..d).map(|k| h(k, k)).sum(),
                Channel::Partial(index) => match axes(&index).as_slice() {
                    [] => value,
                    [k] => g(*k),
                    [k, l, ..] => h(*k, *l),
                },
            };
            let place = Place { coordinates: &x, time, parameters: &[] };
            let wanted = right.evaluate(place, &jet);
            let terms = self.terms(problem.points.density, (&x, time), value, &g, &h);
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            (terms.iter().sum::<f64>() - wanted).abs() <= TOLERANCE * size
        })
    }

    /// The terms of the right-hand side that the parts make.
    fn terms(
        &self,
        density: Density,
        (x, time): (&[f64], f64),
        value: f64,
        g: &dyn Fn(usize) -> f64,
        h: &dyn Fn(usize, usize) -> f64,
    ) -> Vec<f64> {
        let d = x.len();
        let Coefficients { slopes, constant, diffusion } = self.coefficients(time);
        let trace: f64 = (0..d).map(|k| slopes[k * d + k]).sum();
        let drift = |k: usize| constant[k] + (0..d).map(|l| slopes[k * d + l] * x[l]).sum::<f64>();
        let of_logarithm = density == Density::Logarithm;
        let square = |k: usize, l: usize| if of_logarithm { g(k) * g(l) } else { 0.0 };
        let mut terms = vec![if of_logarithm { -trace } else { -trace * value }];
        terms.extend((0..d).map(|k| -drift(k) * g(k)));
        let spread = |i: usize| diffusion[i] * (h(i / d, i % d) + square(i / d, i % d));
        terms.extend((0..d * d).map(spread));
        terms
    }
}

/// The coordinates that a derivative is along, one entry per order.
fn axes(index: &MultiIndex) -> Vec<usize> {
    let along = |(k, order): (usize, &u8)| std::iter::repeat_n(k, usize::from(*order));
    index.0.iter().enumerate().flat_map(along).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overrides;

    fn found(equation: &str, density: &str) -> Option<FokkerPlanck> {
        let text = format!(
            "format = 1\n[equation]\ntext = '{equation}'\n[domain]\n\
             x = {{ range = [0, 1], boundary = 'open' }}\n\
             y = {{ range = [0, 1], boundary = 'open' }}\n[parameters]\nc = 2\n[time]\nend = 1\n\
             [initial]\nu = '1'\n[points]\nlayout = 'adaptive'\ndensity = '{density}'\n"
        );
        FokkerPlanck::of(&Problem::from_toml(&text, &Overrides::new()).expect("a problem"))
    }

    #[test]
    fn the_parts_are_those_of_the_equation_however_it_is_written() {
        let expected = Coefficients {
            slopes: vec![-2.0, 1.0, 0.0, -3.0],
            constant: vec![0.5, 0.0],
            diffusion: vec![0.7, 0.1, 0.1, 0.2],
        };
        for (equation, density) in [
            ("u_t = 5*u + (c*x - y - t)*u_x + 3*y*u_y + 0.5*u_xx + 0.2*(u_xx + u_xy)", "magnitude"),
            (
                "u_t = 5 - (t + y - c*x)*u_x + y*u_y*3 + 0.7*(u_xx + u_x^2) + 0.2*(u_xy + u_x*u_y)",
                "logarithm",
            ),
        ] {
            let equation = format!("{equation} + 0.2*u_yy");
            let tail = if density == "logarithm" { " + 0.2*u_y^2" } else { "" };
            let found = found(&(equation + tail), density).expect("linear Fokker-Planck");
            let at = found.coefficients(0.5);
            let pairs = [
                (at.slopes, &expected.slopes),
                (at.constant, &expected.constant),
                (at.diffusion, &expected.diffusion),
            ];
            for (value, expected) in pairs.iter().flat_map(|(a, b)| a.iter().zip(*b)) {
                assert!((value - expected).abs() < 1e-14, "{density}: {value}, {expected}");
            }
        }
    }

    #[test]
    fn other_equations_are_not_linear_fokker_planck() {
        for (equation, density) in [
            // Mass is not kept.
            ("u_t = 4.9*u + 2*x*u_x + 3*y*u_y + laplace(u)", "magnitude"),
            ("u_t = 2 + x*u_x + y*u_y + laplace(u) + u_x^2", "logarithm"),
            ("u_t = 1 + x^2*u_x + laplace(u) + u_x^2 + u_y^2", "logarithm"),
            ("u_t = x*laplace(u)", "magnitude"),
            ("u_t = u*u_x", "magnitude"),
            ("u_t = u_xxx", "magnitude"),
            ("u_t = 0.1 + laplace(u)", "magnitude"),
        ] {
            assert_eq!(found(equation, density), None, "{equation}");
        }
    }
}
