//! Products of cosines, or of polynomials, along the coordinates: functions with all their derivatives at hand, in which
//! an error is looked for that a network's own directions do not show.
//!
//! Along a periodic coordinate they are its Fourier modes; between walls at which an error or its
//! slope vanishes the sines and cosines that do; else modes of a longer period with both phases (a Fourier extension: Huybrechs, "On the
//! Fourier extension of nonperiodic functions", SIAM J. Numer. Anal. 47, 2010), which come near any
//! smooth function whatever it does at the ends. The last are no basis but a frame: least squares on
//! them have to be truncated.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};

use crate::plane_waves::Functions;
use crate::problem::expression::{Channel, MultiIndex};

/// Period of an extension over the length of the coordinate.
const EXTENSION: f64 = 1.6;
/// Functions along one coordinate at most.
const MOST_ALONG: usize = 512;

/// One coordinate's range and what functions do at its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub lower: f64,
    pub length: f64,
    pub ends: Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Periodic,
    /// At each wall functions vanish, or their slopes do where this is true.
    Walls([bool; 2]),
    Free,
    /// Nothing, of smooth functions: Legendre polynomials of Euclidean degree (Trefethen, "Multivariate
    /// polynomial approximation in the hypercube", Proc. AMS 145, 2017). They come nearer to functions
    /// of few waves than the modes of a longer period, and are well conditioned.
    Polynomials,
}

/// `cos(frequency (x - lower) + phase)`.
#[derive(Clone, Copy, Debug)]
struct Wave {
    frequency: f64,
    phase: f64,
    /// Half waves over the length of the coordinate.
    level: f64,
}

/// The products of smallest wave number, the smoothest first.
#[derive(Clone, Debug)]
pub struct Waves {
    spans: Vec<Span>,
    along: Vec<Vec<Wave>>,
    products: Vec<Vec<usize>>,
}

impl Span {
    /// The waves along it, the longest first.
    fn waves(&self) -> Vec<Wave> {
        let wave = |half_waves: f64, phase: f64| Wave {
            frequency: PI * half_waves / self.length,
            phase,
            level: half_waves,
        };
        let both = |spacing: f64| {
            let pair = move |j: usize| [0.0, -FRAC_PI_2].map(|p| wave(j as f64 * spacing, p));
            std::iter::once(wave(0.0, 0.0)).chain((1..).flat_map(pair)).take(MOST_ALONG).collect()
        };
        match self.ends {
            Ends::Periodic => both(2.0),
            Ends::Free => both(2.0 / EXTENSION),
            // A polynomial of degree n tells about 2 n / pi half waves apart.
            Ends::Polynomials => (0..MOST_ALONG).map(|n| wave(n as f64 * FRAC_2_PI, 0.0)).collect(),
            Ends::Walls([lower, upper]) => {
                // Whole half waves between like walls, quarters beside unlike ones.
                let first = match (lower, upper) {
                    (false, false) => 1.0,
                    (true, true) => 0.0,
                    _ => 0.5,
                };
                let phase = if lower { 0.0 } else { -FRAC_PI_2 };
                (0..MOST_ALONG).map(|j| wave(first + j as f64, phase)).collect()
            }
        }
    }
}

impl Waves {
    /// `most` products over the coordinates.
    #[must_use]
    pub fn new(spans: &[Span], most: usize) -> Self {
        let along: Vec<Vec<Wave>> = spans.iter().map(Span::waves).collect();
        // Half waves squared, in thousandths: whole numbers have an order.
        let cost = |product: &[usize]| -> u64 {
            let levels = product.iter().zip(&along).map(|(&j, waves)| waves[j].level.powi(2));
            (1e3 * levels.sum::<f64>()).round() as u64
        };
        let first = vec![0; spans.len()];
        let mut waiting = BinaryHeap::from([Reverse((cost(&first), first.clone()))]);
        let mut seen = BTreeSet::from([first]);
        let mut products = Vec::with_capacity(most);
        while products.len() < most
            && let Some(Reverse((_, product))) = waiting.pop()
        {
            for k in 0..spans.len() {
                let mut next = product.clone();
                next[k] += 1;
                if next[k] < along[k].len() && seen.insert(next.clone()) {
                    waiting.push(Reverse((cost(&next), next)));
                }
            }
            products.push(product);
        }
        Self { spans: spans.to_vec(), along, products }
    }

    /// Euclidean degree up to which the first `count` products go, in the polynomials' measure.
    #[must_use]
    pub fn degree(&self, count: usize) -> f64 {
        let Some(last) = self.products.iter().take(count).next_back() else { return 0.0 };
        let levels = last.iter().zip(&self.along).map(|(&j, waves)| waves[j].level.powi(2));
        levels.sum::<f64>().sqrt() / FRAC_2_PI
    }

    fn add_partial(&self, point: &[f64], index: &MultiIndex, factor: f64, out: &mut [f64]) {
        let needed = |k: usize| self.products.iter().map(|p| p[k] + 1).max().unwrap_or(0);
        let tables: Vec<Vec<f64>> = (0..point.len())
            .map(|k| {
                let order = index.0[k];
                let at = point[k] - self.spans[k].lower;
                if self.spans[k].ends == Ends::Polynomials {
                    let slope = 2.0 / self.spans[k].length;
                    let scale = slope.powi(i32::from(order));
                    let table = legendre(needed(k), order, slope * at - 1.0);
                    return table.into_iter().map(|p| scale * p).collect();
                }
                let turn = FRAC_PI_2 * f64::from(order);
                let value = |wave: &Wave| {
                    let scale = wave.frequency.powi(i32::from(order));
                    scale * (wave.frequency * at + wave.phase + turn).cos()
                };
                self.along[k][..needed(k)].iter().map(value).collect()
            })
            .collect();
        for (out, product) in out.iter_mut().zip(&self.products) {
            let value: f64 = product.iter().zip(&tables).map(|(&j, table)| table[j]).product();
            *out += factor * value;
        }
    }
}

/// Derivatives of an order of the first `count` Legendre polynomials at s in [-1, 1]: with
/// `(n + 1) P_(n+1) = (2n + 1) s P_n - n P_(n-1)`, `P'_(n+1) = P'_(n-1) + (2n + 1) P_n`.
fn legendre(count: usize, order: u8, s: f64) -> Vec<f64> {
    let mut table = vec![1.0, s];
    table.resize(count.max(2), 0.0);
    for n in 1..table.len() - 1 {
        let m = n as f64;
        table[n + 1] = ((2.0 * m + 1.0) * s * table[n] - m * table[n - 1]) / (m + 1.0);
    }
    for _ in 0..order {
        let lower = std::mem::take(&mut table);
        table = vec![0.0, lower[0]];
        for n in 1..lower.len() - 1 {
            table.push(table[n - 1] + (2 * n + 1) as f64 * lower[n]);
        }
    }
    table.truncate(count);
    table
}

impl Functions for Waves {
    fn len(&self) -> usize {
        self.products.len()
    }

    fn add(&self, point: &[f64], channel: Channel, factor: f64, out: &mut [f64]) {
        match channel {
            Channel::Partial(index) => self.add_partial(point, &index, factor, out),
            Channel::Laplacian => {
                for k in 0..point.len() {
                    self.add_partial(point, &MultiIndex::along(k, 2), factor, out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans() -> [Span; 4] {
        let span = |lower, length, ends| Span { lower, length, ends };
        [
            span(-1.0, 3.0, Ends::Free),
            span(0.5, 2.0, Ends::Periodic),
            span(0.0, 1.5, Ends::Walls([false; 2])),
            span(-0.5, 4.0, Ends::Polynomials),
        ]
    }

    fn channel(waves: &Waves, point: &[f64], channel: Channel) -> Vec<f64> {
        let mut out = vec![0.0; waves.len()];
        waves.add(point, channel, 1.0, &mut out);
        out
    }

    #[test]
    fn derivatives_are_those_of_differences() {
        let waves = Waves::new(&spans(), 60);
        let h = 1e-4;
        let point = [0.3, 1.1, 0.4, 0.7];
        for k in 0..4 {
            let (mut up, mut down) = (point, point);
            up[k] += h;
            down[k] -= h;
            for order in 0..3 {
                let [lower, upper] =
                    [order, order + 1].map(|o| Channel::Partial(MultiIndex::along(k, o)));
                let exact = channel(&waves, &point, upper);
                let sides = [up, down].map(|p| channel(&waves, &p, lower));
                let size = exact.iter().fold(1.0f64, |most, v| most.max(v.abs()));
                for (j, exact) in exact.iter().enumerate() {
                    let difference = (sides[0][j] - sides[1][j]) / (2.0 * h);
                    assert!((difference - exact).abs() < 1e-4 * size, "{k} {order} {j}");
                }
            }
        }
        let sum: Vec<f64> = (0..4)
            .map(|k| channel(&waves, &point, Channel::Partial(MultiIndex::along(k, 2))))
            .fold(vec![0.0; 60], |sum, v| sum.iter().zip(v).map(|(a, b)| a + b).collect());
        let laplacian = channel(&waves, &point, Channel::Laplacian);
        assert!(sum.iter().zip(&laplacian).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn ends_are_as_they_are_told() {
        let waves = Waves::new(&spans(), 80);
        let value = Channel::value();
        let wall = channel(&waves, &[0.3, 1.1, 1.5, 0.7], value);
        assert!(wall.iter().all(|v| v.abs() < 1e-12));
        let [a, b] =
            [[0.3, 0.5, 0.2, 0.7], [0.3, 2.5, 0.2, 0.7]].map(|p| channel(&waves, &p, value));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12));
        for flat in [[false, true], [true, false], [true, true]] {
            let span = Span { lower: -1.0, length: 3.0, ends: Ends::Walls(flat) };
            let waves = Waves::new(&[span], 20);
            for (flat, x) in flat.into_iter().zip([-1.0, 2.0]) {
                let of =
                    |order| channel(&waves, &[x], Channel::Partial(MultiIndex::along(0, order)));
                let (zero, other) = if flat { (of(1), of(0)) } else { (of(0), of(1)) };
                assert!(zero.iter().all(|v| v.abs() < 1e-11), "{flat} {x}: {zero:?}");
                assert!(other.iter().all(|v| v.abs() > 0.1), "{flat} {x}: {other:?}");
            }
        }
        let [a, b] =
            [[-1.0, 0.6, 0.2, 0.7], [2.0, 0.6, 0.2, 0.7]].map(|p| channel(&waves, &p, value));
        assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 0.1));
    }
}
