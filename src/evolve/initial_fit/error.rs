//! What can go wrong in an initial fit.

use crate::linalg::LeastSquaresError;

/// Why an initial fit cannot start or go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    #[error(
        "the initial state is {value} at {place}: change its formula (a division by zero, the \
         root or logarithm of a negative number?) or the domain"
    )]
    TargetNotFinite { place: String, value: f64 },

    #[error(
        "the starting parameters give a residual that is not finite: choose another seed, a \
         smaller network or another activation"
    )]
    StartNotFinite,

    #[error(
        "a fit on {points} points with {rows} equations in {columns} columns would take {bytes} \
         bytes, more than {limit}: set a smaller fit.count, or fit.method = \"lbfgs-adam\""
    )]
    TooLarge { points: usize, rows: usize, columns: usize, bytes: usize, limit: usize },

    #[error(
        "the saved fit has no usable entry '{entry}': it belongs to another problem or version; \
         start the fit afresh"
    )]
    State { entry: &'static str },

    #[error(transparent)]
    LeastSquares(#[from] LeastSquaresError),
}
