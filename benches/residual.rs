//! Residuals, Jacobians and line searches of the built-in residual problems: least of several
//! timings. `cargo bench --bench residual -- [NAME | NAME/VARIANT ...]`. A Jacobian that does not
//! fit is taken in blocks.

mod common;

use nalgebra::DMatrix;
use sketchpde::field::residual::{Collocation, Comparison, ResidualSystem};
use sketchpde::problem::{ResidualProblem, residual_presets};

use common::{LARGEST, least, problem, trials};

fn measure(problem: &ResidualProblem) {
    let mut system = Collocation::new(problem);
    let theta = system.initial_parameters();
    let (rows, parameters) = (system.rows(), system.parameters());
    let mut residual = vec![0.0; rows];
    let mut gradient = vec![0.0; parameters];
    let whole = rows * parameters <= LARGEST;
    let mut jacobian = DMatrix::zeros(if whole { rows } else { 0 }, parameters);
    let trials = trials(&theta);
    let trials: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
    let comparison = Comparison::new(problem);
    let times = [
        least(|| system.residual(&theta, &mut residual).expect("finite")),
        least(|| match whole {
            true => system.jacobian(&theta, &mut residual, jacobian.as_view_mut()).expect("finite"),
            false => system.jacobian_blocks(&theta, &mut |_, _| {}).expect("finite"),
        }),
        least(|| {
            system.gradient(&theta, &mut gradient).expect("finite");
        }),
        least(|| {
            system.losses(&trials).expect("finite");
        }),
        least(|| {
            let _ = comparison.relative_l2(&theta);
        }),
    ];
    let cells: Vec<String> =
        times.iter().map(|seconds| format!("{:>10.2}", 1e3 * seconds)).collect();
    println!("{:<18}{rows:>8}{parameters:>9}{}", problem.name, cells.concat());
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    println!("{:<18}{:>8}{:>9}  r, J, gradient, 31 losses, error (ms)", "problem", "rows", "p");
    if wanted.is_empty() {
        residual_presets().iter().for_each(|preset| measure(&problem(preset.name)));
    }
    wanted.iter().for_each(|name| measure(&problem(name)));
}
