//! Chosen columns of a Jacobian.

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::field::cpu::Kernel;
use crate::linalg;
use crate::scalar::Real;

/// Entries of the columns that one thread scales at a time.
const SHARE: usize = 1 << 16;
/// Columns below this part of the columns' root mean square length are scaled about as if they had
/// it.
///
/// Scaled to unit length whatever its own, the column of a parameter that hardly matters lets it
/// move without limit: neurons of small output weight were seen to gain input weights of 3,000, and
/// their kinks, narrower than the distance of the points, ended runs. At 0.1 the
/// presets' parameters stay below 4, and ten seeds of a small Kuramoto-Sivashinsky run all reach
/// the end (at 1e-3 half of them do).
const WEAKEST: f64 = 0.1;

/// n x s columns of the Jacobian in the precision that they were computed in.
#[derive(Debug)]
pub enum Columns {
    Single(DMatrix<f32>),
    Double(DMatrix<f64>),
}

/// A number that columns are computed in.
pub(super) trait Stored: Kernel {
    fn stored(matrix: DMatrix<Self>) -> Columns;

    /// The matrix where it is in this number.
    fn taken(columns: Columns) -> Option<DMatrix<Self>>;
}

impl Stored for f32 {
    fn stored(matrix: DMatrix<Self>) -> Columns {
        Columns::Single(matrix)
    }

    fn taken(columns: Columns) -> Option<DMatrix<Self>> {
        if let Columns::Single(matrix) = columns { Some(matrix) } else { None }
    }
}

impl Stored for f64 {
    fn stored(matrix: DMatrix<Self>) -> Columns {
        Columns::Double(matrix)
    }

    fn taken(columns: Columns) -> Option<DMatrix<Self>> {
        if let Columns::Double(matrix) = columns { Some(matrix) } else { None }
    }
}

/// Multiplies each row by its weight; `weights` begin anew where they end.
pub(super) fn weigh_rows<T: Real>(matrix: &mut DMatrix<T>, weights: &[f64]) {
    for mut column in matrix.column_iter_mut() {
        column.iter_mut().zip(weights.iter().cycle()).for_each(|(v, &weight)| *v *= T::of(weight));
    }
}

impl Columns {
    /// Scales every column to about unit length, `d_k = 1 / sqrt(|J_k|^2 + f^2)`, and returns the
    /// factors; f is [`WEAKEST`] of the columns' root mean square length. Zero columns stay zero.
    ///
    /// A network's columns differ in length by orders of magnitude; damping relative to the
    /// largest singular value would freeze the short ones.
    pub fn normalise(&mut self) -> Vec<f64> {
        fn scale<T: Real>(matrix: &mut DMatrix<T>) -> Vec<f64> {
            let rows = matrix.nrows().max(1);
            let least = (SHARE / rows).max(1);
            let columns = matrix.as_slice().par_chunks_exact(rows).with_min_len(least);
            let squares: Vec<f64> = columns.map(square_length).collect();
            let floor = WEAKEST.powi(2) * squares.iter().sum::<f64>() / squares.len().max(1) as f64;
            let factors = squares.into_par_iter().map(|square| factor(square, floor));
            let columns = matrix.as_mut_slice().par_chunks_exact_mut(rows).with_min_len(least);
            columns
                .zip(factors)
                .map(|(column, factor)| {
                    column.iter_mut().for_each(|v| *v *= T::of(factor));
                    factor
                })
                .collect()
        }
        match self {
            Self::Single(matrix) => scale(matrix),
            Self::Double(matrix) => scale(matrix),
        }
    }

    /// Multiplies each row by its weight; nothing where there are no weights.
    pub fn weigh(&mut self, weights: &[f64]) {
        match self {
            Self::Single(matrix) => weigh_rows(matrix, weights),
            Self::Double(matrix) => weigh_rows(matrix, weights),
        }
    }

    /// `J v`.
    ///
    /// # Panics
    /// When v has not one entry per column.
    #[must_use]
    pub fn multiply(&self, v: &[f64]) -> Vec<f64> {
        fn product<T: Real>(matrix: &DMatrix<T>, v: &[f64]) -> Vec<f64> {
            assert_eq!(matrix.ncols(), v.len(), "one entry per column");
            linalg::times(matrix.as_view(), v)
        }
        match self {
            Self::Single(matrix) => product(matrix, v),
            Self::Double(matrix) => product(matrix, v),
        }
    }

    /// The matrix in f64.
    #[must_use]
    pub fn to_double(&self) -> DMatrix<f64> {
        match self {
            Self::Single(m) => m.map(f64::from),
            Self::Double(m) => m.clone(),
        }
    }
}

fn square_length<T: Real>(column: &[T]) -> f64 {
    const LANES: usize = 8;
    // Sums side by side: one after another they would wait for each other.
    let (lanes, rest) = column.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for lane in lanes {
        for (sum, v) in sums.iter_mut().zip(lane) {
            *sum += v.to_f64() * v.to_f64();
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|v| v.to_f64().powi(2)).sum::<f64>()
}

/// Zero for a column of zeros.
fn factor(square: f64, floor: f64) -> f64 {
    match square {
        0.0 => 0.0,
        // A sum of squares that overflows must not pass for a column of zeros.
        square if (square + floor).is_finite() => 1.0 / (square + floor).sqrt(),
        _ => f64::NAN,
    }
}
