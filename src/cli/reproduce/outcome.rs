//! What a run's folder says about how it ended.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::study::{Quantity, Run};
use crate::cli::failure::Failure;
use crate::cli::solve::folder::stored;
use crate::output::{ResultFolder, atomic};

/// Beside a run's files where it ended in failure.
const FAILURE: &str = "failure.json";
/// Exit code of a solution that diverged: a result, which another try would repeat.
const DIVERGED: i32 = 3;
/// The share of the time that counts as early.
const EARLY: f64 = 0.05;

/// How a run ended, and its measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done(Measures),
    /// The solution was lost; why.
    Diverged(String),
}

/// What `result.json` holds of either family of problems.
#[derive(Clone, Debug, PartialEq)]
pub struct Measures {
    pub relative_l2: Option<f64>,
    /// Of all steps or iterations; the initial fit is not counted.
    pub seconds: f64,
    pub steps: usize,
    pub parameters: usize,
    pub points: usize,
    pub columns: Option<usize>,
}

#[derive(Deserialize)]
struct Stored {
    relative_l2: Option<f64>,
    seconds: Seconds,
    #[serde(alias = "iterations")]
    steps: usize,
    parameters: usize,
    #[serde(alias = "rows")]
    points: usize,
    columns: Option<usize>,
    completed: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Training(f64),
    Evolution { steps: f64 },
}

#[derive(Serialize, Deserialize)]
struct Failed {
    code: Option<i32>,
    message: String,
}

impl Outcome {
    /// Of a run that has ended with these very settings; none for any other.
    pub fn of(runs: &Path, run: &Run) -> Option<Self> {
        let folder = ResultFolder::open(runs.join(&run.key));
        if folder.read_problem().ok()? != run.source {
            return None;
        }
        if let Some(failed) = read_failure(&folder) {
            return (failed.code == Some(DIVERGED)).then_some(Self::Diverged(failed.message));
        }
        stored::<Stored>(&folder)
            .filter(|stored| stored.completed)
            .map(|stored| Self::Done(stored.into()))
    }

    /// Why a run failed otherwise than by diverging, where it did.
    pub fn failure(runs: &Path, run: &Run) -> Option<String> {
        read_failure(&ResultFolder::open(runs.join(&run.key))).map(|failed| failed.message)
    }

    /// Notes that a run failed.
    pub fn failed(runs: &Path, run: &Run, code: Option<i32>, said: &str) -> Result<(), Failure> {
        let path = runs.join(&run.key).join(FAILURE);
        let message = said.strip_prefix("error: ").unwrap_or(said).to_owned();
        let text = serde_json::to_string(&Failed { code, message }).expect("plain data");
        atomic::write(&path, text.as_bytes())?;
        Ok(())
    }

    /// Forgets an earlier failure, for another try.
    pub fn forget_failure(runs: &Path, run: &Run) {
        // There may be none.
        let _ = std::fs::remove_file(runs.join(&run.key).join(FAILURE));
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Done(measures) => match measures.relative_l2 {
                Some(error) => format!("error {error:.2e}"),
                None => "done, no error to measure".into(),
            },
            Self::Diverged(why) => format!("diverged: {why}"),
        }
    }
}

fn read_failure(folder: &ResultFolder) -> Option<Failed> {
    let text = std::fs::read(folder.file(FAILURE)).ok()?;
    serde_json::from_slice(&text).ok()
}

impl From<Stored> for Measures {
    fn from(stored: Stored) -> Self {
        let seconds = match stored.seconds {
            Seconds::Training(seconds) | Seconds::Evolution { steps: seconds } => seconds,
        };
        Self {
            relative_l2: stored.relative_l2,
            seconds,
            steps: stored.steps,
            parameters: stored.parameters,
            points: stored.points,
            columns: stored.columns,
        }
    }
}

impl Measures {
    /// One number of a run; none where it has none.
    pub fn get(&self, quantity: Quantity, folder: &ResultFolder) -> Option<f64> {
        match quantity {
            Quantity::Columns => self.columns.map(|s| s as f64),
            Quantity::Parameters => Some(self.parameters as f64),
            Quantity::Points => Some(self.points as f64),
            Quantity::Seconds => Some(self.seconds),
            Quantity::SecondsPerStep => Some(self.seconds / self.steps.max(1) as f64),
            Quantity::RelativeL2 | Quantity::Error => self.relative_l2,
            Quantity::EarlyResidual => mean_residual(folder, EARLY),
            Quantity::MeanResidual | Quantity::Residual => mean_residual(folder, 1.0),
            Quantity::Time => None,
        }
    }
}

/// Mean over the steps of the first `share` of the time.
fn mean_residual(folder: &ResultFolder, share: f64) -> Option<f64> {
    let records = folder.read_history().ok()?.records;
    let (first, last) = (records.first()?, records.last()?);
    let start = first.time - first.dt;
    let until = start + share * (last.time - start);
    let early: Vec<f64> = records
        .iter()
        .filter(|r| r.time <= until || r.step == first.step)
        .map(|r| r.residual)
        .collect();
    Some(early.iter().sum::<f64>() / early.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_of_results_are_read() {
        let evolution = r#"{"relative_l2": 1e-5, "seconds": {"fit": 2, "steps": 8.5, "total": 10.5},
            "steps": 17, "parameters": 30, "points": 64, "columns": 20, "completed": true}"#;
        let training = r#"{"relative_l2": null, "seconds": 3.5, "iterations": 7, "parameters": 30,
            "rows": 64, "completed": true}"#;
        let read = |text| Measures::from(serde_json::from_str::<Stored>(text).expect("a result"));
        let folder = ResultFolder::open("nowhere");
        let (a, b) = (read(evolution), read(training));
        assert_eq!((a.seconds, a.steps, a.columns), (8.5, 17, Some(20)));
        assert_eq!(a.get(Quantity::SecondsPerStep, &folder), Some(0.5));
        assert_eq!((b.seconds, b.steps, b.points, b.relative_l2), (3.5, 7, 64, None));
        assert_eq!(b.get(Quantity::Columns, &folder), None);
    }
}
