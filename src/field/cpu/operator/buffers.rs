//! What the passes over a tile of points read and fill.
//!
//! Every buffer is ordered block by block, channel by channel, unit by unit: a block's channel is a
//! group of lanes that a layer's matrix multiplies.

use crate::cpu::activation::MAX_COEFFICIENTS;
use crate::cpu::block::Lanes;
use crate::jet::JetSet;
use crate::network::{Network, RATIONAL_COEFFICIENTS};
use crate::problem::Activation;
use crate::scalar::Real;

/// Sizes that the passes share.
#[derive(Clone, Debug)]
pub struct Sizes {
    pub width: usize,
    /// Activated layers.
    pub layers: usize,
    pub features: usize,
    pub activation: Activation,
    /// Encoders that gate the hidden layers: two or none. Their buffers are those behind the last
    /// layer's.
    pub encoders: usize,
    pub jets: JetSet,
    pub channels: usize,
    /// Blocks of lanes in one tile, at most.
    pub blocks: usize,
    /// Whether slopes are kept for a sweep back.
    pub slopes: bool,
}

impl Sizes {
    pub fn new(network: &Network, features: usize, jets: &JetSet, slopes: bool) -> Self {
        /// Groups in a tile: enough to fill the registers, few enough for the first caches.
        const GROUPS: usize = 8;
        Self {
            width: network.width(),
            layers: network.activated_layers(),
            features,
            activation: network.activation(),
            encoders: network.encoders().count(),
            channels: jets.len(),
            blocks: (GROUPS / jets.len()).max(1),
            jets: jets.clone(),
            slopes,
        }
    }

    /// Lanes of one layer's z or h in `blocks` blocks.
    pub(super) fn layer(&self, blocks: usize) -> usize {
        blocks * self.channels * self.width
    }
}

/// The lanes of a buffer, as the passes read and fill them.
#[inline(always)]
pub(super) fn lanes<T: Real, const L: usize>(room: &Lanes<T>) -> &[[T; L]] {
    room.entries().as_chunks().0
}

#[inline(always)]
pub(super) fn lanes_mut<T: Real, const L: usize>(room: &mut Lanes<T>) -> &mut [[T; L]] {
    room.entries_mut().as_chunks_mut().0
}

/// [`Buffers::passed_on`], where other buffers are borrowed.
#[inline(always)]
pub(super) fn passed_on<'a, T: Real, const L: usize>(
    h: &'a [Lanes<T>],
    mixed: &'a [Lanes<T>],
    layer: usize,
) -> &'a [[T; L]] {
    match mixed.get(layer) {
        Some(mixed) if layer > 0 => lanes(mixed),
        _ => lanes(&h[layer]),
    }
}

/// The buffers of one thread.
pub struct Buffers<T> {
    /// Per layer, then per encoder; z is kept for the coefficients of the activation alone.
    pub(super) z: Vec<Lanes<T>>,
    pub(super) h: Vec<Lanes<T>>,
    pub(super) slope: Vec<Lanes<T>>,
    pub(super) z_bar: Vec<Lanes<T>>,
    pub(super) h_bar: Lanes<T>,
    /// Of a modified MLP: U + h_l (V - U) per layer, V - U, and the adjoints of U and of V - U.
    pub(super) mixed: Vec<Lanes<T>>,
    pub(super) difference: Lanes<T>,
    pub(super) gate_bar: [Lanes<T>; 2],
    pub(super) output: Lanes<T>,
    /// Taylor coefficients of the activation per unit, and two powers of the units' series.
    pub(super) taylor: Lanes<T>,
    pub(super) power: [Lanes<T>; 2],
    /// Per layer and coefficient of a trainable activation: the derivative, per block.
    pub(super) coefficients: Vec<[Lanes<T>; RATIONAL_COEFFICIENTS]>,
}

impl<T: Real> Buffers<T> {
    pub fn new(sizes: &Sizes) -> Self {
        let layer = sizes.layer(sizes.blocks);
        let activated = sizes.layers + sizes.encoders;
        let per_layer = |lanes: usize| (0..activated).map(|_| Lanes::new(lanes)).collect();
        let gated = sizes.encoders.min(1);
        let back = if sizes.slopes { layer } else { 0 };
        let trainable = sizes.slopes && sizes.activation == Activation::Rational;
        let coefficients = if trainable { sizes.layers } else { 0 };
        let single = sizes.channels * sizes.width;
        Self {
            z: per_layer(layer),
            h: per_layer(layer),
            slope: per_layer(back),
            z_bar: per_layer(back),
            h_bar: Lanes::new(back),
            mixed: (0..gated * sizes.layers).map(|_| Lanes::new(layer)).collect(),
            difference: Lanes::new(gated * layer),
            gate_bar: std::array::from_fn(|_| Lanes::new(gated * back)),
            output: Lanes::new(sizes.blocks * sizes.channels),
            taylor: Lanes::new(MAX_COEFFICIENTS * sizes.width),
            power: [Lanes::new(single), Lanes::new(single)],
            coefficients: (0..coefficients)
                .map(|_| std::array::from_fn(|_| Lanes::new(sizes.blocks)))
                .collect(),
        }
    }

    /// The network's jet: Taylor coefficients, block by block.
    #[inline(always)]
    pub fn output<const L: usize>(&self) -> &[[T; L]] {
        lanes(&self.output)
    }

    /// What a layer hands to the next one: h, or from the first hidden layer of a modified MLP on
    /// what the encoders make of it.
    #[inline(always)]
    pub fn passed_on<const L: usize>(&self, layer: usize) -> &[[T; L]] {
        passed_on(&self.h, &self.mixed, layer)
    }

    #[inline(always)]
    pub fn z_bar<const L: usize>(&self, layer: usize) -> &[[T; L]] {
        lanes(&self.z_bar[layer])
    }

    #[inline(always)]
    pub fn coefficient<const L: usize>(&self, layer: usize, which: usize) -> &[[T; L]] {
        lanes(&self.coefficients[layer][which])
    }
}
