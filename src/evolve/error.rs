//! What can go wrong while the solution moves on, and what to do about it.

use thiserror::Error;

use super::initial_fit::FitError;
use crate::field::gpu::GpuError;
use crate::linalg::LeastSquaresError;

/// Failure of the engine or of a step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvolveError {
    #[error(
        "{what} is no longer finite at step {step}, t = {time:.6}: reduce the step, raise rcond, \
         or let `method.tolerance` choose the step"
    )]
    NotFinite { step: usize, time: f64, what: &'static str },

    #[error(
        "the solution has grown to {size:.1e} at step {step}, t = {time:.6}, a million times what it \
         was at the start: the step is too long for the equation; reduce it, raise rcond, or let \
         `method.tolerance` choose the step"
    )]
    Grown { step: usize, time: f64, size: f64 },

    #[error(
        "at t = {time:.6} the steps have shrunk to {dt:.1e} for the tolerance {tolerance:.1e} (the \
         last one reached {reached:.1e}): the solution may end there; if it does not, raise \
         `method.tolerance`, `method.columns` or `method.corrections`, or fit a wider network"
    )]
    StepTooSmall { time: f64, dt: f64, tolerance: f64, reached: f64 },

    #[error(
        "at t = {time:.6} the steps are {dt:.1e} long: {left:.0e} more of them would be needed for the \
         tolerance {tolerance:.1e}. With {columns} of its {parameters} parameters the network cannot \
         follow in longer ones: raise `method.columns` or `method.tolerance`; where all of them are \
         in use, fit a wider network"
    )]
    Endless { time: f64, dt: f64, left: f64, tolerance: f64, columns: usize, parameters: usize },

    #[error(
        "the network does not follow the solution any more at step {step}, t = {time:.6}: a fit \
         left {residual:.1e} of it: reduce the step, or let `method.tolerance` choose it"
    )]
    Lost { step: usize, time: f64, residual: f64 },

    #[error(
        "{given} parameters were given for a network of {expected}: they belong to another problem"
    )]
    Parameters { given: usize, expected: usize },

    #[error(
        "precision {precision} is not available on {backend}: choose `{instead}`, or another backend"
    )]
    Precision { precision: &'static str, backend: &'static str, instead: &'static str },

    #[error("the fit of a fresh network after step {step}, t = {time:.6} failed: {source}")]
    Refit { step: usize, time: f64, source: FitError },

    #[error(
        "points that are drawn from the solution are evaluated on the CPU alone: choose the backend \
         `cpu`, or another `points.layout`"
    )]
    AdaptiveOnDevice,

    #[error(
        "random features are told apart down to the round-off of f64, on the CPU alone: choose the \
         backend `cpu`, or another `method.scheme`"
    )]
    FeaturesOnDevice,

    #[error(
        "{unknown}_t = F takes second derivatives of {of} and none of {unknown}, as waves do: steps in \
         time do not keep their energy, and short waves would grow until nothing is left of the \
         solution; state the problem over the whole domain instead, with t as a coordinate, as \
         `sketchpde show wave` does"
    )]
    Waves { unknown: String, of: String },

    #[error(
        "systems of several unknowns are evaluated on the CPU: choose the backend `cpu` or `auto`"
    )]
    SystemOnDevice,

    #[error(
        "{given} coordinates of points were given for {expected}: they belong to another problem"
    )]
    Points { given: usize, expected: usize },

    #[error(transparent)]
    Gpu(#[from] GpuError),

    #[error("the least-squares problem of step {step}, t = {time:.6} has no solution: {source}")]
    LeastSquares { step: usize, time: f64, source: LeastSquaresError },
}

/// Why an attempt at a step came to nothing.
#[derive(Debug, Error)]
pub enum AttemptError {
    /// A shorter step may do better.
    #[error(transparent)]
    LeastSquares(#[from] LeastSquaresError),
    /// Nothing will.
    #[error(transparent)]
    Evolve(#[from] EvolveError),
}
