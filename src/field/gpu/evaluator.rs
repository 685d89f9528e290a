//! One network and one problem on one device: the two sweeps over the points.

use super::buffers::{Piece, Scratch, singles, uniform};
use super::chunk::{Chunk, Extent, Shared};
use super::device::Gpu;
use super::error::GpuError;
use super::jacobian::Linearization;
use super::kernels::Kernels;
use super::plan::{Plan, SEED_ROW};
use super::sources::Sources;
use crate::ansatz::Ansatz;
use crate::cpu::Field;
use crate::jet::JetSet;
use crate::network::{Input, Network};
use crate::problem::Problem;
use crate::problem::expression::Expression;
use crate::program::Rows;

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
    jets: JetSet,
    inputs: Vec<Input>,
    problem: Problem,
    ansatz: Ansatz,
    coordinates: Vec<f64>,
    /// For which time the tables of the lift stand on the device.
    lift_time: Option<f64>,
}

impl Evaluator {
    /// Compiles the kernels of a problem's equation and uploads the points: n x d `coordinates`,
    /// point after point.
    ///
    /// # Errors
    /// When the coordinates are no whole points, a constant of the equation does not fit f32, or
    /// the device rejects a kernel or lacks memory.
    pub async fn new(
        gpu: &Gpu,
        problem: &Problem,
        network: &Network,
        coordinates: &[f64],
    ) -> Result<Self, GpuError> {
        let sources = Sources::compose(network, &problem.right_hand_side[0])?;
        Self::with_sources(gpu, problem, network, coordinates, &sources).await
    }

    /// The same with kernels that were composed before.
    ///
    /// # Errors
    /// As [`Evaluator::new`].
    pub async fn with_sources(
        gpu: &Gpu,
        problem: &Problem,
        network: &Network,
        coordinates: &[f64],
        sources: &Sources,
    ) -> Result<Self, GpuError> {
        let dimensions = network.inputs().len();
        let points = coordinates.len() / dimensions.max(1);
        length("the list of coordinates", coordinates.len(), points * dimensions)?;
        let kernels = Kernels::new(gpu, sources).await?;
        let plan = Plan::new(network);
        let channels = sources.jets().len();
        let parameters = problem.parameters.len();
        let rows = [plan.rows, network.width() * channels, 2 * channels + 1, dimensions];
        let stride = gpu.budget().chunk(rows.into_iter().max().unwrap_or(1), points)?;
        let (shared, chunks) = allocate(gpu, || {
            let shared = Shared::new(gpu, network, &plan, [channels, stride, parameters]);
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
        let mut evaluator = Self {
            gpu: gpu.clone(),
            plan,
            kernels,
            chunks,
            stride,
            points,
            scratch: Scratch::default(),
            request: uniform(gpu, "request", &[0; 4]),
            shared,
            jets: sources.jets().clone(),
            inputs: network.inputs().to_vec(),
            ansatz: Ansatz::new(problem, sources.jets()),
            problem: problem.clone(),
            coordinates: coordinates.to_vec(),
            lift_time: None,
        };
        evaluator.upload_distance();
        evaluator.upload_lift(problem.time.start);
        Ok(evaluator)
    }

    /// The device that it runs on.
    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The derivatives that are carried through the layers.
    #[must_use]
    pub fn jets(&self) -> &JetSet {
        &self.jets
    }

    /// n: how many points there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Moves the points: n x d `coordinates`, as many as before.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn set_points(&mut self, coordinates: &[f64]) -> Result<(), GpuError> {
        length("the list of coordinates", coordinates.len(), self.coordinates.len())?;
        self.coordinates.copy_from_slice(coordinates);
        for chunk in &self.chunks {
            chunk.upload(&self.gpu, &self.plan, &self.inputs, coordinates);
        }
        self.upload_distance();
        self.lift_time = None;
        Ok(())
    }

    /// Changes the problem's named parameters, also where they occur in the ansatz.
    ///
    /// # Errors
    /// When their number is not the problem's.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<(), GpuError> {
        let parameters = &mut self.problem.parameters;
        length("the list of the problem's parameters", values.len(), parameters.len())?;
        for (parameter, &value) in parameters.iter_mut().zip(values) {
            parameter.value = value;
        }
        self.ansatz.set_parameters(values);
        self.lift_time = None;
        Ok(())
    }

    /// The distance and its derivatives; u depends on the network by the distance.
    fn upload_distance(&self) {
        let one: Vec<f64> = (0..self.jets.len()).map(|c| f64::from(u8::from(c == 0))).collect();
        for chunk in &self.chunks {
            let rows = self
                .transposed(chunk, |x| self.ansatz.distance(x, 1).unwrap_or_else(|| one.clone()));
            for (row, values) in rows.iter().enumerate() {
                chunk.write_row(&self.gpu, &chunk.ansatz, row, values);
            }
            chunk.write_row(&self.gpu, &chunk.factors, SEED_ROW, &rows[0]);
        }
    }

    /// The lift, its derivatives and its rate of change, unless they stand there already.
    fn upload_lift(&mut self, time: f64) {
        let timed = |lift: &Expression| lift.any(&|node| *node == Expression::Time);
        let steady = !self.problem.lift.iter().flatten().any(timed);
        if self.lift_time.is_some_and(|known| steady || known == time) {
            return;
        }
        let channels = self.jets.len();
        for chunk in &self.chunks {
            let zero = || vec![0.0; channels + 1];
            let rows =
                self.transposed(chunk, |x| self.ansatz.lift(x, 1, time).unwrap_or_else(zero));
            for (row, values) in rows.iter().enumerate() {
                chunk.write_row(&self.gpu, &chunk.ansatz, channels + row, values);
            }
        }
        self.lift_time = Some(time);
    }

    /// What `of` gives at every point of a chunk, with points along the rows.
    fn transposed(&self, chunk: &Chunk, of: impl Fn(Rows<'_, f64>) -> Vec<f64>) -> Vec<Vec<f32>> {
        let dimensions = self.coordinates.len() / self.points.max(1);
        let points = chunk.first * dimensions..(chunk.first + chunk.points) * dimensions;
        let mut rows: Vec<Vec<f32>> = Vec::new();
        for point in self.coordinates[points].chunks_exact(dimensions) {
            let values = of(Rows { data: point, stride: 1 });
            rows.resize(values.len(), Vec::new());
            for (row, value) in rows.iter_mut().zip(values) {
                row.push(value as f32);
            }
        }
        rows
    }

    /// u and F(x, t, u) at the points, F without the lift's own rate of change.
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
        self.upload_lift(time);
        let queue = self.gpu.queue();
        queue.write_buffer(&self.shared.theta, 0, bytemuck::cast_slice(&singles(theta)));
        let mut settings = vec![time as f32];
        settings.extend(self.problem.parameters.iter().map(|parameter| parameter.value as f32));
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
