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
    /// Of every two of several constants, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub correlation: BTreeMap<String, BTreeMap<String, f64>>,
    /// Of the data that they were found from, by blocks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub noise: BTreeMap<String, NoiseResult>,
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
    /// None where the data do not determine it.
    #[serde(default)]
    pub standard_deviation: Option<f64>,
}

impl FoundConstant {
    /// To two digits of the deviation: `2.013 +- 0.021`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.standard_deviation.filter(|deviation| *deviation > 0.0) {
            None => format!("{:.6} (how well it is known cannot be told)", self.value),
            Some(deviation) => {
                let digits = (1.0 - deviation.log10().floor()).clamp(0.0, 15.0) as usize;
                format!("{:.digits$} +- {deviation:.digits$}", self.value)
            }
        }
    }
}

/// Noise of a block of data, as it was given or as it follows from the fit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct NoiseResult {
    pub standard_deviation: Option<f64>,
    pub estimated: bool,
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
            found: found(session),
            correlation: correlation(session),
            noise: noise(session),
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

fn names(session: &TrainingSession) -> Vec<&String> {
    let problem = session.problem();
    problem.sought().map(|k| &problem.parameters[k].name).collect()
}

fn found(session: &TrainingSession) -> BTreeMap<String, FoundConstant> {
    let (values, known) = (session.found(), session.uncertainty());
    let of = |(k, name): (usize, &String)| {
        let standard_deviation = known.and_then(|known| known.deviations[k]);
        (name.clone(), FoundConstant { value: values[name], standard_deviation })
    };
    names(session).into_iter().enumerate().map(of).collect()
}

fn correlation(session: &TrainingSession) -> BTreeMap<String, BTreeMap<String, f64>> {
    let names = names(session);
    let Some(known) = session.uncertainty().filter(|_| names.len() > 1) else {
        return BTreeMap::new();
    };
    let row = |i: usize| {
        let others = names.iter().enumerate().filter(move |(j, _)| *j != i);
        others.map(|(j, name)| ((*name).clone(), known.correlation[(i, j)])).collect()
    };
    names.iter().enumerate().map(|(i, name)| ((*name).clone(), row(i))).collect()
}

fn noise(session: &TrainingSession) -> BTreeMap<String, NoiseResult> {
    let known = session.uncertainty().into_iter().flat_map(|known| known.noise.clone());
    let of = |(name, standard_deviation, estimated)| {
        (name, NoiseResult { standard_deviation, estimated })
    };
    known.map(of).collect()
}
