//! `sketchpde solve` for problems that are trained over the whole domain.

mod drive;
mod finish;
mod result;
mod seeds;
mod store;

use std::path::PathBuf;

use self::drive::Ending;
use self::result::TrainingResult;
use self::store::Store;
use super::failure::Failure;
use super::interrupt;
use super::program;
use super::progress::{Progress, Verbosity};
use super::solve::folder::{self, Wish};
use super::solve::{self, Arguments, command_line};
use crate::output::checkpoint;
use crate::problem::{Choice, ResidualProblem};
use crate::reference::companion_values;
use crate::session::{TrainingSession, TrainingSystem, wall_clock};

pub fn run(arguments: &Arguments, problem: &ResidualProblem) -> Result<(), Failure> {
    interrupt::listen()?;
    let mut progress = Progress::new(arguments.verbosity());
    if let Some(count) = arguments.seeds {
        return seeds::run(arguments, problem, count, &mut progress);
    }
    let wish = arguments.wish();
    folder::choose(problem.into(), &wish)?;
    let (result, path) = one(arguments, problem, &wish, &mut progress)?;
    finish::show(&result, &path, arguments.json)?;
    match (arguments.max_error, result.relative_l2) {
        (Some(bound), Some(error)) if error <= bound => Ok(()),
        (Some(bound), error) => Err(Failure::ErrorAbove { error, bound }),
        (None, _) => Ok(()),
    }
}

/// One training into one folder: its result, new or as it was found finished.
fn one(
    arguments: &Arguments,
    problem: &ResidualProblem,
    wish: &Wish<'_>,
    progress: &mut Progress,
) -> Result<(TrainingResult, PathBuf), Failure> {
    let system = pollster::block_on(TrainingSystem::choose(problem, &arguments.backend()))?;
    if let Some(reason) = system.reason() {
        let text = format!("The GPU cannot take this problem, the CPU does: {reason}");
        progress.say(Verbosity::Normal, &text);
    }
    let (folder, _lock) = folder::open(problem.into(), wish)?;
    let path = folder.path().to_owned();
    if wish.resume
        && let Some(result) = folder::finished::<TrainingResult>(&folder)
    {
        progress.say(Verbosity::Normal, "The run is finished already; this is its result");
        return Ok((result, path));
    }
    let store = Store::new(folder, problem, &system.describe());
    let mut session = match wish.resume {
        true => store.resume(system, problem, progress)?,
        false => pollster::block_on(TrainingSession::on(system, problem, wall_clock))?,
    };
    session = compared(session, problem, progress);
    progress.say(Verbosity::Normal, &headline(&mut session));
    if let Some(warning) = session.warning() {
        progress.say(Verbosity::Normal, &format!("warning: {warning}"));
    }
    progress.say(Verbosity::Verbose, &format!("Results go to {}", path.display()));
    match drive::train(&mut session, &store, arguments.interval(), progress)? {
        Ending::Interrupted => {
            let arguments = program::words();
            Err(Failure::Interrupted { resume: Some(command_line::to_resume(arguments, &path)) })
        }
        Ending::Ended => Ok((conclude(arguments, &mut session, &store, progress)?, path)),
    }
}

/// With the reference that the problem gives in place of an exact solution.
fn compared(
    session: TrainingSession,
    problem: &ResidualProblem,
    progress: &Progress,
) -> TrainingSession {
    let points = problem.evaluation_points();
    match companion_values(problem, &points, &|_| std::ops::ControlFlow::Continue(())) {
        Ok(None) => session,
        Ok(Some(values)) => session.compared_with(values),
        Err(error) => {
            progress.say(Verbosity::Normal, &format!("There is no error to measure: {error}"));
            session
        }
    }
}

/// Writes the files of a training that is over.
fn conclude(
    arguments: &Arguments,
    session: &mut TrainingSession,
    store: &Store,
    progress: &Progress,
) -> Result<TrainingResult, Failure> {
    let result = TrainingResult::of(session);
    let written = finish::write(&store.folder, session, &result);
    if let Err(source) = written {
        // The run need not be repeated once there is room for its results.
        let kept = store.checkpoint(session).is_ok();
        return Err(Failure::NotWritten { source, kept });
    }
    if !arguments.no_plots {
        solve::pictures(finish::draw(&store.folder, session), progress);
    }
    checkpoint::remove(store.folder.path());
    Ok(result)
}

/// What is solved, in one line.
fn headline(session: &mut TrainingSession) -> String {
    let rows = session.rows();
    let device = session.describe();
    let problem = session.problem();
    let equation = match problem.unknowns.len() {
        1 => problem.equation().to_owned(),
        _ => problem.equation().replace('\n', "; "),
    };
    format!(
        "{}: {equation}; {} parameters, {rows} rows, {}; {} ({}), {}, seed {}",
        problem.name,
        session.parameters().len(),
        problem.method.name.word(),
        device.backend,
        device.device,
        device.precision,
        problem.seed,
    )
}
