//! Products with a tall matrix, accumulated in f64 whatever its entries are.
//!
//! nalgebra and faer multiply matrices of one type only; these kernels take f32 entries into f64
//! sums without a converted copy of the whole matrix. They are compiled once per instruction set and
//! chosen at run time (`pulp`), and so are faster than nalgebra's products with a vector, which are
//! compiled for the oldest processor: on one thread `J v` and `J^T w` of 1,000 x 150 in f64 take 10 and
//! 11 us against 22 and 18, of 10,000 x 800 1.8 and 2.4 ms against 2.9 and 2.9 (f32: 1.4 and 1.9).

use nalgebra::{DMatrix, DMatrixView};
use rayon::prelude::*;

use super::blocks::reshape;
use super::bridge::lower_product;
use crate::scalar::Real;

/// Below so many floating-point operations one thread is faster than two.
const THREADING_PAYS: f64 = 4e6;
/// Rows of one block of `J v`: its f64 sums stay in the first-level cache.
const ROW_BLOCK: usize = 1024;
/// Bytes of the block of rows that [`multiply_both`] reads twice, the second time from the
/// second-level cache.
const CACHED_BLOCK: usize = 1 << 19;
/// Partial sums of [`multiply_both`]: their number is fixed, so that the sums do not depend on the
/// number of threads.
const PARTIAL_SUMS: usize = 32;
/// Entries of one converted panel of a Gram product (4 MiB).
const PANEL_ENTRIES: usize = 1 << 19;

/// Whether so many operations are shared out over threads.
pub fn threading_pays(operations: f64) -> bool {
    operations >= THREADING_PAYS && rayon::current_num_threads() > 1
}

/// Column k; a view's columns have no gaps.
#[inline(always)]
pub fn column<'m, T>(matrix: &'m DMatrixView<'_, T>, k: usize) -> &'m [T] {
    matrix.column(k).data.into_slice()
}

/// `out = J v`.
pub fn multiply<T: Real>(j: DMatrixView<'_, T>, v: &[f64], out: &mut [f64]) {
    let block = |index: usize, out: &mut [f64]| {
        pulp::Arch::new().dispatch(MultiplyBlock { j, v, first: index * ROW_BLOCK, out });
    };
    if threading_pays(2.0 * j.len() as f64) {
        out.par_chunks_mut(ROW_BLOCK).enumerate().for_each(|(k, out)| block(k, out));
    } else {
        out.chunks_mut(ROW_BLOCK).enumerate().for_each(|(k, out)| block(k, out));
    }
}

// The kernels are types with `with_simd`, not closures: a closure that the compiler does not inline
// is compiled for the oldest processor, silently.

struct MultiplyBlock<'a, T> {
    j: DMatrixView<'a, T>,
    v: &'a [f64],
    first: usize,
    out: &'a mut [f64],
}

impl<T: Real> pulp::WithSimd for MultiplyBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        multiply_block(&self.j, self.v, self.first, self.out);
    }
}

struct Dot<'a, T> {
    a: &'a [T],
    b: &'a [f64],
}

impl<T: Real> pulp::WithSimd for Dot<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        dot(self.a, self.b)
    }
}

struct BothBlock<'a, T> {
    j: DMatrixView<'a, T>,
    v: &'a [f64],
    alpha: f64,
    first: usize,
    u: &'a mut [f64],
    sums: &'a mut [f64],
}

impl<T: Real> pulp::WithSimd for BothBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        both_block(&self.j, self.v, self.alpha, self.first, self.u, self.sums);
    }
}

#[inline(always)]
fn multiply_block<T: Real>(j: &DMatrixView<'_, T>, v: &[f64], first: usize, out: &mut [f64]) {
    out.fill(0.0);
    let rows = first..first + out.len();
    let (quads, rest) = v.as_chunks::<4>();
    for (q, v) in quads.iter().enumerate() {
        let [a, b, c, d] = std::array::from_fn(|k| &column(j, 4 * q + k)[rows.clone()]);
        for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *out +=
                (v[0] * a.to_f64() + v[1] * b.to_f64()) + (v[2] * c.to_f64() + v[3] * d.to_f64());
        }
    }
    for (k, &v) in (4 * quads.len()..).zip(rest) {
        for (out, a) in out.iter_mut().zip(&column(j, k)[rows.clone()]) {
            *out += v * a.to_f64();
        }
    }
}

/// `out = J^T w`.
pub fn multiply_transposed<T: Real>(j: DMatrixView<'_, T>, w: &[f64], out: &mut [f64]) {
    let each = |(k, out): (usize, &mut f64)| {
        *out = pulp::Arch::new().dispatch(Dot { a: column(&j, k), b: w });
    };
    if threading_pays(2.0 * j.len() as f64) {
        out.par_iter_mut().enumerate().with_min_len(8).for_each(each);
    } else {
        out.iter_mut().enumerate().for_each(each);
    }
}

/// `A x`.
#[must_use]
pub fn times<T: Real>(a: DMatrixView<'_, T>, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.nrows()];
    multiply(a, x, &mut out);
    out
}

/// `A^T x`.
#[must_use]
pub fn transposed_times<T: Real>(a: DMatrixView<'_, T>, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.ncols()];
    multiply_transposed(a, x, &mut out);
    out
}

#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[f64]) -> f64 {
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    let (mut a_chunks, mut b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in (&mut a_chunks).zip(&mut b_chunks) {
        for lane in 0..LANES {
            sums[lane] += a[lane].to_f64() * b[lane];
        }
    }
    let rest: f64 =
        a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a.to_f64() * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// `u = J v - alpha u`, then `out = J^T u`, in one pass over J.
pub fn multiply_both<T: Real>(
    j: DMatrixView<'_, T>,
    v: &[f64],
    alpha: f64,
    u: &mut [f64],
    out: &mut [f64],
) {
    let (n, s) = j.shape();
    let height = (CACHED_BLOCK / (s.max(1) * size_of::<T>())).clamp(32, ROW_BLOCK) / 16 * 16;
    let share = n.div_ceil(PARTIAL_SUMS).next_multiple_of(height);
    let part = |(index, u): (usize, &mut [f64])| {
        let mut sums = vec![0.0; s];
        for (block, u) in u.chunks_mut(height).enumerate() {
            let first = index * share + block * height;
            let sums = &mut sums;
            pulp::Arch::new().dispatch(BothBlock { j, v, alpha, first, u, sums });
        }
        sums
    };
    let partial: Vec<Vec<f64>> = if threading_pays(4.0 * j.len() as f64) {
        u.par_chunks_mut(share).enumerate().map(part).collect()
    } else {
        u.chunks_mut(share).enumerate().map(part).collect()
    };
    out.fill(0.0);
    for sums in partial {
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
    }
}

/// The rows `first..` of [`multiply_both`], added to `sums`.
#[inline(always)]
fn both_block<T: Real>(
    j: &DMatrixView<'_, T>,
    v: &[f64],
    alpha: f64,
    first: usize,
    u: &mut [f64],
    sums: &mut [f64],
) {
    let rows = first..first + u.len();
    let mut image = [0.0; ROW_BLOCK];
    let image = &mut image[..u.len()];
    multiply_block(j, v, first, image);
    u.iter_mut().zip(image).for_each(|(u, image)| *u = *image - alpha * *u);
    let (quads, rest) = sums.as_chunks_mut::<4>();
    let done = 4 * quads.len();
    for (q, sums) in quads.iter_mut().enumerate() {
        let four = std::array::from_fn(|k| &column(j, 4 * q + k)[rows.clone()]);
        let dots = dot_four(four, u);
        sums.iter_mut().zip(dots).for_each(|(sum, dot)| *sum += dot);
    }
    for (k, sum) in (done..).zip(rest) {
        *sum += dot(&column(j, k)[rows.clone()], u);
    }
}

/// Four inner products with the same b.
#[inline(always)]
fn dot_four<T: Real>(a: [&[T]; 4], b: &[f64]) -> [f64; 4] {
    const LANES: usize = 16;
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let chunks = a.map(|a| &a.as_chunks::<LANES>().0[..b_chunks.len()]);
    let mut sums = [[0.0; LANES]; 4];
    for (i, b) in b_chunks.iter().enumerate() {
        for (sums, chunks) in sums.iter_mut().zip(&chunks) {
            let a = &chunks[i];
            for lane in 0..LANES {
                sums[lane] += a[lane].to_f64() * b[lane];
            }
        }
    }
    let done = b.len() - b_rest.len();
    std::array::from_fn(|k| {
        let rest: f64 = a[k][done..].iter().zip(b_rest).map(|(a, b)| a.to_f64() * b).sum();
        sums[k].iter().sum::<f64>() + rest
    })
}

/// Euclidean norm, safe against overflow of the squares; not a number where an entry is not.
pub fn norm(x: &[f64]) -> f64 {
    let square = x.iter().map(|x| x * x).sum::<f64>();
    if (1e-200..1e200).contains(&square) || square.is_nan() {
        return square.sqrt();
    }
    let largest = x.iter().fold(0.0f64, |largest, &x| largest.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * x.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt()
}

/// The lower triangle of `J^T J` (s x s), products and sums in f64.
pub fn gram<T: Real>(j: DMatrixView<'_, T>, out: &mut DMatrix<f64>, panel: &mut DMatrix<f64>) {
    let (n, s) = j.shape();
    let height = (PANEL_ENTRIES / s).clamp(64.min(n), n);
    reshape(out, s, s);
    for first in (0..n).step_by(height) {
        convert(j.rows(first, height.min(n - first)), panel);
        lower_product(out, first > 0, panel.as_view(), false);
    }
}

/// The lower triangle of `J J^T` (n x n), products and sums in f64.
pub fn kernel<T: Real>(j: DMatrixView<'_, T>, out: &mut DMatrix<f64>, panel: &mut DMatrix<f64>) {
    let (n, s) = j.shape();
    let width = (PANEL_ENTRIES / n).clamp(64.min(s), s);
    reshape(out, n, n);
    for first in (0..s).step_by(width) {
        convert(j.columns(first, width.min(s - first)), panel);
        lower_product(out, first > 0, panel.as_view(), true);
    }
}

/// Copies a matrix.
pub fn convert<T: Real>(matrix: DMatrixView<'_, T>, out: &mut DMatrix<f64>) {
    reshape(out, matrix.nrows(), matrix.ncols());
    let columns = out.as_mut_slice().chunks_exact_mut(matrix.nrows().max(1));
    for (k, out) in columns.enumerate() {
        out.iter_mut().zip(column(&matrix, k)).for_each(|(out, x)| *out = x.to_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normals;

    fn matrix(n: usize, s: usize) -> DMatrix<f32> {
        let entries = normals(n * s, 1);
        DMatrix::from_fn(n, s, |i, k| entries[i * s + k] as f32)
    }

    const SHAPES: [(usize, usize); 7] =
        [(1, 1), (1, 9), (31, 4), (33, 5), (64, 7), (1_025, 3), (2_500, 1_001)];

    #[test]
    fn products_with_vectors_are_the_sums_that_define_them() {
        for (n, s) in SHAPES {
            let j = matrix(n, s);
            let (v, w) = (normals(s, 2), normals(n, 3));
            let (mut forward, mut backward) = (vec![f64::NAN; n], vec![f64::NAN; s]);
            multiply(j.as_view(), &v, &mut forward);
            multiply_transposed(j.as_view(), &w, &mut backward);
            let allowed = 20.0 * (n + s) as f64 * f64::EPSILON;
            for i in (0..n).step_by(1 + n / 50) {
                let sum: f64 = (0..s).map(|k| f64::from(j[(i, k)]) * v[k]).sum();
                assert!((forward[i] - sum).abs() <= allowed, "row {i} of {n} x {s}");
            }
            for k in (0..s).step_by(1 + s / 50) {
                let sum: f64 = (0..n).map(|i| f64::from(j[(i, k)]) * w[i]).sum();
                assert!((backward[k] - sum).abs() <= allowed, "column {k} of {n} x {s}");
            }
        }
    }

    #[test]
    fn both_products_in_one_pass_are_the_two_one_by_one() {
        for (n, s) in SHAPES.into_iter().chain([(40_003, 7), (700, 3_000)]) {
            let j = matrix(n, s);
            let (v, start) = (normals(s, 2), normals(n, 3));
            let (mut u, mut image, mut g) = (start.clone(), vec![0.0; n], vec![0.0; s]);
            multiply_both(j.as_view(), &v, 0.7, &mut u, &mut g);
            multiply(j.as_view(), &v, &mut image);
            let allowed = 20.0 * (n + s) as f64 * f64::EPSILON;
            for i in 0..n {
                let expected = image[i] - 0.7 * start[i];
                assert!((u[i] - expected).abs() <= allowed, "row {i} of {n} x {s}");
            }
            let mut expected = vec![0.0; s];
            multiply_transposed(j.as_view(), &u, &mut expected);
            let size = norm(&u);
            for k in 0..s {
                assert!((g[k] - expected[k]).abs() <= allowed * size, "column {k} of {n} x {s}");
            }
            let planted = expected[0] + f64::from(j[(n / 2, 0)]) * u[n / 2];
            assert!((g[0] - planted).abs() > allowed * size, "a row counted twice is seen");
        }
    }

    #[test]
    fn gram_and_kernel_are_the_sums_that_define_them() {
        for (n, s) in SHAPES {
            let j = matrix(n, s);
            let (mut panel, mut product) = (DMatrix::default(), DMatrix::default());
            let allowed = 20.0 * (n + s) as f64 * f64::EPSILON;
            gram(j.as_view(), &mut product, &mut panel);
            for k in (0..s).step_by(1 + s / 20) {
                for l in (0..=k).step_by(1 + k / 20) {
                    let terms = (0..n).map(|i| f64::from(j[(i, k)]) * f64::from(j[(i, l)]));
                    assert!((product[(k, l)] - terms.sum::<f64>()).abs() <= allowed);
                }
            }
            kernel(j.as_view(), &mut product, &mut panel);
            for i in (0..n).step_by(1 + n / 20) {
                for l in (0..=i).step_by(1 + i / 20) {
                    let terms = (0..s).map(|k| f64::from(j[(i, k)]) * f64::from(j[(l, k)]));
                    assert!((product[(i, l)] - terms.sum::<f64>()).abs() <= allowed);
                }
            }
        }
    }

    #[test]
    fn the_norm_neither_overflows_nor_underflows() {
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert_eq!(norm(&[]), 0.0);
        assert!(norm(&[f64::NAN]).is_nan() && norm(&[0.0, f64::NAN, 1.0]).is_nan());
        assert_eq!(norm(&[f64::NEG_INFINITY, 1.0]), f64::INFINITY);
    }
}
