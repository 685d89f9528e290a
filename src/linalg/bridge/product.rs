//! Products of matrices.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use super::{parallelism, view, view_mut, whole};
use crate::blocks::reshape;
use crate::products::threading_pays;
use crate::scalar::Real;

/// Strips of columns that threads share in a Gram product.
const STRIPS: usize = 6;

/// A number that products are computed in.
pub trait Entry: Real {
    /// `out += A B`; [`add_product`] of any precision.
    fn add_product(
        out: DMatrixViewMut<'_, Self>,
        a: DMatrixView<'_, Self>,
        b: DMatrixView<'_, Self>,
    );
}

macro_rules! entry {
    ($type:ident) => {
        impl Entry for $type {
            fn add_product(
                out: DMatrixViewMut<'_, Self>,
                a: DMatrixView<'_, Self>,
                b: DMatrixView<'_, Self>,
            ) {
                let work = 2.0 * out.len() as f64 * a.ncols() as f64;
                matmul(view_mut(out), Accum::Add, view(a), view(b), 1.0, parallelism(work));
            }
        }
    };
}

entry!(f32);
entry!(f64);

/// `out += A B`.
pub fn add_product<T: Entry>(
    out: DMatrixViewMut<'_, T>,
    a: DMatrixView<'_, T>,
    b: DMatrixView<'_, T>,
) {
    T::add_product(out, a, b);
}

/// `out += A^T B`.
pub fn add_transposed_product(
    out: DMatrixViewMut<'_, f64>,
    a: DMatrixView<'_, f64>,
    b: DMatrixView<'_, f64>,
) {
    let par = parallelism(2.0 * out.len() as f64 * a.nrows() as f64);
    matmul(view_mut(out), Accum::Add, view(a).transpose(), view(b), 1.0, par);
}

/// `out += A B^T`.
pub fn add_product_transposed(
    out: DMatrixViewMut<'_, f64>,
    a: DMatrixView<'_, f64>,
    b: DMatrixView<'_, f64>,
) {
    let par = parallelism(2.0 * out.len() as f64 * a.ncols() as f64);
    matmul(view_mut(out), Accum::Add, view(a), view(b).transpose(), 1.0, par);
}

/// `A B`.
#[must_use]
pub fn product(a: DMatrixView<'_, f64>, b: DMatrixView<'_, f64>) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(a.nrows(), b.ncols());
    add_product(out.as_view_mut(), a, b);
    out
}

/// `A^T B`.
#[must_use]
pub fn transposed_product(a: DMatrixView<'_, f64>, b: DMatrixView<'_, f64>) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(a.ncols(), b.ncols());
    add_transposed_product(out.as_view_mut(), a, b);
    out
}

/// `A B^T`.
#[must_use]
pub fn product_transposed(a: DMatrixView<'_, f64>, b: DMatrixView<'_, f64>) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(a.nrows(), b.nrows());
    add_product_transposed(out.as_view_mut(), a, b);
    out
}

/// The lower triangle of `out = J^T J`, whatever shape `out` had.
pub fn lower_gram(j: DMatrixView<'_, f64>, out: &mut DMatrix<f64>) {
    reshape(out, j.ncols(), j.ncols());
    lower_product(out, false, j, false);
}

/// The lower triangle of `out = A^T A`, or of `A A^T`; added to `out` where `add` says so.
///
/// In strips of columns: faer's own threads wait for each other many times in one product, which a
/// busy machine punishes tenfold; the strips are independent and are shared out by work stealing.
/// The sums do not depend on the number of threads.
pub fn lower_product(out: &mut DMatrix<f64>, add: bool, a: DMatrixView<'_, f64>, transposed: bool) {
    let (a, b) =
        if transposed { (view(a), view(a).transpose()) } else { (view(a).transpose(), view(a)) };
    let accumulation = if add { Accum::Add } else { Accum::Replace };
    let order = out.nrows();
    let width = order.div_ceil(STRIPS).max(16);
    let strip = |(index, out): (usize, MatMut<'_, f64>)| {
        lower_strip(out, index * width, accumulation, a, b);
    };
    let mut strips = Vec::with_capacity(order.div_ceil(width));
    let mut rest = whole(out);
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
