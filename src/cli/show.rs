//! `sketchpde show`: a problem file's text.

use clap::Args;

use super::failure::Failure;
use super::options::ProblemArguments;
use super::output::write;

/// Print a problem file, to copy and edit: `sketchpde show burgers > mine.toml`.
///
/// As it is written, with its comments; with --set, --variant or --seed the resolved settings.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    problem: ProblemArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let wanted = &arguments.problem;
    if wanted.set.is_empty() && wanted.variant.is_none() && wanted.seed.is_none() {
        write(&wanted.read()?)
    } else {
        write(wanted.load_file(&[])?.source().as_bytes())
    }
}
