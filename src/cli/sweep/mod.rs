//! `sketchpde sweep`: one problem over values of its settings and over seeds, on the cores of one
//! machine or in shares on many.

mod axis;
mod report;
mod slurm;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use self::axis::{Axis, Point, points};
use self::report::Report;
use super::failure::Failure;
use super::interrupt;
use super::options::ProblemArguments;
use super::output::{print, print_json};
use super::progress::{Progress, Verbosity};
use super::runs::outcome::Outcome;
use super::runs::{self, Run, execute};

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

    /// Runs at a time [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Where to compute: cpu, gpu or auto.
    #[arg(long, value_name = "BACKEND", default_value = "cpu",
          value_parser = ["auto", "cpu", "gpu"])]
    backend: String,

    /// Only the I-th of N shares of the runs, for a scheduler that starts all N.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,

    /// Hand the runs to Slurm as an array of so many tasks; writes sweep.sbatch and submits it.
    #[arg(long, value_name = "TASKS", conflicts_with_all = ["shard", "collect", "jobs"])]
    slurm: Option<NonZeroUsize>,

    /// An option of the array, such as --time=1:00:00; may be given several times.
    #[arg(long, value_name = "OPTION", requires = "slurm", allow_hyphen_values = true)]
    sbatch: Vec<String>,

    /// Run nothing, gather what there is.
    #[arg(long, conflicts_with = "shard")]
    collect: bool,

    /// Run nothing, print the runs of this share, or what Slurm would get.
    #[arg(long)]
    dry_run: bool,

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

/// One of several shares of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    /// From 1.
    number: usize,
    of: usize,
}

fn shard(text: &str) -> Result<Shard, &'static str> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
        _ => Err("write it as I/N with I from 1 to N, for example 2/8"),
    }
}

impl Shard {
    /// Every N-th run: neighbours, which take about as long as each other, go to different shares.
    fn has(self, position: usize) -> bool {
        position % self.of == self.number - 1
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let points = points(arguments)?;
    let name = Path::new(&arguments.problem.problem).file_stem().unwrap_or_default();
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("out/sweep").join(name));
    if let Some(tasks) = arguments.slurm {
        return slurm::submit(arguments, tasks, &out);
    }
    let share = arguments.shard.unwrap_or(Shard { number: 1, of: 1 });
    let ours = |k: &usize| share.has(*k);
    if arguments.dry_run {
        let lines = (0..points.len()).filter(ours).map(|k| points[k].run.key.clone() + "\n");
        return print(&lines.collect::<String>());
    }
    let folder = out.join("runs");
    if !arguments.collect {
        let open = |k: &usize| Outcome::of(&folder, &points[*k].run).is_none();
        let due: Vec<usize> = (0..points.len()).filter(ours).filter(open).collect();
        carry_out(arguments, &points, due, &folder)?;
    }
    let report = Report::of(arguments, &points, &folder);
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

fn carry_out(
    arguments: &Arguments,
    points: &[Point],
    due: Vec<usize>,
    folder: &Path,
) -> Result<(), Failure> {
    interrupt::listen()?;
    let level = if arguments.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let mut progress = Progress::new(level);
    let runs: Vec<Run> = points.iter().map(|point| point.run.clone()).collect();
    // A failure that was no result is tried again.
    due.iter().for_each(|&k| Outcome::forget_failure(folder, &runs[k]));
    progress
        .say(Verbosity::Normal, &format!("{} of {} runs are to be done", due.len(), runs.len()));
    let jobs = runs::jobs(arguments.jobs, due.len());
    let settings = execute::Settings {
        folder,
        jobs,
        threads: runs::threads(jobs),
        options: vec!["--backend".into(), arguments.backend.clone()],
    };
    execute::all(&runs, due, &settings, &mut progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_disjoint_and_leave_nothing_out() {
        for of in 1..6 {
            for position in 0..20 {
                let takers = (1..=of).filter(|&number| Shard { number, of }.has(position));
                assert_eq!(takers.count(), 1, "run {position} of {of} shares");
            }
        }
        assert_eq!(shard("2/8"), Ok(Shard { number: 2, of: 8 }));
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
