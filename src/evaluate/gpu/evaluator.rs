//! One network and one problem on one device: the two sweeps over the points.

use super::buffers::{Piece, Scratch, singles, uniform};
use super::channels::Channels;
use super::chunk::{Chunk, Extent, Shared};
use super::device::Gpu;
use super::error::GpuError;
use super::jacobian::Linearization;
use super::kernels::Kernels;
use super::plan::{Plan, SEED_ROW};
use super::sources::Sources;
use crate::network::Network;
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
    shared: Shared,
    channels: Channels,
    parameters: Vec<f64>,
}

const PARAMETERS: &str = "the list of the problem's parameters";

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
        let kernels = Kernels::new(gpu, sources).await?;
        let plan = Plan::new(network);
        let channels = sources.channels().count();
        let rows = [plan.rows, network.width() * channels, 2 * channels, dimensions];
        let stride = gpu.budget().chunk(rows.into_iter().max().unwrap_or(1), points)?;
        let (shared, chunks) = allocate(gpu, || {
            let shared = Shared::new(gpu, network, &plan, [channels, stride, parameters.len()]);
            let chunk = |first: usize| {
                let extent = Extent { first, points: stride.min(points - first), stride };
                let mut chunk = Chunk::new(gpu, &plan, network.inputs(), channels, extent);
                chunk.upload(gpu, &plan, network.inputs(), coordinates);
                chunk.bind(gpu, &kernels, &shared);
                chunk
            };
            let chunks = (0..points).step_by(stride).map(chunk).collect::<Vec<_>>();
            (shared, chunks)
        })
        .await?;
        let evaluator = Self {
            gpu: gpu.clone(),
            plan,
            kernels,
            chunks,
            stride,
            points,
            scratch: Scratch::default(),
            request: uniform(gpu, "request", &[0; 4]),
            shared,
            channels: sources.channels().clone(),
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
    pub fn set_ansatz(&self, ansatz: Ansatz<'_>) -> Result<(), GpuError> {
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
                chunk.write_row(&self.gpu, &chunk.ansatz, channel, &distance);
                chunk.write_row(&self.gpu, &chunk.ansatz, channels + channel, &lift);
                if channel == 0 {
                    chunk.write_row(&self.gpu, &chunk.factors, SEED_ROW, &distance);
                }
            }
        }
        Ok(())
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
    fn sweep(&self, theta: &[f64], time: f64, reverse: bool) -> Result<(), GpuError> {
        length("the parameter vector", theta.len(), self.plan.pairs.len())?;
        let queue = self.gpu.queue();
        queue.write_buffer(&self.shared.theta, 0, bytemuck::cast_slice(&singles(theta)));
        let mut settings = vec![time as f32];
        settings.extend(singles(&self.parameters));
        queue.write_buffer(&self.shared.settings, 0, bytemuck::cast_slice(&settings));
        for chunk in &self.chunks {
            self.gpu.submit(|encoder| {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                chunk.forward(&self.kernels, &self.shared, &mut pass);
                if reverse {
                    chunk.reverse(&self.kernels, &self.shared, &mut pass);
                }
            });
        }
        Ok(())
    }

    async fn read_field(&mut self) -> Result<Field, GpuError> {
        let row = |row: usize| {
            self.chunks.iter().map(move |chunk| Piece {
                buffer: &chunk.field,
                start: chunk.row_start(row),
                bytes: 4 * chunk.points as u64,
            })
        };
        let pieces: Vec<Piece<'_>> = row(0).chain(row(1)).collect();
        let both: Vec<f32> = self.scratch.read(&self.gpu, "the field", &pieces).await?;
        let double = |part: &[f32]| part.iter().map(|&value| f64::from(value)).collect();
        let (values, right_hand_side) = both.split_at(self.points);
        Ok(Field { values: double(values), right_hand_side: double(right_hand_side) })
    }
}

/// Runs `make`, which creates buffers and bind groups, and turns what the device has to say about
/// it into errors.
async fn allocate<T>(gpu: &Gpu, make: impl FnOnce() -> T) -> Result<T, GpuError> {
    let memory = gpu.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
    let made = make();
    let (invalid, short) = (validation.pop().await, memory.pop().await);
    if short.is_some() {
        return Err(GpuError::OutOfMemory { what: "the activations of the network at the points" });
    }
    match invalid {
        Some(source) => Err(GpuError::Rejected { what: "the network's buffers".into(), source }),
        None => Ok(made),
    }
}

/// Checks the length of something that a caller gave.
pub(super) fn length(what: &'static str, found: usize, expected: usize) -> Result<(), GpuError> {
    if found == expected { Ok(()) } else { Err(GpuError::Length { what, found, expected }) }
}
