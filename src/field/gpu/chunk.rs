//! Chunks of points: their buffers, and the bind groups of the sweeps over them.

use super::buffers::{singles, storage, uniform};
use super::config::{POINT_WORKGROUP, row_block};
use super::device::Gpu;
use super::kernels::Kernels;
use super::plan::{ONES_ROW, Plan, SEED_ROW, offset};
use crate::network::{Input, Network};

/// The points that are worked on together, because buffers and dispatches have limits. Every
/// buffer holds rows of `stride` floats.
#[derive(Debug)]
pub struct Chunk {
    /// Number of the first point.
    pub first: usize,
    pub points: usize,
    pub stride: usize,
    pub shape: wgpu::Buffer,
    /// Rows as [`Plan`] says.
    pub factors: wgpu::Buffer,
    /// Rows: the channels of the distance, those of the lift, the lift's rate of change.
    pub ansatz: wgpu::Buffer,
    /// Rows u, F.
    pub field: wgpu::Buffer,
    /// Coordinates, and what the embedding makes of them.
    raw: wgpu::Buffer,
    embedded: wgpu::Buffer,
    /// Embedding, hidden layers, output.
    forward: Vec<wgpu::BindGroup>,
    /// Per layer, from the last: the linear part, then the activation.
    reverse: Vec<[wgpu::BindGroup; 2]>,
}

/// What the sweeps over all chunks share.
#[derive(Debug)]
pub struct Shared {
    pub theta: wgpu::Buffer,
    /// The time, then the problem's parameters.
    pub settings: wgpu::Buffer,
    /// Jets of one layer and of the next, in turns.
    jets: [wgpu::Buffer; 2],
    adjoints: wgpu::Buffer,
    /// One `struct Layer` of shaders/shared/layer.wgsl each.
    layers: Vec<wgpu::Buffer>,
    width: usize,
    row_block: usize,
}

impl Shared {
    /// Buffers for `channels` channels at `stride` points and `parameters` of the problem.
    pub fn new(
        gpu: &Gpu,
        network: &Network,
        plan: &Plan,
        [channels, stride, parameters]: [usize; 3],
    ) -> Self {
        let floats = |label: &str, count: usize| storage(gpu, label, 4 * count as u64);
        let jets = || floats("jets", plan.width * channels * stride);
        Self {
            theta: floats("theta", network.parameters()),
            settings: floats("settings", 1 + parameters),
            jets: [jets(), jets()],
            adjoints: floats("adjoints", plan.width * stride),
            layers: (0..network.activated_layers())
                .map(|layer| uniform(gpu, "layer", &layer_words(network, plan, layer)))
                .collect(),
            width: plan.width,
            row_block: row_block(channels, plan.width),
        }
    }

    fn row_blocks(&self) -> u32 {
        self.width.div_ceil(self.row_block) as u32
    }
}

/// Where a chunk lies: its first point, how many it has, and the length of a row.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub first: usize,
    pub points: usize,
    pub stride: usize,
}

impl Chunk {
    /// Makes the buffers for `channels` channels.
    pub fn new(gpu: &Gpu, plan: &Plan, inputs: &[Input], channels: usize, extent: Extent) -> Self {
        let Extent { first, points, stride } = extent;
        let buffer = |label: &str, rows: usize| storage(gpu, label, 4 * (rows * stride) as u64);
        Self {
            first,
            points,
            stride,
            shape: uniform(gpu, "shape", &[points as u32, stride as u32, 0, 0]),
            factors: buffer("factors", plan.rows),
            ansatz: buffer("ansatz", 2 * channels + 1),
            field: buffer("field", 2),
            raw: buffer("coordinates", inputs.len()),
            embedded: buffer("embedded coordinates", inputs.len()),
            forward: Vec::new(),
            reverse: Vec::new(),
        }
    }

    /// Binds the buffers to the kernels.
    pub fn bind(&mut self, gpu: &Gpu, kernels: &Kernels, shared: &Shared) {
        self.forward = self.forward_groups(gpu, kernels, shared);
        self.reverse = self.reverse_groups(gpu, kernels, shared);
    }

    /// Uploads the coordinates (n x d, point after point, of all chunks).
    pub fn upload(&self, gpu: &Gpu, plan: &Plan, inputs: &[Input], coordinates: &[f64]) {
        self.write_row(gpu, &self.factors, ONES_ROW, &vec![1.0; self.points]);
        let points = self.first..self.first + self.points;
        for (k, input) in inputs.iter().enumerate() {
            let along = points.clone().map(|i| coordinates[i * inputs.len() + k]);
            let seen: Vec<f64> = along.clone().map(|x| embedded_coordinate(input, x)).collect();
            self.write_row(gpu, &self.raw, k, &singles(&along.collect::<Vec<f64>>()));
            self.write_row(gpu, &self.embedded, k, &singles(&seen));
            if let Some(position) = plan.linear.iter().position(|&linear| linear == k) {
                self.write_row(gpu, &self.factors, plan.scaled_row(position), &singles(&seen));
            }
        }
    }

    /// Uploads one row of a buffer of this chunk.
    pub fn write_row(&self, gpu: &Gpu, buffer: &wgpu::Buffer, row: usize, values: &[f32]) {
        gpu.queue().write_buffer(buffer, self.row_start(row), bytemuck::cast_slice(values));
    }

    /// Offset of a row, in bytes.
    pub fn row_start(&self, row: usize) -> u64 {
        4 * (row * self.stride) as u64
    }

    /// Workgroups over the points.
    pub fn groups(&self) -> u32 {
        (self.points as u32).div_ceil(POINT_WORKGROUP)
    }

    /// Embedding, layers, output: leaves z_l and h_l in the factors, u and F in the field.
    pub fn forward(&self, kernels: &Kernels, shared: &Shared, pass: &mut wgpu::ComputePass<'_>) {
        let (last, layers) = self.forward.split_last().expect("at least embedding and output");
        for (number, group) in layers.iter().enumerate() {
            if number == 0 {
                kernels.embed.dispatch(pass, group, [self.groups(), shared.width as u32, 1]);
            } else {
                kernels.layer.dispatch(pass, group, [self.groups(), shared.row_blocks(), 1]);
            }
        }
        kernels.output.dispatch(pass, last, [self.groups(), 1, 1]);
    }

    /// The reverse sweep: turns the z_l in the factors into the adjoints.
    pub fn reverse(&self, kernels: &Kernels, shared: &Shared, pass: &mut wgpu::ComputePass<'_>) {
        for [linear, activation] in &self.reverse {
            kernels.adjoint.dispatch(pass, linear, [self.groups(), shared.row_blocks(), 1]);
            kernels.reverse.dispatch(pass, activation, [self.groups(), 1, 1]);
        }
    }

    fn forward_groups(
        &self,
        gpu: &Gpu,
        kernels: &Kernels,
        shared: &Shared,
    ) -> Vec<wgpu::BindGroup> {
        let common = [
            ("shape", &self.shape),
            ("theta", &shared.theta),
            ("factors", &self.factors),
            ("embedded", &self.embedded),
            ("coordinates", &self.raw),
            ("ansatz", &self.ansatz),
            ("settings", &shared.settings),
            ("field", &self.field),
        ];
        let jets = |number: usize| &shared.jets[number % 2];
        let mut groups =
            vec![kernels.embed.bind(gpu, &[&common[..], &[("jets", jets(0))]].concat())];
        for (number, layer) in shared.layers.iter().enumerate().skip(1) {
            let own = [("layer", layer), ("inputs", jets(number - 1)), ("outputs", jets(number))];
            groups.push(kernels.layer.bind(gpu, &[&common[..], &own].concat()));
        }
        let last = [("inputs", jets(shared.layers.len() - 1))];
        groups.push(kernels.output.bind(gpu, &[&common[..], &last].concat()));
        groups
    }

    fn reverse_groups(
        &self,
        gpu: &Gpu,
        kernels: &Kernels,
        shared: &Shared,
    ) -> Vec<[wgpu::BindGroup; 2]> {
        let group = |layer: &wgpu::Buffer| {
            let buffers = [
                ("shape", &self.shape),
                ("layer", layer),
                ("theta", &shared.theta),
                ("factors", &self.factors),
                ("adjoints", &shared.adjoints),
            ];
            [&kernels.adjoint, &kernels.reverse].map(|kernel| kernel.bind(gpu, &buffers))
        };
        shared.layers.iter().rev().map(group).collect()
    }
}

/// What a coordinate becomes before the first parameter: the angle 2 pi x / P, reduced to half a
/// turn in f64 so that f32 keeps its digits, or the coordinate scaled to \[-1, 1\].
fn embedded_coordinate(input: &Input, x: f64) -> f64 {
    match *input {
        Input::Periodic { period } => {
            let turns = x / period;
            std::f64::consts::TAU * (turns - turns.round())
        }
        Input::Linear { lower, upper } => 2.0 * (x - lower) / (upper - lower) - 1.0,
    }
}

/// The words of `struct Layer` in shaders/shared/layer.wgsl.
fn layer_words(network: &Network, plan: &Plan, layer: usize) -> [u32; 12] {
    let layout = network.layout();
    let last = layer == network.hidden_layers();
    let hidden = |number: usize, what: &str| offset(layout, &format!("hidden.{number}.{what}"));
    let next_weight =
        if last { offset(layout, "output.weight") } else { hidden(layer + 1, "weight") };
    let next_adjoint_row = if last { SEED_ROW } else { plan.adjoint_row(layer + 1) };
    [
        hidden(layer, "weight"),
        hidden(layer, "bias"),
        offset(layout, &format!("activation.{layer}")),
        plan.adjoint_row(layer),
        plan.output_row(layer),
        plan.gradient_row(layer),
        next_weight,
        if last { 1 } else { network.width() },
        next_adjoint_row,
        0,
        0,
        0,
    ]
    .map(|word| word as u32)
}
