//! Derivatives by the parameters, all or chosen ones, read off after a sweep back.

use nalgebra::DMatrixViewMut;

use super::features::periodic_inputs;
use super::lanes::{add, fma};
use super::tile::{Adjoint, MAX_BLOCKS, Pass, Sizes};
use super::weights::Weights;
use crate::network::{ENCODERS, Input, Network, RATIONAL_COEFFICIENTS, Site};
use crate::scalar::Real;

/// Where a column's entries come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// The amplitude or the phase of a wave: of the embedding (group 0) or an encoder.
    Wave {
        group: u32,
        unit: u32,
        wave: u32,
        phase: bool,
    },
    /// The weight of a feature that is none of a wave's.
    Slope {
        group: u32,
        unit: u32,
        feature: u32,
    },
    /// What is added to the values of a unit.
    Bias {
        activated: u32,
        unit: u32,
    },
    OutputWeight {
        output: u32,
        unit: u32,
    },
    OutputBias {
        output: u32,
    },
    Activation {
        layer: u32,
        coefficient: u32,
    },
}

/// A column by a weight from `unit` to `row`: the product of two lanes in every channel. Most
/// columns are of this kind.
#[derive(Clone, Copy, Debug)]
struct Product {
    column: u32,
    row: u32,
    unit: u32,
}

/// Columns of a Jacobian, resolved.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Per hidden layer.
    products: Vec<Vec<Product>>,
    others: Vec<(u32, Source)>,
    /// Per activated layer: does any column differentiate by the activation's coefficients?
    coefficients: Vec<bool>,
}

impl Plan {
    /// All columns, in the order of the parameter vector.
    #[must_use]
    pub fn all(network: &Network) -> Self {
        Self::of(network, 0..network.parameters() as u32)
    }

    /// Columns by the parameters with these numbers.
    #[must_use]
    pub fn new(network: &Network, columns: &[u32]) -> Self {
        Self::of(network, columns.iter().copied())
    }

    fn of(network: &Network, columns: impl Iterator<Item = u32>) -> Self {
        let mut plan = Self {
            products: vec![Vec::new(); network.hidden_layers()],
            others: Vec::new(),
            coefficients: vec![false; network.activated_layers()],
        };
        let layout = network.layout();
        for (column, parameter) in (0..).zip(columns) {
            match layout.site(parameter as usize) {
                Site::Weight { layer, row, column: unit } if layer <= network.hidden_layers() => {
                    let (row, unit) = (row as u32, unit as u32);
                    plan.products[layer - 1].push(Product { column, row, unit });
                }
                Site::Encoder { which, index } => {
                    // An encoder's parameters come in the order of the embedding's, which are the
                    // first of all.
                    let site = layout.site(index);
                    plan.others.push((column, source(network, site, 1 + which)));
                }
                site => plan.others.push((column, source(network, site, 0))),
            }
            if let Some((_, Source::Activation { layer, .. })) = plan.others.last() {
                plan.coefficients[*layer as usize] = true;
            }
        }
        plan
    }

    pub fn has_coefficients(&self, layer: usize) -> bool {
        self.coefficients[layer]
    }
}

/// Of any parameter but a hidden layer's weight; those of an embedding are of the given group.
fn source(network: &Network, site: Site, group: usize) -> Source {
    let place = |input: usize| -> u32 {
        let periodic = |k: usize| matches!(network.inputs()[k], Input::Periodic { .. });
        (0..input).filter(|&k| periodic(k) == periodic(input)).count() as u32
    };
    let output = network.hidden_layers() + 1;
    let waves = periodic_inputs(network);
    let of_group = if group == 0 { 0 } else { network.activated_layers() + group - 1 };
    let group = group as u32;
    match site {
        Site::Amplitude { unit, input } => {
            Source::Wave { group, unit: unit as u32, wave: place(input), phase: false }
        }
        Site::Phase { unit, input } => {
            Source::Wave { group, unit: unit as u32, wave: place(input), phase: true }
        }
        Site::Slope { unit, input } => {
            Source::Slope { group, unit: unit as u32, feature: 2 * waves as u32 + place(input) }
        }
        Site::Feature { unit, feature } => {
            Source::Slope { group, unit: unit as u32, feature: (2 * waves + feature) as u32 }
        }
        Site::Shift { unit, .. } | Site::Offset { unit } => {
            Source::Bias { activated: of_group as u32, unit: unit as u32 }
        }
        Site::Bias { layer, row } if layer == output => Source::OutputBias { output: row as u32 },
        Site::Bias { layer, row } => Source::Bias { activated: layer as u32, unit: row as u32 },
        Site::Weight { row, column, .. } => {
            Source::OutputWeight { output: row as u32, unit: column as u32 }
        }
        Site::Activation { layer, coefficient } => {
            Source::Activation { layer: layer as u32, coefficient: coefficient as u32 }
        }
        Site::Encoder { .. } => unreachable!("one of the {} encoders in another", ENCODERS.len()),
    }
}

/// Where the columns' entries go.
pub trait Sink<T, const L: usize> {
    /// The entries of a column: the lanes of each block of the tile.
    fn put(&mut self, column: usize, lanes: &[[T; L]]);
}

/// What the entries of a tile's columns are made of.
#[derive(Clone, Copy)]
pub struct Swept<'a, T, const L: usize> {
    /// Of the carried channels.
    pub features: &'a [[T; L]],
    pub pass: &'a Pass<'a, T, L>,
    pub adjoint: &'a Adjoint<'a, T, L>,
    /// Of the channels that were swept back, in each output by output.
    pub seed: &'a [[T; L]],
}

// Loops, not closures: a closure that the compiler does not inline loses the instruction set.

/// Hands the entries of the plan's columns to the sink.
#[inline(always)]
pub fn columns<T: Real, const L: usize>(
    sizes: &Sizes,
    weights: &Weights<T>,
    plan: &Plan,
    swept: &Swept<'_, T, L>,
    sink: &mut impl Sink<T, L>,
) {
    let channels = sizes.adjoint.len();
    let blocks = swept.seed.len() / sizes.seed();
    let (width, whole) = (sizes.width, sizes.blocks * sizes.swept());
    let mut room = [[T::ZERO; L]; MAX_BLOCKS];
    let lanes = &mut room[..blocks];
    for (below, products) in plan.products.iter().enumerate() {
        let h = swept.pass.passed_on(sizes, below);
        let z_bar = &swept.adjoint.z_bar[(below + 1) * whole..][..blocks * sizes.swept()];
        for product in products {
            let a = Strided::new(&z_bar[product.row as usize..], width, sizes.swept());
            let b = Strided::new(&h[product.unit as usize..], width, sizes.block());
            contract(channels, a, b, lanes);
            sink.put(product.column as usize, lanes);
        }
    }
    for &(column, source) in &plan.others {
        entry(sizes, weights, swept, source, lanes);
        sink.put(column as usize, lanes);
    }
}

/// A unit's channels in every block: the distances from one channel, and from one block, to the
/// next.
#[derive(Clone, Copy)]
struct Strided<'a, T, const L: usize> {
    lanes: &'a [[T; L]],
    channel: usize,
    block: usize,
}

impl<'a, T, const L: usize> Strided<'a, T, L> {
    #[inline(always)]
    fn new(lanes: &'a [[T; L]], channel: usize, block: usize) -> Self {
        Self { lanes, channel, block }
    }
}

/// Per block the sum over channels of `a b`.
#[inline(always)]
fn contract<T: Real, const L: usize>(
    channels: usize,
    a: Strided<'_, T, L>,
    b: Strided<'_, T, L>,
    to: &mut [[T; L]],
) {
    for (block, to) in to.iter_mut().enumerate() {
        let (first_a, first_b) = (block * a.block, block * b.block);
        let mut sum = [T::ZERO; L];
        for c in 0..channels {
            sum = fma(a.lanes[first_a + c * a.channel], b.lanes[first_b + c * b.channel], sum);
        }
        *to = sum;
    }
}

/// The entries of one column.
#[inline(always)]
fn entry<T: Real, const L: usize>(
    sizes: &Sizes,
    weights: &Weights<T>,
    swept: &Swept<'_, T, L>,
    source: Source,
    lanes: &mut [[T; L]],
) {
    let (width, channels, whole) = (sizes.width, sizes.adjoint.len(), sizes.blocks * sizes.swept());
    let of_group = |group: u32, unit: u32| {
        let activated = if group == 0 { 0 } else { sizes.layers + group as usize - 1 };
        let z_bar = &swept.adjoint.z_bar[activated * whole + unit as usize..];
        Strided::new(z_bar, width, sizes.swept())
    };
    let of_feature = |feature: usize| {
        let per_block = sizes.channels * sizes.features;
        Strided::new(&swept.features[feature..], sizes.features, per_block)
    };
    match source {
        Source::Wave { group, unit, wave, phase } => {
            let (by_unit, feature) = (of_group(group, unit), 2 * wave as usize);
            let waves = &weights.waves[group as usize];
            let k = unit as usize * (waves.cosine.len() / width) + wave as usize;
            let (cosine, sine) = (waves.cosine[k], waves.sine[k]);
            // Of a cos phi and -a sin phi, by a or by phi.
            let factors = match phase {
                false => [cosine, -sine],
                true => [-(waves.amplitude[k] * sine), -(waves.amplitude[k] * cosine)],
            };
            let mut by_sine = [[T::ZERO; L]; MAX_BLOCKS];
            let by_sine = &mut by_sine[..lanes.len()];
            contract(channels, by_unit, of_feature(feature), lanes);
            contract(channels, by_unit, of_feature(feature + 1), by_sine);
            for (cosine, sine) in lanes.iter_mut().zip(by_sine) {
                for l in 0..L {
                    cosine[l] = factors[0] * cosine[l] + factors[1] * sine[l];
                }
            }
        }
        Source::Slope { group, unit, feature } => {
            contract(channels, of_group(group, unit), of_feature(feature as usize), lanes);
        }
        Source::Bias { activated, unit } => {
            let z_bar = &swept.adjoint.z_bar[activated as usize * whole + unit as usize..];
            for (block, to) in lanes.iter_mut().enumerate() {
                *to = z_bar[block * sizes.swept()];
            }
        }
        Source::OutputWeight { output, unit } => {
            let h = &swept.pass.passed_on(sizes, sizes.layers - 1)[unit as usize..];
            let seed = Strided::new(&swept.seed[output as usize..], sizes.outputs, sizes.seed());
            contract(channels, seed, Strided::new(h, width, sizes.block()), lanes);
        }
        Source::OutputBias { output } => {
            for (block, to) in lanes.iter_mut().enumerate() {
                *to = swept.seed[block * sizes.seed() + output as usize];
            }
        }
        Source::Activation { layer, coefficient } => {
            let first = layer as usize * RATIONAL_COEFFICIENTS + coefficient as usize;
            lanes.copy_from_slice(
                &swept.adjoint.coefficients[first * sizes.blocks..][..lanes.len()],
            );
        }
    }
}

/// Rows of J from `first` on, `valid` of them.
pub struct Rows<'a, 'm, R> {
    pub matrix: &'a mut DMatrixViewMut<'m, R>,
    pub first: usize,
    pub valid: usize,
    /// Whether entries are added to what is there.
    pub add: bool,
}

impl<T: Real, R: Real, const L: usize> Sink<T, L> for Rows<'_, '_, R> {
    #[inline(always)]
    fn put(&mut self, column: usize, lanes: &[[T; L]]) {
        let column = self.matrix.column_mut(column).data.into_slice_mut();
        let column = &mut column[self.first..self.first + self.valid];
        let (whole, rest) = column.as_chunks_mut::<L>();
        // By value: of slices the compiler must assume that they overlap, and makes scalars.
        for (to, from) in whole.iter_mut().zip(lanes) {
            let mut sum = from.map(|from| R::of(from.to_f64()));
            if self.add {
                sum = add(*to, sum);
            }
            *to = sum;
        }
        if let Some(from) = lanes.get(whole.len()) {
            for (to, from) in rest.iter_mut().zip(from) {
                *to = if self.add { *to } else { R::ZERO } + R::of(from.to_f64());
            }
        }
    }
}

/// Adds the sums over all lanes.
pub struct Sum<'a> {
    pub out: &'a mut [f64],
}

impl<T: Real, const L: usize> Sink<T, L> for Sum<'_> {
    #[inline(always)]
    fn put(&mut self, column: usize, lanes: &[[T; L]]) {
        let mut sum = 0.0;
        for lane in lanes.as_flattened() {
            sum += lane.to_f64();
        }
        self.out[column] += sum;
    }
}

/// Adds lane by lane, in T: for few columns and many points.
pub struct LaneSums<'a, T, const L: usize> {
    pub sums: &'a mut [[T; L]],
}

impl<T: Real, const L: usize> Sink<T, L> for LaneSums<'_, T, L> {
    #[inline(always)]
    fn put(&mut self, column: usize, lanes: &[[T; L]]) {
        let mut sum = self.sums[column];
        for lanes in lanes {
            sum = add(sum, *lanes);
        }
        self.sums[column] = sum;
    }
}
