//! Dense and randomized linear algebra for tall, numerically rank-deficient problems.

mod buffer;
mod compressed;
mod damped;
mod decomposition;
mod error;
mod factorisation;
mod least_squares;
mod lsqr;
mod operator;
mod products;
mod sketch;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use decomposition::singular_values;
pub use error::LeastSquaresError;
pub use factorisation::{Factorisation, Filter, Projection, Solution};
pub use least_squares::{GRAM_FLOOR, LeastSquares, Regularisation, Settings};
pub use lsqr::{LsqrOutcome, LsqrSettings, Preconditioner, TruncatedPreconditioner, lsqr};
pub use operator::{InMemory, TallOperator};
pub use sketch::{GatherLists, HITS, Hit, RowSketch};
