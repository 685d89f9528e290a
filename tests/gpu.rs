//! The GPU's kernels against independent f64 computations, on a real adapter.
//!
//! The environment variable `SKETCHPDE_ADAPTER` names the adapter by a part of its name; without
//! it the first one is taken, hardware before software. Without any adapter the tests fail.

#[path = "gpu/harness.rs"]
mod harness;
#[path = "gpu/oracle.rs"]
mod oracle;

#[path = "gpu/device.rs"]
mod device;
#[path = "gpu/evolution.rs"]
mod evolution;
#[path = "gpu/field.rs"]
mod field;
#[path = "gpu/jacobian.rs"]
mod jacobian;
#[path = "gpu/residual.rs"]
mod residual;
#[path = "gpu/training.rs"]
mod training;
#[path = "gpu/twin.rs"]
mod twin;
