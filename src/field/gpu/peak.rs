//! What a device does at most, measured: multiply-adds in registers, and a copy in its memory.

use super::buffers::{storage, uniform};
use super::compose::compose;
use super::config::PEAK_WORKGROUP;
use super::device::Gpu;
use super::error::GpuError;
use super::kernel::Kernel;
use super::profile::Work;

const ARITHMETIC: &str = "peak/arithmetic.wgsl";
const COPY: &str = "peak/copy.wgsl";
/// Invocations of the chains: more than any device has lanes.
const INVOCATIONS: u32 = 1 << 20;
/// Operations of an invocation in one round: eight vectors of four multiply-adds.
const ROUND: f64 = 64.0;
/// A dispatch is made longer until it takes so many seconds, or so many rounds.
const LONG_ENOUGH: f64 = 0.02;
const MOST_ROUNDS: u32 = 1 << 16;
/// Bytes that are copied, at most: more than caches hold.
const COPIED: u64 = 256 << 20;
/// The least time of so many dispatches counts.
const REPETITIONS: usize = 5;

/// The peak of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Operations in f32 a second; a fused multiply-add is two.
    pub operations: f64,
    /// Bytes a second, reading and writing counted both.
    pub bytes: f64,
}

impl Peak {
    /// The share of the peak that work done in so many seconds is, by what bounds it, and whether
    /// that is memory.
    #[must_use]
    pub fn share(&self, work: Work, seconds: f64) -> (f64, bool) {
        let arithmetic = work.operations / (self.operations * seconds);
        let memory = work.bytes / (self.bytes * seconds);
        (arithmetic.max(memory), memory > arithmetic)
    }
}

/// Measures both on a device that was opened with times.
///
/// # Errors
/// When the device rejects a kernel or fails.
///
/// # Panics
/// When the device was opened without times.
pub async fn measure(gpu: &Gpu) -> Result<Peak, GpuError> {
    gpu.take_times().await?;
    Ok(Peak { operations: arithmetic(gpu).await?, bytes: copy(gpu).await? })
}

async fn arithmetic(gpu: &Gpu) -> Result<f64, GpuError> {
    let kernel = Kernel::new(gpu, ARITHMETIC, &compose(ARITHMETIC, &[])?).await?;
    let output = storage(gpu, "sums of chains", 16 * u64::from(INVOCATIONS));
    let mut rounds = 16;
    loop {
        let [factor, summand] = [0.999_f32, 1e-3].map(f32::to_bits);
        let chains = uniform(gpu, "chains", &[rounds, INVOCATIONS, factor, summand]);
        let group = kernel.bind(gpu, &[("chains", &chains), ("output", &output)]);
        let operations = ROUND * f64::from(rounds) * f64::from(INVOCATIONS);
        let seconds = least(gpu, &kernel, &group, INVOCATIONS as usize).await?;
        if seconds > LONG_ENOUGH || rounds >= MOST_ROUNDS {
            return Ok(operations / seconds);
        }
        rounds *= 4;
    }
}

async fn copy(gpu: &Gpu) -> Result<f64, GpuError> {
    let kernel = Kernel::new(gpu, COPY, &compose(COPY, &[])?).await?;
    let vectors = (COPIED.min(gpu.budget().buffer_bytes) / 16) as u32;
    let bytes = 16 * u64::from(vectors);
    let extent = uniform(gpu, "extent of a copy", &[vectors, 0, 0, 0]);
    let [input, output] = ["source", "copy"].map(|label| storage(gpu, label, bytes));
    let buffers = [("extent", &extent), ("input", &input), ("output", &output)];
    let group = kernel.bind(gpu, &buffers);
    let seconds = least(gpu, &kernel, &group, vectors as usize).await?;
    Ok(2.0 * bytes as f64 / seconds)
}

/// Seconds of a dispatch over so many invocations, the least of several.
async fn least(
    gpu: &Gpu,
    kernel: &Kernel,
    group: &wgpu::BindGroup,
    invocations: usize,
) -> Result<f64, GpuError> {
    let [x, y] = gpu.budget().grid(invocations.div_ceil(PEAK_WORKGROUP as usize));
    let mut least = f64::INFINITY;
    for _ in 0..REPETITIONS {
        gpu.submit(|commands| kernel.dispatch(commands, group, ([x, y, 1], Work::default())));
        let times = gpu.take_times().await?;
        let time = times.values().next().expect("a device that was opened with times");
        // A clock may be coarser than a short dispatch.
        least = least.min(time.seconds.max(1e-9));
    }
    Ok(least)
}
