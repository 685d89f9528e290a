//! How the right-hand side changes with the parameters and with time.

use nalgebra::DMatrix;

use super::columns::Columns;
use super::engine::Engine;
use super::error::EvolveError;
use crate::problem::Problem;
use crate::problem::expression::Expression;

/// The interval of a difference in time over the whole time span: its error and round-off balance
/// about the cube root of f64's epsilon.
const INTERVAL: f64 = 6e-6;

impl Engine {
    /// The chosen columns of dF/dtheta, their rows by the points' weights: in the precision of
    /// [`Engine::columns`] on the CPU, and beside a GPU in f64 on the host.
    pub fn rate_columns(&mut self, theta: &[f64], time: f64, columns: &[u32]) -> Columns {
        let spare = self.spare.pop();
        let mut matrix = match self.evaluators.rates() {
            Some(host) => host.rate_columns(theta, time, columns, spare),
            None => {
                let mut matrix = DMatrix::zeros(self.rows(), columns.len());
                let host = self.on_host(&self.coordinates);
                host.rate_columns(theta, time, columns, matrix.as_view_mut());
                Columns::Double(matrix)
            }
        };
        matrix.weigh(self.weights());
        matrix
    }

    /// dF/dt of the ansatz at fixed parameters, by a central difference: of the equation's own time
    /// and of its lift.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) async fn time_derivative(
        &mut self,
        theta: &[f64],
        time: f64,
    ) -> Result<Vec<f64>, EvolveError> {
        let span = (self.problem.time.end - self.problem.time.start).abs();
        let interval = INTERVAL * span;
        let after = self.field(theta, time + interval).await?.right_hand_side;
        let before = self.field(theta, time - interval).await?.right_hand_side;
        let slope = |(a, b): (&f64, &f64)| (a - b) / (2.0 * interval);
        Ok(after.iter().zip(&before).map(slope).collect())
    }
}

/// Whether neither the equation nor its lift depends on time.
#[must_use]
pub fn is_autonomous(problem: &Problem) -> bool {
    let still = |e: &Expression| e.differentiate_time().simplify() == 0.0.into();
    problem.right_hand_side.iter().chain(problem.lift.iter().flatten()).all(still)
}
