//! How far a trained network is from the solution, by its residual at points that it has not seen.
//!
//! With u the network and u + e the solution, F(u + e) = 0 says to first order
//!
//! ```text
//! F'(u) e = -F(u),
//! ```
//!
//! a linear problem that is solved for e by least squares over all blocks at other and more points than
//! those of the training, in a space of functions that the training did not have: products of cosines
//! ([`Waves`]) beside some of the network's own directions, which know where its fronts are. In values
//! the functions are made orthonormal, so that with singular values s_i and left vectors u_i of their
//! rows
//!
//! ```text
//! |e|^2 = sum_i (u_i . r / s_i)^2,       what is left: |r - U U^T r| / s,
//! ```
//!
//! the last with s that of the upper fifth of the s_i: no function of the space explains it, so it is
//! rougher than most of them, and an error that is rougher makes more residual. Where a function changes
//! the solution and not the residual ([`free`]) the problem does not determine its solution, and the
//! residual says nothing of the error.

use nalgebra::{DMatrix, DMatrixView};

use super::determined::{Free, free};
use super::elsewhere::{Use, elsewhere};
use super::error::OptimizeError;
use super::uncertainty::Uncertainty;
use crate::field::residual::Collocation;
use crate::field::waves::{Ends, Span, Waves};
use crate::linalg::{Svd, norm, product, symmetric_eigen, transposed_product};
use crate::problem::ResidualProblem;
use crate::problem::residual::{Condition, ResidualBlock};
use crate::random::{Philox, Stream};

/// Functions over all unknowns, and directions of the network.
const WAVES: usize = 240;
const DIRECTIONS: usize = 200;
/// Combinations of the functions whose square is below this share of the largest are round-off.
const LEAST_SQUARE: f64 = 1e-10;
/// Smoothest functions of each unknown, by which equations are measured.
const SMOOTH: usize = 12;
/// Singular values below this share of the largest are round-off.
const RCOND: f64 = 1e-12;

/// What is known of the error of a training without a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorEstimate {
    /// Relative L2 error over all unknowns.
    pub relative_l2: f64,
    pub of_each: Vec<f64>,
    /// Points of the equations that were looked at.
    pub points: usize,
    /// Part of the residual that no function explains.
    pub unexplained: f64,
    /// What the equations and conditions leave free, if anything.
    pub free: Option<Free>,
    /// What of the error is by the noise of the data that constants were found from.
    pub noise: Option<f64>,
}

/// An estimated error up to this is an answer; above it a warning.
pub const GOOD: f64 = 1e-2;

impl ErrorEstimate {
    /// Whether the answer is one.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.free.is_none() && self.relative_l2 <= GOOD
    }

    /// In words, for result files.
    #[must_use]
    pub fn method(&self) -> String {
        if self.free.is_some() {
            return "directions that change the solution and not the residual".into();
        }
        let by_noise = match self.noise {
            Some(noise) => format!("{noise:.1e} by the noise of the data; "),
            None => String::new(),
        };
        format!(
            "{by_noise}residual at {} other points, linearised; {:.0} % of it unexplained",
            self.points,
            100.0 * self.unexplained
        )
    }

    /// With what the noise of the data does, whose rows say nothing else of an error.
    #[must_use]
    pub fn with_noise(mut self, known: &Uncertainty) -> Self {
        let Some(noise) = known.relative_l2 else { return self };
        self.noise = Some(noise);
        if self.free.is_none() {
            self.relative_l2 = norm(&[self.relative_l2, noise]);
            let each = self.of_each.iter_mut().zip(&known.of_each);
            each.for_each(|(error, noise)| *error = norm(&[*error, *noise]));
        }
        self
    }
}

/// The estimate for the parameters `theta`, in f64 on the CPU.
///
/// # Errors
/// Where a residual is not finite at one of the other points, or memory ends; and for an energy on a
/// shape, whose minimum has conditions of its own on the shape's sides.
pub fn estimate(problem: &ResidualProblem, theta: &[f64]) -> Result<ErrorEstimate, OptimizeError> {
    let energy = |block: &ResidualBlock| matches!(block.condition, Condition::Energy(_));
    if problem.shape.is_some() && problem.blocks.iter().any(energy) {
        return Err(OptimizeError::NoEstimate);
    }
    let unknowns = problem.unknowns.len();
    let mut system = elsewhere(problem, Use::Estimate, None);
    let rows = system.block_rows().iter().sum::<usize>();
    let values = system.block_rows().last().copied().unwrap_or(0);
    let mut residual = vec![0.0; rows];
    system.residual(theta, &mut residual)?;
    if problem.is_noisy() {
        forget_data(&system, &mut residual);
    }
    let equations = rows - values;
    let mut functions = functions(problem, &mut system, theta, rows)?;
    let factors =
        equally(&system, functions.as_view(), WAVES / unknowns, SMOOTH.min(WAVES / unknowns));
    for mut column in functions.column_iter_mut() {
        column.iter_mut().zip(&factors).for_each(|(v, factor)| *v *= factor);
    }
    residual.iter_mut().zip(&factors).for_each(|(r, factor)| *r *= factor);
    let (r, u) = residual.split_at(equations);
    let space = Space::of(functions.as_view(), equations)?;
    let along = space.along(r);
    // Rougher than most of the functions: the upper fifth of them.
    let rough = space.singular[space.singular.len() / 5];
    let free = free(problem, theta)?;
    let determined = free.is_none();
    let error = space.error(&along);
    let explained = along.iter().map(|c| c * c).sum::<f64>();
    let left = (norm(r).powi(2) - explained).max(0.0).sqrt();
    let rest = left / rough;
    let size = norm(&u.iter().zip(&error).map(|(u, e)| u + e).collect::<Vec<f64>>());
    let relative = |e: &[f64], u: &[f64], rest: f64| {
        let exact = norm(&u.iter().zip(e).map(|(u, e)| u + e).collect::<Vec<f64>>());
        norm(&[norm(e), rest]) / if exact > 0.0 { exact } else { 1.0 }
    };
    let each = values / unknowns;
    let of_each = (0..unknowns).map(|q| {
        let range = q * each..(q + 1) * each;
        let share = norm(&u[range.clone()]) / if size > 0.0 { size } else { 1.0 };
        relative(&error[range.clone()], &u[range], rest * share)
    });
    Ok(ErrorEstimate {
        relative_l2: if determined { relative(&error, u, rest) } else { 1.0 },
        of_each: if determined { of_each.collect() } else { vec![1.0; unknowns] },
        points: system
            .points()
            .iter()
            .map(|p| p.coordinates.len() / problem.dimensions())
            .sum::<usize>()
            - each,
        noise: None,
        unexplained: if norm(r) > 0.0 { left / norm(r) } else { 0.0 },
        free,
    })
}

/// What is left of noisy data is no error.
fn forget_data(system: &Collocation, residual: &mut [f64]) {
    let mut first = 0;
    for (block, rows) in system.equations() {
        if matches!(block.condition, Condition::Observed { .. }) {
            residual[first..first + rows].fill(0.0);
        }
        first += rows;
    }
}

/// The rows along every function, equations first.
fn functions(
    problem: &ResidualProblem,
    system: &mut Collocation,
    theta: &[f64],
    rows: usize,
) -> Result<DMatrix<f64>, OptimizeError> {
    let unknowns = problem.unknowns.len();
    let spans: Vec<Span> = problem
        .axes
        .iter()
        .map(|axis| Span {
            lower: axis.lower,
            length: axis.length(),
            ends: if axis.periodic { Ends::Periodic } else { Ends::Free },
        })
        .collect();
    let waves = Waves::new(&spans, WAVES / unknowns);
    let along = system.along(theta, &waves);
    let waves = along.ncols();
    let random = Philox::new(problem.seed, Stream::Columns);
    let chosen = random.subset(u64::MAX, system.network().parameters(), DIRECTIONS);
    let mut functions = DMatrix::<f64>::zeros(rows, waves + chosen.len());
    functions.columns_mut(0, waves).copy_from(&along);
    system.jacobian_blocks(theta, &mut |first, block| {
        for (j, &k) in chosen.iter().enumerate() {
            let mut column = functions.column_mut(waves + j);
            column.rows_mut(first, block.nrows()).copy_from(&block.column(k as usize));
        }
    })?;
    Ok(functions)
}

/// A factor for each row of the equations that makes each equation see the first `smooth` of
/// `per_unknown` functions of each unknown about equally, whatever its units, its weight and the size
/// of the domain.
pub(super) fn equally(
    system: &Collocation,
    functions: DMatrixView<'_, f64>,
    per_unknown: usize,
    smooth: usize,
) -> Vec<f64> {
    let unknowns = system.network().unknowns();
    let all: Vec<usize> = system.equations().map(|(_, points)| points).collect();
    // The last are the unknowns themselves.
    let of_equations = &all[..all.len() - unknowns];
    let count = of_equations.iter().sum();
    let (equations, values) =
        (functions.rows(0, count), functions.rows(count, functions.nrows() - count));
    let smooth: Vec<usize> =
        (0..unknowns).flat_map(|q| (0..smooth).map(move |j| q * per_unknown + j)).collect();
    let lengths: Vec<f64> = smooth.iter().map(|&j| values.column(j).norm()).collect();
    let mut factors = Vec::with_capacity(count);
    for &points in of_equations {
        let mine = equations.rows(factors.len(), points);
        let seen = smooth.iter().zip(&lengths).map(|(&j, length)| {
            if *length > 0.0 { (mine.column(j).norm() / length).powi(2) } else { 0.0 }
        });
        let mean = (seen.sum::<f64>() / smooth.len() as f64).sqrt();
        let factor = if mean > 0.0 { 1.0 / mean } else { 0.0 };
        factors.extend(std::iter::repeat_n(factor, points));
    }
    factors
}

/// Functions that are orthonormal in their values, by the singular value decomposition of their rows
/// of the equations.
struct Space {
    /// Descending, down to round-off.
    singular: Vec<f64>,
    left: DMatrix<f64>,
    /// Values of the functions that belong to them.
    values: DMatrix<f64>,
}

impl Space {
    /// Of functions by their rows: those of the equations, then values.
    fn of(functions: DMatrixView<'_, f64>, equations: usize) -> Result<Self, OptimizeError> {
        let upper = functions.rows(0, equations).into_owned();
        let lower = functions.rows(equations, functions.nrows() - equations).into_owned();
        let lengths: Vec<f64> = lower.column_iter().map(|c| c.norm()).collect();
        let most = lengths.iter().copied().fold(0.0, f64::max);
        // Functions that have no values to speak of.
        let scale = |j: usize| if lengths[j] > 1e-9 * most { 1.0 / lengths[j] } else { 0.0 };
        let gram = transposed_product(lower.as_view(), lower.as_view());
        let gram =
            DMatrix::from_fn(gram.nrows(), gram.ncols(), |i, j| gram[(i, j)] * scale(i) * scale(j));
        let pairs = symmetric_eigen(gram.as_view())?;
        let cutoff = LEAST_SQUARE * pairs.values.first().copied().unwrap_or(0.0);
        let kept = pairs.above(cutoff);
        let combinations = DMatrix::from_fn(functions.ncols(), kept, |i, j| {
            scale(i) * pairs.vectors[(i, j)] / pairs.values[j].sqrt()
        });
        let rows = product(upper.as_view(), combinations.as_view());
        let Svd { left, values: singular, right } = Svd::of(rows.as_view())?;
        let bound = RCOND * singular.first().copied().unwrap_or(0.0);
        let rank = singular.iter().take_while(|s| **s > bound).count();
        let right = right.columns(0, rank).into_owned();
        let combinations = product(combinations.as_view(), right.as_view());
        Ok(Self {
            singular: singular[..rank].to_vec(),
            left: left.columns(0, rank).into_owned(),
            values: product(lower.as_view(), combinations.as_view()),
        })
    }

    /// `U^T r`.
    fn along(&self, r: &[f64]) -> Vec<f64> {
        let columns = self.left.column_iter();
        columns.map(|u| u.iter().zip(r).map(|(u, r)| u * r).sum()).collect()
    }

    /// The values of e.
    fn error(&self, along: &[f64]) -> Vec<f64> {
        let mut error = vec![0.0; self.values.nrows()];
        for (column, (c, s)) in self.values.column_iter().zip(along.iter().zip(&self.singular)) {
            error.iter_mut().zip(column.iter()).for_each(|(e, v)| *e -= c / s * v);
        }
        error
    }
}
