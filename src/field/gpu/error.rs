//! What can go wrong between a problem and a GPU, and what to do about it.

use super::compose::ComposeError;

/// Everything that evaluation on a GPU can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    #[error(
        "no GPU adapter found; install a Vulkan driver (on Debian or Ubuntu the software one is \
         `apt install mesa-vulkan-drivers`) or take the CPU with `--backend cpu`"
    )]
    NoAdapter,
    #[error(
        "only software adapters found ({}); name one with `--adapter` to use it, or take the CPU, \
         which is faster", found.join(", ")
    )]
    NoHardwareAdapter { found: Vec<String> },
    #[error(
        "no adapter's name contains `{wanted}`; there is {}",
        if found.is_empty() { "none at all: install a Vulkan driver".into() } else { found.join(", ") }
    )]
    NoSuchAdapter { wanted: String, found: Vec<String> },
    #[error("adapter {adapter} gives no device: {source}; try another one with `--adapter`")]
    Request { adapter: String, source: wgpu::RequestDeviceError },
    #[error(
        "not enough GPU memory for {what}; take fewer points or a narrower network, or the CPU \
         with `--backend cpu`"
    )]
    OutOfMemory { what: &'static str },
    #[error(
        "{what} needs {bytes} bytes in one buffer, the device allows {limit}; take fewer columns \
         or a narrower network"
    )]
    BufferLimit { what: &'static str, bytes: u64, limit: u64 },
    #[error("the device was lost ({reason}); resume from the last checkpoint, or on the CPU")]
    Lost { reason: String },
    #[error("the device rejected {what}: {source}")]
    Rejected { what: String, source: wgpu::Error },
    #[error("the device rejected a command: {description}")]
    Command { description: String },
    #[error("reading back {what} failed: {source}")]
    Read { what: &'static str, source: wgpu::BufferAsyncError },
    #[error("a result that was mapped cannot be read: {0}")]
    MapRange(wgpu::MapRangeError),
    #[error("waiting for the device failed: {0}")]
    Poll(#[from] wgpu::PollError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error(
        "the constant {value:e} in the equation does not fit a 32-bit float; rescale the problem \
         or take the CPU in f64"
    )]
    ConstantRange { value: f64 },
    #[error("{what} has {found} numbers, expected {expected}")]
    Length { what: &'static str, found: usize, expected: usize },
    #[error("column {column} asked for, but the network has {parameters} parameters")]
    NoSuchColumn { column: u32, parameters: usize },
    #[error("row {row} of the sketch begins behind its end")]
    SketchOrder { row: usize },
    #[error("row {row} of the sketch names point {point} of {points}")]
    NoSuchPoint { row: usize, point: u32, points: usize },
    #[error(
        "{adapter} has neither f64 nor exact double-float arithmetic, which the precision `mixed` \
         needs: choose `f32`, or the CPU with `--backend cpu`"
    )]
    NoLongNumbers { adapter: String },
    #[error("{adapter} has no f64: choose the precision `mixed`, or the CPU with `--backend cpu`")]
    NoDouble { adapter: String },
    #[error(
        "systems of {unknowns} unknowns are not evaluated on a GPU: take the CPU with `--backend cpu`"
    )]
    System { unknowns: usize },
    #[error(
        "constants to be found ({names}) are not trained on a GPU: take the CPU with `--backend cpu`"
    )]
    Constants { names: String },
}
