//! Sweeps over all operators of a system, a task per run of points.

use std::ops::Range;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use super::ResidualError;
use super::parts::{Part, cut, run_length, runs};
use crate::cpu::operator::{Operator, Rate};
use crate::cpu::{Kernel, Plan, Weights};
use crate::linalg::split_rows;
use crate::network::Network;

/// Bytes of one block of rows of J, where J is taken in blocks.
const BLOCK_BYTES: usize = 1 << 28;
/// The fewest rows of such a block, lanes of the narrower precision, and the bytes that they may
/// have.
const BLOCK_ROWS: usize = 16;
const LARGEST_BLOCK: usize = 1 << if cfg!(target_pointer_width = "64") { 33 } else { 30 };

/// r of all operators.
pub fn residual<T: Kernel>(
    operators: &[Operator<T>],
    network: &Network,
    theta: &[f64],
    out: &mut [f64],
) {
    let at = Weights::<T>::forward(network, theta);
    cut(operators, out, None).into_par_iter().for_each(|mut part| {
        let operator = &operators[part.operator];
        // The rows of an energy are made of its derivatives.
        let mut rate = if operator.head().is_energy() { Rate::None } else { Rate::Density };
        operator.run(network, &at, part.range, &mut part.values, &mut rate);
    });
}

/// r and J of all operators.
pub fn jacobian<T: Kernel>(
    operators: &[Operator<T>],
    network: &Network,
    plan: &Plan,
    theta: &[f64],
    values: &mut [f64],
    matrix: DMatrixViewMut<'_, f64>,
) {
    let at = Weights::<T>::new(network, theta);
    cut(operators, values, Some(matrix)).into_par_iter().for_each(|mut part| {
        let mut rate = Rate::Rows { plan, first: 0, matrices: &mut part.jacobian };
        operators[part.operator].run(network, &at, part.range, &mut part.values, &mut rate);
    });
}

/// The loss of one run of points.
fn loss<T: Kernel>(
    operator: &Operator<T>,
    network: &Network,
    at: &Weights<T>,
    range: Range<usize>,
) -> f64 {
    let count = range.len();
    let energy = operator.head().is_energy();
    let rows = if energy { 1 } else { operator.head().rows() };
    let mut values = vec![0.0; rows * count];
    let mut slices: Vec<&mut [f64]> = values.chunks_mut(count).collect();
    operator.run(network, at, range, &mut slices, &mut Rate::Density);
    if energy { values.iter().sum() } else { values.iter().map(|r| r * r).sum() }
}

/// R at several parameter vectors.
pub fn losses<T: Kernel>(
    operators: &[Operator<T>],
    network: &Network,
    thetas: &[&[f64]],
) -> Vec<f64> {
    let at: Vec<Weights<T>> =
        thetas.par_iter().map(|theta| Weights::forward(network, theta)).collect();
    let tasks: Vec<_> = (0..thetas.len())
        .flat_map(|k| operators.iter().map(move |operator| (k, operator)))
        .flat_map(|(k, operator)| {
            let points = operator.points();
            runs(points, run_length(points)).map(move |range| (k, operator, range))
        })
        .collect();
    let parts: Vec<(usize, f64)> = tasks
        .into_par_iter()
        .map(|(k, operator, range)| (k, loss(operator, network, &at[k], range)))
        .collect();
    let mut sums = vec![0.0; thetas.len()];
    for (k, part) in parts {
        sums[k] += part;
    }
    sums
}

/// J in blocks of rows: one expression and a run of points each.
pub fn jacobian_blocks<T: Kernel>(
    operators: &[Operator<T>],
    network: &Network,
    plan: &Plan,
    theta: &[f64],
    visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
) -> Result<(), ResidualError> {
    let parameters = network.parameters();
    let row = size_of::<f64>() * parameters;
    let fewest = BLOCK_ROWS.saturating_mul(row);
    if fewest > LARGEST_BLOCK {
        let (rows, bytes, limit) = (BLOCK_ROWS, fewest, LARGEST_BLOCK);
        return Err(ResidualError::TooLarge { rows, parameters, bytes, limit });
    }
    let fit = BLOCK_BYTES / row / BLOCK_ROWS * BLOCK_ROWS;
    let height = fit.max(BLOCK_ROWS);
    let at = Weights::<T>::new(network, theta);
    let widest = operators.iter().map(|o| o.points().min(height)).max().unwrap_or(0);
    let mut matrix = DMatrix::<f64>::zeros(widest, parameters);
    let mut first_row = 0;
    for operator in operators {
        for q in 0..operator.head().rows() {
            for range in runs(operator.points(), height) {
                let rows = matrix.rows_mut(0, range.len());
                row_block(operator, network, plan, &at, range.clone(), q, rows);
                visit(first_row + range.start, matrix.rows(0, range.len()));
            }
            first_row += operator.points();
        }
    }
    Ok(())
}

/// The rows of one expression at a run of points.
fn row_block<T: Kernel>(
    operator: &Operator<T>,
    network: &Network,
    plan: &Plan,
    at: &Weights<T>,
    range: Range<usize>,
    expression: usize,
    mut rows: DMatrixViewMut<'_, f64>,
) {
    // Short runs, so that a block of few rows is still work for every thread.
    let mut tasks = Vec::new();
    for run in runs(range.len(), BLOCK_ROWS) {
        let (mine, rest) = split_rows(rows, run.len());
        rows = rest;
        tasks.push((range.start + run.start..range.start + run.end, mine));
    }
    tasks.into_par_iter().for_each(|(run, mine)| {
        let mut rate = Rate::Rows { plan, first: expression, matrices: &mut [mine] };
        operator.run(network, at, run, &mut [], &mut rate);
    });
}

/// `2 J^T r` for a given r.
pub fn gradient<T: Kernel>(
    operators: &[Operator<T>],
    network: &Network,
    plan: &Plan,
    theta: &[f64],
    residual: &[f64],
    out: &mut [f64],
) {
    let at = Weights::<T>::new(network, theta);
    let mut weights: Vec<f64> = residual.iter().map(|r| 2.0 * r).collect();
    let parts = cut(operators, &mut weights, None);
    let partial = |part: Part<'_>| -> Vec<f64> {
        let mut sum = vec![0.0; network.parameters()];
        let weights: Vec<&[f64]> = part.values.iter().map(|w| &**w).collect();
        let mut rate = Rate::Sum { plan, weights: &weights, out: &mut sum };
        operators[part.operator].run(network, &at, part.range, &mut [], &mut rate);
        sum
    };
    out.fill(0.0);
    // As many parts at once as there are threads: a million parameters need not be held per part.
    let mut parts = parts.into_iter();
    loop {
        let batch: Vec<_> = parts.by_ref().take(rayon::current_num_threads().max(1)).collect();
        if batch.is_empty() {
            return;
        }
        for sum in batch.into_par_iter().map(partial).collect::<Vec<_>>() {
            out.iter_mut().zip(&sum).for_each(|(to, s)| *to += s);
        }
    }
}
