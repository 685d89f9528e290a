//! Dense and randomized linear algebra for tall, numerically rank-deficient problems.
//!
//! The job: `min_v |J v - r|` for a Jacobian J (n x s) whose singular values decay over fifteen
//! orders of magnitude, regularised at `rcond` times the largest one. In reading order:
//! [`LeastSquares`] holds settings and memory and picks the method; [`Factorisation`] and
//! [`NormalEquations`] serve many right-hand sides, cutoffs and dampings from one matrix;
//! [`RowSketch`] makes m rows out of n; [`lsqr`] works on any [`TallOperator`], a GPU's included.
//!
//! # Which method when
//! Two cores with AVX-512, f64, Jacobians that the presets' own runs reach (Allen-Cahn at t = 0 and 1,
//! Burgers at t = 0.2; 45 to 95 singular values above the cutoff); milliseconds, the shortest of
//! several runs, the range over the three, by `cargo bench --bench least_squares`:
//!
//! | n x s, rcond | SVD | pivoted QR | Gram, truncated | Gram, damped | sketch, damped | LSQR, damped |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | 1,000 x 150, 1e-4 | 5.8 to 5.9 | 5.1 to 5.3 | 1.0 to 1.3 | 0.52 to 0.59 | 0.71 to 0.75 | 0.48 |
//! | 600 x 400, 1e-6 | 32 | 15 to 17 | 2.1 to 2.6 | 2.0 to 3.1 | - | - |
//! | 400 x 600, 1e-6 | 32 to 33 | 17 to 19 | 2.2 to 2.9 | 2.0 to 2.1 | - | - |
//! | 10,000 x 800, 1e-5 | - | - | 101 to 114 | 93 to 114 | 37 to 40 | 26 to 27 (f32: 21 to 24) |
//!
//! - **Damping** ([`Regularisation::Damp`], lambda = rcond sigma_max) is the default: Cholesky instead
//!   of an eigen-solve. At equal rcond its residual was between 24 % below and 49 % above the
//!   truncated one, `|v|` between 1 and 11 % below. f32 entries changed the residual by less than
//!   1e-5 of itself (products and sums are in f64).
//! - **Gram matrices** hold singular values down to [`GRAM_FLOOR`]; below it pivoted QR runs. On the
//!   Jacobians here, whose rank is far below s, the truncated Gram method (an eigen-solve of what
//!   pivoted Cholesky leaves) costs hardly more.
//! - **Damped LSQR** is preconditioned by a stratified sample of s rows ([`RowSample`]) and needed one
//!   to three iterations; where it does not converge within twelve, because a few rows matter that
//!   were not drawn, a sparse-sign sketch ([`RowSketch`]) takes its place. It is picked when n is at
//!   least 4 s and `n s^2` above 3e9. The sketch alone leaves a larger residual: 11 to 17 % for
//!   1,000 x 150, up to 8 % for 10,000 x 800.
//! - **A matrix of more than 32 million entries** is not stored: the same damped LSQR takes products by
//!   sweeps over the points, and the rows of its sample are all that is computed of J.
//! - **Nystrom-preconditioned conjugate gradients** ([`nystrom_cg`]) are a published baseline.
//! - **Several dampings of one matrix** (a trust region): [`NormalEquations`] costs one Cholesky
//!   factorisation each, [`Factorisation`] one eigen-decomposition for all; they meet at about 16
//!   dampings for 600 x 400 (`-- synthetic`).

#![deny(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::{random, scalar};
use sketchpde_problem as problem;

mod blocks;
mod bridge;
mod compressed;
mod cosine;
mod damped;
mod decomposition;
mod eigen;
#[cfg(test)]
mod eigen_tests;
mod error;
mod factorisation;
mod factors;
mod least_squares;
mod lsqr;
mod matrix_free;
mod nystrom;
mod nystrom_cg;
mod operator;
mod products;
mod range;
mod sample;
mod sketch;
mod test_matrix;
// Matrices with planted singular values: for the tests here and of the floors above.
#[doc(hidden)]
pub mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thread_tests;

pub use crate::problem::Regularisation;
pub use blocks::{row_blocks, split_rows};
pub use bridge::{
    Entry, Lu, PivotedQr, add_product, add_product_transposed, add_transposed_product, lower_gram,
    orthonormal, orthonormal_and_inverse, product, product_transposed, transposed_product,
};
pub use damped::NormalEquations;
pub use decomposition::singular_values;
pub use eigen::{
    EigenError, Eigenpairs, SymmetricOperator, single_pass, symmetric_eigen, two_pass,
};
pub use error::LeastSquaresError;
pub use factorisation::{Factorisation, Filter, Projection, Solution};
pub use factors::{Cholesky, Svd};
pub use least_squares::{GRAM_FLOOR, LeastSquares, Settings};
pub use lsqr::{LsqrOutcome, LsqrSettings, Preconditioner, TruncatedPreconditioner, lsqr};
pub use matrix_free::{MatrixFreeError, Unstored};
pub use nystrom::nystrom;
pub use nystrom_cg::{NystromCgOutcome, NystromCgSettings, nystrom_cg};
pub use operator::at_once;
pub use operator::{InMemory, TallOperator};
pub use products::{multiply, norm, times, transposed_times};
pub use range::{
    AdaptiveRange, PROBES, Range, RangeSettings, adaptive_range, approximation_error, range,
    range_error,
};
pub use sample::RowSample;
pub use sketch::{GatherLists, HITS, Hit, RowSketch};
pub use test_matrix::{TestMatrix, TestMatrixKind};
