//! What a sweep has found so far: a row a run, and a line for each combination of values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Arguments;
use super::axis::Point;
use crate::cli::failure::Failure;
use crate::cli::output::table;
use crate::cli::progress::duration;
use crate::cli::runs::outcome::Outcome;
use crate::cli::spread::Spread;
use crate::output::atomic;

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    problem: String,
    /// Names of what is varied.
    over: Vec<String>,
    runs: Vec<Row>,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
struct Row {
    settings: BTreeMap<String, String>,
    seed: u64,
    state: State,
    relative_l2: Option<f64>,
    seconds: Option<f64>,
    steps: Option<usize>,
    /// Why it diverged or failed.
    message: Option<String>,
    folder: PathBuf,
    #[serde(skip)]
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Done,
    /// The solution was lost: another try would lose it again.
    Diverged,
    Failed,
    /// Not done yet.
    Open,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

impl Report {
    /// From the folders of the runs.
    pub fn of(arguments: &Arguments, points: &[Point], folder: &Path) -> Self {
        let over: Vec<String> = arguments.over.iter().map(|axis| axis.name().to_owned()).collect();
        let rows = points.iter().map(|point| Row::of(&over, point, folder));
        Self { problem: arguments.problem.problem.clone(), runs: rows.collect(), over }
    }

    /// `sweep.csv` and `sweep.json`.
    pub fn write(&self, out: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).expect("plain data") + "\n";
        for (name, text) in [("sweep.json", text), ("sweep.csv", self.csv())] {
            atomic::write(&out.join(name), text.as_bytes()).map_err(Failure::Files)?;
        }
        Ok(())
    }

    fn csv(&self) -> String {
        let fixed = ["seed", "state", "relative_l2", "seconds", "steps", "folder"];
        let mut lines =
            vec![self.over.iter().map(String::as_str).chain(fixed).collect::<Vec<_>>().join(",")];
        let number = |value: Option<f64>| value.map(|v| format!("{v:?}")).unwrap_or_default();
        for row in &self.runs {
            let mut cells: Vec<String> = row.values.iter().map(|value| quoted(value)).collect();
            cells.extend([
                row.seed.to_string(),
                row.state.word().to_owned(),
                number(row.relative_l2),
                number(row.seconds),
                row.steps.map(|steps| steps.to_string()).unwrap_or_default(),
                quoted(&row.folder.display().to_string()),
            ]);
            lines.push(cells.join(","));
        }
        lines.join("\n") + "\n"
    }

    /// A line for each combination of values: how many runs are done, their errors and times.
    pub fn text(&self) -> String {
        let fixed = ["RUNS", "RELATIVE L2", "LEAST", "LARGEST", "TIME"];
        let heads = self.over.iter().map(|name| name.to_uppercase());
        let mut rows = vec![heads.chain(fixed.map(str::to_owned)).collect::<Vec<_>>()];
        for group in self.runs.chunk_by(|a, b| a.values == b.values) {
            let done: Vec<&Row> = group.iter().filter(|row| row.state == State::Done).collect();
            let errors = Spread::of(done.iter().filter_map(|row| row.relative_l2).collect());
            let times = Spread::of(done.iter().filter_map(|row| row.seconds).collect());
            let error = |get: fn(&Spread) -> f64| {
                errors
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |spread| format!("{:.2e}", get(spread)))
            };
            let mut count = format!("{}/{}", done.len(), group.len());
            for state in [State::Diverged, State::Failed] {
                let many = group.iter().filter(|row| row.state == state).count();
                if many > 0 {
                    count += &format!(", {many} {}", state.word());
                }
            }
            let mut row = group[0].values.clone();
            row.extend([
                count,
                error(|spread| spread.median),
                error(|spread| spread.min),
                error(|spread| spread.max),
                times.map_or_else(|| "-".to_owned(), |spread| duration(spread.median)),
            ]);
            rows.push(row);
        }
        table(&rows)
    }

    /// The first run that failed, and why.
    pub fn first_failure(&self) -> Option<(String, String)> {
        let row = self.runs.iter().find(|row| row.state == State::Failed)?;
        let run = row.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Some((run, row.message.clone().unwrap_or_default()))
    }
}

impl Row {
    fn of(over: &[String], point: &Point, folder: &Path) -> Self {
        let mut row = Self {
            settings: over.iter().cloned().zip(point.values.iter().cloned()).collect(),
            seed: point.seed,
            state: State::Open,
            relative_l2: None,
            seconds: None,
            steps: None,
            message: None,
            folder: folder.join(&point.run.key),
            values: point.values.clone(),
        };
        match Outcome::of(folder, &point.run) {
            Some(Outcome::Done(found)) => {
                row.state = State::Done;
                row.relative_l2 = found.relative_l2;
                row.seconds = Some(found.seconds);
                row.steps = Some(found.steps);
            }
            Some(Outcome::Diverged(why)) => {
                row.state = State::Diverged;
                row.message = Some(why);
            }
            None => {
                row.message = Outcome::failure(folder, &point.run);
                if row.message.is_some() {
                    row.state = State::Failed;
                }
            }
        }
        row
    }
}

/// A cell of CSV.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
