//! Integrals over a step by the polynomial through the rates at the nearest steps.

use serde::{Deserialize, Serialize};

/// Nodes of the polynomial: its integral is exact to degree five, of higher order than the steps.
pub const NODES: usize = 6;
/// Steps after an interval that are waited for: in the middle of its nodes a polynomial is best.
pub const AHEAD: usize = 2;

/// An accepted step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub time: f64,
    /// u, and du/dt by the equation, at the points.
    pub values: Vec<f64>,
    pub rates: Vec<f64>,
}

/// Adds to `defect` what the step from node `index` to the next one has left undone.
pub fn add_defect(nodes: &[Node], index: usize, defect: &mut [f64]) {
    let first = (index + 1).saturating_sub(NODES / 2).min(nodes.len().saturating_sub(NODES));
    let window = &nodes[first..nodes.len().min(first + NODES)];
    let times: Vec<f64> = window.iter().map(|node| node.time).collect();
    let (from, to) = (&nodes[index], &nodes[index + 1]);
    let weights = weights(&times, from.time, to.time);
    for (i, defect) in defect.iter_mut().enumerate() {
        let integral: f64 = window.iter().zip(&weights).map(|(node, w)| w * node.rates[i]).sum();
        *defect += integral - (to.values[i] - from.values[i]);
    }
}

/// Integrals from a to b of the polynomials that are 1 at one of the times and 0 at the others, by
/// three nodes of Gauss: exact to degree five.
fn weights(times: &[f64], a: f64, b: f64) -> Vec<f64> {
    let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
    let root = 0.6f64.sqrt();
    let rule = [(-root, 5.0 / 9.0), (0.0, 8.0 / 9.0), (root, 5.0 / 9.0)];
    let lagrange = |j: usize, t: f64| -> f64 {
        let others = times.iter().enumerate().filter(|(k, _)| *k != j);
        others.map(|(_, other)| (t - other) / (times[j] - other)).product()
    };
    let integral =
        |j: usize| rule.iter().map(|(x, w)| half * w * lagrange(j, middle + half * x)).sum::<f64>();
    (0..times.len()).map(integral).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_have_no_defect_and_what_is_missing_is_found() {
        let times = [0.0, 0.1, 0.25, 0.3, 0.5, 0.6, 0.8, 1.1];
        let rate = |t: f64| 1.0 - 2.0 * t + 6.0 * t.powi(5);
        let value = |t: f64| t - t * t + t.powi(6);
        let mut nodes: Vec<Node> = times
            .iter()
            .map(|&time| Node { time, values: vec![value(time)], rates: vec![rate(time)] })
            .collect();
        for index in 0..times.len() - 1 {
            let mut defect = [0.0];
            add_defect(&nodes, index, &mut defect);
            assert!(defect[0].abs() < 1e-13, "interval {index}: {}", defect[0]);
        }
        nodes[4].values[0] += 1e-3;
        let mut defect = [0.0];
        add_defect(&nodes, 3, &mut defect);
        assert!((defect[0] + 1e-3).abs() < 1e-12);
    }
}
