//! What a run's folder says about how it ended.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Run;
use crate::cli::failure::Failure;
use crate::cli::solve::folder::stored;
use crate::evolve::features::is_of;
use crate::output::{ResultFolder, atomic};

/// Beside a run's files where it ended in failure.
const FAILURE: &str = "failure.json";
/// Exit code of a solution that diverged: a result, which another try would repeat.
const DIVERGED: i32 = 3;
/// Exit code of a run whose time was over: a result as well.
const OUT_OF_TIME: i32 = 6;

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
    /// What the run says of its error itself.
    pub estimated_error: Option<f64>,
    /// Of all steps or iterations; the initial fit is not counted.
    pub seconds: f64,
    pub steps: usize,
    pub parameters: usize,
    pub points: usize,
    pub columns: Option<usize>,
    /// Whether its time was over before its end. A training then has the answer so far; an evolution
    /// has none for the time that it did not reach, and so no error over all of it.
    pub out_of_time: bool,
}

#[derive(Deserialize)]
struct Stored {
    relative_l2: Option<f64>,
    #[serde(default)]
    estimated_error: Option<f64>,
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
        if !is_of(&folder.read_problem().ok()?, &run.source) {
            return None;
        }
        if let Some(failed) = read_failure(&folder) {
            return match failed.code {
                Some(DIVERGED) => Some(Self::Diverged(failed.message)),
                Some(OUT_OF_TIME) => {
                    let stored: Stored = serde_json::from_value(folder.read_result().ok()?).ok()?;
                    Some(Self::Done(Measures::out_of_time(stored)))
                }
                _ => None,
            };
        }
        stored::<Stored>(&folder)
            .filter(|stored| stored.completed)
            .map(|stored| Self::Done(stored.into()))
    }

    /// Why a run failed otherwise than by diverging, where it did.
    pub fn failure(runs: &Path, run: &Run) -> Option<String> {
        let failed = read_failure(&ResultFolder::open(runs.join(&run.key)))?;
        (failed.code != Some(OUT_OF_TIME)).then_some(failed.message)
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
                None if measures.out_of_time => "its time is over".into(),
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

impl Measures {
    fn out_of_time(stored: Stored) -> Self {
        let evolution = matches!(stored.seconds, Seconds::Evolution { .. });
        let mut measures = Self { out_of_time: true, ..stored.into() };
        if evolution {
            (measures.relative_l2, measures.estimated_error) = (None, None);
        }
        measures
    }
}

impl From<Stored> for Measures {
    fn from(stored: Stored) -> Self {
        let seconds = match stored.seconds {
            Seconds::Training(seconds) | Seconds::Evolution { steps: seconds } => seconds,
        };
        Self {
            relative_l2: stored.relative_l2,
            estimated_error: stored.estimated_error,
            seconds,
            steps: stored.steps,
            parameters: stored.parameters,
            points: stored.points,
            columns: stored.columns,
            out_of_time: false,
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

    /// A training's answer so far counts; an evolution's error is one of the time that it has reached.
    #[test]
    fn what_ran_out_of_time_is_measured_where_it_has_an_answer() {
        let of = |seconds: &str| {
            let text = format!(
                r#"{{"relative_l2": 1e-5, "estimated_error": 2e-5, "seconds": {seconds}, "steps": 17,
                "parameters": 30, "points": 64, "completed": false}}"#
            );
            Measures::out_of_time(serde_json::from_str(&text).expect("a result"))
        };
        let training = of("600");
        assert_eq!((training.relative_l2, training.estimated_error), (Some(1e-5), Some(2e-5)));
        let evolution = of(r#"{"steps": 598}"#);
        assert_eq!((evolution.relative_l2, evolution.seconds), (None, 598.0));
        assert!(training.out_of_time && evolution.out_of_time);
    }
}
