//! The parameter Jacobian J = du/dtheta at one parameter vector: chosen columns, products, sketch
//! and Gram matrix, all read off the factors without J ever being stored.

mod gram;
mod sketch;

pub use sketch::SketchRows;

use super::buffers::{Piece, singles};
use super::chunk::Chunk;
use super::error::GpuError;
use super::evaluator::{Evaluator, length};
use super::kernel::Kernel;
use crate::cpu::Field;

/// J at the parameters given to [`Evaluator::linearize`]: n x p, one column per parameter.
#[derive(Debug)]
pub struct Linearization<'a> {
    evaluator: &'a mut Evaluator,
    field: Field,
}

/// The n x s matrix of chosen columns of J.
#[derive(Debug)]
pub struct ChosenColumns<'a> {
    evaluator: &'a mut Evaluator,
    /// The rows of factors of each column.
    pairs: wgpu::Buffer,
    /// s.
    count: usize,
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

    /// The columns of the given parameters, in the given order.
    ///
    /// # Errors
    /// When the network has no such parameter.
    pub fn choose(&mut self, columns: &[u32]) -> Result<ChosenColumns<'_>, GpuError> {
        let all = &self.evaluator.plan.pairs;
        let pair = |&column: &u32| {
            let error = GpuError::NoSuchColumn { column, parameters: all.len() };
            all.get(column as usize).copied().ok_or(error)
        };
        let pairs = columns.iter().map(pair).collect::<Result<Vec<[u32; 2]>, _>>()?;
        let pairs = self.evaluator.scratch.filled(&self.evaluator.gpu, "pairs", &pairs)?;
        Ok(ChosenColumns { evaluator: self.evaluator, pairs, count: columns.len() })
    }
}

impl ChosenColumns<'_> {
    /// n.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.evaluator.points
    }

    /// s.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The entries themselves: n x s, column-major, n s floats on the host.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn entries(&mut self) -> Result<Vec<f32>, GpuError> {
        let (points, count) = (self.rows(), self.count);
        let row_bytes = 4 * self.evaluator.stride as u64;
        let tile = self.evaluator.gpu.budget().items(row_bytes).min(count.max(1));
        let output = self.scratch("columns", row_bytes * tile as u64)?;
        let mut result = vec![0.0; points * count];
        for number in 0..self.evaluator.chunks.len() {
            for first in (0..count).step_by(tile) {
                let rows = tile.min(count - first);
                let chunk = &self.evaluator.chunks[number];
                let grid = [chunk.groups(), rows as u32, 1];
                let kernel = &self.evaluator.kernels.columns;
                self.run(kernel, chunk, Request::tile(first, rows), grid, &[("output", &output)]);
                let pieces: Vec<Piece<'_>> = (0..rows)
                    .map(|row| Piece {
                        buffer: &output,
                        start: chunk.row_start(row),
                        bytes: 4 * chunk.points as u64,
                    })
                    .collect();
                let (start, length) = (chunk.first, chunk.points);
                let part: Vec<f32> = self.read("columns of J", &pieces).await?;
                for (row, values) in part.chunks_exact(length).enumerate() {
                    let at = (first + row) * points + start;
                    result[at..at + length].copy_from_slice(values);
                }
            }
        }
        Ok(result)
    }

    /// J v: n numbers from s.
    ///
    /// # Errors
    /// When `v` has the wrong length or the device fails.
    pub async fn multiply(&mut self, v: &[f64]) -> Result<Vec<f64>, GpuError> {
        length("the vector v of J v", v.len(), self.count)?;
        let vector = self.upload("vector", &singles(v))?;
        let output = self.scratch("product", 4 * self.evaluator.stride as u64)?;
        let mut result = Vec::with_capacity(self.rows());
        for number in 0..self.evaluator.chunks.len() {
            let chunk = &self.evaluator.chunks[number];
            let kernel = &self.evaluator.kernels.multiply;
            let buffers = [("vector", &vector), ("output", &output)];
            self.run(kernel, chunk, Request::default(), [chunk.groups(), 1, 1], &buffers);
            let bytes = 4 * chunk.points as u64;
            let part: Vec<f32> = self.read("J v", &[Piece::start(&output, bytes)]).await?;
            result.extend(part.into_iter().map(f64::from));
        }
        Ok(result)
    }

    /// J^T w: s numbers from n. Each chunk of points is summed in f32, the chunks in f64.
    ///
    /// # Errors
    /// When `w` has the wrong length or the device fails.
    pub async fn multiply_transposed(&mut self, w: &[f64]) -> Result<Vec<f64>, GpuError> {
        length("the vector w of J^T w", w.len(), self.rows())?;
        let bytes = 4 * self.count as u64;
        let output = self.scratch("product", bytes)?;
        let mut result = vec![0.0; self.count];
        for number in 0..self.evaluator.chunks.len() {
            let vector = self.upload_points(number, w)?;
            let chunk = &self.evaluator.chunks[number];
            let kernel = &self.evaluator.kernels.multiply_transposed;
            let [x, y] = self.evaluator.gpu.budget().grid(self.count);
            let buffers = [("vector", &vector), ("output", &output)];
            self.run(kernel, chunk, Request::default(), [x, y, 1], &buffers);
            let part: Vec<f32> = self.read("J^T w", &[Piece::start(&output, bytes)]).await?;
            for (sum, value) in result.iter_mut().zip(part) {
                *sum += f64::from(value);
            }
        }
        Ok(result)
    }

    fn scratch(&mut self, purpose: &'static str, bytes: u64) -> Result<wgpu::Buffer, GpuError> {
        self.evaluator.scratch.get(&self.evaluator.gpu, purpose, bytes)
    }

    fn upload<T: bytemuck::Pod>(
        &mut self,
        purpose: &'static str,
        data: &[T],
    ) -> Result<wgpu::Buffer, GpuError> {
        self.evaluator.scratch.filled(&self.evaluator.gpu, purpose, data)
    }

    /// The part of a vector over the points that belongs to one chunk.
    fn upload_points(&mut self, chunk: usize, vector: &[f64]) -> Result<wgpu::Buffer, GpuError> {
        let Chunk { first, points, .. } = self.evaluator.chunks[chunk];
        self.upload("vector", &singles(&vector[first..first + points]))
    }

    async fn read<T: bytemuck::Pod>(
        &mut self,
        what: &'static str,
        pieces: &[Piece<'_>],
    ) -> Result<Vec<T>, GpuError> {
        self.evaluator.scratch.read(&self.evaluator.gpu, what, pieces).await
    }

    /// One dispatch over one chunk: a submission of its own, because the request is rewritten for
    /// the next.
    fn run(
        &self,
        kernel: &Kernel,
        chunk: &Chunk,
        request: Request,
        grid: [u32; 3],
        buffers: &[(&str, &wgpu::Buffer)],
    ) {
        let (gpu, request_buffer) = (&self.evaluator.gpu, &self.evaluator.request);
        let words = request.words(self.count);
        gpu.queue().write_buffer(request_buffer, 0, bytemuck::cast_slice(&words));
        let common = [
            ("shape", &chunk.shape),
            ("factors", &chunk.factors),
            ("pairs", &self.pairs),
            ("request", request_buffer),
        ];
        let group = kernel.bind(gpu, &[&common[..], buffers].concat());
        gpu.submit(|encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            kernel.dispatch(&mut pass, &group, grid);
        });
    }
}

/// `struct Request` of shaders/shared/request.wgsl, without the number of columns.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    first_column: usize,
    rows: usize,
    first_row: usize,
}

impl Request {
    /// A tile of stored columns: the output has a row for each.
    fn tile(first_column: usize, rows: usize) -> Self {
        Self { first_column, rows, first_row: 0 }
    }

    /// A band of rows of the sketch or of the Gram matrix.
    fn band(first_row: usize, rows: usize) -> Self {
        Self { first_column: 0, rows, first_row }
    }

    fn words(self, columns: usize) -> [u32; 4] {
        [columns, self.first_column, self.rows, self.first_row].map(|word| word as u32)
    }
}
