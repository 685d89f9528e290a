//! Real Fourier transforms of even length, by packing the even and the odd samples into one
//! complex transform of half the length.

use std::sync::Arc;

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

/// Transforms between samples u_j at the points j / M of the period and coefficients c_k with
/// u_j = sum over |k| < M/2 of c_k exp(2 pi i k j / M), c_{-k} = conj(c_k).
pub struct RealTransform {
    length: usize,
    synthesis: Arc<dyn Fft<f64>>,
    analysis: Arc<dyn Fft<f64>>,
    /// exp(2 pi i k / M), k = 0 .. M/2.
    twiddles: Vec<Complex64>,
    packed: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl RealTransform {
    /// A transform of `length` samples; `length` is even.
    #[must_use]
    pub fn new(length: usize, planner: &mut FftPlanner<f64>) -> Self {
        debug_assert!(length >= 2 && length.is_multiple_of(2));
        let half = length / 2;
        let (synthesis, analysis) =
            (planner.plan_fft_inverse(half), planner.plan_fft_forward(half));
        let scratch = synthesis.get_inplace_scratch_len().max(analysis.get_inplace_scratch_len());
        let angle = std::f64::consts::TAU / length as f64;
        Self {
            length,
            synthesis,
            analysis,
            twiddles: (0..=half).map(|k| Complex64::cis(angle * k as f64)).collect(),
            packed: vec![Complex64::default(); half],
            scratch: vec![Complex64::default(); scratch],
        }
    }

    /// Samples from the coefficients c_0 .. c_K; K is below M/2, what lies above is zero.
    pub fn synthesize(&mut self, coefficients: &[Complex64], samples: &mut [f64]) {
        let half = self.length / 2;
        debug_assert!(coefficients.len() <= half && samples.len() == self.length);
        let zero = Complex64::default();
        self.packed.fill(zero);
        // Z_k = (c_k + conj c_{H-k}) + i w^k (c_k - conj c_{H-k}): two sums of half the length in
        // one. Each coefficient enters Z_k and Z_{H-k}.
        for (k, &c) in coefficients.iter().enumerate() {
            self.packed[k] += c + times_i(self.twiddles[k] * c);
            if k > 0 {
                let mirror = half - k;
                self.packed[mirror] += c.conj() - times_i(self.twiddles[mirror] * c.conj());
            }
        }
        self.synthesis.process_with_scratch(&mut self.packed, &mut self.scratch);
        for (pair, z) in samples.chunks_exact_mut(2).zip(&self.packed) {
            (pair[0], pair[1]) = (z.re, z.im);
        }
    }

    /// The coefficients c_0 .. of the samples, as many as `coefficients` holds (at most M/2).
    pub fn analyze(&mut self, samples: &[f64], coefficients: &mut [Complex64]) {
        let half = self.length / 2;
        debug_assert!(coefficients.len() <= half && samples.len() == self.length);
        for (z, pair) in self.packed.iter_mut().zip(samples.chunks_exact(2)) {
            *z = Complex64::new(pair[0], pair[1]);
        }
        self.analysis.process_with_scratch(&mut self.packed, &mut self.scratch);
        let scale = 0.5 / self.length as f64;
        for (k, c) in coefficients.iter_mut().enumerate() {
            let (z, mirror) = (self.packed[k], self.packed[(half - k) % half].conj());
            let (even, odd) = (z + mirror, -times_i(z - mirror));
            *c = (even + self.twiddles[k].conj() * odd) * scale;
        }
    }
}

fn times_i(z: Complex64) -> Complex64 {
    Complex64::new(-z.im, z.re)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// The defining sum, term by term.
    fn direct(coefficients: &[Complex64], length: usize, j: usize) -> f64 {
        let angle = std::f64::consts::TAU / length as f64;
        coefficients
            .iter()
            .enumerate()
            .map(|(k, c)| {
                let weight = if k == 0 { 1.0 } else { 2.0 };
                weight * (c * Complex64::cis(angle * ((j * k) % length) as f64)).re
            })
            .sum()
    }

    #[test]
    fn transforms_are_the_defining_sum_and_its_inverse() {
        let random = Philox::new(2, Stream::Vectors);
        for length in [2, 4, 6, 16, 30, 96] {
            for count in [1, length / 4, length / 2] {
                let count = count.max(1);
                let mut coefficients: Vec<Complex64> = (0..count as u32)
                    .map(|k| Complex64::new(random.normal(0, k), random.normal(1, k)))
                    .collect();
                coefficients[0].im = 0.0;
                let mut transform = RealTransform::new(length, &mut FftPlanner::new());
                let mut samples = vec![0.0; length];
                transform.synthesize(&coefficients, &mut samples);
                let bound = 1e-15 * length as f64 * 4.0;
                for (j, &sample) in samples.iter().enumerate() {
                    let exact = direct(&coefficients, length, j);
                    assert!((sample - exact).abs() < bound, "{length} {count}: {sample} {exact}");
                }
                let mut back = vec![Complex64::default(); count];
                transform.analyze(&samples, &mut back);
                for (a, b) in back.iter().zip(&coefficients) {
                    assert!((a - b).norm() < bound, "{length} {count}: {a} {b}");
                }
            }
        }
    }
}
