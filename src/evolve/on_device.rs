//! Least squares where the Jacobian stays on the device: its sketch comes back, and its products.

use nalgebra::DMatrix;

use super::engine::Engine;
use super::error::{AttemptError, EvolveError};
use super::evaluators::Evaluators;
use super::host::OnHost;
use crate::field::cpu::Field;
use crate::field::gpu::{ChosenColumns, Evaluator, GpuError, SketchRows};
use crate::linalg::{LeastSquares, MatrixFreeError, RowSketch, Solution, TallOperator};

/// J by the products that the device computes.
struct OnDevice<'a>(ChosenColumns<'a>);

impl TallOperator for OnDevice<'_> {
    type Error = GpuError;

    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn columns(&self) -> usize {
        self.0.count()
    }

    async fn multiply(&mut self, v: &[f64], out: &mut [f64]) -> Result<(), GpuError> {
        out.copy_from_slice(&self.0.multiply(v).await?);
        Ok(())
    }

    async fn multiply_transposed(&mut self, w: &[f64], out: &mut [f64]) -> Result<(), GpuError> {
        out.copy_from_slice(&self.0.multiply_transposed(w).await?);
        Ok(())
    }
}

impl Engine {
    /// Field and solution of `min |J v - F|` by the device's products and sketch; `None` where there
    /// is no device, where `squares` would rather have J itself, and where rows have weights, which
    /// the device's products do not know.
    ///
    /// # Errors
    /// When the least-squares problem has no solution or the device fails.
    pub async fn solve_on_device(
        &mut self,
        (theta, time): (&[f64], f64),
        columns: &[u32],
        squares: &mut LeastSquares,
        epoch: u64,
    ) -> Result<Option<(Field, Solution)>, AttemptError> {
        let points = self.points();
        if self.gpu().is_none() || !self.weights().is_empty() {
            return Ok(None);
        }
        let Some(sketch) = squares.matrix_free_sketch(points, columns.len(), epoch) else {
            return Ok(None);
        };
        let (gpu, field) = match &mut self.evaluators {
            Evaluators::Device(device) => (device, None),
            Evaluators::Beside { fields, jacobian } => (jacobian, Some(fields.field(theta, time))),
            Evaluators::Single(_) | Evaluators::Double(_) | Evaluators::Mixed { .. } => {
                return Ok(None);
            }
        };
        let at = (theta, time);
        solve(gpu, at, columns, field, squares, &sketch).await.map(Some)
    }
}

/// `min |J v - F|^2 + lambda^2 |v|^2` over the chosen columns at theta, J never stored and never
/// read back: m s numbers of its sketch and n + s of each product are. F is `field`'s, or the
/// device's own where that is not given; it is given back.
///
/// # Errors
/// When the problem has no solution or the device fails.
async fn solve(
    gpu: &mut Evaluator,
    (theta, time): (&[f64], f64),
    chosen: &[u32],
    field: Option<Field>,
    squares: &mut LeastSquares,
    sketch: &RowSketch,
) -> Result<(Field, Solution), AttemptError> {
    let (field, mut linear) = match field {
        Some(field) => (field, gpu.differentiate(theta).map_err(EvolveError::from)?),
        None => gpu.linearize(theta, time).await.map_err(EvolveError::from)?,
    };
    let mut columns = OnDevice(linear.choose(chosen).map_err(EvolveError::from)?);
    let lists = sketch.gather_lists(columns.rows());
    let rows =
        SketchRows { starts: &lists.starts, entries: &lists.entries, scale: RowSketch::scale() };
    let entries = columns.0.sketch(rows).await.map_err(EvolveError::from)?;
    let height = sketch.sketch_rows();
    let sketched = DMatrix::from_vec(height, chosen.len(), entries);
    let rate = &field.right_hand_side;
    let solved = squares.solve_matrix_free(&mut columns, sketch, sketched.as_view(), rate).await;
    match solved {
        Ok(solution) => Ok((field, solution)),
        Err(MatrixFreeError::LeastSquares(error)) => Err(error.into()),
        Err(MatrixFreeError::Operator(error)) => Err(EvolveError::from(error).into()),
    }
}
