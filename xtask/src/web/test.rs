//! The site in a real browser.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use super::build::{Options, build, done};
use super::toolchain::Toolchain;
use super::{npm, serve};
use crate::drivers::chromium;
use crate::{cache, setup};

/// Where screenshots and the command line's results go.
const RESULTS: &str = "target/web-test";

/// The version of the browser's remote control; it drives Chromium as it is installed.
const PLAYWRIGHT: &str = "1.65.1";

/// What the tests need beside the project itself.
pub struct Tools {
    toolchain: Toolchain,
    /// What builds the module with threads, or why none is built.
    threaded: Result<Toolchain, String>,
    browser: PathBuf,
    playwright: PathBuf,
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "for WebAssembly: {}", self.toolchain)?;
        match &self.threaded {
            Ok(toolchain) => {
                writeln!(f, "with threads:    {toolchain}, with its library's source")?
            }
            Err(why) => writeln!(f, "with threads:    none: {why}")?,
        }
        write!(f, "Chromium:        {}", self.browser.display())
    }
}

/// Finds or installs the compiler for the browser, the browser, its remote control and Node.js.
///
/// # Errors
/// When one of them cannot be had; the message says what to install. Without what threads need, the
/// page is tested without them, unless this is CI.
pub fn tools() -> Result<Tools, String> {
    let cache = cache::folder()?;
    let toolchain = Toolchain::find(&cache)?;
    let threaded = Toolchain::find_with_source(&cache);
    if let Err(why) = &threaded
        && std::env::var_os("CI").is_some()
    {
        return Err(why.clone());
    }
    npm::node()?;
    let modules = npm::install(&cache, "playwright-core", PLAYWRIGHT)?;
    let playwright = modules.join("playwright-core/index.js");
    Ok(Tools { toolchain, threaded, browser: browser()?, playwright })
}

/// Builds the site and the command line program, and compares the two in headless Chromium: with
/// WebGPU, on its software adapter, and without; `only` the tests whose names hold these words.
///
/// # Errors
/// When a build or a test has failed; what failed was printed.
pub fn test(tools: &Tools, only: Option<&str>) -> Result<(), String> {
    let site = build(Options::default())?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Of the whole workspace: with other features than the tests', all of it would be built again.
    let of_the_workspace = ["--locked", "--release", "--workspace", "--bin", "sketchpde"];
    done(cargo.args(["build", "--quiet"]).args(of_the_workspace))?;
    let results = PathBuf::from(RESULTS);
    let _ = std::fs::remove_dir_all(&results);
    std::fs::create_dir_all(&results).map_err(|e| format!("{RESULTS}: {e}"))?;
    let address = serve(site.folder, 0)?;
    let mut node = npm::node()?;
    node.arg("--test").arg("--test-reporter=spec");
    if let Some(words) = only {
        node.arg(format!("--test-name-pattern={words}"));
    }
    node.arg("web/tests/site.test.mjs")
        .env("SKETCHPDE_SITE", format!("http://{address}"))
        .env("SKETCHPDE_BROWSER", &tools.browser)
        .env("SKETCHPDE_PLAYWRIGHT", &tools.playwright)
        .env("SKETCHPDE_CLI", program())
        .env("SKETCHPDE_RESULTS", &results)
        // Why the tests of threads are to be left out.
        .env("SKETCHPDE_SINGLE_THREADED", site.single_threaded.unwrap_or_default());
    done(&mut node)?;
    println!("Screenshots: {RESULTS}");
    Ok(())
}

/// The command line program, which is built beside this one.
fn program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    target.join("release").join(format!("sketchpde{}", std::env::consts::EXE_SUFFIX))
}

/// A Chromium, installed on Debian where there is none.
fn browser() -> Result<PathBuf, String> {
    if let Some(browser) = chromium() {
        return Ok(browser);
    }
    if setup::is_debian_like() {
        setup::install(&["chromium"]);
    }
    chromium().ok_or_else(|| {
        "no Chromium or Chrome here: install one, or name it in SKETCHPDE_CHROMIUM".to_owned()
    })
}
