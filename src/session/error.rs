//! What can go wrong in a session.

use super::evolve::EvolveError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    #[error(transparent)]
    Evolve(#[from] EvolveError),
    /// The solution stopped being finite.
    #[error(
        "the solution is not finite any more after step {step}, t = {time}{}; try a smaller time \
         step (method.step), a larger cutoff (method.rcond) or more columns (method.columns)",
        at(place)
    )]
    Diverged {
        step: usize,
        time: f64,
        /// Name and value of each coordinate, where it began; empty where that is not known.
        place: Vec<(String, f64)>,
    },
    #[error("the system gives no thread for the solver: {0}")]
    Thread(std::io::Error),
    #[error("the equation has no parameter named {name}; it has {}", known.join(", "))]
    UnknownParameter { name: String, known: Vec<String> },
    #[error("{what} = {value} is out of range: it must lie in {range}")]
    OutOfRange { what: String, value: f64, range: String },
    #[error(
        "the saved state has {found} parameters and the network {expected}: it belongs to another \
         network"
    )]
    OtherNetwork { found: usize, expected: usize },
}

fn at(place: &[(String, f64)]) -> String {
    if place.is_empty() {
        return String::new();
    }
    let coordinates: Vec<String> = place.iter().map(|(n, x)| format!("{n} = {x:.4}")).collect();
    format!(", around {}", coordinates.join(", "))
}
