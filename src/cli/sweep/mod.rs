//! `sketchpde sweep`: one problem over values of its settings and over seeds, on the cores of one
//! machine or in shares on many.

mod axis;
mod report;

use std::path::{Path, PathBuf};

use clap::Args;

use self::axis::{Axis, absolute, points};
use self::report::Report;
use super::failure::Failure;
use super::options::ProblemArguments;
use super::output::{print, print_json};
use super::runs::Run;
use super::runs::distribution::{Distribution, Work};

/// Solve a problem over values of its settings and over seeds.
///
/// Each run is a process with a folder of its own. What a folder holds already is not repeated, what
/// was interrupted goes on, and a run that fails does not stop the rest. The results are gathered in
/// sweep.csv and sweep.json.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    problem: ProblemArguments,

    /// Values of a setting: KEY=A,B,C or KEY=FROM:TO:lin|log:COUNT. A key without a dot is a
    /// parameter of the formulas. Several are combined.
    #[arg(long, value_name = "KEY=VALUES", value_parser = Axis::parse)]
    over: Vec<Axis>,

    /// So many seeds of each, from the problem's own on.
    #[arg(long, value_name = "K", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,

    #[command(flatten)]
    distribution: Distribution,

    /// Folder for the sweep [default: out/sweep/NAME].
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
    let points = points(arguments)?;
    let name = Path::new(&arguments.problem.problem).file_stem().unwrap_or_default();
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("out/sweep").join(name));
    let runs: Vec<Run> = points.iter().map(|point| point.run.clone()).collect();
    let (words, quiet) = (words(arguments), arguments.quiet);
    let work = Work { runs: &runs, out: &out, words, quiet };
    let heading = |due: &[usize], _| format!("{} of {} runs are to be done", due.len(), runs.len());
    if !arguments.distribution.carry_out(&work, heading)? {
        return Ok(());
    }
    let report = Report::of(arguments, &points, &out.join("runs"));
    report.write(&out)?;
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&format!("{}\nTables are in {}\n", report.text(), out.display()))?;
    }
    match report.first_failure() {
        Some((run, message)) => Err(Failure::RunFailed { run, message }),
        None => Ok(()),
    }
}

/// The sweep as one would type it, with absolute paths.
fn words(arguments: &Arguments) -> Vec<String> {
    let problem = &arguments.problem;
    let mut words = vec!["sweep".to_owned(), absolute(&problem.problem)];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    for (key, value) in &problem.set {
        option("--set", format!("{key}={value}"));
    }
    problem.variant.iter().for_each(|name| option("--variant", name.clone()));
    problem.method.iter().for_each(|name| option("--method", name.clone()));
    problem.seed.iter().for_each(|seed| option("--seed", seed.to_string()));
    arguments.over.iter().for_each(|axis| option("--over", axis.text.clone()));
    option("--seeds", arguments.seeds.to_string());
    words
}
