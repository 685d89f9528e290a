//! Every change of the disk that a run makes goes through here, so that a test can have each of them fail.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Names the change that fails, counted from 1 over the whole process.
const VARIABLE: &str = "SKETCHPDE_DISK_FAILS_AT";

/// Does something to the disk; fails instead where a test wants to see what becomes of that.
///
/// # Errors
/// Those of the change itself.
pub fn disk<R>(change: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    static FAILS_AT: OnceLock<Option<usize>> = OnceLock::new();
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let fails_at = FAILS_AT
        .get_or_init(|| std::env::var(VARIABLE).ok().and_then(|number| number.parse().ok()));
    if fails_at.is_some_and(|number| DONE.fetch_add(1, Ordering::Relaxed) + 1 == number) {
        return Err(io::Error::other(format!("{VARIABLE} says so")));
    }
    change()
}
