//! Fourier coefficients of real fields that are periodic in one or more dimensions.

use rustfft::num_complex::Complex64;

/// Half of the coefficients of real fields, one field after the other: u(x) = sum over k of c_k exp(i k . x), in which
/// c_{-k} = conj(c_k) is not stored.
///
/// Along axis a the wave numbers are |k_a| < h_a, the *half* of the axis. Along the last axis only
/// k = 0 .. h - 1 are kept; along the others the order is 0 .. h - 1, -(h - 1) .. -1. The last axis
/// varies fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrum {
    fields: usize,
    halves: Vec<usize>,
    pub values: Vec<Complex64>,
}

/// Coefficients along an axis.
fn kept(half: usize, is_last: bool) -> usize {
    if is_last { half } else { 2 * half - 1 }
}

impl Spectrum {
    /// # Panics
    /// When an axis has the half 0.
    #[must_use]
    pub fn zeros(fields: usize, halves: &[usize]) -> Self {
        assert!(halves.iter().all(|&half| half > 0));
        let count = fields * Self::counts(halves).product::<usize>();
        Self { fields, halves: halves.to_vec(), values: vec![Complex64::default(); count] }
    }

    /// `None` when the values are not as many as the halves say.
    #[must_use]
    pub fn from_parts(fields: usize, halves: Vec<usize>, values: Vec<Complex64>) -> Option<Self> {
        let count = Self::counts(&halves).try_fold(fields, usize::checked_mul)?;
        let fits = !halves.is_empty() && count > 0 && count == values.len();
        fits.then_some(Self { fields, halves, values })
    }

    fn counts(halves: &[usize]) -> impl Iterator<Item = usize> + '_ {
        let last = halves.len().saturating_sub(1);
        let count = move |(axis, &half): (usize, &usize)| {
            if axis == last { half } else { half.saturating_mul(2).saturating_sub(1) }
        };
        halves.iter().enumerate().map(count)
    }

    #[must_use]
    pub fn halves(&self) -> &[usize] {
        &self.halves
    }

    /// Coefficients stored along `axis`.
    #[must_use]
    pub fn count(&self, axis: usize) -> usize {
        kept(self.halves[axis], axis + 1 == self.halves.len())
    }

    #[must_use]
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// The coefficients of every field.
    pub fn each(&self) -> impl Iterator<Item = &[Complex64]> {
        self.values.chunks_exact(self.values.len() / self.fields)
    }

    /// Calls `look` with the wave numbers of every coefficient of a field, in their order.
    pub fn visit(&self, mut look: impl FnMut(usize, &[i64])) {
        let last = self.halves.len() - 1;
        let mut k = vec![0i64; self.halves.len()];
        for index in 0..self.values.len() / self.fields {
            look(index, &k);
            for axis in (0..=last).rev() {
                let half = self.halves[axis] as i64;
                k[axis] += 1;
                if k[axis] == 0 || (axis == last && k[axis] == half) {
                    // Past the end of this axis: the next one turns.
                    k[axis] = 0;
                    continue;
                }
                if k[axis] == half {
                    k[axis] = 1 - half;
                    if half == 1 {
                        continue;
                    }
                }
                break;
            }
        }
    }

    /// The index of the coefficient of `k`, where the spectrum has it.
    fn index(&self, k: &[i64]) -> Option<usize> {
        k.iter().enumerate().try_fold(0, |index, (axis, &k)| {
            let (half, count) = (self.halves[axis] as i64, self.count(axis));
            let place = if k < 0 { k + count as i64 } else { k };
            (k.abs() < half).then(|| index * count + place as usize)
        })
    }

    /// The same field with other halves: what is missing is zero, what has no room is left out.
    #[must_use]
    pub fn resized(&self, halves: &[usize]) -> Self {
        let mut out = Self::zeros(self.fields, halves);
        let mut pairs = Vec::new();
        self.visit(|from, k| pairs.extend(out.index(k).map(|to| (from, to))));
        let strides = [self, &out].map(|spectrum| spectrum.values.len() / self.fields);
        for field in 0..self.fields {
            for &(from, to) in &pairs {
                out.values[field * strides[1] + to] = self.values[field * strides[0] + from];
            }
        }
        out
    }

    /// Sum of the fields' mean squares, by Parseval's identity.
    #[must_use]
    pub fn energy(&self) -> f64 {
        // What is not stored has the size of what is.
        let rows = self.values.chunks_exact(self.halves[self.halves.len() - 1]);
        rows.map(|row| {
            row[0].norm_sqr() + 2.0 * row[1..].iter().map(Complex64::norm_sqr).sum::<f64>()
        })
        .sum()
    }

    /// The same of the wave numbers that a spectrum with these halves has no room for.
    #[must_use]
    pub fn energy_outside(&self, halves: &[usize]) -> f64 {
        let last = self.halves.len() - 1;
        let mut energy = 0.0;
        self.visit(|index, k| {
            if k.iter().zip(halves).any(|(k, &half)| k.unsigned_abs() >= half as u64) {
                let weight = if k[last] == 0 { 1.0 } else { 2.0 };
                let squares: f64 = self.each().map(|field| field[index].norm_sqr()).sum();
                energy += weight * squares;
            }
        });
        energy
    }

    /// Part of the L2 norm in the wave numbers with |k_axis| >= `first`.
    #[must_use]
    pub fn share_above(&self, axis: usize, first: usize) -> f64 {
        let tail = self.energies(axis).iter().skip(first).sum::<f64>();
        if tail == 0.0 { 0.0 } else { (tail / self.energy()).sqrt() }
    }

    /// Mean squares of the parts with |k_axis| = 0, 1, ..
    fn energies(&self, axis: usize) -> Vec<f64> {
        let last = self.halves.len() - 1;
        let mut energies = vec![0.0; self.halves[axis]];
        self.visit(|index, k| {
            let weight = if k[last] == 0 { 1.0 } else { 2.0 };
            let squares: f64 = self.each().map(|field| field[index].norm_sqr()).sum();
            energies[k[axis].unsigned_abs() as usize] += weight * squares;
        });
        energies
    }

    /// Without the wave numbers at the end of every axis whose part of the L2 norm is at most
    /// `share`.
    #[must_use]
    pub fn significant(&self, share: f64) -> Self {
        let bound = share * share * self.energy();
        let halves: Vec<usize> = (0..self.halves.len())
            .map(|axis| {
                let mut dropped = 0.0;
                let last = self.energies(axis).iter().rposition(|energy| {
                    dropped += energy;
                    dropped > bound
                });
                last.map_or(1, |last| last + 1)
            })
            .collect();
        self.resized(&halves)
    }
}

/// The largest half along every axis.
fn hull<'a>(spectra: impl Iterator<Item = &'a Spectrum>) -> Vec<usize> {
    spectra.fold(vec![], |hull: Vec<usize>, spectrum| {
        let old = hull.into_iter().chain(std::iter::repeat(0));
        spectrum.halves.iter().zip(old).map(|(&half, old)| half.max(old)).collect()
    })
}

/// The sum of weighted spectra.
pub fn combine<'a>(terms: impl Iterator<Item = (f64, &'a Spectrum)> + Clone) -> Spectrum {
    let fields = terms.clone().next().map_or(1, |(_, spectrum)| spectrum.fields);
    let mut sum = Spectrum::zeros(fields, &hull(terms.clone().map(|(_, spectrum)| spectrum)));
    for (weight, spectrum) in terms {
        let term;
        let values = if spectrum.halves == sum.halves {
            &spectrum.values
        } else {
            term = spectrum.resized(&sum.halves);
            &term.values
        };
        sum.values.iter_mut().zip(values).for_each(|(sum, c)| *sum += c * weight);
    }
    sum
}

/// Relative L2 distance of two sequences of fields.
pub fn relative_distance<'a>(pairs: impl Iterator<Item = (&'a Spectrum, &'a Spectrum)>) -> f64 {
    let (mut difference, mut size) = (0.0, 0.0);
    for (approximate, exact) in pairs {
        difference += combine([(1.0, approximate), (-1.0, exact)].into_iter()).energy();
        size += exact.energy();
    }
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(halves: &[usize]) -> Spectrum {
        let mut spectrum = Spectrum::zeros(1, halves);
        let mut all = vec![];
        spectrum.visit(|_, k| all.push(k.to_vec()));
        for (value, k) in spectrum.values.iter_mut().zip(all) {
            let number = k.iter().fold(0.0, |sum, &k| 100.0 * sum + k as f64);
            *value = Complex64::new(number, -number);
        }
        spectrum
    }

    #[test]
    fn wave_numbers_are_visited_in_order_once_each() {
        for halves in [vec![1], vec![5], vec![3, 4], vec![1, 3], vec![3, 1], vec![2, 1, 3]] {
            let spectrum = Spectrum::zeros(1, &halves);
            let mut seen = vec![];
            spectrum.visit(|index, k| {
                assert_eq!(spectrum.index(k), Some(index), "{halves:?} {k:?}");
                seen.push(k.to_vec());
            });
            let count = seen.len();
            seen.sort();
            seen.dedup();
            assert_eq!((seen.len(), count), (spectrum.values.len(), spectrum.values.len()));
        }
    }

    #[test]
    fn other_halves_keep_every_coefficient_that_has_room() {
        let spectrum = numbered(&[3, 4]);
        let larger = spectrum.resized(&[5, 6]);
        assert_eq!(larger.energy(), spectrum.energy());
        assert_eq!(larger.resized(&[3, 4]), spectrum);
        assert_eq!(spectrum.resized(&[2, 6]), numbered(&[2, 4]).resized(&[2, 6]));
        let significant = larger.significant(0.0);
        assert_eq!(significant.halves(), [3, 4]);
        // Two fields at once are each of them on its own.
        let both = [spectrum.values.clone(), spectrum.values.clone()].concat();
        let both = Spectrum::from_parts(2, vec![3, 4], both).expect("as many");
        let (large, alone) = (both.resized(&[2, 7]), spectrum.resized(&[2, 7]));
        assert!(large.each().all(|field| field == alone.values));
        assert!((both.energy() - 2.0 * spectrum.energy()).abs() < 1e-9 * both.energy());
    }

    #[test]
    fn shares_and_distances_are_those_of_the_norm() {
        let mut spectrum = Spectrum::zeros(1, &[3, 3]);
        let mut set = |k: &[i64], value: f64| {
            let index = spectrum.index(k).expect("kept");
            spectrum.values[index] = value.into();
        };
        // 3 + 2 cos(2 y): mean square 9 + 2; and 2 sin-like in x, stored twice: 2 * 0.25.
        set(&[0, 0], 3.0);
        set(&[0, 2], 1.0);
        set(&[1, 0], 0.5);
        set(&[-1, 0], 0.5);
        assert!((spectrum.energy() - 11.5).abs() < 1e-14);
        assert!((spectrum.share_above(1, 1).powi(2) - 2.0 / 11.5).abs() < 1e-14);
        assert!((spectrum.share_above(0, 1).powi(2) - 0.5 / 11.5).abs() < 1e-14);
        assert_eq!(spectrum.share_above(0, 2), 0.0);
        assert!((spectrum.energy_outside(&[1, 3]) - 0.5).abs() < 1e-14);
        assert!((spectrum.energy_outside(&[3, 2]) - 2.0).abs() < 1e-14);
        let scaled = combine([(1.1, &spectrum)].into_iter());
        let distance = relative_distance([(&scaled, &spectrum)].into_iter());
        assert!((distance - 0.1).abs() < 1e-14);
    }
}
