//! Limited-memory BFGS.

use std::collections::VecDeque;

use super::wolfe::line_search;
use super::{QuasiNewton, Sample, add, difference, dot};

/// Nocedal, Wright: "Numerical Optimization", algorithm 7.4, with a line search for the weak Wolfe
/// conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Lbfgs {
    /// Pairs of steps and gradient differences that are remembered.
    pub memory: usize,
    /// (s, y), oldest first.
    pub pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { memory: 20, pairs: VecDeque::new() }
    }
}

impl QuasiNewton for Lbfgs {
    async fn step<E>(
        &mut self,
        from: &Sample,
        objective: &mut impl AsyncFnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<Option<Sample>, E> {
        let mut direction = self.direction(&from.gradient);
        if dot(&direction, &from.gradient) >= 0.0 {
            self.pairs.clear();
            direction = from.gradient.iter().map(|g| -g).collect();
        }
        // Without a memory the gradient has no natural length: move by one at most.
        let length = dot(&direction, &direction).sqrt();
        let first = if self.pairs.is_empty() { length.recip().min(1.0) } else { 1.0 };
        let Some(next) = line_search(from, &direction, first, objective).await? else {
            return Ok(None);
        };
        let s = difference(&next.theta, &from.theta);
        let y = difference(&next.gradient, &from.gradient);
        if dot(&s, &y) > f64::EPSILON * dot(&y, &y) {
            self.pairs.push_back((s, y));
            if self.pairs.len() > self.memory {
                self.pairs.pop_front();
            }
        }
        Ok(Some(next))
    }
}

impl Lbfgs {
    /// The pairs as one list.
    pub fn save(&self) -> Vec<f64> {
        self.pairs.iter().flat_map(|(s, y)| s.iter().chain(y)).copied().collect()
    }

    /// The inverse of [`Lbfgs::save`]; `None` where the list does not suit so many parameters.
    pub fn restored(memory: usize, list: &[f64], parameters: usize) -> Option<Self> {
        if parameters == 0 || !list.len().is_multiple_of(2 * parameters) {
            return None;
        }
        let pair = |pair: &[f64]| (pair[..parameters].to_vec(), pair[parameters..].to_vec());
        Some(Self { memory, pairs: list.chunks_exact(2 * parameters).map(pair).collect() })
    }

    /// `-H g` by the two-loop recursion.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut factors = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let factor = dot(s, &q) / dot(s, y);
            add(&mut q, -factor, y);
            factors.push(factor);
        }
        if let Some((s, y)) = self.pairs.back() {
            let scale = dot(s, y) / dot(y, y);
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for ((s, y), factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let back = dot(y, &q) / dot(s, y);
            add(&mut q, factor - back, s);
        }
        q
    }
}
