//! The time stepping as a whole, against exact solutions.

mod adaptive;
mod baselines;
mod coherence;
mod dirichlet;
mod estimate;
mod failures;
mod follow;
mod fresh_start;
mod order;
mod presets;
mod resume;
mod sides;
mod stiff;
mod still;
mod subsets;
pub(super) mod support;
mod systems;
