//! Slowing a run down to what a person can follow.

/// Simulated time per second of wall time that a run may not exceed. The time step stays what it
/// is: a run that is ahead rests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pacing {
    rate: Option<f64>,
    /// Wall and simulated time from which the rate counts.
    since: Option<(f64, f64)>,
}

/// A run that is this far behind, in seconds, is not asked to catch up: it would race when the
/// machine is free again.
const FORGIVEN: f64 = 0.05;

impl Pacing {
    /// `None`, or what is no positive number: as fast as it goes.
    pub fn set_rate(&mut self, rate: Option<f64>) {
        self.rate = rate.filter(|&rate| rate > 0.0 && rate.is_finite());
        self.since = None;
    }

    /// The run was stopped or changed: count from the next look on.
    pub fn restart(&mut self) {
        self.since = None;
    }

    /// Seconds that a run at the simulated `time` should rest at the wall time `now`; 0 where it
    /// is due.
    pub fn rest(&mut self, now: f64, time: f64) -> f64 {
        let Some(rate) = self.rate else { return 0.0 };
        let (wall, start) = *self.since.get_or_insert((now, time));
        let ahead = (time - start) / rate - (now - wall);
        if ahead < -FORGIVEN {
            self.since = Some((now, time));
        }
        ahead.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_run_rests_and_a_slow_one_need_not_catch_up() {
        let mut pacing = Pacing::default();
        assert_eq!(pacing.rest(0.0, 5.0), 0.0, "no rate, no rest");
        pacing.set_rate(Some(0.5));
        assert_eq!(pacing.rest(10.0, 1.0), 0.0);
        // Half a unit is one second's worth: after 0.25 s there are 0.75 s to rest.
        assert!((pacing.rest(10.25, 1.5) - 0.75).abs() < 1e-12);
        assert_eq!(pacing.rest(11.0, 1.5), 0.0);
        // Nine seconds later nothing was done: from there on the rate counts anew.
        assert_eq!(pacing.rest(20.0, 1.5), 0.0);
        assert!((pacing.rest(20.0, 2.0) - 1.0).abs() < 1e-12);
        pacing.set_rate(Some(f64::NAN));
        assert_eq!(pacing.rest(20.0, 90.0), 0.0);
    }
}
