//! What a natural gradient does in function space: tangent kernels and the operator's generalised
//! Green's function.
//!
//! With the parameter Jacobian `J_u` (m x p) of the network's values at m chosen points and the
//! Jacobian J (n x p) of the weighted residual rows:
//!
//! ```text
//! NTK(x, y)   = J_u J_u^T             (neural tangent kernel: plain gradient descent)
//! NNTK(x, y)  = J_u G^+ J_u^T         (natural neural tangent kernel, G = J^T J)
//! Green(x, i) = J_u J^+               (how u at x answers to row i)
//! ```
//!
//! (Schwencke, Furtlehner: "ANaGRAM: a natural gradient relative to adapted model for efficient
//! PINNs learning", ICLR 2025.) Row i of a residual D u - f is `sqrt(w_i) (D u - f)(y_i)`: so
//! `Green(x, i) / sqrt(w_i)` is the Green's function at (x, y_i) as far as the network's tangent
//! space can hold it, and `sum_i Green(x, i) sqrt(w_i) f(y_i)` solves D u = f with what the rows of
//! the conditions prescribe.

use nalgebra::{DMatrix, DMatrixView};

use super::error::OptimizeError;
use super::gauss_newton::MEMORY_LIMIT;
use super::jacobian::Linearisation;
use crate::field::residual::ResidualSystem;
use crate::linalg::{Svd, product, product_transposed};

/// The kernels at one parameter vector.
#[derive(Clone, Debug)]
pub struct TangentKernels {
    /// m x m.
    pub ntk: DMatrix<f64>,
    /// m x m.
    pub nntk: DMatrix<f64>,
    /// m x n.
    pub green: DMatrix<f64>,
    /// Singular values of J that were kept.
    pub rank: usize,
}

/// The kernels at theta of a system and of points where the network's values have the Jacobian
/// `values` (m x p); singular values of J below `rcond` times the largest are left out.
///
/// # Errors
/// From the system, J beyond memory, and a decomposition that does not converge.
///
/// # Panics
/// Where `values` has not p columns.
pub async fn tangent_kernels<S: ResidualSystem>(
    system: &mut S,
    theta: &[f64],
    values: DMatrixView<'_, f64>,
    rcond: f64,
) -> Result<TangentKernels, OptimizeError> {
    assert_eq!(values.ncols(), system.parameters(), "a column per parameter");
    let mut linearisation = Linearisation::default();
    linearisation.at_within(system, theta, "tangent kernels", MEMORY_LIMIT).await?;
    let jacobian = linearisation.whole();
    let svd = Svd::of(jacobian)?;
    let bound = rcond * svd.values.first().copied().unwrap_or(0.0);
    let rank = svd.values.iter().take_while(|&&s| s > 0.0 && s >= bound).count();
    // J_u V Sigma^-1: its square is the NNTK, its product with U^T Green's function.
    let mut half = product(values, svd.right.columns(0, rank));
    for (mut column, s) in half.column_iter_mut().zip(&svd.values) {
        column /= *s;
    }
    Ok(TangentKernels {
        ntk: product_transposed(values, values),
        nntk: product_transposed(half.as_view(), half.as_view()),
        green: product_transposed(half.as_view(), svd.left.columns(0, rank)),
        rank,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::residual::{Collocation, Comparison};
    use crate::problem::ResidualProblem;
    use std::f64::consts::PI;

    const KAPPA: f64 = 0.25;
    /// Zero at the start and at both ends; the interior comes first, 14 x 14 points.
    const HEAT: &str = "
format = 1
[domain]
t = { range = [0, 1] }
x = { range = [0, 1] }
[residual.interior]
equation = 'u_t = 0.25*u_xx'
points = { layout = 'gauss', count = 14 }
[residual.ends]
on = ['x = 0', 'x = 1']
equation = 'u = 0'
points = { layout = 'gauss', count = 14 }
[residual.initial]
on = 't = 0'
equation = 'u = 0'
points = { layout = 'gauss', count = 14 }
[network]
layers = [140]
deviation = 1.5
";

    /// Green's function of the heat equation, as the tangent space of a network that knows nothing
    /// of it has it, against the exact one: applied to the source sin(pi x) it must give
    /// `(1 - exp(-a t)) / a sin(pi x)` with `a = kappa pi^2`.
    #[test]
    fn greens_function_solves_the_heat_equation_with_a_source() {
        let problem = ResidualProblem::from_toml(HEAT, &Vec::new()).expect("a problem");
        let mut system = Collocation::new(&problem);
        let theta = system.initial_parameters();
        let chosen: Vec<f64> = (0..49)
            .flat_map(|k| [0.1 + 0.13 * f64::from(k / 7), 0.1 + 0.13 * f64::from(k % 7)])
            .collect();
        let comparison = Comparison::at(&problem, &chosen);
        let values = comparison.jacobian(&theta);
        let kernels =
            pollster::block_on(tangent_kernels(&mut system, &theta, values.as_view(), 1e-12))
                .expect("finite");
        let points = &system.points()[0];
        let weights = points.weights.as_ref().expect("Gauss");
        let solution = |a: f64| -> Vec<f64> {
            let at = |p: &[f64]| (1.0 - (-a * p[0]).exp()) / a * (PI * p[1]).sin();
            chosen.chunks(2).map(at).collect()
        };
        let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let mut found = vec![0.0; 49];
        for (i, y) in points.coordinates.chunks(2).enumerate() {
            let source = (PI * y[1]).sin() * (weights[i] / weights.len() as f64).sqrt();
            for (m, found) in found.iter_mut().enumerate() {
                *found += kernels.green[(m, i)] * source;
            }
        }
        let wanted = solution(KAPPA * PI * PI);
        let size = norm(&mut wanted.iter().copied());
        let difference = norm(&mut found.iter().zip(&wanted).map(|(f, w)| f - w));
        assert!(difference < 1e-3 * size, "{}", difference / size);
        // A wrong diffusivity would be seen.
        let planted = solution(1.01 * KAPPA * PI * PI);
        let difference = norm(&mut planted.iter().zip(&wanted).map(|(f, w)| f - w));
        assert!(difference > 1e-3 * size, "{}", difference / size);
    }

    /// The kernels by what defines them; with full rank no inverse is needed to check it.
    #[test]
    fn kernels_are_what_they_are_defined_to_be() {
        let text = HEAT.replace("[140]", "[3]").replace("count = 14", "count = 5");
        let problem = ResidualProblem::from_toml(&text, &Vec::new()).expect("a problem");
        let mut system = Collocation::new(&problem);
        let theta = system.initial_parameters();
        let comparison = Comparison::at(&problem, &[0.2, 0.3, 0.7, 0.6, 0.9, 0.1]);
        let values = comparison.jacobian(&theta);
        let kernels =
            pollster::block_on(tangent_kernels(&mut system, &theta, values.as_view(), 1e-6))
                .expect("finite");
        let (rows, parameters) = (system.rows(), theta.len());
        let (mut r, mut j) = (vec![0.0; rows], DMatrix::zeros(rows, parameters));
        system.jacobian(&theta, &mut r, j.as_view_mut()).expect("finite");
        assert_eq!(kernels.rank, parameters);
        // J_u J^+ J = J_u.
        let back = &kernels.green * &j;
        let size = values.amax();
        assert!((&back - &values).amax() < 1e-8 * size);
        assert!((1.001 * &back - &values).amax() > 1e-8 * size, "an error would have passed");
        let nntk = &kernels.green * kernels.green.transpose();
        assert!((&nntk - &kernels.nntk).amax() < 1e-10 * nntk.amax());
        let row = |k: usize| values.row(k).iter().copied().collect::<Vec<f64>>();
        let dot: f64 = row(0).iter().zip(row(2)).map(|(a, b)| a * b).sum();
        assert!((kernels.ntk[(0, 2)] - dot).abs() < 1e-13 * kernels.ntk.amax());
    }
}
