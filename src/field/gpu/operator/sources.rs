//! The composed texts of all kernels of an evolution.

use super::texts::Texts;
use super::tier::Tier;
use crate::gpu::error::GpuError;
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::expression::Expression;

/// WGSL texts for the field, with the channels of the equation, and for the Jacobian of the values.
#[derive(Clone, Debug)]
pub struct Sources {
    pub(in crate::gpu) tier: Tier,
    pub(in crate::gpu) values: Texts,
    pub(in crate::gpu) rates: Texts,
}

impl Sources {
    /// Writes the kernels for a network and the right-hand side F of u_t = F; needs no GPU.
    ///
    /// # Errors
    /// When a constant does not fit the tier's numbers.
    pub fn compose(
        network: &Network,
        right_hand_side: &Expression,
        tier: Tier,
    ) -> Result<Self, GpuError> {
        let jets = JetSet::closure(network.inputs().len(), right_hand_side.channels());
        Ok(Self {
            tier,
            values: Texts::new(network, &jets, tier.values, false)?,
            rates: Texts::new(network, &jets.prefix(1), tier.rates, true)?,
        })
    }

    /// Replaces `from` by `to` in the texts of one kernel, for whoever wants to change it: tests
    /// plant errors this way, to see that they are found. Gives how many texts have changed.
    pub fn replace(&mut self, stem: &str, from: &str, to: &str) -> usize {
        let texts =
            [&mut self.values, &mut self.rates].into_iter().filter_map(|t| t.text_mut(stem));
        let replaced = |text: &mut String| {
            let changed = text.replace(from, to);
            let differs = changed != *text;
            *text = changed;
            usize::from(differs)
        };
        texts.map(replaced).sum()
    }
}
