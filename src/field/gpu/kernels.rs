//! The kernels of one problem, compiled once.

use super::device::Gpu;
use super::error::GpuError;
use super::kernel::Kernel;
use super::sources::{STEMS, Sources};

/// One field per shader under `shaders/network` and `shaders/jacobian`, in the order of [`STEMS`].
#[derive(Debug)]
pub struct Kernels {
    pub embed: Kernel,
    pub layer: Kernel,
    pub output: Kernel,
    pub adjoint: Kernel,
    pub reverse: Kernel,
    pub columns: Kernel,
    pub multiply: Kernel,
    pub multiply_transposed: Kernel,
    pub sketch: Kernel,
    pub gram: Kernel,
}

impl Kernels {
    /// Compiles them all.
    pub async fn new(gpu: &Gpu, sources: &Sources) -> Result<Self, GpuError> {
        let mut kernels = Vec::with_capacity(STEMS.len());
        for (stem, text) in sources.iter() {
            kernels.push(Kernel::new(gpu, stem, text).await?);
        }
        let [
            embed,
            layer,
            output,
            adjoint,
            reverse,
            columns,
            multiply,
            multiply_transposed,
            sketch,
            gram,
        ] = <[Kernel; STEMS.len()]>::try_from(kernels).expect("one kernel per stem");
        Ok(Self {
            embed,
            layer,
            output,
            adjoint,
            reverse,
            columns,
            multiply,
            multiply_transposed,
            sketch,
            gram,
        })
    }
}
