//! One block of points: what it reads and the buffers that its passes share.

use crate::jet::JetSet;
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

    /// Lanes of one layer's z or h.
    pub fn layer(&self) -> usize {
        self.channels * self.width
    }

    /// Lanes of the layers' z or h.
    fn series(&self) -> usize {
        (self.hidden + 1) * self.layer()
    }

    /// Lanes of a block's forward pass.
    pub fn pass(&self) -> usize {
        2 * self.series() + (self.hidden + 1) * self.slopes * self.width + self.channels
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

    pub fn new(count: usize) -> Self {
        let mut lanes = Self::default();
        lanes.resize(count);
        lanes
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

/// The forward pass of a block: per layer the pre-activations z and the activations h with all
/// channels, and the slopes sigma'(z). Layout within a layer: channel by channel, unit by unit.
#[derive(Clone, Copy)]
pub struct Pass<'a, T, const L: usize> {
    pub z: &'a [[T; L]],
    pub h: &'a [[T; L]],
    pub slope: &'a [[T; L]],
    /// The network's jet (no ansatz yet).
    pub output: &'a [[T; L]],
}

impl<'a, T: Real, const L: usize> Pass<'a, T, L> {
    /// A pass that lies in [`Shape::pass`] lanes.
    #[inline(always)]
    pub fn of(shape: &Shape, lanes: &'a [[T; L]]) -> Self {
        let (z, rest) = lanes.split_at(shape.series());
        let (h, rest) = rest.split_at(shape.series());
        let (slope, output) = rest.split_at(rest.len() - shape.channels);
        Self { z, h, slope, output }
    }
}

/// As [`Pass`], to be filled.
pub struct PassMut<'a, T, const L: usize> {
    pub z: &'a mut [[T; L]],
    pub h: &'a mut [[T; L]],
    pub slope: &'a mut [[T; L]],
    pub output: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> PassMut<'a, T, L> {
    #[inline(always)]
    pub fn of(shape: &Shape, lanes: &'a mut [[T; L]]) -> Self {
        let (z, rest) = lanes.split_at_mut(shape.series());
        let (h, rest) = rest.split_at_mut(shape.series());
        let (slope, output) = rest.split_at_mut(rest.len() - shape.channels);
        Self { z, h, slope, output }
    }
}

/// Per layer the adjoints of z and of h.
pub struct Adjoint<'a, T, const L: usize> {
    pub z_bar: &'a mut [[T; L]],
    pub h_bar: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Adjoint<'a, T, L> {
    pub fn lanes(shape: &Shape) -> usize {
        2 * (shape.hidden + 1) * shape.adjoint.len() * shape.width
    }

    #[inline(always)]
    pub fn of(lanes: &'a mut [[T; L]]) -> Self {
        let (z_bar, h_bar) = lanes.split_at_mut(lanes.len() / 2);
        Self { z_bar, h_bar }
    }
}
