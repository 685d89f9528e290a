//! Several seeds of one training: the spread of their results.

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::output::{print, print_json, table};
use crate::cli::progress::{Progress, Verbosity, duration};
use crate::cli::solve::Arguments;
use crate::cli::solve::folder::{self, Wish};
use crate::cli::spread::Spread;
use crate::outcome::{Summary as Outcome, TrainingResult};
use crate::problem::ResidualProblem;

#[derive(Serialize)]
struct Summary {
    problem: String,
    method: String,
    seeds: Vec<u64>,
    /// Over the seeds whose error is known.
    relative_l2: Option<Spread>,
    seconds: Option<Spread>,
    runs: Vec<TrainingResult>,
}

/// Trains with the seeds from the problem's on, each into a folder of its own.
pub fn run(
    arguments: &Arguments,
    problem: &ResidualProblem,
    count: u64,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut runs = Vec::new();
    let first = problem.seed;
    for seed in (first..).take(count as usize) {
        let mut overrides = arguments.overrides();
        overrides.push(("run.seed", seed.to_string()));
        let problem = arguments.problem.load_file(&overrides)?;
        let own = arguments.out.as_ref().map(|out| out.join(format!("seed{seed}")));
        let mut wish = Wish { out: own.as_deref(), ..arguments.wish() };
        // With --resume what was interrupted goes on, and what was never begun begins.
        if wish.resume
            && matches!(
                folder::choose((&problem).into(), &wish),
                Err(Failure::NothingToResume { .. })
            )
        {
            wish.resume = false;
        }
        let (summary, _) = super::one(arguments, &problem, &wish, progress)?;
        let Outcome::Training(result) = summary else { break };
        let error = result.relative_l2.map_or_else(|| "unknown".into(), |e| format!("{e:.2e}"));
        let took = duration(result.seconds);
        progress.say(Verbosity::Normal, &format!("seed {seed}: error {error} in {took}"));
        runs.push(*result);
    }
    let summary = Summary::of(problem, runs);
    if arguments.json {
        print_json(&summary)?;
    } else {
        print(&summary.text())?;
    }
    super::judge(arguments, summary.relative_l2.map(|spread| spread.max))
}

impl Summary {
    fn of(problem: &ResidualProblem, runs: Vec<TrainingResult>) -> Self {
        let errors = runs.iter().filter_map(|run| run.relative_l2).collect();
        Self {
            problem: problem.name.clone(),
            method: runs.first().map(|run| run.method.clone()).unwrap_or_default(),
            seeds: runs.iter().map(|run| run.seed).collect(),
            relative_l2: Spread::of(errors),
            seconds: Spread::of(runs.iter().map(|run| run.seconds).collect()),
            runs,
        }
    }

    fn text(&self) -> String {
        let mut rows =
            vec![["SEED", "RELATIVE L2", "LOSS", "ITERATIONS", "TIME"].map(str::to_owned).to_vec()];
        let error = |e: Option<f64>| e.map_or_else(|| "unknown".into(), |e| format!("{e:.2e}"));
        for run in &self.runs {
            rows.push(vec![
                run.seed.to_string(),
                error(run.relative_l2),
                format!("{:.2e}", run.loss),
                run.iterations.to_string(),
                duration(run.seconds),
            ]);
        }
        let mut text = format!("{}, {}\n", self.problem, self.method) + &table(&rows);
        if let (Some(errors), Some(seconds)) = (self.relative_l2, self.seconds) {
            let Spread { median, min, max } = errors;
            text += &format!(
                "relative L2: median {median:.2e}, least {min:.2e}, largest {max:.2e}; time: median {}\n",
                duration(seconds.median)
            );
        }
        text
    }
}
