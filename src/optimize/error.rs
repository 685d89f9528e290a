//! What can go wrong in an optimiser, and what to do about it.

use crate::field::residual::ResidualError;
use crate::linalg::{EigenError, LeastSquaresError};

/// Why a training cannot start or go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizeError {
    #[error(transparent)]
    Residual(#[from] ResidualError),

    #[error("the error of an energy's minimum on a shape is not estimated")]
    NoEstimate,

    #[error(transparent)]
    LeastSquares(#[from] LeastSquaresError),

    #[error(transparent)]
    Eigen(#[from] EigenError),

    #[error("{setting} = {value} is out of range: it must lie in {range}")]
    Setting { setting: &'static str, value: f64, range: &'static str },

    #[error(
        "the loss is {loss} at iteration {iteration}: start from another seed or from smaller \
         parameters, or look for a division by zero in the equation"
    )]
    LossNotFinite { iteration: usize, loss: f64 },

    #[error(
        "{method} would hold {bytes} bytes for {parameters} parameters and {rows} rows, more than \
         {limit}: choose fewer points, a smaller network, or lm or sngd, which hold no such matrix"
    )]
    TooLarge { method: &'static str, parameters: usize, rows: usize, bytes: usize, limit: usize },

    #[error("{expected} parameters are expected but {found} are given")]
    Parameters { expected: usize, found: usize },

    #[error(
        "the saved training has no usable entry '{entry}': it belongs to another problem, method \
         or version; start afresh"
    )]
    State { entry: String },
}
