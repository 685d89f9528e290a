//! What every kernel takes on a device: times by the device's own clock where it has one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::buffers::{Piece, Scratch};
use super::device::Gpu;
use super::error::GpuError;

/// Dispatches whose times are kept between two looks: WebGPU allows 4,096 queries.
const DISPATCHES: u32 = 2048;
/// Bytes of a timestamp.
const TIMESTAMP: u64 = 8;

/// What a dispatch has to do at least.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Additions and multiplications; a fused multiply-add is two. Activations are not counted.
    pub operations: f64,
    /// Bytes that come from memory or go there, each once: none is fetched twice from an ideal
    /// cache.
    pub bytes: f64,
}

impl Work {
    fn plus(self, other: Self) -> Self {
        Self { operations: self.operations + other.operations, bytes: self.bytes + other.bytes }
    }
}

/// What one kernel took since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelTime {
    pub dispatches: usize,
    pub seconds: f64,
    pub work: Work,
}

impl KernelTime {
    /// Adds what another look has found.
    pub fn add(&mut self, other: Self) {
        self.dispatches += other.dispatches;
        self.seconds += other.seconds;
        self.work = self.work.plus(other.work);
    }
}

/// Times by kernel; see [`Gpu::take_times`].
pub type KernelTimes = BTreeMap<&'static str, KernelTime>;

/// A dispatch.
#[derive(Clone, Copy, Debug)]
struct Entry {
    label: &'static str,
    work: Work,
    /// Where it was waited for.
    seconds: Option<f64>,
}

/// Times of the dispatches of a device.
#[derive(Debug)]
pub(super) struct Profile {
    /// Timestamps before and after each dispatch, where the device has them.
    queries: Option<Queries>,
    entries: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Queries {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Profile {
    pub fn new(device: &wgpu::Device) -> Self {
        let queries = device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| {
            let set = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("times of kernels"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * DISPATCHES,
            });
            let resolved = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("times of kernels"),
                size: 2 * u64::from(DISPATCHES) * TIMESTAMP,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            Queries { set, resolved }
        });
        Self { queries, entries: Mutex::new(Vec::new()) }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the device keeps the times itself.
    pub fn has_timestamps(&self) -> bool {
        self.queries.is_some()
    }

    /// The set and the first query of the next dispatch; none where there is no room left.
    pub fn enter(&self, label: &'static str, work: Work) -> Option<(&wgpu::QuerySet, u32)> {
        let queries = self.queries.as_ref()?;
        let mut entries = self.entries();
        let number = entries.len() as u32;
        if number == DISPATCHES {
            return None;
        }
        entries.push(Entry { label, work, seconds: None });
        Some((&queries.set, 2 * number))
    }

    /// Notes a dispatch that was waited for.
    pub fn waited(&self, label: &'static str, work: Work, seconds: f64) {
        self.entries().push(Entry { label, work, seconds: Some(seconds) });
    }

    /// The seconds of the entries, by the device's clock.
    async fn seconds(&self, gpu: &Gpu, count: usize) -> Result<Vec<f64>, GpuError> {
        let Some(queries) = self.queries.as_ref().filter(|_| count > 0) else {
            return Ok(Vec::new());
        };
        let (numbers, bytes) = (0..2 * count as u32, 2 * count as u64 * TIMESTAMP);
        gpu.submit(|commands| {
            commands.encoder().resolve_query_set(&queries.set, numbers, &queries.resolved, 0);
        });
        let piece = Piece::start(&queries.resolved, bytes);
        let stamps: Vec<u64> =
            Scratch::default().read(gpu, "the times of kernels", &[piece]).await?;
        let period = 1e-9 * f64::from(gpu.queue().get_timestamp_period());
        let (pairs, _) = stamps.as_chunks::<2>();
        Ok(pairs.iter().map(|[from, to]| to.saturating_sub(*from) as f64 * period).collect())
    }

    pub async fn take(&self, gpu: &Gpu) -> Result<KernelTimes, GpuError> {
        let entries = self.entries().clone();
        let stamped = if self.has_timestamps() { entries.len() } else { 0 };
        let seconds = self.seconds(gpu, stamped).await?;
        self.entries().clear();
        let mut times = KernelTimes::new();
        for (k, entry) in entries.into_iter().enumerate() {
            let seconds = entry.seconds.or_else(|| seconds.get(k).copied()).unwrap_or(0.0);
            let time = KernelTime { dispatches: 1, seconds, work: entry.work };
            times.entry(entry.label).or_default().add(time);
        }
        Ok(times)
    }
}
