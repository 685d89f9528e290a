//! Energies: their rows must give the gradient and the Hessian that they are made for.

use nalgebra::DMatrix;

use super::{computed, difference, problem};
use crate::network::Network;
use crate::problem::expression::{Entry, Place};
use crate::residual::Collocation;
use crate::residual::tests::oracle::network_at;

/// Convex in the value and the derivatives together.
const CONVEX: &str = r#"
format = 1
[domain]
x = { range = [0, 1] }
y = { range = [0, 2] }
[residual.interior]
energy = "(u_x^2 + 2*u_y^2)/2 + u_x*u/3 + u^4/4 + 2*u^2 - exp(x)*u"
points = { layout = "gauss", count = [3, 5] }
weight = 3
[residual.walls]
on = "x = 0"
equation = "u = y"
points = { count = 4 }
[network]
layers = [4, 4]
deviation = 0.7
"#;

/// Flat in the value: its curvature there is raised, and its gradient stays.
const FLAT: &str = r#"
format = 1
[domain]
x = { range = [0, 1] }
[residual.interior]
energy = "u_x^2/2 - sin(3*x)*u"
points = { layout = "gauss", count = 9 }
[network]
layers = [6]
deviation = 0.7
"#;

#[test]
fn the_gradient_of_an_energy_is_that_of_its_losses() {
    for text in [CONVEX, FLAT] {
        let mut system = Collocation::new(&problem(text));
        let theta = system.initial_parameters();
        let (r, j) = computed(&mut system, &theta);
        let mut gradient = vec![0.0; theta.len()];
        let loss = system.gradient(&theta, &mut gradient).expect("finite");
        assert_eq!(loss, system.losses(&[&theta]).expect("finite")[0]);
        let squares: f64 = r.iter().map(|r| r * r).sum();
        assert!((squares - loss).abs() > 1e-3 * squares, "an energy is no sum of squares");
        let step = 1e-5;
        let scale = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        for (k, g) in gradient.iter().enumerate() {
            let moved = |sign: f64| -> Vec<f64> {
                let mut moved = theta.clone();
                moved[k] += sign * step;
                moved
            };
            let losses = system.losses(&[&moved(1.0), &moved(-1.0)]).expect("finite");
            let wanted = (losses[0] - losses[1]) / (2.0 * step);
            let rows: f64 = r.iter().enumerate().map(|(i, r)| 2.0 * j[(i, k)] * r).sum();
            assert!((g - wanted).abs() < 1e-8 * scale, "{g} {wanted}");
            assert!((rows - g).abs() < 1e-12 * scale, "{rows} {g}");
        }
        assert!(scale > 1e-3, "a planted zero gradient would be seen");
    }
}

#[test]
fn the_gram_matrix_of_an_energy_is_its_hessian_in_function_space() {
    let problem = problem(CONVEX);
    let mut system = Collocation::new(&problem);
    let theta = system.initial_parameters();
    let (_, j) = computed(&mut system, &theta);
    let rows = system.block_rows()[0];
    let j = j.rows(0, rows);
    let found = j.transpose() * j * 2.0;
    let network = Network::of_residual(&problem);
    let density = &problem.blocks[0].condition.expressions()[0];
    let entries: Vec<Entry> = density.entries().into_iter().collect();
    let points = &system.points()[0];
    let count = points.coordinates.len() / 2;
    let mut wanted = DMatrix::<f64>::zeros(theta.len(), theta.len());
    for (i, x) in points.coordinates.chunks(2).enumerate() {
        let quadrature = points.weights.as_ref().expect("Gauss")[i];
        let weight = problem.blocks[0].weight * points.measure * quadrature / count as f64;
        let plain = network_at(&network, &theta, x, 1, None);
        let by = |k: usize| network_at(&network, &theta, x, 1, Some(k));
        let moved: Vec<_> = (0..theta.len()).map(by).collect();
        let jet = |entry: Entry| plain[entry.unknown].derivative(entry.channel, 2, false);
        for &a in &entries {
            for &b in &entries {
                let second = density.derivative_by(a).derivative_by(b);
                let place = Place { coordinates: x, time: 0.0, parameters: &[] };
                let curvature = weight * second.evaluate(place, &jet);
                for k in 0..theta.len() {
                    for l in 0..theta.len() {
                        let by = |k: usize, entry: Entry| {
                            moved[k][entry.unknown].derivative(entry.channel, 2, true)
                        };
                        let (dk, dl) = (by(k, a), by(l, b));
                        wanted[(k, l)] += curvature * dk * dl;
                    }
                }
            }
        }
    }
    assert!(difference(&found, &wanted) < 1e-12, "{}", difference(&found, &wanted));
    wanted[(0, 0)] += 1e-10 * wanted.amax();
    assert!(difference(&found, &wanted) > 1e-11, "a planted error is seen");
}
