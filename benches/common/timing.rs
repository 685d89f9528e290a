//! Timings.

use std::time::Instant;

/// Seconds that one measurement may take, and the most repetitions.
const BUDGET: f64 = 1.0;
const REPETITIONS: usize = 50;

/// Seconds: the least of several timings.
pub fn least(mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
        if begin.elapsed().as_secs_f64() > BUDGET {
            break;
        }
    }
    best
}
