//! Which derivatives of the network are carried together, and how truncated power series multiply.
//!
//! A jet holds, per channel, the normalised Taylor coefficient of the field at a point: the partial
//! derivative over its factorial. For the collapsed Laplacian it is half the Laplacian, the sum of
//! the coefficients of x_k^2. Products and compositions of series are then plain convolutions.

use std::collections::BTreeSet;

use crate::problem::expression::{Channel, MAX_ORDER, MultiIndex};

/// `c += a * b` for the coefficients of three channels of one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    pub a: u16,
    pub b: u16,
    pub c: u16,
}

/// A set of channels closed under taking lower derivatives, value first, by rising order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JetSet {
    dimensions: usize,
    channels: Vec<Channel>,
    /// All of the truncated product, the constant channel included.
    products: Vec<Term>,
    /// `powers[m - 2]`: the terms of h^m = h^(m-1) h for a series h without constant term.
    powers: Vec<Vec<Term>>,
}

impl JetSet {
    /// The smallest closed set that holds `wanted` (and always the value).
    #[must_use]
    pub fn closure(dimensions: usize, wanted: impl IntoIterator<Item = Channel>) -> Self {
        let mut set = BTreeSet::new();
        let mut open: Vec<Channel> = wanted.into_iter().chain([Channel::value()]).collect();
        while let Some(channel) = open.pop() {
            if !set.insert(channel) {
                continue;
            }
            match channel {
                Channel::Partial(index) => {
                    for k in (0..dimensions).filter(|&k| index.0[k] > 0) {
                        let mut lower = index;
                        lower.0[k] -= 1;
                        open.push(Channel::Partial(lower));
                    }
                }
                Channel::Laplacian => {
                    let first = |k| Channel::Partial(MultiIndex::along(k, 1));
                    open.extend((0..dimensions).map(first));
                }
            }
        }
        let mut channels: Vec<Channel> = set.into_iter().collect();
        channels.sort_by_key(|c| (order(*c), *c));
        Self::from_closed(dimensions, channels)
    }

    /// The value and every first derivative.
    #[must_use]
    pub fn first_order(dimensions: usize) -> Self {
        let first = (0..dimensions).map(|k| Channel::Partial(MultiIndex::along(k, 1)));
        Self::closure(dimensions, first)
    }

    fn from_closed(dimensions: usize, channels: Vec<Channel>) -> Self {
        let products = product_terms(&channels);
        let top = channels.iter().map(|c| order(*c)).max().unwrap_or(0);
        let powers = (2..=top)
            .map(|m| {
                let keep = |t: &&Term| {
                    let degree = |k: u16| order(channels[k as usize]);
                    t.b != 0 && degree(t.b) >= 1 && degree(t.a) >= m - 1
                };
                products.iter().filter(keep).copied().collect()
            })
            .collect();
        Self { dimensions, channels, products, powers }
    }

    /// The first `count` channels as a set of their own.
    ///
    /// # Panics
    /// When those are not closed (the value alone, and every full order, are).
    #[must_use]
    pub fn prefix(&self, count: usize) -> Self {
        let kept = &self.channels[..count];
        let closed = Self::closure(self.dimensions, kept.iter().copied());
        assert_eq!(closed.channels, kept, "the first {count} channels are not closed");
        closed
    }

    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Never: the value is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// The highest order of a channel.
    #[must_use]
    pub fn order(&self) -> u8 {
        self.channels.iter().map(|c| order(*c)).max().unwrap_or(0)
    }

    /// Total order of a channel's derivatives.
    #[must_use]
    pub fn channel_order(&self, channel: usize) -> u8 {
        order(self.channels[channel])
    }

    #[must_use]
    pub fn position(&self, channel: Channel) -> Option<usize> {
        self.channels.iter().position(|c| *c == channel)
    }

    #[must_use]
    #[inline]
    pub fn products(&self) -> &[Term] {
        &self.products
    }

    #[must_use]
    #[inline]
    pub fn powers(&self) -> &[Vec<Term>] {
        &self.powers
    }

    /// Derivative over Taylor coefficient, per channel.
    #[must_use]
    pub fn factor(&self, channel: usize) -> f64 {
        match self.channels[channel] {
            Channel::Partial(index) => index.factorial(),
            Channel::Laplacian => 2.0,
        }
    }
}

/// Total order of a channel's derivatives.
fn order(channel: Channel) -> u8 {
    match channel {
        Channel::Partial(index) => index.order(),
        Channel::Laplacian => 2,
    }
}

fn product_terms(channels: &[Channel]) -> Vec<Term> {
    let position = |wanted: Channel| channels.iter().position(|c| *c == wanted);
    let mut terms = Vec::new();
    for (a, &left) in channels.iter().enumerate() {
        for (b, &right) in channels.iter().enumerate() {
            let mut push = |c: usize| {
                terms.push(Term { a: a as u16, b: b as u16, c: c as u16 });
            };
            match (left, right) {
                (Channel::Partial(x), Channel::Partial(y)) => {
                    if x.order() + y.order() <= MAX_ORDER
                        && let Some(c) = position(Channel::Partial(x.plus(&y)))
                    {
                        push(c);
                    }
                    if x == y
                        && x.order() == 1
                        && let Some(c) = position(Channel::Laplacian)
                    {
                        push(c);
                    }
                }
                (Channel::Laplacian, Channel::Partial(x)) if x.order() == 0 => push(a),
                (Channel::Partial(x), Channel::Laplacian) if x.order() == 0 => push(b),
                _ => {}
            }
        }
    }
    terms.sort_by_key(|t| (t.c, t.a, t.b));
    terms
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
    fn the_closure_holds_every_lower_derivative() {
        let set = JetSet::closure(2, [partial(&[2, 1])]);
        let expected = [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]];
        assert_eq!(set.channels(), expected.map(|o| partial(&o)));
        assert_eq!(set.order(), 3);
        assert_eq!(JetSet::closure(5, [Channel::Laplacian]).len(), 7);
        assert_eq!(JetSet::closure(1, []).len(), 1);
    }

    /// (1 + x + x^2)^2 through the table against the binomial result.
    #[test]
    fn products_and_powers_are_those_of_polynomials() {
        let set = JetSet::closure(1, [partial(&[4])]);
        let series = [1.0, 1.0, 1.0, 0.0, 0.0];
        let mut square = [0.0; 5];
        for t in set.products() {
            square[t.c as usize] += series[t.a as usize] * series[t.b as usize];
        }
        assert_eq!(square, [1.0, 2.0, 3.0, 2.0, 1.0]);
        // h = x + 2 x^2: h^2 = x^2 + 4 x^3 + 4 x^4, h^3 = x^3 + 6 x^4, h^4 = x^4.
        let h = [0.0, 1.0, 2.0, 0.0, 0.0];
        let mut power = h;
        let expected =
            [[0.0, 0.0, 1.0, 4.0, 4.0], [0.0, 0.0, 0.0, 1.0, 6.0], [0.0, 0.0, 0.0, 0.0, 1.0]];
        for (terms, wanted) in set.powers().iter().zip(expected) {
            let mut next = [0.0; 5];
            for t in terms {
                next[t.c as usize] += power[t.a as usize] * h[t.b as usize];
            }
            assert_eq!(next, wanted);
            power = next;
        }
    }

    /// The Laplacian of (x + 2 y)^2 / 2 is 5: half of it is carried.
    #[test]
    fn the_collapsed_laplacian_sums_the_squares() {
        let set = JetSet::closure(2, [Channel::Laplacian]);
        let at = |c| set.position(c).unwrap();
        let mut h = vec![0.0; set.len()];
        h[at(partial(&[1, 0]))] = 1.0;
        h[at(partial(&[0, 1]))] = 2.0;
        let mut square = vec![0.0; set.len()];
        for t in &set.powers()[0] {
            square[t.c as usize] += h[t.a as usize] * h[t.b as usize];
        }
        let laplacian = at(Channel::Laplacian);
        assert_eq!(set.factor(laplacian) * square[laplacian] / 2.0, 5.0);
    }
}
