//! A part's results beside what the paper reports: text, Markdown, CSV, JSON.

use std::path::Path;

use serde::Serialize;

use super::measure::measure;
use super::study::{Goal, Part, Published, Quantity, Series, Study};
use crate::cli::failure::Failure;
use crate::cli::output::table;
use crate::cli::progress::duration;
use crate::cli::runs::Run;
use crate::cli::runs::outcome::Outcome;
use crate::cli::spread::Spread;
use crate::output::{ResultFolder, atomic, cell};

/// A ratio this near to one is no difference.
const SAME: f64 = 1.05;

/// The results of a table or figure.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub part: String,
    pub title: String,
    pub source: String,
    /// On what the published times were measured.
    pub machine: String,
    /// Whether these are short runs that compare with nothing.
    pub quick: bool,
    pub rows: Vec<Row>,
    /// Whether the series come in the published order, where there is one.
    pub order: Option<String>,
    pub note: Option<String>,
}

/// One line: the seeds of one setting.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub label: String,
    /// The label of its series.
    #[serde(skip)]
    pub series: String,
    /// The measures of a figure's axes, medians over the seeds.
    pub x: Option<f64>,
    pub y: Option<f64>,
    pub parameters: Option<usize>,
    pub points: Option<usize>,
    pub columns: Option<usize>,
    pub relative_l2: Option<Spread>,
    /// What the runs say of their errors themselves.
    pub estimated_error: Option<Spread>,
    /// Of the steps or iterations.
    pub seconds: Option<Spread>,
    pub runs: usize,
    pub diverged: usize,
    /// Of the runs, those that have an error over all of their domain.
    #[serde(skip)]
    pub with_error: usize,
    /// Of the runs, those whose time was over before their end.
    pub out_of_time: usize,
    /// Of the runs, those that are not done yet: other shares of the study have them.
    pub open: usize,
    pub published: Option<Published>,
    pub goal: Option<Goal>,
    /// Published error over ours.
    pub factor: Option<f64>,
    pub verdict: String,
    /// Folders of the runs, and what failed in them otherwise than by diverging.
    #[serde(skip)]
    pub keys: Vec<String>,
    pub failures: Vec<(String, String)>,
}

impl Report {
    pub fn of(
        study: &Study,
        part: &Part,
        runs: &Path,
        quick: bool,
        seeds: Option<u64>,
    ) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        for series in &part.series {
            let all = part.runs(series, quick, seeds)?;
            let chunk = if quick { 1 } else { seeds.unwrap_or(series.seeds).max(1) as usize };
            if all.is_empty() && series.problem.is_none() {
                rows.push(Row::of(series, part, &[], runs, quick));
            }
            for seeds in all.chunks(chunk) {
                rows.push(Row::of(series, part, seeds, runs, quick));
            }
        }
        let order = order(part, &rows).filter(|_| !quick);
        Ok(Self {
            part: part.name.clone(),
            title: part.title.clone(),
            source: format!("{} ({})", study.title, study.source),
            machine: study.machine.clone(),
            quick,
            rows,
            order,
            note: part.note.clone(),
        })
    }

    /// The first run that failed otherwise than by diverging.
    pub fn first_failure(&self) -> Option<(String, String)> {
        self.rows.iter().flat_map(|row| row.failures.first()).next().cloned()
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let head = [
            "RUN",
            "RELATIVE L2",
            "RANGE",
            "ESTIMATE",
            "PUBLISHED",
            "BOUND",
            "AIM",
            "TIME",
            "PUBLISHED",
            "POINTS",
            "PARAMETERS",
            "VERDICT",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.rows.iter().map(Row::cells));
        // Columns in which nobody has anything are left out.
        let empty = |cell: &String| cell.is_empty() || cell == "-";
        let kept: Vec<bool> =
            (0..head.len()).map(|k| !rows[1..].iter().all(|row| empty(&row[k]))).collect();
        let keep = |row: Vec<String>| {
            row.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell).collect()
        };
        rows.into_iter().map(keep).collect()
    }

    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.part, self.title);
        text += &table(&self.cells());
        for line in self.remarks() {
            text += &format!("{line}\n");
        }
        text
    }

    /// What stands below the table.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        remarks.extend(self.order.clone());
        remarks.extend(self.note.as_ref().map(|note| note.trim().to_owned()));
        if self.quick {
            remarks.push("Short runs, to see that it works: they compare with nothing.".into());
        } else if self.rows.iter().any(|row| row.published.is_some_and(|p| p.seconds.is_some())) {
            remarks.push(format!("Published times: {}.", self.machine));
        }
        remarks
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n", self.title, self.source);
        for (k, row) in self.cells().iter().enumerate() {
            text += &format!("| {} |\n", row.join(" | "));
            if k == 0 {
                text += &format!("|{}\n", " --- |".repeat(row.len()));
            }
        }
        for line in self.remarks() {
            text += &format!("\n{line}\n");
        }
        text
    }

    fn csv(&self) -> String {
        let mut text = String::from(
            "label,x,y,parameters,points,columns,runs,diverged,out_of_time,median_relative_l2,\
             min_relative_l2,max_relative_l2,median_estimated_error,median_seconds,\
             published_relative_l2,published_seconds,bound,aim\n",
        );
        for row in &self.rows {
            let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:e}"));
            let count = |n: Option<usize>| n.map_or_else(String::new, |n| n.to_string());
            let errors = row.relative_l2;
            let cells = [
                format!("\"{}\"", row.label.replace('"', "\"\"")),
                number(row.x),
                number(row.y),
                count(row.parameters),
                count(row.points),
                count(row.columns),
                row.runs.to_string(),
                row.diverged.to_string(),
                row.out_of_time.to_string(),
                number(errors.map(|e| e.median)),
                number(errors.map(|e| e.min)),
                number(errors.map(|e| e.max)),
                number(row.estimated_error.map(|e| e.median)),
                number(row.seconds.map(|s| s.median)),
                number(row.published.map(|p| p.relative_l2)),
                number(row.published.and_then(|p| p.seconds)),
                number(row.goal.map(|goal| goal.bound)),
                number(row.goal.map(|goal| goal.aim)),
            ];
            text += &cells.join(",");
            text.push('\n');
        }
        text
    }

    /// Writes `PART.json`, `PART.csv` and `PART.md`.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(self).expect("plain data") + "\n";
        let files = [("json", json), ("csv", self.csv()), ("md", self.markdown())];
        for (ending, text) in files {
            let path = folder.join(format!("{}.{ending}", self.part));
            atomic::write(&path, text.as_bytes()).map_err(Failure::Files)?;
        }
        Ok(())
    }
}

impl Row {
    fn of(series: &Series, part: &Part, seeds: &[Run], runs: &Path, quick: bool) -> Self {
        let (mut measures, mut diverged, mut failures) = (Vec::new(), 0, Vec::new());
        for run in seeds {
            match Outcome::of(runs, run) {
                Some(Outcome::Done(found)) => {
                    measures.push((ResultFolder::open(runs.join(&run.key)), found));
                }
                Some(Outcome::Diverged(_)) => diverged += 1,
                None => failures
                    .extend(Outcome::failure(runs, run).map(|message| (run.key.clone(), message))),
            }
        }
        let open = seeds.len() - measures.len() - diverged - failures.len();
        let median = |quantity: Option<Quantity>| {
            let values = measures.iter().filter_map(|(folder, m)| measure(m, quantity?, folder));
            Spread::of(values.collect()).map(|spread| spread.median)
        };
        let errors: Vec<f64> = measures.iter().filter_map(|(_, m)| m.relative_l2).collect();
        let one = measures.first().map(|(_, m)| m);
        let mut row = Self {
            label: label(series, seeds.first()),
            series: series.label.clone(),
            x: median(part.x),
            y: median(part.y),
            parameters: one.map(|m| m.parameters),
            points: one.map(|m| m.points),
            columns: one.and_then(|m| m.columns),
            relative_l2: Spread::of(errors.clone()),
            estimated_error: Spread::of(
                measures.iter().filter_map(|(_, m)| m.estimated_error).collect(),
            ),
            seconds: Spread::of(measures.iter().map(|(_, m)| m.seconds).collect()),
            runs: seeds.len(),
            diverged,
            with_error: errors.len(),
            out_of_time: measures.iter().filter(|(_, m)| m.out_of_time).count(),
            open,
            published: series.published,
            goal: series.goal,
            factor: None,
            verdict: String::new(),
            keys: seeds.iter().map(|run| run.key.clone()).collect(),
            failures,
        };
        row.judge(quick);
        row
    }

    fn judge(&mut self, quick: bool) {
        if !self.failures.is_empty() {
            self.verdict = "failed".into();
        } else if self.open > 0 {
            self.verdict = format!("open, {} of {}", self.open, self.runs);
        } else if self.runs > 0 && 2 * self.diverged > self.runs {
            self.verdict = format!("diverged, {} of {}", self.diverged, self.runs);
        } else if let (Some(goal), false) = (self.goal, quick) {
            self.judge_by(goal);
        } else if let (Some(published), Some(ours), false) =
            (self.published, self.relative_l2, quick)
        {
            let factor = published.relative_l2 / ours.median;
            self.factor = Some(factor);
            self.verdict = match factor {
                f if f > SAME => format!("{} times more accurate", times(f)),
                f if f < 1.0 / SAME => format!("{} times less accurate", times(1.0 / f)),
                _ => "reached".into(),
            };
        }
    }

    /// By the median of all runs: one without an error is worse than any other.
    fn judge_by(&mut self, goal: Goal) {
        let Some(ours) = self.relative_l2.filter(|_| !self.is_mostly_without_error()) else {
            self.verdict = format!("missed: out of time, {} of {}", self.out_of_time, self.runs);
            return;
        };
        let published = self.published.map(|published| published.relative_l2);
        self.factor = published.map(|published| published / ours.median);
        self.verdict = if ours.median <= goal.aim {
            "aim".into()
        } else if ours.median <= goal.bound {
            "bound".into()
        } else {
            let missed = format!("missed by a factor of {}", times(ours.median / goal.bound));
            let better = published.is_some_and(|published| ours.median < published);
            if better { format!("{missed}, better than published") } else { missed }
        };
        if self.out_of_time > 0 {
            self.verdict += &format!("; out of time, {} of {}", self.out_of_time, self.runs);
        }
    }

    fn is_mostly_without_error(&self) -> bool {
        2 * self.with_error <= self.runs
    }

    fn cells(&self) -> Vec<String> {
        let count = |n: Option<usize>| {
            n.filter(|_| self.goal.is_some()).map_or_else(|| "-".into(), |n| n.to_string())
        };
        let error = |e: Option<f64>| e.map_or_else(|| "-".into(), |e| format!("{e:.2e}"));
        let range = match self.relative_l2 {
            Some(Spread { min, max, .. }) if min < max => format!("{min:.1e} to {max:.1e}"),
            _ => "-".into(),
        };
        let time = |s: Option<f64>| s.map_or_else(|| "-".into(), duration);
        vec![
            self.label.clone(),
            error(self.relative_l2.map(|e| e.median)),
            range,
            error(self.estimated_error.filter(|_| self.goal.is_some()).map(|e| e.median)),
            error(self.published.map(|p| p.relative_l2)),
            error(self.goal.map(|goal| goal.bound)),
            error(self.goal.map(|goal| goal.aim)),
            time(self.seconds.map(|s| s.median)),
            time(self.published.and_then(|p| p.seconds)),
            count(self.points),
            count(self.parameters),
            self.verdict.clone(),
        ]
    }
}

/// Two digits, none of them after the point from ten on.
fn times(factor: f64) -> String {
    if factor < 10.0 { format!("{factor:.1}") } else { format!("{factor:.0}") }
}

/// The series' name, with the value of what varies.
fn label(series: &Series, run: Option<&Run>) -> String {
    let varied = series.vary.as_ref().and_then(|vary| {
        let set = run?.overrides.iter().rev().find(|(key, _)| *key == vary.key)?;
        let name = vary.key.rsplit('.').next().unwrap_or(&vary.key);
        Some(format!("{}, {name} {}", series.label, shown(&set.1)))
    });
    varied.unwrap_or_else(|| series.label.clone())
}

/// A value as people write it: small numbers by their power of ten.
fn shown(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), cell)
}

/// Whether the series' mean y (geometric, over their rows) come in the published order.
fn order(part: &Part, rows: &[Row]) -> Option<String> {
    if part.order.is_empty() {
        return None;
    }
    let mean = |label: &String| {
        let values: Vec<f64> = rows
            .iter()
            .filter(|row| row.series == *label)
            .filter_map(|row| row.y.or(row.relative_l2.map(|e| e.median)))
            .map(f64::ln)
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let means: Option<Vec<f64>> = part.order.iter().map(mean).collect();
    let Some(means) = means else {
        return Some("The order of the methods is not known: not every run has a result.".into());
    };
    let mut ours: Vec<usize> = (0..means.len()).collect();
    ours.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
    if ours.is_sorted() {
        return Some(format!("The order is as published: {}.", part.order.join(" < ")));
    }
    let names: Vec<&str> = ours.iter().map(|&k| part.order[k].as_str()).collect();
    Some(format!(
        "The order differs: {}; published: {}.",
        names.join(" < "),
        part.order.join(" < ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_shown_by_their_power_of_ten() {
        for (value, expected) in
            [("0.00000003", "3e-8"), ("0.05", "0.05"), ("150", "150"), ("[64, 96]", "[64, 96]")]
        {
            assert_eq!(shown(value), expected);
        }
    }

    fn row(series: &str, y: f64) -> Row {
        let spread = Spread { median: y, min: 0.5 * y, max: 2.0 * y };
        Row {
            label: format!("{series}, columns 50"),
            series: series.into(),
            x: None,
            y: Some(y),
            parameters: None,
            points: None,
            columns: None,
            relative_l2: Some(spread),
            estimated_error: None,
            seconds: None,
            runs: 3,
            diverged: 0,
            with_error: 3,
            out_of_time: 0,
            open: 0,
            published: Some(Published { relative_l2: 2e-5, seconds: None }),
            goal: None,
            factor: None,
            verdict: String::new(),
            keys: Vec::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn verdicts_follow_from_the_numbers() {
        let verdict = |y, quick| {
            let mut row = row("a", y);
            row.judge(quick);
            row.verdict
        };
        assert_eq!(verdict(1e-5, false), "2.0 times more accurate");
        assert_eq!(verdict(4e-5, false), "2.0 times less accurate");
        assert_eq!(verdict(2.01e-5, false), "reached");
        assert_eq!(verdict(1e-7, false), "200 times more accurate");
        assert_eq!(verdict(1e-7, true), "");
        let mut partial = row("a", 1e-5);
        partial.open = 1;
        partial.judge(false);
        assert_eq!((&*partial.verdict, partial.factor), ("open, 1 of 3", None));
        let mut lost = row("a", 1e-5);
        lost.diverged = 2;
        lost.judge(false);
        assert_eq!(lost.verdict, "diverged, 2 of 3");
    }

    #[test]
    fn goals_are_judged_by_the_median_of_all_runs() {
        let verdict = |y: f64, with_error, out_of_time| {
            let mut row = row("a", y);
            row.goal = Some(Goal { bound: 1e-6, aim: 1e-9 });
            (row.with_error, row.out_of_time) = (with_error, out_of_time);
            row.judge(false);
            row.verdict
        };
        assert_eq!(verdict(1e-9, 3, 0), "aim");
        assert_eq!(verdict(1.1e-9, 3, 0), "bound");
        assert_eq!(verdict(4e-6, 3, 0), "missed by a factor of 4.0, better than published");
        assert_eq!(verdict(3e-5, 3, 0), "missed by a factor of 30");
        assert_eq!(verdict(1e-9, 3, 1), "aim; out of time, 1 of 3");
        assert_eq!(verdict(1e-9, 1, 2), "missed: out of time, 2 of 3");
    }

    #[test]
    fn the_order_of_the_series_is_compared() {
        let part: Part = toml::from_str(
            r#"
            name = "figure"
            title = "A figure"
            kind = "sweep"
            x = "columns"
            y = "relative-l2"
            order = ["sparse", "dense"]
            series = []"#,
        )
        .expect("a part");
        let rows = |sparse, dense| [row("sparse", sparse), row("dense", dense)];
        let said = order(&part, &rows(1e-6, 1e-5)).expect("an order");
        assert!(said.contains("as published"), "{said}");
        let said = order(&part, &rows(1e-4, 1e-5)).expect("an order");
        assert!(said.contains("differs: dense < sparse"), "{said}");
        let said = order(&part, &rows(1e-4, 1e-5)[..1]).expect("an order");
        assert!(said.contains("not known"), "{said}");
    }
}
