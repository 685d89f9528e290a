//! What the embedding is linear in: features of a point, with their derivatives by the coordinates.
//!
//! The scaled value of a linear coordinate, the two features of one that is flat at an end, or cosine
//! and sine of random frequencies in their place; for a periodic coordinate cosine and sine of `angle = 2 pi x / period`, as
//! `a cos(angle + phi) = (a cos phi) cos(angle) + (-a sin phi) sin(angle)`.

use crate::jet::JetSet;
use crate::network::flat::{self, Series};
use crate::network::{Input, Network};
use crate::problem::expression::{Channel, Expression, MultiIndex};
use crate::scalar::Real;

/// Features of a network's inputs: two per periodic coordinate, then one per linear one or, in
/// their place, two per frequency.
#[must_use]
pub fn feature_count(network: &Network) -> usize {
    2 * periodic_inputs(network) + network.layout().slopes()
}

pub fn periodic_inputs(network: &Network) -> usize {
    network.inputs().iter().filter(|input| matches!(input, Input::Periodic { .. })).count()
}

/// Taylor coefficients of the features at points in whole blocks of lanes: block by block, channel
/// by channel, feature by feature, lanes together.
pub fn features<'a, T: Real>(
    network: &Network,
    jets: &JetSet,
    points: impl Iterator<Item = &'a [f64]>,
) -> Vec<T> {
    let (terms, flats) = (terms(network, jets), Flats::of(network));
    let mut table = Vec::new();
    let mut values = vec![[0.0; 16]; value_count(network)];
    let mut points = points.peekable();
    while points.peek().is_some() {
        for (lane, point) in points.by_ref().take(T::LANES).enumerate() {
            features_at(network, &flats, point, |k, value| values[k][lane] = value);
        }
        for Term { factor, of } in &terms {
            table.extend(values[*of][..T::LANES].iter().map(|value| T::of(factor * value)));
        }
    }
    table
}

/// The same as rows over the points: a row for each feature and channel, channels of a feature
/// together. `coordinates` is point-major.
#[must_use]
pub fn feature_rows(network: &Network, jets: &JetSet, coordinates: &[f64]) -> Vec<f64> {
    let (terms, features) = (terms(network, jets), feature_count(network));
    let flats = Flats::of(network);
    let (dimensions, channels) = (network.inputs().len(), jets.len());
    let count = coordinates.len() / dimensions;
    let mut rows = vec![0.0; terms.len() * count];
    let mut values = vec![0.0; value_count(network)];
    for (i, point) in coordinates.chunks_exact(dimensions).enumerate() {
        features_at(network, &flats, point, |k, value| values[k] = value);
        for (k, Term { factor, of }) in terms.iter().enumerate() {
            let (c, f) = (k / features, k % features);
            rows[(f * channels + c) * count + i] = factor * values[*of];
        }
    }
    rows
}

/// Numbers that all Taylor coefficients of the features are multiples of: 1, the features, and of
/// those of flat coordinates every coefficient by itself.
fn value_count(network: &Network) -> usize {
    let flat = network.inputs().iter().filter(|input| matches!(input, Input::Flat { .. })).count();
    1 + feature_count(network) + 2 * flat * (size_of::<Series>() / size_of::<f64>() - 1)
}

/// The features of flat coordinates, as formulas; none for the others.
struct Flats(Vec<Option<[Expression; 2]>>);

impl Flats {
    fn of(network: &Network) -> Self {
        let formulas = |(k, input): (usize, &Input)| match *input {
            Input::Flat { lower, upper, ends } => Some(flat::features(k, [lower, upper], ends)),
            Input::Periodic { .. } | Input::Linear { .. } => None,
        };
        Self(network.inputs().iter().enumerate().map(formulas).collect())
    }
}

/// A Taylor coefficient of a feature: a multiple of a number that [`features_at`] gives.
struct Term {
    factor: f64,
    of: usize,
}

/// Of the features' values, behind a one; of flat coordinates all coefficients.
fn features_at(network: &Network, flats: &Flats, point: &[f64], mut set: impl FnMut(usize, f64)) {
    set(0, 1.0);
    let mut next = 1;
    let mut push = |value| {
        set(next, value);
        next += 1;
    };
    let mut scaled = Vec::new();
    for ((input, formulas), x) in network.inputs().iter().zip(&flats.0).zip(point) {
        match *input {
            Input::Periodic { period } => {
                let (sine, cosine) = (std::f64::consts::TAU / period * x).sin_cos();
                push(cosine);
                push(sine);
            }
            Input::Linear { lower, upper } => {
                scaled.push(2.0 / (upper - lower) * (x - lower) - 1.0);
            }
            Input::Flat { .. } => {
                scaled.extend(formulas.iter().flatten().flat_map(|f| flat::series(f, *x)));
            }
        }
    }
    if network.frequencies().is_empty() {
        scaled.into_iter().for_each(push);
        return;
    }
    for frequency in network.frequencies() {
        let (sine, cosine) =
            scaled.iter().zip(frequency).map(|(s, b)| s * b).sum::<f64>().sin_cos();
        push(cosine);
        push(sine);
    }
}

/// Channel by channel, feature by feature.
fn terms(network: &Network, jets: &JetSet) -> Vec<Term> {
    let mut terms = Vec::new();
    for channel in jets.channels() {
        let mut next = 1;
        for (k, input) in network.inputs().iter().enumerate() {
            if let Input::Periodic { period } = *input {
                let along = [(k, std::f64::consts::TAU / period)];
                terms.extend(wave(*channel, &along, next));
                next += 2;
            }
        }
        if !network.frequencies().is_empty() {
            terms.extend(random_waves(network, *channel, next));
            continue;
        }
        for (k, input) in network.inputs().iter().enumerate() {
            match *input {
                Input::Periodic { .. } => {}
                Input::Linear { lower, upper } => {
                    terms.push(linear(*channel, k, 2.0 / (upper - lower), next));
                    next += 1;
                }
                Input::Flat { .. } => {
                    let order = order_along(*channel, k);
                    let coefficients = size_of::<Series>() / size_of::<f64>();
                    for _ in 0..2 {
                        terms.push(match order {
                            Some(order) => Term { factor: 1.0, of: next + order },
                            None => Term { factor: 0.0, of: 0 },
                        });
                        next += coefficients;
                    }
                }
            }
        }
    }
    terms
}

/// Of the scaled value of linear coordinate `k`.
fn linear(channel: Channel, k: usize, scale: f64, of: usize) -> Term {
    match order_along(channel, k) {
        Some(0) => Term { factor: 1.0, of },
        Some(1) => Term { factor: scale, of: 0 },
        _ => Term { factor: 0.0, of: 0 },
    }
}

/// The order of a channel of a function of coordinate `k` alone; none where it is zero.
fn order_along(channel: Channel, k: usize) -> Option<usize> {
    match channel {
        Channel::Partial(index) => {
            let order = index.0[k];
            (order == index.order()).then_some(usize::from(order))
        }
        Channel::Laplacian => Some(2),
    }
}

/// Of the random Fourier features, the first of which is `next`.
fn random_waves(network: &Network, channel: Channel, mut next: usize) -> Vec<Term> {
    // Per linear coordinate its place among all and the scale.
    let linear: Vec<(usize, f64)> = network
        .inputs()
        .iter()
        .enumerate()
        .filter_map(|(k, input)| match *input {
            Input::Linear { lower, upper } => Some((k, 2.0 / (upper - lower))),
            Input::Periodic { .. } => None,
            Input::Flat { .. } => unreachable!("problems with fluxes have no random features"),
        })
        .collect();
    let mut terms = Vec::new();
    for frequency in network.frequencies() {
        let scaled = linear.iter().zip(frequency).map(|(&(k, scale), b)| (k, b * scale));
        terms.extend(wave(channel, &scaled.collect::<Vec<_>>(), next));
        next += 2;
    }
    terms
}

/// Taylor coefficients of cosine and sine of an angle that grows by b along coordinate k for every
/// (k, b) in `along`; the two are features `first` and `first + 1`.
fn wave(channel: Channel, along: &[(usize, f64)], first: usize) -> [Term; 2] {
    let (order, factor) = match channel {
        Channel::Partial(index) => (index.order(), coefficient(index, along)),
        Channel::Laplacian => (2, along.iter().map(|(_, b)| b * b / 2.0).sum()),
    };
    let cycle = |turn: u8| {
        let sign = if matches!(turn % 4, 1 | 2) { -1.0 } else { 1.0 };
        Term { factor: sign * factor, of: first + usize::from(turn % 2) }
    };
    // sin is cos a quarter of a turn, or three derivatives, later.
    [cycle(order), cycle(order + 3)]
}

/// `prod_k b_k^a_k / a_k!` for the multi-index a; zero where a has other coordinates.
fn coefficient(index: MultiIndex, along: &[(usize, f64)]) -> f64 {
    let known: u8 = along.iter().map(|&(k, _)| index.0[k]).sum();
    if known != index.order() {
        return 0.0;
    }
    let factor = |&(k, b): &(usize, f64)| {
        let factorial: f64 = (1..=index.0[k]).map(f64::from).product();
        b.powi(i32::from(index.0[k])) / factorial
    };
    along.iter().map(factor).product()
}
