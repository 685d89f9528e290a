//! The command line program; everything it computes is in the library.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    sketchpde::cli::run(sketchpde::cli::Program::of_process()).into()
}
