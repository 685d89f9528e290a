//! Points that fill a cube evenly, one after the other.

use crate::random::Philox;

/// The additive recurrence with the powers of the root of `x^(d+1) = x + 1` (Roberts, "The unreasonable
/// effectiveness of quasirandom sequences", 2018) in d dimensions, from a drawn point.
pub struct Recurrence {
    ratio: f64,
    shift: Vec<f64>,
}

impl Recurrence {
    #[must_use]
    pub fn new(dimensions: usize, random: &Philox, draw: u64) -> Self {
        let root = 1.0 / (dimensions as f64 + 1.0);
        let ratio = (0..64).fold(1.5f64, |x, _| (1.0 + x).powf(root));
        let shift = (0..dimensions).map(|k| random.uniform(draw, k as u32)).collect();
        Self { ratio, shift }
    }

    /// Point j, in [0, 1).
    #[must_use]
    pub fn point(&self, j: usize) -> Vec<f64> {
        let along =
            |(k, shift): (usize, &f64)| (shift + j as f64 / self.ratio.powi(k as i32 + 1)).fract();
        self.shift.iter().enumerate().map(along).collect()
    }
}
