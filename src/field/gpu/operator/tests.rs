//! What needs no device: the texts are valid.

use wgpu::naga;

use super::scalar::Scalar;
use super::texts::Texts;
use crate::gpu::compose::{Access, bindings};
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

fn validate(text: &str) -> Result<naga::Module, String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let flags = naga::valid::ValidationFlags::all();
    naga::valid::Validator::new(flags, naga::valid::Capabilities::FLOAT64)
        .validate(&module)
        .map_err(|error| error.emit_to_string(text))?;
    Ok(module)
}

/// What is read off the text is what naga finds, and no more storage buffers than WebGPU guarantees.
fn check_bindings(stem: &str, text: &str, module: &naga::Module) {
    let declared = bindings(text);
    let mut found = 0;
    for (_, variable) in module.global_variables.iter() {
        let Some(resource) = variable.binding else { continue };
        found += 1;
        let name = variable.name.as_deref().unwrap_or_default();
        let binding = declared
            .iter()
            .find(|binding| binding.name == name)
            .unwrap_or_else(|| panic!("{stem}: {name} is not read off the text"));
        assert_eq!((resource.group, resource.binding), (0, binding.number), "{stem}: {name}");
        let access = match variable.space {
            naga::AddressSpace::Uniform => Access::Uniform,
            naga::AddressSpace::Storage { access }
                if access.contains(naga::StorageAccess::STORE) =>
            {
                Access::ReadWrite
            }
            _ => Access::Read,
        };
        assert_eq!(access, binding.access, "{stem}: {name}");
    }
    assert_eq!(found, declared.len(), "{stem}");
    let storage = declared.iter().filter(|b| b.access != Access::Uniform).count();
    assert!(storage <= 8, "{stem}: {storage} storage buffers, WebGPU guarantees 8");
}

#[test]
fn the_self_test_is_valid_too() {
    let text = crate::gpu::self_test::text().expect("composes");
    let module = validate(&text).unwrap_or_else(|error| panic!("{error}"));
    check_bindings("self_test.wgsl", &text, &module);
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
                    let texts = Texts::new(&network, set, scalar, back).expect("composes");
                    for (stem, text) in texts.iter() {
                        let module = validate(text);
                        let module = module.unwrap_or_else(|error| panic!("{stem}: {error}"));
                        check_bindings(stem, text, &module);
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
    let mut texts = Texts::new(&network, &jets, Scalar::Double, true).expect("composes");
    assert!(texts.iter().all(|(_, text)| validate(text).is_ok()));
    let text = texts.text_mut("operator/layer.wgsl").expect("a stem");
    let planted = text.replace("layer.bias", "layer.bios");
    assert_ne!(planted, *text, "nothing to change");
    assert!(validate(&planted).is_err());
}
