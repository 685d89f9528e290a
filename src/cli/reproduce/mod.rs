//! `sketchpde reproduce`: the tables and figures of a paper, run again.

mod figure;
mod measure;
mod report;
mod study;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use self::report::Report;
use self::study::{Part, Study};
use super::failure::Failure;
use super::interrupt;
use super::output::{print, print_json, table};
use super::progress::{Progress, Verbosity, duration};
use super::runs::outcome::Outcome;
use super::runs::{self, Run, execute};

/// Run the tables and figures of a paper again, and compare with what it reports.
///
/// Without a paper, lists the papers and their parts. Runs that a folder holds already are not
/// repeated: a study that was interrupted goes on where it was.
#[derive(Args)]
pub struct Arguments {
    /// The paper: rsng, sngd, anagram; or beyond, what they leave open.
    #[arg(value_name = "PAPER")]
    paper: Option<String>,

    /// Its tables and figures; all of them if none is named.
    #[arg(value_name = "PART")]
    parts: Vec<String>,

    /// Short runs of everything, to see that it works: their numbers compare with nothing.
    #[arg(long)]
    quick: bool,

    /// So many seeds each, in place of the study's own number.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,

    /// Runs at a time [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Where to compute: cpu, gpu or auto.
    #[arg(long, value_name = "BACKEND", default_value = "cpu",
          value_parser = ["auto", "cpu", "gpu"])]
    backend: String,

    /// Folder for the study [default: out/reproduce/PAPER, with -quick].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print the results as one JSON object.
    #[arg(long)]
    json: bool,

    /// Say nothing but results and errors.
    #[arg(short, long)]
    quiet: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(paper) = &arguments.paper else { return print(&list()) };
    let study = Study::find(paper)?;
    let parts = study.select(&arguments.parts)?;
    let out = arguments.out.clone().unwrap_or_else(|| {
        let suffix = if arguments.quick { "-quick" } else { "" };
        Path::new("out/reproduce").join(format!("{paper}{suffix}"))
    });
    let runs = all_runs(&parts, arguments)?;
    interrupt::listen()?;
    let level = if arguments.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let mut progress = Progress::new(level);
    let folder = out.join("runs");
    let jobs = runs::jobs(arguments.jobs, runs.len());
    let settings = execute::Settings {
        folder: &folder,
        jobs,
        threads: runs::threads(jobs),
        options: vec!["--backend".into(), arguments.backend.clone()],
    };
    let open: Vec<usize> =
        (0..runs.len()).filter(|&k| Outcome::of(&folder, &runs[k]).is_none()).collect();
    // A failure that was no result is tried again.
    open.iter().for_each(|&k| Outcome::forget_failure(&folder, &runs[k]));
    let cost = open.iter().map(|&k| runs[k].cost).sum::<f64>() / settings.jobs as f64;
    let left = format!("{} of {} runs are left, about {}", open.len(), runs.len(), duration(cost));
    progress.say(Verbosity::Normal, &format!("{} ({}): {left}", study.title, study.source));
    execute::all(&runs, open, &settings, &mut progress)?;
    let mut reports = Vec::new();
    for part in parts {
        let report = Report::of(&study, part, &folder, arguments.quick, arguments.seeds)?;
        report.write(&out)?;
        figure::draw(&report, part, &folder, &out)?;
        reports.push(report);
    }
    if arguments.json {
        print_json(&reports)?;
    } else {
        let texts: Vec<String> = reports.iter().map(Report::text).collect();
        print(&texts.join("\n"))?;
        print(&format!("\nTables and figures are in {}\n", out.display()))?;
    }
    match reports.iter().find_map(Report::first_failure) {
        Some((run, message)) => Err(Failure::RunFailed { run, message }),
        None => Ok(()),
    }
}

/// Every run once, though several parts may show it.
fn all_runs(parts: &[&Part], arguments: &Arguments) -> Result<Vec<Run>, Failure> {
    let mut runs: Vec<Run> = Vec::new();
    for series in parts.iter().flat_map(|part| &part.series) {
        for run in series.runs(arguments.quick, arguments.seeds)? {
            if !runs.iter().any(|known| known.key == run.key) {
                runs.push(run);
            }
        }
    }
    Ok(runs)
}

/// The papers and their parts.
fn list() -> String {
    let mut rows = vec![["PAPER", "PART", "WHAT IT SHOWS"].map(str::to_owned).to_vec()];
    for (word, study) in Study::all() {
        for part in &study.parts {
            rows.push(vec![word.to_owned(), part.name.clone(), part.title.clone()]);
        }
    }
    table(&rows)
}
