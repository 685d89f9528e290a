//! `sketchpde plot`: the figures of a run, again.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;

/// Draw the figures of a run again, from the files in its folder.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let _ = &arguments.folder;
    Ok(())
}
