//! The summary of an evolution as one object: what `--json` prints and `result.json` keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::memory;
use crate::evolve::{Coherence, EvolutionEstimate};
use crate::network::Network;
use crate::optimize::{Convergence, GOOD};
use crate::output::DensityRecord;
use crate::problem::{Choice, Problem, Scheme};
use crate::session::{Phase, Recording, Session, columns, total_points};

/// Times are in seconds, errors are relative L2 errors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    pub problem: String,
    /// Scheme, integrator and update, as in the problem file.
    pub method: String,
    pub backend: String,
    pub device: String,
    pub precision: String,
    pub seed: u64,
    /// p: parameters of the network.
    pub parameters: usize,
    /// n: points of the least-squares problems.
    pub points: usize,
    /// s: columns of the latest step's least-squares problems.
    pub columns: usize,
    /// The fewest and the most of all steps, where the run chose them.
    #[serde(default)]
    pub columns_range: Option<[usize; 2]>,
    /// Accepted time steps, and attempts that the step control refused.
    pub steps: usize,
    pub rejected: usize,
    /// Those of the steps whose stages were implicit.
    #[serde(default)]
    pub implicit_steps: usize,
    /// Time that was reached.
    pub time: f64,
    /// Error of the fitted initial state.
    pub initial_error: Option<f64>,
    /// Error over space and time together.
    pub relative_l2: Option<f64>,
    /// The same of each of several unknowns, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relative_l2_of_each: BTreeMap<String, f64>,
    /// Error at the last time.
    pub final_relative_l2: Option<f64>,
    /// What the run says of its error itself, over space and time together, with or without a
    /// reference; none of densities that points are drawn from.
    #[serde(default)]
    pub estimated_error: Option<f64>,
    /// The same of each of several unknowns, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub estimated_error_of_each: BTreeMap<String, f64>,
    /// The same at the last time.
    #[serde(default)]
    pub final_estimated_error: Option<f64>,
    /// How that was found.
    #[serde(default)]
    pub estimated_error_method: String,
    /// Whether the estimated error is below a hundredth; false where there is none.
    #[serde(default)]
    pub resolved: bool,
    /// What came of the run; none in results of earlier versions.
    #[serde(default)]
    pub convergence: Option<Convergence>,
    /// Estimated error of the reference itself.
    pub reference_error: Option<f64>,
    /// Of a density that points are drawn from.
    #[serde(default)]
    pub density: Option<DensityResult>,
    /// Of the Jacobian at the start, where columns are drawn uniformly.
    #[serde(default)]
    pub coherence: Option<Coherence>,
    /// What made the run less accurate than it could be, and what helps.
    #[serde(default)]
    pub warning: Option<String>,
    pub seconds: Seconds,
    pub peak_memory_mib: Option<f64>,
    /// Whether the end time was reached; if not, why.
    pub completed: bool,
    pub failure: Option<String>,
    pub version: String,
}

/// A density's moments at the end and how far they are from the exact ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DensityResult {
    pub mass: f64,
    pub mean: Vec<f64>,
    /// Row by row.
    pub covariance: Vec<f64>,
    pub last: DensityErrors,
    /// The largest of each over all times that were looked at.
    pub worst: DensityErrors,
}

/// See [`DensityRecord`]; none where the exact density is not known.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DensityErrors {
    /// Of the mean, in standard deviations.
    pub mean: Option<f64>,
    /// Of the covariance, relative.
    pub covariance: Option<f64>,
    /// Of the mass, relative.
    pub mass: Option<f64>,
    /// Relative L2 error of the density over points drawn from the exact one.
    pub density: Option<f64>,
    /// The same of its logarithm.
    pub logarithm: Option<f64>,
}

impl DensityResult {
    fn of(records: &[DensityRecord]) -> Option<Self> {
        let last = records.last()?;
        Some(Self {
            mass: last.mass,
            mean: last.mean.clone(),
            covariance: last.covariance.clone(),
            last: DensityErrors::worst_of(std::slice::from_ref(last)),
            worst: DensityErrors::worst_of(records),
        })
    }
}

impl DensityErrors {
    /// The largest of each.
    fn worst_of(records: &[DensityRecord]) -> Self {
        let largest = |get: fn(&DensityRecord) -> f64| {
            let largest = records.iter().map(get).fold(f64::NAN, f64::max);
            Some(largest).filter(|error| error.is_finite())
        };
        Self {
            mean: largest(|r| r.mean_error),
            covariance: largest(|r| r.covariance_error),
            mass: largest(|r| (r.mass / r.exact_mass - 1.0).abs()),
            density: largest(|r| r.density_error),
            logarithm: largest(|r| r.log_error),
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Seconds {
    pub fit: f64,
    pub steps: f64,
    pub total: f64,
}

impl RunResult {
    pub(super) fn of(session: &Session, record: &Recording, reference_error: Option<f64>) -> Self {
        let (problem, status) = (record.problem(), session.status());
        let description = session.description();
        let parameters = Network::of(problem).parameters();
        let last = record.history().records.last();
        let unknowns = &problem.unknowns;
        let estimate = session.estimated_error();
        let errors = record.frames().space_time_error_of_each(unknowns.len());
        Self {
            problem: problem.name.clone(),
            method: method(problem),
            backend: description.backend.to_owned(),
            device: description.device.clone(),
            precision: description.precision.to_owned(),
            seed: problem.seed,
            parameters,
            points: total_points(problem),
            columns: last.map_or_else(|| columns(problem, parameters), |record| record.columns),
            columns_range: columns_range(record),
            steps: status.step,
            rejected: record.history().records.iter().map(|r| r.rejected).sum(),
            implicit_steps: record.history().records.iter().filter(|r| r.implicit).count(),
            time: status.time,
            initial_error: status.initial_error,
            relative_l2: status.space_time_error,
            relative_l2_of_each: super::of_each(unknowns, errors),
            final_relative_l2: status.error,
            estimated_error: estimate.map(|e| e.relative_l2),
            estimated_error_of_each: super::of_each(unknowns, estimate.map(|e| e.of_each.clone())),
            final_estimated_error: estimate.map(|e| e.final_relative_l2),
            estimated_error_method: estimate_method(estimate),
            resolved: estimate.is_some_and(|e| e.largest() <= GOOD),
            convergence: Some(session.convergence()),
            reference_error,
            density: DensityResult::of(record.densities()),
            coherence: session.coherence(),
            warning: status.warning,
            seconds: Seconds {
                fit: status.seconds.fit,
                steps: status.seconds.steps,
                total: status.seconds.total,
            },
            peak_memory_mib: memory::peak_mib(),
            completed: status.phase == Phase::Done,
            failure: status.failure,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// How an error was estimated, in words.
fn estimate_method(estimate: Option<&EvolutionEstimate>) -> String {
    match estimate {
        Some(estimate) => format!(
            "defect of the steps at {} other points, carried on by the linearised equation",
            estimate.points
        ),
        None => "none of a density that points are drawn from: see its moments".into(),
    }
}

/// The fewest and the most columns of a step, where the run chose them.
fn columns_range(record: &Recording) -> Option<[usize; 2]> {
    let columns = record.history().records.iter().map(|step| step.columns);
    let range = [columns.clone().min()?, columns.max()?];
    record.problem().method.adaptive_columns.then_some(range)
}

fn method(problem: &Problem) -> String {
    let method = &problem.method;
    if method.scheme == Scheme::RandomFeatures {
        return format!("{} radau-5", method.scheme.word());
    }
    format!("{} {} {}", method.scheme.word(), method.integrator.word(), method.update.word())
}
