//! Chosen columns of the Jacobian after a sweep back: the entries, products with vectors and row
//! sketches, read off the factors.

use super::sweep::Sweep;
use super::texts::Texts;
use crate::gpu::buffers::{Piece, Scratch, uniform};
use crate::gpu::config::{SKETCH_COLUMNS, SKETCH_WORKGROUP};
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::gpu::kernel::Kernel;
use crate::gpu::profile::Work;
use crate::scalar::Real;

/// The kernels.
#[derive(Debug)]
pub struct Reader {
    gpu: Gpu,
    columns: Kernel,
    multiply: Kernel,
    transposed: Kernel,
    sketch: Kernel,
    request: wgpu::Buffer,
    scratch: Scratch,
}

/// The pairs of jets of the chosen columns, on the device.
#[derive(Clone, Debug)]
pub struct Chosen {
    pairs: wgpu::Buffer,
    /// s.
    pub count: usize,
}

/// The entries of a sketch's rows at the points of one sweep.
#[derive(Clone, Debug)]
pub struct SketchPart {
    /// Where each row's entries begin, and one past the last.
    pub starts: Vec<u32>,
    /// Twice the point, counted from the sweep's first, plus one where the entry is negative.
    pub entries: Vec<u32>,
}

/// `struct Request` of shaders/shared/request.wgsl, without the number of columns.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    first_column: usize,
    rows: usize,
    first_row: usize,
}

impl Reader {
    /// # Errors
    /// When the device rejects a kernel.
    pub async fn new(gpu: &Gpu, texts: &Texts) -> Result<Self, GpuError> {
        Ok(Self {
            gpu: gpu.clone(),
            columns: texts.kernel(gpu, "operator/columns.wgsl").await?,
            multiply: texts.kernel(gpu, "operator/multiply.wgsl").await?,
            transposed: texts.kernel(gpu, "operator/multiply_transposed.wgsl").await?,
            sketch: texts.kernel(gpu, "operator/sketch.wgsl").await?,
            request: uniform(gpu, "request", &[0; 4]),
            scratch: Scratch::default(),
        })
    }

    /// Uploads the pairs of chosen columns, in the place of those before.
    ///
    /// # Errors
    /// When they do not fit a buffer.
    pub fn choose(&mut self, pairs: &[[u32; 2]]) -> Result<Chosen, GpuError> {
        let buffer = self.scratch.filled(&self.gpu, "pairs", pairs)?;
        Ok(Chosen { pairs: buffer, count: pairs.len() })
    }

    /// Hands over the columns at a sweep's points in blocks: the first one's number, and the
    /// entries, column after column.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn entries<T: Real>(
        &mut self,
        sweep: &Sweep,
        chosen: &Chosen,
        mut visit: impl FnMut(usize, &[T]),
    ) -> Result<(), GpuError> {
        let row_bytes = (sweep.stride * sweep.scalar.bytes()) as u64;
        let tile = self.gpu.budget().items(row_bytes).min(chosen.count.max(1));
        let output = self.scratch.get(&self.gpu, "columns", row_bytes * tile as u64)?;
        for first in (0..chosen.count).step_by(tile) {
            let rows = tile.min(chosen.count - first);
            let request = Request { first_column: first, rows, first_row: 0 };
            let grid = [sweep.point_groups(), rows as u32, 1];
            self.run(
                &self.columns,
                sweep,
                chosen,
                (request, grid, sweep.entries_work(rows)),
                &[("output", &output)],
            );
            let piece = |row: usize| Piece {
                buffer: &output,
                start: row as u64 * row_bytes,
                bytes: (sweep.count() * sweep.scalar.bytes()) as u64,
            };
            let pieces: Vec<Piece<'_>> = (0..rows).map(piece).collect();
            let what = "columns of J";
            let part: Vec<T> =
                sweep.scalar.read(&mut self.scratch, &self.gpu, what, &pieces).await?;
            visit(first, &part);
        }
        Ok(())
    }

    /// J v at a sweep's points.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn multiply(
        &mut self,
        sweep: &Sweep,
        chosen: &Chosen,
        v: &[f64],
    ) -> Result<Vec<f64>, GpuError> {
        let vector = self.scratch.filled(&self.gpu, "vector", &sweep.scalar.encode(v))?;
        let bytes = (sweep.stride * sweep.scalar.bytes()) as u64;
        let output = self.scratch.get(&self.gpu, "product", bytes)?;
        let grid = [sweep.point_groups(), 1, 1];
        let buffers = [("vector", &vector), ("output", &output)];
        let work = sweep.product_work(chosen.count);
        self.run(&self.multiply, sweep, chosen, (Request::default(), grid, work), &buffers);
        let piece = Piece::start(&output, (sweep.count() * sweep.scalar.bytes()) as u64);
        sweep.scalar.read(&mut self.scratch, &self.gpu, "J v", &[piece]).await
    }

    /// J^T w over a sweep's points.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn multiply_transposed(
        &mut self,
        sweep: &Sweep,
        chosen: &Chosen,
        w: &[f64],
    ) -> Result<Vec<f64>, GpuError> {
        let vector = self.scratch.filled(&self.gpu, "vector", &sweep.scalar.encode(w))?;
        let bytes = (chosen.count * sweep.scalar.bytes()) as u64;
        let output = self.scratch.get(&self.gpu, "product", bytes)?;
        let [x, y] = self.gpu.budget().grid(chosen.count);
        let buffers = [("vector", &vector), ("output", &output)];
        let work = sweep.product_work(chosen.count);
        let request = (Request::default(), [x, y, 1], work);
        self.run(&self.transposed, sweep, chosen, request, &buffers);
        let piece = Piece::start(&output, bytes);
        sweep.scalar.read(&mut self.scratch, &self.gpu, "J^T w", &[piece]).await
    }

    /// Hands over S J in bands of rows, row-major: a band's first row and its entries, summed over
    /// the sweeps and their parts of S. J is never stored: each row of the sketch gathers what it
    /// sums.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn sketch(
        &mut self,
        parts: &[(&Sweep, SketchPart)],
        chosen: &Chosen,
        mut visit: impl FnMut(usize, &[f64]),
    ) -> Result<(), GpuError> {
        let Some((first_sweep, first_part)) = parts.first() else { return Ok(()) };
        let (scalar, rows) = (first_sweep.scalar, first_part.starts.len() - 1);
        let row_bytes = (chosen.count * scalar.bytes()) as u64;
        let band = self.gpu.budget().items(row_bytes).clamp(1, rows.max(1));
        let output = self.scratch.get(&self.gpu, "sketch", row_bytes * band as u64)?;
        for first_row in (0..rows).step_by(band) {
            let height = band.min(rows - first_row);
            self.gpu.submit(|commands| commands.encoder().clear_buffer(&output, 0, None));
            for (sweep, part) in parts {
                let request = Request { first_column: 0, rows: height, first_row };
                self.add_part(sweep, part, chosen, request, &output)?;
            }
            let piece = Piece::start(&output, row_bytes * height as u64);
            let read: Vec<f64> = scalar.read(&mut self.scratch, &self.gpu, "S J", &[piece]).await?;
            visit(first_row, &read);
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        sweep: &Sweep,
        part: &SketchPart,
        chosen: &Chosen,
        request: Request,
        output: &wgpu::Buffer,
    ) -> Result<(), GpuError> {
        let starts = self.scratch.filled(&self.gpu, "sketch starts", &part.starts)?;
        let entries = self.scratch.filled(&self.gpu, "sketch entries", &part.entries)?;
        let [x, y] = self.gpu.budget().grid(request.rows);
        let blocks = chosen.count.div_ceil((SKETCH_WORKGROUP * SKETCH_COLUMNS) as usize) as u32;
        let buffers = [("starts", &starts), ("entries", &entries), ("output", output)];
        let begin = part.starts[request.first_row];
        let hits = (part.starts[request.first_row + request.rows] - begin) as usize;
        let work = sweep.sketch_work(chosen.count, hits, request.rows);
        self.run(&self.sketch, sweep, chosen, (request, [x, y, blocks], work), &buffers);
        Ok(())
    }

    /// One dispatch: a submission of its own, because the request is rewritten for the next.
    fn run(
        &self,
        kernel: &Kernel,
        sweep: &Sweep,
        chosen: &Chosen,
        (request, grid, work): (Request, [u32; 3], Work),
        buffers: &[(&str, &wgpu::Buffer)],
    ) {
        let Request { first_column, rows, first_row } = request;
        let words = [chosen.count, first_column, rows, first_row].map(|word| word as u32);
        self.gpu.queue().write_buffer(&self.request, 0, bytemuck::cast_slice(&words));
        let common = [
            ("shape", sweep.shape()),
            ("factors", sweep.factors()),
            ("pairs", &chosen.pairs),
            ("request", &self.request),
        ];
        let group = kernel.bind(&self.gpu, &[&common[..], buffers].concat());
        self.gpu.submit(|commands| kernel.dispatch(commands, &group, (grid, work)));
    }
}
