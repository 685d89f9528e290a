//! Random test matrices Omega (p x l) for range finders: what a matrix is multiplied with so that
//! its dominant range shows.
//!
//! Halko, Martinsson, Tropp: "Finding structure with randomness", SIAM Review 2011 (Gaussian,
//! subsampled trigonometric); Martinsson, Tropp: "Randomized numerical linear algebra", Acta
//! Numerica 2020, section 9 (sparse signs). All are scaled so that `E |x^T Omega|^2 = |x|^2` for the
//! sparse and the trigonometric kind and `l |x|^2` for the Gaussian one.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use super::bridge::add_product;
use super::cosine::CosineTransform;
use super::products::times;
use crate::random::{Philox, Stream};

/// Non-zeros in a row of a sparse-sign matrix.
const NONZEROS: usize = 8;
/// Epochs of [`Philox`] that one draw may use: more than any sketch has columns.
const EPOCHS: u32 = 24;

/// How the entries of a test matrix are distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestMatrixKind {
    /// Independent standard normal entries: what the theory is best for.
    #[default]
    Gaussian,
    /// Eight entries `+-1 / sqrt(8)` in each row: `B Omega` costs 8 n p.
    SparseSign,
    /// `sqrt(p / l) D C^T R`: random signs D, the orthonormal DCT-II C, l of its p rows drawn
    /// without replacement: `B Omega` costs n p log p.
    Trigonometric,
}

/// A random p x l matrix that is stored as its seed (a Gaussian one also as its entries).
#[derive(Clone, Debug)]
pub struct TestMatrix {
    kind: TestMatrixKind,
    rows: usize,
    columns: usize,
    random: Philox,
    epoch: u64,
    /// Of a Gaussian matrix.
    entries: DMatrix<f64>,
}

impl TestMatrix {
    /// The matrix of `rows` = p by `columns` = l that belongs to a seed and an epoch (the iteration,
    /// say). A trigonometric one has at most p columns.
    #[must_use]
    pub fn new(kind: TestMatrixKind, rows: usize, columns: usize, seed: u64, epoch: u64) -> Self {
        let columns =
            if kind == TestMatrixKind::Trigonometric { columns.min(rows) } else { columns };
        let random = Philox::new(seed, Stream::Vectors);
        let epoch = epoch << EPOCHS;
        let mut entries = DMatrix::default();
        if kind == TestMatrixKind::Gaussian {
            entries = DMatrix::zeros(rows, columns);
            let all = entries.as_mut_slice().par_chunks_mut(rows.max(1)).enumerate();
            all.for_each(|(k, column)| {
                for (i, entry) in column.iter_mut().enumerate() {
                    *entry = random.normal(epoch + k as u64, i as u32);
                }
            });
        }
        Self { kind, rows, columns, random, epoch, entries }
    }

    /// l.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The factor that makes `Omega` preserve lengths as nearly as it can: `factor Omega` has
    /// orthonormal columns (trigonometric) or columns of unit length on average.
    #[must_use]
    pub fn isometry(&self) -> f64 {
        let rows = self.rows as f64;
        match self.kind {
            TestMatrixKind::Gaussian => rows.sqrt().recip(),
            _ => (self.columns as f64 / rows).sqrt(),
        }
    }

    /// Omega itself, p x l.
    #[must_use]
    pub fn dense(&self) -> DMatrix<f64> {
        if self.kind == TestMatrixKind::Gaussian {
            return self.entries.clone();
        }
        let mut omega = DMatrix::zeros(self.rows, self.columns);
        if self.kind == TestMatrixKind::SparseSign {
            for i in 0..self.rows {
                self.signs(i).for_each(|(k, sign)| omega[(i, k)] = sign);
            }
            return omega;
        }
        let flips = self.flips();
        let columns = omega.as_mut_slice().par_chunks_mut(self.rows.max(1));
        columns.zip(self.frequencies()).for_each(|(column, frequency)| {
            for (i, (entry, flip)) in column.iter_mut().zip(&flips).enumerate() {
                *entry = flip * CosineTransform::entry(self.rows, frequency as usize, i);
            }
        });
        omega
    }

    /// `out = B Omega` for B of p columns.
    ///
    /// # Panics
    /// Where the shapes do not fit.
    pub fn apply(&self, b: DMatrixView<'_, f64>, mut out: DMatrixViewMut<'_, f64>) {
        assert_eq!((b.nrows(), self.columns), out.shape(), "one row of B Omega per row of B");
        assert_eq!(b.ncols(), self.rows, "one column of B per row of Omega");
        match self.kind {
            TestMatrixKind::Gaussian => {
                out.fill(0.0);
                add_product(out, b, self.entries.as_view());
            }
            TestMatrixKind::SparseSign => {
                out.fill(0.0);
                for (i, column) in b.column_iter().enumerate() {
                    self.signs(i).for_each(|(k, sign)| out.column_mut(k).axpy(sign, &column, 1.0));
                }
            }
            TestMatrixKind::Trigonometric => self.transform_rows(b, out),
        }
    }

    /// `Omega y`.
    ///
    /// # Panics
    /// Where y has not l entries.
    #[must_use]
    pub fn combine(&self, y: &[f64]) -> Vec<f64> {
        assert_eq!(y.len(), self.columns, "one entry per column of Omega");
        match self.kind {
            TestMatrixKind::Gaussian => times(self.entries.as_view(), y),
            TestMatrixKind::SparseSign => {
                let entry = |i| self.signs(i).map(|(k, sign)| sign * y[k]).sum();
                (0..self.rows).map(entry).collect()
            }
            TestMatrixKind::Trigonometric => {
                let mut spectrum = vec![0.0; self.rows];
                for (frequency, y) in self.frequencies().into_iter().zip(y) {
                    spectrum[frequency as usize] = *y;
                }
                let mut x = CosineTransform::new(self.rows).transposed(&spectrum);
                x.iter_mut().zip(self.flips()).for_each(|(x, flip)| *x *= flip);
                x
            }
        }
    }

    /// Positions and values of the non-zeros in row i: distinct columns, drawn again where two
    /// fall together.
    fn signs(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        let count = NONZEROS.min(self.columns);
        let value = (count as f64).sqrt().recip();
        let mut chosen: Vec<(usize, f64)> = Vec::with_capacity(count);
        let mut attempt = 0;
        while chosen.len() < count {
            for word in self.random.words(self.epoch + attempt, i as u32) {
                let column = ((u64::from(word) * self.columns as u64) >> 32) as usize;
                // The lowest bit is independent of the column, which the highest bits choose.
                let sign = if word & 1 == 0 { value } else { -value };
                if chosen.len() < count && chosen.iter().all(|&(known, _)| known != column) {
                    chosen.push((column, sign));
                }
            }
            attempt += 1;
        }
        chosen.into_iter()
    }

    /// Which rows of the transform are kept.
    fn frequencies(&self) -> Vec<u32> {
        self.random.subset(self.epoch, self.rows, self.columns)
    }

    /// The diagonal of random signs, with the scale of the matrix.
    fn flips(&self) -> Vec<f64> {
        let scale = (self.rows as f64 / self.columns as f64).sqrt();
        let sign = |i| self.random.words(self.epoch + 1, i as u32)[0] & 1;
        (0..self.rows).map(|i| if sign(i) == 0 { scale } else { -scale }).collect()
    }

    fn transform_rows(&self, b: DMatrixView<'_, f64>, mut out: DMatrixViewMut<'_, f64>) {
        let frequencies = self.frequencies();
        let flips = self.flips();
        let transform = CosineTransform::new(self.rows);
        // Two real rows fit one complex transform.
        let pairs: Vec<usize> = (0..b.nrows()).step_by(2).collect();
        let chosen = |values: &[f64]| -> Vec<f64> {
            frequencies.iter().map(|&frequency| values[frequency as usize]).collect()
        };
        let transformed: Vec<[Vec<f64>; 2]> = pairs
            .into_par_iter()
            .map(|row| {
                let flipped = |row: usize| -> Vec<f64> {
                    if row == b.nrows() {
                        return vec![0.0; self.rows];
                    }
                    b.row(row).iter().zip(&flips).map(|(b, flip)| b * flip).collect()
                };
                transform.pair([flipped(row), flipped(row + 1)]).map(|values| chosen(&values))
            })
            .collect();
        for (half, rows) in transformed.iter().enumerate() {
            for (row, values) in (2 * half..b.nrows()).zip(rows) {
                for (k, &value) in values.iter().enumerate() {
                    out[(row, k)] = value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;

    const KINDS: [TestMatrixKind; 3] =
        [TestMatrixKind::Gaussian, TestMatrixKind::SparseSign, TestMatrixKind::Trigonometric];

    /// The fast products against the dense matrix, for odd and even, prime and small sizes.
    #[test]
    fn products_agree_with_the_dense_matrix() {
        for kind in KINDS {
            for (n, p, l) in [(1, 1, 1), (3, 5, 9), (8, 31, 7), (5, 64, 20), (7, 97, 97)] {
                let test = TestMatrix::new(kind, p, l, 3, 2);
                let b = TestMatrix::new(TestMatrixKind::Gaussian, n, p, 9, 0).dense();
                let omega = test.dense();
                let mut product = DMatrix::zeros(n, test.columns());
                test.apply(b.as_view(), product.as_view_mut());
                let allowed = 20.0 * (p as f64) * f64::EPSILON * b.norm();
                let difference = (&product - &b * &omega).amax();
                assert!(difference <= allowed, "{kind:?} {n} x {p} x {l}: {difference:e}");
                let y: Vec<f64> = (0..test.columns()).map(|k| (k as f64).cos()).collect();
                let wanted = &omega * DVector::from_column_slice(&y);
                for (x, wanted) in test.combine(&y).iter().zip(wanted.iter()) {
                    assert!((x - wanted).abs() <= 100.0 * l as f64 * f64::EPSILON * omega.amax());
                }
                if kind == TestMatrixKind::Trigonometric {
                    let unit = &omega * test.isometry();
                    let off = unit.transpose() * &unit - DMatrix::<f64>::identity(y.len(), y.len());
                    assert!(off.amax() < 1e-14 * p as f64, "columns are orthonormal");
                }
                if p > 1 {
                    let other = TestMatrix::new(kind, p, l, 3, 1).dense();
                    assert!((&product - &b * &other).amax() > allowed, "another draw passes");
                }
            }
        }
    }

    /// `E Omega Omega^T` is the identity (times l for Gaussian entries).
    #[test]
    fn rows_have_the_stated_scale_and_are_uncorrelated_on_average() {
        let (p, l, draws) = (12, 6, 3_000);
        for kind in KINDS {
            let mut mean = DMatrix::<f64>::zeros(p, p);
            for epoch in 0..draws {
                let omega = TestMatrix::new(kind, p, l, 5, epoch).dense();
                mean += &omega * omega.transpose();
            }
            let size = if kind == TestMatrixKind::Gaussian { l as f64 } else { 1.0 };
            mean /= draws as f64 * size;
            // One product of entries has a variance of about 1 / l; five deviations.
            let allowed = 5.0 * (2.0 / (l as f64 * draws as f64)).sqrt();
            let difference = (&mean - DMatrix::<f64>::identity(p, p)).amax();
            assert!(difference < allowed, "{kind:?}: {difference} against {allowed}");
        }
    }

    #[test]
    fn sparse_rows_have_eight_distinct_entries() {
        let omega = TestMatrix::new(TestMatrixKind::SparseSign, 200, 11, 1, 0).dense();
        for row in omega.row_iter() {
            assert_eq!(row.iter().filter(|&&x| x != 0.0).count(), NONZEROS);
            assert!((row.norm() - 1.0).abs() < 1e-15);
        }
    }
}
