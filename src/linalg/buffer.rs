//! Matrix storage that keeps its memory from one solve to the next.

use faer::{MatMut, MatRef};

/// A column-major matrix of f64 whose memory is reused when its shape changes.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    entries: Vec<f64>,
    rows: usize,
    columns: usize,
}

impl Buffer {
    /// Takes a new shape; the entries are whatever the memory held before.
    pub fn reshape(&mut self, rows: usize, columns: usize) -> MatMut<'_, f64> {
        if self.entries.len() < rows * columns {
            self.entries.resize(rows * columns, 0.0);
        }
        (self.rows, self.columns) = (rows, columns);
        self.view_mut()
    }

    pub fn view(&self) -> MatRef<'_, f64> {
        let used = &self.entries[..self.rows * self.columns];
        MatRef::from_column_major_slice(used, self.rows, self.columns)
    }

    pub fn view_mut(&mut self) -> MatMut<'_, f64> {
        let used = &mut self.entries[..self.rows * self.columns];
        MatMut::from_column_major_slice_mut(used, self.rows, self.columns)
    }

    /// The columns as slices.
    pub fn columns(&self) -> Vec<&[f64]> {
        self.entries[..self.rows * self.columns].chunks_exact(self.rows.max(1)).collect()
    }

    pub fn columns_mut(&mut self) -> Vec<&mut [f64]> {
        self.entries[..self.rows * self.columns].chunks_exact_mut(self.rows.max(1)).collect()
    }

    pub fn column_mut(&mut self, column: usize) -> &mut [f64] {
        &mut self.entries[column * self.rows..(column + 1) * self.rows]
    }
}
