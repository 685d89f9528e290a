//! Differential operators of the network on a GPU: the blocks of a residual problem, their losses
//! and the products of their parameter Jacobian.
//!
//! In reading order: [`Scalar`] is the type of number a kernel computes in, f32, f64 or
//! double-float; `weights` says what the kernels read of the parameters; `plan` where everything
//! stands; `generate` writes what depends on the channels; `sweep` runs jets forward and adjoints
//! back over a run of points, `product` makes tiles of J there and multiplies them; [`Tier`] says
//! which numbers are used where; `pieces` cuts the blocks into runs and [`GpuCollocation`] is the
//! system that the optimisers see, with its Jacobian in `rates`. `work` says what each kernel has to do.
//!
//! The head, from a point's jet to its residuals and their slopes, runs on the host in f64: it is a
//! handful of operations beside the network's thousands, and energies, observed data and every
//! function are then the same on all devices.

mod chosen;
mod generate;
mod pieces;
mod plan;
mod product;
mod rates;
mod scalar;
mod sources;
mod sweep;
mod system;
#[cfg(test)]
mod tests;
mod texts;
mod tier;
mod weights;
mod work;

pub(super) use chosen::{Chosen, Reader, SketchPart};
pub use scalar::Scalar;
pub use sources::Sources;
pub(super) use sweep::Sweep;
pub use system::GpuCollocation;
pub use tier::Tier;
pub(super) use weights::Weights;
