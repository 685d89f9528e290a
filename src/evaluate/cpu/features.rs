//! What the embedding reads of the points, computed once.

use crate::evaluate::program::Rows;
use crate::network::Input;
use crate::scalar::Real;

/// Per block of lanes, in the order that [`super::block::Features`] reads: cosine and sine per
/// periodic coordinate, then the scaled value per other one. `rows` has one row of
/// `blocks * T::LANES` points per coordinate.
pub fn lane_features<T: Real>(inputs: &[Input], rows: Rows<'_, f64>, blocks: usize) -> Vec<T> {
    let mut features = Vec::with_capacity(blocks * inputs.len() * 2 * T::LANES);
    for block in 0..blocks {
        let lanes = |k: usize| rows.data[k * rows.stride + block * T::LANES..][..T::LANES].iter();
        for (k, input) in inputs.iter().enumerate() {
            if let Input::Periodic { period } = input {
                let angle = |x: &f64| std::f64::consts::TAU * x / period;
                features.extend(lanes(k).map(|x| T::of(angle(x).cos())));
                features.extend(lanes(k).map(|x| T::of(angle(x).sin())));
            }
        }
        for (k, input) in inputs.iter().enumerate() {
            if let Input::Linear { lower, upper } = *input {
                let scaled = |x: &f64| 2.0 * (x - lower) / (upper - lower) - 1.0;
                features.extend(lanes(k).map(|x| T::of(scaled(x))));
            }
        }
    }
    features
}

/// Lane groups of one block in what [`lane_features`] gives, and how many of them are periodic.
pub fn layout(inputs: &[Input]) -> (usize, usize) {
    let periodic = inputs.iter().filter(|i| matches!(i, Input::Periodic { .. })).count();
    (periodic + inputs.len(), periodic)
}
