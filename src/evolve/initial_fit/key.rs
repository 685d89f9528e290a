//! What an initial fit depends on, as bytes.

use super::constant::stands_still;
use crate::bytes::Writer;
use crate::problem::expression::Expression;
use crate::problem::{ArchitectureSettings, Choice, PointLayout, Problem, Scheme};

/// Goes up when the fit's algorithm changes, so that fits of older versions are not found.
const VERSION: u64 = 3;

/// Bytes of everything that the fit depends on and of nothing else: the network, the initial state
/// and the ansatz at the start with the parameters' values put in, the domain, the fit's settings
/// the seed, and whether the equation leaves the state as it is. For a cache by content.
#[must_use]
pub fn fit_key(problem: &Problem) -> Vec<u8> {
    let mut key = Writer::default();
    key.text("initial fit");
    key.count(VERSION);
    let network = &problem.network;
    key.count(network.width as u64);
    key.count(network.hidden_layers as u64);
    key.text(network.activation.word());
    if network.architecture != ArchitectureSettings::default() {
        key.text(&format!("{:?}", network.architecture));
    }
    if problem.method.scheme == Scheme::RandomFeatures {
        key.text(problem.method.scheme.word());
    }
    let values = problem.parameter_values();
    let start = problem.time.start.into();
    // Debug text of a tree has every node and every constant to its last bit.
    let of_each = |list: &'_ Option<Vec<Expression>>| -> Vec<Option<Expression>> {
        (0..problem.unknowns.len()).map(|k| Some(list.as_ref()?[k].clone())).collect()
    };
    let initial = problem.initial.iter().cloned().map(Some);
    let parts = initial.chain(of_each(&problem.distance)).chain(of_each(&problem.lift));
    for part in parts {
        let text = part.map(|e| e.substitute_parameters(&values).substitute_time(&start));
        key.text(&format!("{text:?}"));
    }
    key.count(problem.dimensions() as u64);
    for c in &problem.coordinates {
        key.real(c.lower);
        key.real(c.upper);
        key.count(u64::from(c.boundary == crate::problem::Boundary::Periodic));
        key.text(&format!("{:?}", c.flat_ends()));
    }
    let fit = &problem.fit;
    key.text(fit.method.word());
    key.real(fit.tolerance);
    key.count(fit.max_iterations as u64);
    key.count(fit.count.len() as u64);
    fit.count.iter().for_each(|&n| key.count(n as u64));
    if problem.points.layout == PointLayout::Adaptive {
        key.text(problem.points.density.word());
    }
    key.count(problem.seed);
    key.count(u64::from(stands_still(problem)));
    key.finish()
}
