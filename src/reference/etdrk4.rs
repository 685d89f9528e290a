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

use std::f64::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use super::fourier::RealTransform;
use super::pointwise::{Fields, Pointwise};
use super::split::{ORDERS, Split};

/// Periodic equations in one space dimension, ready to be discretised.
#[derive(Clone, Debug)]
pub struct System {
    pub lower: f64,
    /// The period.
    pub length: f64,
    /// One per unknown.
    pub splits: Vec<Split>,
    pub parameters: Vec<f64>,
}

impl System {
    /// m.
    #[must_use]
    pub fn unknowns(&self) -> usize {
        self.splits.len()
    }

    /// Whether the equations are linear, with constant coefficients, and of one unknown each.
    fn is_diagonal(&self) -> bool {
        self.splits.iter().all(|split| split.rest.is_none())
    }

    /// The unknowns and orders of the derivatives that the rests name, each once.
    fn entries(&self) -> Vec<(usize, u8)> {
        let mut entries: Vec<_> =
            self.splits.iter().flat_map(|split| split.entries.iter().copied()).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// The highest degree of a rest; `None` when one is no polynomial.
    fn degree(&self) -> Option<u32> {
        let degrees = self.splits.iter().filter(|split| split.rest.is_some());
        degrees.map(|split| split.degree).try_fold(0, |most, degree| Some(most.max(degree?)))
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

/// The scheme at one resolution: wave numbers 0 ..= K with K = modes / 2 - 1 and a fixed step. States
/// hold wave number by wave number, and in each unknown by unknown.
pub struct Stepper {
    step: f64,
    kept: usize,
    /// In the order of a state.
    scheme: Vec<Coefficients>,
    /// The unknowns and orders of the derivatives that are needed.
    entries: Vec<(usize, u8)>,
    transform: RealTransform,
    /// x of the padded grid.
    coordinates: Vec<f64>,
    /// 2 pi / period.
    wave_number: f64,
    derivatives: Vec<Vec<f64>>,
    values: Vec<f64>,
    pointwise: Pointwise,
    spectrum: Vec<Complex64>,
    /// N(v), N(a), N(b), N(c).
    slopes: [Vec<Complex64>; 4],
    stages: [Vec<Complex64>; 2],
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
    /// `modes` is even.
    #[must_use]
    pub fn new(system: &System, modes: usize, step: f64, planner: &mut FftPlanner<f64>) -> Self {
        let kept = modes / 2;
        let wave_number = TAU / system.length;
        let scheme: Vec<Coefficients> = (0..kept)
            .flat_map(|k| system.splits.iter().map(move |split| (k, split)))
            .map(|(k, split)| {
                Coefficients::new(eigenvalue(&split.linear, wave_number * k as f64), step)
            })
            .collect();
        let samples = padded(modes, system.degree()).next_multiple_of(2);
        let entries = system.entries();
        let mut derivatives = vec![Vec::new(); system.unknowns() * ORDERS];
        for &(unknown, order) in &entries {
            derivatives[unknown * ORDERS + usize::from(order)] = vec![0.0; samples];
        }
        let empty = || vec![Complex64::default(); scheme.len()];
        let spacing = system.length / samples as f64;
        Self {
            step,
            kept,
            entries,
            transform: RealTransform::new(samples, planner),
            coordinates: (0..samples).map(|j| system.lower + spacing * j as f64).collect(),
            wave_number,
            derivatives,
            values: vec![0.0; samples],
            pointwise: Pointwise::default(),
            spectrum: vec![Complex64::default(); kept],
            slopes: std::array::from_fn(|_| empty()),
            stages: [empty(), empty()],
            scheme,
        }
    }

    /// Coefficients kept of each unknown: K + 1.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// One step from `time`; `state` holds the coefficients c_0 .. c_K of all unknowns.
    pub fn advance(&mut self, system: &System, time: f64, state: &mut [Complex64]) {
        if system.is_diagonal() {
            state.iter_mut().zip(&self.scheme).for_each(|(v, s)| *v *= s.full);
            return;
        }
        let middle = time + 0.5 * self.step;
        let [mut a, mut other] = std::mem::take(&mut self.stages);
        let [mut n_v, mut n_a, mut n_b, mut n_c] = std::mem::take(&mut self.slopes);
        self.rest(system, time, state, &mut n_v);
        for (k, s) in self.scheme.iter().enumerate() {
            a[k] = s.half * state[k] + s.q * n_v[k];
        }
        self.rest(system, middle, &a, &mut n_a);
        for (k, s) in self.scheme.iter().enumerate() {
            other[k] = s.half * state[k] + s.q * n_a[k];
        }
        self.rest(system, middle, &other, &mut n_b);
        for (k, s) in self.scheme.iter().enumerate() {
            other[k] = s.half * a[k] + s.q * (2.0 * n_b[k] - n_v[k]);
        }
        self.rest(system, time + self.step, &other, &mut n_c);
        for (k, s) in self.scheme.iter().enumerate() {
            state[k] =
                s.full * state[k] + s.f1 * n_v[k] + 2.0 * s.f2 * (n_a[k] + n_b[k]) + s.f3 * n_c[k];
        }
        self.stages = [a, other];
        self.slopes = [n_v, n_a, n_b, n_c];
    }

    /// Coefficients of the rests R at the state, by samples on the padded grid.
    fn rest(&mut self, system: &System, time: f64, state: &[Complex64], out: &mut [Complex64]) {
        let unknowns = system.unknowns();
        for &(unknown, order) in &self.entries {
            let own = state.iter().skip(unknown).step_by(unknowns);
            for (k, (d, c)) in self.spectrum.iter_mut().zip(own).enumerate() {
                *d = c * derivative_symbol(self.wave_number * k as f64, order);
            }
            let at = unknown * ORDERS + usize::from(order);
            self.transform.synthesize(&self.spectrum, &mut self.derivatives[at]);
        }
        for (unknown, split) in system.splits.iter().enumerate() {
            let own = out.iter_mut().skip(unknown).step_by(unknowns);
            let Some(rest) = &split.rest else {
                own.for_each(|to| *to = Complex64::default());
                continue;
            };
            let fields = Fields {
                coordinates: &self.coordinates,
                time,
                parameters: &system.parameters,
                derivatives: &self.derivatives,
            };
            self.pointwise.evaluate(rest, fields, &mut self.values);
            self.transform.analyze(&self.values, &mut self.spectrum);
            own.zip(&self.spectrum).for_each(|(to, c)| *to = *c);
        }
    }
}

/// (i k)^order.
fn derivative_symbol(k: f64, order: u8) -> Complex64 {
    let size = k.powi(i32::from(order));
    match order % 4 {
        0 => Complex64::new(size, 0.0),
        1 => Complex64::new(0.0, size),
        2 => Complex64::new(-size, 0.0),
        _ => Complex64::new(0.0, -size),
    }
}

/// The linear operator's factor at wave number `k`.
fn eigenvalue(linear: &[f64; ORDERS], k: f64) -> Complex64 {
    (0u8..).zip(linear).map(|(order, &c)| c * derivative_symbol(k, order)).sum()
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
