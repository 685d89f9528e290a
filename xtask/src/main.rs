//! Chores of the project: `cargo xtask setup` and `cargo xtask test`.
//!
//! Only the standard library is used, so that this builds in seconds on any machine.

mod drivers;
mod lockfile;
mod setup;
mod steps;
mod test;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  setup  Install what the tests need (on Debian and Ubuntu; elsewhere say what to install)
  test   Set up, then check the format, the lints and the lock file, and run every test,
         those of the GPU on llvmpipe and again on SwiftShader

Environment:
  SKETCHPDE_SWIFTSHADER  Vulkan manifest of SwiftShader, where it is not found by itself
  CI                     When set, a driver that cannot be had is a failure
";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("error: cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let succeeded = match words.as_slice() {
        ["setup"] => match setup::run_setup() {
            Ok(drivers) => {
                println!("{drivers}");
                true
            }
            Err(message) => {
                eprintln!("error: {message}");
                false
            }
        },
        ["test"] => test::run_tests(),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            true
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
