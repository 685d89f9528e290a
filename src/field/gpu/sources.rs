//! The composed texts of all kernels of one problem.

use super::compose::compose;
use super::error::GpuError;
use super::generate::generate;
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::expression::Expression;

/// The shaders that depend on the problem, one per kernel.
pub const STEMS: [&str; 10] = [
    "network/embed.wgsl",
    "network/layer.wgsl",
    "network/output.wgsl",
    "network/adjoint.wgsl",
    "network/reverse.wgsl",
    "jacobian/columns.wgsl",
    "jacobian/multiply.wgsl",
    "jacobian/multiply_transposed.wgsl",
    "jacobian/sketch.wgsl",
    "jacobian/gram.wgsl",
];

/// WGSL texts in the order of [`STEMS`], and the derivatives that they carry.
#[derive(Clone, Debug)]
pub struct Sources {
    jets: JetSet,
    texts: [String; STEMS.len()],
}

impl Sources {
    /// Writes the kernels for a network and the right-hand side F of u_t = F; needs no GPU.
    ///
    /// # Errors
    /// When a constant of the equation does not fit a 32-bit float.
    pub fn compose(network: &Network, right_hand_side: &Expression) -> Result<Self, GpuError> {
        let jets = JetSet::closure(network.inputs().len(), right_hand_side.channels());
        let generated = generate(network, &jets, right_hand_side)?;
        let mut texts = [const { String::new() }; STEMS.len()];
        for (text, stem) in texts.iter_mut().zip(STEMS) {
            *text = compose(stem, &generated)?;
        }
        Ok(Self { jets, texts })
    }

    /// The derivatives that the kernels carry.
    #[must_use]
    pub fn jets(&self) -> &JetSet {
        &self.jets
    }

    /// Stem and text of every kernel.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        STEMS.into_iter().zip(self.texts.iter().map(String::as_str))
    }

    /// The text of one kernel, for whoever wants to change it: tests plant errors this way, to see
    /// that they are found.
    pub fn text_mut(&mut self, stem: &str) -> Option<&mut String> {
        let at = STEMS.iter().position(|other| *other == stem)?;
        Some(&mut self.texts[at])
    }
}

#[cfg(test)]
mod tests {
    use wgpu::naga;

    use super::super::compose::{Access, bindings};
    use super::*;
    use crate::network::Input;
    use crate::problem::expression::{Binary, Channel, Entry, Function, MultiIndex};
    use crate::problem::{Activation, Problem, presets};

    fn parse(stem: &str, text: &str) -> naga::Module {
        let module = naga::front::wgsl::parse_str(text)
            .unwrap_or_else(|error| panic!("{stem}: {}", error.emit_to_string(text)));
        naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::empty(),
        )
        .validate(&module)
        .unwrap_or_else(|error| panic!("{stem}: {}", error.emit_to_string(text)));
        module
    }

    fn partial(orders: &[u8]) -> Expression {
        let mut index = MultiIndex::default();
        index.0[..orders.len()].copy_from_slice(orders);
        Expression::Jet(Entry::new(0, Channel::Partial(index)))
    }

    /// Right-hand sides with every kind of node and several sets of channels.
    fn equations() -> Vec<(usize, Expression)> {
        let mut every_node =
            Expression::Power(Box::new(Expression::Coordinate(0)), -3) + -Expression::Parameter(0);
        for function in Function::ALL {
            every_node = Expression::Call(function, Box::new(Expression::Time)) + every_node;
        }
        for operation in [
            Binary::Subtract,
            Binary::Multiply,
            Binary::Divide,
            Binary::Raise,
            Binary::Minimum,
            Binary::Maximum,
        ] {
            let constant = Box::new(Expression::Constant(-0.5e-7));
            every_node = Expression::Binary(operation, Box::new(every_node), constant);
        }
        let biharmonic = (0..6).flat_map(|j| (0..6).map(move |k| (j, k))).map(|(j, k)| {
            let index = MultiIndex::along(j, 2).plus(&MultiIndex::along(k, 2));
            Expression::Jet(Entry::new(0, Channel::Partial(index)))
        });
        vec![
            (1, Expression::Constant(0.0)),
            (1, every_node),
            (1, partial(&[4]) + partial(&[3]) + partial(&[0])),
            (2, partial(&[2, 2]) + partial(&[0, 1])),
            (3, Expression::Jet(Entry::new(0, Channel::Laplacian)) + partial(&[1, 1, 1])),
            (6, Expression::Jet(Entry::new(0, Channel::Laplacian)) + partial(&[0, 0, 0, 0, 0, 2])),
            (6, biharmonic.reduce(|a, b| a + b).unwrap()),
        ]
    }

    fn mixed_inputs(dimensions: usize) -> Vec<Input> {
        (0..dimensions)
            .map(|k| {
                if k % 2 == 0 {
                    Input::Periodic { period: 2.0 }
                } else {
                    Input::Linear { lower: -1.0, upper: 3.0 }
                }
            })
            .collect()
    }

    /// Every activation at odd widths and depths.
    fn networks(inputs: &[Input]) -> Vec<Network> {
        let shapes = [(1, 0), (3, 1), (25, 5), (129, 2)];
        let with = |activation| {
            shapes.map(|(width, layers)| Network::new(inputs.to_vec(), width, layers, activation))
        };
        Activation::ALL.into_iter().flat_map(with).collect()
    }

    fn check(network: &Network, equation: &Expression) {
        let sources = Sources::compose(network, equation).unwrap();
        for (stem, text) in sources.iter() {
            check_bindings(stem, text, &parse(stem, text));
        }
    }

    #[test]
    fn every_preset_composes_to_valid_wgsl_at_odd_widths_and_depths() {
        for preset in presets().iter().filter(|preset| preset.unknowns == 1) {
            let problem = Problem::from_toml(preset.text, &Vec::new()).unwrap();
            for network in networks(Network::of(&problem).inputs()) {
                check(&network, &problem.right_hand_side[0]);
            }
        }
    }

    #[test]
    fn every_kind_of_node_and_channel_composes_to_valid_wgsl() {
        for (dimensions, equation) in equations() {
            for network in networks(&mixed_inputs(dimensions)) {
                check(&network, &equation);
            }
        }
    }

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
    fn the_self_test_is_valid_wgsl_too() {
        let text = super::super::self_test::text().unwrap();
        check_bindings("self_test.wgsl", &text, &parse("self_test.wgsl", &text));
    }

    #[test]
    fn validation_finds_a_planted_error() {
        let mut sources = Sources::compose(&networks(&mixed_inputs(1))[0], &partial(&[2])).unwrap();
        let text = sources.text_mut("network/layer.wgsl").unwrap();
        *text = text.replace("layer.bias", "layer.bios");
        assert!(naga::front::wgsl::parse_str(text).is_err());
    }

    #[test]
    fn a_constant_beyond_f32_is_an_error() {
        let error = Sources::compose(&networks(&mixed_inputs(1))[0], &Expression::Constant(1e39))
            .unwrap_err();
        assert!(matches!(error, GpuError::ConstantRange { value } if value == 1e39));
    }
}
