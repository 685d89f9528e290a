//! Where a run computes: what was asked for, resolved in one place, and what it became.

use serde::{Deserialize, Serialize};

use crate::gpu::GpuError;
use crate::gpu::device::{Gpu, choose};

/// Where to compute, as asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    /// A hardware adapter where there is one, else the CPU: a software adapter runs these kernels
    /// some twenty times slower than the CPU evaluator does.
    #[default]
    Auto,
    Cpu,
    /// An adapter; by name (a part of it, in upper or lower case), or any, hardware first.
    Gpu(Option<String>),
}

impl Backend {
    /// The device, open; `None` is the CPU.
    ///
    /// # Errors
    /// When no adapter answers what was asked for, or the one that does cannot be opened.
    pub async fn open(&self) -> Result<Option<Gpu>, GpuError> {
        match choose(self).await {
            Ok(Some(adapter)) => Gpu::open(&adapter).await.map(Some),
            Ok(None) => Ok(None),
            Err(GpuError::NoAdapter | GpuError::NoHardwareAdapter { .. })
                if *self == Self::Auto =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Where a run computes, for results and status lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub backend: &'static str,
    pub device: String,
    pub precision: &'static str,
}

impl Description {
    /// On `gpu`, or on the CPU.
    #[must_use]
    pub fn of(gpu: Option<&Gpu>, precision: &'static str) -> Self {
        if let Some(gpu) = gpu {
            return Self { backend: "gpu", device: gpu.name().to_owned(), precision };
        }
        let threads = rayon::current_num_threads();
        let plural = if threads == 1 { "" } else { "s" };
        Self { backend: "cpu", device: format!("{threads} thread{plural}"), precision }
    }

    /// What the bits of a run depend on: not the number of a CPU's threads.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { backend, device, precision } = self;
        match *backend {
            "cpu" => format!("cpu {precision}"),
            _ => format!("{backend} {precision} on {device}"),
        }
    }
}
