//! `sketchpde solve`: a run from the initial fit to the end time, and the files that it leaves.

pub mod command_line;
mod drive;
pub mod finish;
pub mod folder;
pub mod lock;
mod seeds;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use self::drive::{Ending, Keeper, Run};
use self::folder::Wish;
use self::store::Store;
use super::failure::Failure;
use super::options::ProblemArguments;
use super::progress::{Progress, Verbosity};
use super::{interrupt, program};
use crate::field::device::Backend;
use crate::field::residual::ResidualSystem;
use crate::optimize::Convergence;
use crate::outcome::{Outcome, Summary};
use crate::output::{Cache, checkpoint};
use crate::problem::{Choice, ProblemFile, Scheme};
use crate::session::{Session, SessionHandle, Solver, columns, resolved, total_points};

/// Solve a problem and write its results into a folder.
///
/// Fits the network to the initial state, steps to the end time, compares with the reference, and
/// writes fields, histories, parameters and plots.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub problem: ProblemArguments,

    /// Where to compute; auto takes a hardware GPU if there is one, else the CPU.
    #[arg(long, value_name = "BACKEND", default_value = "auto",
          value_parser = ["auto", "cpu", "gpu"])]
    backend: String,

    /// The GPU adapter whose name contains this (see `sketchpde devices`).
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,

    /// Precision tier: short for --set run.precision=...
    #[arg(long, value_name = "PRECISION", value_parser = ["f32", "mixed", "f64"])]
    precision: Option<String>,

    /// Train with so many seeds, counted from the problem's, and report median, least and largest
    /// error (problems that are trained over the whole domain).
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,

    /// Folder for the results [default: out/NAME-VARIANT-seedN, numbered where that is taken].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Go on with a run that was interrupted, to the same bits as if it had not been.
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,

    /// Replace the run that the folder holds.
    #[arg(long)]
    pub force: bool,

    /// Write a checkpoint every so many seconds; 0: only when interrupted.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0,
          value_parser = not_negative, allow_negative_numbers = true)]
    pub checkpoint_every: f64,

    /// End after this time with the answer so far and its estimated error, by exit code 6: 90s, 5m, 1h
    /// (--resume goes on).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time_limit: Option<Duration>,

    /// End with exit code 4 unless the relative L2 error over space and time is at most this.
    #[arg(long, value_name = "ERROR", value_parser = positive, allow_negative_numbers = true)]
    pub max_error: Option<f64>,

    /// Neither take the initial fit and the reference from the cache nor put them there
    /// (SKETCHPDE_CACHE names its folder).
    #[arg(long)]
    no_cache: bool,

    /// Draw no plots (`sketchpde plot` draws them later).
    #[arg(long)]
    pub no_plots: bool,

    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,

    /// Say nothing but errors.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Say more: devices, caches, files.
    #[arg(short, long)]
    verbose: bool,
}

impl Arguments {
    pub fn wish(&self) -> Wish<'_> {
        Wish {
            out: self.out.as_deref(),
            variant: self.problem.variant.as_deref(),
            resume: self.resume,
            force: self.force,
        }
    }

    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        }
    }

    pub fn backend(&self) -> Backend {
        match (self.backend.as_str(), &self.adapter) {
            // Who names an adapter means the GPU.
            ("auto", None) => Backend::Auto,
            ("cpu", _) => Backend::Cpu,
            (_, name) => Backend::Gpu(name.clone()),
        }
    }
}

fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err("a positive number, for example 1e-4"),
    }
}

/// A time with its unit, seconds without one.
fn time(text: &str) -> Result<Duration, &'static str> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = unit.unwrap_or((text, &1.0));
    match number.trim().parse::<f64>().map(|number| number * factor) {
        Ok(seconds) if seconds > 0.0 && seconds <= 3.2e7 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a time, for example 60s, 5m or 1h"),
    }
}

/// Seconds, up to a year.
fn not_negative(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=3.2e7).contains(&value) => Ok(value),
        _ => Err("a number of seconds, for example 30"),
    }
}

impl Arguments {
    /// Overrides of the options that have a name of their own.
    pub fn overrides(&self) -> Vec<(&'static str, String)> {
        self.precision.iter().map(|p| ("run.precision", p.clone())).collect()
    }

    /// Where fits and references are kept between runs.
    fn cache(&self) -> Option<Cache> {
        if self.no_cache { None } else { Cache::of_user() }
    }

    /// Seconds between two checkpoints, where there are any.
    pub fn interval(&self) -> Option<Duration> {
        let every = self.checkpoint_every;
        (every > 0.0).then(|| Duration::from_secs_f64(every))
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let problem = arguments.problem.load_file(&arguments.overrides())?;
    let problem = resolved(problem, &arguments.backend());
    interrupt::listen()?;
    let mut progress = Progress::new(arguments.verbosity());
    match (arguments.seeds, &problem) {
        (Some(_), ProblemFile::Evolution(problem)) => {
            Err(Failure::SeedsOfEvolution { problem: problem.name.clone() })
        }
        (Some(count), ProblemFile::Residual(problem)) => {
            seeds::run(arguments, problem, count, &mut progress)
        }
        (None, _) => {
            let wish = arguments.wish();
            // What stands in the way is said before the device is looked for.
            folder::choose((&problem).into(), &wish)?;
            let (summary, path) = one(arguments, &problem, &wish, &mut progress)?;
            finish::show(&summary, &path, arguments.json)?;
            if let Summary::Training(result) = &summary
                && result.convergence == Some(Convergence::Diverged)
            {
                return Err(Failure::TrainingDiverged { loss: result.loss });
            }
            judge(arguments, summary.error())
        }
    }
}

/// Holds an error against `--max-error`.
fn judge(arguments: &Arguments, error: Option<f64>) -> Result<(), Failure> {
    match (arguments.max_error, error) {
        (Some(bound), Some(error)) if error <= bound => Ok(()),
        (Some(bound), error) => Err(Failure::ErrorAbove { error, bound }),
        (None, _) => Ok(()),
    }
}

/// One run into one folder: its summary, new or as it was found finished.
fn one(
    arguments: &Arguments,
    problem: &ProblemFile,
    wish: &Wish<'_>,
    progress: &mut Progress,
) -> Result<(Summary, PathBuf), Failure> {
    let solver = pollster::block_on(Solver::open(problem.clone(), &arguments.backend()))?;
    if let Some(reason) = solver.reason() {
        let text = format!("The GPU cannot take this problem, the CPU does: {reason}");
        progress.say(Verbosity::Normal, &text);
    }
    let (folder, _lock) = folder::open(problem.into(), wish)?;
    let path = folder.path().to_owned();
    if wish.resume
        && let Some(summary) = folder::finished(&folder, problem)
    {
        progress.say(Verbosity::Normal, "The run is finished already; this is its result");
        return Ok((summary, path));
    }
    let mut store = Store::new(folder, problem, &solver.describe(), arguments.cache());
    progress.say(Verbosity::Normal, &headline(&solver));
    progress.say(Verbosity::Verbose, &format!("Results go to {}", path.display()));
    let start = store.start(wish.resume, arguments.problem.checkpoint()?, progress)?;
    let session = store.session(solver, start, progress)?;
    if let Some(warning) = session.status().warning {
        progress.say(Verbosity::Normal, &format!("warning: {warning}"));
    }
    let handle = SessionHandle::spawn(session)?;
    let run = Run::begin(handle, store.reference(), progress)?;
    match run.finish((arguments.interval(), arguments.time_limit), &mut store)? {
        (Ending::OutOfTime(session), reference_error) => {
            let resume = command_line::to_resume(program::words(), &path);
            let resume = session.save().and_then(|s| store.checkpoint(&s).ok()).map(|()| resume);
            let outcome = Outcome::of(&session, reference_error)?;
            write(arguments, &session, &outcome, &mut store, progress)?;
            finish::show(outcome.summary(), &path, arguments.json)?;
            Err(Failure::OutOfTime { resume })
        }
        (Ending::Interrupted { resumable }, _) => Err(interrupted(&store, resumable, &path)),
        (Ending::Ended(session), reference_error) => {
            let outcome = Outcome::of(&session, reference_error)?;
            conclude(arguments, *session, &outcome, &mut store, progress)?;
            Ok((outcome.summary().clone(), path))
        }
    }
}

/// Writes the files.
fn write(
    arguments: &Arguments,
    session: &Session,
    outcome: &Outcome,
    store: &mut Store,
    progress: &Progress,
) -> Result<(), Failure> {
    if let Err(source) = outcome.write(&store.folder) {
        // The run need not be repeated once there is room for its results.
        let kept = session.save().is_some_and(|state| store.checkpoint(&state).is_ok());
        return Err(Failure::NotWritten { source, kept });
    }
    if !arguments.no_plots
        && let Err(error) = outcome.draw(&store.folder)
    {
        // Results are there without their pictures.
        let text = format!("warning: no pictures (`sketchpde plot` draws them anew): {error}");
        progress.say(Verbosity::Normal, &text);
    }
    Ok(())
}

/// Writes the files and says how it went.
fn conclude(
    arguments: &Arguments,
    session: Session,
    outcome: &Outcome,
    store: &mut Store,
    progress: &Progress,
) -> Result<(), Failure> {
    write(arguments, &session, outcome, store, progress)?;
    if let Some(failure) = session.into_failure() {
        let path = store.folder.path().display();
        progress.say(Verbosity::Normal, &format!("What was computed before is in {path}"));
        return Err(Failure::Session(failure));
    }
    checkpoint::remove(store.folder.path());
    Ok(())
}

/// What is said when the run was interrupted.
fn interrupted(store: &Store, resumable: bool, path: &Path) -> Failure {
    if !resumable && !checkpoint::any(path) {
        // Nothing is there that could be gone on with: leave no trace.
        folder::discard(&store.folder);
        return Failure::Interrupted { resume: None };
    }
    Failure::Interrupted { resume: Some(command_line::to_resume(program::words(), path)) }
}

/// The equations of a system side by side.
pub fn one_line(unknowns: usize, equations: &str) -> String {
    let between = if unknowns > 1 { "; " } else { "\n" };
    equations.replace('\n', between)
}

/// What is solved, in one line.
fn headline(solver: &Solver) -> String {
    let (device, parameters) = (solver.describe(), solver.parameters());
    let (problem, sizes, seed) = match solver {
        Solver::Evolution(problem, _) => {
            let what = format!(
                "{}: {}",
                problem.name,
                one_line(problem.unknowns.len(), &problem.equation)
            );
            let columns = columns(problem, parameters);
            let begin = if problem.method.adaptive_columns { " to begin with" } else { "" };
            let points = total_points(problem);
            let sizes = match problem.method.scheme {
                Scheme::RandomFeatures => format!("at most {columns} random features"),
                _ => format!("{points} points, {columns} columns{begin}"),
            };
            (what, sizes, String::new())
        }
        Solver::Training(problem, system) => {
            let equations = one_line(problem.unknowns.len(), problem.equation());
            let what = format!("{}: {equations}", problem.name);
            let (rows, method) = (system.rows(), problem.method.name.word());
            (what, format!("{rows} rows, {method}"), format!(", seed {}", problem.seed))
        }
    };
    format!(
        "{problem}; {parameters} parameters, {sizes}; {} ({}), {}{seed}",
        device.backend, device.device, device.precision
    )
}
