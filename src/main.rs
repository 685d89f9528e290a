//! The command line program; everything it computes is in the library.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
