//! Chores of the project: see [`USAGE`].
//!
//! Hardly more than the standard library is used, so that this builds in seconds on any machine.

#![forbid(unsafe_code)]

mod cache;
mod campaigns;
mod drivers;
mod gallery;
mod lockfile;
mod package;
mod python;
mod setup;
mod steps;
mod test;
mod web;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  setup         Install what the tests need (on Debian and Ubuntu; elsewhere say what to install)
  test          Set up, then check the format, the lints and the lock file, and run every test,
                those of the GPU on llvmpipe and again on SwiftShader, those of the page in Chromium, those of the
                Python package
  campaigns [WORDS]  Run the tests' campaigns at full length: 1,000 changes of every file, 100 kills, 40 pairs of
                runs, a disk that fails, all presets' estimated errors (WORDS: those alone whose name holds them)
  package       Check that the crates build as a registry gets them, each from its own files alone
  gallery       Solve what the book's gallery shows, and take its pictures
  gpu-report [--quick] [--wait] [--adapter NAME] [--minutes M] [--out FILE]
                Measure this machine's GPU within eight minutes: every kernel's share of its peak, and
                steps against the CPU; --quick takes small sizes, for adapters in software
  python        Test the Python package
  web           Build the browser app into web/dist (--optimise: also with wasm-opt, for publishing),
                with threads where the source of Rust's library can be had
  serve [PORT]  Build it and serve it on this machine (port 8080)
  web-test [WORDS]  Build it and test it in headless Chromium, with WebGPU and without (WORDS: only
                the tests whose names hold them)

Environment:
  SKETCHPDE_SWIFTSHADER    Vulkan manifest of SwiftShader, where it is not found by itself
  SKETCHPDE_BUILD_CACHE    Where downloads and the browser app's build are kept
  SKETCHPDE_WEB_TOOLCHAIN  rustup or debian: where the compiler for the browser comes from
  SKETCHPDE_CHROMIUM       The browser for the tests, where it is not found by itself
  SKETCHPDE_PYTHON         The interpreter for the Python package, where it is not python3
  SKETCHPDE_RUNS           Runs for the page's test of memory: 257 are an hour of play
  CI                       When set, what cannot be had is a failure, not left out
";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("error: cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["setup"] => set_up(),
        ["test"] => test::run_tests(),
        ["campaigns"] => test::campaigns(None),
        ["campaigns", words] => test::campaigns(Some(words)),
        ["package"] => test::package(),
        ["gallery"] => test::gallery(),
        ["gpu-report", options @ ..] => test::gpu_report(options),
        ["python"] => test::python(),
        ["web"] => web::build(web::Options::default()).map(drop),
        ["web", "--optimise"] => web::build(web::Options { optimise: true }).map(drop),
        ["serve"] => build_and_serve("8080"),
        ["serve", port] => build_and_serve(port),
        ["web-test"] => web::tools().and_then(|tools| web::test(&tools, None)),
        ["web-test", words] => web::tools().and_then(|tools| web::test(&tools, Some(words))),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Installs what the tests need, those of the page included.
fn set_up() -> Result<(), String> {
    println!("{}", setup::run_setup()?);
    println!("{}", web::tools()?);
    println!("Python: {}", python::environment()?.display());
    Ok(())
}

/// Serves the site until the program is ended.
fn build_and_serve(port: &str) -> Result<(), String> {
    let port = port.parse().map_err(|_| format!("{port} is no port: 1 to 65535"))?;
    let address = web::serve(web::build(web::Options::default())?.folder, port)?;
    println!("http://{address}");
    loop {
        std::thread::park();
    }
}
