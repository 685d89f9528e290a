//! The rows of a system cut into runs of points, one task each.

use std::ops::Range;

use nalgebra::DMatrixViewMut;

use crate::cpu::Kernel;
use crate::cpu::operator::Operator;
use crate::linalg::split_rows;

/// A run of points of one operator with the pieces of the results that belong to it, one per
/// expression.
pub struct Part<'a> {
    pub operator: usize,
    pub range: Range<usize>,
    pub values: Vec<&'a mut [f64]>,
    /// Rows of J; empty where it is not wanted.
    pub jacobian: Vec<DMatrixViewMut<'a, f64>>,
}

/// Points of one task. The cut does not depend on the number of threads, so that sums over the
/// parts have the same bits on every machine.
pub fn run_length(points: usize) -> usize {
    if points <= 4096 { 64 } else { 256 }
}

/// Runs of whole blocks of lanes that cover the points.
pub fn runs(points: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..points).step_by(length).map(move |first| first..points.min(first + length))
}

/// Cuts the rows of all operators, in order, and the rows of J beside them.
pub fn cut<'a, T: Kernel>(
    operators: &[Operator<T>],
    mut values: &'a mut [f64],
    mut jacobian: Option<DMatrixViewMut<'a, f64>>,
) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (index, operator) in operators.iter().enumerate() {
        let points = operator.points();
        let length = run_length(points);
        let first = parts.len();
        parts.extend(runs(points, length).map(|range| Part {
            operator: index,
            range,
            values: Vec::new(),
            jacobian: Vec::new(),
        }));
        // Row q n + i: expression by expression, so every run gets a piece of each.
        for _ in 0..operator.head().rows() {
            for part in &mut parts[first..] {
                let (mine, rest) = std::mem::take(&mut values).split_at_mut(part.range.len());
                values = rest;
                part.values.push(mine);
                if let Some(matrix) = jacobian.take() {
                    let (mine, rest) = split_rows(matrix, part.range.len());
                    jacobian = Some(rest);
                    part.jacobian.push(mine);
                }
            }
        }
    }
    parts
}
