//! A cutoff that follows the loss: several are tried from one decomposition.

use crate::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::line_search::{least, losses, moved};
use crate::settings::LineSearch;
use crate::step::{Start, Step, walk};

/// Cutoffs that are tried, as powers of ten relative to the last one.
const TRIALS: [f64; 9] = [-2.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0];
/// Halvings of the step for each of them.
const HALVINGS: i32 = 6;
/// The largest cutoff, relative to the largest singular value.
const LARGEST: f64 = 0.1;

/// The smallest cutoff that is tried after `last`.
pub(super) fn smallest_trial(last: f64, least: f64) -> f64 {
    (last * 10f64.powf(TRIALS[0])).max(least)
}

/// The best of all trial cutoffs, not below `least_cutoff`, and step lengths, in one batch; where
/// none of them lowers the loss, the full line search with ten times the cutoff. Gives the cutoff
/// that was taken.
pub(super) async fn adapt<S: ResidualSystem>(
    system: &mut S,
    start: Start<'_>,
    direction: &dyn Fn(f64) -> Vec<f64>,
    last: f64,
    least_cutoff: f64,
    line_search: LineSearch,
) -> Result<(f64, Step), OptimizeError> {
    let cutoffs = TRIALS.map(|power| (last * 10f64.powf(power)).clamp(least_cutoff, LARGEST));
    let directions = cutoffs.map(direction);
    let lengths: Vec<f64> = (0..=HALVINGS).map(|k| 0.5f64.powi(k)).collect();
    let place = |k: usize| (k / lengths.len(), lengths[k % lengths.len()]);
    let trials = cutoffs.len() * lengths.len();
    let values = losses(system, trials, |k| {
        let (index, eta) = place(k);
        moved(start.theta, &directions[index], eta)
    })
    .await?;
    if let Some(best) = least(&values).filter(|&best| values[best] < start.loss) {
        let (index, step_length) = place(best);
        let theta = moved(start.theta, &directions[index], step_length);
        let step = Step { theta, loss: values[best], step_length, ..Step::default() };
        return Ok((cutoffs[index], Step { evaluations: trials, ..step }));
    }
    let larger = (10.0 * last).min(LARGEST);
    let step = walk(system, start, &direction(larger), line_search).await?;
    Ok((larger, Step { evaluations: step.evaluations + trials, ..step }))
}
