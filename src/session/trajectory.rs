//! The parameters as they are kept along the run, so that the solution can be asked anything later.

use super::frames::Marks;

/// Parameters at a number of times of the run, those of a part of its frames.
///
/// Between two of these times the solution is interpolated, never the parameters: their path is as
/// rough as the random subsets that the steps move.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    parameters: usize,
    marks: Marks,
    times: Vec<f64>,
    values: Vec<f64>,
}

/// No more than this is kept, whatever the network.
const BYTES: usize = 8 << 20;

impl Trajectory {
    /// For a run from `start` to `end` of a network of `parameters`, with at most `limit` marks.
    #[must_use]
    pub fn new(parameters: usize, start: f64, end: f64, limit: usize) -> Self {
        let affordable = BYTES / (8 * parameters.max(1));
        let marks = Marks::new(start, end, limit.min(affordable).max(1));
        Self { parameters, marks, times: Vec::new(), values: Vec::new() }
    }

    /// Keeps the parameters at `time`, where that is due: at the first time, at marks, and at the
    /// `last` one.
    ///
    /// # Panics
    /// When there are not as many numbers as the network has parameters.
    pub fn offer(&mut self, time: f64, theta: &[f64], last: bool) {
        assert_eq!(theta.len(), self.parameters, "one number per parameter");
        let due = self.times.last().is_none_or(|&kept| self.marks.between(kept, time));
        if due || (last && self.times.last() != Some(&time)) {
            self.times.push(time);
            self.values.extend_from_slice(theta);
        }
    }

    /// Keeps what another run over the same times kept; nothing where the numbers do not fit.
    pub fn restore(&mut self, times: Vec<f64>, values: Vec<f64>) {
        if values.len() == times.len() * self.parameters {
            (self.times, self.values) = (times, values);
        }
    }

    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Row-major, one row of parameters per time.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_time_are_kept_and_large_networks_less_often() {
        let kept = |parameters: usize| {
            let mut trajectory = Trajectory::new(parameters, 0.0, 1.0, 20);
            let theta = vec![0.5; parameters];
            for step in 0..=103 {
                let time = f64::from(step) / 103.0;
                trajectory.offer(time, &theta, step == 103);
            }
            assert_eq!(trajectory.values().len(), parameters * trajectory.times().len());
            trajectory.times().to_vec()
        };
        let times = kept(3);
        assert_eq!((times[0], *times.last().unwrap(), times.len()), (0.0, 1.0, 21));
        // Five networks of 200,000 parameters are 8 MB.
        assert_eq!(kept(200_000).len(), 6);
    }
}
