//! Partial differential equations solved by neural networks and randomized methods.
//!
//! The modules are in reading order; each uses only what stands above it.

pub mod scalar;
pub mod random;
mod bytes;
pub mod problem;
pub mod network;
pub mod evaluate;
pub mod linalg;
pub mod optimize;
pub mod evolve;
pub mod reference;
pub mod output;
pub mod session;
