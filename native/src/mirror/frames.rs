//! The frames of a run, as the drawing side keeps them.

/// The frames that the solver kept.
#[derive(Default)]
pub struct Frames {
    pub times: Vec<f64>,
    pub values: Vec<f32>,
    pub reference: Vec<f32>,
    /// Goes up whenever frames are replaced, not only added.
    pub generation: u64,
}

impl Frames {
    /// u at the time `index`.
    #[must_use]
    pub fn values_at(&self, index: usize) -> Option<&[f32]> {
        self.row(&self.values, index)
    }

    /// The reference at the time `index`, where it is known.
    #[must_use]
    pub fn reference_at(&self, index: usize) -> Option<&[f32]> {
        self.row(&self.reference, index)
    }

    fn row<'a>(&self, all: &'a [f32], index: usize) -> Option<&'a [f32]> {
        let points = self.values.len().checked_div(self.times.len())?;
        all.get(index * points..(index + 1) * points)
    }

    /// The frame nearest to a time.
    #[must_use]
    pub fn nearest(&self, time: f64) -> Option<usize> {
        let after = self.times.partition_point(|&t| t < time);
        let before = after.saturating_sub(1);
        let distance = |index: usize| self.times.get(index).map(|t| (t - time).abs());
        match (distance(before), distance(after)) {
            (Some(a), Some(b)) if b < a => Some(after),
            (Some(_), _) => Some(before),
            _ => None,
        }
    }
}
