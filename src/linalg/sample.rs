//! Stratified sample of the rows: one of every n / m of them, as a cheap embedding.
//!
//! A sparse-sign sketch embeds any matrix but reads and adds every entry eight times. The points of
//! a problem lie in order, so the rows of its Jacobian change slowly from one to the next, and one
//! row out of each run of neighbours, scaled by the square root of the run's length, says as much:
//! on a periodic grid it is the trapezoidal rule with jitter. For rows in no order it is plain
//! sampling, which only coherent rows can defeat; whoever preconditions with a sample sees that in
//! the number of iterations, and takes a [`RowSketch`](super::RowSketch) instead.

use nalgebra::{DMatrix, DMatrixView};
use rayon::prelude::*;

use super::blocks::reshape;
use super::products::{column, threading_pays};
use crate::random::{Philox, Stream};
use crate::scalar::Real;

/// The m x n matrix S whose row q picks one row i of `q n / m .. (q + 1) n / m`, uniformly, with
/// the weight `sqrt(length of the run)`, so that `E[S^T S] = I`.
#[derive(Clone, Debug)]
pub struct RowSample {
    picks: Vec<(u32, f64)>,
}

impl RowSample {
    /// m of n rows, m at most n; `epoch` numbers the draw.
    #[must_use]
    pub fn new(seed: u64, epoch: u64, rows: usize, sample_rows: usize) -> Self {
        let random = Philox::new(seed, Stream::RowSketch);
        let count = sample_rows.clamp(1, rows.max(1));
        let start = |q: usize| q * rows / count;
        let picks = (0..count)
            .map(|q| {
                let (first, length) = (start(q), start(q + 1) - start(q));
                let word = u64::from(random.words(epoch, q as u32)[0]);
                let place = (word * length as u64) >> 32;
                ((first as u64 + place) as u32, (length as f64).sqrt())
            })
            .collect();
        Self { picks }
    }

    /// The rows that were drawn, ascending, each with its weight.
    #[must_use]
    pub fn picks(&self) -> &[(u32, f64)] {
        &self.picks
    }

    /// m.
    #[must_use]
    pub fn sample_rows(&self) -> usize {
        self.picks.len()
    }

    /// `out = S J`.
    pub fn gather<T: Real>(&self, j: DMatrixView<'_, T>, out: &mut DMatrix<f64>) {
        reshape(out, self.sample_rows(), j.ncols());
        let gather = |(k, out): (usize, &mut [f64])| self.pick(column(&j, k), out);
        let out = out.as_mut_slice();
        if threading_pays((self.picks.len() * j.ncols()) as f64 * 4.0) {
            out.par_chunks_exact_mut(self.sample_rows())
                .enumerate()
                .with_min_len(16)
                .for_each(gather);
        } else {
            out.chunks_exact_mut(self.sample_rows()).enumerate().for_each(gather);
        }
    }

    /// `S x`.
    #[must_use]
    pub fn gather_vector<T: Real>(&self, x: &[T]) -> Vec<f64> {
        let mut out = vec![0.0; self.sample_rows()];
        self.pick(x, &mut out);
        out
    }

    fn pick<T: Real>(&self, x: &[T], out: &mut [f64]) {
        for (out, &(row, weight)) in out.iter_mut().zip(&self.picks) {
            *out = weight * x[row as usize].to_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::singular_values;
    use crate::testing::Planted;

    #[test]
    fn every_run_of_neighbours_gives_one_row() {
        for (n, m) in [(1, 1), (7, 7), (10, 3), (1_000, 37), (5, 9)] {
            let sample = RowSample::new(3, 1, n, m);
            let m = m.min(n);
            assert_eq!(sample.sample_rows(), m);
            let mut total = 0.0;
            for (q, &(row, weight)) in sample.picks.iter().enumerate() {
                assert!((q * n / m..(q + 1) * n / m).contains(&(row as usize)), "{n}, {m}, {q}");
                total += weight * weight;
            }
            assert!((total - n as f64).abs() < 1e-9 * n as f64, "E[S^T S] = I: {total}");
        }
        let picks = |epoch| RowSample::new(3, epoch, 1_000, 37).picks;
        assert_ne!(picks(1), picks(2), "each epoch draws anew");
    }

    #[test]
    fn smooth_columns_keep_their_lengths_better_than_in_a_random_order() {
        // Ten waves on 4,000 points; 64 rows of them.
        let (n, rank) = (4_000, 20);
        let wave = |i: usize, k: usize| {
            let phase = if k.is_multiple_of(2) { 0.0 } else { std::f64::consts::FRAC_PI_2 };
            let x = std::f64::consts::TAU * i as f64 / n as f64;
            (2.0 / n as f64).sqrt() * ((k / 2 + 1) as f64 * x + phase).sin()
        };
        let spread = |columns: &DMatrix<f64>| {
            let mut sampled = DMatrix::default();
            RowSample::new(1, 0, n, 64).gather(columns.as_view(), &mut sampled);
            let sigma = singular_values(sampled.as_view()).expect("a small matrix converges");
            (sigma[0] - 1.0).max(1.0 - sigma[rank - 1])
        };
        let smooth = DMatrix::from_fn(n, rank, wave);
        let random = Planted::new(n, rank, vec![1.0; rank]).left;
        let (smooth, random) = (spread(&smooth), spread(&random));
        assert!(smooth < 0.6 * random && random < 1.0, "{smooth} against {random}");
    }
}
