//! Residuals, Jacobians and line searches of the built-in residual problems: least of several
//! timings. `cargo bench --bench residual -- [NAME | NAME/VARIANT ...]`. A Jacobian that does not
//! fit is taken in blocks.

use std::time::Instant;

use faer::Mat;
use sketchpde::evaluate::residual::{Collocation, Comparison, ResidualSystem};
use sketchpde::problem::{Overrides, Preset, ProblemFile, ResidualProblem, residual_presets};

/// Entries of the largest Jacobian that is made as a whole.
const LARGEST: usize = 1 << 27;
/// Seconds that one measurement may take, and the fewest and most repetitions.
const BUDGET: f64 = 1.0;
const REPETITIONS: [usize; 2] = [1, 50];

fn least(mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    for count in 1..=REPETITIONS[1] {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
        if count >= REPETITIONS[0] && begin.elapsed().as_secs_f64() > BUDGET {
            break;
        }
    }
    1e3 * best
}

fn measure(problem: &ResidualProblem) {
    let mut system = Collocation::new(problem);
    let theta = system.initial_parameters();
    let (rows, parameters) = (system.rows(), system.parameters());
    let mut residual = vec![0.0; rows];
    let mut gradient = vec![0.0; parameters];
    let whole = rows * parameters <= LARGEST;
    let mut jacobian = Mat::zeros(if whole { rows } else { 0 }, parameters);
    let trials: Vec<Vec<f64>> =
        (0..31).map(|k| theta.iter().map(|t| t * (1.0 + 1e-3 * f64::from(k))).collect()).collect();
    let trials: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
    let comparison = Comparison::new(problem);
    let times = [
        least(|| system.residual(&theta, &mut residual).expect("finite")),
        least(|| match whole {
            true => system.jacobian(&theta, &mut residual, jacobian.as_mut()).expect("finite"),
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
    let cells: Vec<String> = times.iter().map(|t| format!("{t:>10.2}")).collect();
    println!("{:<18}{rows:>8}{parameters:>9}{}", problem.name, cells.concat());
}

/// A preset, or a variant of it after a slash.
fn problem(name: &str) -> ResidualProblem {
    let (name, variant) = match name.split_once('/') {
        Some((name, variant)) => (name, Some(variant)),
        None => (name, None),
    };
    let text = Preset::find(name).unwrap_or_else(|errors| panic!("{errors}")).text;
    match ProblemFile::from_bytes(text.as_bytes(), variant, &Overrides::new()) {
        Ok(ProblemFile::Residual(problem)) => problem,
        Ok(ProblemFile::Evolution(_)) => panic!("{name} is no residual problem"),
        Err(errors) => panic!("{errors}"),
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    println!("{:<18}{:>8}{:>9}  r, J, gradient, 31 losses, error (ms)", "problem", "rows", "p");
    if wanted.is_empty() {
        residual_presets().iter().for_each(|preset| measure(&problem(preset.name)));
    }
    wanted.iter().for_each(|name| measure(&problem(name)));
}
