//! Starting parameters, as published: embedding entries truncated normal, weights truncated
//! normal of variance 1 / fan-in (LeCun), biases zero, rational activations near a leaky ReLU.
//! Residual problems choose among several.

use super::{ENCODERS, Network, RATIONAL_START, Segment};
use crate::problem::residual::Initialisation;
use crate::random::{Philox, Stream};

/// Draws beyond two standard deviations are drawn again.
const TRUNCATION: f64 = 2.0;
/// Standard deviation of a standard normal truncated at two standard deviations.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

impl Network {
    /// Starting parameters for a seed; the same on every backend.
    #[must_use]
    pub fn initialise(&self, seed: u64) -> Vec<f64> {
        let random = Philox::new(seed, Stream::Initialisation);
        let mut theta = vec![0.0; self.parameters()];
        for (epoch, segment) in self.layout().segments().iter().enumerate() {
            let values = &mut theta[segment.range()];
            let (group, rest) = role(segment);
            let deviation = match (group, rest) {
                ("activation", _) => {
                    values.copy_from_slice(&RATIONAL_START);
                    continue;
                }
                (_, name) if name.ends_with("bias") => continue,
                ("output", "constants") => continue,
                ("embedding", "slope") if !self.frequencies().is_empty() => {
                    1.0 / (segment.columns as f64).sqrt() / TRUNCATED_DEVIATION
                }
                ("embedding", _) => 1.0,
                _ => 1.0 / (segment.columns as f64).sqrt() / TRUNCATED_DEVIATION,
            };
            for (k, value) in values.iter_mut().enumerate() {
                *value = deviation * random.truncated_normal(epoch as u64, k as u32, TRUNCATION);
            }
        }
        theta
    }

    /// Starting parameters of a residual problem for a seed. Phases of a periodic embedding are
    /// uniform over the circle and its other entries standard normal, whatever the choice.
    #[must_use]
    pub fn initialise_as(&self, choice: Initialisation, seed: u64) -> Vec<f64> {
        let deviation = match choice {
            Initialisation::Lecun => return self.initialise(seed),
            Initialisation::Normal { deviation } => Some(deviation),
            Initialisation::Glorot => None,
        };
        let random = Philox::new(seed, Stream::Initialisation);
        let mut theta = vec![0.0; self.parameters()];
        for (epoch, segment) in self.layout().segments().iter().enumerate() {
            let values = &mut theta[segment.range()];
            let (group, rest) = role(segment);
            let scale = match (group, rest, deviation) {
                ("activation", ..) => {
                    values.copy_from_slice(&RATIONAL_START);
                    continue;
                }
                ("embedding", "phase", _) => {
                    for (k, value) in values.iter_mut().enumerate() {
                        *value = std::f64::consts::TAU * random.uniform(epoch as u64, k as u32);
                    }
                    continue;
                }
                ("output", "constants", _) => continue,
                ("embedding", "amplitude" | "shift", _) => 1.0,
                (_, _, Some(deviation)) => deviation,
                (_, "offset", None) => continue,
                (_, name, None) if name.ends_with("bias") => continue,
                (_, _, None) => glorot(segment),
            };
            for (k, value) in values.iter_mut().enumerate() {
                *value = scale * random.normal(epoch as u64, k as u32);
            }
        }
        theta
    }
}

/// What a segment is: its group, and its name there. Encoders are embeddings.
fn role(segment: &Segment) -> (&str, &str) {
    let (group, rest) = segment.name.split_once('.').unwrap_or((&segment.name, ""));
    (if ENCODERS.contains(&group) { "embedding" } else { group }, rest)
}

/// Standard deviation after Glorot and Bengio (2010).
fn glorot(segment: &Segment) -> f64 {
    (2.0 / (segment.columns + segment.rows) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use crate::network::{Input, Network, RATIONAL_START};
    use crate::problem::Activation;

    #[test]
    fn starting_parameters_have_the_published_spread_and_depend_on_the_seed_alone() {
        let network =
            Network::new(vec![Input::Periodic { period: 2.0 }], 60, 2, Activation::Rational);
        let theta = network.initialise(5);
        assert_eq!(theta, network.initialise(5));
        assert_ne!(theta, network.initialise(6));
        let of = |name: &str| &theta[network.layout().segment(name).unwrap().range()];
        let weights = of("hidden.2.weight");
        let variance = weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64;
        assert!((variance * 60.0 - 1.0).abs() < 0.1, "variance {variance} times fan-in");
        assert!(of("hidden.1.bias").iter().all(|&b| b == 0.0));
        assert!(of("embedding.phase").iter().all(|b| b.abs() < 2.0));
        assert_eq!(of("activation.1"), RATIONAL_START);
    }
}
