//! Values, derivatives, right-hand sides and parameter Jacobians of the ansatz at points.
//!
//! [`jet`] says which derivatives travel together; [`cpu`] computes them in f32 or f64, [`gpu`] in
//! WGSL on any adapter.

pub mod jet;
pub mod ansatz;
pub mod cpu;
pub mod gpu;
