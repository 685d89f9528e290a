//! How many columns a step takes, where the run chooses (`method.columns = "auto"`).
//!
//! On the parameters' own equation s follows the rank: it is too small where all columns are
//! independent above the cutoff, and larger than need be where many of them add nothing. A stage
//! fit goes on with fresh subsets, so that its s follows the work: fits that miss the tolerance or
//! take nearly all their corrections want more columns, those that need one at most can do with
//! fewer. Where many columns are idle already, a front makes the fit hard and not s, and more of them
//! would only cost time. Each step is judged by its own numbers: s is all there is to save.

use super::subset::Subsets;

/// Fewest.
const LEAST: usize = 16;
/// Most, over the number of points: beyond it a fit finds nothing that it could not reach before.
const MOST_PER_POINT: usize = 2;
/// A rank above this part of s is full, one below that leaves idle columns.
const FULL: f64 = 0.9;
const IDLE: f64 = 0.6;
/// A fit with so many corrections was easy.
const EASY: usize = 1;
/// Growth where a fit missed its tolerance, or the rank is full; and what idle columns leave.
const MISSED_GROWTH: f64 = 1.4;
const FULL_GROWTH: f64 = 1.2;
const SHRINK: f64 = 0.95;

/// What an attempt at a step says about s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// Directions above the cutoff.
    Rank(usize),
    /// A fit missed the tolerance; directions above the cutoff where it began.
    Missed { rank: usize },
    /// A fit met it with so many corrections, of so many that it may take.
    Met { corrections: usize, most: usize, rank: usize },
}

impl Seen {
    /// By what s changes.
    fn factor(self, count: usize) -> f64 {
        match self {
            Self::Missed { rank } | Self::Met { rank, .. }
                if self.is_hard() && (rank as f64) < IDLE * count as f64 =>
            {
                1.0
            }
            Self::Missed { .. } => MISSED_GROWTH,
            Self::Rank(rank) if rank as f64 > FULL * count as f64 => FULL_GROWTH,
            Self::Rank(rank) if (rank as f64) < IDLE * count as f64 => SHRINK,
            Self::Rank(_) => 1.0,
            Self::Met { .. } if self.is_hard() => FULL_GROWTH,
            Self::Met { corrections, .. } if corrections <= EASY => SHRINK,
            Self::Met { .. } => 1.0,
        }
    }

    /// Whether a fit wants more than it has.
    fn is_hard(self) -> bool {
        match self {
            Self::Rank(_) => false,
            Self::Missed { .. } => true,
            Self::Met { corrections, most, .. } => corrections >= hard(most),
        }
    }
}

/// Corrections that are nearly all of them.
fn hard(most: usize) -> usize {
    most.saturating_sub(1).max(EASY + 1).min(most)
}

/// Bounds of s for n points and p parameters.
#[must_use]
pub fn most(points: usize, parameters: usize) -> usize {
    (MOST_PER_POINT * points).max(LEAST).min(parameters)
}

/// The next s.
#[must_use]
pub fn next(count: usize, most: usize, seen: Seen) -> usize {
    let factor = seen.factor(count);
    // Rounded away from s, so that small ones change as well.
    let next = factor * count as f64;
    let next = if factor > 1.0 { next.ceil() } else { next.floor() };
    (next as usize).clamp(LEAST.min(most), most)
}

impl Subsets {
    /// Lets s follow what was seen, where it may.
    pub(super) fn follow(&mut self, points: usize, seen: Seen) {
        if self.adaptive {
            self.count = next(self.count, self.most(points), seen);
        }
    }

    /// Doubles s; false where that is not to be had.
    pub(super) fn double(&mut self, points: usize) -> bool {
        let most = self.most(points);
        let possible = self.adaptive && self.count < most;
        if possible {
            self.count = (2 * self.count).min(most);
        }
        possible
    }

    fn most(&self, points: usize) -> usize {
        most(points, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{REACTION, problem};

    #[test]
    fn s_grows_where_it_is_too_small_and_shrinks_where_columns_are_idle() {
        let rank = Seen::Rank;
        assert!(next(100, 1_000, rank(100)) > 100, "full");
        assert!(
            next(100, 1_000, Seen::Missed { rank: 99 }) > next(100, 1_000, rank(100)),
            "missed"
        );
        assert_eq!(next(100, 1_000, rank(75)), 100);
        assert!(next(100, 1_000, rank(20)) < 100, "idle");
        assert_eq!(next(100, 110, rank(100)), 110, "no more than there may be");
        assert_eq!(next(LEAST, 1_000, rank(1)), LEAST);
        // However small, it leaves the bound where it must.
        assert!(next(LEAST, 1_000, rank(LEAST)) > LEAST);
        assert_eq!(next(3, 5, rank(1)), 5, "a network of five parameters");
        for (corrections, most, grows) in [
            (6, 6, 1),
            (5, 6, 1),
            (4, 6, 0),
            (2, 6, 0),
            (1, 6, -1),
            (0, 6, -1),
            (1, 1, 1),
            (0, 1, -1),
        ] {
            let change =
                |rank| next(100, 1_000, Seen::Met { corrections, most, rank }) as i64 - 100;
            assert_eq!(change(80).signum(), grows, "{corrections} of {most}");
            assert_eq!(change(50).signum(), grows.min(0), "{corrections} of {most}, idle columns");
        }
        assert_eq!(next(100, 1_000, Seen::Missed { rank: 50 }), 100, "more would be idle too");
        assert_eq!(most(100, 10_000), 200);
        assert_eq!(most(100, 150), 150);
    }

    /// With a rank that does not depend on s it comes to rest where the rank is neither full nor
    /// leaves idle columns.
    #[test]
    fn s_settles() {
        for first in [LEAST, 100, 900] {
            let mut count = first;
            for _ in 0..100 {
                count = next(count, 1_000, Seen::Rank(count.min(200)));
            }
            let fullness = 200.0 / count as f64;
            assert!((IDLE..=FULL).contains(&fullness), "{first}: {count}");
        }
    }

    #[test]
    fn runs_that_are_stuck_get_twice_the_columns_once_they_may() {
        let of = |columns: &str| {
            let changes = [("method.update", "random-sparse"), ("method.columns", columns)];
            Subsets::new(0, 105, &problem(REACTION, &changes).method)
        };
        let mut fixed = of("20");
        assert!(!fixed.double(50) && fixed.count == 20);
        let mut adaptive = of("auto");
        adaptive.count = 40;
        assert!(adaptive.double(50) && adaptive.count == 80);
        assert!(adaptive.double(50) && adaptive.count == 100, "twice the points");
        assert!(!adaptive.double(50), "nothing is left");
    }
}
