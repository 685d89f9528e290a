//! S J for a sparse-sign embedding S of the rows.

use super::super::buffers::Piece;
use super::super::config::{SKETCH_COLUMNS, SKETCH_WORKGROUP};
use super::super::error::GpuError;
use super::super::evaluator::length;
use super::{ChosenColumns, Request};

/// An m x n matrix S with entries 0 and +-`scale`, by its rows: row q of S J is the signed sum of
/// the rows of J that it lists.
#[derive(Clone, Copy, Debug)]
pub struct SketchRows<'a> {
    /// Where each row's entries begin, and one past the last: m + 1 numbers.
    pub starts: &'a [u32],
    /// 2 i + (1 where the entry is negative), for row i of J.
    pub entries: &'a [u32],
    /// Size of every entry.
    pub scale: f64,
}

/// The entries of a sketch that belong to one chunk of points, counted from its first.
#[derive(Clone, Debug)]
struct SketchPart {
    starts: Vec<u32>,
    entries: Vec<u32>,
}

impl ChosenColumns<'_> {
    /// S J: m x s, column-major. J is never stored: each row of the sketch gathers what it sums.
    ///
    /// # Errors
    /// When the sketch names a point that does not exist, its arrays disagree in length, or the
    /// device fails.
    pub async fn sketch(&mut self, sketch: SketchRows<'_>) -> Result<Vec<f32>, GpuError> {
        let parts = self.split(&sketch)?;
        let (rows, count) = (sketch.starts.len().saturating_sub(1), self.count);
        let row_bytes = 4 * count as u64;
        let band = self.evaluator.gpu.budget().items(row_bytes).clamp(1, rows.max(1));
        let output = self.scratch("sketch", row_bytes * band as u64)?;
        let mut result = vec![0.0; rows * count];
        for first in (0..rows).step_by(band) {
            let height = band.min(rows - first);
            self.evaluator.gpu.submit(|encoder| encoder.clear_buffer(&output, 0, None));
            for (number, part) in parts.iter().enumerate() {
                self.add_part(number, part, Request::band(first, height), &output)?;
            }
            let piece = Piece::start(&output, row_bytes * height as u64);
            let part: Vec<f32> = self.read("S J", &[piece]).await?;
            for (row, values) in part.chunks_exact(count.max(1)).enumerate() {
                for (column, &value) in values.iter().enumerate() {
                    let scaled = f64::from(value) * sketch.scale;
                    result[column * rows + first + row] = scaled as f32;
                }
            }
        }
        Ok(result)
    }

    /// Adds what one chunk of points contributes to a band of rows.
    fn add_part(
        &mut self,
        number: usize,
        part: &SketchPart,
        request: Request,
        output: &wgpu::Buffer,
    ) -> Result<(), GpuError> {
        let starts = self.upload("sketch starts", &part.starts)?;
        let entries = self.upload("sketch entries", &part.entries)?;
        let [x, y] = self.evaluator.gpu.budget().grid(request.rows);
        let blocks = self.count.div_ceil((SKETCH_WORKGROUP * SKETCH_COLUMNS) as usize) as u32;
        let kernel = &self.evaluator.kernels.sketch;
        let buffers = [("starts", &starts), ("entries", &entries), ("output", output)];
        self.run(kernel, &self.evaluator.chunks[number], request, [x, y, blocks], &buffers);
        Ok(())
    }

    /// The sketch by chunks of points.
    fn split(&self, sketch: &SketchRows<'_>) -> Result<Vec<SketchPart>, GpuError> {
        let end = sketch.starts.last().copied().unwrap_or(0) as usize;
        length("the list of the sketch's entries", sketch.entries.len(), end)?;
        let (points, stride) = (self.rows(), self.evaluator.stride);
        let empty = SketchPart { starts: vec![0], entries: Vec::new() };
        let mut parts = vec![empty; self.evaluator.chunks.len()];
        for (row, bounds) in sketch.starts.windows(2).enumerate() {
            let listed = sketch.entries.get(bounds[0] as usize..bounds[1] as usize);
            for &entry in listed.ok_or(GpuError::SketchOrder { row })? {
                let (point, negative) = (entry >> 1, entry & 1);
                if point as usize >= points {
                    return Err(GpuError::NoSuchPoint { row, point, points });
                }
                let local = (point as usize % stride) as u32;
                parts[point as usize / stride].entries.push(local << 1 | negative);
            }
            for part in &mut parts {
                part.starts.push(part.entries.len() as u32);
            }
        }
        Ok(parts)
    }
}
