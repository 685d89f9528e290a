//! How far an evolution is from the solution, by what it leaves undone between the points of its
//! least squares.
//!
//! At points that the steps do not see the run ought to satisfy
//!
//! ```text
//! u(t + dt) - u(t) = int_t^(t + dt) F(u(s)) ds,
//! ```
//!
//! the integral by the polynomial through F at the nearest accepted steps ([`quadrature`]). What is
//! missing is the defect of the step: of the method, of its fits, and of points or columns that do not
//! resolve the solution. It becomes the error by the linearised equation
//!
//! ```text
//! e' = dF/du[e] + defect,      e(0) = the initial state - u(0),
//! ```
//!
//! which is solved in a few of its smoothest functions ([`linearised`]) now and then along the run;
//! what these cannot hold decays or grows as the roughest of them. Costs one evaluation of F a step.

mod linearised;
mod quadrature;

use serde::{Deserialize, Serialize};

use self::linearised::Linearised;
use self::quadrature::Node;
use crate::features::first_units;
use crate::field::cpu::Evaluator;
use crate::linalg::norm;
use crate::network::Network;
use crate::problem::expression::Expression;
use crate::problem::{PointLayout, Points, Problem, natural_size};

/// Points over those of the least squares, and their bounds.
const MORE: usize = 4;
const LEAST: usize = 256;
const MOST: usize = 1024;
/// A solution that starts from zero counts as at least this part of what its load can make of it.
const LEAST_OF_LOAD: f64 = 1e-3;
/// How often along the run the error is carried on.
const MARKS: usize = 24;

/// What is known of the error of an evolution without a reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvolutionEstimate {
    /// Relative L2 error over space and time until now.
    pub relative_l2: f64,
    /// The same of each unknown.
    pub of_each: Vec<f64>,
    /// Relative L2 error now.
    pub final_relative_l2: f64,
    /// Points that were looked at.
    pub points: usize,
}

impl EvolutionEstimate {
    /// The larger of the error until now and the error now: what an answer is judged by.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.relative_l2.max(self.final_relative_l2)
    }
}

/// What the estimate of a run depends on; a part of the run's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EstimateState {
    /// The error when it was carried on last, at the time `carried`: the truth less the run.
    error: Vec<f64>,
    carried: f64,
    /// Defects since then.
    defect: Vec<f64>,
    /// The latest steps, and the number of the first interval whose defect is not counted yet.
    nodes: Vec<Node>,
    next: usize,
    /// Of each unknown: time integrals of the squares of error and solution.
    squares: Vec<[f64; 2]>,
    latest: Option<EvolutionEstimate>,
}

/// Follows a run at points of its own.
pub(super) struct Estimate {
    evaluator: Evaluator<f64>,
    coordinates: Vec<f64>,
    linearised: Linearised,
    /// Of a solution that starts from zero the least size, root mean square, that counts; else 0.
    least: f64,
    problem: Problem,
    network: Network,
    /// Where only so many of the network's first units matter: that many, and the whole network.
    first: Option<(usize, Network)>,
    state: EstimateState,
}

impl Estimate {
    /// From the start of a run; none where points are drawn from a density, which is next to nothing
    /// at points from anywhere else.
    pub fn new(problem: &Problem, network: &Network, theta: &[f64]) -> Option<Self> {
        if problem.points.layout == PointLayout::Adaptive {
            return None;
        }
        let count: usize = Points::of(problem).len();
        let count = (MORE * count).clamp(LEAST, MOST);
        let seed = problem.seed ^ 0x9E37_79B9_7F4A_7C15;
        let coordinates = Points::sobol(&problem.coordinates, count, seed).coordinates;
        let evaluator = Evaluator::new(problem, network, &coordinates);
        let mut estimate = Self {
            linearised: Linearised::new(problem, &coordinates),
            least: 0.0,
            evaluator,
            coordinates,
            problem: problem.clone(),
            network: network.clone(),
            first: None,
            state: EstimateState::default(),
        };
        let time = problem.time.start;
        let exact = estimate.sample(&problem.initial, time);
        if exact.iter().all(|u| *u == 0.0) {
            estimate.least = LEAST_OF_LOAD * natural_size(problem);
        }
        let values = estimate.evaluator.values(theta, time);
        estimate.state.error = exact.iter().zip(&values).map(|(exact, u)| exact - u).collect();
        estimate.state.squares = vec![[0.0; 2]; problem.unknowns.len()];
        estimate.begin(theta, time);
        estimate.measure(&values);
        Some(estimate)
    }

    /// Only so many of the first units of `network` have outputs that are not zero: the others cost
    /// nothing from here on.
    pub fn set_features(&mut self, problem: &Problem, network: &Network, count: usize) {
        let zero = vec![0.0; network.parameters()];
        let (small, first, _) = first_units(problem, network, &zero, count);
        self.evaluator = Evaluator::new(&small, &first, &self.coordinates);
        (self.problem, self.network) = (small, first);
        self.first = Some((count, network.clone()));
    }

    /// The parameters of the units that matter.
    fn of_units(&self, theta: &[f64]) -> Vec<f64> {
        match &self.first {
            Some((count, whole)) => first_units(&self.problem, whole, theta, *count).2,
            None => theta.to_vec(),
        }
    }

    pub fn latest(&self) -> Option<&EvolutionEstimate> {
        self.state.latest.as_ref()
    }

    pub fn save(&self) -> EstimateState {
        self.state.clone()
    }

    /// Goes on from a saved state; whether it is one of such a run.
    pub fn restore(&mut self, state: EstimateState) -> bool {
        let rows = self.state.error.len();
        let node = |node: &Node| node.values.len() == rows && node.rates.len() == rows;
        let suits = state.error.len() == rows
            && state.defect.len() == rows
            && state.squares.len() == self.state.squares.len()
            && state.next < state.nodes.len()
            && state.nodes.iter().all(node);
        if suits {
            self.state = state;
        }
        suits
    }

    /// The solution was changed from outside, and the run goes on from the parameters `theta`.
    pub fn change(&mut self, before: &[f64], theta: &[f64], time: f64) {
        self.flush(before, time);
        self.begin(theta, time);
    }

    /// Another network has taken the solution over, as well as it could.
    pub fn refitted(&mut self, before: &[f64], theta: &[f64], time: f64) {
        self.flush(before, time);
        let [old, new] =
            [before, theta].map(|theta| self.evaluator.values(&self.of_units(theta), time));
        let gaps = old.iter().zip(&new).map(|(old, new)| old - new);
        self.state.error.iter_mut().zip(gaps).for_each(|(e, gap)| *e += gap);
        self.begin(theta, time);
    }

    /// The state at the start is what the network has: nothing is known of another one.
    pub fn forget_the_start(&mut self) {
        self.state.error.iter_mut().for_each(|e| *e = 0.0);
        self.state.latest = None;
    }

    pub fn set_parameters(&mut self, values: &[f64], theta: &[f64], time: f64) {
        self.flush(theta, time);
        for (parameter, &value) in self.problem.parameters.iter_mut().zip(values) {
            parameter.value = value;
        }
        self.evaluator.set_parameters(values);
        self.begin(theta, time);
    }

    /// After an accepted step.
    pub fn step(&mut self, theta: &[f64], time: f64, finished: bool) {
        let node = self.node(theta, time);
        self.state.nodes.push(node);
        let ready = self.state.nodes.len().saturating_sub(quadrature::AHEAD + 1);
        self.count(ready);
        let span = self.problem.time.end - self.problem.time.start;
        if finished || time - self.state.carried >= span / MARKS as f64 {
            self.flush(theta, time);
            let node = self.state.nodes.pop();
            self.state.nodes.extend(node);
        }
    }

    fn begin(&mut self, theta: &[f64], time: f64) {
        self.state.defect = vec![0.0; self.state.error.len()];
        self.state.carried = time;
        self.state.nodes = vec![self.node(theta, time)];
        self.state.next = 0;
    }

    fn node(&self, theta: &[f64], time: f64) -> Node {
        let field = self.evaluator.field(&self.of_units(theta), time);
        let mut values = field.values;
        // F is what the network's own part has to follow.
        if let Some(lift) = &self.problem.lift {
            let lift = self.sample(lift, time);
            values.iter_mut().zip(lift).for_each(|(u, lift)| *u -= lift);
        }
        Node { time, values, rates: field.right_hand_side }
    }

    fn sample(&self, expressions: &[Expression], time: f64) -> Vec<f64> {
        sampled(&self.problem, expressions, &self.coordinates, time)
    }

    /// Adds the defects of the intervals before number `until`, and lets go of what no later one needs.
    fn count(&mut self, until: usize) {
        let state = &mut self.state;
        while state.next < until {
            quadrature::add_defect(&state.nodes, state.next, &mut state.defect);
            state.next += 1;
        }
        let kept = state.next.saturating_sub(quadrature::NODES);
        state.nodes.drain(..kept);
        state.next -= kept;
    }

    /// Counts what is there and carries the error on to now.
    fn flush(&mut self, theta: &[f64], time: f64) {
        self.count(self.state.nodes.len() - 1);
        let elapsed = time - self.state.carried;
        if elapsed <= 0.0 {
            return;
        }
        let theta = &self.of_units(theta);
        let at = (theta.as_slice(), time);
        let carried = self.linearised.carry(
            (&self.problem, &self.network, &self.coordinates),
            at,
            elapsed,
            &self.state.error,
            &self.state.defect,
        );
        self.state.error = carried;
        self.state.defect.iter_mut().for_each(|d| *d = 0.0);
        self.state.carried = time;
        let values = self.evaluator.values(theta, time);
        self.weigh(&values, elapsed);
        self.measure(&values);
    }

    /// Adds to the integrals over time.
    fn weigh(&mut self, values: &[f64], elapsed: f64) {
        let points = self.evaluator.points();
        let pairs = self.state.error.chunks_exact(points).zip(values.chunks_exact(points));
        for (squares, (e, u)) in self.state.squares.iter_mut().zip(pairs) {
            squares[0] += elapsed * norm(e).powi(2);
            squares[1] += elapsed * norm_of_sum(u, e).powi(2);
        }
    }

    fn measure(&mut self, values: &[f64]) {
        let error = &self.state.error;
        if error.iter().any(|e| !e.is_finite()) {
            // It has outgrown all numbers: nothing of the solution is known any more.
            self.state.latest = Some(EvolutionEstimate {
                relative_l2: 1.0,
                of_each: vec![1.0; self.state.squares.len()],
                final_relative_l2: 1.0,
                points: self.evaluator.points(),
            });
            return;
        }
        // In the units of root mean squares, over the time that has gone by.
        let points = self.evaluator.points() as f64;
        let relative = |e: f64, u: f64, least: f64| match u.max(least) {
            u if u > 0.0 => e / u,
            _ => e,
        };
        let now = relative(
            norm(error),
            norm_of_sum(values, error),
            self.least * (error.len() as f64).sqrt(),
        );
        let elapsed = self.state.carried - self.problem.time.start;
        let least = self.least * (points * elapsed).sqrt();
        let of = |[e, u]: [f64; 2]| relative(e.sqrt(), u.sqrt(), least);
        let all = |k: usize| self.state.squares.iter().map(|s| s[k]).sum::<f64>();
        let begun = all(1) > 0.0;
        self.state.latest = Some(EvolutionEstimate {
            relative_l2: if begun { of([all(0), all(1)]) } else { now },
            of_each: self.state.squares.iter().map(|squares| of(*squares)).collect(),
            final_relative_l2: now,
            points: self.evaluator.points(),
        });
    }
}

/// Expressions of coordinates, time and parameters at places, one expression after the other.
pub(crate) fn sampled(
    problem: &Problem,
    expressions: &[Expression],
    places: &[f64],
    time: f64,
) -> Vec<f64> {
    let parameters = problem.parameter_values();
    let places = places.chunks_exact(problem.dimensions());
    let of = |expression: &Expression| -> Vec<f64> {
        places.clone().map(|x| expression.evaluate_at(x, time, &parameters)).collect()
    };
    expressions.iter().flat_map(of).collect()
}

fn norm_of_sum(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support;

    #[test]
    fn an_error_that_outgrows_all_numbers_is_no_small_one() {
        let problem = support::problem(
            "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[domain]\nx = { range = [0, '2*pi'] }\n\
             [time]\nend = 1\n[initial]\nu = 'sin(x)'\n[network]\nwidth = 4\nhidden_layers = 1\n",
            &[],
        );
        let network = Network::of(&problem);
        let theta = vec![0.1; network.parameters()];
        let mut estimate = Estimate::new(&problem, &network, &theta).expect("follows");
        estimate.state.error[3] = f64::INFINITY;
        let values = estimate.evaluator.values(&theta, 0.5);
        estimate.measure(&values);
        assert_eq!(estimate.latest().map(EvolutionEstimate::largest), Some(1.0));
    }
}
