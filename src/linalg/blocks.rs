//! Matrices in memory that is used again, and cut into blocks of rows.

use nalgebra::{DMatrix, DMatrixViewMut, Dyn, U1, VecStorage, ViewStorageMut};

/// Gives a matrix another shape in the memory that it has; the entries are whatever that held.
pub fn reshape(matrix: &mut DMatrix<f64>, rows: usize, columns: usize) {
    if matrix.shape() != (rows, columns) {
        let mut entries: Vec<f64> = std::mem::take(matrix).data.into();
        entries.resize(rows * columns, 0.0);
        *matrix = DMatrix::from_data(VecStorage::new(Dyn(rows), Dyn(columns), entries));
    }
}

/// The first rows of a matrix and the others.
///
/// # Panics
/// When the matrix has fewer rows.
#[must_use]
#[expect(unsafe_code, reason = "nalgebra cuts a borrowed view only for as long as it is borrowed")]
pub fn split_rows<T>(
    mut matrix: DMatrixViewMut<'_, T>,
    rows: usize,
) -> (DMatrixViewMut<'_, T>, DMatrixViewMut<'_, T>) {
    let ((total, columns), (_, stride)) = (matrix.shape(), matrix.strides());
    assert!(rows <= total, "{rows} rows of {total}");
    let first = matrix.as_mut_ptr();
    let part = |skipped: usize, rows: usize| {
        let shape = (Dyn(rows), Dyn(columns));
        // SAFETY: the entries are some of `matrix`, which is given up here, and none is in both
        // parts. Of a part without entries the pointer is never read.
        unsafe {
            let first = first.wrapping_add(skipped);
            let data = ViewStorageMut::from_raw_parts(first, shape, (U1, Dyn(stride)));
            DMatrixViewMut::from_data(data)
        }
    };
    (part(0, rows), part(rows, total - rows))
}

/// The matrix cut into blocks of so many rows; the last one may have fewer.
#[must_use]
pub fn row_blocks<T>(matrix: DMatrixViewMut<'_, T>, rows: usize) -> Vec<DMatrixViewMut<'_, T>> {
    let mut blocks = Vec::new();
    let mut rest = matrix;
    while rest.nrows() > rows {
        let (block, others) = split_rows(rest, rows);
        blocks.push(block);
        rest = others;
    }
    blocks.push(rest);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_rows_are_those_of_the_matrix() {
        for (rows, columns, height) in [(1, 1, 1), (7, 3, 2), (8, 5, 4), (3, 2, 9), (4, 0, 3)] {
            let mut matrix = DMatrix::<f32>::zeros(rows, columns);
            for (number, mut block) in
                row_blocks(matrix.as_view_mut(), height).into_iter().enumerate()
            {
                assert!(block.nrows() <= height && block.ncols() == columns);
                for (i, k) in (0..block.nrows()).flat_map(|i| (0..columns).map(move |k| (i, k))) {
                    block[(i, k)] += (100 * (number * height + i) + k) as f32;
                }
            }
            assert_eq!(matrix, DMatrix::from_fn(rows, columns, |i, k| (100 * i + k) as f32));
        }
    }

    #[test]
    fn another_shape_is_in_the_same_memory() {
        let mut matrix = DMatrix::zeros(40, 30);
        let memory = matrix.as_ptr();
        reshape(&mut matrix, 20, 50);
        assert_eq!((matrix.shape(), matrix.as_ptr()), ((20, 50), memory));
        reshape(&mut matrix, 30, 40);
        assert_eq!((matrix.shape(), matrix.as_ptr()), ((30, 40), memory));
    }
}
