//! Products with a tall matrix, accumulated in f64 whatever its entries are.
//!
//! faer multiplies matrices of one type only; these kernels take f32 entries into f64 sums without
//! a converted copy of the whole matrix. They are compiled once per instruction set and chosen at
//! run time (`pulp`).

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::buffer::Buffer;
use super::error::LeastSquaresError;
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
/// Strips of columns that threads share in a Gram product.
const STRIPS: usize = 6;

/// Whether so many operations are shared out over threads.
pub fn threading_pays(operations: f64) -> bool {
    operations >= THREADING_PAYS && rayon::current_num_threads() > 1
}

/// What faer is told for so many operations: all threads where they pay, one otherwise.
#[cfg(not(target_arch = "wasm32"))]
pub fn parallelism(operations: f64) -> Par {
    if threading_pays(operations) { Par::rayon(0) } else { Par::Seq }
}

/// One thread: the barriers that faer's own threads wait at do not compile for a browser. The
/// products that take longest do not need them ([`threading_pays`]).
#[cfg(target_arch = "wasm32")]
pub fn parallelism(_operations: f64) -> Par {
    Par::Seq
}

/// The matrix's columns as slices.
///
/// # Errors
/// `Layout` where a column is not contiguous.
pub fn columns<T: Real>(matrix: MatRef<'_, T>) -> Result<Vec<&[T]>, LeastSquaresError> {
    (0..matrix.ncols())
        .map(|k| {
            matrix
                .col(k)
                .try_as_col_major()
                .map(|column| column.as_slice())
                .ok_or(LeastSquaresError::Layout { column: k })
        })
        .collect()
}

/// `out = J v`; `columns` are those of J.
pub fn multiply<T: Real>(columns: &[&[T]], v: &[f64], out: &mut [f64]) {
    let block = |index: usize, out: &mut [f64]| {
        pulp::Arch::new().dispatch(MultiplyBlock { columns, v, first: index * ROW_BLOCK, out });
    };
    if threading_pays(2.0 * out.len() as f64 * columns.len() as f64) {
        out.par_chunks_mut(ROW_BLOCK).enumerate().for_each(|(k, out)| block(k, out));
    } else {
        out.chunks_mut(ROW_BLOCK).enumerate().for_each(|(k, out)| block(k, out));
    }
}

// The kernels are types with `with_simd`, not closures: a closure that the compiler does not inline
// is compiled for the oldest processor, silently.

struct MultiplyBlock<'a, T> {
    columns: &'a [&'a [T]],
    v: &'a [f64],
    first: usize,
    out: &'a mut [f64],
}

impl<T: Real> pulp::WithSimd for MultiplyBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        multiply_block(self.columns, self.v, self.first, self.out);
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
    columns: &'a [&'a [T]],
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
        both_block(self.columns, self.v, self.alpha, self.first, self.u, self.sums);
    }
}

#[inline(always)]
fn multiply_block<T: Real>(columns: &[&[T]], v: &[f64], first: usize, out: &mut [f64]) {
    out.fill(0.0);
    let rows = first..first + out.len();
    let mut quads = columns.chunks_exact(4).zip(v.chunks_exact(4));
    for (four, v) in &mut quads {
        let [a, b, c, d] = std::array::from_fn(|k| &four[k][rows.clone()]);
        for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *out +=
                (v[0] * a.to_f64() + v[1] * b.to_f64()) + (v[2] * c.to_f64() + v[3] * d.to_f64());
        }
    }
    let done = columns.len() / 4 * 4;
    for (column, &v) in columns[done..].iter().zip(&v[done..]) {
        for (out, a) in out.iter_mut().zip(&column[rows.clone()]) {
            *out += v * a.to_f64();
        }
    }
}

/// `out = J^T w`; `columns` are those of J.
pub fn multiply_transposed<T: Real>(columns: &[&[T]], w: &[f64], out: &mut [f64]) {
    let each = |(column, out): (&&[T], &mut f64)| {
        *out = pulp::Arch::new().dispatch(Dot { a: column, b: w });
    };
    if threading_pays(2.0 * w.len() as f64 * columns.len() as f64) {
        columns.par_iter().zip(out).with_min_len(8).for_each(each);
    } else {
        columns.iter().zip(out).for_each(each);
    }
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

/// `u = J v - alpha u`, then `out = J^T u`, in one pass over J; `columns` are those of J.
pub fn multiply_both<T: Real>(
    columns: &[&[T]],
    v: &[f64],
    alpha: f64,
    u: &mut [f64],
    out: &mut [f64],
) {
    let (n, s) = (u.len(), columns.len());
    let height = (CACHED_BLOCK / (s.max(1) * size_of::<T>())).clamp(32, ROW_BLOCK) / 16 * 16;
    let share = n.div_ceil(PARTIAL_SUMS).next_multiple_of(height);
    let part = |(index, u): (usize, &mut [f64])| {
        let mut sums = vec![0.0; s];
        for (block, u) in u.chunks_mut(height).enumerate() {
            let first = index * share + block * height;
            let sums = &mut sums;
            pulp::Arch::new().dispatch(BothBlock { columns, v, alpha, first, u, sums });
        }
        sums
    };
    let partial: Vec<Vec<f64>> = if threading_pays(4.0 * n as f64 * s as f64) {
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
    columns: &[&[T]],
    v: &[f64],
    alpha: f64,
    first: usize,
    u: &mut [f64],
    sums: &mut [f64],
) {
    let rows = first..first + u.len();
    let mut image = [0.0; ROW_BLOCK];
    let image = &mut image[..u.len()];
    multiply_block(columns, v, first, image);
    u.iter_mut().zip(image).for_each(|(u, image)| *u = *image - alpha * *u);
    let mut quads = columns.chunks_exact(4).zip(sums.chunks_exact_mut(4));
    for (four, sums) in &mut quads {
        let dots = dot_four(std::array::from_fn(|k| &four[k][rows.clone()]), u);
        sums.iter_mut().zip(dots).for_each(|(sum, dot)| *sum += dot);
    }
    let done = columns.len() / 4 * 4;
    for (column, sum) in columns[done..].iter().zip(&mut sums[done..]) {
        *sum += dot(&column[rows.clone()], u);
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
pub fn gram<T: Real>(columns: &[&[T]], out: MatMut<'_, f64>, panel: &mut Buffer) {
    let (n, s) = (columns[0].len(), columns.len());
    let height = (PANEL_ENTRIES / s).clamp(64.min(n), n);
    accumulate(out, n, height, |rows, out, accumulation| {
        panel.reshape(rows.len(), s);
        convert(columns.iter().map(|column| &column[rows.clone()]), panel);
        let panel = panel.view();
        lower_product(out, accumulation, panel.transpose(), panel);
    });
}

/// The lower triangle of `J J^T` (n x n), products and sums in f64.
pub fn kernel<T: Real>(columns: &[&[T]], out: MatMut<'_, f64>, panel: &mut Buffer) {
    let (n, s) = (columns[0].len(), columns.len());
    let width = (PANEL_ENTRIES / n).clamp(64.min(s), s);
    accumulate(out, s, width, |chosen, out, accumulation| {
        panel.reshape(n, chosen.len());
        convert(columns[chosen].iter().copied(), panel);
        let panel = panel.view();
        lower_product(out, accumulation, panel, panel.transpose());
    });
}

/// Sums products over blocks of `step` of `total` inner indices.
fn accumulate(
    mut out: MatMut<'_, f64>,
    total: usize,
    step: usize,
    mut product: impl FnMut(std::ops::Range<usize>, MatMut<'_, f64>, Accum),
) {
    for start in (0..total).step_by(step) {
        let end = (start + step).min(total);
        let accumulation = if start == 0 { Accum::Replace } else { Accum::Add };
        product(start..end, out.as_mut(), accumulation);
    }
}

/// The lower triangle of `out = a b` or `out += a b`, in strips of columns.
///
/// faer's own threads wait for each other many times in one product, which a busy machine punishes
/// tenfold; the strips are independent and are shared out by work stealing. The sums do not depend
/// on the number of threads.
pub fn lower_product(
    out: MatMut<'_, f64>,
    accumulation: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
) {
    let order = out.nrows();
    let width = order.div_ceil(STRIPS).max(16);
    let strip = |(index, out): (usize, MatMut<'_, f64>)| {
        lower_strip(out, index * width, accumulation, a, b);
    };
    let mut strips = Vec::with_capacity(order.div_ceil(width));
    let mut rest = out;
    for index in 0..order.div_ceil(width) {
        let left = rest.ncols();
        let (next, tail) = rest.split_at_col_mut(width.min(left));
        strips.push((index, next));
        rest = tail;
    }
    if threading_pays((order * order) as f64 * a.ncols() as f64) {
        strips.into_par_iter().for_each(strip);
    } else {
        strips.into_iter().for_each(strip);
    }
}

/// Columns `first..` of [`lower_product`].
fn lower_strip(
    out: MatMut<'_, f64>,
    first: usize,
    accumulation: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
) {
    use BlockStructure::{Rectangular, TriangularLower};
    let (order, width) = out.shape();
    let last = first + width;
    let (_, out) = out.split_at_row_mut(first);
    let (diagonal, below) = out.split_at_row_mut(width);
    let b = b.subcols(first, width);
    triangular::matmul(
        diagonal,
        TriangularLower,
        accumulation,
        a.subrows(first, width),
        Rectangular,
        b,
        Rectangular,
        1.0,
        Par::Seq,
    );
    matmul(below, accumulation, a.subrows(last, order - last), b, 1.0, Par::Seq);
}

/// Copies columns into a buffer of their shape.
pub fn convert<'a, T: Real>(columns: impl Iterator<Item = &'a [T]>, out: &mut Buffer) {
    for (k, column) in columns.enumerate() {
        for (out, x) in out.column_mut(k).iter_mut().zip(column) {
            *out = x.to_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;
    use crate::testing::normals;

    fn matrix(n: usize, s: usize) -> Mat<f32> {
        let entries = normals(n * s, 1);
        Mat::from_fn(n, s, |i, k| entries[i * s + k] as f32)
    }

    const SHAPES: [(usize, usize); 7] =
        [(1, 1), (1, 9), (31, 4), (33, 5), (64, 7), (1_025, 3), (2_500, 1_001)];

    #[test]
    fn products_with_vectors_are_the_sums_that_define_them() {
        for (n, s) in SHAPES {
            let j = matrix(n, s);
            let columns = columns(j.as_ref()).expect("column-major");
            let (v, w) = (normals(s, 2), normals(n, 3));
            let (mut forward, mut backward) = (vec![f64::NAN; n], vec![f64::NAN; s]);
            multiply(&columns, &v, &mut forward);
            multiply_transposed(&columns, &w, &mut backward);
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
            let columns = columns(j.as_ref()).expect("column-major");
            let (v, start) = (normals(s, 2), normals(n, 3));
            let (mut u, mut image, mut g) = (start.clone(), vec![0.0; n], vec![0.0; s]);
            multiply_both(&columns, &v, 0.7, &mut u, &mut g);
            multiply(&columns, &v, &mut image);
            let allowed = 20.0 * (n + s) as f64 * f64::EPSILON;
            for i in 0..n {
                let expected = image[i] - 0.7 * start[i];
                assert!((u[i] - expected).abs() <= allowed, "row {i} of {n} x {s}");
            }
            let mut expected = vec![0.0; s];
            multiply_transposed(&columns, &u, &mut expected);
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
            let columns = columns(j.as_ref()).expect("column-major");
            let (mut panel, mut product) = (Buffer::default(), Buffer::default());
            let allowed = 20.0 * (n + s) as f64 * f64::EPSILON;
            gram(&columns, product.reshape(s, s), &mut panel);
            for k in (0..s).step_by(1 + s / 20) {
                for l in (0..=k).step_by(1 + k / 20) {
                    let terms = (0..n).map(|i| f64::from(j[(i, k)]) * f64::from(j[(i, l)]));
                    assert!((product.view()[(k, l)] - terms.sum::<f64>()).abs() <= allowed);
                }
            }
            kernel(&columns, product.reshape(n, n), &mut panel);
            for i in (0..n).step_by(1 + n / 20) {
                for l in (0..=i).step_by(1 + i / 20) {
                    let terms = (0..s).map(|k| f64::from(j[(i, k)]) * f64::from(j[(l, k)]));
                    assert!((product.view()[(i, l)] - terms.sum::<f64>()).abs() <= allowed);
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
