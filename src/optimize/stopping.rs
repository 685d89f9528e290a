//! When a training is over.

/// Why a training has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The loss is at most the one that was asked for.
    Loss,
    /// The error against the reference is at most the one that was asked for.
    Error,
    /// All iterations are done.
    MaxIterations,
    /// The loss falls no longer.
    Stalled,
    /// The loss has grown beyond all bounds.
    Diverged,
    /// A correction takes what is left of the residual to round-off.
    RoundOff,
}

impl StopReason {
    /// Every reason; positions stand in saved states.
    pub const ALL: [Self; 6] = [
        Self::Loss,
        Self::Error,
        Self::MaxIterations,
        Self::Stalled,
        Self::Diverged,
        Self::RoundOff,
    ];

    /// In words, for people and for result files.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Loss => "the loss is small enough",
            Self::Error => "the error is small enough",
            Self::MaxIterations => "all iterations are done",
            Self::Stalled => "the loss falls no longer",
            Self::Diverged => "the loss grows without bound",
            Self::RoundOff => "a correction takes the residual to round-off",
        }
    }
}

/// The one rule by which every method stops; the first reason that holds, in the order of
/// [`StopReason::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoppingRule {
    pub max_iterations: usize,
    /// Loss to stop at.
    pub loss: Option<f64>,
    /// Relative error against the reference to stop at, where there is one.
    pub error: Option<f64>,
    pub stall: Option<Stall>,
}

/// The loss has stalled when the least one of the last `patience` iterations is above `factor` times
/// the least one before them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stall {
    pub patience: usize,
    pub factor: f64,
}

impl Default for StoppingRule {
    fn default() -> Self {
        Self { max_iterations: 1_000, loss: None, error: None, stall: None }
    }
}

impl StoppingRule {
    /// Whether to stop after as many iterations as there are `losses`; `error` is the last one that
    /// was measured.
    #[must_use]
    pub fn check(&self, losses: &[f64], error: Option<f64>) -> Option<StopReason> {
        let reached = |value: Option<f64>, bound: Option<f64>| match (value, bound) {
            (Some(value), Some(bound)) => value <= bound,
            _ => false,
        };
        if reached(losses.last().copied(), self.loss) {
            Some(StopReason::Loss)
        } else if reached(error, self.error) {
            Some(StopReason::Error)
        } else if losses.len() >= self.max_iterations {
            Some(StopReason::MaxIterations)
        } else if self.stall.is_some_and(|stall| stall.holds(losses)) {
            Some(StopReason::Stalled)
        } else {
            None
        }
    }
}

impl Stall {
    /// Whether the loss has stalled after these losses.
    #[must_use]
    pub fn holds(self, losses: &[f64]) -> bool {
        let Some(before) = losses.len().checked_sub(self.patience).filter(|&n| n > 0) else {
            return false;
        };
        let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
        let (old, new) = (least(&losses[..before]), least(&losses[before..]));
        // An energy may be negative: what counts is the decrease.
        old - new <= (1.0 - self.factor) * old.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_in_their_order() {
        let rule = StoppingRule {
            max_iterations: 4,
            loss: Some(1e-3),
            error: Some(1e-2),
            stall: Some(Stall { patience: 2, factor: 0.9 }),
        };
        assert_eq!(rule.check(&[1.0, 1e-3], Some(1e-2)), Some(StopReason::Loss));
        assert_eq!(rule.check(&[1.0, 1e-2], Some(1e-2)), Some(StopReason::Error));
        assert_eq!(rule.check(&[1.0, 1e-2], Some(2e-2)), None);
        assert_eq!(rule.check(&[1.0; 4], None), Some(StopReason::MaxIterations));
        assert_eq!(rule.check(&[1.0, 0.95, 0.91], None), Some(StopReason::Stalled));
        assert_eq!(rule.check(&[1.0, 0.95, 0.89], None), None);
        assert_eq!(rule.check(&[1.0, 0.95], None), None, "too early to tell");
        // An energy that still falls, below zero.
        let rule = StoppingRule { loss: None, ..rule };
        assert_eq!(rule.check(&[-1.0, -1.1, -1.2], None), None);
        assert_eq!(rule.check(&[-1.0, -1.01, -1.02], None), Some(StopReason::Stalled));
    }
}
