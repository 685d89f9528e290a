//! The derivative channels that travel through the layers together.

use std::collections::BTreeSet;

use crate::problem::expression::{Channel, MultiIndex};

/// A downward-closed set of derivatives, the value first, lower orders before higher ones, and the
/// collapsed Laplacian, if it is there, last. Partial derivatives are carried as normalised Taylor
/// coefficients, the derivative over alpha!, the Laplacian as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    partials: Vec<MultiIndex>,
    laplacian: bool,
    dimensions: usize,
}

impl Channels {
    /// The smallest such set with the value and everything `wanted`, in `dimensions` coordinates.
    #[must_use]
    pub fn closure(wanted: &BTreeSet<Channel>, dimensions: usize) -> Self {
        let laplacian = wanted.contains(&Channel::Laplacian);
        let mut set = BTreeSet::from([MultiIndex::default()]);
        if laplacian {
            // The Laplacian of a composition needs the whole gradient.
            set.extend((0..dimensions).map(|k| MultiIndex::along(k, 1)));
        }
        let mut open: Vec<MultiIndex> = wanted
            .iter()
            .filter_map(|channel| match channel {
                Channel::Partial(index) => Some(*index),
                Channel::Laplacian => None,
            })
            .collect();
        while let Some(index) = open.pop() {
            if set.insert(index) {
                for k in (0..dimensions).filter(|&k| index.0[k] > 0) {
                    let mut below = index;
                    below.0[k] -= 1;
                    if !set.contains(&below) {
                        open.push(below);
                    }
                }
            }
        }
        let mut partials: Vec<MultiIndex> = set.into_iter().collect();
        partials.sort_by_key(|index| (index.order(), std::cmp::Reverse(*index)));
        Self { partials, laplacian, dimensions }
    }

    /// How many channels there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.partials.len() + usize::from(self.laplacian)
    }

    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The partial derivatives, in channel order.
    #[must_use]
    pub fn partials(&self) -> &[MultiIndex] {
        &self.partials
    }

    /// Position of the collapsed Laplacian.
    #[must_use]
    pub fn laplacian(&self) -> Option<usize> {
        self.laplacian.then_some(self.partials.len())
    }

    /// Position of a partial derivative.
    #[must_use]
    pub fn position(&self, index: &MultiIndex) -> Option<usize> {
        self.partials.iter().position(|other| other == index)
    }

    /// Position of a channel.
    #[must_use]
    pub fn find(&self, channel: Channel) -> Option<usize> {
        match channel {
            Channel::Partial(index) => self.position(&index),
            Channel::Laplacian => self.laplacian(),
        }
    }

    /// Every channel, in order.
    pub fn iter(&self) -> impl Iterator<Item = Channel> + '_ {
        self.partials
            .iter()
            .map(|&index| Channel::Partial(index))
            .chain(self.laplacian.then_some(Channel::Laplacian))
    }

    /// Highest order of a partial derivative, and at least 2 with a Laplacian.
    #[must_use]
    pub fn order(&self) -> u8 {
        let partial = self.partials.iter().map(MultiIndex::order).max().unwrap_or(0);
        partial.max(if self.laplacian { 2 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(orders: &[u8]) -> Channel {
        let mut index = MultiIndex::default();
        index.0[..orders.len()].copy_from_slice(orders);
        Channel::Partial(index)
    }

    #[test]
    fn the_closure_holds_every_lower_derivative_and_no_more() {
        let channels = Channels::closure(&BTreeSet::from([partial(&[2, 1])]), 2);
        let expected = [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [2, 1]];
        assert_eq!(channels.iter().collect::<Vec<_>>(), expected.map(|o| partial(&o)));
        assert_eq!(channels.order(), 3);
    }

    #[test]
    fn a_laplacian_brings_the_gradient_and_comes_last() {
        let channels = Channels::closure(&BTreeSet::from([Channel::Laplacian]), 3);
        assert_eq!(channels.count(), 5);
        assert_eq!(channels.laplacian(), Some(4));
        assert_eq!(channels.order(), 2);
        assert_eq!(Channels::closure(&BTreeSet::new(), 3).count(), 1);
    }
}
