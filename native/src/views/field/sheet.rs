//! Values on a rectangular grid, on their way to the GPU.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Stands where there is no value: as a bit pattern of its own a NaN would not survive every
/// shader compiler.
pub const HOLE: f32 = f32::MAX;

/// The most columns or rows: every device takes textures of this size.
pub const MOST: usize = 2048;

/// Values in rows, and which rows the GPU has not seen.
#[derive(Debug, Default)]
pub struct Sheet {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
    unseen: Range<usize>,
}

/// A sheet that the drawing side writes and the renderer reads.
pub type Shared = Arc<Mutex<Sheet>>;

/// The sheet for this thread alone; its values are whole whatever panicked elsewhere.
pub fn lock(sheet: &Mutex<Sheet>) -> MutexGuard<'_, Sheet> {
    sheet.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sheet {
    /// Columns and rows.
    pub fn size(&self) -> [usize; 2] {
        [self.columns, self.rows]
    }

    /// Makes it a sheet of this size (at most [`MOST`] each way) without any value.
    pub fn clear(&mut self, columns: usize, rows: usize) {
        (self.columns, self.rows) = (columns.min(MOST), rows.min(MOST));
        self.values.clear();
        self.values.resize(self.columns * self.rows, HOLE);
        self.unseen = 0..self.rows;
    }

    /// Writes whole rows from `first` on, as many as the values fill and the sheet has. What is not
    /// finite leaves a hole.
    pub fn write(&mut self, first: usize, values: impl IntoIterator<Item = f32>) {
        let start = (first * self.columns).min(self.values.len());
        let mut written: usize = 0;
        for (place, value) in self.values[start..].iter_mut().zip(values) {
            *place = if value.is_finite() { value } else { HOLE };
            written += 1;
        }
        if written == 0 {
            return;
        }
        let rows = first..first + written.div_ceil(self.columns.max(1));
        self.unseen = match self.unseen.is_empty() {
            true => rows,
            false => self.unseen.start.min(rows.start)..self.unseen.end.max(rows.end),
        };
    }

    /// The rows that changed since this was last called; all of them where `anew`.
    pub fn take_unseen(&mut self, anew: bool) -> (Range<usize>, &[f32]) {
        let rows = if anew { 0..self.rows } else { self.unseen.clone() };
        self.unseen = 0..0;
        (rows.clone(), &self.values[rows.start * self.columns..rows.end * self.columns])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_given_once_and_holes_are_marked() {
        let mut sheet = Sheet::default();
        sheet.clear(3, 4);
        assert_eq!(sheet.take_unseen(false), (0..4, [HOLE; 12].as_slice()));
        assert!(sheet.take_unseen(false).0.is_empty());
        sheet.write(1, [1.0, f32::NAN, 3.0]);
        sheet.write(3, [f32::INFINITY, 5.0, 6.0, 7.0]);
        let (rows, values) = sheet.take_unseen(false);
        assert_eq!(rows, 1..4);
        assert_eq!(values, [1.0, HOLE, 3.0, HOLE, HOLE, HOLE, HOLE, 5.0, 6.0]);
        assert_eq!(sheet.take_unseen(true).0, 0..4);
        sheet.write(9, [1.0]);
        assert!(sheet.take_unseen(false).0.is_empty(), "beyond the end");
        sheet.clear(5000, 0);
        assert_eq!((sheet.size(), sheet.take_unseen(true).1.len()), ([MOST, 0], 0));
    }
}
