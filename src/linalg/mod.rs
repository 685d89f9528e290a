//! Dense and randomized linear algebra for tall, numerically rank-deficient problems.
//!
//! The job: `min_v |J v - r|` for a Jacobian J (n x s) whose singular values decay over fifteen
//! orders of magnitude, regularised at `rcond` times the largest one. In reading order:
//! [`LeastSquares`] holds settings and memory and picks the method; [`Factorisation`] and
//! [`NormalEquations`] serve many right-hand sides, cutoffs and dampings from one matrix;
//! [`RowSketch`] makes m rows out of n; [`lsqr`] works on any [`TallOperator`], a GPU's included.
//!
//! # Which method when
//! Two cores with AVX-512, f64, synthetic Jacobians with 190 singular values above 1e-4; milliseconds,
//! the shortest of several runs, by `cargo bench --bench least_squares` (the last row is processor
//! time over two, because the machine was busy):
//!
//! | n x s, rcond | SVD | pivoted QR | Gram, truncated | Gram, damped | sketch, damped | + LSQR |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | 1,000 x 150, 1e-4 | 6.0 | 4.4 | 2.1 | 0.53 | 0.6 | 1.3 |
//! | 600 x 400, 1e-6 | 32 | 31 | 12 | 2.0 | - | - |
//! | 400 x 600, 1e-6 | 33 | 42 | 14 | 2.0 | - | - |
//! | 10,000 x 800, 1e-5 | - | - | 93 | 85 | 30 | 60 |
//!
//! - **Damping** ([`Regularisation::Damp`], lambda = rcond sigma_max) is 4 to 6 times cheaper than
//!   truncation where s^2 is comparable to n, because Cholesky replaces the eigen-solve. At equal
//!   rcond its residual was between 7 % below and 1 % above the truncated one, `|v|` between 9 %
//!   below and 24 % above. f32 entries changed the residual by less than 1e-5 of itself (products
//!   and sums are in f64).
//! - **Gram matrices** hold singular values down to [`GRAM_FLOOR`]; below it pivoted QR runs.
//! - **The sketch** pays when n is at least 4 s and `n s^2` above 3e9. Alone its residual is larger
//!   by the factor `1 / sqrt(1 - rank / m)`, m sketch rows (8 % for 10,000 x 800; 43 % for
//!   1,000 x 150, which has full rank); four to six iterations of LSQR bring that below 1e-3.
//! - **Several dampings of one matrix** (a trust region): [`NormalEquations`] costs one Cholesky
//!   factorisation each, [`Factorisation`] one eigen-decomposition for all; they meet at about 16
//!   dampings for 600 x 400.

mod buffer;
mod compressed;
mod cosine;
mod damped;
mod decomposition;
mod eigen;
#[cfg(test)]
mod eigen_tests;
mod error;
mod factorisation;
mod least_squares;
mod lsqr;
mod matrix_free;
mod nystrom;
mod operator;
mod products;
mod range;
mod sample;
mod sketch;
mod test_matrix;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use crate::problem::Regularisation;
pub use damped::NormalEquations;
pub use decomposition::singular_values;
pub use eigen::{
    EigenError, Eigenpairs, SymmetricOperator, single_pass, symmetric_eigen, two_pass,
};
pub use error::LeastSquaresError;
pub use factorisation::{Factorisation, Filter, Projection, Solution};
pub use least_squares::{GRAM_FLOOR, LeastSquares, Settings};
pub use lsqr::{LsqrOutcome, LsqrSettings, Preconditioner, TruncatedPreconditioner, lsqr};
pub use matrix_free::MatrixFreeError;
pub use nystrom::nystrom;
pub use operator::{InMemory, TallOperator};
pub(crate) use products::{columns, multiply, norm};
pub use range::{
    AdaptiveRange, PROBES, Range, RangeSettings, adaptive_range, approximation_error, range,
    range_error,
};
pub use sample::RowSample;
pub use sketch::{GatherLists, HITS, Hit, RowSketch};
pub use test_matrix::{TestMatrix, TestMatrixKind};
