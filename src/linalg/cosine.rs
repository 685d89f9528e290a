//! The orthonormal discrete cosine transform, type II.
//!
//! `(C x)_k = a_k sum_i x_i cos(pi (i + 1/2) k / n)`, `a_0 = sqrt(1/n)`, else `a_k = sqrt(2/n)`.
//! Computed by one complex Fourier transform of the same length from the even entries followed by
//! the odd ones backwards (Makhoul: "A fast cosine transform in one and two dimensions", IEEE
//! Transactions on Acoustics, Speech, and Signal Processing, 1980).

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// C for one length.
pub struct CosineTransform {
    fourier: Arc<dyn Fft<f64>>,
    /// `a_k exp(-i pi k / (2 n))`.
    twiddles: Vec<Complex<f64>>,
}

impl CosineTransform {
    pub fn new(length: usize) -> Self {
        let twiddle = |k: usize| {
            let angle = -0.5 * PI * k as f64 / length as f64;
            Complex::from_polar(amplitude(length, k), angle)
        };
        Self {
            fourier: FftPlanner::new().plan_fft_forward(length),
            twiddles: (0..length).map(twiddle).collect(),
        }
    }

    /// Entry (k, i) of C.
    pub fn entry(length: usize, k: usize, i: usize) -> f64 {
        // The angle is k (2 i + 1) / (2 n) half turns: reduced as whole numbers, it stays exact.
        let (k, i, n) = (k as u64, i as u64, length as u64);
        let turns = (k * (2 * i + 1)) % (4 * n);
        amplitude(length, k as usize) * (PI * turns as f64 / (2 * n) as f64).cos()
    }

    /// C applied to two vectors at once.
    pub fn pair(&self, [a, b]: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
        let n = self.twiddles.len();
        let mut packed = vec![Complex::default(); n];
        for (i, (&a, &b)) in a.iter().zip(&b).enumerate() {
            let place = if i.is_multiple_of(2) { i / 2 } else { n - 1 - i / 2 };
            packed[place] = Complex::new(a, b);
        }
        self.fourier.process(&mut packed);
        let (mut a, mut b) = (a, b);
        for (k, twiddle) in self.twiddles.iter().enumerate() {
            // The spectra of the real and of the imaginary part, by their symmetry.
            let (one, other) = (packed[k], packed[(n - k) % n].conj());
            a[k] = (twiddle * 0.5 * (one + other)).re;
            b[k] = (twiddle * 0.5 * (one - other) * -Complex::i()).re;
        }
        [a, b]
    }

    /// `C^T x`, which is also the inverse.
    pub fn transposed(&self, x: &[f64]) -> Vec<f64> {
        let n = self.twiddles.len();
        // The spectrum V of the reordered result: exp(-i pi k / (2 n)) V_k = X_k - i X_(n-k) with
        // X = x / a; the inverse transform is the conjugate of the forward one of the conjugate.
        let raw = |k: usize| if k == n { 0.0 } else { x[k] / amplitude(n, k) };
        let mut packed: Vec<Complex<f64>> = (0..n)
            .map(|k| {
                let turn = self.twiddles[k] / amplitude(n, k);
                let real_part = Complex::new(raw(k), if k == 0 { 0.0 } else { -raw(n - k) });
                (turn.conj() * real_part).conj()
            })
            .collect();
        self.fourier.process(&mut packed);
        let place = |i: usize| if i.is_multiple_of(2) { i / 2 } else { n - 1 - i / 2 };
        (0..n).map(|i| packed[place(i)].re / n as f64).collect()
    }
}

fn amplitude(length: usize, k: usize) -> f64 {
    (if k == 0 { 1.0 } else { 2.0 } / length as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_transform_is_the_sum_of_its_definition() {
        for n in [1, 2, 3, 8, 17, 100] {
            let a: Vec<f64> = (0..n).map(|i| ((i * i) as f64).sin()).collect();
            let b: Vec<f64> = (0..n).map(|i| (i as f64 + 0.3).cos()).collect();
            let fast = CosineTransform::new(n).pair([a.clone(), b.clone()]);
            for (x, fast) in [a, b].iter().zip(&fast) {
                let back = CosineTransform::new(n).transposed(fast);
                let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-14 * n as f64;
                assert!(back.iter().zip(x).all(close), "{n}");
                let energy: f64 = x.iter().map(|x| x * x).sum();
                let transformed: f64 = fast.iter().map(|x| x * x).sum();
                assert!((energy - transformed).abs() < 1e-14 * n as f64 * energy.max(1.0));
                for (k, fast) in fast.iter().enumerate() {
                    let terms = x.iter().enumerate();
                    let sum: f64 = terms.map(|(i, x)| CosineTransform::entry(n, k, i) * x).sum();
                    assert!((sum - fast).abs() < 1e-14 * n as f64, "{n}, {k}: {sum} {fast}");
                }
            }
        }
    }
}
