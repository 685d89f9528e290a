//! What a run's folder says about how it ended.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Run;
use crate::cli::failure::Failure;
use crate::cli::solve::folder::stored;
use crate::output::{ResultFolder, atomic};

/// Beside a run's files where it ended in failure.
const FAILURE: &str = "failure.json";
/// Exit code of a solution that diverged: a result, which another try would repeat.
const DIVERGED: i32 = 3;
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
        let (a, b) = (read(evolution), read(training));
        assert_eq!((a.seconds, a.steps, a.columns), (8.5, 17, Some(20)));
        assert_eq!((b.seconds, b.steps, b.points, b.relative_l2), (3.5, 7, 64, None));
        assert_eq!(b.columns, None);
    }
}
