//! A curve drawn with the pointer, as a solution that a network can follow.

/// Passes of the running mean that rounds the corners off, and its width over that of the domain.
const PASSES: usize = 3;
const WIDTH: f64 = 0.03;

/// `values` over the equispaced, ascending positions `x`, changed to what was drawn where something
/// was drawn; later points win. The change is smoothed, around the end where the coordinate is
/// `periodic`, else to nothing at both ends, where boundary values hold.
///
/// `None` where nothing was drawn across any position.
pub fn redrawn(x: &[f64], values: &[f64], stroke: &[[f64; 2]], periodic: bool) -> Option<Vec<f64>> {
    let mut change = vec![0.0; x.len()];
    let mut any = false;
    for pair in stroke.windows(2) {
        let [[a, u], [b, v]] =
            if pair[0][0] <= pair[1][0] { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
        let (from, to) = (x.partition_point(|&x| x < a), x.partition_point(|&x| x <= b));
        for k in from..to {
            let share = if b > a { (x[k] - a) / (b - a) } else { 1.0 };
            change[k] = u + share * (v - u) - values.get(k)?;
            any = true;
        }
    }
    if !any {
        return None;
    }
    let half = ((WIDTH * x.len() as f64 / 2.0) as usize).max(1);
    for _ in 0..PASSES {
        change = running_mean(&change, half, periodic);
    }
    if !periodic {
        let last = x.len() - 1;
        let room = (2 * half).max(1) as f64;
        for (k, change) in change.iter_mut().enumerate() {
            *change *= (k.min(last - k) as f64 / room).min(1.0);
        }
    }
    Some(values.iter().zip(&change).map(|(u, d)| u + d).collect())
}

/// The mean over 2 `half` + 1 neighbours; beyond the ends of what is not periodic the end is
/// repeated.
fn running_mean(values: &[f64], half: usize, periodic: bool) -> Vec<f64> {
    let length = values.len() as i64;
    let at = |k: i64| {
        let k = if periodic { k.rem_euclid(length) } else { k.clamp(0, length - 1) };
        values[k as usize]
    };
    let half = half as i64;
    let mut sum: f64 = (-half..=half).map(at).sum();
    (0..length)
        .map(|k| {
            let mean = sum / (2 * half + 1) as f64;
            sum += at(k + half + 1) - at(k - half);
            mean
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<f64> {
        (0..400).map(|k| f64::from(k) / 400.0).collect()
    }

    #[test]
    fn a_smooth_stroke_is_followed_and_the_rest_stays() {
        let x = grid();
        let values = vec![0.5; x.len()];
        let wanted = |x: f64| 0.5 + 0.4 * (std::f64::consts::PI * (x - 0.3) / 0.4).sin().powi(2);
        // From right to left, as a hand may go, with few points.
        let stroke: Vec<[f64; 2]> =
            (0..=40).rev().map(|k| 0.3 + 0.01 * f64::from(k)).map(|x| [x, wanted(x)]).collect();
        let drawn = redrawn(&x, &values, &stroke, true).expect("something was drawn");
        for (x, u) in x.iter().zip(&drawn) {
            let expected = if (0.3..=0.7).contains(x) { wanted(*x) } else { 0.5 };
            assert!((u - expected).abs() < 0.03, "{u} and not {expected} at {x}");
        }
        assert_eq!(drawn[10], 0.5, "far from the stroke nothing moves");
        assert!(redrawn(&x, &values, &stroke[..1], true).is_none());
    }

    #[test]
    fn corners_are_rounded_and_ends_that_are_not_periodic_stay() {
        let x = grid();
        let values = vec![0.0; x.len()];
        let stroke = [[0.0, 1.0], [0.5, 1.0]];
        for periodic in [true, false] {
            let drawn = redrawn(&x, &values, &stroke, periodic).expect("something was drawn");
            let jump = drawn.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
            assert!(jump < 0.1, "{jump}");
            assert_eq!(drawn[0] != 0.0, periodic);
        }
    }

    #[test]
    fn the_running_mean_is_the_plain_one() {
        let values: Vec<f64> = (0..23).map(|k| f64::from(k * k % 7)).collect();
        for periodic in [true, false] {
            let fast = running_mean(&values, 3, periodic);
            for (k, mean) in fast.iter().enumerate() {
                let index = |j: i64| match periodic {
                    true => j.rem_euclid(23) as usize,
                    false => j.clamp(0, 22) as usize,
                };
                let sum: f64 = (-3..=3).map(|d| values[index(k as i64 + d)]).sum();
                assert!((mean - sum / 7.0).abs() < 1e-12);
            }
        }
    }
}
