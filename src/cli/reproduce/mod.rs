//! `sketchpde reproduce`: the tables and figures of a paper, run again.

mod figure;
mod measure;
mod report;
mod study;

use std::path::{Path, PathBuf};

use clap::Args;

use self::report::Report;
use self::study::{Part, Study};
use super::failure::Failure;
use super::output::{print, print_json, table};
use super::progress::duration;
use super::runs::Run;
use super::runs::distribution::{Distribution, Work};

/// Run the tables and figures of a paper again, and compare with what it reports.
///
/// Without a paper, lists the papers and their parts. Runs that a folder holds already are not
/// repeated: a study that was interrupted goes on where it was, and tables and figures hold what is
/// done so far.
#[derive(Args)]
pub struct Arguments {
    /// The paper: rsng, sngd, anagram; pinnacle, a benchmark; or beyond, what they leave open.
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

    #[command(flatten)]
    distribution: Distribution,

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
    let (words, quiet) = (words(arguments, paper), arguments.quiet);
    let work = Work { runs: &runs, out: &out, words, quiet };
    let heading = |due: &[usize], jobs: usize| {
        let cost = due.iter().map(|&k| runs[k].cost).sum::<f64>() / jobs as f64;
        let left =
            format!("{} of {} runs are left, about {}", due.len(), runs.len(), duration(cost));
        format!("{} ({}): {left}", study.title, study.source)
    };
    if !arguments.distribution.carry_out(&work, heading)? {
        return Ok(());
    }
    let folder = out.join("runs");
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

/// The study as one would type it.
fn words(arguments: &Arguments, paper: &str) -> Vec<String> {
    let mut words = vec!["reproduce".to_owned(), paper.to_owned()];
    words.extend(arguments.parts.iter().cloned());
    words.extend(arguments.quick.then(|| "--quick".to_owned()));
    words.extend(arguments.seeds.iter().flat_map(|seeds| ["--seeds".into(), seeds.to_string()]));
    words
}

/// Every run once, though several parts may show it.
fn all_runs(parts: &[&Part], arguments: &Arguments) -> Result<Vec<Run>, Failure> {
    let mut runs: Vec<Run> = Vec::new();
    let all = parts.iter().flat_map(|part| part.series.iter().map(move |series| (part, series)));
    for (part, series) in all {
        for run in part.runs(series, arguments.quick, arguments.seeds)? {
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
