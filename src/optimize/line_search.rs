//! How far to go along a direction: losses of many lengths in one batch.

use super::error::OptimizeError;
use super::settings::LineSearch;
use crate::field::residual::ResidualSystem;

/// Numbers of trial parameters that one batch may hold (64 MiB).
const BATCH: usize = 1 << 23;
/// The golden ratio's inverse.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// Levels of golden sections whose possible points are evaluated together: `2^levels - 1` of them.
const LEVELS: usize = 3;

/// The best point along a direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub step_length: f64,
    pub loss: f64,
}

/// `theta - eta d`.
pub fn moved(theta: &[f64], direction: &[f64], eta: f64) -> Vec<f64> {
    theta.iter().zip(direction).map(|(t, d)| t - eta * d).collect()
}

/// Losses at several parameter vectors that `make` gives, in batches that fit memory. What is not
/// a number counts as infinite.
pub async fn losses<S: ResidualSystem>(
    system: &mut S,
    count: usize,
    make: impl Fn(usize) -> Vec<f64>,
) -> Result<Vec<f64>, OptimizeError> {
    let batch = (BATCH / system.parameters().max(1)).max(1);
    let mut all = Vec::with_capacity(count);
    for first in (0..count).step_by(batch) {
        let thetas: Vec<Vec<f64>> = (first..count.min(first + batch)).map(&make).collect();
        let views: Vec<&[f64]> = thetas.iter().map(Vec::as_slice).collect();
        all.extend(system.losses(&views).await?.into_iter().map(or_infinite));
    }
    Ok(all)
}

/// The loss, or infinity where it is not a number.
pub fn or_infinite(loss: f64) -> f64 {
    if loss.is_nan() { f64::INFINITY } else { loss }
}

impl LineSearch {
    /// The step lengths of the first batch.
    pub fn lengths(self) -> Vec<f64> {
        match self {
            Self::Grid { halvings } | Self::Golden { halvings, .. } => {
                (0..=halvings).map(|k| 0.5f64.powi(k as i32)).collect()
            }
            Self::Fixed { rate } => vec![rate],
        }
    }

    /// The best step along `-direction`, and how many losses it took; `None` where none is below
    /// `loss`. A fixed rate is taken as long as its loss is finite.
    pub async fn search<S: ResidualSystem>(
        self,
        system: &mut S,
        theta: &[f64],
        direction: &[f64],
        loss: f64,
    ) -> Result<(Option<Found>, usize), OptimizeError> {
        let mut evaluate = async |lengths: &[f64]| {
            losses(system, lengths.len(), |k| moved(theta, direction, lengths[k])).await
        };
        let lengths = self.lengths();
        let values = evaluate(&lengths).await?;
        let mut evaluations = lengths.len();
        let Some(best) = least(&values) else { return Ok((None, evaluations)) };
        let mut found = Found { step_length: lengths[best], loss: values[best] };
        if let Self::Golden { tolerance, .. } = self {
            let low = lengths.get(best + 1).copied().unwrap_or(0.0);
            let high = if best == 0 { 1.0 } else { lengths[best - 1] };
            let mut section = Golden::new(low, high);
            while high > low && section.width() > tolerance * (high - low) {
                let points = section.candidates(LEVELS);
                let values = evaluate(&points).await?;
                evaluations += points.len();
                section.narrow(&points, &values, &mut found);
            }
        }
        let bound = if matches!(self, Self::Fixed { .. }) { f64::INFINITY } else { loss };
        Ok(((found.loss < bound).then_some(found), evaluations))
    }
}

/// Position of the least value; none where there is no value.
pub fn least(values: &[f64]) -> Option<usize> {
    (0..values.len()).min_by(|&i, &k| values[i].total_cmp(&values[k]))
}

/// Golden-section search (Kiefer 1953), several levels at a time: all points that the next levels
/// may need are evaluated in one batch.
#[derive(Clone, Debug)]
struct Golden {
    low: f64,
    high: f64,
    /// Points within the interval whose values are known.
    known: Vec<(f64, f64)>,
}

impl Golden {
    fn new(low: f64, high: f64) -> Self {
        Self { low, high, known: Vec::new() }
    }

    fn width(&self) -> f64 {
        self.high - self.low
    }

    /// The two inner points of an interval.
    fn inner(low: f64, high: f64) -> [f64; 2] {
        [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
    }

    fn value(&self, point: f64) -> Option<f64> {
        let near = |&&(known, _): &&(f64, f64)| (known - point).abs() <= 1e-9 * self.width();
        self.known.iter().find(near).map(|&(_, value)| value)
    }

    /// Every point without a value that `levels` sections from here may need.
    fn candidates(&self, levels: usize) -> Vec<f64> {
        let mut points: Vec<f64> = Vec::new();
        let mut intervals = vec![(self.low, self.high)];
        for _ in 0..levels {
            let mut next = Vec::new();
            for (low, high) in intervals {
                let [c, d] = Self::inner(low, high);
                for point in [c, d] {
                    let near = |&known: &f64| (known - point).abs() <= 1e-9 * self.width();
                    if self.value(point).is_none() && !points.iter().any(near) {
                        points.push(point);
                    }
                }
                next.extend([(low, d), (c, high)]);
            }
            intervals = next;
        }
        points
    }

    /// Takes the values in and narrows the interval as far as they reach.
    fn narrow(&mut self, points: &[f64], values: &[f64], best: &mut Found) {
        self.known.extend(points.iter().copied().zip(values.iter().copied()));
        for (&step_length, &loss) in points.iter().zip(values) {
            if loss < best.loss {
                *best = Found { step_length, loss };
            }
        }
        loop {
            let [c, d] = Self::inner(self.low, self.high);
            let (Some(at_c), Some(at_d)) = (self.value(c), self.value(d)) else { return };
            if at_c < at_d {
                self.high = d;
            } else {
                self.low = c;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The batched search does what the sequential one does: after k levels the interval is the
    /// golden ratio's k-th power, and holds the minimum.
    #[test]
    fn golden_sections_close_in_on_the_minimum() {
        for minimum in [0.0, 0.123, 0.5, 0.9, 1.0] {
            let f = |x: f64| (x - minimum) * (x - minimum) * (1.0 + 0.3 * x);
            let mut section = Golden::new(0.0, 1.0);
            let mut best = Found { step_length: 1.0, loss: f(1.0) };
            let mut evaluations = 0;
            for batch in 1..=5 {
                let points = section.candidates(LEVELS);
                evaluations += points.len();
                let values: Vec<f64> = points.iter().map(|&x| f(x)).collect();
                section.narrow(&points, &values, &mut best);
                // At least the levels that were asked for.
                assert!(section.width() < GOLDEN.powi(LEVELS as i32 * batch) * 1.000_001);
                assert!(section.low <= minimum + 1e-9 && minimum <= section.high + 1e-9);
            }
            assert!((best.step_length - minimum).abs() < 2e-3, "{best:?}");
            assert!(evaluations <= 5 * 8 && evaluations > 20, "{evaluations}");
        }
    }
}
