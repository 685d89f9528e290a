//! The solution of a residual problem by its companion, an evolution problem.

use super::spectral::Observer;
use super::{Reference, ReferenceError};
use crate::problem::ResidualProblem;

/// The solution at points of a residual problem that gives a reference, point-major; `None` for
/// one that gives none. Takes seconds.
///
/// # Errors
/// As [`super::spectral::solve`].
pub fn companion_values(
    problem: &ResidualProblem,
    coordinates: &[f64],
    observe: Observer<'_>,
) -> Result<Option<Vec<f64>>, ReferenceError> {
    let Some(companion) = &problem.companion else { return Ok(None) };
    let Some(reference) = Reference::of(&companion.problem, observe)? else { return Ok(None) };
    let dimensions = problem.dimensions();
    let point = |i: usize| &coordinates[i * dimensions..(i + 1) * dimensions];
    let time = |i: usize| point(i)[companion.time];
    let mut order: Vec<usize> = (0..coordinates.len() / dimensions).collect();
    order.sort_by(|&a, &b| time(a).total_cmp(&time(b)));
    let mut values = vec![0.0; order.len()];
    // All points of one time at once: those of a grid share a transform.
    for same in order.chunk_by(|&a, &b| time(a) == time(b)) {
        let x: Vec<f64> = same.iter().map(|&i| point(i)[companion.space]).collect();
        let t = time(same[0]);
        for ((&i, x), u) in same.iter().zip(&x).zip(reference.values(t, &x)?) {
            values[i] = companion.value_at(u, *x, t);
        }
    }
    Ok(Some(values))
}
