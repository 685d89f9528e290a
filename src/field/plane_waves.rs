//! A network of one layer of sines whose inner weights are drawn and not trained: random Fourier
//! features (Rahimi, Recht, "Random features for large-scale kernel machines", 2007) as functions of
//! their own beside a network.
//!
//! ```text
//! v(x) = sum over frequencies w_j of [ a_j cos(w_j . s(x)) + b_j sin(w_j . s(x)) ]
//! ```
//!
//! s are the coordinates as the network scales them: to [-1, 1], and a periodic one to an angle, along
//! which frequencies are whole numbers. All derivatives are at hand: with w' the frequencies along x,
//! `D^alpha cos(w . s) = w'^alpha cos(w . s + |alpha| pi/2)`. Waves around a hole of the domain have the
//! coordinates of an [`Inversion`] in place of s, and their derivatives by jets.

use std::cell::OnceCell;

use crate::inversion::{Inversion, exponential};
use crate::jet::JetSet;
use crate::network::{Input, Network};
use crate::problem::expression::Channel;

/// Functions of which sums are sought: all derivatives of each at any point.
pub trait Functions: Sync {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds `factor` times a channel of every function at a point to `out`.
    fn add(&self, point: &[f64], channel: Channel, factor: f64, out: &mut [f64]);
}

/// Cosines and sines of m frequencies: 2 m functions, the cosines first.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneWaves {
    /// Slope and offset of each scaled coordinate, `s = slope x + offset`.
    scaling: Vec<[f64; 2]>,
    count: usize,
    /// Neighbours of one kind, in the order of all.
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq)]
struct Group {
    first: usize,
    /// Of the waves, frequency by frequency: along x or, around a hole, along q.
    along: Vec<f64>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// With `w . offset` of each wave.
    Plane {
        phases: Vec<f64>,
    },
    Around(Inversion),
}

impl PlaneWaves {
    /// With these frequencies along the scaled coordinates of a network, frequency by frequency; those
    /// of waves around a hole along the coordinates of its inversion, which is given by the d numbers of
    /// its middle and its d inverse half axes for each wave, zeros where there is no hole.
    ///
    /// # Panics
    /// When they are no whole number of frequencies, or there are not twice as many numbers of
    /// inversions.
    #[must_use]
    pub fn new(network: &Network, frequencies: &[f64], inversions: &[f64]) -> Self {
        let scaling: Vec<[f64; 2]> = network.inputs().iter().map(scaling).collect();
        let d = scaling.len();
        assert!(frequencies.len().is_multiple_of(d), "a number per coordinate");
        assert_eq!(inversions.len(), 2 * frequencies.len(), "an inversion for each wave");
        let mut groups = Vec::new();
        let mut first = 0;
        for alike in inversions.chunks_exact(2 * d).collect::<Vec<_>>().chunk_by(|a, b| a == b) {
            let mine = &frequencies[d * first..][..d * alike.len()];
            let (centre, inverse_axes) = alike[0].split_at(d);
            groups.push(match Inversion::new(centre, inverse_axes) {
                Some(inversion) => {
                    Group { first, along: mine.to_vec(), kind: Kind::Around(inversion) }
                }
                None => Group::plane(first, mine, &scaling),
            });
            first += alike.len();
        }
        Self { scaling, count: first, groups }
    }
}

impl Group {
    fn plane(first: usize, frequencies: &[f64], scaling: &[[f64; 2]]) -> Self {
        let with = |k: usize| {
            let each = frequencies.iter().zip(scaling.iter().cycle());
            each.map(move |(w, scaling)| w * scaling[k])
        };
        let along: Vec<f64> = with(0).collect();
        let offsets: Vec<f64> = with(1).collect();
        let phases = offsets.chunks_exact(scaling.len()).map(|offsets| offsets.iter().sum());
        let kind = Kind::Plane { phases: phases.collect() };
        Self { first, along, kind }
    }

    fn frequencies(&self, dimensions: usize) -> impl Iterator<Item = &[f64]> {
        self.along.chunks_exact(dimensions)
    }
}

/// Jets of exp(i w . q) for the waves around a hole, one after the other, at a point.
fn each_around(
    inversion: &Inversion,
    (set, scaling): (&JetSet, &[[f64; 2]]),
    point: &[f64],
    frequencies: &[f64],
    look: &mut dyn FnMut(usize, &[Vec<f64>; 2]),
) {
    let jets = inversion.jets(set, point, scaling);
    let blank = || vec![0.0; set.len()];
    let (mut angle, mut wave, mut work) = (blank(), [blank(), blank()], [blank(), blank()]);
    for (j, along) in frequencies.chunks_exact(point.len()).enumerate() {
        angle.fill(0.0);
        for (jet, w) in jets.chunks_exact(set.len()).zip(along) {
            angle.iter_mut().zip(jet).for_each(|(to, q)| *to += w * q);
        }
        exponential(set, &angle, &mut wave, &mut work);
        look(j, &wave);
    }
}

/// Slope and offset of a coordinate's scaling.
fn scaling(input: &Input) -> [f64; 2] {
    match *input {
        Input::Periodic { period } => [std::f64::consts::TAU / period, 0.0],
        Input::Linear { lower, upper } | Input::Flat { lower, upper, .. } => {
            let slope = 2.0 / (upper - lower);
            [slope, -1.0 - slope * lower]
        }
    }
}

fn angle(point: &[f64], along: &[f64], phase: f64) -> f64 {
    point.iter().zip(along).map(|(x, w)| x * w).sum::<f64>() + phase
}

/// `(i w)^alpha` of a channel without the powers of i, which are `turns` many.
fn symbol(channel: Channel, along: &[f64]) -> f64 {
    match channel {
        Channel::Partial(index) => {
            along.iter().zip(index.0).map(|(w, k)| w.powi(k.into())).product()
        }
        Channel::Laplacian => along.iter().map(|w| w * w).sum(),
    }
}

fn turns(channel: Channel) -> u8 {
    match channel {
        Channel::Partial(index) => index.order() % 4,
        Channel::Laplacian => 2,
    }
}

/// cos and sin of an angle after quarter turns.
fn turned((sine, cosine): (f64, f64), turns: u8) -> [f64; 2] {
    match turns {
        0 => [cosine, sine],
        1 => [-sine, cosine],
        2 => [-cosine, -sine],
        _ => [sine, -cosine],
    }
}

impl Functions for PlaneWaves {
    fn len(&self) -> usize {
        2 * self.count
    }

    fn add(&self, point: &[f64], channel: Channel, factor: f64, out: &mut [f64]) {
        let (cosines, sines) = out.split_at_mut(self.count);
        let (quarters, set) = (turns(channel), OnceCell::new());
        for group in &self.groups {
            let (cosines, sines) = (&mut cosines[group.first..], &mut sines[group.first..]);
            match &group.kind {
                Kind::Plane { phases } => {
                    let each = group.frequencies(point.len()).zip(phases);
                    for (((along, phase), c), s) in each.zip(cosines).zip(sines) {
                        let size = factor * symbol(channel, along);
                        let [cosine, sine] =
                            turned(angle(point, along, *phase).sin_cos(), quarters);
                        *c += size * cosine;
                        *s += size * sine;
                    }
                }
                Kind::Around(inversion) => {
                    // The same around all holes.
                    let set = set.get_or_init(|| JetSet::closure(point.len(), [channel]));
                    let at = set.position(channel).expect("a channel of its own closure");
                    let size = factor * set.factor(at);
                    let of = (set, &self.scaling[..]);
                    each_around(inversion, of, point, &group.along, &mut |j, [real, imaginary]| {
                        cosines[j] += size * real[at];
                        sines[j] += size * imaginary[at];
                    });
                }
            }
        }
    }
}

/// Sums of plane waves, one for each unknown.
#[derive(Clone, Debug)]
pub struct WaveSums {
    waves: PlaneWaves,
    /// Of each unknown, of the cosines and then of the sines.
    coefficients: Vec<f64>,
}

impl WaveSums {
    /// # Panics
    /// When there are not as many coefficients as functions for each unknown.
    #[must_use]
    pub fn new(waves: PlaneWaves, coefficients: Vec<f64>) -> Self {
        let whole = coefficients.len().is_multiple_of(waves.len().max(1));
        assert!(whole, "a coefficient for each function of each unknown");
        Self { waves, coefficients }
    }

    /// Ready for the channels of a jet.
    #[must_use]
    pub fn of_jet<'a>(&'a self, jets: &'a JetSet) -> JetSums<'a> {
        let channels = jets.channels();
        let symbols = |group: &Group| {
            let of = |along: &[f64]| -> Vec<f64> {
                // Jets hold Taylor coefficients.
                let each = channels.iter().enumerate();
                each.map(|(c, &channel)| symbol(channel, along) / jets.factor(c)).collect()
            };
            match group.kind {
                Kind::Plane { .. } => group.frequencies(jets.dimensions()).flat_map(of).collect(),
                Kind::Around(_) => Vec::new(),
            }
        };
        let symbols = self.waves.groups.iter().map(symbols).collect();
        let turns = channels.iter().map(|&c| turns(c)).collect();
        JetSums { sums: self, jets, symbols, turns }
    }
}

/// Jets of sums of plane waves.
pub struct JetSums<'a> {
    sums: &'a WaveSums,
    jets: &'a JetSet,
    /// Of each group, frequency and channel.
    symbols: Vec<Vec<f64>>,
    turns: Vec<u8>,
}

impl JetSums<'_> {
    /// The Taylor coefficients at a point: channel by channel, unknown by unknown.
    pub fn evaluate(&self, point: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let waves = &self.sums.waves;
        for (group, symbols) in waves.groups.iter().zip(&self.symbols) {
            match &group.kind {
                Kind::Plane { phases } => self.add_plane(group, phases, symbols, point, out),
                Kind::Around(inversion) => {
                    let (unknowns, of) = (self.unknowns(out), (self.jets, &waves.scaling[..]));
                    each_around(inversion, of, point, &group.along, &mut |j, wave| {
                        for unknown in 0..unknowns {
                            let [a, b] = self.coefficients(unknown, group.first + j);
                            let to = out[unknown..].iter_mut().step_by(unknowns);
                            let [real, imaginary] = wave;
                            for ((cosine, sine), to) in real.iter().zip(imaginary).zip(to) {
                                *to += a * cosine + b * sine;
                            }
                        }
                    });
                }
            }
        }
    }

    fn add_plane(
        &self,
        group: &Group,
        phases: &[f64],
        symbols: &[f64],
        point: &[f64],
        out: &mut [f64],
    ) {
        let (channels, unknowns) = (self.turns.len(), self.unknowns(out));
        for (j, (along, phase)) in group.frequencies(point.len()).zip(phases).enumerate() {
            let both = angle(point, along, *phase).sin_cos();
            let symbols = &symbols[j * channels..][..channels];
            for unknown in 0..unknowns {
                let [a, b] = self.coefficients(unknown, group.first + j);
                let sums = [0, 1, 2, 3].map(|turns| {
                    let [cosine, sine] = turned(both, turns);
                    a * cosine + b * sine
                });
                for ((symbol, &turns), to) in
                    symbols.iter().zip(&self.turns).zip(out[unknown..].iter_mut().step_by(unknowns))
                {
                    *to += symbol * sums[usize::from(turns)];
                }
            }
        }
    }

    fn unknowns(&self, out: &[f64]) -> usize {
        out.len() / self.turns.len()
    }

    /// Of the cosine and the sine of a wave.
    fn coefficients(&self, unknown: usize, wave: usize) -> [f64; 2] {
        let WaveSums { waves, coefficients } = self.sums;
        [0, waves.count].map(|first| coefficients[2 * unknown * waves.count + first + wave])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Activation;
    use crate::problem::expression::MultiIndex;

    fn waves() -> PlaneWaves {
        let inputs =
            vec![Input::Linear { lower: 0.5, upper: 2.0 }, Input::Periodic { period: 3.0 }];
        let network = Network::new(inputs, 4, 1, Activation::Tanh);
        let mut inversions = [0.0; 20];
        // The last two around an ellipse, and around a segment at all of the second coordinate.
        inversions[12..16].copy_from_slice(&[1.4, 2.9, 1.0 / 0.3, 1.0 / 0.2]);
        inversions[16..].copy_from_slice(&[0.2, 0.0, 1.0 / 0.1, 0.0]);
        let frequencies = [1.3, 2.0, -0.7, 1.0, 0.0, 3.0, 0.9, -1.7, 2.1, 1.0];
        PlaneWaves::new(&network, &frequencies, &inversions)
    }

    fn values(point: [f64; 2], orders: [u8; 2]) -> Vec<f64> {
        let (mut index, waves) = (MultiIndex::default(), waves());
        index.0[..2].copy_from_slice(&orders);
        let mut out = vec![0.0; waves.len()];
        waves.add(&point, Channel::Partial(index), 1.0, &mut out);
        out
    }

    #[test]
    fn waves_close_along_periodic_coordinates_and_their_derivatives_are_those_of_differences() {
        let (point, h) = ([0.9, 0.4], 1e-5);
        let around = |k: usize| k % 5 == 3;
        let both = values(point, [0, 0]).into_iter().zip(values([0.9, 3.4], [0, 0]));
        for (k, (a, b)) in both.enumerate() {
            assert!(((a - b).abs() < 1e-14) != around(k), "{k}");
        }
        for orders in [[0, 0], [1, 0], [0, 1], [1, 1], [2, 0], [0, 3]] {
            for k in 0..2 {
                let (mut up, mut down, mut more) = (point, point, orders);
                (up[k], down[k], more[k]) = (up[k] + h, down[k] - h, more[k] + 1);
                let sides = values(up, orders).into_iter().zip(values(down, orders));
                for (exact, (up, down)) in values(point, more).iter().zip(sides) {
                    let difference = (up - down) / (2.0 * h);
                    assert!((exact - difference).abs() < 1e-6, "{orders:?} {k}");
                }
            }
        }
    }

    /// The jet of a sum is the sum of the functions, of each unknown by itself.
    #[test]
    fn jets_of_sums_are_sums_of_the_functions() {
        let waves = waves();
        let coefficients: Vec<f64> = (0..2 * waves.len()).map(|k| 0.3 * k as f64 - 1.0).collect();
        let sums = WaveSums::new(waves.clone(), coefficients.clone());
        let third = Channel::Partial(MultiIndex::along(1, 3));
        let jets = JetSet::closure(2, [third, Channel::Laplacian]);
        let point = [1.7, 2.2];
        let mut out = vec![0.0; 2 * jets.len()];
        sums.of_jet(&jets).evaluate(&point, &mut out);
        for (c, &channel) in jets.channels().iter().enumerate() {
            let mut each = vec![0.0; waves.len()];
            waves.add(&point, channel, 1.0 / jets.factor(c), &mut each);
            for unknown in 0..2 {
                let mine = &coefficients[unknown * waves.len()..][..waves.len()];
                let sum: f64 = each.iter().zip(mine).map(|(f, a)| f * a).sum();
                assert!((out[2 * c + unknown] - sum).abs() < 1e-12 * sum.abs().max(1.0));
            }
        }
    }
}
