//! What can go wrong in a session.

use crate::evolve::EvolveError;
use crate::evolve::initial_fit::FitError;
use crate::field::gpu::GpuError;
use crate::optimize::OptimizeError;
use crate::problem::ProblemErrors;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    #[error(transparent)]
    Evolve(#[from] EvolveError),
    #[error("the network cannot be fitted to the initial state: {0}")]
    Fit(#[from] FitError),
    #[error(
        "the network misses the initial state by {error:.1e} (relative L2), more than {accepted:.0e}: \
         what follows would be wrong from the start; fit a wider network (network.width), give the \
         fit more iterations (fit.max_iterations) or points (fit.count), smooth the initial state, \
         or allow it by fit.accept"
    )]
    PoorFit { error: f64, accepted: f64 },
    /// Numbers stopped being finite.
    #[error(
        "{what} is not finite any more at step {step}, t = {time:.6}{}; try a smaller time \
         step (method.step), a larger cutoff (method.rcond) or more columns (method.columns)",
        at(place)
    )]
    Diverged {
        what: &'static str,
        step: usize,
        time: f64,
        /// Name and value of each coordinate, where it began; empty where that is not known.
        place: Vec<(String, f64)>,
    },
    #[error(
        "the run needs about {need:.1} GiB of memory, {matrices:.1} of them for matrices, and there are \
         {available:.1}: take {remedy}"
    )]
    Memory { need: f64, matrices: f64, available: f64, remedy: &'static str },
    #[error("the system gives no thread for the solver: {0}")]
    Thread(std::io::Error),
    #[error(transparent)]
    Training(#[from] OptimizeError),
    #[error(transparent)]
    Device(#[from] GpuError),
    #[error(transparent)]
    Settings(#[from] ProblemErrors),
    #[error("a run cannot go on with another {}: it has to begin anew", keys.join(", "))]
    BeginsAnew { keys: Vec<String> },
    #[error("that is for runs in time steps only, not for trainings")]
    StepsOnly,
    #[error(
        "what is looked at is a density, not the unknown itself: it cannot be drawn or pulled; change \
         [initial] in the problem file instead"
    )]
    Density,
    #[error("the saved state does not belong to this problem: {reason}")]
    Saved { reason: String },
    #[error("{what} = {value} is out of range: it must lie in {range}")]
    OutOfRange { what: String, value: f64, range: String },
}

fn at(place: &[(String, f64)]) -> String {
    if place.is_empty() {
        return String::new();
    }
    let coordinates: Vec<String> = place.iter().map(|(n, x)| format!("{n} = {x:.4}")).collect();
    format!(", around {}", coordinates.join(", "))
}
