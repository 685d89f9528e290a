//! Sparse-sign embedding of the rows: S J has a few multiples of s rows instead of n.
//!
//! Row i of J goes, with a random sign, into one row of each of eight equal blocks of S J (eight
//! non-zeros in each column of S, Kane and Nelson: "Sparser Johnson-Lindenstrauss transforms",
//! J. ACM 2014, block construction; Cohen: SODA 2016). With m = 2 r to 4 r rows it embeds every
//! r-dimensional subspace: (1 - e) |x| <= |S x| <= (1 + e) |x|, e about sqrt(r / m).
//!
//! # Definition
//! m is a multiple of 8, h = m / 8. For row i, the words w_0..w_7 are Philox of the stream
//! [`Stream::RowSketch`] at the caller's epoch: w_0..w_3 are draw 2 i, w_4..w_7 are draw 2 i + 1.
//! Hit b is in sketch row `b h + floor(w_b h / 2^32)`; its value is `1/sqrt(8)`, negative where
//! w_b is odd. Integers only, so that a GPU draws the same sketch; n below 2^31.

use nalgebra::{DMatrix, DMatrixView};
use rayon::prelude::*;

use super::error::LeastSquaresError;
use super::products::{column, threading_pays};
use crate::random::{Philox, Stream};
use crate::scalar::Real;

/// Non-zeros in each column of S.
pub const HITS: usize = 8;
/// Columns that are sketched together: their sums lie side by side and are added as one vector.
const LANES: usize = 16;
/// Rows of one tile: 8 KiB of interleaved entries.
const TILE: usize = 64;

/// One non-zero of a sketch row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The row: of S where listed by row of J, of J where listed by row of S.
    pub row: u32,
    pub negative: bool,
}

impl Hit {
    /// `2 row + negative` in one word.
    fn pack(self) -> u32 {
        self.row << 1 | u32::from(self.negative)
    }

    fn unpack(word: u32) -> Self {
        Self { row: word >> 1, negative: word & 1 == 1 }
    }
}

/// The m x n embedding S for one epoch (time step, iteration); m a multiple of 8.
#[derive(Clone, Copy, Debug)]
pub struct RowSketch {
    random: Philox,
    epoch: u64,
    sketch_rows: usize,
}

/// S by its own rows, as a kernel that gathers needs it: row q holds `entries[starts[q]..starts[q + 1]]`,
/// each `2 i + negative`, i ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatherLists {
    pub starts: Vec<u32>,
    pub entries: Vec<u32>,
}

impl GatherLists {
    /// The hits of one sketch row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Hit> {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        self.entries[range].iter().map(|&word| Hit::unpack(word))
    }
}

impl RowSketch {
    /// A sketch of at least `sketch_rows` rows (rounded up to a multiple of 8).
    #[must_use]
    pub fn new(seed: u64, epoch: u64, sketch_rows: usize) -> Self {
        let random = Philox::new(seed, Stream::RowSketch);
        Self { random, epoch, sketch_rows: sketch_rows.max(1).next_multiple_of(HITS) }
    }

    /// m.
    #[must_use]
    pub fn sketch_rows(&self) -> usize {
        self.sketch_rows
    }

    /// The value of a positive entry, 1/sqrt(8).
    #[must_use]
    pub fn scale() -> f64 {
        (HITS as f64).sqrt().recip()
    }

    /// Where row `row` of J goes: one hit in each of the eight blocks.
    #[must_use]
    pub fn rows_of(&self, row: u32) -> [Hit; HITS] {
        let height = (self.sketch_rows / HITS) as u32;
        let first = self.random.words(self.epoch, 2 * row);
        let second = self.random.words(self.epoch, 2 * row + 1);
        std::array::from_fn(|block| {
            let word = if block < 4 { first[block] } else { second[block - 4] };
            let place = (u64::from(word) * u64::from(height)) >> 32;
            Hit { row: block as u32 * height + place as u32, negative: word & 1 == 1 }
        })
    }

    /// The lists by sketch row, for `rows` rows of J.
    #[must_use]
    pub fn gather_lists(&self, rows: usize) -> GatherLists {
        let hits = self.packed_hits(0, rows);
        let mut starts = vec![0u32; self.sketch_rows + 1];
        for word in hits.iter().flatten() {
            starts[(word >> 1) as usize + 1] += 1;
        }
        for row in 0..self.sketch_rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut entries = vec![0u32; rows * HITS];
        for (i, row_hits) in hits.iter().enumerate() {
            for &word in row_hits {
                let hit = Hit::unpack(word);
                let place = &mut next[hit.row as usize];
                entries[*place as usize] = Hit { row: i as u32, ..hit }.pack();
                *place += 1;
            }
        }
        GatherLists { starts, entries }
    }

    /// `S J`, m x s, summed in f64.
    #[must_use]
    pub fn apply<T: Real>(&self, j: DMatrixView<'_, T>) -> DMatrix<f64> {
        let mut out = DMatrix::zeros(self.sketch_rows, j.ncols());
        self.add(j, 0, out.as_mut_slice());
        out
    }

    /// `S x`.
    #[must_use]
    pub fn apply_to_vector(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.sketch_rows];
        self.add(DMatrixView::from_slice(x, x.len(), 1), 0, &mut out);
        out
    }

    /// Adds the share of the rows `first_row..` of J, given as a block of rows, to `out` (m x s):
    /// J never has to exist as a whole.
    ///
    /// # Errors
    /// `SketchShape` where `out` does not match.
    pub fn accumulate<T: Real>(
        &self,
        block: DMatrixView<'_, T>,
        first_row: usize,
        out: &mut DMatrix<f64>,
    ) -> Result<(), LeastSquaresError> {
        if out.shape() != (self.sketch_rows, block.ncols()) {
            return Err(LeastSquaresError::SketchShape {
                rows: out.nrows(),
                columns: out.ncols(),
                expected_rows: self.sketch_rows,
                expected_columns: block.ncols(),
            });
        }
        self.add(block, first_row, out.as_mut_slice());
        Ok(())
    }

    /// `out += S block`, the columns of `out` one after the other.
    pub(super) fn add<T: Real>(
        &self,
        block: DMatrixView<'_, T>,
        first_row: usize,
        out: &mut [f64],
    ) {
        if block.is_empty() {
            return;
        }
        let hits = self.packed_hits(first_row, block.nrows());
        let group = |(index, out): (usize, &mut [f64])| {
            let first = index * LANES;
            pulp::Arch::new().dispatch(Scatter { hits: &hits, block, first, out });
        };
        let length = LANES * self.sketch_rows;
        if threading_pays(block.len() as f64 * HITS as f64) {
            out.par_chunks_mut(length).enumerate().for_each(group);
        } else {
            out.chunks_mut(length).enumerate().for_each(group);
        }
    }

    fn packed_hits(&self, first_row: usize, rows: usize) -> Vec<[u32; HITS]> {
        let draw = |i: usize| self.rows_of((first_row + i) as u32).map(Hit::pack);
        if rows > 20_000 {
            (0..rows).into_par_iter().with_min_len(4_096).map(draw).collect()
        } else {
            (0..rows).map(draw).collect()
        }
    }
}

/// Sketches up to `LANES` columns: their sums are interleaved, so that one hit is a vector sum.
///
/// Rows are taken in tiles and the eight blocks of S in turn, so that a tile and one block's sums
/// stay in the first-level cache together.
struct Scatter<'a, T> {
    hits: &'a [[u32; HITS]],
    block: DMatrixView<'a, T>,
    /// The first of the columns.
    first: usize,
    out: &'a mut [f64],
}

impl<T: Real> pulp::WithSimd for Scatter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let columns = LANES.min(self.block.ncols() - self.first);
        let mut sums = vec![[0.0f64; LANES]; self.out.len() / columns];
        let height = sums.len() / HITS;
        let mut tile = [[0.0f64; LANES]; TILE];
        for (index, hits) in self.hits.chunks(TILE).enumerate() {
            let rows = index * TILE..index * TILE + hits.len();
            for lane in 0..columns {
                let column = &column(&self.block, self.first + lane)[rows.clone()];
                for (values, x) in tile.iter_mut().zip(column) {
                    values[lane] = x.to_f64();
                }
            }
            for (index, sums) in sums.chunks_exact_mut(height).enumerate() {
                add_block(simd, &tile, hits, index, sums);
            }
        }
        let scale = RowSketch::scale();
        for (lane, out) in self.out.chunks_exact_mut(sums.len()).enumerate() {
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out += scale * sum[lane];
            }
        }
    }
}

/// Adds a tile's rows to the sums of one of the eight blocks.
#[inline(always)]
fn add_block<S: pulp::Simd>(
    simd: S,
    tile: &[[f64; LANES]; TILE],
    hits: &[[u32; HITS]],
    block: usize,
    sums: &mut [[f64; LANES]],
) {
    let first = block * sums.len();
    let signs = [simd.splat_f64s(1.0), simd.splat_f64s(-1.0)];
    for (values, row_hits) in tile.iter().zip(hits) {
        let word = row_hits[block];
        let sign = signs[(word & 1) as usize];
        let (values, _) = S::as_simd_f64s(values);
        let (sums, _) = S::as_mut_simd_f64s(&mut sums[(word >> 1) as usize - first]);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = simd.mul_add_e_f64s(sign, *value, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::singular_values;
    use crate::testing::{Planted, normals};

    fn dense(sketch: &RowSketch, rows: usize) -> DMatrix<f64> {
        let mut s = DMatrix::zeros(sketch.sketch_rows(), rows);
        for i in 0..rows {
            for hit in sketch.rows_of(i as u32) {
                s[(hit.row as usize, i)] +=
                    RowSketch::scale() * if hit.negative { -1.0 } else { 1.0 };
            }
        }
        s
    }

    #[test]
    fn each_row_hits_each_block_once() {
        let sketch = RowSketch::new(5, 2, 50);
        assert_eq!(sketch.sketch_rows(), 56);
        let mut hits = vec![0u32; 56];
        let mut negative = 0;
        for i in 0..7_000 {
            for (block, hit) in sketch.rows_of(i).iter().enumerate() {
                assert_eq!(hit.row as usize / 7, block);
                hits[hit.row as usize] += 1;
                negative += u32::from(hit.negative);
            }
        }
        // Mean 1,000, deviation 29; of the signs, mean 28,000, deviation 118: five either way.
        assert!(hits.iter().all(|h| (850..=1_150).contains(h)), "{hits:?}");
        assert!((27_400..=28_600).contains(&negative), "{negative}");
    }

    #[test]
    fn the_gather_lists_are_the_inverse_of_the_hits() {
        let sketch = RowSketch::new(5, 1 << 40, 64);
        let rows = 333;
        let lists = sketch.gather_lists(rows);
        assert_eq!(lists.entries.len(), rows * HITS);
        for q in 0..sketch.sketch_rows() {
            let expected: Vec<Hit> = (0..rows as u32)
                .flat_map(|i| sketch.rows_of(i).map(|hit| (i, hit)))
                .filter(|(_, hit)| hit.row as usize == q)
                .map(|(i, hit)| Hit { row: i, ..hit })
                .collect();
            assert_eq!(lists.row(q).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn applying_is_the_product_with_the_dense_sketch() {
        for (rows, columns) in [(1, 1), (17, 3), (200, 9), (301, 16)] {
            let sketch = RowSketch::new(3, 7, 2 * columns);
            let j = DMatrix::from_fn(rows, columns, |i, k| normals(1, (i * 31 + k) as u64)[0]);
            let expected = dense(&sketch, rows) * &j;
            let whole = sketch.apply(j.as_view());
            let mut streamed = DMatrix::zeros(sketch.sketch_rows(), columns);
            for first in (0..rows).step_by(64) {
                let block = j.rows(first, 64.min(rows - first));
                sketch.accumulate(block, first, &mut streamed).expect("the shape of S J");
            }
            let allowed = rows as f64 * f64::EPSILON * j.amax() * 4.0;
            assert!((&whole - &expected).amax() <= allowed);
            assert!((&streamed - &expected).amax() <= allowed);
            let other = RowSketch::new(3, 8, 2 * columns).apply(j.as_view());
            assert!((&other - &expected).amax() > allowed, "another epoch must differ");
        }
    }

    #[test]
    fn a_sum_of_the_wrong_shape_is_refused() {
        let sketch = RowSketch::new(1, 0, 16);
        let refused =
            sketch.accumulate(DMatrix::<f32>::zeros(4, 3).as_view(), 0, &mut DMatrix::zeros(16, 2));
        let expected = LeastSquaresError::SketchShape {
            rows: 16,
            columns: 2,
            expected_rows: 16,
            expected_columns: 3,
        };
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn a_subspace_keeps_its_lengths() {
        let rank = 20;
        let basis = Planted::new(500, rank, vec![1.0; rank]).left;
        for sketch_rows in [80, 320] {
            let sketched = RowSketch::new(1, 0, sketch_rows).apply(basis.as_view());
            let sigma = singular_values(sketched.as_view()).expect("a small matrix converges");
            // The law of random matrices: 1 +- sqrt(r / m), with a margin for finite size.
            let spread = 1.3 * (rank as f64 / sketch_rows as f64).sqrt();
            assert!(sigma[0] < 1.0 + spread && sigma[rank - 1] > 1.0 - spread, "{sigma:?}");
            assert!(sigma[0] > 1.0 + spread / 3.0, "an embedding this good is not a sketch");
        }
    }
}
