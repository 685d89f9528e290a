//! Neural Galerkin time stepping: the network is the solution at one instant, and its parameters
//! move so that it stays the solution.
//!
//! [`initial_fit`] makes it the initial state; [`Engine`] says where things are computed,
//! [`tableau`] which Runge-Kutta method is used, [`subset`] which parameters a step updates and [`sampling`] how they are
//! drawn;
//! [`stage_fit`] and [`parameter_ode`] are the two schemes, [`control`] chooses step sizes and [`Evolution`] runs it all, one step at a time.

#![forbid(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::{bytes, random, scalar};
use sketchpde_field::{self as field, network};
use sketchpde_linalg as linalg;
use sketchpde_optimize as optimize;
use sketchpde_problem as problem;
#[cfg(test)]
use sketchpde_reference as reference;

pub mod features;
pub mod initial_fit;
pub mod tableau;
pub mod rosenbrock;
pub mod control;
mod error;
mod evaluators;
mod columns;
mod directions;
mod tier;
mod implicit;
mod on_device;
mod host;
mod engine;
mod rates;
pub mod sampling;
pub mod subset;
pub mod stage_fit;
mod implicit_stages;
mod implicit_fit;
pub mod parameter_ode;
mod attempt;
mod stepping;
mod state;
mod evolution;
mod disturb;
mod coherence;
mod growth;
mod endless;
mod estimate;
mod refit;
mod fresh_start;
mod follow;
mod moments;
#[cfg(test)]
mod tests;

pub use attempt::StepReport;
pub use coherence::Coherence;
pub use columns::Columns;
pub use engine::Engine;
pub use error::EvolveError;
pub use estimate::{EstimateState, EvolutionEstimate};
pub use evolution::Evolution;
pub use fresh_start::FreshStart;
pub use state::EvolutionState;
