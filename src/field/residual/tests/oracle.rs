//! The network in truncated polynomial arithmetic: every derivative by the coordinates and by one
//! parameter, exactly, from the definition alone and without any code of the evaluators.

use std::collections::BTreeMap;

use crate::network::{Input, Network, Site};
use crate::problem::Activation;
use crate::problem::expression::Channel;

/// Coordinates, and the shift of one parameter last.
const VARIABLES: usize = 4;
const SHIFT: usize = VARIABLES - 1;

/// A polynomial in the offsets of the coordinates, of total degree up to `order`, and in the shift
/// of a parameter, of degree one.
#[derive(Clone)]
pub struct Polynomial {
    order: u8,
    terms: BTreeMap<[u8; VARIABLES], f64>,
}

impl Polynomial {
    fn constant(order: u8, value: f64) -> Self {
        Self { order, terms: BTreeMap::from([([0; VARIABLES], value)]) }
    }

    fn variable(order: u8, value: f64, which: usize) -> Self {
        let mut result = Self::constant(order, value);
        let mut index = [0; VARIABLES];
        index[which] = 1;
        result.terms.insert(index, 1.0);
        result
    }

    fn value(&self) -> f64 {
        self.terms.get(&[0; VARIABLES]).copied().unwrap_or(0.0)
    }

    fn plus(&self, other: &Self, factor: f64) -> Self {
        let mut result = self.clone();
        for (index, c) in &other.terms {
            *result.terms.entry(*index).or_insert(0.0) += factor * c;
        }
        result
    }

    fn times(&self, other: &Self) -> Self {
        let mut result = Self { order: self.order, terms: BTreeMap::new() };
        for (i, a) in &self.terms {
            for (j, b) in &other.terms {
                let index: [u8; VARIABLES] = std::array::from_fn(|k| i[k] + j[k]);
                if index[SHIFT] <= 1 && index[..SHIFT].iter().sum::<u8>() <= self.order {
                    *result.terms.entry(index).or_insert(0.0) += a * b;
                }
            }
        }
        result
    }

    /// `f(self)` for a function with the given derivatives at the polynomial's value.
    fn compose(&self, derivatives: &[f64]) -> Self {
        let step = self.plus(&Self::constant(self.order, self.value()), -1.0);
        let mut power = Self::constant(self.order, 1.0);
        let mut result = Self::constant(self.order, 0.0);
        let mut factorial = 1.0;
        for (k, derivative) in derivatives.iter().enumerate() {
            if k > 0 {
                power = power.times(&step);
                factorial *= k as f64;
            }
            result = result.plus(&power, derivative / factorial);
        }
        result
    }

    /// The derivative that a channel names, or that of it by the parameter.
    pub fn derivative(&self, channel: Channel, dimensions: usize, by_parameter: bool) -> f64 {
        let at = |orders: &[u8]| {
            let mut index = [0; VARIABLES];
            index[..SHIFT].copy_from_slice(&orders[..SHIFT]);
            index[SHIFT] = u8::from(by_parameter);
            let factorial: f64 =
                orders.iter().map(|&k| (1..=k).map(f64::from).product::<f64>()).product();
            factorial * self.terms.get(&index).copied().unwrap_or(0.0)
        };
        match channel {
            Channel::Partial(index) => at(&index.0[..SHIFT]),
            Channel::Laplacian => (0..dimensions)
                .map(|k| {
                    let mut orders = [0; SHIFT];
                    orders[k] = 2;
                    at(&orders)
                })
                .sum(),
        }
    }
}

/// The derivatives f, f', f'', .. of a function with f' = p(f), from the polynomial p.
fn autonomous(value: f64, p: &[f64], count: usize) -> Vec<f64> {
    let evaluate = |q: &[f64]| q.iter().rev().fold(0.0, |sum, c| sum * value + c);
    let mut q = vec![0.0, 1.0];
    let mut derivatives = Vec::new();
    for _ in 0..count {
        derivatives.push(evaluate(&q));
        // d/dz q(f) = q'(f) p(f).
        let slope: Vec<f64> = (1..q.len()).map(|k| k as f64 * q[k]).collect();
        let mut next = vec![0.0; slope.len() + p.len()];
        for (i, a) in slope.iter().enumerate() {
            for (j, b) in p.iter().enumerate() {
                next[i + j] += a * b;
            }
        }
        q = next;
    }
    derivatives
}

struct Definition<'a> {
    network: &'a Network,
    theta: &'a [f64],
    /// The parameter that the shift belongs to.
    shifted: Option<usize>,
    order: u8,
}

impl Definition<'_> {
    fn parameter(&self, site: Site) -> Polynomial {
        self.number(self.network.layout().offset(site))
    }

    /// An entry of an embedding: the network's own, or an encoder's.
    fn entry(&self, group: &str, name: &str, row: usize, column: usize) -> Polynomial {
        let layout = self.network.layout();
        let segment = layout.segment(&format!("{group}.{name}")).expect("a segment");
        self.number(segment.offset + row * segment.columns + column)
    }

    fn number(&self, offset: usize) -> Polynomial {
        let value = self.theta[offset];
        if self.shifted == Some(offset) {
            Polynomial::variable(self.order, value, SHIFT)
        } else {
            Polynomial::constant(self.order, value)
        }
    }

    fn activate(&self, layer: usize, z: &Polynomial) -> Polynomial {
        let count = usize::from(self.order) + 2;
        let value = z.value();
        match self.network.activation() {
            Activation::Tanh => z.compose(&autonomous(value.tanh(), &[1.0, 0.0, -1.0], count)),
            Activation::Sin => {
                let cycle = [value.sin(), value.cos(), -value.sin(), -value.cos()];
                z.compose(&(0..count).map(|k| cycle[k % 4]).collect::<Vec<_>>())
            }
            Activation::Swish => {
                let g = 1.0 / (1.0 + (-value).exp());
                z.times(&z.compose(&autonomous(g, &[0.0, 1.0, -1.0], count)))
            }
            Activation::Rational => {
                let c = |coefficient| self.parameter(Site::Activation { layer, coefficient });
                let horner = |list: &[usize]| {
                    let zero = Polynomial::constant(self.order, 0.0);
                    list.iter().fold(zero, |sum, &k| sum.times(z).plus(&c(k), 1.0))
                };
                let (above, below) = (horner(&[0, 1, 2, 3]), horner(&[4, 5, 6]));
                let q = below.value();
                let mut reciprocal = vec![1.0 / q];
                for k in 1..count {
                    reciprocal.push(-(k as f64) * reciprocal[k - 1] / q);
                }
                above.times(&below.compose(&reciprocal))
            }
        }
    }

    fn embed(&self, group: &str, unit: usize, x: &[f64]) -> Polynomial {
        let inputs = self.network.inputs();
        let mut z = Polynomial::constant(self.order, 0.0);
        let (mut waves, mut slopes) = (0, 0);
        let mut scaled_inputs = Vec::new();
        for (input, kind) in inputs.iter().enumerate() {
            let coordinate = Polynomial::variable(self.order, x[input], input);
            z = match *kind {
                Input::Periodic { period } => {
                    let frequency = std::f64::consts::TAU / period;
                    let angle = Polynomial::constant(self.order, 0.0)
                        .plus(&coordinate, frequency)
                        .plus(&self.entry(group, "phase", unit, waves), 1.0);
                    let (s, c) = angle.value().sin_cos();
                    let cycle = [c, -s, -c, s];
                    let wave: Vec<f64> =
                        (0..usize::from(self.order) + 2).map(|k| cycle[k % 4]).collect();
                    let amplitude = self.entry(group, "amplitude", unit, waves);
                    waves += 1;
                    z.plus(&amplitude.times(&angle.compose(&wave)), 1.0)
                        .plus(&self.entry(group, "shift", unit, waves - 1), 1.0)
                }
                Input::Flat { .. } => unreachable!("trainings have no flat coordinates"),
                Input::Linear { lower, upper } => {
                    let scaled = Polynomial::constant(self.order, -1.0)
                        .plus(&coordinate, 2.0 / (upper - lower))
                        .plus(
                            &Polynomial::constant(self.order, 1.0),
                            -2.0 * lower / (upper - lower),
                        );
                    scaled_inputs.push(scaled.clone());
                    if !self.network.frequencies().is_empty() {
                        continue;
                    }
                    slopes += 1;
                    z.plus(&self.entry(group, "slope", unit, slopes - 1).times(&scaled), 1.0)
                }
            };
        }
        for (k, frequency) in self.network.frequencies().iter().enumerate() {
            let none = Polynomial::constant(self.order, 0.0);
            let terms = scaled_inputs.iter().zip(frequency);
            let angle = terms.fold(none, |sum, (s, b)| sum.plus(s, *b));
            let (s, c) = angle.value().sin_cos();
            let count = usize::from(self.order) + 2;
            for (feature, cycle) in [[c, -s, -c, s], [s, c, -s, -c]].into_iter().enumerate() {
                let series: Vec<f64> = (0..count).map(|n| cycle[n % 4]).collect();
                let weight = self.entry(group, "slope", unit, 2 * k + feature);
                z = z.plus(&weight.times(&angle.compose(&series)), 1.0);
            }
        }
        if !scaled_inputs.is_empty() {
            z = z.plus(&self.entry(group, "offset", unit, 0), 1.0);
        }
        z
    }

    fn affine(&self, layer: usize, row: usize, h: &[Polynomial]) -> Polynomial {
        let mut z = self.parameter(Site::Bias { layer, row });
        for (column, h) in h.iter().enumerate() {
            z = z.plus(&self.parameter(Site::Weight { layer, row, column }).times(h), 1.0);
        }
        z
    }
}

/// The network's outputs about the point x, with the shift of a parameter where one is named.
pub fn network_at(
    network: &Network,
    theta: &[f64],
    x: &[f64],
    order: u8,
    shifted: Option<usize>,
) -> Vec<Polynomial> {
    assert!(x.len() <= SHIFT, "coordinates of the oracle");
    let definition = Definition { network, theta, shifted, order };
    let encode = |group: &str| -> Vec<Polynomial> {
        let units = 0..network.width();
        units.map(|unit| definition.activate(0, &definition.embed(group, unit, x))).collect()
    };
    let mut h = encode("embedding");
    let gates: Vec<Vec<Polynomial>> = network.encoders().map(encode).collect();
    for layer in 1..=network.hidden_layers() {
        h = (0..network.width())
            .map(|row| definition.activate(layer, &definition.affine(layer, row, &h)))
            .collect();
        if let [u, v] = gates.as_slice() {
            // (1 - h) U + h V.
            let gated = |row: usize| {
                let one = Polynomial::constant(order, 1.0);
                one.plus(&h[row], -1.0).times(&u[row]).plus(&h[row].times(&v[row]), 1.0)
            };
            h = (0..network.width()).map(gated).collect();
        }
    }
    let outputs = 0..network.outputs();
    outputs.map(|row| definition.affine(network.hidden_layers() + 1, row, &h)).collect()
}
