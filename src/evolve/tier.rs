//! Which precision a run computes in.

use super::error::EvolveError;
use crate::problem::{Precision, Problem, Scheme};

/// The precision tier of a run: what was asked for, or what the scheme needs.
///
/// Stage fits resolve steps far below f32's round-off, so they take residuals in f64; the published
/// scheme truncates at 1e-4, where f32 loses nothing (`baselines`: 5.5e-5 both ways). Down to 1e-5
/// the Jacobian's round-off is still well below the cutoff, but the right-hand side's would be
/// amplified by its inverse.
///
/// # Errors
/// Where the precision that was asked for is not to be had.
pub fn tier(problem: &Problem, on_gpu: bool) -> Result<Precision, EvolveError> {
    let fits = problem.method.scheme == Scheme::StageFit;
    let unavailable = |precision, instead| {
        let backend = if on_gpu { "the GPU" } else { "the CPU" };
        Err(EvolveError::Precision { precision, backend, instead })
    };
    // Features are told apart down to round-off.
    if problem.method.scheme == Scheme::RandomFeatures {
        return match problem.precision {
            Precision::Auto | Precision::F64 => Ok(Precision::F64),
            Precision::F32 => unavailable("f32 with random features", "f64"),
            Precision::Mixed => unavailable("mixed with random features", "f64"),
        };
    }
    match problem.precision {
        Precision::Auto if fits && on_gpu => Ok(Precision::Mixed),
        Precision::Auto if fits => Ok(Precision::F64),
        Precision::Auto if on_gpu || problem.method.rcond >= 1e-4 => Ok(Precision::F32),
        Precision::Auto if problem.method.rcond >= 1e-5 => Ok(Precision::Mixed),
        Precision::Auto => Ok(Precision::F64),
        Precision::F32 if on_gpu && fits => unavailable("f32 with stage fits", "mixed"),
        given => Ok(given),
    }
}
