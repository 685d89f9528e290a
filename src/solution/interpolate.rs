//! Between the times at which parameters were kept: polynomials through the values at the nearest
//! of them.

/// Times of an interpolating polynomial, at most.
const NODES: usize = 6;
/// Of the one that it is compared with.
const FEWER: usize = 4;

/// How values at a time come from those at kept times.
#[derive(Clone, Debug, PartialEq)]
pub struct Stencil {
    /// The first of the kept times in use.
    pub first: usize,
    /// Weight of each.
    pub weights: Vec<f64>,
    /// Those of a polynomial through fewer times, zero at the others: the difference between the
    /// two says how far to trust the first. None at a kept time.
    pub fewer: Option<Vec<f64>>,
}

impl Stencil {
    /// For `time` among the rising `times`, within a relative `slack` of the whole span of which it
    /// is one of them.
    ///
    /// # Panics
    /// When there are no times.
    #[must_use]
    pub fn new(times: &[f64], time: f64, slack: f64) -> Self {
        let after = times.partition_point(|&t| t < time);
        let near = [after.saturating_sub(1), after.min(times.len() - 1)];
        let near = near.into_iter().find(|&k| (times[k] - time).abs() <= slack);
        if let Some(kept) = near.filter(|_| !times.is_empty()) {
            return Self { first: kept, weights: vec![1.0], fewer: None };
        }
        let (first, count) = window(times.len(), after, NODES);
        let (inner, fewer) = window(times.len(), after, FEWER);
        let mut less = vec![0.0; count];
        let offset = inner - first;
        less[offset..offset + fewer].copy_from_slice(&lagrange(&times[inner..inner + fewer], time));
        let weights = lagrange(&times[first..first + count], time);
        Self { first, weights, fewer: Some(less) }
    }
}

/// The `most` times around the place `after` in a list of `length`: where they begin, and how many
/// there are. The window of fewer times lies within that of more.
fn window(length: usize, after: usize, most: usize) -> (usize, usize) {
    let count = most.min(length);
    let first = after.saturating_sub(most / 2).min(length - count);
    (first, count)
}

/// `l_k(t) = prod_{j != k} (t - t_j) / (t_k - t_j)`.
fn lagrange(times: &[f64], t: f64) -> Vec<f64> {
    let factor = |k: usize, j: usize| (t - times[j]) / (times[k] - times[j]);
    let of = |k: usize| (0..times.len()).filter(|&j| j != k).map(|j| factor(k, j)).product();
    (0..times.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(times: &[f64], t: f64, f: impl Fn(f64) -> f64) -> (f64, Option<f64>) {
        let stencil = Stencil::new(times, t, 1e-12);
        let sum = |w: &[f64]| -> f64 {
            w.iter().zip(&times[stencil.first..]).map(|(w, &t)| w * f(t)).sum()
        };
        let at = sum(&stencil.weights);
        (at, stencil.fewer.as_deref().map(|w| (sum(w) - at).abs()))
    }

    #[test]
    fn quintics_are_exact_anywhere_and_kept_times_are_themselves() {
        let times = [0.0, 0.11, 0.19, 0.33, 0.4, 0.55, 0.61, 0.8, 1.0];
        let f = |t: f64| 1.0 - 2.0 * t + t.powi(3) - 4.0 * t.powi(5);
        for t in [0.001, 0.05, 0.3, 0.5, 0.93, 0.9999] {
            assert!((value(&times, t, f).0 - f(t)).abs() < 1e-13, "t = {t}");
        }
        let (at, estimate) = value(&times, 0.4, f);
        assert!((at - f(0.4)).abs() < 1e-15 && estimate.is_none());
        // With few times the degree is lower.
        assert!((value(&times[..2], 0.05, |t| 3.0 * t).0 - 0.15).abs() < 1e-15);
    }

    #[test]
    fn the_error_is_estimated_from_above() {
        let times: Vec<f64> = (0..21).map(|k| f64::from(k) / 20.0).collect();
        for t in [0.01, 0.12, 0.515, 0.99] {
            let (at, estimate) = value(&times, t, |t| (6.0 * t).sin());
            let (error, estimate) = ((at - (6.0 * t).sin()).abs(), estimate.unwrap());
            assert!(error <= estimate && estimate < 1e-3, "t = {t}: {error:e}, {estimate:e}");
        }
    }
}
