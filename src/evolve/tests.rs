//! The time stepping as a whole, against exact solutions.

mod adaptive;
mod baselines;
mod dirichlet;
mod failures;
mod follow;
mod order;
mod presets;
mod resume;
mod subsets;
mod support;
