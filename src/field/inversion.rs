//! Coordinates turned inside out around a hole of the domain.
//!
//! A solution around a hole changes over lengths of its distance from the hole, and what makes it do so
//! lies inside, often near the middle. In the coordinates
//!
//! ```text
//! q = y / |y|^2,      y_k = b_k (x_k - c_k),
//! ```
//!
//! with the hole's middle c and its inverse half axes b, the hole's edge has |q| = 1, what is far away
//! lies near zero, and such solutions are smooth: those of Laplace's equation that fade away from a
//! disc are polynomials of q. Coordinates with b_k = 0 have no part in it, time say, and stay as they are.

use crate::jet::JetSet;
use crate::problem::expression::{Channel, MultiIndex};

/// The middle of a hole and its inverse half axes, a number for each coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Inversion {
    centre: Vec<f64>,
    inverse_axes: Vec<f64>,
}

impl Inversion {
    /// None where no coordinate has a part in it.
    #[must_use]
    pub fn new(centre: &[f64], inverse_axes: &[f64]) -> Option<Self> {
        let any = inverse_axes.iter().any(|&b| b != 0.0);
        any.then(|| Self { centre: centre.to_vec(), inverse_axes: inverse_axes.to_vec() })
    }

    /// Jets of all coordinates at a point, one after the other; of those that have no part in it,
    /// `slope x + offset`.
    #[must_use]
    pub fn jets(&self, set: &JetSet, point: &[f64], scaling: &[[f64; 2]]) -> Vec<f64> {
        let count = set.len();
        let first: Vec<Option<usize>> = (0..point.len())
            .map(|k| set.position(Channel::Partial(MultiIndex::along(k, 1))))
            .collect();
        let mut jets = vec![0.0; point.len() * count];
        let mut square = vec![0.0; count];
        for (k, jet) in jets.chunks_exact_mut(count).enumerate() {
            let (b, [slope, offset]) = (self.inverse_axes[k], scaling[k]);
            let inverted = b != 0.0;
            jet[0] =
                if inverted { b * (point[k] - self.centre[k]) } else { slope * point[k] + offset };
            if let Some(at) = first[k] {
                jet[at] = if inverted { b } else { slope };
            }
            if inverted {
                multiply_to(set, jet, jet, &mut square);
            }
        }
        let inverse = reciprocal(set, &square);
        for (jet, b) in jets.chunks_exact_mut(count).zip(&self.inverse_axes) {
            if *b != 0.0 {
                let mut q = vec![0.0; count];
                multiply_to(set, jet, &inverse, &mut q);
                jet.copy_from_slice(&q);
            }
        }
        jets
    }
}

/// `c += a b` of jets.
fn multiply_to(set: &JetSet, a: &[f64], b: &[f64], c: &mut [f64]) {
    for term in set.products() {
        c[usize::from(term.c)] += a[usize::from(term.a)] * b[usize::from(term.b)];
    }
}

/// `1 / a` of a jet: `1 / a_0 sum_m (1 - a / a_0)^m` to the order of the set.
fn reciprocal(set: &JetSet, a: &[f64]) -> Vec<f64> {
    let mut step: Vec<f64> = a.iter().map(|v| -v / a[0]).collect();
    step[0] = 0.0;
    let mut sum = vec![0.0; a.len()];
    for _ in 0..=set.order() {
        let mut next = vec![0.0; a.len()];
        next[0] = 1.0;
        multiply_to(set, &step, &sum, &mut next);
        sum = next;
    }
    sum.iter_mut().for_each(|v| *v /= a[0]);
    sum
}

/// Real and imaginary part of the jet of exp(i g) for the jet of g: Horner's rule in the powers of
/// g without its value.
pub(crate) fn exponential(
    set: &JetSet,
    g: &[f64],
    out: &mut [Vec<f64>; 2],
    work: &mut [Vec<f64>; 2],
) {
    let (sine, cosine) = g[0].sin_cos();
    out.iter_mut().for_each(|part| part.fill(0.0));
    out[0][0] = 1.0;
    for m in (1..=set.order()).rev() {
        let scale = 1.0 / f64::from(m);
        work.iter_mut().for_each(|part| part.fill(0.0));
        work[0][0] = 1.0;
        for term in set.products().iter().filter(|term| term.a != 0) {
            let step = scale * g[usize::from(term.a)];
            let [b, c] = [term.b, term.c].map(usize::from);
            work[0][c] -= step * out[1][b];
            work[1][c] += step * out[0][b];
        }
        std::mem::swap(out, work);
    }
    let [real, imaginary] = out;
    for (a, b) in real.iter_mut().zip(imaginary) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}
