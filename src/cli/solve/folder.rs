//! The folder of a run: chosen so that no other run is ever written over.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sketchpde::output::ResultFolder;
use sketchpde::problem::{Problem, ResidualProblem};

use super::result::RunResult;
use crate::cli::failure::Failure;

/// Everything that a run writes into its folder. A folder with one of these holds a run, or
/// something of the user's that a run would write over.
const WRITTEN: [&str; 9] = [
    "problem.toml",
    "result.json",
    "fields.npz",
    "history.npz",
    "history.csv",
    "parameters.safetensors",
    "trajectory.npz",
    CHECKPOINT,
    "plots",
];

/// Where a run under way keeps its state.
pub const CHECKPOINT: &str = "checkpoint.bin";

/// What a run is of: names its folder and fills its problem file.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub name: &'a str,
    pub seed: u64,
    pub source: &'a str,
}

impl<'a> From<&'a Problem> for Subject<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self { name: &problem.name, seed: problem.seed, source: &problem.source }
    }
}

impl<'a> From<&'a ResidualProblem> for Subject<'a> {
    fn from(problem: &'a ResidualProblem) -> Self {
        Self { name: &problem.name, seed: problem.seed, source: &problem.source }
    }
}

/// How the folder was asked for.
pub struct Wish<'a> {
    pub out: Option<&'a Path>,
    pub variant: Option<&'a str>,
    pub resume: bool,
    pub force: bool,
}

/// The folder for the run of `problem`.
///
/// - With `--out` that folder. It must not hold a run, unless `--resume` or `--force` says what is
///   to become of it.
/// - Without, `out/NAME-VARIANT-seedN`, and where there is such a run already the first of `-2`,
///   `-3`, ... that is free. With `--resume` the latest of them that was interrupted.
pub fn choose(problem: Subject<'_>, wish: &Wish) -> Result<PathBuf, Failure> {
    match (wish.out, wish.resume) {
        (Some(out), true) => {
            if out.join(CHECKPOINT).exists() || out.join("result.json").exists() {
                Ok(out.to_owned())
            } else {
                Err(Failure::NothingToResume { path: out.to_owned() })
            }
        }
        (Some(out), false) => match occupied(out) {
            Some(file) if !wish.force => {
                Err(Failure::FolderTaken { path: out.to_owned(), file: file.to_owned() })
            }
            _ => Ok(out.to_owned()),
        },
        (None, resume) => {
            let name = name(problem, wish.variant);
            let mut numbered = (1..).map(|number| {
                let suffix = if number == 1 { String::new() } else { format!("-{number}") };
                Path::new("out").join(format!("{name}{suffix}"))
            });
            if !resume {
                let free = |path: &PathBuf| wish.force || occupied(path).is_none();
                return Ok(numbered.find(free).expect("one of endlessly many is free"));
            }
            let taken: Vec<PathBuf> =
                numbered.take_while(|path| occupied(path).is_some()).collect();
            let ours = |path: &&PathBuf| {
                path.join(CHECKPOINT).exists()
                    && std::fs::read_to_string(path.join("problem.toml"))
                        .is_ok_and(|text| text == problem.source)
            };
            let first = Path::new("out").join(name);
            taken.iter().rev().find(ours).cloned().ok_or(Failure::NothingToResume { path: first })
        }
    }
}

/// Opens the chosen folder and puts the problem file into it, before any work is done: a folder
/// that cannot be written to is found out at once. To go on with a run the problem must be its own.
pub fn open(
    path: &Path,
    problem: Subject<'_>,
    resume: bool,
    force: bool,
) -> Result<ResultFolder, Failure> {
    let folder = ResultFolder::create(path)?;
    if resume {
        let before = folder.read_problem()?;
        return match first_difference(&before, problem.source) {
            None => Ok(folder),
            Some((before, now)) => {
                Err(Failure::OtherProblem { path: path.to_owned(), before, now })
            }
        };
    }
    if force {
        clear(path)?;
    }
    folder.write_problem(problem.source)?;
    Ok(folder)
}

/// The result of a run that reached its end and has no checkpoint left.
pub fn finished<R: Finished + DeserializeOwned>(folder: &ResultFolder) -> Option<R> {
    if folder.file(CHECKPOINT).exists() {
        return None;
    }
    let result = serde_json::from_value::<R>(folder.read_result().ok()?).ok()?;
    result.completed().then_some(result)
}

/// A result that knows whether its run reached its end.
pub trait Finished {
    fn completed(&self) -> bool;
}

impl Finished for RunResult {
    fn completed(&self) -> bool {
        self.completed
    }
}

/// Takes away a folder in which nothing was kept but the problem file.
pub fn discard(folder: &ResultFolder) {
    // What cannot be taken away stays; an empty folder disturbs nobody.
    if std::fs::remove_file(folder.file("problem.toml")).is_ok() {
        let _ = std::fs::remove_dir(folder.path());
    }
}

/// The first lines in which two texts differ.
fn first_difference(before: &str, now: &str) -> Option<(String, String)> {
    let (mut a, mut b) = (before.lines(), now.lines());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (x, y) if x == y => {}
            (x, y) => {
                let shown = |line: Option<&str>| line.unwrap_or("(nothing)").trim().to_owned();
                return Some((shown(x), shown(y)));
            }
        }
    }
}

/// Clears away what an earlier run left, for `--force`.
pub fn clear(path: &Path) -> Result<(), Failure> {
    for name in WRITTEN {
        let file = path.join(name);
        match file.symlink_metadata() {
            Ok(data) if !data.is_dir() => {
                std::fs::remove_file(&file)
                    .map_err(|source| Failure::Clear { path: file, source })?;
            }
            // Plots are replaced one by one: the folder may hold others.
            _ => {}
        }
    }
    Ok(())
}

/// The first thing in the folder that a run would write over.
fn occupied(path: &Path) -> Option<&'static str> {
    WRITTEN.into_iter().find(|name| path.join(name).symlink_metadata().is_ok())
}

fn name(problem: Subject<'_>, variant: Option<&str>) -> String {
    let variant = variant.map(|v| format!("-{v}")).unwrap_or_default();
    // The name comes from a file and becomes a folder: nothing in it may lead elsewhere.
    format!("{}{variant}-seed{}", problem.name, problem.seed)
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect()
}
