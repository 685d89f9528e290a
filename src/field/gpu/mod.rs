//! Evaluation on a GPU: the network's values, the right-hand side and products with the parameter
//! Jacobian, in WGSL composed from `shaders/` and the problem's expression.
//!
//! In reading order: [`device`] finds an adapter and opens it as a [`Gpu`]; [`config`] holds every
//! size; [`Sources`] are the kernels' texts, which `compose` puts together from the files and from
//! what `generate` writes for the problem; `plan` says which rows of per-point numbers make up each column of the Jacobian;
//! [`Evaluator`] owns the buffers and runs the sweeps; [`Linearization`] is the Jacobian at one
//! parameter vector and [`ChosenColumns`] a part of it. All
//! of that is f32 but the Gram product, which sums in double-float. [`operator`] is the same for
//! residual problems, in f32, f64 or double-float.

mod buffers;
mod chunk;
mod compose;
pub mod config;
pub mod device;
mod error;
mod evaluator;
mod generate;
mod jacobian;
mod kernel;
mod kernels;
pub mod operator;
mod plan;
pub mod report;
pub mod self_test;
mod sources;

pub use compose::ComposeError;
pub use device::Gpu;
pub use error::GpuError;
pub use evaluator::Evaluator;
pub use jacobian::{ChosenColumns, Linearization, SketchRows};
pub use report::DeviceReport;
pub use sources::Sources;
