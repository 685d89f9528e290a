//! What can go wrong in a least-squares solve, and what to do about it.

use thiserror::Error;

/// Failure of a factorisation or of a least-squares solve.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LeastSquaresError {
    #[error(
        "the matrix has {rows} rows but the right-hand side has {entries} entries: both must be \
         evaluated at the same points"
    )]
    Shape { rows: usize, entries: usize },

    #[error("the matrix is {rows} x {columns}: a least-squares problem needs at least one of each")]
    Empty { rows: usize, columns: usize },

    #[error(
        "entry ({row}, {column}) of the matrix is not finite: the parameters or the points that \
         made it have overflowed; reduce the step or raise the cutoff"
    )]
    MatrixNotFinite { row: usize, column: usize },

    #[error(
        "entry {row} of the right-hand side is not finite: the solution has blown up there; reduce \
         the step"
    )]
    RightHandSideNotFinite { row: usize },

    #[error(
        "column {column} of the matrix is so large that its square overflows: rescale the unknown"
    )]
    Overflow { column: usize },

    #[error("rcond = {rcond} is not a cutoff: it must be at least 0 and less than 1")]
    Cutoff { rcond: f64 },

    #[error("damping {lambda} is not a damping value: it must be finite and at least 0")]
    Damping { lambda: f64 },

    #[error(
        "the sketch is summed into a {rows} x {columns} matrix but S J is {expected_rows} x \
         {expected_columns}: make the sum with as many rows as the sketch and columns as J"
    )]
    SketchShape { rows: usize, columns: usize, expected_rows: usize, expected_columns: usize },

    #[error(
        "the {algorithm} iteration did not converge on a {size} x {size} matrix: perturb the \
         problem or choose another solver"
    )]
    NoConvergence { algorithm: &'static str, size: usize },
}
