//! A tile of points: what the passes over it read and fill.
//!
//! A tile is a few blocks of as many points as fit a register. Every buffer is ordered layer by
//! layer, and within a layer block by block, channel by channel, unit by unit: a block's channel is
//! a group of lanes that a layer's matrix multiplies.

use super::activation::MAX_COEFFICIENTS;
use super::features::feature_count;
use crate::jet::JetSet;
use crate::network::{Network, RATIONAL_COEFFICIENTS};
use crate::problem::Activation;
use crate::scalar::Real;

/// The most blocks of a tile.
pub const MAX_BLOCKS: usize = 8;

/// Sizes that the passes share.
#[derive(Clone, Debug)]
pub struct Sizes {
    pub width: usize,
    /// Activated layers: the embedding and the hidden layers.
    pub layers: usize,
    pub features: usize,
    pub activation: Activation,
    /// Encoders that gate the hidden layers: two or none. Their buffers are those behind the last
    /// layer's.
    pub encoders: usize,
    /// Unknowns.
    pub outputs: usize,
    /// Channels carried forward.
    pub jets: JetSet,
    pub channels: usize,
    /// Channels of the slope series sigma'(z) that are kept: 0, 1 or more.
    pub slopes: usize,
    /// Channels that are swept back, the first of `jets` and at most `slopes`.
    pub adjoint: JetSet,
    /// Blocks of a whole tile.
    pub blocks: usize,
}

impl Sizes {
    pub fn new(network: &Network, jets: &JetSet, slopes: usize, adjoint: &JetSet) -> Self {
        Self {
            width: network.width(),
            layers: network.activated_layers(),
            features: feature_count(network),
            activation: network.activation(),
            encoders: network.encoders().count(),
            outputs: network.outputs(),
            jets: jets.clone(),
            channels: jets.len(),
            slopes,
            adjoint: adjoint.clone(),
            // As many groups of lanes as fill the registers, and no more than the first caches hold.
            blocks: (MAX_BLOCKS / jets.len()).max(1),
        }
    }

    /// At most `blocks` blocks in a tile.
    pub fn with_blocks(mut self, blocks: usize) -> Self {
        self.blocks = self.blocks.min(blocks).max(1);
        self
    }

    /// Layers with an activation, encoders included.
    #[inline(always)]
    pub fn activated(&self) -> usize {
        self.layers + self.encoders
    }

    /// Lanes of one layer's z or h in one block.
    #[inline(always)]
    pub fn block(&self) -> usize {
        self.channels * self.width
    }

    /// Lanes of one layer's adjoint in one block.
    #[inline(always)]
    pub fn swept(&self) -> usize {
        self.adjoint.len() * self.width
    }

    /// Lanes of the output in one block.
    #[inline(always)]
    pub fn output(&self) -> usize {
        self.channels * self.outputs
    }

    /// Lanes of the output's adjoint in one block.
    #[inline(always)]
    pub fn seed(&self) -> usize {
        self.adjoint.len() * self.outputs
    }

    /// Lanes of z, h, slopes, what gated layers pass on, the encoders' difference, and the output.
    #[inline(always)]
    fn sections(&self) -> [usize; 6] {
        let (layer, gated) = (self.blocks * self.block(), self.encoders.min(1));
        [
            self.activated() * layer,
            self.activated() * layer,
            self.activated() * self.blocks * self.slopes * self.width,
            gated * self.layers * layer,
            gated * layer,
            self.blocks * self.output(),
        ]
    }

    /// Lanes of a tile's forward pass.
    #[inline(always)]
    pub fn pass(&self) -> usize {
        self.sections().iter().sum()
    }
}

/// Lanes that begin on cache lines: a whole register that straddles two lines takes twice as long
/// to load and store.
#[derive(Clone, Debug, Default)]
pub struct Lanes<T> {
    entries: Vec<T>,
    count: usize,
}

impl<T: Real> Lanes<T> {
    const LINE: usize = 64;

    pub const fn none() -> Self {
        Self { entries: Vec::new(), count: 0 }
    }

    /// Room for `count` lanes of [`Real::LANES`]; what they hold is left over from before.
    pub fn resize(&mut self, count: usize) {
        let needed = count * T::LANES + Self::LINE / size_of::<T>();
        if self.entries.len() < needed {
            self.entries = vec![T::ZERO; needed];
        }
        self.count = count;
    }

    fn skipped(&self) -> usize {
        self.entries.as_ptr().align_offset(Self::LINE).min(Self::LINE / size_of::<T>())
    }

    /// [`Real::LANES`] numbers after another.
    pub fn entries(&self) -> &[T] {
        &self.entries[self.skipped()..][..self.count * T::LANES]
    }

    pub fn entries_mut(&mut self) -> &mut [T] {
        let skipped = self.skipped();
        &mut self.entries[skipped..][..self.count * T::LANES]
    }
}

/// The forward pass of a tile: per activated layer the pre-activations z and the activations h with
/// all channels, and the slopes sigma'(z).
#[derive(Clone, Copy)]
pub struct Pass<'a, T, const L: usize> {
    pub z: &'a [[T; L]],
    pub h: &'a [[T; L]],
    pub slope: &'a [[T; L]],
    /// Of a modified MLP: U + h_l (V - U) per layer, and V - U.
    pub mixed: &'a [[T; L]],
    pub difference: &'a [[T; L]],
    /// The network's jet, Taylor coefficients (no ansatz yet): in a block channel by channel, in a
    /// channel output by output.
    pub output: &'a [[T; L]],
}

impl<'a, T: Real, const L: usize> Pass<'a, T, L> {
    /// A pass that lies in [`Sizes::pass`] lanes.
    #[inline(always)]
    pub fn of(sizes: &Sizes, lanes: &'a [[T; L]]) -> Self {
        let [z, h, slope, mixed, difference, _] = sizes.sections();
        let (z, lanes) = lanes.split_at(z);
        let (h, lanes) = lanes.split_at(h);
        let (slope, lanes) = lanes.split_at(slope);
        let (mixed, lanes) = lanes.split_at(mixed);
        let (difference, output) = lanes.split_at(difference);
        Self { z, h, slope, mixed, difference, output }
    }

    /// What a layer hands to the next one.
    #[inline(always)]
    pub fn passed_on(&self, sizes: &Sizes, layer: usize) -> &'a [[T; L]] {
        passed_on(sizes, self.h, self.mixed, layer)
    }
}

/// h, or from the first hidden layer of a modified MLP on what the encoders make of it.
#[inline(always)]
pub fn passed_on<'a, T, const L: usize>(
    sizes: &Sizes,
    h: &'a [[T; L]],
    mixed: &'a [[T; L]],
    layer: usize,
) -> &'a [[T; L]] {
    let size = sizes.blocks * sizes.block();
    let from = if sizes.encoders > 0 && layer > 0 { mixed } else { h };
    &from[layer * size..(layer + 1) * size]
}

/// As [`Pass`], to be filled.
pub struct PassMut<'a, T, const L: usize> {
    pub z: &'a mut [[T; L]],
    pub h: &'a mut [[T; L]],
    pub slope: &'a mut [[T; L]],
    pub mixed: &'a mut [[T; L]],
    pub difference: &'a mut [[T; L]],
    pub output: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> PassMut<'a, T, L> {
    #[inline(always)]
    pub fn of(sizes: &Sizes, lanes: &'a mut [[T; L]]) -> Self {
        let [z, h, slope, mixed, difference, _] = sizes.sections();
        let (z, lanes) = lanes.split_at_mut(z);
        let (h, lanes) = lanes.split_at_mut(h);
        let (slope, lanes) = lanes.split_at_mut(slope);
        let (mixed, lanes) = lanes.split_at_mut(mixed);
        let (difference, output) = lanes.split_at_mut(difference);
        Self { z, h, slope, mixed, difference, output }
    }
}

/// What a sweep back fills.
pub struct Adjoint<'a, T, const L: usize> {
    /// Per activated layer.
    pub z_bar: &'a mut [[T; L]],
    /// Of the layer that the sweep has come to.
    pub h_bar: &'a mut [[T; L]],
    /// Of a modified MLP: the adjoints of U and of V.
    pub gate_bar: &'a mut [[T; L]],
    /// Per layer, coefficient of a trainable activation and block: the derivative.
    pub coefficients: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Adjoint<'a, T, L> {
    fn sections(sizes: &Sizes) -> [usize; 4] {
        let layer = if sizes.slopes > 0 { sizes.blocks * sizes.swept() } else { 0 };
        let trainable = sizes.slopes > 0 && sizes.activation == Activation::Rational;
        let coefficients = if trainable { sizes.layers * RATIONAL_COEFFICIENTS } else { 0 };
        let gated = 2 * sizes.encoders.min(1);
        [sizes.activated() * layer, layer, gated * layer, coefficients * sizes.blocks]
    }

    #[inline(always)]
    fn of(sizes: &Sizes, lanes: &'a mut [[T; L]]) -> Self {
        let [z_bar, h_bar, gate_bar, _] = Self::sections(sizes);
        let (z_bar, lanes) = lanes.split_at_mut(z_bar);
        let (h_bar, lanes) = lanes.split_at_mut(h_bar);
        let (gate_bar, coefficients) = lanes.split_at_mut(gate_bar);
        Self { z_bar, h_bar, gate_bar, coefficients }
    }
}

/// What a tangent sweep fills.
pub struct Tangent<'a, T, const L: usize> {
    /// z' and h' of the layer that the sweep has come to.
    pub z: &'a mut [[T; L]],
    pub h: &'a mut [[T; L]],
    /// Of a modified MLP: U' and V' - U'.
    pub gate: &'a mut [[T; L]],
    /// The tangent's jet.
    pub output: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Tangent<'a, T, L> {
    fn sections(sizes: &Sizes) -> [usize; 4] {
        let layer = sizes.blocks * sizes.block();
        [layer, layer, 2 * sizes.encoders.min(1) * layer, sizes.blocks * sizes.output()]
    }

    #[inline(always)]
    fn of(sizes: &Sizes, lanes: &'a mut [[T; L]]) -> Self {
        let [z, h, gate, _] = Self::sections(sizes);
        let (z, lanes) = lanes.split_at_mut(z);
        let (h, lanes) = lanes.split_at_mut(h);
        let (gate, output) = lanes.split_at_mut(gate);
        Self { z, h, gate, output }
    }
}

/// Room for the series of one layer's units in one block.
pub struct Room<'a, T, const L: usize> {
    /// Coefficient by coefficient, unit by unit.
    pub series: &'a mut [[T; L]],
    /// Two powers of every unit's series.
    pub power: &'a mut [[T; L]],
}

/// The buffers that tiles take in turn.
pub struct Buffers<'a, T, const L: usize> {
    /// The forward pass where it is not kept.
    pub own: &'a mut [[T; L]],
    pub adjoint: Adjoint<'a, T, L>,
    pub along: Tangent<'a, T, L>,
    pub room: Room<'a, T, L>,
}

impl<'a, T: Real, const L: usize> Buffers<'a, T, L> {
    fn sections(sizes: &Sizes) -> [usize; 5] {
        let adjoint = Adjoint::<T, L>::sections(sizes).iter().sum();
        let tangent = Tangent::<T, L>::sections(sizes).iter().sum();
        let series = MAX_COEFFICIENTS * sizes.width;
        [sizes.pass(), adjoint, tangent, series, 2 * sizes.block()]
    }

    pub fn lanes(sizes: &Sizes) -> usize {
        Self::sections(sizes).iter().sum()
    }

    #[inline(always)]
    pub fn of(sizes: &Sizes, memory: &'a mut Lanes<T>) -> Self {
        let [own, adjoint, along, series, _] = Self::sections(sizes);
        let rest = memory.entries_mut().as_chunks_mut::<L>().0;
        let (own, rest) = rest.split_at_mut(own);
        let (adjoint, rest) = rest.split_at_mut(adjoint);
        let (along, rest) = rest.split_at_mut(along);
        let (series, power) = rest.split_at_mut(series);
        Self {
            own,
            adjoint: Adjoint::of(sizes, adjoint),
            along: Tangent::of(sizes, along),
            room: Room { series, power },
        }
    }
}
