//! Optimisers for nonlinear least squares `R(theta) = |r(theta)|^2`: natural gradients and their
//! baselines.
//!
//! [`Training`] is the loop that all methods share; [`Method`] says which one runs, with its
//! [`settings`]; [`StoppingRule`] when it ends. With `J = dr/dtheta` and `G = J^T J`:
//!
//! | word | direction or step | |
//! | --- | --- | --- |
//! | `lm` | `(W^T W + lambda^2)^-1 W^T r` in a random subspace, repeated | [`levenberg`] |
//! | `engd` | `G^+ J^T r`, G formed | [`gauss_newton::engd`] |
//! | `sngd` | the same from a random sketch of G | [`gauss_newton::sngd`] |
//! | `anagram` | `J^+ r` by singular values | [`gauss_newton::anagram`] |
//! | `kernel` | `J^T (J J^T + lambda)^-1 r` | [`gauss_newton::kernel`] |
//! | `spring` | the same with momentum | [`gauss_newton::spring`] |
//! | `nystrom` | the same with a low-rank `J J^T` | [`gauss_newton::nystrom`] |
//! | `adam`, `lbfgs`, `bfgs` | from the gradient alone | [`descent`] |
//!
//! [`tangent_kernels`] shows what a natural gradient does in function space.

#![forbid(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::random;
use sketchpde_field as field;
use sketchpde_linalg as linalg;
use sketchpde_problem as problem;

mod determined;
mod dispatch;
mod choice;
mod convergence;
pub mod descent;
mod correction;
mod elsewhere;
mod error;
mod estimate;
mod holes;
mod gauss_newton;
mod history;
mod jacobian;
mod kernels;
pub mod levenberg;
mod line_search;
mod precision;
mod recurrence;
pub mod settings;
mod state;
mod step;
mod stopping;
#[cfg(test)]
mod tests;
mod training;
mod uncertainty;

pub use convergence::Convergence;
pub use correction::{Correction, Untrained, correct};
pub use determined::Free;
pub use error::OptimizeError;
pub use estimate::{ErrorEstimate, GOOD, estimate};
pub use history::{TrainingHistory, TrainingRecord, TrainingSpectrum};
pub use kernels::{TangentKernels, tangent_kernels};
pub use precision::beyond_precision;
pub use settings::{
    AdamSettings, AnagramSettings, Cutoff, EngdSettings, KernelSettings, LbfgsSettings,
    LevenbergSettings, LineSearch, Method, NystromSettings, Passes, Schedule, SingularCutoff,
    SngdSettings, SpringSettings, Subspace,
};
pub use state::TrainingState;
pub use stopping::{Stall, StopReason, StoppingRule};
pub use training::{Training, TrainingReport};
pub use uncertainty::{Uncertainty, uncertainty};
