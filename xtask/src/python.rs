//! The Python package: an environment for its tests, and the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup;
use crate::steps::{Outcome, run};

/// Names the interpreter, where `python3` is not the one.
const VARIABLE: &str = "SKETCHPDE_PYTHON";
const REQUIREMENTS: &str = "python/requirements-test.txt";
const ENVIRONMENT: &str = "target/python/environment";
/// The package as a wheel holds it.
const SITE: &str = "target/python/site";

/// The interpreter of an environment with all that the tests import; made where there is none yet.
///
/// # Errors
/// When Python or a package cannot be had; the message says what to do.
pub fn environment() -> Result<PathBuf, String> {
    let python = interpreter()?;
    let inside = Path::new(ENVIRONMENT).join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let wanted = std::fs::read_to_string(REQUIREMENTS)
        .map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
    let stamp = Path::new(ENVIRONMENT).join("installed.txt");
    if inside.exists() && std::fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        return Ok(inside);
    }
    let made = run(Command::new(&python).args(["-m", "venv", "--clear", ENVIRONMENT]));
    passed(made, "on Debian and Ubuntu: apt-get install python3-venv")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let installed = run(Command::new(&inside).args(pip).args(["--requirement", REQUIREMENTS]));
    passed(installed, "pip must reach a package index: see `pip config list`")?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(inside)
}

/// Runs the package's tests on the library that the workspace's tests have built, so that nothing
/// is compiled twice; and lets maturin read what it would make a wheel of.
pub fn test(environment: &Path, cargo: &mut Command) -> Result<(), String> {
    let built =
        run(cargo.args(["--locked", "--release", "--workspace", "--test", "module", "--no-run"]));
    passed(built, "the library of the package does not build")?;
    assemble()?;
    let site = std::path::absolute(SITE).map_err(|error| format!("{SITE}: {error}"))?;
    let pytest = ["-m", "pytest", "--import-mode=append", "-p", "no:cacheprovider", "python/tests"];
    let tested = run(Command::new(environment)
        .args(pytest)
        .env("PYTHONPATH", &site)
        .env("PYTHONDONTWRITEBYTECODE", "1"));
    passed(tested, "see above")?;
    let metadata = ["pep517", "write-dist-info", "--manifest-path", "python/Cargo.toml"];
    let described = run(Command::new(environment)
        .args(["-m", "maturin"])
        .args(metadata)
        .args(["--metadata-directory", "target/python/metadata", "--interpreter"])
        .arg(environment));
    passed(described, "maturin cannot make a wheel of python/")
}

/// Puts the package's files and the library beside each other, as a wheel does.
fn assemble() -> Result<(), String> {
    let package = Path::new(SITE).join("sketchpde");
    let failed = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
    if package.exists() {
        std::fs::remove_dir_all(&package).map_err(|error| failed(&package, error))?;
    }
    std::fs::create_dir_all(&package).map_err(|error| failed(&package, error))?;
    let source = Path::new("python/sketchpde");
    for entry in std::fs::read_dir(source).map_err(|error| failed(source, error))? {
        let path = entry.map_err(|error| failed(source, error))?.path();
        if path.is_file() {
            let into = package.join(path.file_name().unwrap_or_default());
            std::fs::copy(&path, into).map_err(|error| failed(&path, error))?;
        }
    }
    let library = library();
    let into = package.join(if cfg!(windows) { "_native.pyd" } else { "_native.abi3.so" });
    std::fs::copy(&library, into).map(drop).map_err(|error| failed(&library, error))
}

/// What cargo calls the library of the package, where it leaves what tests need.
fn library() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let (before, after) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    target.join("release/deps").join(format!("{before}sketchpde_native{after}"))
}

/// The first interpreter that is new enough and can make environments.
fn interpreter() -> Result<PathBuf, String> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let usual = ["python3", "python"].map(PathBuf::from);
    let able = |python: &PathBuf| {
        let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))";
        setup::runs(&python.to_string_lossy(), &["-c", check])
    };
    let found = |named: Option<PathBuf>| named.into_iter().chain(usual.clone()).find(able);
    if let Some(python) = found(named.clone()) {
        return Ok(python);
    }
    if setup::is_debian_like() {
        setup::install(&["python3", "python3-venv"]);
        if let Some(python) = found(named) {
            return Ok(python);
        }
    }
    Err(format!(
        "the package's tests need CPython 3.9 or later with its modules venv and ensurepip: install \
         it (Debian and Ubuntu: apt-get install python3 python3-venv) or name one by {VARIABLE}"
    ))
}

fn passed(outcome: Outcome, remedy: &str) -> Result<(), String> {
    match outcome {
        Outcome::Failed(why) => Err(format!("{why}; {remedy}")),
        _ => Ok(()),
    }
}
