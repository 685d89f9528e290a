//! Where the results of a sweep go, and the parts of it that threads take.

use faer::MatMut;

use super::kernel::Kernel;
use super::tile::{Lanes, Sizes};
use super::{Evaluator, Field};

/// Where the results go; a part of it goes to each thread.
#[derive(Default)]
pub struct Output<'a, T> {
    pub values: Vec<f64>,
    pub right_hand_side: Vec<f64>,
    /// Per channel; empty when not wanted.
    pub derivatives: Vec<Vec<f64>>,
    pub jacobian: Option<MatMut<'a, T>>,
    /// Keeps the forward passes, with all slopes.
    pub passes: Option<&'a mut Lanes<T>>,
}

impl<T> Output<'_, T> {
    pub fn fields(points: usize) -> Self {
        Self {
            values: vec![0.0; points],
            right_hand_side: vec![0.0; points],
            derivatives: Vec::new(),
            jacobian: None,
            passes: None,
        }
    }

    pub fn into_field(self) -> Field {
        Field { values: self.values, right_hand_side: self.right_hand_side }
    }
}

/// A run of blocks and the matching parts of the output.
pub struct Part<'a, T> {
    pub first_block: usize,
    pub values: &'a mut [f64],
    pub right_hand_side: &'a mut [f64],
    pub derivatives: Vec<&'a mut [f64]>,
    pub jacobian: Option<MatMut<'a, T>>,
    pub passes: Option<&'a mut [T]>,
}

impl<T: Kernel> Evaluator<T> {
    /// Cuts the output into runs of whole tiles: a few per thread, so that an interrupted one costs
    /// little.
    pub(super) fn parts<'a>(&self, sizes: &Sizes, out: &'a mut Output<'_, T>) -> Vec<Part<'a, T>> {
        let tasks = (rayon::current_num_threads() * 2).min(self.blocks()).max(1);
        let tiles = self.blocks().div_ceil(sizes.blocks).div_ceil(tasks);
        let blocks = tiles * sizes.blocks;
        let rows = blocks * T::LANES;
        let mut jacobian = out.jacobian.as_mut().map(|j| j.as_mut());
        let mut derivatives: Vec<_> =
            out.derivatives.iter_mut().map(|d| d.chunks_mut(rows)).collect();
        let mut passes = out
            .passes
            .as_mut()
            .map(|p| p.entries_mut().chunks_mut(tiles * sizes.pass() * T::LANES));
        let fields = out.values.chunks_mut(rows).zip(out.right_hand_side.chunks_mut(rows));
        fields
            .enumerate()
            .map(|(k, (values, right_hand_side))| {
                let mine = jacobian.take().map(|j| {
                    let (head, tail) = j.split_at_row_mut(values.len());
                    jacobian = Some(tail);
                    head
                });
                let derivatives =
                    derivatives.iter_mut().map(|d| d.next().expect("as many points")).collect();
                Part {
                    first_block: k * blocks,
                    values,
                    right_hand_side,
                    derivatives,
                    jacobian: mine,
                    passes: passes.as_mut().map(|p| p.next().expect("as many blocks")),
                }
            })
            .collect()
    }
}
