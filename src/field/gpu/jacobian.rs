//! The parameter Jacobian J = du/dtheta at one parameter vector: chosen columns, products and
//! sketch, all read off the factors without J ever being stored.

use super::error::GpuError;
use super::evaluator::{Evaluator, length};
use super::operator::{Chosen, SketchPart, Sweep};
use crate::scalar::Real;

/// J at the parameters given to [`Evaluator::linearize`]: n x p, one column per parameter.
#[derive(Debug)]
pub struct Linearization<'a> {
    evaluator: &'a mut Evaluator,
}

/// The n x s matrix of chosen columns of J.
#[derive(Debug)]
pub struct ChosenColumns<'a> {
    evaluator: &'a mut Evaluator,
    chosen: Chosen,
}

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

impl<'a> Linearization<'a> {
    pub(super) fn new(evaluator: &'a mut Evaluator) -> Self {
        Self { evaluator }
    }

    /// The columns of the given parameters, in the given order.
    ///
    /// # Errors
    /// When the network has no such parameter.
    pub fn choose(&mut self, columns: &[u32]) -> Result<ChosenColumns<'_>, GpuError> {
        let all = &self.evaluator.pairs;
        let pair = |&column: &u32| {
            let error = GpuError::NoSuchColumn { column, parameters: all.len() };
            all.get(column as usize).copied().ok_or(error)
        };
        let pairs = columns.iter().map(pair).collect::<Result<Vec<[u32; 2]>, _>>()?;
        let chosen = self.evaluator.reader.choose(&pairs)?;
        Ok(ChosenColumns { evaluator: self.evaluator, chosen })
    }
}

impl ChosenColumns<'_> {
    /// n.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.evaluator.points()
    }

    /// s.
    #[must_use]
    pub fn count(&self) -> usize {
        self.chosen.count
    }

    /// The entries themselves: n x s, column-major, n s numbers on the host.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn entries<T: Real>(&mut self) -> Result<Vec<T>, GpuError> {
        let points = self.rows();
        let mut result = vec![T::ZERO; points * self.chosen.count];
        let Evaluator { reader, rates, .. } = &mut *self.evaluator;
        let mut start = 0;
        for sweep in rates.iter() {
            let length = sweep.count();
            let visit = |first: usize, part: &[T]| {
                for (column, values) in part.chunks_exact(length).enumerate() {
                    let at = (first + column) * points + start;
                    result[at..at + length].copy_from_slice(values);
                }
            };
            reader.entries(sweep, &self.chosen, visit).await?;
            start += length;
        }
        Ok(result)
    }

    /// J v: n numbers from s.
    ///
    /// # Errors
    /// When `v` has the wrong length or the device fails.
    pub async fn multiply(&mut self, v: &[f64]) -> Result<Vec<f64>, GpuError> {
        length("the vector v of J v", v.len(), self.chosen.count)?;
        let Evaluator { reader, rates, .. } = &mut *self.evaluator;
        let mut result = Vec::new();
        for sweep in rates.iter() {
            result.extend(reader.multiply(sweep, &self.chosen, v).await?);
        }
        Ok(result)
    }

    /// J^T w: s numbers from n. Each chunk of points is summed on the device, the chunks in f64.
    ///
    /// # Errors
    /// When `w` has the wrong length or the device fails.
    pub async fn multiply_transposed(&mut self, w: &[f64]) -> Result<Vec<f64>, GpuError> {
        length("the vector w of J^T w", w.len(), self.rows())?;
        let Evaluator { reader, rates, .. } = &mut *self.evaluator;
        let mut result = vec![0.0; self.chosen.count];
        let mut first = 0;
        for sweep in rates.iter() {
            let w = &w[first..first + sweep.count()];
            let part = reader.multiply_transposed(sweep, &self.chosen, w).await?;
            result.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            first += sweep.count();
        }
        Ok(result)
    }

    /// S J: m x s, column-major. J is never stored: each row of the sketch gathers what it sums.
    ///
    /// # Errors
    /// When the sketch names a point that does not exist, its arrays disagree in length, or the
    /// device fails.
    pub async fn sketch(&mut self, sketch: SketchRows<'_>) -> Result<Vec<f64>, GpuError> {
        let parts = self.split(&sketch)?;
        let (rows, count) = (sketch.starts.len().saturating_sub(1), self.chosen.count);
        let mut result = vec![0.0; rows * count];
        let visit = |first: usize, band: &[f64]| {
            for (row, values) in band.chunks_exact(count.max(1)).enumerate() {
                for (column, &value) in values.iter().enumerate() {
                    result[column * rows + first + row] = value * sketch.scale;
                }
            }
        };
        let Evaluator { reader, rates, .. } = &mut *self.evaluator;
        let parts: Vec<(&Sweep, SketchPart)> = rates.iter().zip(parts).collect();
        reader.sketch(&parts, &self.chosen, visit).await?;
        Ok(result)
    }

    /// The sketch by chunks of points.
    fn split(&self, sketch: &SketchRows<'_>) -> Result<Vec<SketchPart>, GpuError> {
        let end = sketch.starts.last().copied().unwrap_or(0) as usize;
        length("the list of the sketch's entries", sketch.entries.len(), end)?;
        let (points, stride) = (self.rows(), self.evaluator.rates[0].run_length());
        let empty = SketchPart { starts: vec![0], entries: Vec::new() };
        let mut parts = vec![empty; self.evaluator.rates.len()];
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
