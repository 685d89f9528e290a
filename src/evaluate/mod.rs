//! Values, derivatives, right-hand sides and parameter Jacobians of the ansatz at points.
//!
//! [`program`] compiles expressions to straight-line code, [`jet`] says which derivatives travel
//! together, and [`cpu`] computes them in f32 or f64.

pub mod program;
pub mod jet;
pub mod ansatz;
pub mod cpu;
