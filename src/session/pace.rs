//! How fast the run goes, and how long it will still take.

/// Seconds per unit of simulated time, as a running mean that forgets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    seconds: f64,
    simulated: f64,
}

/// The share that a step's weight loses with every further step: the mean spans about 50 steps, so
/// that a busy minute of the machine is forgotten soon and one slow step is not taken for a trend.
const FORGET: f64 = 0.98;

impl Pace {
    /// A step of `simulated` time took `seconds`.
    pub fn add(&mut self, simulated: f64, seconds: f64) {
        self.seconds = FORGET * self.seconds + seconds;
        self.simulated = FORGET * self.simulated + simulated;
    }

    /// Seconds that `simulated` time will take.
    #[must_use]
    pub fn seconds_for(&self, simulated: f64) -> Option<f64> {
        (self.simulated > 0.0).then(|| simulated.max(0.0) * self.seconds / self.simulated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_the_latest_pace_in_simulated_time() {
        let mut pace = Pace::default();
        assert_eq!(pace.seconds_for(1.0), None);
        for _ in 0..10 {
            pace.add(0.01, 0.02);
        }
        assert!((pace.seconds_for(1.0).unwrap() - 2.0).abs() < 1e-12);
        // Steps ten times smaller at the same cost: after a while the old ones hardly count.
        for _ in 0..400 {
            pace.add(0.001, 0.02);
        }
        assert!((pace.seconds_for(1.0).unwrap() - 20.0).abs() < 0.2);
    }
}
