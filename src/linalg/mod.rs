//! Dense and randomized linear algebra for tall, numerically rank-deficient problems.

mod buffer;
mod compressed;
mod decomposition;
mod error;
mod factorisation;
mod least_squares;
mod operator;
mod products;
mod sketch;

pub use error::LeastSquaresError;
pub use factorisation::{Factorisation, Filter, Projection, Solution};
pub use least_squares::{GRAM_FLOOR, LeastSquares, Settings};
pub use operator::{InMemory, TallOperator};
pub use sketch::{GatherLists, HITS, Hit, RowSketch};
