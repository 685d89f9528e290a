//! Buffers: making, filling, and reading them back without blocking anybody who must not block.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use bytemuck::Pod;
use wgpu::util::DeviceExt;

use super::device::Gpu;
use super::error::GpuError;

/// Smallest buffer that is made: bindings may not be empty.
const SMALLEST: u64 = 16;

/// A zeroed storage buffer that can be written, bound and copied from.
pub fn storage(gpu: &Gpu, label: &str, bytes: u64) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.max(SMALLEST).next_multiple_of(4),
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// A uniform buffer with the given words.
pub fn uniform(gpu: &Gpu, label: &str, words: &[u32]) -> wgpu::Buffer {
    gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some(label),
        contents: bytemuck::cast_slice(words),
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
    })
}

/// Storage that operations share, by purpose; it grows to the largest size asked for.
#[derive(Debug, Default)]
pub struct Scratch {
    buffers: BTreeMap<&'static str, wgpu::Buffer>,
    /// Where results wait to be mapped.
    staging: Option<wgpu::Buffer>,
}

impl Scratch {
    /// A buffer of at least `bytes` (contents undefined).
    ///
    /// # Errors
    /// When one buffer of the device cannot have that size.
    pub fn get(
        &mut self,
        gpu: &Gpu,
        purpose: &'static str,
        bytes: u64,
    ) -> Result<wgpu::Buffer, GpuError> {
        let limit = gpu.budget().buffer_bytes;
        if bytes > limit {
            return Err(GpuError::BufferLimit { what: purpose, bytes, limit });
        }
        if let Some(buffer) = self.buffers.get(purpose).filter(|buffer| buffer.size() >= bytes) {
            return Ok(buffer.clone());
        }
        let buffer = storage(gpu, purpose, bytes);
        self.buffers.insert(purpose, buffer.clone());
        Ok(buffer)
    }

    /// The same, filled with `data`.
    pub fn filled<T: Pod>(
        &mut self,
        gpu: &Gpu,
        purpose: &'static str,
        data: &[T],
    ) -> Result<wgpu::Buffer, GpuError> {
        let buffer = self.get(gpu, purpose, size_of_val(data) as u64)?;
        gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(data));
        Ok(buffer)
    }
    /// Copies the pieces, one after the other, to the host, behind everything submitted so far.
    ///
    /// # Errors
    /// When the device is lost, or something that was submitted before turns out to be wrong.
    pub async fn read<T: Pod>(
        &mut self,
        gpu: &Gpu,
        what: &'static str,
        pieces: &[Piece<'_>],
    ) -> Result<Vec<T>, GpuError> {
        let total: u64 = pieces.iter().map(|piece| piece.bytes).sum();
        let mut values = vec![T::zeroed(); total as usize / size_of::<T>()];
        if total == 0 {
            return Ok(values);
        }
        let staging = self.staging(gpu, what, total).await?;
        gpu.submit(|commands| {
            let encoder = commands.encoder();
            let mut at = 0;
            for piece in pieces {
                encoder.copy_buffer_to_buffer(piece.buffer, piece.start, &staging, at, piece.bytes);
                at += piece.bytes;
            }
        });
        map(gpu, what, &staging, total).await?;
        gpu.check()?;
        {
            let view = staging.get_mapped_range(..total).map_err(GpuError::MapRange)?;
            bytemuck::cast_slice_mut(&mut values).copy_from_slice(&view);
        }
        staging.unmap();
        // Kept only now: after an error it could be left mapped.
        self.staging = Some(staging);
        Ok(values)
    }

    async fn staging(
        &mut self,
        gpu: &Gpu,
        what: &'static str,
        bytes: u64,
    ) -> Result<wgpu::Buffer, GpuError> {
        if let Some(buffer) = self.staging.take().filter(|buffer| buffer.size() >= bytes) {
            return Ok(buffer);
        }
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        match scope.pop().await {
            None => Ok(buffer),
            Some(_) => Err(GpuError::OutOfMemory { what }),
        }
    }
}

/// A stretch of a buffer, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub buffer: &'a wgpu::Buffer,
    pub start: u64,
    pub bytes: u64,
}

impl<'a> Piece<'a> {
    /// The first `bytes` of a buffer.
    pub fn start(buffer: &'a wgpu::Buffer, bytes: u64) -> Self {
        Self { buffer, start: 0, bytes }
    }
}

#[derive(Default)]
struct Mapping {
    result: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

/// Waits until the first `bytes` of `staging` are mapped. Natively the device has to be polled for that; in the browser
/// its event loop does it, and polling returns at once.
async fn map(
    gpu: &Gpu,
    what: &'static str,
    staging: &wgpu::Buffer,
    bytes: u64,
) -> Result<(), GpuError> {
    let shared = Arc::new(Mutex::new(Mapping::default()));
    let report = Arc::clone(&shared);
    staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
        let mut mapping = report.lock().unwrap_or_else(PoisonError::into_inner);
        mapping.result = Some(result);
        if let Some(waker) = mapping.waker.take() {
            waker.wake();
        }
    });
    gpu.device().poll(wgpu::PollType::wait_indefinitely())?;
    poll_fn(|context| {
        let mut mapping = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match mapping.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                mapping.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
    .map_err(|source| match gpu.check() {
        Err(cause) => cause,
        Ok(()) => GpuError::Read { what, source },
    })
}
