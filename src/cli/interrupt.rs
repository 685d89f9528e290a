//! Ctrl-C, and the requests of a system to end.

use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C, hang-up or termination request is only noted, for the run to end
/// in order; a second one ends the program at once.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(Failure::Signals)
}

/// Whether the program was asked to end.
pub fn requested() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
