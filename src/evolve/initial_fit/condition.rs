//! How well parameters are placed to move.

use nalgebra::DMatrix;

use super::target::Target;
use crate::columns::Columns;
use crate::linalg::{LeastSquares, LeastSquaresError, norm, times};
use crate::network::Network;

/// Damping over the largest singular value, that of the steps' own equations at the least.
const DAMPING: f64 = 1e-7;

/// The condition of the state in the network's tangent space, at least 1 (0 where the state is zero).
///
/// With J the state's derivatives by the parameters at the points, each column scaled to about unit length
/// as steps scale them, and g what the network adds to the lift,
///
/// ```text
/// v = argmin |J v - g|^2 + (DAMPING sigma_1)^2 |v|^2,    condition = sigma_1 |v| / |g|
/// ```
///
/// It says how far the parameters move when the state changes by its own size, over the least that any
/// change of this size takes.
pub(super) fn condition(
    network: &Network,
    target: &Target,
    theta: &[f64],
    columns: &[u32],
) -> Result<f64, LeastSquaresError> {
    let jacobian = |columns: &[u32]| {
        let mut matrix = DMatrix::zeros(target.value_rows(), columns.len());
        target.value_jacobian(theta, columns, matrix.as_view_mut());
        matrix
    };
    // The state is linear in the output's weights and biases.
    let segments = ["output.weight", "output.bias"].map(|name| network.layout().segment(name));
    let linear: Vec<u32> =
        segments.iter().flatten().flat_map(|s| s.range()).map(|k| k as u32).collect();
    let weights: Vec<f64> = linear.iter().map(|&k| theta[k as usize]).collect();
    let state = times(jacobian(&linear).as_view(), &weights);
    let size = norm(&state);
    if size == 0.0 {
        return Ok(0.0);
    }
    let mut matrix = Columns::Double(jacobian(columns));
    matrix.normalise();
    let matrix = matrix.to_double();
    let mut solver = LeastSquares::default();
    let mut equations = solver.normal_equations(matrix.as_view())?;
    let largest = equations.largest();
    equations.damp(DAMPING * largest)?;
    Ok(largest * norm(&equations.solve(&state)?) / size)
}
