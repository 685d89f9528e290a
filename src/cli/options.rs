//! Arguments that several subcommands share.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::output::{OutputError, beside};
use crate::problem::{Overrides, Preset, ProblemErrors, ProblemFile};
use crate::session::Checkpoint;

/// More than any problem file has; saved runs may be longer.
const MOST_BYTES: u64 = 1 << 24;

/// Which problem, with which changes.
#[derive(Args)]
pub struct ProblemArguments {
    /// Name of a built-in problem (see `sketchpde list`), or path of a problem file or a saved run.
    #[arg(value_name = "NAME|FILE")]
    pub problem: String,

    /// Change a setting, by its dotted key; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,

    /// Apply a named set of changes that the problem file carries.
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,

    /// The method: short for --set method.name=NAME, or method.scheme=NAME where the solution is
    /// stepped in time.
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,

    /// Seed of every random draw: short for --set run.seed=N.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Bytes of a problem file or of a saved run; what is neither is not read beyond the first bytes.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    (&mut file).take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        if !Checkpoint::is_one(&bytes) {
            return Err(io::Error::other(
                "it is too long: a problem file holds settings, not data",
            ));
        }
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The problem that the command line calls `problem`, from its bytes and the files of numbers that it
/// names.
pub fn read_problem(
    problem: &str,
    bytes: &[u8],
    variant: Option<&str>,
    overrides: &Overrides,
) -> Result<ProblemFile, ProblemErrors> {
    ProblemFile::read(bytes, variant, overrides, &beside(Path::new(problem)))
}

impl ProblemArguments {
    /// Bytes of the problem file.
    pub fn read(&self) -> Result<Vec<u8>, Failure> {
        match Preset::find(&self.problem) {
            Ok(preset) => Ok(preset.text.into()),
            Err(unknown) => {
                let path = PathBuf::from(&self.problem);
                if path.exists() || looks_like_a_path(&self.problem) {
                    let bytes = read_file(&path)
                        .map_err(|source| Failure::ReadProblem { path: path.clone(), source })?;
                    match Checkpoint::is_one(&bytes) {
                        true => Ok(saved(&path, &bytes)?.problem.into()),
                        false => Ok(bytes),
                    }
                } else {
                    Err(Failure::UnknownProblem(unknown))
                }
            }
        }
    }

    /// The run that the file holds in place of a problem alone, where it is a saved one.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, Failure> {
        let path = Path::new(&self.problem);
        match read_file(path) {
            Ok(bytes) if Preset::find(&self.problem).is_err() && Checkpoint::is_one(&bytes) => {
                saved(path, &bytes).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The problem of either family with every change applied.
    pub fn load_file(&self, more: &[(&str, String)]) -> Result<ProblemFile, Failure> {
        let (bytes, overrides) = self.changes(more)?;
        read_problem(&self.problem, &bytes, self.variant.as_deref(), &overrides)
            .map_err(|errors| Failure::Problem { file: self.problem.clone(), errors })
    }

    /// The file and its changes: the variant's come first, then those of `--set` in their order,
    /// then those of the options that have a name of their own.
    pub fn changes(&self, more: &[(&str, String)]) -> Result<(Vec<u8>, Overrides), Failure> {
        let bytes = self.read()?;
        let mut overrides = self.set.clone();
        if let Some(method) = &self.method {
            let variant = self.variant.as_deref();
            let file = read_problem(&self.problem, &bytes, variant, &self.set);
            let key = match file {
                Ok(ProblemFile::Evolution(_)) => "method.scheme",
                // What is wrong with the file is told when it is read with all changes.
                _ => "method.name",
            };
            overrides.push((key.to_owned(), method.clone()));
        }
        overrides.extend(self.seed.map(|seed| ("run.seed".to_owned(), seed.to_string())));
        overrides.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        Ok((bytes, overrides))
    }
}

fn saved(path: &Path, bytes: &[u8]) -> Result<Checkpoint, Failure> {
    let path = path.to_owned();
    let read = Checkpoint::from_bytes(bytes);
    read.map_err(|source| OutputError::Checkpoint { path, source }.into())
}

/// A name with a separator or the usual ending is meant as a path even where no such file exists.
fn looks_like_a_path(name: &str) -> bool {
    name.contains(std::path::is_separator)
        || Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

fn key_and_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write it as KEY=VALUE, for example method.columns=150"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_needs_a_key_and_a_value() {
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(key_and_value("method.columns=150"), pair("method.columns", "150"));
        assert_eq!(key_and_value("initial.u = sin(x)"), pair("initial.u", "sin(x)"));
        assert_eq!(key_and_value("exact.u=a==b"), pair("exact.u", "a==b"));
        assert!(key_and_value("method.columns").is_err());
        assert!(key_and_value("=150").is_err());
    }

    #[test]
    fn a_path_is_told_from_a_name() {
        assert!(looks_like_a_path("mine.toml"));
        assert!(looks_like_a_path("./burgers"));
        assert!(!looks_like_a_path("burgers"));
    }
}
