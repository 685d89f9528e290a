//! Evaluation on a GPU: the network's jets and its parameter Jacobian, in WGSL composed from
//! `shaders/` in f32, f64 or double-float.
//!
//! In reading order: [`device`] finds an adapter and opens it as a [`Gpu`]; [`config`] holds every
//! size; [`operator`] is the network: its sweeps over runs of points, its Jacobian's columns and
//! products, and the residual problems that the optimisers see. `host` adds the ansatz and the
//! equation of an evolution, [`Evaluator`] runs it over all points; [`Linearization`] is the
//! Jacobian at one parameter vector and [`ChosenColumns`] a part of it.

mod buffers;
mod commands;
mod compose;
pub mod config;
pub mod device;
mod error;
mod evaluator;
mod host;
mod jacobian;
mod kernel;
pub mod operator;
pub mod peak;
mod profile;
pub mod report;
pub mod self_test;

pub use compose::ComposeError;
pub use device::Gpu;
pub use error::GpuError;
pub use evaluator::Evaluator;
pub use jacobian::{ChosenColumns, Linearization, SketchRows};
pub use profile::{KernelTime, KernelTimes, Work};
pub use report::DeviceReport;
