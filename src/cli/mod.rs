//! The command line: one file per subcommand.
//!
//! Results go to standard output, progress and messages to standard error. The exit code says how
//! it went, see [`failure`].

mod check;
mod devices;
mod eval;
mod export;
mod failure;
mod interrupt;
mod kernels;
mod list;
mod options;
mod output;
mod plot;
mod points;
mod program;
mod progress;
mod reproduce;
mod runs;
mod show;
mod solve;
mod spread;
mod sweep;
mod threads;

use clap::{Parser, Subcommand};

pub use self::program::Program;

/// Solve partial differential equations with neural networks and randomized methods.
#[derive(Parser)]
#[command(version, about, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 failure, 2 usage, 3 the solution diverged, 4 the error is above
--max-error, 5 no usable device, 6 --time-limit came first, 130 interrupted.

Start with `sketchpde list`, then `sketchpde solve allen-cahn`.";

#[derive(Subcommand)]
enum Command {
    List(list::Arguments),
    Show(show::Arguments),
    Check(check::Arguments),
    Solve(solve::Arguments),
    Plot(plot::Arguments),
    Eval(eval::Arguments),
    Export(export::Arguments),
    Reproduce(reproduce::Arguments),
    Sweep(sweep::Arguments),
    Devices(devices::Arguments),
}

/// Reads the arguments, does what they say and gives the exit code.
pub fn run(program: Program) -> u8 {
    // Clap itself ends the program with 2 on wrong usage and with 0 after --help and --version.
    let command = Cli::parse_from(&program.words).command;
    program.keep();
    interrupt::endure_limits();
    let done = threads::start().and_then(|()| match command {
        Command::List(arguments) => list::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Solve(arguments) => solve::run(&arguments),
        Command::Plot(arguments) => plot::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Reproduce(arguments) => reproduce::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
    });
    match done {
        Ok(()) => 0,
        Err(failure) => {
            failure.report();
            failure.code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
