//! What the measurements of residual problems share.

mod timing;

use sketchpde::problem::{Overrides, Preset, ProblemFile, ResidualProblem};

pub use timing::least;

/// Entries of the largest Jacobian that is made as a whole.
pub const LARGEST: usize = 1 << 27;
/// Trial points of a line search.
const TRIALS: u16 = 31;

/// A preset, or a variant of it after a slash.
pub fn problem(name: &str) -> ResidualProblem {
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

/// Parameters near theta, as many as a line search tries.
pub fn trials(theta: &[f64]) -> Vec<Vec<f64>> {
    (0..TRIALS).map(|k| theta.iter().map(|t| t * (1.0 + 1e-3 * f64::from(k))).collect()).collect()
}
