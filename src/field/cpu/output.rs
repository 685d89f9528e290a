//! Where the results of a sweep go, and the parts of it that threads take.

use nalgebra::DMatrixViewMut;

use super::kernel::Kernel;
use super::tile::{Lanes, Sizes};
use super::{Evaluator, Field};
use crate::linalg::row_blocks;

/// Where the results go, a row of points for one unknown after the other; a part of it goes to each
/// thread.
#[derive(Default)]
pub struct Output<'a, T> {
    points: usize,
    pub values: Vec<f64>,
    pub right_hand_side: Vec<f64>,
    /// Per unknown and channel; empty when not wanted.
    pub derivatives: Vec<Vec<f64>>,
    /// One matrix per unknown; none where no columns are wanted.
    pub jacobian: Vec<DMatrixViewMut<'a, T>>,
    /// Keeps the forward passes, with all slopes.
    pub passes: Option<&'a mut Lanes<T>>,
}

impl<T> Output<'_, T> {
    pub fn fields(points: usize, unknowns: usize) -> Self {
        Self {
            points,
            values: vec![0.0; points * unknowns],
            right_hand_side: vec![0.0; points * unknowns],
            derivatives: Vec::new(),
            jacobian: Vec::new(),
            passes: None,
        }
    }

    pub fn into_field(self) -> Field {
        Field { values: self.values, right_hand_side: self.right_hand_side }
    }
}

/// A run of blocks and the matching parts of the output: one per unknown.
pub struct Part<'a, T> {
    pub first_block: usize,
    pub values: Vec<&'a mut [f64]>,
    pub right_hand_side: Vec<&'a mut [f64]>,
    /// Per unknown and channel.
    pub derivatives: Vec<&'a mut [f64]>,
    /// None where no columns are wanted.
    pub jacobian: Vec<DMatrixViewMut<'a, T>>,
    pub passes: Option<&'a mut [T]>,
}

impl<T> Part<'_, T> {
    pub fn points(&self) -> usize {
        self.values[0].len()
    }
}

/// Rows of `points` entries, cut into runs of `length`: the pieces of a run, one per row.
pub fn cut(rows: &mut [f64], points: usize, length: usize) -> Vec<Vec<&mut [f64]>> {
    let mut runs: Vec<Vec<&mut [f64]>> = Vec::new();
    runs.resize_with(points.div_ceil(length), Vec::new);
    for row in rows.chunks_mut(points) {
        runs.iter_mut().zip(row.chunks_mut(length)).for_each(|(run, piece)| run.push(piece));
    }
    runs
}

impl<T: Kernel> Evaluator<T> {
    /// Cuts the output into runs of whole tiles: a few per thread, so that an interrupted one costs
    /// little.
    pub(super) fn parts<'a>(&self, sizes: &Sizes, out: &'a mut Output<'_, T>) -> Vec<Part<'a, T>> {
        let tasks = (rayon::current_num_threads() * 2).min(self.blocks()).max(1);
        let tiles = self.blocks().div_ceil(sizes.blocks).div_ceil(tasks);
        let blocks = tiles * sizes.blocks;
        let rows = blocks * T::LANES;
        let points = out.points;
        let mut jacobians: Vec<Vec<DMatrixViewMut<'a, T>>> = Vec::new();
        jacobians.resize_with(points.div_ceil(rows), Vec::new);
        for matrix in &mut out.jacobian {
            for (run, mine) in jacobians.iter_mut().zip(row_blocks(matrix.as_view_mut(), rows)) {
                run.push(mine);
            }
        }
        let mut derivatives: Vec<_> =
            out.derivatives.iter_mut().map(|d| d.chunks_mut(rows)).collect();
        let mut passes = out
            .passes
            .as_mut()
            .map(|p| p.entries_mut().chunks_mut(tiles * sizes.pass() * T::LANES));
        let values = cut(&mut out.values, points, rows);
        let rates = cut(&mut out.right_hand_side, points, rows);
        values
            .into_iter()
            .zip(rates)
            .zip(jacobians)
            .enumerate()
            .map(|(k, ((values, right_hand_side), jacobian))| Part {
                first_block: k * blocks,
                values,
                right_hand_side,
                derivatives: derivatives
                    .iter_mut()
                    .map(|d| d.next().expect("as many points"))
                    .collect(),
                jacobian,
                passes: passes.as_mut().map(|p| p.next().expect("as many blocks")),
            })
            .collect()
    }
}
