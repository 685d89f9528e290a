//! Neural Galerkin time stepping.

pub mod initial_fit;
