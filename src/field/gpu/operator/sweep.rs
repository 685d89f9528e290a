//! The sweeps over a run of points on the device: jets forward, adjoints back.

use super::plan::Plan;
use super::product::Product;
use super::scalar::Scalar;
use super::texts::Texts;
use super::weights::Weights;
use crate::gpu::buffers::{Piece, Scratch, storage, uniform};
use crate::gpu::commands::Commands;
use crate::gpu::config::{POINT_WORKGROUP, row_block};
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::gpu::kernel::Kernel;
use crate::network::Network;

/// Bytes of the jets that are read back at once.
const RESULTS: u64 = 32 << 20;

/// Kernels for one set of channels in one type of number, and the buffers of a run of points.
#[derive(Debug)]
pub struct Sweep {
    pub(super) gpu: Gpu,
    pub(super) scalar: Scalar,
    pub(super) plan: Plan,
    pub(super) channels: usize,
    row_blocks: u32,
    /// Waves of the embedding.
    waves: u32,
    /// Activated layers without the encoders.
    layers: usize,
    /// Jets that come into each layer, and those of the layer above; the output and the encoders
    /// come behind the activated layers.
    extents: Vec<[u32; 2]>,
    kernels: Kernels,
    room: Room,
    groups: Groups,
    /// Points that are set, and the most of them: the length of a row.
    count: usize,
    pub(super) stride: usize,
    /// The Jacobian's products, where they are wanted.
    pub(super) product: Option<Product>,
    pub(super) scratch: Scratch,
}

#[derive(Clone, Debug)]
struct Kernels {
    layer: Kernel,
    output: Kernel,
    back: Option<Back>,
}

#[derive(Clone, Debug)]
struct Back {
    adjoint: Kernel,
    /// For trainable activations.
    coefficients: Option<Kernel>,
    /// For periodic coordinates.
    turn: Option<Kernel>,
}

impl Kernels {
    async fn new(gpu: &Gpu, texts: &Texts) -> Result<Self, GpuError> {
        let back = if texts.back {
            Some(Back {
                adjoint: texts.kernel(gpu, "operator/adjoint.wgsl").await?,
                coefficients: texts.optional(gpu, "operator/coefficients.wgsl").await?,
                turn: texts.optional(gpu, "operator/turn.wgsl").await?,
            })
        } else {
            None
        };
        Ok(Self {
            layer: texts.kernel(gpu, "operator/layer.wgsl").await?,
            output: texts.kernel(gpu, "operator/output.wgsl").await?,
            back,
        })
    }
}

/// The buffers that the kernels share.
#[derive(Clone, Debug)]
struct Room {
    shape: wgpu::Buffer,
    weights: wgpu::Buffer,
    factors: wgpu::Buffer,
    /// `struct Layer` of shaders/operator/network.wgsl: the activated layers, the output, encoders.
    layers: Vec<wgpu::Buffer>,
}

impl Room {
    fn new(
        gpu: &Gpu,
        plan: &Plan,
        weights: &Weights,
        (scalar, layers, stride): (Scalar, usize, usize),
    ) -> Result<Self, GpuError> {
        let bytes = (weights.len() * scalar.bytes()) as u64;
        let (what, limit) = ("the network's parameters", gpu.budget().buffer_bytes);
        if bytes > limit {
            return Err(GpuError::BufferLimit { what, bytes, limit });
        }
        let layer = |l: usize| uniform(gpu, "layer", &plan.words(weights, l));
        Ok(Self {
            shape: uniform(gpu, "shape", &[0, stride as u32, 0, 0]),
            weights: storage(gpu, "weights", bytes),
            factors: factors(gpu, plan, scalar, stride),
            layers: (0..=layers + weights.encoders).map(layer).collect(),
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

fn factors(gpu: &Gpu, plan: &Plan, scalar: Scalar, stride: usize) -> wgpu::Buffer {
    storage(gpu, "factors", (plan.rows * stride * scalar.bytes()) as u64)
}

/// The buffers bound to the kernels, per layer.
#[derive(Debug)]
struct Groups {
    /// Of the encoders, then of every activated layer.
    forward: Vec<wgpu::BindGroup>,
    output: wgpu::BindGroup,
    /// The adjoints of the layers from the last one down, then of the encoders, and the
    /// derivatives by the activation's coefficients.
    back: Vec<(wgpu::BindGroup, Option<wgpu::BindGroup>)>,
    /// Of the embedding and the encoders.
    turn: Vec<wgpu::BindGroup>,
}

impl Groups {
    /// For `layers` activated layers in front of the output; the encoders stand behind it.
    fn new(gpu: &Gpu, kernels: &Kernels, room: &Room, layers: usize) -> Self {
        let encoders = || layers + 1..room.layers.len();
        let optional = |kernel: Option<&Kernel>, layer| kernel.map(|k| room.bind(gpu, k, layer));
        let of_layer = |back: &Back, layer| {
            let adjoint = room.bind(gpu, &back.adjoint, layer);
            (adjoint, optional(back.coefficients.as_ref(), layer))
        };
        let back = kernels.back.as_ref();
        Self {
            forward: encoders()
                .chain(0..layers)
                .map(|l| room.bind(gpu, &kernels.layer, l))
                .collect(),
            output: room.bind(gpu, &kernels.output, layers),
            back: (0..layers)
                .rev()
                .chain(encoders())
                .filter_map(|l| back.map(|back| of_layer(back, l)))
                .collect(),
            turn: std::iter::once(0)
                .chain(encoders())
                .filter_map(|l| optional(back.and_then(|back| back.turn.as_ref()), l))
                .collect(),
        }
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
        texts: &Texts,
        points: usize,
    ) -> Result<Self, GpuError> {
        let (scalar, jets) = (texts.scalar, &texts.jets);
        let weights = Weights::new(network);
        let plan = Plan::new(network, &weights, jets, texts.back);
        let words = scalar.bytes() / 4;
        let stride = gpu.budget().chunk(plan.rows * words, points)?;
        let layers = network.activated_layers();
        let kernels = Kernels::new(gpu, texts).await?;
        let room = Room::new(gpu, &plan, &weights, (scalar, layers, stride))?;
        let extent = |l| plan.words(&weights, l);
        let extents =
            (0..room.layers.len()).map(extent).map(|words| [words[3], words[9]]).collect();
        let row_block = row_block(jets.len() * words, network.width());
        let sweep = Self {
            gpu: gpu.clone(),
            scalar,
            channels: jets.len(),
            row_blocks: network.width().div_ceil(row_block) as u32,
            waves: weights.waves() as u32,
            groups: Groups::new(gpu, &kernels, &room, layers),
            layers,
            extents,
            plan,
            kernels,
            room,
            count: 0,
            stride,
            product: None,
            scratch: Scratch::default(),
        };
        sweep.write_constants();
        Ok(sweep)
    }

    /// The same kernels and weights over points of their own.
    pub fn beside(&self) -> Self {
        let factors = factors(&self.gpu, &self.plan, self.scalar, self.stride);
        let shape = uniform(&self.gpu, "shape", &[0, self.stride as u32, 0, 0]);
        let room = Room { shape, factors, ..self.room.clone() };
        let sweep = Self {
            gpu: self.gpu.clone(),
            plan: self.plan.clone(),
            extents: self.extents.clone(),
            kernels: self.kernels.clone(),
            groups: Groups::new(&self.gpu, &self.kernels, &room, self.layers),
            room,
            count: 0,
            product: None,
            scratch: Scratch::default(),
            ..*self
        };
        sweep.write_constants();
        sweep
    }

    /// The most points of a run.
    pub fn run_length(&self) -> usize {
        self.stride
    }

    /// Points that are set.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn scalar(&self) -> Scalar {
        self.scalar
    }

    pub(super) fn shape(&self) -> &wgpu::Buffer {
        &self.room.shape
    }

    pub(super) fn factors(&self) -> &wgpu::Buffer {
        &self.room.factors
    }

    /// The two jets of the column of each parameter.
    pub fn pairs(&self, network: &Network) -> Vec<[u32; 2]> {
        self.plan.pairs(network, &Weights::new(network))
    }

    /// Sets the weights for what is submitted from now on, here and in the sweeps beside.
    pub fn set_weights(&self, values: &[f64]) {
        self.gpu.queue().write_buffer(&self.room.weights, 0, &self.scalar.encode(values));
    }

    /// Sets the points: rows of the embedding's features, `count` numbers each.
    pub fn set_points(&mut self, features: &[f64], count: usize) {
        let shape = [count as u32, self.stride as u32, 0, 0];
        self.gpu.queue().write_buffer(&self.room.shape, 0, bytemuck::cast_slice(&shape));
        self.count = count;
        self.write_rows(0, features, count);
    }

    /// Sets what the sweep back begins with: a row of numbers for each channel.
    pub fn set_seeds(&self, seeds: &[f64]) {
        self.write_rows(self.plan.seed_row, seeds, self.count);
    }

    fn write_constants(&self) {
        if self.plan.back {
            self.write_rows(self.plan.ones_row, &vec![1.0; self.stride], self.stride);
        }
    }

    fn write_rows(&self, first: usize, rows: &[f64], count: usize) {
        if count == 0 {
            return;
        }
        let mut padded = vec![0.0; rows.len() / count * self.stride];
        for (to, from) in padded.chunks_exact_mut(self.stride).zip(rows.chunks_exact(count)) {
            to[..count].copy_from_slice(from);
        }
        let bytes = self.scalar.encode(&padded);
        self.gpu.queue().write_buffer(&self.room.factors, self.row_start(first), &bytes);
    }

    /// Offset of a row of the factors, in bytes.
    fn row_start(&self, row: usize) -> u64 {
        (row * self.stride * self.scalar.bytes()) as u64
    }

    pub(super) fn point_groups(&self) -> u32 {
        (self.count as u32).div_ceil(POINT_WORKGROUP)
    }

    /// The encoders, then every activated layer: the order of the groups forward.
    fn record_layers(&self, commands: &mut Commands<'_>) {
        let grid = [self.point_groups(), self.row_blocks, 1];
        let order = (self.layers + 1..self.extents.len()).chain(0..self.layers);
        for (group, layer) in self.groups.forward.iter().zip(order) {
            let work = self.layer_work(self.extents[layer]);
            self.kernels.layer.dispatch(commands, group, (grid, work));
        }
    }

    fn record_forward(&self, commands: &mut Commands<'_>) {
        self.record_layers(commands);
        let (grid, work) = ([self.point_groups(), 1, 1], self.output_work());
        self.kernels.output.dispatch(commands, &self.groups.output, (grid, work));
    }

    /// From the last activated layer down, then the encoders.
    fn record_back(&self, commands: &mut Commands<'_>) {
        let back = self.kernels.back.as_ref().expect("a sweep with the way back");
        let groups = self.point_groups();
        let order = (0..self.layers).rev().chain(self.layers + 1..self.extents.len());
        for ((adjoint, coefficients), layer) in self.groups.back.iter().zip(order) {
            let work = self.adjoint_work(self.extents[layer]);
            back.adjoint.dispatch(commands, adjoint, ([groups, self.row_blocks, 1], work));
            if let Some((kernel, group)) = back.coefficients.as_ref().zip(coefficients.as_ref()) {
                kernel.dispatch(commands, group, ([groups, 1, 1], self.coefficients_work()));
            }
        }
    }

    /// Jets forward, up to the last layer's, and the waves that the columns need.
    pub fn forward(&self) {
        self.gpu.submit(|commands| {
            self.record_layers(commands);
            let turn = self.kernels.back.as_ref().and_then(|back| back.turn.as_ref());
            for (kernel, group) in
                turn.into_iter().flat_map(|k| self.groups.turn.iter().map(move |g| (k, g)))
            {
                let grid = [self.point_groups(), self.waves, 1];
                kernel.dispatch(commands, group, (grid, self.turn_work(self.waves)));
            }
        });
    }

    /// Jets forward, up to the network's.
    pub fn forward_to_output(&self) {
        self.gpu.submit(|commands| self.record_forward(commands));
    }

    /// Adjoints back from the seeds after [`Sweep::forward`].
    ///
    /// # Panics
    /// When the sweep was made without the way back.
    pub fn back(&self) {
        self.gpu.submit(|commands| self.record_back(commands));
    }

    /// Where the channels of the network's jet stand after [`Sweep::forward_to_output`].
    pub fn jet(&self) -> impl Iterator<Item = Piece<'_>> {
        (0..self.channels).map(|c| Piece {
            buffer: &self.room.factors,
            start: self.row_start(self.plan.output_row + c),
            bytes: (self.count * self.scalar.bytes()) as u64,
        })
    }

    /// The network's jets at the points that were set, for several weight vectors: per vector a row
    /// of Taylor coefficients for each channel.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn jets(&mut self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, GpuError> {
        let bytes = (self.channels * self.stride * self.scalar.bytes()) as u64;
        let slots = (RESULTS.min(self.gpu.budget().buffer_bytes) / bytes).max(1) as usize;
        let mut all = Vec::with_capacity(weights.len());
        for batch in weights.chunks(slots) {
            let total = bytes * batch.len() as u64;
            let results = self.scratch.get(&self.gpu, "jets", total)?;
            for (slot, values) in batch.iter().enumerate() {
                self.set_weights(values);
                let start = self.row_start(self.plan.output_row);
                self.gpu.submit(|commands| {
                    self.record_forward(commands);
                    let (encoder, to) = (commands.encoder(), slot as u64 * bytes);
                    encoder.copy_buffer_to_buffer(&self.room.factors, start, &results, to, bytes);
                });
            }
            let piece = Piece::start(&results, total);
            let read: Vec<f64> = self
                .scalar
                .read(&mut self.scratch, &self.gpu, "the network's jets", &[piece])
                .await?;
            for rows in read.chunks_exact(self.channels * self.stride) {
                let row = |row: &[f64]| row[..self.count].to_vec();
                all.push(rows.chunks_exact(self.stride).flat_map(row).collect());
            }
        }
        Ok(all)
    }
}
