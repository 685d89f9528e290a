//! A spectral solution as data: Fourier coefficients at equispaced times, evaluated anywhere.

use std::f64::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use super::ReferenceError;
use crate::bytes::{Reader, Writer};

/// Points of the polynomial that interpolates in time between snapshots.
const STENCIL: usize = 8;
/// Where two times or two places count as the same, relative to the span.
const SAME: f64 = 1e-12;
/// First bytes of an encoded solution; the number is the format's version.
const MAGIC: &[u8; 16] = b"sketchpde-spec-2";

/// The unknowns of a periodic problem in one space dimension:
/// u(x, t_j) = Re sum over k of w_k c_k(t_j) exp(2 pi i k (x - lower) / length), w_0 = 1, else 2.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralSolution {
    pub(super) unknowns: usize,
    pub(super) lower: f64,
    pub(super) length: f64,
    pub(super) start: f64,
    pub(super) end: f64,
    /// Coefficients per snapshot, without the insignificant tail: wave number by wave number, and in
    /// each unknown by unknown.
    pub(super) snapshots: Vec<Vec<Complex64>>,
    pub(super) quality: Quality,
}

/// How the solution was computed and how good it says it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// The most Fourier modes that were in use.
    pub modes: usize,
    /// Time steps taken.
    pub steps: usize,
    /// Relative L2 error over space and time by self-convergence, interpolation in time included.
    pub estimated_error: f64,
}

impl SpectralSolution {
    /// The times of the snapshots, equispaced, both ends included.
    #[must_use]
    pub fn times(&self) -> Vec<f64> {
        (0..self.snapshots.len()).map(|index| self.time(index)).collect()
    }

    fn time(&self, index: usize) -> f64 {
        let last = self.snapshots.len() - 1;
        self.start + (self.end - self.start) * (index as f64 / last as f64)
    }

    #[must_use]
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// The unknowns, one after the other, at the snapshot `index` and at the places `points`, by the trigonometric polynomial
    /// itself: exact up to rounding. Points that form a grid over one period, x_0 + j length / n,
    /// take one fast transform.
    ///
    /// # Panics
    /// When there is no snapshot `index`.
    #[must_use]
    pub fn at(&self, index: usize, points: &[f64]) -> Vec<f64> {
        self.sum(&self.snapshots[index], points)
    }

    /// The unknowns, one after the other, at any time of the run. Between snapshots the coefficients are interpolated by a
    /// polynomial through the eight nearest; [`Quality::estimated_error`] includes what that costs.
    ///
    /// # Errors
    /// [`ReferenceError::TimeOutside`] when `time` is outside the run.
    pub fn values(&self, time: f64, points: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        let (start, end) = (self.start, self.end);
        let position = (time - start) / (end - start) * (self.snapshots.len() - 1) as f64;
        let slack = SAME * self.snapshots.len() as f64;
        if !(position >= -slack && position <= (self.snapshots.len() - 1) as f64 + slack) {
            return Err(ReferenceError::TimeOutside { time, start, end });
        }
        let nearest = position.round();
        if (position - nearest).abs() <= slack {
            return Ok(self.at(nearest as usize, points));
        }
        let snapshot = |index: usize| self.snapshots[index].as_slice();
        Ok(self.sum(&interpolate(self.snapshots.len(), snapshot, position), points))
    }

    fn sum(&self, coefficients: &[Complex64], points: &[f64]) -> Vec<f64> {
        if points.is_empty() {
            return vec![];
        }
        let spacing = self.length / points.len() as f64;
        let on_grid = points
            .iter()
            .enumerate()
            .all(|(j, x)| (x - points[0] - spacing * j as f64).abs() <= SAME * self.length);
        let of_unknown = |unknown: usize| {
            let own = coefficients.iter().skip(unknown).step_by(self.unknowns);
            let coefficients: Vec<Complex64> = own.copied().collect();
            if on_grid && points.len() > 1 {
                self.sum_on_grid(&coefficients, points)
            } else {
                points.iter().map(|&x| self.sum_at_point(&coefficients, x)).collect()
            }
        };
        (0..self.unknowns).flat_map(of_unknown).collect()
    }

    /// Horner's rule in exp(2 pi i (x - lower) / length).
    fn sum_at_point(&self, coefficients: &[Complex64], x: f64) -> f64 {
        let Some((mean, rest)) = coefficients.split_first() else { return 0.0 };
        let phase = Complex64::cis(TAU * ((x - self.lower) / self.length).fract());
        let tail = rest.iter().rev().fold(Complex64::default(), |sum, c| (sum + c) * phase);
        mean.re + 2.0 * tail.re
    }

    /// Wave numbers beyond the grid's fold onto those that agree with them at its points, so that
    /// the sum is exact for any number of points.
    fn sum_on_grid(&self, coefficients: &[Complex64], points: &[f64]) -> Vec<f64> {
        let count = points.len();
        let mut folded = vec![Complex64::default(); count];
        let shift = TAU * ((points[0] - self.lower) / self.length).fract();
        for (k, c) in coefficients.iter().enumerate() {
            let shifted = c * Complex64::cis(shift * k as f64);
            folded[k % count] += shifted;
            if k > 0 {
                folded[(count - k % count) % count] += shifted.conj();
            }
        }
        FftPlanner::new().plan_fft_inverse(count).process(&mut folded);
        folded.iter().map(|z| z.re).collect()
    }

    /// The solution as bytes, for a cache: every bit is kept.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::default();
        bytes.raw(MAGIC);
        for value in [self.lower, self.length, self.start, self.end, self.quality.estimated_error] {
            bytes.real(value);
        }
        for count in [self.unknowns, self.quality.modes, self.quality.steps, self.snapshots.len()] {
            bytes.count(count as u64);
        }
        for snapshot in &self.snapshots {
            let parts: Vec<f64> = snapshot.iter().flat_map(|c| [c.re, c.im]).collect();
            bytes.reals(&parts);
        }
        bytes.finish()
    }

    /// The inverse of [`SpectralSolution::encode`].
    ///
    /// # Errors
    /// [`ReferenceError::Encoding`] when the bytes are not a complete encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReferenceError> {
        Self::read(&mut Reader::new(bytes)).ok_or(ReferenceError::Encoding)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array::<16>().filter(|magic| magic == MAGIC)?;
        let (lower, length) = (reader.real()?, reader.real()?);
        let (start, end) = (reader.real()?, reader.real()?);
        let estimated_error = reader.real()?;
        let unknowns = reader.size().filter(|&m| m > 0)?;
        let (modes, steps, count) = (reader.size()?, reader.size()?, reader.size()?);
        let complex = |parts: &[f64]| Complex64::new(parts[0], parts[1]);
        let snapshots = (0..count)
            .map(|_| Some(reader.reals()?.chunks_exact(2).map(complex).collect()))
            .collect::<Option<Vec<Vec<_>>>>()?;
        let quality = Quality { modes, steps, estimated_error };
        let finite = snapshots.iter().flatten().all(|c| c.re.is_finite() && c.im.is_finite());
        (finite && estimated_error.is_finite() && count >= 2 && reader.is_empty()).then_some(Self {
            unknowns,
            lower,
            length,
            start,
            end,
            snapshots,
            quality,
        })
    }
}

/// The coefficients at the fractional snapshot `position` by Lagrange's polynomial through the
/// nearest of the `count` snapshots.
pub(super) fn interpolate<'a>(
    count: usize,
    snapshot: impl Fn(usize) -> &'a [Complex64],
    position: f64,
) -> Vec<Complex64> {
    let stencil = STENCIL.min(count);
    let first = (position.floor() as usize + 1).saturating_sub(stencil / 2);
    let first = first.min(count - stencil);
    let nodes = first..first + stencil;
    let length = nodes.clone().map(|node| snapshot(node).len()).max().unwrap_or(0);
    let mut sum = vec![Complex64::default(); length];
    for node in nodes.clone() {
        let weight: f64 = nodes
            .clone()
            .filter(|&other| other != node)
            .map(|other| (position - other as f64) / (node as f64 - other as f64))
            .product();
        sum.iter_mut().zip(snapshot(node)).for_each(|(sum, c)| *sum += c * weight);
    }
    sum
}

/// Relative L2 distance of two sequences of snapshots, by Parseval's identity.
pub(super) fn relative_distance<'a>(
    unknowns: usize,
    pairs: impl Iterator<Item = (&'a [Complex64], &'a [Complex64])>,
) -> f64 {
    let (mut difference, mut size) = (0.0, 0.0);
    for (approximate, exact) in pairs {
        let zero = Complex64::default();
        for k in 0..approximate.len().max(exact.len()) {
            let weight = if k < unknowns { 1.0 } else { 2.0 };
            let at = |c: &[Complex64]| c.get(k).copied().unwrap_or(zero);
            difference += weight * (at(approximate) - at(exact)).norm_sqr();
            size += weight * at(exact).norm_sqr();
        }
    }
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// u = sum over k of a_k cos(2 pi k (x - lower)/length - k t) with geometric a_k.
    fn travelling(snapshots: usize) -> SpectralSolution {
        let coefficients = |t: f64| -> Vec<Complex64> {
            (0..40).map(|k| Complex64::cis(-f64::from(k) * t) * 0.5f64.powi(k + 1)).collect()
        };
        let (start, end) = (1.0, 3.0);
        let snapshots = (0..snapshots)
            .map(|j| coefficients(start + (end - start) * j as f64 / (snapshots - 1) as f64))
            .collect();
        let quality = Quality { modes: 80, steps: 7, estimated_error: 1e-9 };
        SpectralSolution { unknowns: 1, lower: -1.0, length: 3.0, start, end, snapshots, quality }
    }

    /// The same by the closed form of the geometric sum.
    fn exact(t: f64, x: f64) -> f64 {
        let z = Complex64::cis(TAU * (x + 1.0) / 3.0 - t) * 0.5;
        0.5 + (z / (1.0 - z)).re
    }

    #[test]
    fn values_are_exact_on_grids_finer_and_coarser_than_the_modes_and_off_them() {
        let solution = travelling(21);
        for count in [1, 2, 7, 39, 80, 81, 600] {
            for offset in [0.0, 0.37, -5.1] {
                let grid: Vec<f64> = (0..count)
                    .map(|j| -1.0 + offset + 3.0 * f64::from(j) / f64::from(count))
                    .collect();
                let scattered: Vec<f64> = grid.iter().map(|x| x + 0.1 * x.sin()).collect();
                for points in [grid, scattered] {
                    for (x, u) in points.iter().zip(solution.at(4, &points)) {
                        assert!((u - exact(1.4, *x)).abs() < 1e-12 + 0.5f64.powi(38));
                    }
                }
            }
        }
    }

    #[test]
    fn interpolation_in_time_converges_with_the_order_of_its_stencil() {
        let error = |snapshots: usize| -> f64 {
            let solution = travelling(snapshots);
            let points: Vec<f64> = (0..90).map(|j| -1.0 + f64::from(j) / 30.0).collect();
            let time = 1.0 + 1.0 / (snapshots - 1) as f64;
            let values = solution.values(time, &points).expect("inside");
            points.iter().zip(values).map(|(x, u)| (u - exact(time, *x)).abs()).fold(0.0, f64::max)
        };
        let (coarse, fine) = (error(41), error(81));
        let order = (coarse / fine).log2();
        assert!((6.5..9.5).contains(&order), "order {order}: {coarse} {fine}");
    }

    #[test]
    fn encoding_keeps_every_bit_and_refuses_anything_else() {
        let solution = travelling(9);
        let bytes = solution.encode();
        assert_eq!(SpectralSolution::decode(&bytes).expect("complete"), solution);
        for damaged in [&bytes[..bytes.len() - 1], &bytes[1..], &[]] {
            assert!(matches!(SpectralSolution::decode(damaged), Err(ReferenceError::Encoding)));
        }
        let mut huge = bytes.clone();
        huge[80..88].fill(0xff);
        assert!(matches!(SpectralSolution::decode(&huge), Err(ReferenceError::Encoding)));
    }

    #[test]
    fn a_time_outside_the_run_is_an_error() {
        let solution = travelling(9);
        for time in [0.99, 3.01, f64::NAN] {
            assert!(matches!(
                solution.values(time, &[0.0]),
                Err(ReferenceError::TimeOutside { .. })
            ));
        }
    }
}
