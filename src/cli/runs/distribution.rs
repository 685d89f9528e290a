//! Which of many runs are done here: all of them, a share, or none where Slurm takes them.

use std::num::NonZeroUsize;
use std::path::Path;

use clap::Args;

use super::outcome::Outcome;
use super::{Run, execute, jobs, slurm, threads};
use crate::cli::failure::Failure;
use crate::cli::interrupt;
use crate::cli::output::print;
use crate::cli::progress::{Progress, Verbosity};

/// How the runs are spread over machines and cores.
#[derive(Args)]
pub struct Distribution {
    /// Runs at a time [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Where to compute: cpu, gpu or auto.
    #[arg(long, value_name = "BACKEND", default_value = "cpu",
          value_parser = ["auto", "cpu", "gpu"])]
    pub backend: String,

    /// Only the I-th of N shares of the runs, for a scheduler that starts all N.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,

    /// Hand the runs to Slurm as an array of so many tasks: writes NAME.sbatch and submits it.
    #[arg(long, value_name = "TASKS", conflicts_with_all = ["shard", "collect", "jobs"])]
    slurm: Option<NonZeroUsize>,

    /// An option of the array, such as --time=1:00:00; may be given several times.
    #[arg(long, value_name = "OPTION", requires = "slurm", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,

    /// Run nothing, gather what there is.
    #[arg(long, conflicts_with = "shard")]
    collect: bool,

    /// Run nothing, print the runs of this share, or what Slurm would get.
    #[arg(long)]
    dry_run: bool,
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
    /// Positions of its runs, in order: every N-th one of them from the longest to the shortest.
    /// Those that take about as long as each other go to different shares.
    fn of(self, runs: &[Run]) -> Vec<usize> {
        let mut positions: Vec<usize> = (0..runs.len()).collect();
        positions.sort_by(|&a, &b| runs[b].cost.total_cmp(&runs[a].cost));
        let mut ours: Vec<usize> =
            positions.into_iter().skip(self.number - 1).step_by(self.of).collect();
        ours.sort_unstable();
        ours
    }
}

/// A command that carries out many runs.
pub struct Work<'a> {
    pub runs: &'a [Run],
    /// The folder of all that it leaves; each run has one of its own in `runs` there.
    pub out: &'a Path,
    /// Its name and arguments, but for its folder and for how the runs are spread: what Slurm's
    /// tasks are told.
    pub words: Vec<String>,
    pub quiet: bool,
}

impl Distribution {
    /// Carries out what there is to do here, and says whether the results are to be gathered then.
    /// What a folder holds already is not repeated.
    pub fn carry_out(
        &self,
        work: &Work<'_>,
        heading: impl FnOnce(&[usize], usize) -> String,
    ) -> Result<bool, Failure> {
        if let Some(tasks) = self.slurm {
            slurm::submit(self, work, tasks, self.dry_run)?;
            return Ok(false);
        }
        let ours = self.shard.unwrap_or(Shard { number: 1, of: 1 }).of(work.runs);
        if self.dry_run {
            print(&ours.iter().map(|&k| work.runs[k].key.clone() + "\n").collect::<String>())?;
            return Ok(false);
        }
        if !self.collect {
            self.execute(work, ours, heading)?;
        }
        Ok(true)
    }

    fn execute(
        &self,
        work: &Work<'_>,
        ours: Vec<usize>,
        heading: impl FnOnce(&[usize], usize) -> String,
    ) -> Result<(), Failure> {
        interrupt::listen()?;
        let (runs, folder) = (work.runs, work.out.join("runs"));
        let level = if work.quiet { Verbosity::Quiet } else { Verbosity::Normal };
        let mut progress = Progress::new(level);
        let open = |k: &usize| Outcome::of(&folder, &runs[*k]).is_none();
        let due: Vec<usize> = ours.into_iter().filter(open).collect();
        // A failure that was no result is tried again.
        due.iter().for_each(|&k| Outcome::forget_failure(&folder, &runs[k]));
        let jobs = jobs(self.jobs, due.len());
        progress.say(Verbosity::Normal, &heading(&due, jobs));
        let options = vec!["--backend".into(), self.backend.clone()];
        let settings = execute::Settings { folder: &folder, jobs, threads: threads(jobs), options };
        execute::all(runs, due, &settings, &mut progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(costs: &[f64]) -> Vec<Run> {
        let run = |&cost: &f64| Run {
            key: String::new(),
            problem: String::new(),
            variant: None,
            overrides: Vec::new(),
            source: String::new(),
            cost,
            time_limit: None,
        };
        costs.iter().map(run).collect()
    }

    #[test]
    fn shares_are_disjoint_leave_nothing_out_and_take_equally_long() {
        let runs = runs(&[1.0, 8.0, 1.0, 8.0, 2.0, 1.0, 8.0, 2.0, 8.0]);
        for of in 1..12 {
            let shares = (1..=of).map(|number| Shard { number, of }.of(&runs));
            let mut all: Vec<usize> = shares.flatten().collect();
            all.sort_unstable();
            assert_eq!(all, (0..runs.len()).collect::<Vec<_>>(), "{of} shares");
        }
        let cost = |number| -> f64 {
            Shard { number, of: 2 }.of(&runs).iter().map(|&k| runs[k].cost).sum()
        };
        assert_eq!((cost(1), cost(2)), (20.0, 19.0));
    }

    #[test]
    fn shares_are_written_as_i_of_n() {
        assert_eq!(shard("2/8"), Ok(Shard { number: 2, of: 8 }));
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
