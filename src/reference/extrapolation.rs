//! Ordinary differential equations to round-off: the extrapolated midpoint rule.
//!
//! Gragg's midpoint rule with n = 2, 4, 6, ... substeps over the same interval has an error in even
//! powers of the substep, which the Aitken-Neville scheme removes one by one: j rows give order 2j
//! (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", section II.9).

use crate::problem::expression::MAX_DIMENSIONS;

/// Room for a point's coordinates and two numbers more.
pub type State = [f64; MAX_DIMENSIONS + 2];

/// Rows of the scheme at most: order 16.
const ROWS: usize = 8;
/// Local error per step, relative to states of size 1 and more.
pub const TOLERANCE: f64 = 1e-14;

/// What came of a step.
pub enum Step<const N: usize> {
    Taken {
        end: [f64; N],
        /// Part of the step's length that suits the next one.
        factor: f64,
    },
    /// The error is above the tolerance: try this part of the length.
    Rejected { factor: f64 },
    /// On the way the state was where `outside` says: after this part of the length.
    Left { part: f64 },
}

/// One step of length h from `y` at `time`; `rate(time, y)` is the right-hand side.
pub fn step<const N: usize>(
    rate: &impl Fn(f64, &[f64; N]) -> [f64; N],
    time: f64,
    y: &[f64; N],
    h: f64,
    outside: &impl Fn(&[f64; N]) -> bool,
) -> Step<N> {
    let slope = rate(time, y);
    let mut table = [[0.0; N]; ROWS];
    let mut error = f64::INFINITY;
    for row in 0..ROWS {
        let count = 2 * (row + 1);
        let mut next = match midpoint(rate, (time, y, &slope), h, count, outside) {
            Ok(end) => end,
            Err(substep) => return Step::Left { part: substep as f64 / count as f64 },
        };
        // Entry k is T(row - 1, k), to be replaced by T(row, k).
        for (k, entry) in table[..row].iter_mut().enumerate() {
            let ratio = (row + 1) as f64 / (row - k) as f64;
            let mut better = next;
            for (i, to) in better.iter_mut().enumerate() {
                *to += (next[i] - entry[i]) / (ratio * ratio - 1.0);
            }
            *entry = std::mem::replace(&mut next, better);
        }
        table[row] = next;
        if row > 0 {
            error = distance(&next, &table[row - 1], y);
            if error <= TOLERANCE {
                // Fewer rows than all of them: the next step may be longer.
                let factor = if row + 1 < ROWS { 2.0 } else { factor(error, row) };
                return Step::Taken { end: next, factor };
            }
        }
    }
    Step::Rejected { factor: factor(error, ROWS - 1).min(0.7) }
}

/// The part of the step's length at which the error of row `row` would meet the tolerance.
fn factor(error: f64, row: usize) -> f64 {
    let exponent = 1.0 / (2 * row + 1) as f64;
    let factor = 0.9 * (TOLERANCE / error.max(f64::MIN_POSITIVE)).powf(exponent);
    if factor.is_finite() { factor.clamp(0.1, 2.0) } else { 0.1 }
}

/// The midpoint rule, or the substep after which the state was outside.
fn midpoint<const N: usize>(
    rate: &impl Fn(f64, &[f64; N]) -> [f64; N],
    (time, y, slope): (f64, &[f64; N], &[f64; N]),
    h: f64,
    count: usize,
    outside: &impl Fn(&[f64; N]) -> bool,
) -> Result<[f64; N], usize> {
    let substep = h / count as f64;
    let (mut before, mut now) = (*y, moved(y, slope, substep));
    for k in 1..count {
        if outside(&now) {
            return Err(k);
        }
        let slope = rate(time + substep * k as f64, &now);
        let next = moved(&before, &slope, 2.0 * substep);
        (before, now) = (now, next);
    }
    Ok(now)
}

fn moved<const N: usize>(y: &[f64; N], slope: &[f64; N], by: f64) -> [f64; N] {
    std::array::from_fn(|i| by.mul_add(slope[i], y[i]))
}

/// Largest difference relative to the size of `y`; infinite where it is not a number.
fn distance<const N: usize>(a: &[f64; N], b: &[f64; N], y: &[f64; N]) -> f64 {
    let relative = |i: usize| (a[i] - b[i]).abs() / y[i].abs().max(1.0);
    (0..a.len()).map(relative).fold(0.0, |most, d| if d <= most { most } else { d.max(most) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state after a time, and the steps taken.
    fn integrate(rate: impl Fn(f64, &State) -> State, start: State, end: f64) -> (State, usize) {
        let (mut time, mut y, mut h, mut steps) = (0.0, start, end, 0);
        while time < end {
            h = f64::min(h, end - time);
            match step(&rate, time, &y, h, &|_| false) {
                Step::Taken { end, factor } => {
                    (time, y, h, steps) = (time + h, end, h * factor, steps + 1);
                }
                Step::Rejected { factor } => h *= factor,
                Step::Left { .. } => unreachable!("nothing is outside"),
            }
        }
        (y, steps)
    }

    #[test]
    fn a_pendulum_and_a_forced_equation_to_round_off() {
        // (x, v)' = (v, -x); w' = w cos t.
        let rate = |t: f64, y: &State| {
            let mut rate = State::default();
            (rate[0], rate[1], rate[2]) = (y[1], -y[0], y[2] * t.cos());
            rate
        };
        let mut start = State::default();
        (start[0], start[2]) = (1.0, 1.0);
        let (end, steps) = integrate(rate, start, 10.0);
        let exact = [10f64.cos(), -(10f64.sin()), 10f64.sin().exp()];
        for (value, exact) in end.iter().zip(exact) {
            assert!((value - exact).abs() < 2e-13, "{value} and {exact} after {steps} steps");
        }
        assert!(steps < 20, "{steps} steps of order 16");
        let planted = |t: f64, y: &State| {
            let mut rate = rate(t, y);
            rate[1] *= 1.0 + 1e-12;
            rate
        };
        let off = (integrate(planted, start, 10.0).0[0] - exact[0]).abs();
        assert!(off > 2e-12, "a slightly wrong equation is seen: {off:e}");
    }

    #[test]
    fn whoever_leaves_on_the_way_is_noticed() {
        let mut rate = State::default();
        rate[0] = 1.0;
        let outside = |y: &State| y[0] > 0.5;
        let start = State::default();
        assert!(matches!(step(&|_, _| rate, 0.0, &start, 0.4, &outside), Step::Taken { .. }));
        let Step::Left { part } = step(&|_, _| rate, 0.0, &start, 10.0, &outside) else {
            panic!("it leaves");
        };
        assert!(part < 1.0);
    }
}
