//! How well the constants of a problem are known that were found from noisy data.
//!
//! With r the rows of the loss, A their derivatives by the network's parameters and B those by the constants,
//! noise n in the data moves what minimises |r|^2, to first order, by
//!
//! ```text
//! dk = -G n,   G = (C^T C)^-1 C^T,   C = B - U U^T B,
//! ```
//!
//! U an orthonormal basis of the columns of A: C is what of the constants' columns no change of the network
//! makes up for (the Schur complement of A^T A is C^T C). So with standard deviations s_i of the rows, which are
//! zero for equations, the covariance is
//!
//! ```text
//! cov(k) = sum over rows i of data of s_i^2 G_i G_i^T.
//! ```
//!
//! Where nobody says what s is, it follows from what the fit leaves of the data, d, by the trace of the hat
//! matrix H = U U^T + C (C^T C)^-1 C^T: `sigma^2 = sum d_i^2 / sum (1 - H_ii)` over the rows of a block (Seber,
//! Wild, "Nonlinear Regression", 1989, chapter 2).
//!
//! The unknowns move as well, by `J_u A^+ (1 - B G) n`, J_u their derivatives by the network's parameters.

use nalgebra::{DMatrix, DVectorView};

use super::error::OptimizeError;
use crate::field::network::{CONSTANTS, Network};
use crate::field::residual::{Collocation, Comparison, ResidualSystem};
use crate::linalg::{Svd, norm, product, symmetric_eigen, transposed_product};
use crate::problem::ResidualProblem;
use crate::problem::residual::Condition;

/// Singular values of A below this share of the largest are round-off.
const RCOND: f64 = 1e-12;
/// A direction of which no more is left than this share is made up for but for round-off.
const NOTHING: f64 = 1e-11;
/// One of which no more is left, and that by equations, which a network cannot meet to the last digit, is made
/// up for as far as the network can.
const LITTLE: f64 = 1e-2;
/// Parts of a direction that count.
const PART: f64 = 0.1;
/// Singular values of A below this share of the largest move the network by what is round-off of the rows.
const SMALL: f64 = 1e-8;
/// Points at which the unknowns are looked at.
const POINTS: usize = 1000;
/// The most entries of the Jacobian.
const MOST_ENTRIES: usize = 1 << 26;

/// What is known of the constants that were found, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertainty {
    /// None of those that are not determined.
    pub deviations: Vec<Option<f64>>,
    pub correlation: DMatrix<f64>,
    /// Standard deviation of the noise by the names of the blocks of data, and whether it was estimated; none
    /// where there are too few data to tell.
    pub noise: Vec<(String, Option<f64>, bool)>,
    /// Constants that only change together without a change of the data, by their numbers; each alone is a
    /// constant that the data do not see.
    pub free: Vec<Vec<usize>>,
    /// Relative L2 error of each unknown by the noise; none where that is unknown.
    pub of_each: Vec<f64>,
    /// The same of all.
    pub relative_l2: Option<f64>,
}

/// Rows of one block of data.
struct Data {
    name: String,
    rows: std::ops::Range<usize>,
    noise: Option<f64>,
    /// Of each row, what its square counts.
    weights: Vec<f64>,
}

/// At the parameters `theta` of a network; nothing where no data have a noise.
///
/// # Errors
/// Where a residual is not finite, or the Jacobian is too large for it.
pub fn uncertainty(
    problem: &ResidualProblem,
    theta: &[f64],
) -> Result<Option<Uncertainty>, OptimizeError> {
    if !problem.is_noisy() {
        return Ok(None);
    }
    let network = Network::of_residual(problem);
    let constants = network.layout().segment(CONSTANTS).map_or(0..0, |segment| segment.range());
    // Linear in what is found, whatever its range.
    let mut linear = problem.clone();
    let found = problem.values_at(&network.constants(theta));
    for (parameter, value) in linear.parameters.iter_mut().zip(found).filter(|(p, _)| p.find) {
        (parameter.value, parameter.range) = (value, None);
    }
    linear.method.causal = None;
    let mut at = network.split(theta).theta.to_vec();
    at[constants.clone()].fill(0.0);
    let mut system = Collocation::in_double(&linear, 0);
    let (rows, parameters) = (system.rows(), system.parameters());
    if rows.saturating_mul(parameters) > MOST_ENTRIES {
        let (method, bytes) = ("the uncertainty of constants", 8 * rows * parameters);
        let limit = 8 * MOST_ENTRIES;
        return Err(OptimizeError::TooLarge { method, parameters, rows, bytes, limit });
    }
    let mut residual = vec![0.0; rows];
    let mut jacobian = DMatrix::zeros(rows, parameters);
    system.jacobian(&at, &mut residual, jacobian.as_view_mut())?;
    let data = data(&linear, &system);
    let by_constants = jacobian.columns_range(constants.clone()).into_owned();
    let by_network = jacobian.remove_columns(constants.start, constants.len());
    let projected = Projected::of(by_network, by_constants)?;
    let scales: Vec<f64> = linear.sought().map(|k| linear.parameters[k].scale()).collect();
    let (mut known, gains) = projected.uncertainty(&residual, &data, &scales)?;
    if known.noise.iter().all(|(_, noise, _)| noise.is_some()) {
        let noise: Vec<f64> = known.noise.iter().filter_map(|(_, noise, _)| *noise).collect();
        let moved = projected.moved(&data, &noise, &gains);
        let comparison = Comparison::at(&linear, &few_points(&linear));
        let rows = comparison.jacobian(&at).remove_columns(constants.start, constants.len());
        let rows = product(rows.as_view(), moved.as_view());
        known.see(&comparison.values(&at), &rows, problem.unknowns.len());
    }
    Ok(Some(known))
}

fn few_points(problem: &ResidualProblem) -> Vec<f64> {
    let all = problem.evaluation_points();
    let points: Vec<&[f64]> = all.chunks_exact(problem.dimensions()).collect();
    let step = points.len().div_ceil(POINTS).max(1);
    points.into_iter().step_by(step).flatten().copied().collect()
}

impl Uncertainty {
    /// Takes over what the noise does to values of the unknowns: a row for each, a column for each datum.
    fn see(&mut self, values: &[f64], moved: &DMatrix<f64>, unknowns: usize) {
        let each = values.len() / unknowns;
        let of = |rows: std::ops::Range<usize>| -> f64 {
            let size = norm(&values[rows.clone()]);
            moved.rows_range(rows).norm() / if size > 0.0 { size } else { 1.0 }
        };
        self.of_each = (0..unknowns).map(|q| of(q * each..(q + 1) * each)).collect();
        self.relative_l2 = Some(of(0..values.len()));
    }
}

fn data(problem: &ResidualProblem, system: &Collocation) -> Vec<Data> {
    let mut first = 0;
    let mut found = Vec::new();
    for (index, (block, rows)) in problem.blocks.iter().zip(system.block_rows()).enumerate() {
        if let Condition::Observed { noise, .. } = &block.condition {
            found.push(Data {
                name: block.name.clone(),
                rows: first..first + rows,
                noise: *noise,
                weights: system.weights(index),
            });
        }
        first += rows;
    }
    found
}

/// What is left of the constants' columns.
struct Projected {
    /// U, the singular values, and V of A.
    basis: DMatrix<f64>,
    values: Vec<f64>,
    right: DMatrix<f64>,
    /// U^T B of columns of length one.
    along: DMatrix<f64>,
    /// Lengths of the columns before.
    lengths: Vec<f64>,
    /// C, of columns of length one.
    left: DMatrix<f64>,
}

impl Projected {
    fn of(by_network: DMatrix<f64>, mut columns: DMatrix<f64>) -> Result<Self, OptimizeError> {
        let Svd { left, mut values, right } = Svd::of(by_network.as_view())?;
        let bound = RCOND * values.first().copied().unwrap_or(0.0);
        let rank = values.iter().take_while(|s| **s > bound).count();
        values.truncate(rank);
        let basis = left.columns(0, rank).into_owned();
        let right = right.columns(0, rank).into_owned();
        let lengths: Vec<f64> =
            columns.column_iter().map(|c| c.norm().max(f64::MIN_POSITIVE)).collect();
        for (mut column, length) in columns.column_iter_mut().zip(&lengths) {
            column /= *length;
        }
        let mut whole = DMatrix::zeros(rank, columns.ncols());
        // Twice: what the first leaves of the basis by round-off is taken away by the second.
        for _ in 0..if columns.ncols() > 0 { 2 } else { 0 } {
            let along = transposed_product(basis.as_view(), columns.as_view());
            columns -= product(basis.as_view(), along.as_view());
            whole += along;
        }
        Ok(Self { basis, values, right, along: whole, lengths, left: columns })
    }

    /// How the network's parameters move with each datum's noise, a column for each.
    fn moved(&self, data: &[Data], noise: &[f64], gains: &DMatrix<f64>) -> DMatrix<f64> {
        let bound = SMALL * self.values.first().copied().unwrap_or(0.0);
        let kept = self.values.iter().take_while(|s| **s > bound).count();
        let mut columns = Vec::new();
        for (block, noise) in data.iter().zip(noise) {
            for (i, weight) in block.rows.clone().zip(&block.weights) {
                let whole = self.basis.row(i).transpose() - &self.along * gains.column(i);
                let factor = noise * weight.sqrt();
                columns.extend((0..kept).map(|j| factor * whole[j] / self.values[j]));
            }
        }
        let count = columns.len() / kept.max(1);
        let inner = DMatrix::from_vec(kept, count, columns);
        product(self.right.columns(0, kept), inner.as_view())
    }

    /// `(C^T C)^-1` along the directions of the constants that data determine, and the others.
    fn inverse(&self, data: &[Data]) -> Result<(DMatrix<f64>, Vec<Vec<usize>>), OptimizeError> {
        let count = self.lengths.len();
        let gram = transposed_product(self.left.as_view(), self.left.as_view());
        let pairs = symmetric_eigen(gram.as_view())?;
        let (mut inverse, mut free) = (DMatrix::<f64>::zeros(count, count), Vec::new());
        for (vector, value) in pairs.vectors.column_iter().zip(&pairs.values) {
            let rows = &self.left * vector;
            let whole = rows.norm_squared();
            let of_data: f64 =
                data.iter().map(|d| rows.rows_range(d.rows.clone()).norm_squared()).sum();
            let made_up_for = whole < LITTLE * LITTLE && of_data < 0.5 * whole;
            if whole <= NOTHING * NOTHING || made_up_for {
                free.push((0..count).filter(|&k| vector[k].abs() > PART).collect::<Vec<_>>());
            } else {
                inverse += vector * vector.transpose() / *value;
            }
        }
        Ok((inverse, free))
    }

    /// What is known of the constants, and G, a column for each row.
    fn uncertainty(
        &self,
        residual: &[f64],
        data: &[Data],
        scales: &[f64],
    ) -> Result<(Uncertainty, DMatrix<f64>), OptimizeError> {
        let count = scales.len();
        let (inverse, free) = match count {
            0 => (DMatrix::zeros(0, 0), Vec::new()),
            _ => self.inverse(data)?,
        };
        // G, a column for each row.
        let gains = &inverse * self.left.transpose();
        let leverage = |i: usize| -> f64 {
            let own: f64 = (0..count).map(|k| self.left[(i, k)] * gains[(k, i)]).sum();
            self.basis.row(i).norm_squared() + own
        };
        let noise: Vec<Option<f64>> = data
            .iter()
            .map(|block| block.noise.or_else(|| block.estimated(residual, &leverage)))
            .collect();
        let mut covariance = DMatrix::<f64>::zeros(count, count);
        for (block, noise) in data.iter().zip(&noise) {
            let Some(noise) = noise else { continue };
            for (i, weight) in block.rows.clone().zip(&block.weights) {
                let gain = gains.column(i);
                covariance += gain * gain.transpose() * (noise * noise * weight);
            }
        }
        let unit = |k: usize| scales[k] / self.lengths[k];
        let deviation = |k: usize| unit(k) * covariance[(k, k)].sqrt();
        let known = noise.iter().all(Option::is_some);
        let determined = |k: usize| known && !free.iter().any(|direction| direction.contains(&k));
        let roots: Vec<f64> = (0..count).map(|k| covariance[(k, k)].sqrt()).collect();
        let known_so_far = Uncertainty {
            deviations: (0..count).map(|k| determined(k).then(|| deviation(k))).collect(),
            correlation: DMatrix::from_fn(count, count, |i, j| {
                let size = roots[i] * roots[j];
                if size > 0.0 { covariance[(i, j)] / size } else { 0.0 }
            }),
            noise: data
                .iter()
                .zip(noise)
                .map(|(block, noise)| (block.name.clone(), noise, block.noise.is_none()))
                .collect(),
            free,
            of_each: Vec::new(),
            relative_l2: None,
        };
        Ok((known_so_far, gains))
    }
}

impl Data {
    /// sigma by what is left of the data; none where next to nothing of them is free.
    fn estimated(&self, residual: &[f64], leverage: &impl Fn(usize) -> f64) -> Option<f64> {
        let of_rows = DVectorView::from_slice(&residual[self.rows.clone()], self.rows.len());
        let squares: f64 =
            of_rows.iter().zip(&self.weights).map(|(r, weight)| r * r / weight).sum();
        let freedom: f64 = self.rows.clone().map(|i| 1.0 - leverage(i)).sum();
        (freedom > 0.5).then(|| (squares / freedom).sqrt())
    }
}
