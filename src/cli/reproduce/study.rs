//! Studies: the tables and figures of a paper as data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cli::failure::Failure;
use crate::cli::runs::Run;
use crate::problem::{Overrides, Preset};

/// The built-in studies, by the word that names their paper.
const STUDIES: [(&str, &str); 5] = [
    ("rsng", sketchpde_assets::text("studies/rsng.toml")),
    ("sngd", sketchpde_assets::text("studies/sngd.toml")),
    ("anagram", sketchpde_assets::text("studies/anagram.toml")),
    ("pinnacle", sketchpde_assets::text("studies/pinnacle.toml")),
    ("beyond", sketchpde_assets::text("studies/beyond.toml")),
];

/// A paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    pub title: String,
    pub source: String,
    /// On what the published times were measured.
    pub machine: String,
    #[serde(rename = "part")]
    pub parts: Vec<Part>,
}

/// A table or a figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    pub title: String,
    pub kind: Kind,
    /// What a sweep or a history shows, and against what.
    pub x: Option<Quantity>,
    pub y: Option<Quantity>,
    /// Labels of series from the least to the largest y, as published.
    #[serde(default)]
    pub order: Vec<String>,
    /// Seconds that each run may take: it ends with what it has then.
    pub time_limit: Option<f64>,
    /// What a reader should know about the part.
    pub note: Option<String>,
    pub series: Vec<Series>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A row a series: errors and times beside the published ones.
    Table,
    /// A point a run.
    Sweep,
    /// A curve a series, along one run.
    History,
    /// Singular values of J along the index, at the start of one run.
    Spectrum,
    /// The solution of one run, its reference and their difference.
    Fields,
}

/// What a run is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// s.
    Columns,
    /// p.
    Parameters,
    /// n.
    Points,
    /// Of all steps or iterations.
    Seconds,
    SecondsPerStep,
    /// Over space and time.
    RelativeL2,
    /// Of a history: time, or the number of the iteration.
    Time,
    /// At one time, or after one iteration.
    Error,
    /// Of a step's least-squares problems.
    Residual,
    /// Mean of the residuals over the first twentieth of the time.
    EarlyResidual,
    /// Mean of all residuals.
    MeanResidual,
}

impl Quantity {
    /// The label of an axis.
    pub fn label(self) -> &'static str {
        match self {
            Self::Columns => "columns s",
            Self::Parameters => "parameters p",
            Self::Points => "points n",
            Self::Seconds => "run time, s",
            Self::SecondsPerStep => "time of a step, s",
            Self::RelativeL2 => "relative L^{2} error",
            Self::Time => "t",
            Self::Error => "relative L^{2} error",
            Self::Residual => "relative residual",
            Self::EarlyResidual => "relative residual, early",
            Self::MeanResidual => "relative residual, mean",
        }
    }
}

/// Runs that belong together: seeds, and values of one setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub label: String,
    /// A built-in problem; none for what is only quoted.
    pub problem: Option<String>,
    pub variant: Option<String>,
    /// Changes of settings, by dotted key.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    pub vary: Option<Vary>,
    #[serde(default = "one")]
    pub seeds: u64,
    pub published: Option<Published>,
    /// What this project asks of itself.
    pub goal: Option<Goal>,
    /// Seconds that one run takes on one core: for the time left.
    #[serde(default = "ten")]
    pub cost: f64,
    #[serde(default)]
    pub quick: Quick,
}

/// One setting with several values: a run each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    pub key: String,
    pub values: Vec<toml::Value>,
}

/// What the paper reports.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    pub relative_l2: f64,
    pub seconds: Option<f64>,
}

/// Relative L2 errors: what has to be reached, and what is hoped for.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    pub bound: f64,
    pub aim: f64,
}

/// What `--quick` changes: less of everything, to see that it runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quick {
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// In place of the varied values; empty: the first and the last of them.
    #[serde(default)]
    pub values: Vec<toml::Value>,
    pub cost: Option<f64>,
    /// Left out altogether.
    #[serde(default)]
    pub skip: bool,
}

fn one() -> u64 {
    1
}

fn ten() -> f64 {
    10.0
}

impl Study {
    /// Every study with the word that names it.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        STUDIES.into_iter().map(|(word, text)| (word, Self::parse(text)))
    }

    fn parse(text: &str) -> Self {
        // Built in, and read by a test.
        toml::from_str(text).expect("a study is a valid file")
    }

    pub fn find(word: &str) -> Result<Self, Failure> {
        let known: Vec<_> = STUDIES.iter().map(|(word, _)| *word).collect();
        let text = STUDIES.iter().find(|(known, _)| *known == word).map(|(_, text)| *text);
        text.map(Self::parse).ok_or_else(|| Failure::UnknownStudy {
            given: word.to_owned(),
            known: known.join(", "),
        })
    }

    /// The parts of these names; all of them for `all` or no name.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Part>, Failure> {
        if names.is_empty() || names.iter().any(|name| name == "all") {
            return Ok(self.parts.iter().collect());
        }
        let find = |name: &String| {
            self.parts.iter().find(|part| part.name == *name).ok_or_else(|| Failure::UnknownPart {
                given: name.clone(),
                known: self.names().join(", "),
            })
        };
        names.iter().map(find).collect()
    }

    pub fn names(&self) -> Vec<&str> {
        self.parts.iter().map(|part| part.name.as_str()).collect()
    }
}

impl Part {
    /// The runs of one of its series: the varied values in their order, the seeds of each together.
    pub fn runs(
        &self,
        series: &Series,
        quick: bool,
        seeds: Option<u64>,
    ) -> Result<Vec<Run>, Failure> {
        let mut runs = series.runs(quick, seeds)?;
        runs.iter_mut().for_each(|run| run.time_limit = self.time_limit);
        Ok(runs)
    }
}

impl Series {
    fn runs(&self, quick: bool, seeds: Option<u64>) -> Result<Vec<Run>, Failure> {
        let Some(problem) = &self.problem else { return Ok(Vec::new()) };
        if quick && self.quick.skip {
            return Ok(Vec::new());
        }
        let mut set = self.set.clone();
        if quick {
            set.extend(self.quick.set.clone());
        }
        let fixed: Overrides = set.iter().map(|(key, v)| (key.clone(), v.to_string())).collect();
        let varied: Vec<Overrides> = match &self.vary {
            None => vec![Vec::new()],
            Some(vary) => self
                .values(vary, quick)
                .into_iter()
                .map(|value| vec![(vary.key.clone(), value.to_string())])
                .collect(),
        };
        let preset = Preset::find(problem).map_err(Failure::UnknownProblem)?;
        let cost = if quick { self.quick.cost.unwrap_or(self.cost) } else { self.cost };
        let seeds = if quick { 1 } else { seeds.unwrap_or(self.seeds) };
        let mut runs = Vec::new();
        for value in varied {
            for seed in 0..seeds {
                let mut overrides = fixed.clone();
                overrides.extend(value.clone());
                overrides.push(("run.seed".to_owned(), seed.to_string()));
                let text = (problem.as_str(), preset.text.as_bytes());
                let variant = self.variant.as_deref();
                runs.push(Run::new(problem, text, variant, overrides, cost)?);
            }
        }
        Ok(runs)
    }

    fn values<'a>(&'a self, vary: &'a Vary, quick: bool) -> Vec<&'a toml::Value> {
        if !quick {
            return vary.values.iter().collect();
        }
        if !self.quick.values.is_empty() {
            return self.quick.values.iter().collect();
        }
        let mut ends: Vec<_> = vary.values.first().into_iter().collect();
        ends.extend(vary.values.last().filter(|_| vary.values.len() > 1));
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every run of every study is of a valid problem, at full size and quick.
    #[test]
    fn the_built_in_studies_are_consistent() {
        for (word, study) in Study::all() {
            for part in &study.parts {
                let at = format!("{word} {}", part.name);
                assert_eq!(study.names().iter().filter(|n| **n == part.name).count(), 1, "{at}");
                let axes = part.x.is_some() && part.y.is_some();
                let needed = matches!(part.kind, Kind::Sweep | Kind::History);
                assert_eq!(axes, needed, "{at}: x and y");
                let known = |label: &String| part.series.iter().any(|s| s.label == *label);
                assert!(part.order.iter().all(known), "{at}: order");
                for series in &part.series {
                    for quick in [false, true] {
                        let runs = part.runs(series, quick, None).unwrap_or_else(|error| {
                            panic!("{at}, {}: {error}", series.label);
                        });
                        let skipped = quick && series.quick.skip;
                        assert_eq!(runs.is_empty(), series.problem.is_none() || skipped, "{at}");
                        let mut keys: Vec<_> = runs.iter().map(|run| &run.key).collect();
                        keys.sort();
                        keys.dedup();
                        assert_eq!(keys.len(), runs.len(), "{at}: runs that are the same");
                    }
                }
            }
        }
    }

    #[test]
    fn parts_are_found_by_name_and_mistakes_name_what_there_is() {
        let study = Study::find("rsng").expect("built in");
        assert_eq!(study.select(&[]).expect("all").len(), study.parts.len());
        assert_eq!(study.select(&["table1".into()]).expect("there")[0].name, "table1");
        let message = study.select(&["table9".into()]).expect_err("not there").to_string();
        assert!(message.contains("table9") && message.contains("table1"), "{message}");
        let message = Study::find("rsgn").expect_err("not there").to_string();
        assert!(message.contains("rsng"), "{message}");
    }

    #[test]
    fn quick_runs_take_the_ends_of_what_is_varied() {
        let series: Series = toml::from_str(
            r#"
            label = "a"
            problem = "allen-cahn"
            seeds = 2
            vary = { key = "method.columns", values = [50, 100, 150] }
            quick = { set = { "time.end" = 0.1 }, cost = 1 }"#,
        )
        .expect("a series");
        let full = series.runs(false, None).expect("valid");
        assert_eq!(full.len(), 6);
        assert_eq!(full[1].key, "allen-cahn+method.columns=50+seed1");
        let quick = series.runs(true, None).expect("valid");
        assert_eq!(quick.len(), 2);
        assert_eq!(quick[1].key, "allen-cahn+time.end=0.1+method.columns=150+seed0");
        assert!(quick[1].source.contains("columns = 150"), "{}", quick[1].source);
        assert_eq!(series.runs(false, Some(1)).expect("valid").len(), 3);
    }
}
