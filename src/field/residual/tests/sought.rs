//! Constants to be found, beside the same problems with numbers in their place.

use super::*;
use crate::problem::Overrides;
use crate::random::{Philox, Stream};
use crate::residual::Comparison;

/// One without a range, one within, in the equation, a condition and data.
const HEATED: &str = r#"
format = 1
[domain]
t = { range = [0, 1] }
x = { range = [0, 2] }
[parameters]
k = { value = 0.7, find = true }
g = { value = 2, range = [-1, 4], find = true }
c = 0.3
[residual.interior]
equation = "u_t = k*u_xx + c*u^2*k^2 + sin(g*x)"
points = { layout = "grid", count = 5 }
[residual.ends]
on = "x = 2"
equation = "u_x + g*u = c"
points = { count = 4 }
[residual.measured]
data = [[0.5, 1, 0.3], [0.25, 0.5, -0.2]]
quantity = "k*u + c*u_x"
# Data of a problem without constants to be found would weigh otherwise.
weight = 1
[network]
layers = [5, 5]
deviation = 0.8
"#;

fn heated(file: &str, precision: &str, values: Option<[f64; 2]>) -> ResidualProblem {
    let mut overrides: Overrides = vec![("run.precision".into(), format!("'{precision}'"))];
    for (name, value) in ["k", "g"].into_iter().zip(values.into_iter().flatten()) {
        overrides.push((format!("parameters.{name}.value"), value.to_string()));
        overrides.push((format!("parameters.{name}.find"), "false".into()));
    }
    overrides.push(("method.correction".into(), "false".into()));
    ResidualProblem::from_toml(file, &overrides).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Rows and their derivatives by the network are those of the same problem with the constants' values in
/// it; by the constants they are differences.
#[test]
fn constants_to_be_found_are_numbers_with_columns_of_their_own() {
    let gated = HEATED.replace("layers = [5, 5]", "layers = [5, 5]\narchitecture = 'modified-mlp'");
    let rational = HEATED.replace("layers = [5, 5]", "layers = [5, 5]\nactivation = 'rational'");
    for (file, precision, tolerance) in [
        (HEATED.to_owned(), "f64", 1e-13),
        (gated, "f64", 1e-13),
        (rational, "f64", 1e-13),
        (HEATED.to_owned(), "f32", 1e-5),
    ] {
        let problem = heated(&file, precision, None);
        let network = Network::of_residual(&problem);
        let mut system = Collocation::new(&problem);
        let start = system.initial_parameters();
        assert_eq!(network.constants(&start), [0.0, 0.0], "they begin at their values");
        assert_eq!(problem.values_at(&[0.0, 0.0])[2], 0.3);
        assert!((problem.values_at(&[0.0, 0.0])[1] - 2.0).abs() < 1e-15);
        let constants = network.layout().segment("output.constants").expect("two").range();
        let mut theta = start.clone();
        theta[constants.clone()].copy_from_slice(&[0.4, -0.3]);
        let values = problem.values_at(&network.constants(&theta));
        // Without a range in units of the start, within one by a sine of it.
        assert!((values[0] - 0.7 * 1.4).abs() < 1e-15);
        assert!((values[1] - (1.5 + 2.5 * (0.2_f64.asin() - 0.3).sin())).abs() < 1e-15);

        let mut twin = Collocation::new(&heated(&file, precision, Some([values[0], values[1]])));
        let mut alone = theta.clone();
        alone.drain(constants.clone());
        let (r, j) = computed(&mut system, &theta);
        let (wanted_r, wanted_j) = computed(&mut twin, &alone);
        let size = wanted_r.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(r.iter().zip(&wanted_r).all(|(a, b)| (a - b).abs() < tolerance * size));
        let of_network = j.clone().remove_columns(constants.start, constants.len());
        assert!(difference(&of_network, &wanted_j) < tolerance);
        if precision != "f64" {
            continue;
        }
        let mut by = |column: usize| {
            let [above, below] = [1e-5, -1e-5].map(|h| {
                let mut moved = theta.clone();
                moved[column] += h;
                let mut rows = vec![0.0; r.len()];
                system.residual(&moved, &mut rows).expect("finite");
                rows
            });
            DMatrix::from_fn(r.len(), 1, |i, _| (above[i] - below[i]) / 2e-5)
        };
        for column in constants {
            let wanted = by(column);
            let found = j.columns(column, 1).into_owned();
            assert!(difference(&found, &wanted) < 1e-8, "{}", difference(&found, &wanted));
            assert!(wanted.column(0).iter().filter(|v| v.abs() > 1e-6).count() > 5);
            let mut planted = found.clone();
            planted[(3, 0)] *= 1.0 + 1e-5;
            assert!(difference(&planted, &wanted) > 1e-8 || found[(3, 0)] == 0.0, "it is seen");
        }
    }
}

/// What is asked of a solution has the constants as they were found.
#[test]
fn expressions_have_the_constants_that_were_found() {
    let problem = heated(HEATED, "f64", None);
    let network = Network::of_residual(&problem);
    let mut theta = Collocation::new(&problem).initial_parameters();
    let constants = network.layout().segment("output.constants").expect("two").range();
    theta[constants].copy_from_slice(&[0.4, 0.1]);
    let value = problem.values_at(&[0.4, 0.1])[0];
    let random = Philox::new(2, Stream::Points);
    let points: Vec<f64> = (0..12).map(|i| random.uniform(0, i)).collect();
    let asked = [Expression::Parameter(0) * Expression::unknown(0), Expression::unknown(0)];
    let rows = crate::residual::rows(&problem, &network, &theta, &asked, (&points, &[]));
    for (product, u) in rows[0].iter().zip(&rows[1]) {
        assert!((product - value * u).abs() < 1e-14 * u.abs());
    }
    assert_eq!(Comparison::at(&problem, &points).values(&theta), rows[1]);
}
