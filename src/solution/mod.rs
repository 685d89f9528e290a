//! A solution that can be asked: values and derivatives anywhere in its domain, of both families.
//!
//! An evolution keeps the parameters of its network at a number of times ([`Solution::times`]).
//! There the answers are the network's own, in f64. In between every quantity is interpolated by a
//! polynomial through its values at the six nearest of these times; what a polynomial through four
//! of them says otherwise is given as the estimated error.
//!
//! Where a training's domain is a shape, points of its box outside the shape are answered by NaN.

mod error;
mod interpolate;
mod load;
mod quantity;
#[cfg(test)]
mod tests;

use crate::field::quantities;
use crate::network::Network;
use crate::problem::expression::{Expression, Names};
use crate::problem::{Boundary, Problem, ProblemFile, ResidualProblem};

pub use error::SolutionError;
use interpolate::Stencil;
pub use quantity::{Quantity, split};

/// Points that are evaluated together: enough to keep all cores busy, few enough for memory.
const TOGETHER: usize = 1 << 15;
/// Times that differ by less than this share of the span are the same, and points that lie outside
/// by less than this share of the domain are on its side.
const SLACK: f64 = 1e-9;

/// The solution of a problem of either family.
#[derive(Clone, Debug)]
pub struct Solution(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Evolution(Box<Evolved>),
    Training(Box<Trained>),
}

#[derive(Clone, Debug)]
struct Evolved {
    problem: Problem,
    network: Network,
    times: Vec<f64>,
    /// A row of parameters per time.
    values: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Trained {
    problem: ResidualProblem,
    network: Network,
    theta: Vec<f64>,
}

/// What was asked, at every point.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Per quantity a value per point.
    pub values: Vec<Vec<f64>>,
    /// Where the time lies between kept ones: the largest difference, over points and quantities,
    /// between the interpolation in use and one through fewer times.
    pub interpolation_error: Option<f64>,
}

/// A coordinate of the points that a solution is asked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    pub name: String,
    pub lower: f64,
    pub upper: f64,
    /// Whether the solution has values beyond the range: periodic and open coordinates.
    pub endless: bool,
}

impl Solution {
    /// The unknown at time `t`, at `points` given one after the other, each with all its space
    /// coordinates in the order of [`Solution::coordinates`]; of several unknowns the values of one
    /// after the other, in the order of [`Solution::unknowns`].
    ///
    /// # Errors
    /// Where a point or the time lies outside, and where the problem has no time: for those
    /// [`Solution::values`].
    pub fn at(&self, t: f64, points: &[f64]) -> Result<Vec<f64>, SolutionError> {
        self.every(&[t], points)
    }

    /// The unknown, or the unknowns as in [`Solution::at`], at `points`: at the end of an evolution or of the range of t; of a problem
    /// without time, its solution.
    ///
    /// # Errors
    /// Where a point lies outside.
    pub fn values(&self, points: &[f64]) -> Result<Vec<f64>, SolutionError> {
        self.every(&[], points)
    }

    /// A derivative (`u_x`, `u_xx`, `u_t`), or any expression of the unknown and its derivatives
    /// (`u*u_x`, `laplace(u)`), at time `t`; `None` as in [`Solution::values`].
    ///
    /// # Errors
    /// Where the text is no such expression, and where a point or the time lies outside.
    pub fn derivative(
        &self,
        text: &str,
        t: Option<f64>,
        points: &[f64],
    ) -> Result<Vec<f64>, SolutionError> {
        self.one(self.quantity(text)?, t.as_slice(), points)
    }

    /// All unknowns, one after the other.
    fn every(&self, t: &[f64], points: &[f64]) -> Result<Vec<f64>, SolutionError> {
        Ok(self.ask(&self.unknowns(), t, points)?.values.concat())
    }

    fn one(&self, what: Quantity, t: &[f64], points: &[f64]) -> Result<Vec<f64>, SolutionError> {
        let answer = self.ask(std::slice::from_ref(&what), t, points)?;
        Ok(answer.values.into_iter().next().unwrap_or_default())
    }

    /// Several quantities at points: at one time, at one for each point, or, with none, at the end.
    ///
    /// # Errors
    /// As [`Solution::derivative`], and where there are as many times as neither one nor points.
    pub fn ask(
        &self,
        what: &[Quantity],
        times: &[f64],
        points: &[f64],
    ) -> Result<Answer, SolutionError> {
        let sides = self.sides();
        check_points(&sides, points)?;
        let dimensions = sides.len();
        let count = points.len() / dimensions;
        let end = self.time_span().map(|[_, end]| end);
        let times = match (times, end) {
            ([], Some(end)) => vec![end],
            ([], None) => Vec::new(),
            (_, None) => return Err(self.no_time()),
            (times, Some(_)) if times.len() == 1 || times.len() == count => times.to_vec(),
            (times, Some(_)) => {
                return Err(SolutionError::TimeCount { times: times.len(), points: count });
            }
        };
        let expressions: Vec<Expression> = what.iter().map(|q| q.expression.clone()).collect();
        let mut answer =
            Answer { values: vec![vec![0.0; count]; what.len()], interpolation_error: None };
        for (time, group) in groups(&times, count) {
            let time = time.map(|time| self.checked_time(time)).transpose()?;
            for chunk in group.chunks(TOGETHER) {
                let at: Vec<f64> = chunk
                    .iter()
                    .flat_map(|&i| points[i * dimensions..(i + 1) * dimensions].iter().copied())
                    .collect();
                let part = self.evaluate(&expressions, time, &at)?;
                for (all, some) in answer.values.iter_mut().zip(&part.values) {
                    chunk.iter().zip(some).for_each(|(&i, &value)| all[i] = value);
                }
                let errors = [answer.interpolation_error, part.interpolation_error];
                answer.interpolation_error = errors.into_iter().flatten().reduce(f64::max);
            }
        }
        Ok(answer)
    }

    /// At points of one time.
    fn evaluate(
        &self,
        expressions: &[Expression],
        time: Option<f64>,
        points: &[f64],
    ) -> Result<Answer, SolutionError> {
        match &self.0 {
            Kind::Evolution(evolved) => {
                evolved.evaluate(expressions, time.unwrap_or(evolved.problem.time.end), points)
            }
            Kind::Training(trained) => {
                let all = trained.with_time(time, points);
                let Trained { problem, network, theta } = &**trained;
                let mut values =
                    quantities::of_training(problem, network, theta, expressions, &all);
                let domain = problem.domain();
                for (index, point) in all.chunks_exact(problem.dimensions()).enumerate() {
                    if !domain.has(point) {
                        values.iter_mut().for_each(|values| values[index] = f64::NAN);
                    }
                }
                Ok(Answer { values, interpolation_error: None })
            }
        }
    }

    fn checked_time(&self, time: f64) -> Result<f64, SolutionError> {
        let [start, end] = self.time_span().unwrap_or([time, time]);
        let slack = SLACK * (end - start);
        if time >= start - slack && time <= end + slack {
            Ok(time.clamp(start, end))
        } else {
            Err(SolutionError::Time { time, start, end })
        }
    }

    /// The unknowns themselves, in their order.
    #[must_use]
    pub fn unknowns(&self) -> Vec<Quantity> {
        Quantity::unknowns(&self.names())
    }

    /// The unknown; of several the first one.
    ///
    /// # Panics
    /// Never: a problem has an unknown.
    #[must_use]
    pub fn unknown(&self) -> Quantity {
        self.unknowns().swap_remove(0)
    }

    /// A quantity by its text, as in [`Solution::derivative`].
    ///
    /// # Errors
    /// [`SolutionError::Quantity`].
    pub fn quantity(&self, text: &str) -> Result<Quantity, SolutionError> {
        let rate = match &self.0 {
            Kind::Evolution(evolved) => Some(evolved.problem.right_hand_side.as_slice()),
            Kind::Training(_) => None,
        };
        Quantity::parse(text, &self.names(), rate)
    }

    /// What is said to who asks for times where there are none.
    #[must_use]
    pub fn no_time(&self) -> SolutionError {
        SolutionError::NoTime { problem: self.name().to_owned() }
    }

    fn names(&self) -> Names {
        match &self.0 {
            Kind::Evolution(evolved) => evolved.problem.names(),
            Kind::Training(trained) => trained.problem.names(),
        }
    }

    /// The problem's short name.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Evolution(evolved) => &evolved.problem.name,
            Kind::Training(trained) => &trained.problem.name,
        }
    }

    /// The problem that it solves.
    #[must_use]
    pub fn problem(&self) -> ProblemFile {
        match &self.0 {
            Kind::Evolution(evolved) => ProblemFile::Evolution(evolved.problem.clone()),
            Kind::Training(trained) => ProblemFile::Residual(trained.problem.clone()),
        }
    }

    /// Names of a point's coordinates: those of space.
    #[must_use]
    pub fn coordinates(&self) -> Vec<String> {
        self.sides().into_iter().map(|side| side.name).collect()
    }

    /// A point's coordinates with their ranges.
    #[must_use]
    pub fn sides(&self) -> Vec<Side> {
        match &self.0 {
            Kind::Evolution(evolved) => {
                let side = |c: &crate::problem::Coordinate| Side {
                    name: c.name.clone(),
                    lower: c.lower,
                    upper: c.upper,
                    endless: !matches!(c.boundary, Boundary::Sides { .. }),
                };
                evolved.problem.coordinates.iter().map(side).collect()
            }
            Kind::Training(trained) => {
                let time = trained.time_axis();
                let axes =
                    trained.problem.axes.iter().enumerate().filter(|(k, _)| Some(*k) != time);
                let side = |axis: &crate::problem::residual::Axis| Side {
                    name: axis.name.clone(),
                    lower: axis.lower,
                    upper: axis.upper,
                    endless: axis.periodic,
                };
                axes.map(|(_, axis)| side(axis)).collect()
            }
        }
    }

    /// From when to when there is a solution; `None` of a problem without time.
    #[must_use]
    pub fn time_span(&self) -> Option<[f64; 2]> {
        match &self.0 {
            Kind::Evolution(evolved) => {
                let last = evolved.times.len() - 1;
                Some([evolved.times[0], evolved.times[last]])
            }
            Kind::Training(trained) => {
                let axis = &trained.problem.axes[trained.time_axis()?];
                Some([axis.lower, axis.upper])
            }
        }
    }

    /// Of an evolution, the times at which the parameters were kept, and where nothing is
    /// interpolated; none of a training, which has a network for all times.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        match &self.0 {
            Kind::Evolution(evolved) => &evolved.times,
            Kind::Training(_) => &[],
        }
    }

    /// The parameters of an evolution at [`Solution::times`], a row for each; of a training none.
    #[must_use]
    pub fn trajectory(&self) -> (&[f64], &[f64]) {
        match &self.0 {
            Kind::Evolution(evolved) => (&evolved.times, &evolved.values),
            Kind::Training(_) => (&[], &[]),
        }
    }

    /// The parameters of the network: of an evolution, those at the end; of a training that a correction
    /// ended, its coefficients behind them.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        match &self.0 {
            Kind::Evolution(evolved) => evolved.theta(evolved.times.len() - 1),
            Kind::Training(trained) => &trained.theta,
        }
    }
}

impl Evolved {
    fn theta(&self, index: usize) -> &[f64] {
        let width = self.network.parameters();
        &self.values[index * width..(index + 1) * width]
    }

    fn evaluate(
        &self,
        expressions: &[Expression],
        time: f64,
        points: &[f64],
    ) -> Result<Answer, SolutionError> {
        let (problem, network) = (&self.problem, &self.network);
        let span = self.times[self.times.len() - 1] - self.times[0];
        let stencil = Stencil::new(&self.times, time, SLACK * span);
        let at = |k: usize| {
            let (time, theta) = (self.times[k], self.theta(k));
            quantities::of_evolution(problem, network, theta, time, expressions, points)
        };
        let Some(fewer) = stencil.fewer else {
            return Ok(Answer { values: at(stencil.first), interpolation_error: None });
        };
        let count = points.len() / problem.dimensions();
        let mut values = vec![vec![0.0; count]; expressions.len()];
        let mut others = values.clone();
        for (k, (&weight, &other)) in (stencil.first..).zip(stencil.weights.iter().zip(&fewer)) {
            for ((sum, less), kept) in values.iter_mut().zip(&mut others).zip(at(k)) {
                for ((sum, less), kept) in sum.iter_mut().zip(less).zip(kept) {
                    *sum += weight * kept;
                    *less += other * kept;
                }
            }
        }
        let both = values.iter().flatten().zip(others.iter().flatten());
        let error = both.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        Ok(Answer { values, interpolation_error: Some(error) })
    }
}

impl Trained {
    /// Which coordinate the time is.
    fn time_axis(&self) -> Option<usize> {
        // A problem in t alone is an ordinary one: t is where it is asked.
        let axes = &self.problem.axes;
        axes.iter().position(|axis| axis.name == "t").filter(|_| axes.len() > 1)
    }

    /// Points with the time put where the problem has it.
    fn with_time(&self, time: Option<f64>, points: &[f64]) -> Vec<f64> {
        let (Some(axis), Some(time)) = (self.time_axis(), time) else { return points.to_vec() };
        let width = self.problem.dimensions() - 1;
        let mut all = Vec::with_capacity(points.len() / width * (width + 1));
        for point in points.chunks_exact(width) {
            all.extend_from_slice(&point[..axis]);
            all.push(time);
            all.extend_from_slice(&point[axis..]);
        }
        all
    }
}

/// The points of each time, in the order in which the times first occur.
fn groups(times: &[f64], count: usize) -> Vec<(Option<f64>, Vec<usize>)> {
    if times.len() <= 1 {
        return vec![(times.first().copied(), (0..count).collect())];
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    let same = order.chunk_by(|&a, &b| times[a] == times[b]);
    same.map(|group| (Some(times[group[0]]), group.to_vec())).collect()
}

fn check_points(sides: &[Side], points: &[f64]) -> Result<(), SolutionError> {
    let dimensions = sides.len();
    if !points.len().is_multiple_of(dimensions) {
        let names = sides.iter().map(|side| side.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(SolutionError::Points { found: points.len(), dimensions, names });
    }
    for (index, point) in points.chunks_exact(dimensions).enumerate() {
        for (&value, Side { name, lower, upper, endless }) in point.iter().zip(sides) {
            let (name, lower, upper) = (name.clone(), *lower, *upper);
            if !value.is_finite() {
                return Err(SolutionError::NotFinite { index, name, value });
            }
            let slack = SLACK * (upper - lower);
            if !endless && !(lower - slack..=upper + slack).contains(&value) {
                return Err(SolutionError::Outside { index, name, value, lower, upper });
            }
        }
    }
    Ok(())
}
