//! Programs written in JavaScript, from the registry of npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::done;
use crate::setup;
use crate::steps::Outcome;

/// `node`, installed on Debian where it is missing.
///
/// # Errors
/// When there is none and none can be installed.
pub fn node() -> Result<Command, String> {
    ensure()?;
    Ok(Command::new("node"))
}

fn ensure() -> Result<(), String> {
    let there = || setup::runs("node", &["--version"]) && setup::runs(program(), &["--version"]);
    if there() {
        return Ok(());
    }
    if setup::is_debian_like()
        && let Outcome::Failed(why) = setup::install(&["nodejs", "npm"])
    {
        println!("{why}");
    }
    if there() {
        Ok(())
    } else {
        Err("node and npm are missing: install Node.js 18 or later".into())
    }
}

/// Installs one version of a package into the cache, unless it is there, and gives the folder
/// `node_modules` that it lies in.
///
/// # Errors
/// When npm cannot get it.
pub fn install(cache: &Path, package: &str, version: &str) -> Result<PathBuf, String> {
    let folder = cache.join(format!("npm/{package}-{version}"));
    let modules = folder.join("node_modules");
    if modules.join(package).join("package.json").is_file() {
        return Ok(modules);
    }
    ensure()?;
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    // A manifest of its own keeps npm from looking for one further up.
    let manifest = folder.join("package.json");
    std::fs::write(&manifest, "{\"private\": true}\n")
        .map_err(|e| format!("{}: {e}", manifest.display()))?;
    let mut npm = Command::new(program());
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .arg(format!("{package}@{version}"))
        .current_dir(&folder);
    done(&mut npm)?;
    Ok(modules)
}

fn program() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}
