//! One block of points: what it reads and the buffers that its passes share.

use crate::evaluate::jet::JetSet;
use crate::network::Network;
use crate::problem::Activation;
use crate::scalar::Real;

/// Sizes that every kernel needs.
#[derive(Clone, Debug)]
pub struct Shape {
    pub width: usize,
    /// Hidden linear layers; activated layers are one more.
    pub hidden: usize,
    pub activation: Activation,
    /// Channels carried forward.
    pub jets: JetSet,
    pub channels: usize,
    /// Channels of the slope series sigma'(z) that are kept: 0, 1 or more.
    pub slopes: usize,
    /// Channels that are swept back, at most `slopes`.
    pub adjoint: JetSet,
}

impl Shape {
    /// Room for `slopes` slope channels and sweeps back over the channels of `adjoint`.
    pub fn new(network: &Network, jets: JetSet, slopes: usize, adjoint: JetSet) -> Self {
        Self {
            width: network.width(),
            hidden: network.hidden_layers(),
            activation: network.activation(),
            channels: jets.len(),
            jets,
            slopes,
            adjoint,
        }
    }

    pub fn layer(&self) -> usize {
        self.channels * self.width
    }
}

/// Coordinates of the block as the embedding reads them: per periodic coordinate cosine and sine
/// of 2 pi x / period, per other coordinate the scaled value.
pub struct Features<'a, T, const L: usize> {
    pub lanes: &'a [[T; L]],
    pub periodic: usize,
}

impl<T, const L: usize> Features<'_, T, L> {
    #[inline(always)]
    pub fn periodic(&self, k: usize) -> (&[T; L], &[T; L]) {
        (&self.lanes[2 * k], &self.lanes[2 * k + 1])
    }

    #[inline(always)]
    pub fn linear(&self, k: usize) -> &[T; L] {
        &self.lanes[2 * self.periodic + k]
    }
}

/// Per layer: pre-activations z and activations h with all channels, slopes, and adjoints.
/// Layout within a layer: channel by channel, unit by unit, lanes together.
pub struct Scratch<T, const L: usize> {
    pub z: Vec<[T; L]>,
    pub h: Vec<[T; L]>,
    pub slope: Vec<[T; L]>,
    /// The network's jet (no ansatz yet).
    pub output: Vec<[T; L]>,
    /// Adjoints of z and of h.
    pub z_bar: Vec<[T; L]>,
    pub h_bar: Vec<[T; L]>,
    power: Vec<[T; L]>,
}

impl<T: Real, const L: usize> Scratch<T, L> {
    pub fn new(shape: &Shape) -> Self {
        let layers = shape.hidden + 1;
        let zeros = |count: usize| vec![[T::ZERO; L]; count];
        Self {
            z: zeros(layers * shape.layer()),
            h: zeros(layers * shape.layer()),
            slope: zeros(layers * shape.slopes * shape.width),
            output: zeros(shape.channels),
            z_bar: zeros(layers * shape.adjoint.len() * shape.width),
            h_bar: zeros(layers * shape.adjoint.len() * shape.width),
            power: zeros(2 * shape.channels),
        }
    }

    #[inline(always)]
    pub fn layer_z(&mut self, shape: &Shape, layer: usize) -> &mut [[T; L]] {
        &mut self.z[layer * shape.layer()..(layer + 1) * shape.layer()]
    }

    #[inline(always)]
    pub fn h_and_next_z(&mut self, shape: &Shape, layer: usize) -> (&[[T; L]], &mut [[T; L]]) {
        let size = shape.layer();
        let h = &self.h[layer * size..(layer + 1) * size];
        (h, &mut self.z[(layer + 1) * size..(layer + 2) * size])
    }

    #[inline(always)]
    pub fn h_and_output(&mut self, shape: &Shape) -> (&[[T; L]], &mut [[T; L]]) {
        let size = shape.layer();
        (&self.h[shape.hidden * size..(shape.hidden + 1) * size], &mut self.output)
    }

    /// z, h, slope of a layer and room for two powers of a unit's series.
    #[inline(always)]
    #[allow(clippy::type_complexity)]
    pub fn activation_buffers(
        &mut self,
        shape: &Shape,
        layer: usize,
    ) -> (&[[T; L]], &mut [[T; L]], &mut [[T; L]], &mut [[T; L]]) {
        let (size, slopes) = (shape.layer(), shape.slopes * shape.width);
        (
            &self.z[layer * size..(layer + 1) * size],
            &mut self.h[layer * size..(layer + 1) * size],
            &mut self.slope[layer * slopes..(layer + 1) * slopes],
            &mut self.power,
        )
    }
}
