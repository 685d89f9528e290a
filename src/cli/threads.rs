//! The threads of a computation, started before there is work for them.

use std::error::Error;
use std::thread::available_parallelism;

use super::failure::Failure;

/// At most so many threads per core: more only wait for each other.
const MOST_PER_CORE: usize = 8;

/// Starts as many threads as `RAYON_NUM_THREADS` says, within reason, or one per core. An interpreter
/// that carries this program may have started them already.
pub fn start() -> Result<(), Failure> {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let asked = std::env::var("RAYON_NUM_THREADS").ok();
    let count = count(asked.as_deref(), cores);
    let started = rayon::ThreadPoolBuilder::new().num_threads(count).build_global();
    match started {
        // Only what the system refused has a source.
        Err(error) if error.source().is_some() => {
            Err(Failure::Threads { count, reason: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// The threads to start where so many were asked for; 0 and what is no number ask for none.
fn count(asked: Option<&str>, cores: usize) -> usize {
    let asked = asked.and_then(|text| text.trim().parse().ok()).filter(|count| *count > 0);
    asked.map_or(cores, |count: usize| count.min(MOST_PER_CORE * cores))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_threads_are_started_than_cores_can_serve() {
        assert_eq!(count(Some("100000"), 2), 16);
        assert_eq!(count(Some("3"), 2), 3);
        assert_eq!([count(None, 4), count(Some("0"), 4), count(Some("many"), 4)], [4, 4, 4]);
    }
}
