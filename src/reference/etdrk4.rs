//! Exponential time differencing, fourth-order Runge-Kutta, over Fourier coefficients.
//!
//! For v' = L v + N(v, t), with L diagonal and h the step (Cox and Matthews, "Exponential time
//! differencing for stiff systems", J. Comput. Phys. 176, 2002, eqs. 26 to 29):
//!
//! ```text
//! a = e^{Lh/2} v + Q N(v, t)             b = e^{Lh/2} v + Q N(a, t + h/2)
//! c = e^{Lh/2} a + Q (2 N(b, t + h/2) - N(v, t))
//! v_next = e^{Lh} v + f1 N(v, t) + 2 f2 (N(a, t + h/2) + N(b, t + h/2)) + f3 N(c, t + h)
//! ```
//!
//! Two unknowns that turn into each other, u_t = A u + B v + .. and v_t = A v - B u + .., are stepped as
//! u + i v and u - i v, in which L is diagonal: A - i B and A + i B.

use std::collections::BTreeSet;
use std::f64::consts::TAU;

use rayon::prelude::*;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use super::fourier::FieldTransform;
use super::pointwise::{Fields, Pointwise};
use super::spectrum::Spectrum;
use super::split::Split;
use crate::problem::expression::{Channel, Entry, Expression, MultiIndex};

/// Periodic equations, ready to be discretised.
#[derive(Clone, Debug)]
pub struct System {
    /// Of every axis.
    pub lower: Vec<f64>,
    /// The period along every axis.
    pub length: Vec<f64>,
    /// One per unknown.
    pub splits: Vec<Split>,
    /// Unknowns that turn into each other, two by two.
    pub turning: Vec<[usize; 2]>,
    pub parameters: Vec<f64>,
}

impl System {
    /// Whether the equations are linear, with constant coefficients, and of one unknown each, or of two
    /// that turn into each other.
    fn is_diagonal(&self) -> bool {
        self.splits.iter().all(|split| split.rest.is_none())
    }

    /// L of every coefficient of a state.
    fn linear(&self, shape: &Spectrum) -> Vec<Complex64> {
        let own = |split: &Split| symbol(self, shape, &split.linear);
        let mut linear: Vec<Complex64> = self.splits.iter().flat_map(own).collect();
        let count = shape.values.len() / shape.fields();
        for [u, v] in &self.turning {
            let cross = symbol(self, shape, &self.splits[*u].cross);
            for (k, b) in cross.into_iter().enumerate() {
                linear[u * count + k] -= Complex64::i() * b;
                linear[v * count + k] += Complex64::i() * b;
            }
        }
        linear
    }

    /// The derivatives that the rests name, each once.
    fn entries(&self) -> Vec<Entry> {
        let all = self.splits.iter().flat_map(|split| split.entries.iter().copied());
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The highest degree of a rest; `None` when one is no polynomial.
    fn degree(&self) -> Option<u32> {
        let degrees = self.splits.iter().filter(|split| split.rest.is_some());
        degrees.map(|split| split.degree).try_fold(0, |most, degree| Some(most.max(degree?)))
    }

    /// The coordinates of a grid over the period, the last axis fastest: for every axis its
    /// coordinate at every point.
    #[must_use]
    pub fn grid(&self, samples: &[usize]) -> Vec<Vec<f64>> {
        let points: usize = samples.iter().product();
        let mut inner = points;
        let axes = samples.iter().zip(self.lower.iter().zip(&self.length));
        axes.map(|(&count, (lower, length))| {
            inner /= count;
            let at = |point: usize| lower + length / count as f64 * (point / inner % count) as f64;
            (0..points).map(at).collect()
        })
        .collect()
    }
}

/// Points of the contour over which the coefficients are averaged.
const CONTOUR_POINTS: usize = 32;
/// From here on |Lh| is large enough for the formulas themselves.
const DIRECT_BEYOND: f64 = 8.0;

/// The scheme's coefficients for one wave number of one unknown.
#[derive(Clone, Copy, Debug)]
struct Coefficients {
    full: Complex64,
    half: Complex64,
    q: Complex64,
    f1: Complex64,
    f2: Complex64,
    f3: Complex64,
}

/// (e^{z/2} - 1) / z and the three weights, all without the factor h.
fn weights(z: Complex64) -> [Complex64; 4] {
    let (e, half) = (z.exp(), (z * 0.5).exp());
    let cube = z * z * z;
    [
        (half - 1.0) / z,
        (-4.0 - z + e * (4.0 - 3.0 * z + z * z)) / cube,
        (2.0 + z + e * (z - 2.0)) / cube,
        (-4.0 - 3.0 * z - z * z + e * (4.0 - z)) / cube,
    ]
}

impl Coefficients {
    /// The weights cancel badly near zero, so they are averaged over a circle around Lh, by
    /// Cauchy's formula (Kassam and Trefethen, "Fourth-order time-stepping for stiff PDEs", SIAM
    /// J. Sci. Comput. 26, 2005, section 2).
    fn new(eigenvalue: Complex64, step: f64) -> Self {
        let z = eigenvalue * step;
        let mean = if z.norm() >= DIRECT_BEYOND {
            weights(z)
        } else {
            // The circle must keep away from zero itself, where the formulas cancel.
            let radius = if z.norm() < 1.0 { 2.0 } else { 0.5 };
            let mut sum = [Complex64::default(); 4];
            for point in 0..CONTOUR_POINTS {
                let angle = TAU * (point as f64 + 0.5) / CONTOUR_POINTS as f64;
                let values = weights(z + radius * Complex64::cis(angle));
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            sum.map(|sum| sum / CONTOUR_POINTS as f64)
        };
        let [q, f1, f2, f3] = mean.map(|weight| {
            // A real eigenvalue has real weights; rounding must not make them complex.
            let weight = weight * step;
            if z.im == 0.0 { weight.re.into() } else { weight }
        });
        Self { full: z.exp(), half: (z * 0.5).exp(), q, f1, f2, f3 }
    }
}

/// What lies beyond the kept coefficients of the rests stands out where it is so many times what lies
/// just within.
const GAP: f64 = 100.0;

/// The scheme at one resolution, wave numbers up to K = modes / 2 - 1 along every axis, and with a
/// fixed step.
pub struct Stepper {
    step: f64,
    /// In the order of a state.
    scheme: Vec<Coefficients>,
    /// The derivatives that are needed.
    entries: Vec<Entry>,
    transform: FieldTransform,
    /// Of all coefficients that the samples have.
    halves: Vec<usize>,
    /// Of the padded grid.
    coordinates: Vec<Vec<f64>>,
    /// The factor of each of them at every wave number.
    symbols: Vec<Vec<Complex64>>,
    derivatives: Vec<Vec<f64>>,
    values: Vec<f64>,
    pointwise: Pointwise,
    spectrum: Vec<Complex64>,
    /// N(v), N(a), N(b), N(c).
    slopes: [Spectrum; 4],
    stages: [Spectrum; 2],
}

/// Samples that keep a product of `degree` factors with `modes` modes each free of aliasing into
/// the kept wave numbers: (degree + 1) / 2 times as many; twice as many is the most that is
/// spent, which cubic terms need and which for others leaves only what lies below the tail.
fn padded(modes: usize, degree: Option<u32>) -> usize {
    match degree {
        Some(0 | 1) => modes,
        Some(2) => modes * 3 / 2,
        _ => modes * 2,
    }
}

impl Stepper {
    /// `modes` are even.
    #[must_use]
    pub fn new(system: &System, modes: &[usize], step: f64, planner: &mut FftPlanner<f64>) -> Self {
        let halves: Vec<usize> = modes.iter().map(|modes| modes / 2).collect();
        let empty = Spectrum::zeros(system.splits.len(), &halves);
        let linear = system.linear(&empty);
        let entries = system.entries();
        let dimensions = modes.len();
        let symbols = |entry: &Entry| symbol(system, &empty, &terms(entry.channel, dimensions));
        let samples: Vec<usize> =
            modes.iter().map(|&modes| padded(modes, system.degree()).next_multiple_of(2)).collect();
        let points = samples.iter().product();
        Self {
            step,
            scheme: linear.par_iter().map(|&l| Coefficients::new(l, step)).collect(),
            transform: FieldTransform::new(&samples, planner),
            halves: samples.iter().map(|samples| samples / 2).collect(),
            coordinates: system.grid(&samples),
            symbols: entries.iter().map(symbols).collect(),
            derivatives: vec![vec![0.0; points]; entries.len()],
            entries,
            values: vec![0.0; points],
            pointwise: Pointwise::default(),
            slopes: std::array::from_fn(|_| empty.clone()),
            stages: std::array::from_fn(|_| empty.clone()),
            spectrum: vec![Complex64::default(); empty.values.len() / empty.fields()],
        }
    }

    /// Numbers that a step transforms between coefficients and samples, or multiplies.
    #[must_use]
    pub fn work(&self, system: &System) -> f64 {
        let stages = if system.is_diagonal() { 0 } else { 4 };
        let transforms = stages * (self.entries.len() + system.splits.len());
        (transforms * self.values.len() + self.scheme.len()) as f64
    }

    /// One step from `time`.
    pub fn advance(&mut self, system: &System, time: f64, state: &mut Spectrum) {
        system.turn(state);
        if system.is_diagonal() {
            state.values.iter_mut().zip(&self.scheme).for_each(|(v, s)| *v *= s.full);
            system.straighten(state);
            return;
        }
        let middle = time + 0.5 * self.step;
        let [mut a, mut other] = std::mem::take(&mut self.stages);
        let [mut n_v, mut n_a, mut n_b, mut n_c] = std::mem::take(&mut self.slopes);
        self.rest(system, time, state, &mut n_v);
        for (k, s) in self.scheme.iter().enumerate() {
            a.values[k] = s.half * state.values[k] + s.q * n_v.values[k];
        }
        self.rest(system, middle, &a, &mut n_a);
        for (k, s) in self.scheme.iter().enumerate() {
            other.values[k] = s.half * state.values[k] + s.q * n_a.values[k];
        }
        self.rest(system, middle, &other, &mut n_b);
        for (k, s) in self.scheme.iter().enumerate() {
            other.values[k] = s.half * a.values[k] + s.q * (2.0 * n_b.values[k] - n_v.values[k]);
        }
        self.rest(system, time + self.step, &other, &mut n_c);
        for (k, s) in self.scheme.iter().enumerate() {
            let middle = n_a.values[k] + n_b.values[k];
            state.values[k] = s.full * state.values[k]
                + s.f1 * n_v.values[k]
                + 2.0 * s.f2 * middle
                + s.f3 * n_c.values[k];
        }
        self.stages = [a, other];
        self.slopes = [n_v, n_a, n_b, n_c];
        system.straighten(state);
    }

    /// Norm of the rests' coefficients beyond those kept, over the state's norm: what products of
    /// kept waves make where no coefficient is, and the state's own spectrum does not show. (Of
    /// cos(6 x) a cube makes cos(18 x), and nothing between.) 0 where nothing stands out.
    pub fn spill(&mut self, system: &System, time: f64, state: &Spectrum) -> f64 {
        if system.is_diagonal() {
            return 0.0;
        }
        let within: Vec<usize> = state.halves().iter().map(|half| half * 3 / 4).collect();
        let (mut outside, mut edge) = (0.0, 0.0);
        let shape = Spectrum::zeros(1, &self.halves);
        let mut all = shape.clone();
        self.derive(state);
        for split in &system.splits {
            let Some(rest) = &split.rest else { continue };
            self.sample(system, rest, time);
            self.transform.analyze(&self.values, &shape, &mut all.values);
            let beyond = all.energy_outside(state.halves());
            outside += beyond;
            edge += (all.energy_outside(&within) - beyond).max(0.0);
        }
        // What goes on from within, or is round-off of high derivatives, the state shows in time.
        let stands_out = outside > GAP * GAP * edge;
        if stands_out { (outside / state.energy()).sqrt() } else { 0.0 }
    }

    /// Samples of the derivatives that the rests need.
    fn derive(&mut self, state: &Spectrum) {
        let count = self.spectrum.len();
        let needed = self.entries.iter().zip(&self.symbols).zip(&mut self.derivatives);
        for ((entry, symbol), samples) in needed {
            let own = &state.values[entry.unknown * count..][..count];
            let products = symbol.iter().zip(own).map(|(symbol, c)| symbol * c);
            self.spectrum.iter_mut().zip(products).for_each(|(d, product)| *d = product);
            self.transform.synthesize(state, &self.spectrum, samples);
        }
    }

    /// Samples of a rest, once the derivatives that it needs are there.
    fn sample(&mut self, system: &System, rest: &Expression, time: f64) {
        let fields = Fields {
            coordinates: &self.coordinates,
            time,
            parameters: &system.parameters,
            entries: &self.entries,
            derivatives: &self.derivatives,
        };
        self.pointwise.evaluate(rest, fields, &mut self.values);
    }

    /// Coefficients of the rests R at the state, by samples on the padded grid, both with what turns
    /// into each other as [`System::turn`] leaves it.
    fn rest(&mut self, system: &System, time: f64, state: &Spectrum, out: &mut Spectrum) {
        let count = self.spectrum.len();
        if system.turning.is_empty() {
            self.derive(state);
        } else {
            let mut straight = state.clone();
            system.straighten(&mut straight);
            self.derive(&straight);
        }
        for (unknown, split) in system.splits.iter().enumerate() {
            let own = unknown * count..(unknown + 1) * count;
            let Some(rest) = &split.rest else {
                out.values[own].fill(Complex64::default());
                continue;
            };
            self.sample(system, rest, time);
            self.transform.analyze(&self.values, state, &mut out.values[own]);
        }
        system.turn(out);
    }
}

/// A channel as a sum of partial derivatives.
pub fn terms(channel: Channel, dimensions: usize) -> Vec<(MultiIndex, f64)> {
    match channel {
        Channel::Partial(index) => vec![(index, 1.0)],
        Channel::Laplacian => {
            (0..dimensions).map(|axis| (MultiIndex::along(axis, 2), 1.0)).collect()
        }
    }
}

/// The factor of a sum of derivatives at every wave number of a spectrum:
/// sum of c_m prod over a of (i k_a)^{m_a}.
fn symbol(system: &System, shape: &Spectrum, sum: &[(MultiIndex, f64)]) -> Vec<Complex64> {
    let mut out = Vec::with_capacity(shape.values.len() / shape.fields());
    shape.visit(|_, wave| {
        let axes = wave.iter().zip(&system.length).enumerate();
        let k: Vec<(usize, f64)> =
            axes.map(|(axis, (&k, length))| (axis, TAU / length * k as f64)).collect();
        let factor = |index: &MultiIndex| -> f64 {
            k.iter().map(|&(axis, k)| k.powi(i32::from(index.0[axis]))).product()
        };
        let term = |(index, c): &(MultiIndex, f64)| power_of_i(index.order()) * (c * factor(index));
        out.push(sum.iter().map(term).sum());
    });
    out
}

fn power_of_i(order: u8) -> Complex64 {
    match order % 4 {
        0 => Complex64::new(1.0, 0.0),
        1 => Complex64::new(0.0, 1.0),
        2 => Complex64::new(-1.0, 0.0),
        _ => Complex64::new(0.0, -1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weights' Taylor series about zero: integrals of the scheme's quadrature.
    fn series(z: f64) -> [f64; 4] {
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        // phi_m(z) = sum of z^j / (j + m)!
        let phi = |m: u32, z: f64| -> f64 {
            (0..120u32).map(|j| z.powi(j as i32) / factorial(j + m)).sum()
        };
        let (one, two, three) = (phi(1, z), phi(2, z), phi(3, z));
        [0.5 * phi(1, 0.5 * z), one - 3.0 * two + 4.0 * three, two - 2.0 * three, 4.0 * three - two]
    }

    #[test]
    fn the_coefficients_are_exact_near_zero_and_far_from_it() {
        for z in [0.0, -1e-9, -1e-3, 0.5, -1.0, -3.0, -7.9, -8.1, -12.0] {
            let c = Coefficients::new(Complex64::new(z / 0.25, 0.0), 0.25);
            let exact = series(z);
            for (value, exact) in [c.q, c.f1, c.f2, c.f3].iter().zip(exact) {
                assert_eq!(value.im, 0.0);
                // The series itself cancels: terms of e^|z| times the round-off.
                let bound = 0.25 * f64::EPSILON * (20.0 + z.abs().exp());
                assert!((value.re - 0.25 * exact).abs() < bound, "z {z}: {value} {exact}");
            }
        }
        // Without the contour the cancellation ruins them: the check can fail.
        let naive = weights(Complex64::new(-1e-4, 0.0))[1].re;
        assert!((naive - series(-1e-4)[1]).abs() > 1e-8);
    }

    #[test]
    fn padding_follows_the_degree() {
        assert_eq!(padded(64, Some(1)), 64);
        assert_eq!(padded(64, Some(2)), 96);
        assert_eq!(padded(64, Some(3)), 128);
        assert_eq!(padded(64, None), 128);
    }
}
