//! Ctrl-C, and the requests of a system to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::failure::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A signal that follows the first one so soon was not sent by an impatient person: some programs
/// (`timeout` is one) signal the process and then the whole group.
const SAME: Duration = Duration::from_millis(500);

/// From now on the first Ctrl-C, hang-up or termination request is only noted, for the run to end
/// in order; a later one ends the program at once.
pub fn listen() -> Result<(), Failure> {
    let mut first: Option<Instant> = None;
    ctrlc::set_handler(move || {
        if first.get_or_insert_with(Instant::now).elapsed() > SAME {
            std::process::exit(130);
        }
        INTERRUPTED.store(true, Ordering::SeqCst);
    })
    .map_err(Failure::Signals)
}

/// Whether the program was asked to end.
pub fn requested() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
