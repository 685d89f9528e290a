//! The folder of a run: chosen so that no other run is ever written over.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::lock::Lock;
use crate::cli::failure::Failure;
use crate::outcome::{PLOTS, Summary};
use crate::output::{ResultFolder, checkpoint};
use crate::problem::{Overrides, ProblemFile};

/// Everything that a run writes into its folder. A folder with one of these holds a run, or
/// something of the user's that a run would write over.
const WRITTEN: [&str; 13] = [
    "problem.toml",
    "result.json",
    "fields.npz",
    "history.npz",
    "history.csv",
    "moments.npz",
    "moments.csv",
    "parameters.safetensors",
    "trajectory.npz",
    "checkpoint.bin",
    "checkpoint.previous.bin",
    "checkpoint.incoming.bin",
    PLOTS,
];

/// What a run is of: names its folder and fills its problem file.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub name: &'a str,
    pub seed: u64,
    pub source: &'a str,
}

impl<'a> From<&'a ProblemFile> for Subject<'a> {
    fn from(problem: &'a ProblemFile) -> Self {
        let (name, seed) = match problem {
            ProblemFile::Evolution(problem) => (&problem.name, problem.seed),
            ProblemFile::Residual(problem) => (&problem.name, problem.seed),
        };
        Self { name, seed, source: problem.source() }
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
            if checkpoint::any(out) || out.join("result.json").exists() {
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
                let free = |path: &PathBuf| {
                    !Lock::is_held(path) && (wish.force || occupied(path).is_none())
                };
                return Ok(numbered.find(free).expect("one of endlessly many is free"));
            }
            let taken: Vec<PathBuf> =
                numbered.take_while(|path| occupied(path).is_some()).collect();
            let ours = |path: &&PathBuf| {
                checkpoint::any(path)
                    && std::fs::read_to_string(path.join("problem.toml"))
                        .is_ok_and(|text| text == problem.source)
            };
            let first = Path::new("out").join(name);
            taken.iter().rev().find(ours).cloned().ok_or(Failure::NothingToResume { path: first })
        }
    }
}

/// Opens the folder for the run of `problem` (see [`choose`]), holds it against other runs and puts
/// the problem file into it, before any work is done: a folder that cannot be written to is found
/// out at once. To go on with a run the problem must be its own.
pub fn open(problem: Subject<'_>, wish: &Wish) -> Result<(ResultFolder, Lock), Failure> {
    loop {
        let path = choose(problem, wish)?;
        let folder = ResultFolder::create(&path)?;
        let lock = Lock::take(&path)?;
        // Between the look and the lock another run may have come and gone.
        let taken = !wish.force && !wish.resume && occupied(&path).is_some();
        match lock {
            Some(lock) if !taken => {
                prepare(&folder, problem, wish)?;
                return Ok((folder, lock));
            }
            // A folder that was not named by the user is the next one.
            _ if wish.out.is_none() && !wish.resume => {}
            None => return Err(Failure::FolderInUse { path }),
            // `choose` says what is there.
            Some(_) => {}
        }
    }
}

/// Makes the folder the run's own.
fn prepare(folder: &ResultFolder, problem: Subject<'_>, wish: &Wish) -> Result<(), Failure> {
    remove_parts(folder.path());
    if wish.resume {
        let before = folder.read_problem()?;
        return match first_difference(&before, problem.source) {
            None => Ok(()),
            Some((before, now)) => {
                Err(Failure::OtherProblem { path: folder.path().to_owned(), before, now })
            }
        };
    }
    if wish.force {
        clear(folder.path())?;
    }
    Ok(folder.write_problem(problem.source)?)
}

/// Takes away what killed runs left half written; the folder is held, so nobody writes them now.
fn remove_parts(path: &Path) {
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if is_part(&name.to_string_lossy()) {
            // One that stays does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// `.NAME.PROCESS.part`, where a run writes something of that name.
fn is_part(name: &str) -> bool {
    let Some(inner) = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part")) else {
        return false;
    };
    inner
        .rsplit_once('.')
        .is_some_and(|(file, process)| WRITTEN.contains(&file) && process.parse::<u32>().is_ok())
}

/// The result of a run that reached its end and has no checkpoint left.
pub fn finished(folder: &ResultFolder, problem: &ProblemFile) -> Option<Summary> {
    let summary = match problem {
        ProblemFile::Evolution(_) => Summary::Evolution(stored(folder)?),
        ProblemFile::Residual(_) => Summary::Training(stored(folder)?),
    };
    summary.completed().then_some(summary)
}

/// What a run that left no checkpoint says of itself, in whatever form.
pub fn stored<R: DeserializeOwned>(folder: &ResultFolder) -> Option<R> {
    if checkpoint::any(folder.path()) {
        return None;
    }
    serde_json::from_value(folder.read_result().ok()?).ok()
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

/// Clears away what an earlier run left, for `--force`: its files, and of its pictures those with
/// our names and endings; the folder of pictures may hold others.
pub fn clear(path: &Path) -> Result<(), Failure> {
    let unknowns = unknowns(path);
    for name in WRITTEN {
        let file = path.join(name);
        if file.symlink_metadata().is_ok_and(|data| !data.is_dir()) {
            remove(file)?;
        }
    }
    let pictures = path.join(PLOTS);
    let names = crate::output::plots::NAMES.iter().flat_map(|name| {
        let of_each = unknowns.iter().map(move |unknown| format!("{name}-{unknown}"));
        of_each.chain([(*name).to_owned()])
    });
    let figures = names
        .flat_map(|name| ["png", "svg"].map(|ending| format!("{name}.{ending}")))
        .chain([crate::output::plots::PAGE.to_owned()]);
    for file in figures.map(|name| pictures.join(name)) {
        if file.symlink_metadata().is_ok_and(|data| !data.is_dir()) {
            remove(file)?;
        }
    }
    Ok(())
}

/// The unknowns of the run that the folder holds, which are behind the names of its pictures; none where
/// there is no problem that can be read.
fn unknowns(path: &Path) -> Vec<String> {
    let text = ResultFolder::open(path).read_problem().unwrap_or_default();
    match ProblemFile::from_bytes(text.as_bytes(), None, &Overrides::new()) {
        Ok(ProblemFile::Evolution(problem)) => problem.unknowns,
        Ok(ProblemFile::Residual(problem)) => problem.unknowns,
        Err(_) => Vec::new(),
    }
}

fn remove(file: PathBuf) -> Result<(), Failure> {
    std::fs::remove_file(&file).map_err(|source| Failure::Clear { path: file, source })
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
