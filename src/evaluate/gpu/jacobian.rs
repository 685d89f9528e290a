//! The parameter Jacobian J = du/dtheta at one parameter vector: chosen columns, products, sketch
//! and Gram matrix, all read off the factors without J ever being stored.

use super::buffers::{Piece, read, singles};
use super::config::{GRAM_TILE, SKETCH_COLUMNS, SKETCH_WORKGROUP};
use super::error::GpuError;
use super::evaluator::{Chunk, Evaluator, Field, length};
use super::kernel::Kernel;

/// A matrix S with entries 0 and +-`scale`, stored by rows: row i of S J is the signed sum of the
/// rows of J that it lists.
#[derive(Clone, Copy, Debug)]
pub struct SketchRows<'a> {
    /// Where each row's entries begin, and one past the last: m + 1 numbers.
    pub offsets: &'a [u32],
    /// The point of each entry.
    pub points: &'a [u32],
    /// The sign of each entry: only the sign bit counts.
    pub signs: &'a [f32],
    /// Size of every entry.
    pub scale: f64,
}

/// The entries of a sketch that belong to one chunk: where each row's begin, and their points,
/// counted from the chunk's first, with the sign in the top bit.
#[derive(Clone, Debug)]
struct SketchPart {
    offsets: Vec<u32>,
    entries: Vec<u32>,
}

/// J at the parameters of [`Evaluator::linearize`], n x p, one column per parameter. Every method
/// takes the chosen columns, as numbers of parameters, and stands for the n x s matrix of those.
#[derive(Debug)]
pub struct Linearization<'a> {
    evaluator: &'a mut Evaluator,
    field: Field,
}

impl<'a> Linearization<'a> {
    pub(super) fn new(evaluator: &'a mut Evaluator, field: Field) -> Self {
        Self { evaluator, field }
    }

    /// u and F(x, t, u) at the same parameters.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// The chosen columns themselves: n x s, column-major. Takes n s floats on the host.
    ///
    /// # Errors
    /// When a column does not exist or the device fails.
    pub async fn columns(&mut self, columns: &[u32]) -> Result<Vec<f32>, GpuError> {
        let pairs = self.upload_pairs(columns)?;
        let points = self.evaluator.points;
        let row_bytes = 4 * self.evaluator.stride as u64;
        let tile = self.evaluator.gpu.budget().items(row_bytes).min(columns.len().max(1));
        let output = self.scratch("columns", row_bytes * tile as u64)?;
        let mut result = vec![0.0; points * columns.len()];
        for number in 0..self.evaluator.chunks.len() {
            for first in (0..columns.len()).step_by(tile) {
                let rows = tile.min(columns.len() - first);
                let chunk = &self.evaluator.chunks[number];
                let kernel = &self.evaluator.kernels.columns;
                let request = [columns.len(), first, rows, 0];
                let grid = [Evaluator::point_groups(chunk), rows as u32, 1];
                self.run(kernel, chunk, request, grid, &[("pairs", &pairs), ("output", &output)]);
                let pieces: Vec<Piece<'_>> = (0..rows as u64)
                    .map(|row| Piece {
                        buffer: &output,
                        start: row * row_bytes,
                        bytes: 4 * chunk.points as u64,
                    })
                    .collect();
                let part: Vec<f32> = read(&self.evaluator.gpu, "columns of J", &pieces).await?;
                for (row, values) in part.chunks_exact(chunk.points).enumerate() {
                    let start = (first + row) * points + chunk.first;
                    result[start..start + chunk.points].copy_from_slice(values);
                }
            }
        }
        Ok(result)
    }

    /// J v: n numbers from s.
    ///
    /// # Errors
    /// When a column does not exist, `v` has the wrong length, or the device fails.
    pub async fn multiply(&mut self, columns: &[u32], v: &[f64]) -> Result<Vec<f64>, GpuError> {
        length("the vector v of J v", v.len(), columns.len())?;
        let pairs = self.upload_pairs(columns)?;
        let vector = self.upload("vector", &singles(v))?;
        let output = self.scratch("product", 4 * self.evaluator.stride as u64)?;
        let mut result = Vec::with_capacity(self.evaluator.points);
        for chunk in &self.evaluator.chunks {
            let buffers = [("pairs", &pairs), ("vector", &vector), ("output", &output)];
            let grid = [Evaluator::point_groups(chunk), 1, 1];
            self.run(
                &self.evaluator.kernels.multiply,
                chunk,
                [columns.len(), 0, 0, 0],
                grid,
                &buffers,
            );
            let piece = Piece { buffer: &output, start: 0, bytes: 4 * chunk.points as u64 };
            let part: Vec<f32> = read(&self.evaluator.gpu, "J v", &[piece]).await?;
            result.extend(part.into_iter().map(f64::from));
        }
        Ok(result)
    }

    /// J^T w: s numbers from n. Each chunk of points is summed in f32, the chunks in f64.
    ///
    /// # Errors
    /// When a column does not exist, `w` has the wrong length, or the device fails.
    pub async fn multiply_transposed(
        &mut self,
        columns: &[u32],
        w: &[f64],
    ) -> Result<Vec<f64>, GpuError> {
        length("the vector w of J^T w", w.len(), self.evaluator.points)?;
        let pairs = self.upload_pairs(columns)?;
        let output = self.scratch("product", 4 * columns.len() as u64)?;
        let mut result = vec![0.0; columns.len()];
        for number in 0..self.evaluator.chunks.len() {
            let vector = self.upload_points(number, w)?;
            let chunk = &self.evaluator.chunks[number];
            let [x, y] = self.evaluator.gpu.budget().grid(columns.len());
            let buffers = [("pairs", &pairs), ("vector", &vector), ("output", &output)];
            self.run(
                &self.evaluator.kernels.multiply_transposed,
                chunk,
                [columns.len(), 0, 0, 0],
                [x, y, 1],
                &buffers,
            );
            let piece = Piece { buffer: &output, start: 0, bytes: 4 * columns.len() as u64 };
            let part: Vec<f32> = read(&self.evaluator.gpu, "J^T w", &[piece]).await?;
            for (sum, value) in result.iter_mut().zip(part) {
                *sum += f64::from(value);
            }
        }
        Ok(result)
    }

    /// S J: m x s, column-major, with S given by rows.
    ///
    /// # Errors
    /// When a column or a point does not exist, the sketch's arrays disagree in length, or the
    /// device fails.
    pub async fn sketch(
        &mut self,
        columns: &[u32],
        sketch: SketchRows<'_>,
    ) -> Result<Vec<f32>, GpuError> {
        let rows = sketch.offsets.len().saturating_sub(1);
        let parts = self.split_by_chunk(&sketch)?;
        let pairs = self.upload_pairs(columns)?;
        let count = columns.len();
        let blocks = count.div_ceil((SKETCH_WORKGROUP * SKETCH_COLUMNS) as usize) as u32;
        let band = self.evaluator.gpu.budget().items(4 * count as u64).clamp(1, rows.max(1));
        let output = self.scratch("sketch", 4 * (band * count) as u64)?;
        let mut result = vec![0.0; rows * count];
        for first in (0..rows).step_by(band) {
            let height = band.min(rows - first);
            self.clear(&output);
            for (chunk, part) in self.evaluator.chunks.iter().zip(&parts) {
                let gpu = &self.evaluator.gpu;
                let scratch = &mut self.evaluator.scratch;
                let offsets = scratch.filled(gpu, "sketch offsets", &part.offsets)?;
                let entries = scratch.filled(gpu, "sketch entries", &part.entries)?;
                let [x, y] = gpu.budget().grid(height);
                let buffers = [
                    ("pairs", &pairs),
                    ("offsets", &offsets),
                    ("entries", &entries),
                    ("output", &output),
                ];
                let request = [count, 0, height, first];
                let kernel = &self.evaluator.kernels.sketch;
                Self::submit(
                    gpu,
                    &self.evaluator.request,
                    kernel,
                    chunk,
                    request,
                    [x, y, blocks],
                    &buffers,
                );
            }
            let piece = Piece { buffer: &output, start: 0, bytes: 4 * (height * count) as u64 };
            let part: Vec<f32> = read(&self.evaluator.gpu, "S J", &[piece]).await?;
            for (row, values) in part.chunks_exact(count.max(1)).enumerate() {
                for (column, &value) in values.iter().enumerate() {
                    let scaled = f64::from(value) * sketch.scale;
                    result[column * rows + first + row] = scaled as f32;
                }
            }
        }
        Ok(result)
    }

    /// J^T J (s x s, column-major) and J^T r, with the products of the f32 entries of J summed in
    /// double-float.
    ///
    /// # Errors
    /// When the device's double-float arithmetic is not exact, a column does not exist, `r` has
    /// the wrong length, or the device fails.
    pub async fn gram(
        &mut self,
        columns: &[u32],
        r: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>), GpuError> {
        length("the right-hand side r of J^T r", r.len(), self.evaluator.points)?;
        if !self.evaluator.gpu.self_test().passed() {
            let adapter = self.evaluator.gpu.name().to_owned();
            return Err(GpuError::InexactDoubleFloat { adapter });
        }
        let pairs = self.upload_pairs(columns)?;
        let count = columns.len();
        let width = count + 1;
        let tile = GRAM_TILE as usize;
        let fitting = self.evaluator.gpu.budget().items(8 * width as u64) / tile * tile;
        let band = fitting.clamp(tile, width.next_multiple_of(tile));
        let output = self.scratch("gram", 8 * (band * width) as u64)?;
        let mut upper = vec![0.0; count * width];
        for number in 0..self.evaluator.chunks.len() {
            let vector = self.upload_points(number, r)?;
            for first in (0..count).step_by(band) {
                let height = band.min(count - first);
                let chunk = &self.evaluator.chunks[number];
                let grid = [width.div_ceil(tile) as u32, height.div_ceil(tile) as u32, 1];
                let buffers = [("pairs", &pairs), ("vector", &vector), ("output", &output)];
                let kernel = &self.evaluator.kernels.gram;
                self.run(kernel, chunk, [count, 0, height, first], grid, &buffers);
                let bytes = 8 * (height * width) as u64;
                let piece = Piece { buffer: &output, start: 0, bytes };
                let part: Vec<[f32; 2]> =
                    read(&self.evaluator.gpu, "the Gram matrix", &[piece]).await?;
                let sums = &mut upper[first * width..(first + height) * width];
                for (sum, [high, low]) in sums.iter_mut().zip(part) {
                    *sum += f64::from(high) + f64::from(low);
                }
            }
        }
        Ok(mirror(&upper, count))
    }

    fn scratch(&mut self, purpose: &'static str, bytes: u64) -> Result<wgpu::Buffer, GpuError> {
        self.evaluator.scratch.get(&self.evaluator.gpu, purpose, bytes)
    }

    fn upload(&mut self, purpose: &'static str, data: &[f32]) -> Result<wgpu::Buffer, GpuError> {
        self.evaluator.scratch.filled(&self.evaluator.gpu, purpose, data)
    }

    /// The part of a vector over the points that belongs to one chunk.
    fn upload_points(&mut self, chunk: usize, vector: &[f64]) -> Result<wgpu::Buffer, GpuError> {
        let Chunk { first, points, .. } = self.evaluator.chunks[chunk];
        self.upload("vector", &singles(&vector[first..first + points]))
    }

    fn upload_pairs(&mut self, columns: &[u32]) -> Result<wgpu::Buffer, GpuError> {
        let all = &self.evaluator.plan.pairs;
        let pairs = columns
            .iter()
            .map(|&column| {
                all.get(column as usize)
                    .copied()
                    .ok_or(GpuError::NoSuchColumn { column, parameters: all.len() })
            })
            .collect::<Result<Vec<[u32; 2]>, _>>()?;
        self.evaluator.scratch.filled(&self.evaluator.gpu, "pairs", &pairs)
    }

    fn run(
        &self,
        kernel: &Kernel,
        chunk: &Chunk,
        request: [usize; 4],
        grid: [u32; 3],
        buffers: &[(&str, &wgpu::Buffer)],
    ) {
        let evaluator = &self.evaluator;
        Self::submit(&evaluator.gpu, &evaluator.request, kernel, chunk, request, grid, buffers);
    }

    /// One dispatch over one chunk: a submission of its own, because the request is rewritten for
    /// the next.
    fn submit(
        gpu: &super::device::Gpu,
        request_buffer: &wgpu::Buffer,
        kernel: &Kernel,
        chunk: &Chunk,
        request: [usize; 4],
        grid: [u32; 3],
        buffers: &[(&str, &wgpu::Buffer)],
    ) {
        let words = request.map(|word| word as u32);
        gpu.queue().write_buffer(request_buffer, 0, bytemuck::cast_slice(&words));
        let mut all =
            vec![("shape", &chunk.shape), ("factors", &chunk.factors), ("request", request_buffer)];
        all.extend_from_slice(buffers);
        let group = kernel.bind(gpu, &all);
        let mut encoder =
            gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            kernel.dispatch(&mut pass, &group, grid);
        }
        gpu.queue().submit([encoder.finish()]);
    }

    fn clear(&self, buffer: &wgpu::Buffer) {
        let gpu = &self.evaluator.gpu;
        let mut encoder =
            gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.clear_buffer(buffer, 0, None);
        gpu.queue().submit([encoder.finish()]);
    }

    /// The entries of the sketch, chunk by chunk.
    fn split_by_chunk(&self, sketch: &SketchRows<'_>) -> Result<Vec<SketchPart>, GpuError> {
        length("the list of the sketch's signs", sketch.signs.len(), sketch.points.len())?;
        let end = sketch.offsets.last().copied().unwrap_or(0) as usize;
        length("the list of the sketch's points", sketch.points.len(), end)?;
        let (points, stride) = (self.evaluator.points, self.evaluator.stride);
        let empty = SketchPart { offsets: vec![0], entries: Vec::new() };
        let mut parts = vec![empty; self.evaluator.chunks.len()];
        for (row, bounds) in sketch.offsets.windows(2).enumerate() {
            for k in bounds[0] as usize..bounds[1] as usize {
                let point = sketch.points[k];
                if point as usize >= points {
                    return Err(GpuError::NoSuchPoint { row, point, points });
                }
                let sign = sketch.signs[k].to_bits() & 0x8000_0000;
                let local = (point as usize % stride) as u32;
                parts[point as usize / stride].entries.push(local | sign);
            }
            for part in &mut parts {
                part.offsets.push(part.entries.len() as u32);
            }
        }
        Ok(parts)
    }
}

/// From the rows of [J r]^T [J r] on and above the diagonal to the full matrix and the last column.
fn mirror(upper: &[f64], count: usize) -> (Vec<f64>, Vec<f64>) {
    let width = count + 1;
    let entry = |row: usize, column: usize| upper[row.min(column) * width + row.max(column)];
    let matrix = (0..count * count).map(|at| entry(at % count.max(1), at / count.max(1))).collect();
    let right = (0..count).map(|row| upper[row * width + count]).collect();
    (matrix, right)
}
