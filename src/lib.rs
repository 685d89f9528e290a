//! Partial differential equations solved by neural networks and randomized methods.
//!
//! The modules are in reading order; each uses only what stands above it. All but the last are
//! crates of their own, in folders of their names beside this file, so that a change of one builds
//! no more than what stands on it.

pub use sketchpde_base::{random, scalar};
pub use sketchpde_evolve as evolve;
pub use sketchpde_field as field;
pub use sketchpde_field::network;
pub use sketchpde_linalg as linalg;
pub use sketchpde_optimize as optimize;
pub use sketchpde_output as output;
pub use sketchpde_problem as problem;
pub use sketchpde_reference as reference;
pub mod session;
pub mod solution;
