//! A spectral solution as data: Fourier coefficients at equispaced times, evaluated anywhere.

use std::f64::consts::TAU;

use rayon::prelude::*;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use super::ReferenceError;
use super::spectrum::{Spectrum, combine};
use crate::bytes::{Reader, Writer};

/// Points of the polynomial that interpolates in time between snapshots.
const STENCIL: usize = 8;
/// Where two times or two places count as the same, relative to the span.
const SAME: f64 = 1e-12;
/// First bytes of an encoded solution; the number is the format's version.
const MAGIC: &[u8; 16] = b"sketchpde-spec-3";

/// The unknowns of a periodic problem:
/// u(x, t_j) = sum over k of c_k(t_j) exp(2 pi i sum over a of k_a (x_a - lower_a) / length_a).
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralSolution {
    pub(super) lower: Vec<f64>,
    pub(super) length: Vec<f64>,
    pub(super) start: f64,
    pub(super) end: f64,
    /// Coefficients per snapshot, without the insignificant tail.
    pub(super) snapshots: Vec<Spectrum>,
    pub(super) quality: Quality,
}

/// How the solution was computed and how good it says it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// The most Fourier modes that were in use along an axis.
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

    /// The unknowns, one after the other, at the snapshot `index` and at `points`, whose coordinates
    /// lie point by point, by the trigonometric polynomial itself: exact up to rounding. Points that form a grid over one
    /// period in one dimension take one fast transform, those of a grid in more dimensions a sum
    /// along each axis.
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
        let snapshot = |index: usize| &self.snapshots[index];
        Ok(self.sum(&interpolate(self.snapshots.len(), snapshot, position), points))
    }

    fn sum(&self, spectrum: &Spectrum, points: &[f64]) -> Vec<f64> {
        let axes = self.lower.len();
        if points.is_empty() {
            return vec![];
        }
        let grid = tensor_grid(points, axes);
        let field = |field: &[Complex64]| match &grid {
            Some(grid) => self.sum_on_axes(spectrum, field, grid),
            None => {
                let point = |point: &[f64]| {
                    let grid: Vec<&[f64]> = point.chunks_exact(1).collect();
                    self.sum_on_axes(spectrum, field, &grid)
                };
                points.par_chunks_exact(axes).flat_map_iter(point).collect()
            }
        };
        spectrum.each().flat_map(field).collect()
    }

    /// A field at the points of a grid, given by its places along each axis: one axis after the other
    /// is summed over.
    fn sum_on_axes(
        &self,
        spectrum: &Spectrum,
        coefficients: &[Complex64],
        grid: &[impl AsRef<[f64]>],
    ) -> Vec<f64> {
        let last = grid.len() - 1;
        let mut from = coefficients.to_vec();
        // Axes before this one are places, those behind it wave numbers.
        let mut inner = from.len();
        for (axis, places) in grid[..last].iter().enumerate() {
            let places = places.as_ref();
            let (count, half) = (spectrum.count(axis), spectrum.halves()[axis]);
            inner /= count;
            let mut to = Vec::with_capacity(from.len() / count * places.len());
            for block in from.chunks_exact(count * inner) {
                for &x in places {
                    let phase = TAU * ((x - self.lower[axis]) / self.length[axis]).fract();
                    let mut row = vec![Complex64::default(); inner];
                    for (j, line) in block.chunks_exact(inner).enumerate() {
                        let k = if j < half { j as f64 } else { j as f64 - count as f64 };
                        let wave = Complex64::cis(phase * k);
                        row.iter_mut().zip(line).for_each(|(sum, c)| *sum += wave * c);
                    }
                    to.extend(row);
                }
            }
            from = to;
        }
        let places = grid[last].as_ref();
        from.chunks_exact(inner).flat_map(|line| self.sum_line(line, last, places)).collect()
    }

    /// Along the last axis.
    fn sum_line(&self, coefficients: &[Complex64], axis: usize, places: &[f64]) -> Vec<f64> {
        let (lower, length) = (self.lower[axis], self.length[axis]);
        let spacing = length / places.len() as f64;
        let on_grid = places
            .iter()
            .enumerate()
            .all(|(j, x)| (x - places[0] - spacing * j as f64).abs() <= SAME * length);
        let phase = |x: f64| TAU * ((x - lower) / length).fract();
        if on_grid && places.len() > 1 {
            sum_on_grid(coefficients, phase(places[0]), places.len())
        } else {
            places.iter().map(|&x| sum_at_point(coefficients, phase(x))).collect()
        }
    }

    /// The solution as bytes, for a cache: every bit is kept.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::default();
        bytes.raw(MAGIC);
        bytes.reals(&self.lower);
        bytes.reals(&self.length);
        for value in [self.start, self.end, self.quality.estimated_error] {
            bytes.real(value);
        }
        for count in [self.quality.modes, self.quality.steps, self.snapshots.len()] {
            bytes.count(count as u64);
        }
        for snapshot in &self.snapshots {
            bytes.count(snapshot.fields() as u64);
            snapshot.halves().iter().for_each(|&half| bytes.count(half as u64));
            let parts: Vec<f64> = snapshot.values.iter().flat_map(|c| [c.re, c.im]).collect();
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
        let (lower, length) = (reader.reals()?, reader.reals()?);
        let (start, end) = (reader.real()?, reader.real()?);
        let estimated_error = reader.real()?;
        let (modes, steps, count) = (reader.size()?, reader.size()?, reader.size()?);
        let complex = |parts: &[f64]| Complex64::new(parts[0], parts[1]);
        let snapshots = (0..count)
            .map(|_| {
                let fields = reader.size()?;
                let halves = lower.iter().map(|_| reader.size()).collect::<Option<Vec<_>>>()?;
                let values = reader.reals()?.chunks_exact(2).map(complex).collect();
                Spectrum::from_parts(fields, halves, values)
            })
            .collect::<Option<Vec<_>>>()?;
        let quality = Quality { modes, steps, estimated_error };
        let all = snapshots.iter().flat_map(|snapshot| &snapshot.values);
        let finite = all.into_iter().all(|c| c.re.is_finite() && c.im.is_finite());
        let alike = snapshots.iter().all(|snapshot| snapshot.fields() == snapshots[0].fields());
        let whole = finite && alike && estimated_error.is_finite() && lower.len() == length.len();
        (whole && count >= 2 && reader.is_empty()).then_some(Self {
            lower,
            length,
            start,
            end,
            snapshots,
            quality,
        })
    }
}

/// Horner's rule in exp(i phase).
fn sum_at_point(coefficients: &[Complex64], phase: f64) -> f64 {
    let Some((mean, rest)) = coefficients.split_first() else { return 0.0 };
    let phase = Complex64::cis(phase);
    let tail = rest.iter().rev().fold(Complex64::default(), |sum, c| (sum + c) * phase);
    mean.re + 2.0 * tail.re
}

/// At `count` equispaced places over the period, `shift` the phase of the first. Wave numbers
/// beyond the grid's fold onto those that agree with them at its points, so that the sum is exact
/// for any number of points.
fn sum_on_grid(coefficients: &[Complex64], shift: f64, count: usize) -> Vec<f64> {
    let mut folded = vec![Complex64::default(); count];
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

/// The places along each axis where points form a grid, the last axis fastest; in one dimension
/// any points do.
fn tensor_grid(points: &[f64], axes: usize) -> Option<Vec<Vec<f64>>> {
    let count = points.len() / axes;
    let coordinate = |point: usize, axis: usize| points[point * axes + axis];
    // From the last axis on: how many points until the coordinate before it changes.
    let mut grid = vec![vec![]; axes];
    let mut inner = 1;
    for axis in (0..axes).rev() {
        let until = |point: &usize| {
            axis > 0 && (0..axis).any(|a| coordinate(*point, a) != coordinate(0, a))
        };
        let run = (0..count).step_by(inner).find(until).unwrap_or(count);
        grid[axis] = (0..run).step_by(inner).map(|point| coordinate(point, axis)).collect();
        inner = run;
    }
    let fits = (0..count).all(|point| {
        let mut rest = point;
        (0..axes).rev().all(|axis| {
            let places = &grid[axis];
            let place = places[rest % places.len()];
            rest /= places.len();
            place == coordinate(point, axis)
        })
    });
    let full = grid.iter().map(Vec::len).product::<usize>() == count;
    (full && fits).then_some(grid)
}

/// The spectrum at the fractional snapshot `position` by Lagrange's polynomial through the nearest
/// of the `count` snapshots.
pub(super) fn interpolate<'a>(
    count: usize,
    snapshot: impl Fn(usize) -> &'a Spectrum,
    position: f64,
) -> Spectrum {
    let stencil = STENCIL.min(count);
    let first = (position.floor() as usize + 1).saturating_sub(stencil / 2);
    let first = first.min(count - stencil);
    let nodes = first..first + stencil;
    let weight = |node: usize| -> f64 {
        let others = nodes.clone().filter(|&other| other != node);
        others.map(|other| (position - other as f64) / (node as f64 - other as f64)).product()
    };
    let terms: Vec<_> = nodes.clone().map(|node| (weight(node), snapshot(node))).collect();
    combine(terms.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// u = sum over k of a_k cos(2 pi k (x - lower)/length - k t) with geometric a_k.
    fn travelling(snapshots: usize) -> SpectralSolution {
        let coefficients = |t: f64| {
            let values = |k: i32| Complex64::cis(-f64::from(k) * t) * 0.5f64.powi(k + 1);
            Spectrum::from_parts(1, vec![40], (0..40).map(values).collect()).expect("as many")
        };
        let (start, end) = (1.0, 3.0);
        let snapshots = (0..snapshots)
            .map(|j| coefficients(start + (end - start) * j as f64 / (snapshots - 1) as f64))
            .collect();
        let quality = Quality { modes: 80, steps: 7, estimated_error: 1e-9 };
        SpectralSolution { lower: vec![-1.0], length: vec![3.0], start, end, snapshots, quality }
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
        huge[88..96].fill(0xff);
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
