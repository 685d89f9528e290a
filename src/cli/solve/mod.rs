//! `sketchpde solve`: a run from the initial fit to the end time, and the files that it leaves.

pub mod command_line;
mod drive;
pub mod finish;
pub mod folder;
pub mod lock;
mod result;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use self::drive::{Ending, Keeper, Run};
use self::folder::Wish;
use self::result::RunResult;
use self::store::Store;
use super::failure::Failure;
use super::interrupt;
use super::options::ProblemArguments;
use super::program;
use super::progress::{Progress, Verbosity};
use crate::evolve::Engine;
use crate::field::device::{Backend, Description};
use crate::network::Network;
use crate::output::{Cache, OutputError, ResultFolder, checkpoint};
use crate::problem::{Problem, ProblemFile};
use crate::session::{Options, Session, SessionHandle, total_points, wall_clock};

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
    match arguments.problem.load_file(&arguments.overrides())? {
        ProblemFile::Evolution(problem) if arguments.seeds.is_some() => {
            Err(Failure::SeedsOfEvolution { problem: problem.name })
        }
        ProblemFile::Evolution(problem) => evolve(arguments, problem),
        ProblemFile::Residual(problem) => super::train::run(arguments, &problem),
    }
}

fn evolve(arguments: &Arguments, problem: Problem) -> Result<(), Failure> {
    // What stands in the way is said before the device is looked for.
    folder::choose((&problem).into(), &arguments.wish())?;
    interrupt::listen()?;
    let mut progress = Progress::new(arguments.verbosity());
    let engine = pollster::block_on(Engine::new(&problem, &arguments.backend()))?;
    let (folder, _lock) = folder::open((&problem).into(), &arguments.wish())?;
    let path = folder.path().to_owned();
    if arguments.resume
        && let Some(result) = folder::finished(&folder)
    {
        progress.say(Verbosity::Normal, "The run is finished already; this is its result");
        return judge(arguments, &result, &folder);
    }
    let mut store = Store::new(folder, &problem, &engine.describe(), arguments.cache());
    progress.say(Verbosity::Normal, &headline(&problem, &engine.describe()));
    progress.say(Verbosity::Verbose, &format!("Results go to {}", path.display()));
    let start = store.start(&problem, arguments.resume, &progress)?;
    let options = Options { start, frames: store::FRAMES, clock: wall_clock };
    let handle = SessionHandle::spawn(problem.clone(), engine, options)?;
    let run = Run::begin(handle, problem, arguments.cache(), &mut progress)?;
    match run.finish(arguments.interval(), &mut store)? {
        (Ending::Interrupted { resumable }, _) => Err(interrupted(&store, resumable, &path)),
        (Ending::Ended(session), reference_error) => {
            let result = RunResult::of(&session, reference_error);
            conclude(arguments, *session, &result, &mut store, &progress)
        }
    }
}

/// Writes the files and says how it went.
fn conclude(
    arguments: &Arguments,
    session: Session,
    result: &RunResult,
    store: &mut Store,
    progress: &Progress,
) -> Result<(), Failure> {
    let written = finish::write(&store.folder, &session, result);
    if let Err(source) = written {
        // The run need not be repeated once there is room for its results.
        let kept = session.save().is_some_and(|state| store.checkpoint(&state).is_ok());
        return Err(Failure::NotWritten { source, kept });
    }
    if !arguments.no_plots {
        pictures(finish::draw(&store.folder, &session), progress);
    }
    if let Some(failure) = session.into_failure() {
        let path = store.folder.path().display();
        progress.say(Verbosity::Normal, &format!("What was computed before is in {path}"));
        return Err(Failure::Session(failure));
    }
    checkpoint::remove(store.folder.path());
    judge(arguments, result, &store.folder)
}

/// Results are there without their pictures, and `plot` draws them later.
pub fn pictures(drawn: Result<(), OutputError>, progress: &Progress) {
    if let Err(error) = drawn {
        let text = format!("warning: no pictures (`sketchpde plot` draws them anew): {error}");
        progress.say(Verbosity::Normal, &text);
    }
}

/// Prints the result and holds it against `--max-error`.
fn judge(arguments: &Arguments, result: &RunResult, folder: &ResultFolder) -> Result<(), Failure> {
    finish::show(result, folder, arguments.json)?;
    match (arguments.max_error, result.relative_l2) {
        (Some(bound), Some(error)) if error <= bound => Ok(()),
        (Some(bound), error) => Err(Failure::ErrorAbove { error, bound }),
        (None, _) => Ok(()),
    }
}

/// What is said when the run was interrupted.
fn interrupted(store: &Store, resumable: bool, path: &Path) -> Failure {
    if !resumable {
        // Nothing is there that could be gone on with: leave no trace.
        folder::discard(&store.folder);
        return Failure::Interrupted { resume: None };
    }
    Failure::Interrupted { resume: Some(command_line::to_resume(program::words(), path)) }
}

/// The equations of a system side by side.
pub fn one_line(problem: &Problem) -> String {
    let between = if problem.unknowns.len() > 1 { "; " } else { "\n" };
    problem.equation.replace('\n', between)
}

/// What is solved, in one line.
fn headline(problem: &Problem, device: &Description) -> String {
    let parameters = Network::of(problem).parameters();
    format!(
        "{}: {}; {parameters} parameters, {} points, {}; {} ({}), {}",
        problem.name,
        one_line(problem),
        total_points(problem),
        result::columns_text(problem, parameters),
        device.backend,
        device.device,
        device.precision
    )
}
