//! Real Fourier transforms in one and more dimensions.

use std::sync::Arc;

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use super::spectrum::Spectrum;

/// Transforms between a [`Spectrum`] and samples on a grid over the period, the last axis fastest:
/// complex ones along all axes but the last, a real one along that.
pub struct FieldTransform {
    leading: Vec<Axis>,
    last: RealTransform,
    /// Along the axes done so far samples, along the others coefficients.
    mixed: [Vec<Complex64>; 2],
}

/// Complex transforms along one axis.
struct Axis {
    synthesis: Arc<dyn Fft<f64>>,
    analysis: Arc<dyn Fft<f64>>,
    line: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Axis {
    fn new(length: usize, planner: &mut FftPlanner<f64>) -> Self {
        let (synthesis, analysis) =
            (planner.plan_fft_inverse(length), planner.plan_fft_forward(length));
        let scratch = synthesis.get_inplace_scratch_len().max(analysis.get_inplace_scratch_len());
        Self {
            synthesis,
            analysis,
            line: vec![Complex64::default(); length],
            scratch: vec![Complex64::default(); scratch],
        }
    }

    /// Samples along an axis of `count` coefficients, `inner` numbers apart.
    fn synthesize(
        &mut self,
        from: &[Complex64],
        count: usize,
        inner: usize,
        to: &mut Vec<Complex64>,
    ) {
        let (length, half) = (self.line.len(), count / 2 + 1);
        to.resize(from.len() / count * length, Complex64::default());
        for (from, to) in from.chunks_exact(count * inner).zip(to.chunks_exact_mut(length * inner))
        {
            for i in 0..inner {
                self.line.fill(Complex64::default());
                for (j, c) in from[i..].iter().step_by(inner).enumerate() {
                    self.line[if j < half { j } else { length - count + j }] = *c;
                }
                self.synthesis.process_with_scratch(&mut self.line, &mut self.scratch);
                to[i..].iter_mut().step_by(inner).zip(&self.line).for_each(|(to, z)| *to = *z);
            }
        }
    }

    /// The inverse: as many coefficients as are wanted, of all samples.
    fn analyze(&mut self, from: &[Complex64], count: usize, inner: usize, to: &mut Vec<Complex64>) {
        let (length, half) = (self.line.len(), count / 2 + 1);
        let scale = 1.0 / length as f64;
        to.resize(from.len() / length * count, Complex64::default());
        for (from, to) in from.chunks_exact(length * inner).zip(to.chunks_exact_mut(count * inner))
        {
            for i in 0..inner {
                self.line
                    .iter_mut()
                    .zip(from[i..].iter().step_by(inner))
                    .for_each(|(z, f)| *z = *f);
                self.analysis.process_with_scratch(&mut self.line, &mut self.scratch);
                for (j, c) in to[i..].iter_mut().step_by(inner).enumerate() {
                    *c = self.line[if j < half { j } else { length - count + j }] * scale;
                }
            }
        }
    }
}

impl FieldTransform {
    /// A transform of so many samples along each axis, along the last an even number.
    ///
    /// # Panics
    /// Without an axis.
    #[must_use]
    pub fn new(samples: &[usize], planner: &mut FftPlanner<f64>) -> Self {
        let (&last, leading) = samples.split_last().expect("an axis");
        Self {
            leading: leading.iter().map(|&length| Axis::new(length, planner)).collect(),
            last: RealTransform::new(last, planner),
            mixed: [vec![], vec![]],
        }
    }

    /// Samples of a field with these coefficients, which lie as those of `spectrum`; along every axis
    /// they are more than twice its half less one.
    pub fn synthesize(
        &mut self,
        spectrum: &Spectrum,
        coefficients: &[Complex64],
        samples: &mut [f64],
    ) {
        let half = spectrum.halves()[self.leading.len()];
        let [mut from, mut to] = std::mem::take(&mut self.mixed);
        from.clear();
        from.extend_from_slice(coefficients);
        let mut inner = half;
        for (index, axis) in self.leading.iter_mut().enumerate().rev() {
            axis.synthesize(&from, spectrum.count(index), inner, &mut to);
            std::mem::swap(&mut from, &mut to);
            inner *= axis.line.len();
        }
        let lines = samples.chunks_exact_mut(self.last.length);
        for (line, row) in lines.zip(from.chunks_exact(half)) {
            self.last.synthesize(row, line);
        }
        self.mixed = [from, to];
    }

    /// The coefficients of the samples, as many and as they lie in `spectrum`.
    pub fn analyze(
        &mut self,
        samples: &[f64],
        spectrum: &Spectrum,
        coefficients: &mut [Complex64],
    ) {
        let half = spectrum.halves()[self.leading.len()];
        let [mut from, mut to] = std::mem::take(&mut self.mixed);
        let lines = samples.chunks_exact(self.last.length);
        from.resize(lines.len() * half, Complex64::default());
        for (line, row) in lines.zip(from.chunks_exact_mut(half)) {
            self.last.analyze(line, row);
        }
        let mut inner: usize =
            half * self.leading.iter().map(|axis| axis.line.len()).product::<usize>();
        for (index, axis) in self.leading.iter_mut().enumerate() {
            inner /= axis.line.len();
            axis.analyze(&from, spectrum.count(index), inner, &mut to);
            std::mem::swap(&mut from, &mut to);
        }
        coefficients.copy_from_slice(&from);
        self.mixed = [from, to];
    }
}

/// Transforms of one line, by packing its even and its odd samples into one complex transform of
/// half the length, between samples u_j at the points j / M of the period and coefficients c_k with
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

    #[test]
    fn fields_are_the_defining_sum_and_its_inverse() {
        let random = Philox::new(3, Stream::Vectors);
        for (halves, samples) in
            [(vec![1, 3], vec![2, 8]), (vec![3, 2], vec![5, 4]), (vec![2, 3, 2], vec![4, 6, 6])]
        {
            let mut spectrum = Spectrum::zeros(1, &halves);
            let mut waves = vec![];
            spectrum.visit(|_, k| waves.push(k.to_vec()));
            // Of a real field: c of the opposite wave number is the conjugate where both are kept.
            let draw = |k: &[i64]| {
                let name = k.iter().fold(0, |sum, &k| 7 * sum + k + 3) as u32;
                Complex64::new(random.normal(0, name), random.normal(1, name))
            };
            for (value, k) in spectrum.values.iter_mut().zip(&waves) {
                let opposite: Vec<i64> = k.iter().map(|k| -k).collect();
                *value = draw(k);
                if k[k.len() - 1] == 0 {
                    *value = (*value + draw(&opposite).conj()) * 0.5;
                }
            }
            let mut values = vec![0.0; samples.iter().product()];
            let mut transform = FieldTransform::new(&samples, &mut FftPlanner::new());
            transform.synthesize(&spectrum, &spectrum.values, &mut values);
            for (point, value) in values.iter().enumerate() {
                let exact: f64 = waves
                    .iter()
                    .zip(&spectrum.values)
                    .map(|(k, c)| {
                        let mut rest = point;
                        let turns = (0..k.len()).rev().map(|axis| {
                            let j = rest % samples[axis];
                            rest /= samples[axis];
                            (k[axis] * j as i64) as f64 / samples[axis] as f64
                        });
                        let phase = std::f64::consts::TAU * turns.sum::<f64>();
                        let weight = if k[k.len() - 1] == 0 { 1.0 } else { 2.0 };
                        weight * (c * Complex64::cis(phase)).re
                    })
                    .sum();
                assert!((value - exact).abs() < 1e-13, "{halves:?}: {value} {exact}");
            }
            let mut back = spectrum.values.clone();
            transform.analyze(&values, &spectrum, &mut back);
            for (a, b) in back.iter().zip(&spectrum.values) {
                assert!((a - b).norm() < 1e-13, "{halves:?}: {a} {b}");
            }
        }
    }
}
