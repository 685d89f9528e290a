//! Unknowns that turn into each other, as real and imaginary part of a complex one do.

use rustfft::num_complex::Complex64;

use super::etdrk4::System;
use super::spectrum::Spectrum;

impl System {
    /// u + i v and u - i v in place of u and v, for those that turn into each other.
    pub(super) fn turn(&self, state: &mut Spectrum) {
        let i = Complex64::i();
        self.each_pair(state, |u, v| [u + i * v, u - i * v]);
    }

    /// The inverse of [`System::turn`].
    pub(super) fn straighten(&self, state: &mut Spectrum) {
        let half_i = Complex64::new(0.0, -0.5);
        self.each_pair(state, |p, m| [0.5 * (p + m), half_i * (p - m)]);
    }

    fn each_pair(
        &self,
        state: &mut Spectrum,
        change: impl Fn(Complex64, Complex64) -> [Complex64; 2],
    ) {
        let count = state.values.len() / state.fields();
        for [u, v] in &self.turning {
            for k in 0..count {
                let at = [u * count + k, v * count + k];
                let both = change(state.values[at[0]], state.values[at[1]]);
                at.iter().zip(both).for_each(|(&at, value)| state.values[at] = value);
            }
        }
    }
}
