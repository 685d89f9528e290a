//! The head for jets of one unknown that were computed elsewhere: by a GPU, say.

use std::ops::Range;

use super::{Operator, padded};
use crate::cpu::head::HeadScratch;
use crate::program;
use crate::scalar::Real;

/// Points that the head takes at a time.
const L: usize = <f64 as Real>::LANES;

/// Where the results of a run of points go.
pub struct HeadResults<'a> {
    /// Per expression the rows of the residual of the run's points; what is there is added to.
    pub values: &'a mut [&'a mut [f64]],
    /// Per expression and channel a row of derivatives by the network's Taylor coefficients, one
    /// after the other; none where they are not wanted.
    pub seeds: Option<&'a mut [f64]>,
    /// Whether the density of an energy is wanted, in the first slice, and not its rows.
    pub density: bool,
}

impl Operator<f64> {
    /// Points, or both ends of pairs.
    #[must_use]
    pub fn sides(&self) -> usize {
        self.sides.len()
    }

    /// Taylor coefficients of the embedding's features at the points in `range`: a row for each
    /// feature and channel, channels of a feature together.
    #[must_use]
    pub fn feature_rows(&self, side: usize, range: Range<usize>) -> Vec<f64> {
        let channels = self.head.jets().len();
        let all = &self.sides[side].features;
        let per_block = all.len() / (padded::<f64>(self.points) / L);
        let features = per_block / L / channels;
        let count = range.len();
        let mut rows = vec![0.0; features * channels * count];
        for (i, point) in range.enumerate() {
            let block = &all[point / L * per_block..][..per_block];
            for c in 0..channels {
                for f in 0..features {
                    let value = block[(c * features + f) * L + point % L];
                    rows[(f * channels + c) * count + i] = value;
                }
            }
        }
        rows
    }

    /// Adds what one side contributes to the residual of the points in `range`, whose first is a
    /// multiple of the lanes, and gives the seeds of the sweep back. `jets` has a row per channel
    /// of the network's jet, Taylor coefficients.
    ///
    /// # Panics
    /// When a slice has another size than the range, the channels and the rows say.
    pub fn finish(
        &self,
        side: usize,
        range: Range<usize>,
        jets: &[f64],
        results: &mut HeadResults<'_>,
    ) {
        assert!(range.start.is_multiple_of(L), "runs begin at whole blocks");
        let (channels, count) = (self.head.jets().len(), range.len());
        let (side, stride) = (&self.sides[side], padded::<f64>(self.points));
        let mut head = HeadScratch::<f64, L>::new(&self.head, 1);
        let mut network = vec![[0.0; L]; channels];
        let mut lanes = vec![[0.0; L]; channels * self.head.rows()];
        for at in (0..count).step_by(L) {
            let (start, valid) = (range.start + at, L.min(count - at));
            for (c, to) in network.iter_mut().enumerate() {
                for (l, to) in to.iter_mut().enumerate() {
                    // The last block is filled up with its last point.
                    *to = jets[c * count + at + l.min(valid - 1)];
                }
            }
            let mut scale = [side.sign; L];
            scale.iter_mut().zip(&self.scales[start..]).for_each(|(to, s)| *to *= s);
            let rows = program::Rows { data: &side.rows[start..], stride };
            if results.density {
                head.evaluate(&self.head, &network, rows, &scale);
            } else {
                let mut seeds = lanes.chunks_exact_mut(channels);
                head.differentiate(&self.head, &network, rows, &scale, &mut seeds);
            }
            for (to, from) in results.values.iter_mut().zip(&head.values) {
                to[at..at + valid].iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
            if let Some(seeds) = results.seeds.as_deref_mut() {
                for (row, from) in lanes.iter().enumerate() {
                    seeds[row * count + at..][..valid].copy_from_slice(&from[..valid]);
                }
            }
        }
    }
}
