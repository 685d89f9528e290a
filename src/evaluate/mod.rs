//! Values, derivatives, right-hand sides and parameter Jacobians of the ansatz at points.

pub mod gpu;
