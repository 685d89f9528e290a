//! What needs no device: the texts are valid, and the weights are the parameters' functions.

use wgpu::naga;

use super::scalar::Scalar;
use super::sweep::texts;
use super::weights::Weights;
use crate::gpu::compose::bindings;
use crate::jet::JetSet;
use crate::network::{Input, Network};
use crate::problem::Activation;
use crate::problem::expression::{Channel, MultiIndex};

fn inputs() -> Vec<Input> {
    vec![
        Input::Linear { lower: -1.0, upper: 0.5 },
        Input::Periodic { period: 2.0 },
        Input::Linear { lower: 0.0, upper: 3.0 },
        Input::Periodic { period: 0.5 },
    ]
}

fn partial(orders: &[u8]) -> Channel {
    let mut index = MultiIndex::default();
    index.0[..orders.len()].copy_from_slice(orders);
    Channel::Partial(index)
}

fn validate(text: &str) -> Result<(), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let flags = naga::valid::ValidationFlags::all();
    naga::valid::Validator::new(flags, naga::valid::Capabilities::FLOAT64)
        .validate(&module)
        .map(drop)
        .map_err(|error| error.emit_to_string(text))
}

#[test]
fn every_kernel_is_valid_in_every_scalar() {
    let sets = [
        JetSet::closure(4, []),
        JetSet::closure(4, [Channel::Laplacian]),
        JetSet::closure(4, [partial(&[1]), partial(&[0, 2])]),
        JetSet::closure(4, [partial(&[2, 2]), partial(&[0, 0, 0, 4]), partial(&[1, 1, 1])]),
    ];
    let mut checked = 0;
    for activation in Activation::ALL {
        for (width, hidden) in [(1, 0), (20, 3), (129, 1)] {
            let network = Network::new(inputs(), width, hidden, activation);
            for (set, scalar) in sets.iter().flat_map(|set| {
                [Scalar::Single, Scalar::Double, Scalar::DoubleFloat].map(|scalar| (set, scalar))
            }) {
                for back in [false, true] {
                    for (stem, text) in texts(&network, set, scalar, back).expect("composes") {
                        validate(&text).unwrap_or_else(|error| panic!("{stem}: {error}"));
                        let storage = bindings(&text).len();
                        assert!(storage <= 8, "{stem}: {storage} bindings");
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn validation_finds_a_planted_error() {
    let network = Network::new(inputs(), 3, 1, Activation::Tanh);
    let jets = JetSet::closure(4, []);
    let list = texts(&network, &jets, Scalar::Double, true).expect("composes");
    assert!(list.iter().all(|(_, text)| validate(text).is_ok()));
    let planted = list[0].1.replace("layer.bias", "layer.bios");
    assert!(validate(&planted).is_err());
}

/// D against central differences of the weights, and D^T against D.
#[test]
fn derivatives_of_the_weights_are_central_differences() {
    for activation in Activation::ALL {
        let network = Network::new(inputs(), 3, 2, activation);
        let weights = Weights::new(&network);
        let theta: Vec<f64> =
            (0..network.parameters()).map(|k| (1.3 * k as f64).sin() + 0.2).collect();
        let derivatives = weights.derivatives(&theta);
        let identity = faer::Mat::<f64>::identity(theta.len(), theta.len());
        let exact = derivatives.multiply(identity.as_ref(), weights.len());
        let mut worst = 0.0f64;
        for k in 0..theta.len() {
            let shifted = |step: f64| {
                let mut moved = theta.clone();
                moved[k] += step;
                weights.values(&moved)
            };
            let (up, down) = (shifted(1e-6), shifted(-1e-6));
            for w in 0..weights.len() {
                worst = worst.max(((up[w] - down[w]) / 2e-6 - exact[(w, k)]).abs());
            }
        }
        assert!(worst < 1e-8, "{activation:?}: {worst:e}");
        let unit = faer::Mat::<f64>::identity(weights.len(), weights.len());
        let transposed = derivatives.multiply_transposed(unit.as_ref());
        assert_eq!(transposed, exact.transpose().to_owned());
        for (w, list) in derivatives.by_weight(weights.len()).iter().enumerate() {
            assert!(list.iter().all(|&(k, factor)| exact[(w, k as usize)] == factor));
        }
    }
}
