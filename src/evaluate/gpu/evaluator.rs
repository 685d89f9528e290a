//! The buffers of one problem on one device, and the two sweeps over them.

use super::buffers::{Piece, Scratch, read, singles, storage, uniform};
use super::channels::Channels;
use super::config::{POINT_WORKGROUP, row_block};
use super::device::Gpu;
use super::error::GpuError;
use super::jacobian::Linearization;
use super::kernels::Kernels;
use super::plan::{ONES_ROW, Plan, SEED_ROW, offset};
use super::sources::Sources;
use crate::network::{Input, Network};
use crate::problem::expression::Expression;

/// The ansatz u = lift + distance * network at the points: per channel of [`Evaluator::channels`]
/// one row of n numbers, normalised Taylor coefficients like the channels themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ansatz<'a> {
    /// `None` is 1.
    pub distance: Option<&'a [f64]>,
    /// `None` is 0.
    pub lift: Option<&'a [f64]>,
}

/// u and F(x, t, u) at the points.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub values: Vec<f64>,
    pub right_hand_side: Vec<f64>,
}

const PARAMETERS: &str = "the list of the problem's parameters";

/// The points that are worked on together, because buffers and dispatches have limits.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Number of the first point.
    pub first: usize,
    pub points: usize,
    pub shape: wgpu::Buffer,
    /// Rows as [`Plan`] says.
    pub factors: wgpu::Buffer,
    ansatz: wgpu::Buffer,
    /// Rows u, F.
    field: wgpu::Buffer,
    forward: Vec<wgpu::BindGroup>,
    /// Per layer, from the last: the linear part, then the activation.
    reverse: Vec<[wgpu::BindGroup; 2]>,
}

/// Evaluates one network and one problem at fixed points; parameters and time change per call.
#[derive(Debug)]
pub struct Evaluator {
    pub(super) gpu: Gpu,
    pub(super) plan: Plan,
    pub(super) kernels: Kernels,
    pub(super) chunks: Vec<Chunk>,
    pub(super) stride: usize,
    pub(super) points: usize,
    pub(super) scratch: Scratch,
    pub(super) request: wgpu::Buffer,
    channels: Channels,
    theta: wgpu::Buffer,
    settings: wgpu::Buffer,
    parameters: Vec<f64>,
}

/// What all chunks share while the evaluator is being built.
struct Shared<'a> {
    gpu: &'a Gpu,
    kernels: &'a Kernels,
    plan: &'a Plan,
    channels: &'a Channels,
    inputs: &'a [Input],
    stride: usize,
    theta: wgpu::Buffer,
    settings: wgpu::Buffer,
    /// Jets of one layer and of the next, in turns.
    jets: [wgpu::Buffer; 2],
    adjoints: wgpu::Buffer,
    layers: Vec<wgpu::Buffer>,
}

impl Evaluator {
    /// Compiles the kernels of u_t = `right_hand_side` and uploads the points: n x d
    /// `coordinates`, point after point; `parameters` are the values of the problem's named ones.
    ///
    /// # Errors
    /// When the coordinates or the ansatz have the wrong length, a constant of the equation does
    /// not fit f32, or the device rejects a kernel or lacks memory.
    pub async fn new(
        gpu: &Gpu,
        network: &Network,
        right_hand_side: &Expression,
        parameters: &[f64],
        coordinates: &[f64],
        ansatz: Ansatz<'_>,
    ) -> Result<Self, GpuError> {
        let sources = Sources::compose(network, right_hand_side)?;
        Self::with_sources(gpu, network, &sources, parameters, coordinates, ansatz).await
    }

    /// The same with kernels that were composed before.
    ///
    /// # Errors
    /// As [`Evaluator::new`].
    pub async fn with_sources(
        gpu: &Gpu,
        network: &Network,
        sources: &Sources,
        parameters: &[f64],
        coordinates: &[f64],
        ansatz: Ansatz<'_>,
    ) -> Result<Self, GpuError> {
        let dimensions = network.inputs().len();
        let points = coordinates.len() / dimensions.max(1);
        length("the list of coordinates", coordinates.len(), points * dimensions)?;
        if parameters.len() < sources.parameters() {
            length(PARAMETERS, parameters.len(), sources.parameters())?;
        }
        let channels = sources.channels().clone();
        let kernels = Kernels::new(gpu, sources).await?;
        let plan = Plan::new(network);
        let rows = plan.rows.max(network.width() * channels.count()).max(2 * channels.count());
        let stride = gpu.budget().chunk(rows.max(2 * dimensions), points)?;

        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation]
            .map(|filter| gpu.device().push_error_scope(filter));
        let shared =
            Shared::new(gpu, &kernels, &plan, &channels, network, parameters.len(), stride);
        let chunks: Vec<Chunk> = (0..points)
            .step_by(stride)
            .map(|first| shared.chunk(first, stride.min(points - first), coordinates))
            .collect();
        let Shared { theta, settings, .. } = shared;
        let [memory, validation] = scopes;
        if let Some(source) = validation.pop().await {
            return Err(GpuError::Rejected { what: "the buffers of the network".into(), source });
        }
        if memory.pop().await.is_some() {
            let floats = stride * (plan.rows * chunks.len() + 2 * plan.width * channels.count());
            let mebibytes = 4.0 * floats as f64 / f64::from(1 << 20);
            return Err(GpuError::OutOfMemory { what: "the network's activations", mebibytes });
        }
        let mut evaluator = Self {
            gpu: gpu.clone(),
            plan,
            kernels,
            chunks,
            stride,
            points,
            scratch: Scratch::default(),
            request: uniform(gpu, "request", &[0; 4]),
            channels,
            theta,
            settings,
            parameters: parameters.to_vec(),
        };
        evaluator.set_ansatz(ansatz)?;
        Ok(evaluator)
    }

    /// The channels that ansatz tables must have, in order.
    #[must_use]
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// n: how many points there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Changes the problem's named parameters.
    ///
    /// # Errors
    /// When their number is not the problem's.
    pub fn set_parameters(&mut self, parameters: &[f64]) -> Result<(), GpuError> {
        length(PARAMETERS, parameters.len(), self.parameters.len())?;
        self.parameters.copy_from_slice(parameters);
        Ok(())
    }

    /// Changes the tables of the ansatz, as a lift that depends on time asks for.
    ///
    /// # Errors
    /// When a table has not channels x points numbers.
    pub fn set_ansatz(&mut self, ansatz: Ansatz<'_>) -> Result<(), GpuError> {
        let channels = self.channels.count();
        for (what, table) in
            [("the table of the distance", ansatz.distance), ("the table of the lift", ansatz.lift)]
        {
            if let Some(table) = table {
                length(what, table.len(), channels * self.points)?;
            }
        }
        for chunk in &self.chunks {
            for channel in 0..channels {
                let row = |table: &[f64]| {
                    let start = channel * self.points + chunk.first;
                    singles(&table[start..start + chunk.points])
                };
                let one = if channel == 0 { 1.0 } else { 0.0 };
                let distance = ansatz.distance.map_or_else(|| vec![one; chunk.points], row);
                let lift = ansatz.lift.map_or_else(|| vec![0.0; chunk.points], row);
                self.write_row(&chunk.ansatz, channel, &distance);
                self.write_row(&chunk.ansatz, channels + channel, &lift);
                if channel == 0 {
                    self.write_row(&chunk.factors, SEED_ROW, &distance);
                }
            }
        }
        Ok(())
    }

    fn write_row(&self, buffer: &wgpu::Buffer, row: usize, values: &[f32]) {
        let start = 4 * (row * self.stride) as u64;
        self.gpu.queue().write_buffer(buffer, start, bytemuck::cast_slice(values));
    }

    /// u and F(x, t, u) at the points.
    ///
    /// # Errors
    /// When `theta` has the wrong length or the device fails.
    pub async fn field(&mut self, theta: &[f64], time: f64) -> Result<Field, GpuError> {
        self.sweep(theta, time, false)?;
        self.read_field().await
    }

    /// The same and the Jacobian du/dtheta at `theta`, ready for products.
    ///
    /// # Errors
    /// When `theta` has the wrong length or the device fails.
    pub async fn linearize(
        &mut self,
        theta: &[f64],
        time: f64,
    ) -> Result<Linearization<'_>, GpuError> {
        self.sweep(theta, time, true)?;
        let field = self.read_field().await?;
        Ok(Linearization::new(self, field))
    }

    /// Submits the forward sweep, and the reverse sweep behind it if asked for, chunk by chunk: a
    /// long submission could make a desktop's watchdog reset the device.
    fn sweep(&mut self, theta: &[f64], time: f64, reverse: bool) -> Result<(), GpuError> {
        length("the parameter vector", theta.len(), self.plan.pairs.len())?;
        let queue = self.gpu.queue();
        queue.write_buffer(&self.theta, 0, bytemuck::cast_slice(&singles(theta)));
        let mut settings = vec![time as f32];
        settings.extend(singles(&self.parameters));
        queue.write_buffer(&self.settings, 0, bytemuck::cast_slice(&settings));
        for chunk in &self.chunks {
            let mut encoder = self
                .gpu
                .device()
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                self.forward(&mut pass, chunk);
                if reverse {
                    self.reverse(&mut pass, chunk);
                }
            }
            queue.submit([encoder.finish()]);
        }
        Ok(())
    }

    /// Workgroups over the points of a chunk.
    pub(super) fn point_groups(chunk: &Chunk) -> u32 {
        (chunk.points as u32).div_ceil(POINT_WORKGROUP)
    }

    fn forward(&self, pass: &mut wgpu::ComputePass<'_>, chunk: &Chunk) {
        let groups = Self::point_groups(chunk);
        let width = self.plan.width;
        let blocks = width.div_ceil(row_block(self.channels.count(), width)) as u32;
        let (last, layers) = chunk.forward.split_last().expect("at least embedding and output");
        for (layer, group) in layers.iter().enumerate() {
            if layer == 0 {
                self.kernels.embed.dispatch(pass, group, [groups, width as u32, 1]);
            } else {
                self.kernels.layer.dispatch(pass, group, [groups, blocks, 1]);
            }
        }
        self.kernels.output.dispatch(pass, last, [groups, 1, 1]);
    }

    fn reverse(&self, pass: &mut wgpu::ComputePass<'_>, chunk: &Chunk) {
        let groups = Self::point_groups(chunk);
        let width = self.plan.width;
        let blocks = width.div_ceil(row_block(self.channels.count(), width)) as u32;
        for [linear, activation] in &chunk.reverse {
            self.kernels.adjoint.dispatch(pass, linear, [groups, blocks, 1]);
            self.kernels.reverse.dispatch(pass, activation, [groups, 1, 1]);
        }
    }

    async fn read_field(&self) -> Result<Field, GpuError> {
        let pieces: Vec<Piece<'_>> = (0..2)
            .flat_map(|row| {
                self.chunks.iter().map(move |chunk| Piece {
                    buffer: &chunk.field,
                    start: 4 * (row * self.stride) as u64,
                    bytes: 4 * chunk.points as u64,
                })
            })
            .collect();
        let both: Vec<f32> = read(&self.gpu, "the field", &pieces).await?;
        let double = |part: &[f32]| part.iter().map(|&value| f64::from(value)).collect();
        let (values, right_hand_side) = both.split_at(self.points);
        Ok(Field { values: double(values), right_hand_side: double(right_hand_side) })
    }
}

impl<'a> Shared<'a> {
    fn new(
        gpu: &'a Gpu,
        kernels: &'a Kernels,
        plan: &'a Plan,
        channels: &'a Channels,
        network: &'a Network,
        parameters: usize,
        stride: usize,
    ) -> Self {
        let floats = |label: &str, count: usize| storage(gpu, label, 4 * count as u64);
        let jets = || floats("jets", plan.width * channels.count() * stride);
        Self {
            gpu,
            kernels,
            plan,
            channels,
            inputs: network.inputs(),
            stride,
            theta: floats("theta", network.parameters()),
            settings: floats("settings", 1 + parameters),
            jets: [jets(), jets()],
            adjoints: floats("adjoints", plan.width * stride),
            layers: (0..network.activated_layers())
                .map(|layer| uniform(gpu, "layer", &layer_words(network, plan, layer)))
                .collect(),
        }
    }

    fn chunk(&self, first: usize, points: usize, coordinates: &[f64]) -> Chunk {
        let (gpu, stride) = (self.gpu, self.stride);
        let buffer = |label: &str, rows: usize| storage(gpu, label, 4 * (rows * stride) as u64);
        let dimensions = self.inputs.len();
        let raw = buffer("coordinates", dimensions);
        let embedded = buffer("embedded coordinates", dimensions);
        let factors = buffer("factors", self.plan.rows);
        let write = |buffer: &wgpu::Buffer, row: usize, values: &[f64]| {
            let start = 4 * (row * stride) as u64;
            gpu.queue().write_buffer(buffer, start, bytemuck::cast_slice(&singles(values)));
        };
        write(&factors, ONES_ROW, &vec![1.0; points]);
        for (k, input) in self.inputs.iter().enumerate() {
            let along: Vec<f64> =
                (first..first + points).map(|i| coordinates[i * dimensions + k]).collect();
            let seen: Vec<f64> = along.iter().map(|&x| embedded_coordinate(input, x)).collect();
            write(&raw, k, &along);
            write(&embedded, k, &seen);
            if let Some(position) = self.plan.linear.iter().position(|&linear| linear == k) {
                write(&factors, self.plan.scaled_row(position), &seen);
            }
        }
        let shape = uniform(gpu, "shape", &[points as u32, stride as u32, 0, 0]);
        let ansatz = buffer("ansatz", 2 * self.channels.count());
        let field = buffer("field", 2);
        let forward = self.forward_groups(&shape, &embedded, &raw, &ansatz, &factors, &field);
        let reverse = self.reverse_groups(&shape, &factors);
        Chunk { first, points, shape, factors, ansatz, field, forward, reverse }
    }

    fn forward_groups(
        &self,
        shape: &wgpu::Buffer,
        embedded: &wgpu::Buffer,
        coordinates: &wgpu::Buffer,
        ansatz: &wgpu::Buffer,
        factors: &wgpu::Buffer,
        field: &wgpu::Buffer,
    ) -> Vec<wgpu::BindGroup> {
        let (gpu, kernels, theta) = (self.gpu, self.kernels, &self.theta);
        let common = [("shape", shape), ("theta", theta), ("factors", factors)];
        let with =
            |more: &[(&'static str, &'_ wgpu::Buffer)]| -> Vec<(&'static str, wgpu::Buffer)> {
                common.iter().chain(more).map(|&(name, buffer)| (name, buffer.clone())).collect()
            };
        let bind = |kernel: &super::kernel::Kernel, buffers: Vec<(&'static str, wgpu::Buffer)>| {
            let borrowed: Vec<_> = buffers.iter().map(|(name, buffer)| (*name, buffer)).collect();
            kernel.bind(gpu, &borrowed)
        };
        let mut groups =
            vec![bind(&kernels.embed, with(&[("embedded", embedded), ("jets", &self.jets[0])]))];
        for (number, layer) in self.layers.iter().enumerate().skip(1) {
            let [inputs, outputs] = [&self.jets[(number - 1) % 2], &self.jets[number % 2]];
            groups.push(bind(
                &kernels.layer,
                with(&[("layer", layer), ("inputs", inputs), ("outputs", outputs)]),
            ));
        }
        let last = &self.jets[(self.layers.len() - 1) % 2];
        groups.push(bind(
            &kernels.output,
            with(&[
                ("inputs", last),
                ("coordinates", coordinates),
                ("ansatz", ansatz),
                ("settings", &self.settings),
                ("field", field),
            ]),
        ));
        groups
    }

    fn reverse_groups(
        &self,
        shape: &wgpu::Buffer,
        factors: &wgpu::Buffer,
    ) -> Vec<[wgpu::BindGroup; 2]> {
        let kernels = self.kernels;
        let group = |layer: &wgpu::Buffer| {
            let buffers = [
                ("shape", shape),
                ("layer", layer),
                ("theta", &self.theta),
                ("factors", factors),
                ("adjoints", &self.adjoints),
            ];
            [&kernels.adjoint, &kernels.reverse].map(|kernel| kernel.bind(self.gpu, &buffers))
        };
        self.layers.iter().rev().map(group).collect()
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
    let next_adjoint = if last { SEED_ROW } else { plan.adjoint_row(layer + 1) };
    [
        hidden(layer, "weight"),
        hidden(layer, "bias"),
        offset(layout, &format!("activation.{layer}")),
        plan.adjoint_row(layer),
        plan.output_row(layer),
        plan.gradient_row(layer),
        next_weight,
        if last { 1 } else { network.width() },
        next_adjoint,
        0,
        0,
        0,
    ]
    .map(|word| word as u32)
}

/// Checks the length of something that a caller gave.
pub(super) fn length(what: &'static str, found: usize, expected: usize) -> Result<(), GpuError> {
    if found == expected { Ok(()) } else { Err(GpuError::Length { what, found, expected }) }
}
