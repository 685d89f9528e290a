//! The sweeps over a run of points on the device: jets forward, adjoints back, tiles of J and their
//! products with dense matrices.

use super::generate::generate;
use super::plan::Plan;
use super::product::Product;
use super::scalar::Scalar;
use super::weights::Weights;
use crate::gpu::buffers::{Piece, Scratch, storage, uniform};
use crate::gpu::compose::compose;
use crate::gpu::config::{POINT_WORKGROUP, row_block};
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::gpu::kernel::Kernel;
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::Activation;

/// Bytes of the jets that are read back at once, and of a stored tile of J.
const RESULTS: u64 = 32 << 20;
const TILE: u64 = 32 << 20;

/// Kernels and buffers for one set of channels in one type of number.
#[derive(Debug)]
pub struct Sweep {
    pub(super) gpu: Gpu,
    pub(super) scalar: Scalar,
    pub(super) plan: Plan,
    pub(super) channels: usize,
    weight_count: usize,
    row_blocks: u32,
    /// Length of a row: the most points of a run.
    pub(super) stride: usize,
    pub(super) shape: wgpu::Buffer,
    weights: wgpu::Buffer,
    pub(super) factors: wgpu::Buffer,
    layer: Kernel,
    output: Kernel,
    /// The bindings of every activated layer, then of the output.
    forward: Vec<wgpu::BindGroup>,
    back: Option<Back>,
    pub(super) scratch: Scratch,
}

/// What the sweep back and the Jacobian need.
#[derive(Debug)]
struct Back {
    adjoint: Kernel,
    /// For trainable activations.
    coefficients: Option<Kernel>,
    /// Per activated layer the bindings of these two.
    groups: Vec<(wgpu::BindGroup, Option<wgpu::BindGroup>)>,
    product: Product,
}

/// Stems of the kernels of a sweep.
pub const STEMS: [&str; 6] = [
    "operator/layer.wgsl",
    "operator/output.wgsl",
    "operator/adjoint.wgsl",
    "operator/coefficients.wgsl",
    "operator/columns.wgsl",
    "operator/product.wgsl",
];

/// The composed texts of a sweep's kernels, by stem. Without a sweep back only the first two.
///
/// # Errors
/// When a constant does not fit the scalar.
pub fn texts(
    network: &Network,
    jets: &JetSet,
    scalar: Scalar,
    back: bool,
) -> Result<Vec<(&'static str, String)>, GpuError> {
    let plan = Plan::new(network, Weights::new(network).features(), jets, back);
    let generated = generate(network, jets, &plan, scalar)?;
    let needed = |stem: &&str| match *stem {
        "operator/coefficients.wgsl" => back && network.activation() == Activation::Rational,
        "operator/layer.wgsl" | "operator/output.wgsl" => true,
        _ => back,
    };
    let text = |stem| Ok((stem, compose(stem, &generated)?));
    STEMS.into_iter().filter(needed).map(text).collect()
}

/// The buffers that the kernels of the sweeps share.
struct Room {
    shape: wgpu::Buffer,
    weights: wgpu::Buffer,
    factors: wgpu::Buffer,
    /// `struct Layer` of shaders/operator/network.wgsl, the output last.
    layers: Vec<wgpu::Buffer>,
}

impl Room {
    fn new(
        gpu: &Gpu,
        plan: &Plan,
        weights: &Weights,
        (scalar, layers, stride): (Scalar, usize, usize),
    ) -> Result<Self, GpuError> {
        let bytes = |count: usize| (count * scalar.bytes()) as u64;
        let (what, limit) = ("the network's parameters", gpu.budget().buffer_bytes);
        let wanted = bytes(weights.len());
        if wanted > limit {
            return Err(GpuError::BufferLimit { what, bytes: wanted, limit });
        }
        let layer = |l: usize| uniform(gpu, "layer", &plan.words(weights, l));
        Ok(Self {
            shape: uniform(gpu, "shape", &[0, stride as u32, 0, 0]),
            weights: storage(gpu, "weights", wanted),
            factors: storage(gpu, "factors", bytes(plan.rows * stride)),
            layers: (0..=layers).map(layer).collect(),
        })
    }

    fn bind(&self, gpu: &Gpu, kernel: &Kernel, layer: usize) -> wgpu::BindGroup {
        let buffers = [
            ("shape", &self.shape),
            ("layer", &self.layers[layer]),
            ("weights", &self.weights),
            ("factors", &self.factors),
        ];
        kernel.bind(gpu, &buffers)
    }
}

impl Back {
    /// Compiles the kernels of the way back; `tile` is how many columns of J a tile has.
    async fn new(
        gpu: &Gpu,
        texts: &[(&'static str, String)],
        room: &Room,
        (pairs, tile): (&[[u32; 2]], usize),
    ) -> Result<Self, GpuError> {
        let adjoint = required(gpu, texts, "operator/adjoint.wgsl").await?;
        let coefficients = compiled(gpu, texts, "operator/coefficients.wgsl").await?;
        let group = |layer: usize| {
            let of_coefficients = coefficients.as_ref().map(|kernel| room.bind(gpu, kernel, layer));
            (room.bind(gpu, &adjoint, layer), of_coefficients)
        };
        let groups = (0..room.layers.len() - 1).map(group).collect();
        let columns = required(gpu, texts, "operator/columns.wgsl").await?;
        let product = required(gpu, texts, "operator/product.wgsl").await?;
        let product = Product::new(gpu, (columns, product), pairs, tile);
        Ok(Self { adjoint, coefficients, groups, product })
    }
}

impl Sweep {
    /// For runs of up to `points` points, as far as the device allows.
    ///
    /// # Errors
    /// When the device rejects a kernel, or its buffers cannot hold the weights or the jets of 64
    /// points.
    pub async fn new(
        gpu: &Gpu,
        network: &Network,
        weights: &Weights,
        jets: &JetSet,
        (scalar, back, points): (Scalar, bool, usize),
    ) -> Result<Self, GpuError> {
        let plan = Plan::new(network, weights.features(), jets, back);
        let words = scalar.bytes() / 4;
        let stride = gpu.budget().chunk(plan.rows * words, points)?;
        let texts = texts(network, jets, scalar, back)?;
        let layers = network.activated_layers();
        let room = Room::new(gpu, &plan, weights, (scalar, layers, stride))?;
        let layer = required(gpu, &texts, "operator/layer.wgsl").await?;
        let output = required(gpu, &texts, "operator/output.wgsl").await?;
        let mut forward: Vec<wgpu::BindGroup> =
            (0..layers).map(|l| room.bind(gpu, &layer, l)).collect();
        forward.push(room.bind(gpu, &output, layers));
        let back = if back {
            let tile = TILE.min(gpu.budget().buffer_bytes) as usize / (stride * scalar.bytes());
            let pairs = plan.pairs(weights);
            Some(Back::new(gpu, &texts, &room, (&pairs, tile.max(1))).await?)
        } else {
            None
        };
        let row_block = row_block(jets.len() * words, network.width());
        Ok(Self {
            gpu: gpu.clone(),
            scalar,
            plan,
            channels: jets.len(),
            weight_count: weights.len(),
            row_blocks: network.width().div_ceil(row_block) as u32,
            stride,
            shape: room.shape,
            weights: room.weights,
            factors: room.factors,
            layer,
            output,
            forward,
            back,
            scratch: Scratch::default(),
        })
    }

    /// The most points of a run.
    pub fn run_length(&self) -> usize {
        self.stride
    }

    /// Entries of the weight vector.
    pub fn weight_count(&self) -> usize {
        self.weight_count
    }

    /// Sets the weights for what is submitted from now on.
    pub fn set_weights(&self, values: &[f64]) {
        self.gpu.queue().write_buffer(&self.weights, 0, &self.scalar.encode(values));
    }

    /// Sets the points: rows of the embedding's features, `count` numbers each.
    pub fn set_points(&self, features: &[f64], count: usize) {
        let shape = [count as u32, self.stride as u32, 0, 0];
        self.gpu.queue().write_buffer(&self.shape, 0, bytemuck::cast_slice(&shape));
        self.write_rows(0, features, count);
    }

    fn write_rows(&self, first: usize, rows: &[f64], count: usize) {
        let mut padded = vec![0.0; rows.len() / count * self.stride];
        for (to, from) in padded.chunks_exact_mut(self.stride).zip(rows.chunks_exact(count)) {
            to[..count].copy_from_slice(from);
        }
        let bytes = self.scalar.encode(&padded);
        self.gpu.queue().write_buffer(&self.factors, self.row_start(first), &bytes);
    }

    /// Offset of a row of the factors, in bytes.
    fn row_start(&self, row: usize) -> u64 {
        (row * self.stride * self.scalar.bytes()) as u64
    }

    pub(super) fn point_groups(&self, count: usize) -> u32 {
        (count as u32).div_ceil(POINT_WORKGROUP)
    }

    fn record_forward(&self, encoder: &mut wgpu::CommandEncoder, count: usize) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let (last, layers) = self.forward.split_last().expect("at least the output");
        let groups = self.point_groups(count);
        for group in layers {
            self.layer.dispatch(&mut pass, group, [groups, self.row_blocks, 1]);
        }
        self.output.dispatch(&mut pass, last, [groups, 1, 1]);
    }

    /// Jets forward; the network's is left in the factors.
    pub fn forward(&self, count: usize) {
        self.gpu.submit(|encoder| self.record_forward(encoder, count));
    }

    /// The network's jets at the points that were set, for several weight vectors: per vector a row
    /// of `count` Taylor coefficients for each channel.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn jets(
        &mut self,
        weights: &[Vec<f64>],
        count: usize,
    ) -> Result<Vec<Vec<f64>>, GpuError> {
        let bytes = (self.channels * self.stride * self.scalar.bytes()) as u64;
        let slots = (RESULTS.min(self.gpu.budget().buffer_bytes) / bytes).max(1) as usize;
        let mut all = Vec::with_capacity(weights.len());
        for batch in weights.chunks(slots) {
            let total = bytes * batch.len() as u64;
            let results = self.scratch.get(&self.gpu, "jets", total)?;
            for (slot, values) in batch.iter().enumerate() {
                self.set_weights(values);
                let start = self.row_start(self.plan.output_row);
                self.gpu.submit(|encoder| {
                    self.record_forward(encoder, count);
                    let to = slot as u64 * bytes;
                    encoder.copy_buffer_to_buffer(&self.factors, start, &results, to, bytes);
                });
            }
            let piece = Piece::start(&results, total);
            let read: Vec<u8> =
                self.scratch.read(&self.gpu, "the network's jets", &[piece]).await?;
            for slot in read.chunks_exact(bytes as usize) {
                let rows = self.scalar.decode(slot);
                all.push(
                    rows.chunks_exact(self.stride).flat_map(|r| &r[..count]).copied().collect(),
                );
            }
        }
        Ok(all)
    }

    /// Adjoints back from the seeds, a row of `count` numbers per channel, after
    /// [`Sweep::forward`].
    ///
    /// # Panics
    /// When the sweep was made without the way back.
    pub fn back(&self, seeds: &[f64], count: usize) {
        let back = self.way_back();
        self.write_rows(self.plan.seed_row, seeds, count);
        self.gpu.submit(|encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            let groups = self.point_groups(count);
            for (adjoint, coefficients) in back.groups.iter().rev() {
                back.adjoint.dispatch(&mut pass, adjoint, [groups, self.row_blocks, 1]);
                if let Some((kernel, group)) = back.coefficients.as_ref().zip(coefficients.as_ref())
                {
                    kernel.dispatch(&mut pass, group, [groups, 1, 1]);
                }
            }
        });
    }

    fn way_back(&self) -> &Back {
        self.back.as_ref().expect("a sweep with the way back")
    }

    pub(super) fn product(&self) -> &Product {
        &self.way_back().product
    }
}

async fn required(
    gpu: &Gpu,
    texts: &[(&'static str, String)],
    wanted: &str,
) -> Result<Kernel, GpuError> {
    Ok(compiled(gpu, texts, wanted).await?.expect("one of the stems"))
}

/// The kernel of that stem, where there is one for this network.
async fn compiled(
    gpu: &Gpu,
    texts: &[(&'static str, String)],
    wanted: &str,
) -> Result<Option<Kernel>, GpuError> {
    match texts.iter().find(|(stem, _)| *stem == wanted) {
        Some((stem, text)) => Ok(Some(Kernel::new(gpu, stem, text).await?)),
        None => Ok(None),
    }
}
