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

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;
    use std::ops::ControlFlow;

    use super::*;

    fn values(name: &str, points: &[[f64; 2]]) -> Vec<f64> {
        let problem = ResidualProblem::preset(name).expect("a preset");
        let observe = |_| ControlFlow::Continue(());
        let found = companion_values(&problem, points.as_flattened(), &observe);
        found.expect("a solution").expect("a reference")
    }

    /// Cole and Hopf's formula for Burgers' equation from -sin(pi x), by the trapezoidal rule.
    fn cole_hopf(t: f64, x: f64) -> f64 {
        let nu = 0.01 / PI;
        let width = (4.0 * nu * t).sqrt();
        let (mut above, mut below) = (0.0, 0.0);
        for k in -4000..=4000 {
            let s = f64::from(k) * 2.5e-3;
            let y = x - width * s;
            // Scaled by the largest value of the first factor.
            let weight = ((-(PI * y).cos() - 1.0) / (2.0 * PI * nu) - s * s).exp();
            above -= (PI * y).sin() * weight;
            below += weight;
        }
        above / below
    }

    #[test]
    fn burgers_agrees_with_the_formula_of_cole_and_hopf() {
        let points: Vec<[f64; 2]> = [0.1, 0.5, 0.9]
            .into_iter()
            .flat_map(|t| [-0.9, -0.3, 0.02, 0.4].map(|x| [t, x]))
            .collect();
        for (point, u) in points.iter().zip(values("burgers-pinn", &points)) {
            let wanted = cole_hopf(point[0], point[1]);
            assert!((u - wanted).abs() < 1e-7, "{point:?}: {u} {wanted}");
        }
    }

    /// The reflected solution keeps the values at the ends and satisfies the equation between them.
    #[test]
    fn allen_cahn_holds_its_ends_and_its_equation() {
        let ends = values("allen-cahn-pinn", &[[0.5, -1.0], [0.5, 1.0], [1.0, 1.0]]);
        assert!(ends.iter().all(|u| (u + 1.0).abs() < 1e-9), "{ends:?}");
        let step = 5e-3;
        let shifts = [-2.0, -1.0, 0.0, 1.0, 2.0].map(|k| k * step);
        for centre in [[0.3, -0.7], [0.6, 0.1], [0.8, 0.52]] {
            let mut points: Vec<[f64; 2]> = shifts.map(|s| [centre[0] + s, centre[1]]).to_vec();
            points.extend(shifts.map(|s| [centre[0], centre[1] + s]));
            let u = values("allen-cahn-pinn", &points);
            let u_t = (u[0] - 8.0 * u[1] + 8.0 * u[3] - u[4]) / (12.0 * step);
            let x = &u[5..];
            let u_xx =
                (-x[0] + 16.0 * x[1] - 30.0 * x[2] + 16.0 * x[3] - x[4]) / (12.0 * step * step);
            let residual = u_t - 1e-3 * u_xx - 5.0 * (u[2] - u[2].powi(3));
            assert!(residual.abs() < 1e-4, "{centre:?}: {residual}");
            assert!(u_t.abs() > 1e-2, "a planted term would be seen");
        }
    }
}
