//! The network on the CPU in f32 or f64: fast in its own right, and the oracle of the GPU.
//!
//! [`weights`] unpacks the parameters, [`features`] the points; [`tile`] is a few blocks of as many
//! points as fit a SIMD register, with all that is computed there; [`forward`], [`backward`] and
//! [`tangent`] are the passes over a tile ([`gate`] for modified MLPs), [`columns`] reads off the
//! derivatives by all or chosen parameters, [`head`] turns a point's derivatives into rows and
//! their own derivatives ([`prepare`] makes the expressions cheap). They serve [`Evaluator`] (the
//! ansatz of an evolution: u, its right-hand side, tangents, columns) and [`operator`] (residuals
//! of a training), and are compiled once per precision and instruction set, in [`kernel`].

// Lanes are indexed side by side in several arrays: one plain counted loop is what vectorises.
#![allow(clippy::needless_range_loop)]
// The passes share sizes, weights and a tile's buffers, each borrowed on its own.
#![allow(clippy::too_many_arguments)]

mod activation;
mod backward;
mod columns;
mod evaluator;
mod features;
mod forward;
mod gate;
mod head;
mod implicit;
mod kernel;
mod lanes;
mod linearisation;
pub mod operator;
mod output;
mod prepare;
mod product;
mod sweep;
mod tangent;
mod tile;
mod weights;

#[cfg(test)]
mod rate_tests;
#[cfg(test)]
mod system_tests;
#[cfg(test)]
mod tests;

pub use columns::Plan;
pub use evaluator::{Evaluator, Field};
pub(crate) use features::feature_rows;
pub use head::Head;
pub use implicit::ImplicitColumns;
pub use kernel::Kernel;
pub use linearisation::Linearisation;
pub(crate) use output::cut;
pub use weights::Weights;
