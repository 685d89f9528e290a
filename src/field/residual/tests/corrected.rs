//! Networks with a correction in their tangent space, against differences.

use nalgebra::DMatrix;

use super::{BURGERS, FLOW, FOURIER, FOURTH, GATED, LAPLACE, SEAM, problem};
use crate::network::{Input, Network};
use crate::plane_waves::{Functions, PlaneWaves};
use crate::problem::expression::Expression;
use crate::residual::comparison::rows;
use crate::residual::{Collocation, Comparison, ResidualSystem};

/// theta, and a c of about its size.
fn corrected(system: &Collocation) -> Vec<f64> {
    let theta = system.initial_parameters();
    let c: Vec<f64> = (0..theta.len()).map(|k| (1.0 + 3.7 * k as f64).sin()).collect();
    [theta, c].concat()
}

fn step(theta: &[f64], c: &[f64], size: f64) -> Vec<f64> {
    theta.iter().zip(c).map(|(t, c)| t + size * c).collect()
}

/// u(theta) and its derivatives, and what the correction adds by a central difference.
#[test]
fn a_correction_adds_the_derivative_along_it_to_the_solution_and_its_derivatives() {
    const STEP: f64 = 1e-4;
    for text in [BURGERS, LAPLACE, FOURTH, SEAM, GATED, FOURIER, FLOW] {
        let problem = problem(text);
        let network = Network::of_residual(&problem);
        let system = Collocation::new(&problem);
        let both = corrected(&system);
        let (theta, c) = both.split_at(network.parameters());
        let coordinates = &system.points()[0].coordinates;
        let entries: Vec<_> = problem.blocks[0]
            .condition
            .expressions()
            .iter()
            .flat_map(|e| e.entries())
            .map(Expression::Jet)
            .collect();
        assert!(entries.len() > 1);
        let at = |theta: &[f64]| rows(&problem, &network, theta, &entries, (coordinates, &[]));
        let (found, plain) = (at(&both), at(theta));
        let (up, down) = (at(&step(theta, c, STEP)), at(&step(theta, c, -STEP)));
        for k in 0..entries.len() {
            let scale = found[k].iter().fold(1.0, |m: f64, v| m.max(v.abs()));
            for i in 0..found[k].len() {
                let expected = plain[k][i] + (up[k][i] - down[k][i]) / (2.0 * STEP);
                let off = (found[k][i] - expected).abs();
                assert!(off < 1e-5 * scale, "{:?}: {off} of {scale}", entries[k]);
            }
        }
        let values = Comparison::at(&problem, coordinates).values(&both);
        let unknowns: Vec<_> = (0..network.outputs()).map(Expression::unknown).collect();
        let asked = rows(&problem, &network, &both, &unknowns, (coordinates, &[])).concat();
        assert_eq!(values, asked);
    }
}

/// J of a corrected network: the derivatives of the rows by c.
#[test]
fn the_jacobian_of_a_corrected_network_is_that_by_the_correction() {
    const STEP: f64 = 1e-5;
    for text in [BURGERS, SEAM, GATED, FLOW] {
        let mut system = Collocation::new(&problem(text));
        let (n, p) = (system.rows(), system.parameters());
        let both = corrected(&system);
        let mut r = vec![0.0; n];
        let mut matrix = DMatrix::zeros(n, p);
        system.jacobian(&both, &mut r, matrix.as_view_mut()).expect("finite");
        let largest = matrix.amax();
        for k in (0..p).step_by(7) {
            let mut moved = |size: f64| {
                let mut at = both.clone();
                at[p + k] += size;
                let mut r = vec![0.0; n];
                system.residual(&at, &mut r).expect("finite");
                r
            };
            let (up, down) = (moved(STEP), moved(-STEP));
            for i in 0..n {
                let expected = (up[i] - down[i]) / (2.0 * STEP);
                assert!((matrix[(i, k)] - expected).abs() < 1e-7 * largest, "row {i}, column {k}");
            }
        }
    }
}

/// Plane waves beside a corrected network: residuals change by their coefficients as the linearised rows
/// along them say.
#[test]
fn plane_waves_add_their_rows_to_those_of_the_network() {
    const STEP: f64 = 1e-5;
    for text in [BURGERS, LAPLACE, FOURTH, SEAM, FLOW] {
        let mut system = Collocation::new(&problem(text));
        let network = system.network().clone();
        let frequencies: Vec<f64> = network
            .inputs()
            .iter()
            .cycle()
            .zip(0..3 * network.inputs().len())
            .map(|(input, k)| match input {
                Input::Periodic { .. } => k as f64 - 1.0,
                _ => 0.7 * k as f64 - 1.3,
            })
            .collect();
        // The last around a hole that is not there.
        let mut inversions = vec![0.0; 2 * frequencies.len()];
        let last = inversions.len() - 2 * network.inputs().len();
        inversions[last..].fill(1.7);
        let waves = PlaneWaves::new(&network, &frequencies, &inversions);
        let count = network.outputs() * waves.len();
        let coefficients: Vec<f64> =
            (0..count).map(|k| 0.1 * (2.0 + 1.9 * k as f64).sin()).collect();
        let all = [corrected(&system), frequencies, inversions, coefficients].concat();
        let first = all.len() - count;
        let rows = system.along(&all, &waves);
        assert_eq!(rows.shape(), (system.rows(), count));
        let mut at = |moved: &[f64]| {
            let mut r = vec![0.0; system.rows()];
            system.residual(moved, &mut r).expect("finite");
            r
        };
        let largest = rows.amax();
        for k in 0..count {
            let sides = [STEP, -STEP].map(|step| {
                let mut moved = all.clone();
                moved[first + k] += step;
                at(&moved)
            });
            for (i, (up, down)) in sides[0].iter().zip(&sides[1]).enumerate() {
                let expected = (up - down) / (2.0 * STEP);
                assert!((rows[(i, k)] - expected).abs() < 1e-7 * largest, "row {i}, column {k}");
            }
        }
        // Without them the rest is what it was.
        let mut none = all.clone();
        none[first..].fill(0.0);
        assert_eq!(at(&none), at(&all[..2 * network.parameters()]));
    }
}
