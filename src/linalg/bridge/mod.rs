//! Where nalgebra's matrices meet faer's algorithms, without a copy; nothing else knows of faer.
//!
//! nalgebra holds every matrix. Its own algorithms are written for matrices of a few rows: on one
//! thread (AVX-512, f64; Gram matrices of random 2 n x n matrices, and these matrices themselves for
//! QR, SVD and product), microseconds, nalgebra / faer:
//!
//! | n | Cholesky | symmetric eigen | QR and Q | SVD | A^T A | LU |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | 8 | 0.1 / 0.2 | 2.1 / 3.8 | 0.8 / 1.7 | 4.4 / 8.0 | 0.2 / 0.2 | 0.1 / 0.4 |
//! | 32 | 1.9 / 1.5 | 40 / 52 | 19 / 17 | 113 / 112 | 36 / 1.4 | 5.5 / 2.8 |
//! | 64 | 11 / 7 | 240 / 210 | 510 / 84 | 730 / 560 | 280 / 9 | 36 / 10 |
//! | 150 | 100 / 30 | 2,750 / 1,280 | 20,000 / 540 | 32,000 / 2,800 | 3,600 / 115 | 400 / 58 |
//!
//! They meet at 32 rows, where all of it takes a tenth of a millisecond. So Gaussians in a few
//! dimensions (`problem`) are factored by nalgebra, and what has a row per point or
//! a column per parameter is here, by faer. Rank is revealed by faer's pivoted QR alone: nalgebra's
//! pivots on the largest entry.

mod factor;
mod product;

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::{MatMut, MatRef, Par};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

#[cfg(not(target_arch = "wasm32"))]
use super::products::threading_pays;

pub use factor::{
    Lu, PivotedQr, cholesky, orthonormal, orthonormal_and_inverse, pivoted_cholesky, solve,
    substitute, symmetric_eigen, thin_svd,
};
pub use product::{
    Entry, add_product, add_product_transposed, add_transposed_product, lower_gram, lower_product,
    product, product_transposed, transposed_product,
};

/// faer's view of the same entries.
#[expect(unsafe_code, reason = "faer takes entries with a stride by their address alone")]
fn view<'a, T>(matrix: DMatrixView<'a, T>) -> MatRef<'a, T> {
    let ((rows, columns), (_, stride)) = (matrix.shape(), matrix.strides());
    // SAFETY: nalgebra's view holds for its lifetime that entry (i, k) of `rows x columns` is at
    // `i + stride k`, which is all that faer's view states.
    unsafe { MatRef::from_raw_parts(matrix.as_ptr(), rows, columns, 1, stride as isize) }
}

#[expect(unsafe_code, reason = "as in `view`")]
fn view_mut<'a, T>(mut matrix: DMatrixViewMut<'a, T>) -> MatMut<'a, T> {
    let ((rows, columns), (_, stride)) = (matrix.shape(), matrix.strides());
    // SAFETY: as in `view`, and the only way to these entries is handed over.
    unsafe { MatMut::from_raw_parts_mut(matrix.as_mut_ptr(), rows, columns, 1, stride as isize) }
}

fn whole(matrix: &mut DMatrix<f64>) -> MatMut<'_, f64> {
    view_mut(matrix.as_view_mut())
}

/// What faer is told for so many operations: all threads where they pay, one otherwise.
#[cfg(not(target_arch = "wasm32"))]
fn parallelism(operations: f64) -> Par {
    if threading_pays(operations) { Par::rayon(0) } else { Par::Seq }
}

/// One thread: the barriers that faer's own threads wait at do not compile for a browser. The
/// products that take longest do not need them ([`threading_pays`]).
#[cfg(target_arch = "wasm32")]
fn parallelism(_operations: f64) -> Par {
    Par::Seq
}

/// faer's scratch memory, grown when an algorithm asks for more.
#[derive(Default)]
pub struct Scratch {
    memory: Option<MemBuffer>,
    bytes: usize,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Scratch({} bytes)", self.bytes)
    }
}

impl Scratch {
    fn of(&mut self, need: StackReq) -> &mut MemStack {
        let bytes = need.unaligned_bytes_required();
        if self.memory.is_none() || self.bytes < bytes {
            self.memory = Some(MemBuffer::new(need));
            self.bytes = bytes;
        }
        MemStack::new(self.memory.as_mut().expect("allocated above"))
    }
}
