//! Values, derivatives, right-hand sides and parameter Jacobians of the ansatz at points.
//!
//! [`program`] is the equation as straight-line code; [`jet`] says which derivatives travel
//! together; [`ansatz`] builds boundary values in; [`cpu`] computes it all in f32 or f64, [`gpu`]
//! in WGSL; [`quantities`] answers what is asked of a solution; [`plane_waves`] are a network of drawn
//! frequencies beside the trained one, [`waves`] functions to look for errors in.

#![forbid(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::{random, scalar};
use sketchpde_linalg as linalg;
use sketchpde_problem as problem;

pub mod network;
pub mod program;
pub mod jet;
pub mod ansatz;
pub mod cpu;
pub mod device;
pub mod gpu;
pub mod residual;
pub mod quantities;
mod inversion;
pub mod plane_waves;
pub mod waves;
