//! J^T J and J^T r, summed in double-float.

use super::super::buffers::Piece;
use super::super::config::GRAM_TILE;
use super::super::error::GpuError;
use super::super::evaluator::length;
use super::{ChosenColumns, Request};

impl ChosenColumns<'_> {
    /// J^T J (s x s, column-major) and J^T r: the products of the f32 entries of J are exact, their
    /// sums carry 48 bits, so that singular values of J down to sqrt(n) 2^-24 times the largest
    /// survive, where f32 sums would lose those below 2^-12.
    ///
    /// # Errors
    /// When the device's double-float arithmetic is not exact, `r` has the wrong length, or the
    /// device fails.
    pub async fn gram(&mut self, r: &[f64]) -> Result<(Vec<f64>, Vec<f64>), GpuError> {
        length("the right-hand side r of J^T r", r.len(), self.rows())?;
        if !self.evaluator.gpu.self_test().passed() {
            let adapter = self.evaluator.gpu.name().to_owned();
            return Err(GpuError::InexactDoubleFloat { adapter });
        }
        // r is one more column, and its products the last column of the larger Gram matrix.
        let (count, width, tile) = (self.count, self.count + 1, GRAM_TILE as usize);
        let row_bytes = 8 * width as u64;
        let fitting = self.evaluator.gpu.budget().items(row_bytes) / tile * tile;
        let band = fitting.clamp(tile, width.next_multiple_of(tile));
        let output = self.scratch("gram", row_bytes * band as u64)?;
        let mut upper = vec![0.0; count * width];
        for number in 0..self.evaluator.chunks.len() {
            let vector = self.upload_points(number, r)?;
            for first in (0..count).step_by(band) {
                let height = band.min(count - first);
                let grid = [width.div_ceil(tile) as u32, height.div_ceil(tile) as u32, 1];
                let kernel = &self.evaluator.kernels.gram;
                let chunk = &self.evaluator.chunks[number];
                let buffers = [("vector", &vector), ("output", &output)];
                self.run(kernel, chunk, Request::band(first, height), grid, &buffers);
                let piece = Piece::start(&output, row_bytes * height as u64);
                let part: Vec<[f32; 2]> = self.read("the Gram matrix", &[piece]).await?;
                let sums = &mut upper[first * width..(first + height) * width];
                for (sum, [high, low]) in sums.iter_mut().zip(part) {
                    *sum += f64::from(high) + f64::from(low);
                }
            }
        }
        Ok(mirror(&upper, count))
    }
}

/// From the rows of [J r]^T [J r] on and above the diagonal to the full J^T J and to J^T r.
fn mirror(upper: &[f64], count: usize) -> (Vec<f64>, Vec<f64>) {
    let width = count + 1;
    let entry = |row: usize, column: usize| upper[row.min(column) * width + row.max(column)];
    let matrix =
        (0..count).flat_map(|column| (0..count).map(move |row| entry(row, column))).collect();
    let right = (0..count).map(|row| upper[row * width + count]).collect();
    (matrix, right)
}
