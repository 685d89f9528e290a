//! Every size, limit and workgroup count of the kernels, in one place.

use super::error::GpuError;

/// Invocations per workgroup of the kernels that run over points.
pub const POINT_WORKGROUP: u32 = 64;
/// Invocations per workgroup of the row sketch, and columns that each of them sums.
pub const SKETCH_WORKGROUP: u32 = 64;
pub const SKETCH_COLUMNS: u32 = 4;
/// Invocations per workgroup of the kernels that measure the peak.
pub const PEAK_WORKGROUP: u32 = 64;
/// Side of the workgroup of a matrix product, and rows that each of its invocations makes.
pub const PRODUCT_SIDE: u32 = 16;
pub const PRODUCT_EACH: u32 = 4;
/// Floats that one invocation of a layer keeps in registers for its block of rows.
const ROW_BLOCK_FLOATS: usize = 32;
/// Most rows of a layer in one invocation.
const MAX_ROW_BLOCK: usize = 8;

/// Units of a layer that one invocation computes, with `channels` floats each.
#[must_use]
pub fn row_block(channels: usize, width: usize) -> usize {
    (ROW_BLOCK_FLOATS / channels.max(1)).clamp(1, MAX_ROW_BLOCK).min(width)
}

/// What the device allows, as far as work is split by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes that one storage binding, and one buffer, may have.
    pub buffer_bytes: u64,
    /// Workgroups along one dimension of a dispatch.
    pub workgroups: u32,
    /// Most points per chunk: tests lower it to exercise the splitting.
    pub chunk_points: usize,
}

impl Budget {
    #[must_use]
    pub fn of(limits: &wgpu::Limits) -> Self {
        Self {
            buffer_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            workgroups: limits.max_compute_workgroups_per_dimension,
            chunk_points: usize::MAX,
        }
    }

    /// Points per chunk for buffers of `rows` floats per point: as many as fit, a multiple of the
    /// workgroup, no more than `points` rounded up.
    ///
    /// # Errors
    /// When not even one workgroup of points fits.
    pub fn chunk(&self, rows: usize, points: usize) -> Result<usize, GpuError> {
        let group = POINT_WORKGROUP as usize;
        let fitting = self.buffer_bytes / (4 * rows as u64);
        let most = (self.workgroups as usize).saturating_mul(group);
        let capped = usize::try_from(fitting).unwrap_or(usize::MAX).min(most).min(
            // A cap below one workgroup still means one workgroup.
            self.chunk_points.max(group),
        );
        if capped < group {
            return Err(GpuError::BufferLimit {
                what: "the network's activations at one workgroup of points",
                bytes: 4 * rows as u64 * group as u64,
                limit: self.buffer_bytes,
            });
        }
        Ok((capped / group * group).min(points.max(1).next_multiple_of(group)))
    }

    /// Items of `bytes` each that one buffer and one dimension of a dispatch take.
    #[must_use]
    pub fn items(&self, bytes: u64) -> usize {
        usize::try_from(self.buffer_bytes / bytes.max(1))
            .unwrap_or(usize::MAX)
            .min(self.workgroups as usize)
    }

    /// A grid (x, y) of at least `count` workgroups; the kernel drops the surplus.
    #[must_use]
    pub fn grid(&self, count: usize) -> [u32; 2] {
        let count = u32::try_from(count).expect("fewer than 2^32 workgroups");
        let columns = count.clamp(1, self.workgroups);
        [columns, count.div_ceil(columns).max(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor() -> Budget {
        Budget::of(&wgpu::Limits::default())
    }

    #[test]
    fn chunks_are_whole_workgroups_within_a_binding() {
        for rows in [1, 3, 400, 6_241] {
            for points in [1, 63, 64, 65, 200_000, 10_000_000] {
                let chunk = floor().chunk(rows, points).unwrap();
                assert_eq!(chunk % POINT_WORKGROUP as usize, 0);
                assert!(chunk * rows * 4 <= 128 << 20);
                assert!(chunk / POINT_WORKGROUP as usize <= 65_535);
                assert!(
                    chunk >= points || (chunk + 64) * rows * 4 > 128 << 20 || chunk > 4_000_000
                );
            }
        }
        assert!(matches!(floor().chunk(600_000, 1), Err(GpuError::BufferLimit { .. })));
    }

    #[test]
    fn grids_cover_every_count_within_the_dispatch_limit() {
        for count in [1, 2, 65_535, 65_536, 200_000, 1 << 24] {
            let [x, y] = floor().grid(count);
            assert!(x <= 65_535 && y <= 65_535);
            assert!(x as usize * y as usize >= count);
        }
    }
}
