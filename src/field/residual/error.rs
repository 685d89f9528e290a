//! What can go wrong while residuals are evaluated.

use thiserror::Error;

use crate::gpu::GpuError;

/// Why residuals or their Jacobian cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ResidualError {
    #[error(
        "the residual of {block} is {value} at {place}: look for a division by zero, a log or a \
         root there, or start from smaller parameters"
    )]
    NotFinite { block: String, place: String, value: f64 },
    #[error(
        "{rows} rows of the Jacobian by {parameters} parameters would need {bytes} bytes, more \
         than {limit}: choose a smaller network"
    )]
    TooLarge { rows: usize, parameters: usize, bytes: usize, limit: usize },
    #[error(
        "the saved state holds no points of {block} that suit it: start anew without the state"
    )]
    Points { block: String },
    #[error("{reason}")]
    Device { reason: String },
}

impl From<GpuError> for ResidualError {
    fn from(error: GpuError) -> Self {
        Self::Device { reason: error.to_string() }
    }
}
