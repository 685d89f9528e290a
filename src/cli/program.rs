//! How this program was called, and how to call it again.

use std::ffi::OsString;
use std::process::Command;
use std::sync::OnceLock;

use super::failure::Failure;

/// Where the arguments come from: a program of its own, or an interpreter that carries this one.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name and its arguments, as they were typed.
    pub words: Vec<OsString>,
    /// What starts it again: a program and the arguments that come before those of a command.
    /// None stands for the executable of this process.
    pub again: Option<Vec<OsString>>,
}

static CALLED: OnceLock<Program> = OnceLock::new();

impl Program {
    /// A program of its own.
    #[must_use]
    pub fn of_process() -> Self {
        Self { words: std::env::args_os().collect(), again: None }
    }

    /// Keeps it for the commands; the first one of a process stays.
    pub(super) fn keep(self) {
        let _ = CALLED.set(self);
    }
}

/// The words that this program was called with.
pub fn words() -> Vec<OsString> {
    CALLED.get().map_or_else(|| std::env::args_os().collect(), |called| called.words.clone())
}

/// A command that starts this program again.
pub fn again() -> Result<Command, Failure> {
    match CALLED.get().and_then(|called| called.again.as_deref()) {
        Some([program, first @ ..]) => {
            let mut command = Command::new(program);
            command.args(first);
            Ok(command)
        }
        _ => Ok(Command::new(std::env::current_exe().map_err(Failure::Program)?)),
    }
}
