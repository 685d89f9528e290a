//! The result of a training as one object: what `--json` prints and `result.json` keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::memory;
use crate::optimize::{Convergence, ErrorEstimate};
use crate::problem::Choice;
use crate::session::TrainingSession;

/// Times are in seconds, errors are relative L2 errors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrainingResult {
    pub problem: String,
    /// As in the problem file.
    pub method: String,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// The adapter, or how many threads.
    #[serde(default)]
    pub device: String,
    pub precision: String,
    pub seed: u64,
    /// p: parameters of the network.
    pub parameters: usize,
    /// n: rows of the least-squares problem.
    pub rows: usize,
    pub iterations: usize,
    pub loss: f64,
    /// Over all unknowns together.
    pub relative_l2: Option<f64>,
    /// Of each of several unknowns, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relative_l2_of_each: BTreeMap<String, f64>,
    /// What the run says of its error itself, with or without a reference; none where its residual is
    /// not a number at other points.
    #[serde(default)]
    pub estimated_error: Option<f64>,
    /// The same of each of several unknowns, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub estimated_error_of_each: BTreeMap<String, f64>,
    /// How that was found.
    #[serde(default)]
    pub estimated_error_method: String,
    /// Whether the estimated error is below a hundredth and the problem determines its solution.
    #[serde(default)]
    pub resolved: bool,
    /// What came of the training; none in results of earlier versions.
    #[serde(default)]
    pub convergence: Option<Convergence>,
    /// The correction that ended the training; none where there was nothing to gain.
    #[serde(default)]
    pub correction: Option<CorrectionResult>,
    /// The constants that were to be found, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<String, FoundConstant>,
    /// Singular values that the last iteration kept.
    pub rank: usize,
    /// Losses and residuals that were evaluated in all.
    pub evaluations: usize,
    /// Seconds spent in iterations and in the correction.
    pub seconds: f64,
    /// Why it stopped.
    pub stopped: String,
    /// What the settings ask for beyond what the numbers can tell.
    #[serde(default)]
    pub warning: Option<String>,
    pub peak_memory_mib: Option<f64>,
    pub completed: bool,
    pub version: String,
}

/// A constant that was to be found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FoundConstant {
    pub value: f64,
}

/// What a correction in the tangent space has brought: the residual at points that neither it nor the
/// training has used, as the root of the loss there, and the singular values that were kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CorrectionResult {
    pub residual_before: f64,
    pub residual_after: f64,
    pub rank: usize,
    /// Frequencies of the network of plane waves beside the trained one.
    #[serde(default)]
    pub waves: usize,
}

impl TrainingResult {
    pub fn of(session: &TrainingSession) -> Self {
        let rows = session.rows();
        let (problem, report) = (session.problem(), session.report());
        let estimate = session.estimate();
        let (description, warning) = (session.describe(), session.warning());
        Self {
            problem: problem.name.clone(),
            method: problem.method.name.word().to_owned(),
            backend: description.backend.to_owned(),
            device: description.device,
            precision: session.precision(),
            seed: problem.seed,
            parameters: session.network().parameters(),
            rows,
            iterations: report.record.iteration,
            loss: report.record.loss,
            relative_l2: session.error(),
            relative_l2_of_each: super::of_each(&problem.unknowns, session.errors_of_each()),
            estimated_error: estimate.map(|e| e.relative_l2),
            estimated_error_of_each: super::of_each(
                &problem.unknowns,
                estimate.map(|e| e.of_each.clone()),
            ),
            estimated_error_method: session.estimate_method(),
            resolved: estimate.is_some_and(ErrorEstimate::is_good),
            convergence: Some(session.convergence()),
            correction: session.correction().map(|correction| CorrectionResult {
                residual_before: correction.before,
                residual_after: correction.after,
                rank: correction.rank,
                waves: correction.waves,
            }),
            found: session
                .found()
                .into_iter()
                .map(|(name, value)| (name, FoundConstant { value }))
                .collect(),
            rank: report.record.rank,
            evaluations: session.history().records.iter().map(|r| r.evaluations).sum(),
            seconds: session.seconds(),
            stopped: report.reason.map_or("", |reason| reason.describe()).to_owned(),
            warning,
            peak_memory_mib: memory::peak_mib(),
            completed: report.reason.is_some(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
