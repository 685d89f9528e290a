//! Ctrl-C, the requests of a system to end, and its signals that are no more than errors.

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

/// From now on a file that grows beyond the limit of the system (`ulimit -f`) is an error where it is
/// written, not the end of the program. A system that refuses that leaves it as it was.
pub fn endure_limits() {
    #[cfg(unix)]
    {
        use std::sync::Arc;
        let noted = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, noted);
    }
}

/// Whether the program was asked to end.
pub fn requested() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
