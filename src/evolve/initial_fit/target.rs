//! The initial state at points: what the network has to match, the residual and its Jacobian.

use nalgebra::{DMatrix, DMatrixViewMut};
use rayon::prelude::*;

use super::error::FitError;
use crate::field::cpu::Evaluator;
use crate::field::jet::JetSet;
use crate::linalg::{norm, row_blocks, transposed_times};
use crate::network::Network;
use crate::problem::expression::{Channel, Expression, MultiIndex};
use crate::problem::{Boundary, FitMethod, PointLayout, Points, Problem, natural_size};

/// Weight of the derivatives' relative error against that of the values. The derivatives add as
/// many equations again per coordinate, and hold the network still between the points.
const DERIVATIVE_WEIGHT: f64 = 0.3;
/// Relative jump of a derivative across the seam of a periodic coordinate that is a kink.
const SEAM: f64 = 1e-9;
/// Points that one evaluator takes: its Jacobian is the memory that a gradient needs.
const BLOCK: usize = 512;
/// Entries of the Jacobian that the default number of points in three and more dimensions fills.
const DEFAULT_ENTRIES: usize = 1 << 24;
/// Bytes of the largest Jacobian that Levenberg-Marquardt may ask for.
const MEMORY_LIMIT: usize = 1 << 31;
/// Points in three and more dimensions between which the error is measured.
const SCATTERED: usize = 4096;

/// What the network is fitted to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    /// The problem's initial state.
    Initial,
    /// The field of the same network with other parameters.
    Field { theta: Vec<f64>, time: f64 },
}

impl Wanted {
    fn time(&self, problem: &Problem) -> f64 {
        match self {
            Self::Initial => problem.time.start,
            Self::Field { time, .. } => *time,
        }
    }

    fn values(
        &self,
        problem: &Problem,
        network: &Network,
        points: &Points,
    ) -> Result<Vec<f64>, FitError> {
        match self {
            Self::Initial => initial_values(problem, points),
            Self::Field { theta, time } => {
                let plain = without_equation(problem);
                let evaluator = Evaluator::<f64>::new(&plain, network, &points.coordinates);
                Ok(evaluator.values(theta, *time))
            }
        }
    }

    /// The derivative along each coordinate, of one unknown after the other; not a number where there
    /// is none.
    fn slopes(&self, problem: &Problem, network: &Network, points: &Points) -> Vec<Vec<f64>> {
        let dimensions = problem.dimensions();
        match self {
            Self::Initial => (0..dimensions).map(|k| initial_slope(problem, points, k)).collect(),
            Self::Field { theta, time } => {
                let (plain, jets) = (without_equation(problem), JetSet::first_order(dimensions));
                let places = &points.coordinates;
                let evaluator = Evaluator::<f64>::with_jets(&plain, network, places, jets.clone());
                let mut derivatives = evaluator.derivatives(theta, *time);
                let along = |k: usize| jets.position(Channel::Partial(MultiIndex::along(k, 1)));
                let position = |k| along(k).expect("a first derivative is in its jet set");
                let channels = evaluator.jets().len();
                let mut of = |k: usize| -> Vec<f64> {
                    let own = (0..network.outputs()).map(|q| q * channels + position(k));
                    own.flat_map(|at| std::mem::take(&mut derivatives[at])).collect()
                };
                (0..dimensions).map(&mut of).collect()
            }
        }
    }
}

/// One block of equations: a derivative of one unknown against that of its initial state.
struct Equations {
    unknown: usize,
    /// Position of the derivative in the evaluators' jet set.
    channel: usize,
    weight: f64,
    /// One per point.
    wanted: Vec<f64>,
}

/// How large each unknown of a state is, and what its entries count.
struct Scales {
    /// |g| over the points.
    sizes: Vec<f64>,
    /// `1 / |g|`, over the root of the number of unknowns.
    weights: Vec<f64>,
}

impl Scales {
    /// Of a state at so many points, one unknown after the other; a state that is zero is measured by
    /// what the problem makes of it.
    fn of(values: &[f64], points: usize, problem: &Problem) -> Self {
        let sizes: Vec<f64> = values.chunks_exact(points).map(norm).collect();
        let unknowns = sizes.len() as f64;
        let together = match norm(&sizes) {
            together if together > 0.0 => together,
            _ => natural_size(problem) * (points as f64).sqrt(),
        };
        let weight = |&size: &f64| (unless_zero(size, together) * unknowns.sqrt()).recip();
        Self { weights: sizes.iter().map(weight).collect(), sizes }
    }
}

/// Weighted residual `r = w (g - u)`, values first, then one block per first derivative.
#[derive(Clone, Debug)]
pub(super) struct Residual {
    pub entries: Vec<f64>,
    /// |r|^2: the squared relative L2 error, and the weighted ones of the derivatives.
    pub loss: f64,
    /// |g - u| / |g| over the points, the root mean square over the unknowns.
    pub relative_l2: f64,
}

/// The initial state and its first derivatives at the points of the fit: blocks of equations by
/// derivative, and in each by unknown.
///
/// The weights make the loss free of scales: with `l_k = min(|g| / |d_k g|, L_k)` (norms over the
/// points, L_k the extent of the domain)
/// `loss = |g - u|^2 / |g|^2 + w^2 sum_k l_k^2 |d_k g - d_k u|^2 / |g|^2`,
/// so that a derivative counts by its relative error. Of several unknowns it is the mean of their
/// losses; one that is zero everywhere is measured by the size of all of them together. Where the initial state has no finite
/// derivative (the root of x at zero, a kink on the seam of a periodic box), that equation is left
/// out.
pub(super) struct Target {
    evaluators: Vec<Evaluator<f64>>,
    equations: Vec<Equations>,
    unknowns: usize,
    points: usize,
    time: f64,
}

impl Target {
    pub fn new(
        problem: &Problem,
        network: &Network,
        target: &Wanted,
        points: &Points,
    ) -> Result<Self, FitError> {
        let dimensions = problem.dimensions();
        let plain = without_equation(problem);
        let jets = JetSet::first_order(dimensions);
        let evaluators: Vec<_> = points
            .coordinates
            .chunks(BLOCK * dimensions)
            .map(|block| Evaluator::with_jets(&plain, network, block, jets.clone()))
            .collect();
        let values = target.values(problem, network, points)?;
        let scales = Scales::of(&values, points.len(), problem);
        let mut equations = Vec::new();
        for (unknown, wanted) in values.chunks_exact(points.len()).enumerate() {
            let (weight, wanted) = (scales.weights[unknown], wanted.to_vec());
            equations.push(Equations { unknown, channel: 0, weight, wanted });
        }
        let slopes = target.slopes(problem, network, points);
        for (k, (coordinate, slopes)) in problem.coordinates.iter().zip(slopes).enumerate() {
            let channel = Channel::Partial(MultiIndex::along(k, 1));
            let channel = jets.position(channel).expect("a first derivative is in its jet set");
            let extent = coordinate.upper - coordinate.lower;
            for (unknown, wanted) in slopes.chunks_exact(points.len()).enumerate() {
                let finite: Vec<f64> = wanted.iter().copied().filter(|v| v.is_finite()).collect();
                let length = (scales.sizes[unknown] / norm(&finite)).min(extent);
                let length = if length.is_finite() && length > 0.0 { length } else { extent };
                let weight = DERIVATIVE_WEIGHT * length * scales.weights[unknown];
                equations.push(Equations { unknown, channel, weight, wanted: wanted.to_vec() });
            }
        }
        let (unknowns, time) = (network.outputs(), target.time(problem));
        Ok(Self { evaluators, equations, unknowns, points: points.len(), time })
    }

    pub fn points(&self) -> usize {
        self.points
    }

    pub fn rows(&self) -> usize {
        self.points * self.equations.len()
    }

    pub fn residual(&self, theta: &[f64]) -> Residual {
        let mut entries = vec![0.0; self.rows()];
        let mut start = 0;
        for evaluator in &self.evaluators {
            let derivatives = evaluator.derivatives(theta, self.time);
            for (block, equations) in self.equations.iter().enumerate() {
                let out = &mut entries[block * self.points + start..][..evaluator.points()];
                let wanted = &equations.wanted[start..];
                let at = equations.unknown * evaluator.jets().len() + equations.channel;
                for ((r, g), u) in out.iter_mut().zip(wanted).zip(&derivatives[at]) {
                    *r = if g.is_finite() { equations.weight * (g - u) } else { 0.0 };
                }
            }
            start += evaluator.points();
        }
        let squares = |r: &[f64]| r.iter().map(|r| r * r).sum::<f64>();
        let relative_l2 = squares(&entries[..self.unknowns * self.points]).sqrt();
        Residual { loss: squares(&entries), relative_l2, entries }
    }

    /// `J = -dr / dtheta` for the chosen columns: rows x columns.
    pub fn jacobian(&self, theta: &[f64], columns: &[u32], out: DMatrixViewMut<'_, f64>) {
        let mut blocks = row_blocks(out, self.points);
        let mut start = 0;
        for evaluator in &self.evaluators {
            let groups = self.equations.chunks_exact(self.unknowns);
            for (group, of_group) in groups.zip(blocks.chunks_exact_mut(self.unknowns)) {
                let count = evaluator.points();
                let rows = of_group.iter_mut().map(|b| b.rows_mut(start, count));
                self.group_jacobian(evaluator, start, group, theta, columns, rows.collect());
            }
            start += evaluator.points();
        }
    }

    /// The rows of one derivative's equations: a matrix for each unknown.
    fn group_jacobian(
        &self,
        evaluator: &Evaluator<f64>,
        start: usize,
        group: &[Equations],
        theta: &[f64],
        columns: &[u32],
        mut out: Vec<DMatrixViewMut<'_, f64>>,
    ) {
        let rows = out.iter_mut().map(|matrix| matrix.as_view_mut()).collect();
        evaluator.columns_of_each(theta, self.time, columns, group[0].channel, rows);
        for (equations, matrix) in group.iter().zip(&mut out) {
            let wanted = &equations.wanted[start..start + evaluator.points()];
            for mut column in matrix.column_iter_mut() {
                for (entry, g) in column.iter_mut().zip(wanted) {
                    *entry = if g.is_finite() { *entry * equations.weight } else { 0.0 };
                }
            }
        }
    }

    /// Half the loss and its gradient `-J^T r`, one block of points at a time.
    pub fn gradient(&self, theta: &[f64]) -> (f64, Vec<f64>) {
        let residual = self.residual(theta);
        let columns: Vec<u32> = (0..theta.len() as u32).collect();
        let mut gradient = vec![0.0; theta.len()];
        let height = self.evaluators.iter().map(Evaluator::points).max().unwrap_or(0);
        let mut jacobian = DMatrix::<f64>::zeros(self.unknowns * height, theta.len());
        let mut start = 0;
        for evaluator in &self.evaluators {
            let count = evaluator.points();
            for (number, group) in self.equations.chunks_exact(self.unknowns).enumerate() {
                let rows = jacobian.rows_mut(0, self.unknowns * count);
                let rows = row_blocks(rows, count);
                self.group_jacobian(evaluator, start, group, theta, &columns, rows);
                for unknown in 0..self.unknowns {
                    let first = (number * self.unknowns + unknown) * self.points + start;
                    let r = &residual.entries[first..first + count];
                    let part = transposed_times(jacobian.rows(unknown * count, count), r);
                    gradient.iter_mut().zip(part).for_each(|(g, part)| *g -= part);
                }
            }
            start += count;
        }
        (0.5 * residual.loss, gradient)
    }

    /// Whether Levenberg-Marquardt has the memory for its Jacobian.
    pub fn check_memory(&self, columns: usize) -> Result<(), FitError> {
        let (points, rows, limit) = (self.points, self.rows(), MEMORY_LIMIT);
        let bytes = rows.saturating_mul(columns).saturating_mul(size_of::<f64>());
        if bytes > limit {
            return Err(FitError::TooLarge { points, rows, columns, bytes, limit });
        }
        Ok(())
    }
}

/// The initial state at points that the fit does not see.
pub(super) struct Comparison {
    evaluator: Evaluator<f64>,
    wanted: Vec<f64>,
    /// Of each unknown.
    weights: Vec<f64>,
    time: f64,
}

impl Comparison {
    /// Between the points of a grid of `counts`: about three times as many along each coordinate
    /// in one dimension, twice in two, and scattered points in more.
    pub fn new(
        problem: &Problem,
        network: &Network,
        target: &Wanted,
        counts: &[usize],
    ) -> Result<Self, FitError> {
        let finer =
            |factor: usize| -> Vec<usize> { counts.iter().map(|n| factor * n + 1).collect() };
        let points = match problem.dimensions() {
            _ if adaptive(problem) => {
                Points::initial(problem, SCATTERED, problem.seed.wrapping_add(1))
            }
            1 => Points::evaluation_grid(&problem.coordinates, &finer(3)),
            2 => Points::evaluation_grid(&problem.coordinates, &finer(2)),
            _ => Points::random(&problem.coordinates, SCATTERED, problem.seed),
        };
        let evaluator = Evaluator::new(&without_equation(problem), network, &points.coordinates);
        let wanted = target.values(problem, network, &points)?;
        let weights = Scales::of(&wanted, points.len(), problem).weights;
        Ok(Self { evaluator, wanted, weights, time: target.time(problem) })
    }

    /// Relative L2 error, the root mean square over the unknowns; the root mean square where the
    /// initial state is zero.
    pub fn error(&self, theta: &[f64]) -> f64 {
        let values = self.evaluator.field(theta, self.time).values;
        let points = self.evaluator.points();
        let difference: Vec<f64> = values.iter().zip(&self.wanted).map(|(u, g)| g - u).collect();
        let of_unknown = difference.chunks_exact(points).zip(&self.weights);
        let parts: Vec<f64> = of_unknown.map(|(d, weight)| norm(d) * weight).collect();
        norm(&parts)
    }
}

/// Points along each coordinate: as the settings say, else enough in one dimension for features of
/// a fiftieth of the domain, and in two for smooth states (the fit refines where that is too few;
/// starting from 24 x 24 took eight times as long on a sum of waves). In three and more dimensions
/// one number, of scattered points.
pub(super) fn default_counts(problem: &Problem, columns: usize) -> Vec<usize> {
    let dimensions = problem.dimensions();
    if !problem.fit.count.is_empty() && adaptive(problem) {
        return vec![problem.fit.count[0]];
    }
    if !problem.fit.count.is_empty() {
        let count = &problem.fit.count;
        return (0..dimensions).map(|k| *count.get(k).unwrap_or(&count[0])).collect();
    }
    match (dimensions, problem.fit.method) {
        (1 | 2, _) if adaptive(problem) => vec![512],
        (1, _) => vec![300],
        (2, _) => vec![16, 16],
        (_, FitMethod::LbfgsAdam) => vec![4096],
        (_, FitMethod::LevenbergMarquardt) => {
            let fits = DEFAULT_ENTRIES / (columns * (dimensions + 1));
            vec![(1 << fits.max(1).ilog2()).clamp(256, 4096)]
        }
    }
}

/// Whether the points are drawn from the solution: then those of the fit are drawn from its start.
fn adaptive(problem: &Problem) -> bool {
    problem.points.layout == PointLayout::Adaptive
}

/// The points for counts from [`default_counts`]: a grid, or scattered evenly where there is one
/// count for several coordinates, or drawn.
pub(super) fn points(problem: &Problem, counts: &[usize]) -> Points {
    if adaptive(problem) {
        Points::initial(problem, counts[0], problem.seed)
    } else if counts.len() < problem.dimensions() {
        Points::sobol(&problem.coordinates, counts[0], problem.seed)
    } else {
        Points::grid(&problem.coordinates, counts)
    }
}

/// The ansatz does not depend on the equation; its derivatives need not be carried.
fn without_equation(problem: &Problem) -> Problem {
    let right_hand_side = vec![Expression::Constant(0.0); problem.unknowns.len()];
    Problem { right_hand_side, ..problem.clone() }
}

fn sample(expression: &Expression, problem: &Problem, points: &Points) -> Vec<f64> {
    let (time, parameters) = (problem.time.start, problem.parameter_values());
    (0..points.len())
        .into_par_iter()
        .map(|i| expression.evaluate_at(points.point(i), time, &parameters))
        .collect()
}

/// The initial state's derivative along coordinate `k`, without kinks.
fn initial_slope(problem: &Problem, points: &Points, k: usize) -> Vec<f64> {
    let of = |initial: &Expression| {
        let derivative = initial.differentiate_coordinate(k, problem.dimensions()).simplify();
        let mut wanted = sample(&derivative, problem, points);
        if problem.coordinates[k].boundary == Boundary::Periodic {
            leave_out_kinks(&mut wanted, &derivative, problem, points, k);
        }
        wanted
    };
    problem.initial.iter().flat_map(of).collect()
}

/// Makes the derivative along periodic coordinate `k` NaN where the point is on the seam and the
/// derivative at the other end is another: the periodic state has a kink there and no derivative.
fn leave_out_kinks(
    wanted: &mut [f64],
    derivative: &Expression,
    problem: &Problem,
    points: &Points,
    k: usize,
) {
    let (time, parameters) = (problem.time.start, problem.parameter_values());
    let coordinate = &problem.coordinates[k];
    let size = wanted.iter().fold(0.0f64, |size, g| size.max(g.abs()));
    for (i, g) in wanted.iter_mut().enumerate().filter(|(_, g)| g.is_finite()) {
        let mut opposite = points.point(i).to_vec();
        if opposite[k] != coordinate.lower {
            continue;
        }
        opposite[k] = coordinate.upper;
        let there = derivative.evaluate_at(&opposite, time, &parameters);
        if (there - *g).abs() > SEAM * size {
            *g = f64::NAN;
        }
    }
}

fn initial_values(problem: &Problem, points: &Points) -> Result<Vec<f64>, FitError> {
    let of = |initial: &Expression| sample(initial, problem, points);
    let values: Vec<f64> = problem.initial.iter().flat_map(of).collect();
    if let Some(i) = values.iter().position(|v| !v.is_finite()) {
        let place: Vec<String> = problem
            .coordinates
            .iter()
            .zip(points.point(i % points.len()))
            .map(|(c, x)| format!("{} = {x}", c.name))
            .collect();
        return Err(FitError::TargetNotFinite { place: place.join(", "), value: values[i] });
    }
    Ok(values)
}

fn unless_zero(value: f64, other: f64) -> f64 {
    if value > 0.0 { value } else { other }
}
