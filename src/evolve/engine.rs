//! Where a run computes: which precision, and which of the evaluators for fields and Jacobians.

use faer::{Mat, MatRef};

use super::columns::Columns;
use super::error::{AttemptError, EvolveError};
use super::{implicit, on_device};
use crate::evaluate::cpu::{self, Field, Linearisation};
use crate::evaluate::gpu::{self, Gpu, GpuError, device};
use crate::linalg::{LeastSquares, Solution};
use crate::network::Network;
use crate::problem::points::Points;
use crate::problem::{Precision, Problem, Scheme};
use crate::scalar::Real;

/// What the person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendChoice {
    /// A hardware adapter where there is one, else the CPU: a software adapter runs these kernels
    /// some twenty times slower than the CPU evaluator does.
    Auto,
    Cpu,
    /// An adapter; by name (a part of it), or any, hardware first.
    Gpu(Option<String>),
}

/// Where the run computes, for results and status lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub backend: &'static str,
    pub device: String,
    pub precision: &'static str,
}

/// Fields in f32 or f64, Jacobians in f32 or f64, on the CPU or on a GPU.
///
/// | tier | fields and residuals | Jacobian |
/// | --- | --- | --- |
/// | `f32` | f32, on the backend | f32, on the backend |
/// | `mixed` | f64, on the CPU | f32, on the backend |
/// | `f64` | f64, on the CPU | f64, on the CPU |
pub struct Engine {
    tier: Precision,
    single: Option<Host<f32>>,
    double: Option<Host<f64>>,
    gpu: Option<(gpu::Evaluator, String)>,
    network: Network,
    coordinates: Vec<f64>,
    problem: Problem,
    /// The last Jacobian given back, whose memory the next one takes.
    spare: Option<Columns>,
}

/// The CPU evaluator of one precision, and where it was linearised last.
struct Host<T> {
    evaluator: cpu::Evaluator<T>,
    at: Linearisation<T>,
}

impl<T: Real> Host<T> {
    fn new(problem: &Problem, network: &Network, coordinates: &[f64]) -> Self {
        let evaluator = cpu::Evaluator::new(problem, network, coordinates);
        Self { evaluator, at: Linearisation::default() }
    }

    fn linearise(&mut self, theta: &[f64], time: f64) -> Field {
        self.evaluator.linearise(theta, time, &mut self.at)
    }

    /// After a rejected step the linearisation stands where that one ended.
    fn field_along(&mut self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        if !self.at.is_at(theta) {
            self.linearise(theta, time);
        }
        self.evaluator.field_at(&self.at, direction, time)
    }

    /// The columns in `spare`'s memory where its shape fits.
    fn columns(&self, theta: &[f64], time: f64, columns: &[u32], spare: Option<Mat<T>>) -> Mat<T> {
        let mut matrix = self.room(columns, spare);
        if self.at.is_at(theta) {
            self.evaluator.columns_at(&self.at, columns, matrix.as_mut());
        } else {
            self.evaluator.columns(theta, time, columns, 0, matrix.as_mut());
        }
        matrix
    }

    fn field_and_columns(
        &self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Mat<T>>,
    ) -> (Field, Mat<T>) {
        let mut matrix = self.room(columns, spare);
        let field = self.evaluator.jacobian(theta, time, columns, 0, matrix.as_mut());
        (field, matrix)
    }

    fn room(&self, columns: &[u32], spare: Option<Mat<T>>) -> Mat<T> {
        let shape = (self.evaluator.points(), columns.len());
        spare.filter(|m| m.shape() == shape).unwrap_or_else(|| Mat::zeros(shape.0, shape.1))
    }
}

impl Engine {
    /// # Errors
    /// When no adapter answers the choice, or when the precision is not to be had there.
    pub async fn new(problem: &Problem, choice: &BackendChoice) -> Result<Self, EvolveError> {
        let adapter = match choice {
            BackendChoice::Cpu => None,
            BackendChoice::Auto => match device::choose(&device::Selection::Hardware).await {
                Ok(adapter) => Some(adapter),
                Err(GpuError::NoAdapter | GpuError::NoHardwareAdapter { .. }) => None,
                Err(error) => return Err(error.into()),
            },
            BackendChoice::Gpu(None) => Some(device::choose(&device::Selection::Any).await?),
            BackendChoice::Gpu(Some(name)) => {
                Some(device::choose(&device::Selection::Named(name.clone())).await?)
            }
        };
        let gpu = match adapter {
            Some(adapter) => Some(Gpu::open(&adapter).await?),
            None => None,
        };
        Self::on(problem, gpu.as_ref()).await
    }

    /// On an open device, or on the CPU.
    ///
    /// # Errors
    /// When the precision is not to be had there or the device fails.
    pub async fn on(problem: &Problem, gpu: Option<&Gpu>) -> Result<Self, EvolveError> {
        let network = Network::of(problem);
        let coordinates = Points::of(problem).coordinates;
        let tier = tier(problem, gpu.is_some())?;
        let host = gpu.is_none();
        let single =
            (host && tier != Precision::F64).then(|| Host::new(problem, &network, &coordinates));
        let double = (tier != Precision::F32).then(|| Host::new(problem, &network, &coordinates));
        let gpu = match gpu {
            Some(gpu) => {
                let evaluator = gpu::Evaluator::new(gpu, problem, &network, &coordinates).await?;
                Some((evaluator, gpu.name().to_owned()))
            }
            None => None,
        };
        Ok(Self {
            tier,
            single,
            double,
            gpu,
            network,
            coordinates,
            problem: problem.clone(),
            spare: None,
        })
    }

    #[must_use]
    pub fn describe(&self) -> Description {
        let precision = match self.tier {
            Precision::F32 => "f32",
            Precision::Mixed => "mixed",
            Precision::F64 | Precision::Auto => "f64",
        };
        let threads = rayon::current_num_threads();
        match &self.gpu {
            Some((_, name)) => Description { backend: "gpu", device: name.clone(), precision },
            None => Description {
                backend: "cpu",
                device: format!("{threads} thread{}", if threads == 1 { "" } else { "s" }),
                precision,
            },
        }
    }

    /// The device in use, where it is no CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        self.gpu.as_ref().map(|(evaluator, _)| evaluator.gpu())
    }

    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// n: the number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.coordinates.len() / self.network.inputs().len()
    }

    /// The points of the least-squares problems, each with all its coordinates.
    #[must_use]
    pub fn coordinates(&self) -> &[f64] {
        &self.coordinates
    }

    /// Round-off of the Jacobian's entries.
    #[must_use]
    pub fn noise(&self) -> f64 {
        if self.tier == Precision::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) }
    }

    /// Changes the problem's named parameters.
    ///
    /// # Errors
    /// When the device fails.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<(), EvolveError> {
        for (parameter, &value) in self.problem.parameters.iter_mut().zip(values) {
            parameter.value = value;
        }
        if let Some(single) = &mut self.single {
            single.evaluator.set_parameters(values);
        }
        if let Some(double) = &mut self.double {
            double.evaluator.set_parameters(values);
        }
        if let Some((gpu, _)) = &mut self.gpu {
            gpu.set_parameters(values)?;
        }
        Ok(())
    }

    /// u and F at the points.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn field(&mut self, theta: &[f64], time: f64) -> Result<Field, EvolveError> {
        match (&self.double, &self.single, &mut self.gpu) {
            (Some(double), _, _) => Ok(double.evaluator.field(theta, time)),
            (None, Some(single), _) => Ok(single.evaluator.field(theta, time)),
            (None, None, Some((gpu, _))) => Ok(gpu.field(theta, time).await?),
            (None, None, None) => unreachable!("some evaluator is always there"),
        }
    }

    /// u at the points: a third of the work of [`Engine::field`] for an equation of second order.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn values(&mut self, theta: &[f64], time: f64) -> Result<Vec<f64>, EvolveError> {
        match (&self.double, &self.single) {
            (Some(double), _) => Ok(double.evaluator.values(theta, time)),
            (None, Some(single)) => Ok(single.evaluator.values(theta, time)),
            (None, None) => Ok(self.field(theta, time).await?.values),
        }
    }

    /// [`Engine::field`], after which [`Engine::field_along`] and [`Engine::columns`] at the same
    /// theta need no forward pass of their own, where the CPU computes them in the same precision.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn linearise(&mut self, theta: &[f64], time: f64) -> Result<Field, EvolveError> {
        match (&mut self.double, &mut self.single) {
            (Some(double), _) => Ok(double.linearise(theta, time)),
            (None, Some(single)) => Ok(single.linearise(theta, time)),
            (None, None) => self.field(theta, time).await,
        }
    }

    /// u and F of the field u(theta) + (du/dtheta) direction, a point of the tangent space.
    ///
    /// # Panics
    /// In the tier `f32` on a GPU, which [`tier`] does not give to schemes that need this.
    #[must_use]
    pub fn field_along(&mut self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        match (&mut self.double, &mut self.single) {
            (Some(double), _) => double.field_along(theta, direction, time),
            (None, Some(single)) => single.field_along(theta, direction, time),
            (None, None) => unreachable!("tangents are evaluated on the CPU"),
        }
    }

    /// The chosen columns of du/dtheta.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn columns(
        &mut self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
    ) -> Result<Columns, EvolveError> {
        if let Some((gpu, _)) = &mut self.gpu {
            let mut linear = gpu.linearize(theta, time).await?;
            let entries = linear.choose(columns)?.entries().await?;
            let entries = MatRef::from_column_major_slice(&entries, self.points(), columns.len());
            return Ok(Columns::Single(entries.to_owned()));
        }
        let spare = self.spare.take();
        match (&self.single, &self.double) {
            (Some(host), _) => {
                let spare = spare.and_then(Columns::single);
                Ok(Columns::Single(host.columns(theta, time, columns, spare)))
            }
            (None, Some(host)) => {
                let spare = spare.and_then(Columns::double);
                Ok(Columns::Double(host.columns(theta, time, columns, spare)))
            }
            (None, None) => unreachable!("some evaluator is always there"),
        }
    }

    /// [`Engine::field`] and [`Engine::columns`], in one sweep where one evaluator computes both.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn field_and_columns(
        &mut self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
    ) -> Result<(Field, Columns), EvolveError> {
        if self.gpu.is_none() {
            match (&self.single, &self.double) {
                (Some(host), None) => {
                    let spare = self.spare.take().and_then(Columns::single);
                    let (field, matrix) = host.field_and_columns(theta, time, columns, spare);
                    return Ok((field, Columns::Single(matrix)));
                }
                (None, Some(host)) => {
                    let spare = self.spare.take().and_then(Columns::double);
                    let (field, matrix) = host.field_and_columns(theta, time, columns, spare);
                    return Ok((field, Columns::Double(matrix)));
                }
                _ => {}
            }
        }
        let field = self.field(theta, time).await?;
        Ok((field, self.columns(theta, time, columns).await?))
    }

    /// Field and solution of `min |J v - F|` by the device's products and sketch; `None` where there
    /// is no device or where `squares` would rather have J itself.
    ///
    /// # Errors
    /// When the least-squares problem has no solution or the device fails.
    pub async fn solve_on_device(
        &mut self,
        (theta, time): (&[f64], f64),
        columns: &[u32],
        squares: &mut LeastSquares,
        epoch: u64,
    ) -> Result<Option<(Field, Solution)>, AttemptError> {
        let points = self.points();
        let Some((gpu, _)) = &mut self.gpu else { return Ok(None) };
        let Some(sketch) = squares.matrix_free_sketch(points, columns.len(), epoch) else {
            return Ok(None);
        };
        let field = self.double.as_ref().map(|double| double.evaluator.field(theta, time));
        let at = (theta, time);
        on_device::solve(gpu, at, columns, field, squares, &sketch).await.map(Some)
    }

    /// Field and solution of `min |J v - F|` without storing J; `None` where there is a device, or
    /// where `squares` would rather have J itself. The field at theta is `known`, or computed here.
    ///
    /// # Errors
    /// When the least-squares problem has no solution.
    pub async fn solve_unstored(
        &mut self,
        at: (&[f64], f64),
        columns: &[u32],
        squares: &mut LeastSquares,
        epoch: u64,
        known: Option<&Field>,
    ) -> Result<Option<(Field, Solution)>, AttemptError> {
        let unstored = squares.unstored(self.points(), columns.len(), epoch);
        let Some(unstored) = unstored.filter(|_| self.gpu.is_none()) else { return Ok(None) };
        let field = match known {
            Some(field) => field.clone(),
            None => self.field(at.0, at.1).await?,
        };
        let rate = field.right_hand_side.as_slice();
        let (problem, network, coordinates) = (&self.problem, &self.network, &self.coordinates);
        let linear = implicit::Linear { problem, network, coordinates, at, chosen: columns, rate };
        let solution = match (&self.single, &self.double) {
            (Some(host), _) => linear.solve(&host.evaluator, squares, &unstored, epoch).await?,
            (None, Some(host)) => linear.solve(&host.evaluator, squares, &unstored, epoch).await?,
            (None, None) => unreachable!("some evaluator is always there"),
        };
        Ok(Some((field, solution)))
    }

    /// Takes a Jacobian back: writing into memory that is mapped already spares the next one the
    /// page faults and the zeroing of n s entries.
    pub fn recycle(&mut self, columns: Columns) {
        self.spare = Some(columns);
    }

    /// u at any points, in f64 on the CPU.
    #[must_use]
    pub fn evaluate(&self, theta: &[f64], time: f64, coordinates: &[f64]) -> Vec<f64> {
        if coordinates.is_empty() {
            return Vec::new();
        }
        cpu::Evaluator::<f64>::new(&self.problem, &self.network, coordinates)
            .field(theta, time)
            .values
    }
}

/// The precision tier of a run: what was asked for, or what the scheme needs.
///
/// Stage fits resolve steps far below f32's round-off, so they take residuals in f64; the published
/// scheme truncates at 1e-4, where f32 loses nothing (`baselines`: 5.5e-5 both ways). Down to 1e-5
/// the Jacobian's round-off is still well below the cutoff, but the right-hand side's would be
/// amplified by its inverse.
fn tier(problem: &Problem, on_gpu: bool) -> Result<Precision, EvolveError> {
    let fits = problem.method.scheme == Scheme::StageFit;
    let unavailable = |precision, instead| {
        let backend = if on_gpu { "the GPU" } else { "the CPU" };
        Err(EvolveError::Precision { precision, backend, instead })
    };
    match problem.precision {
        Precision::Auto if fits && on_gpu => Ok(Precision::Mixed),
        Precision::Auto if fits => Ok(Precision::F64),
        Precision::Auto if on_gpu || problem.method.rcond >= 1e-4 => Ok(Precision::F32),
        Precision::Auto if problem.method.rcond >= 1e-5 => Ok(Precision::Mixed),
        Precision::Auto => Ok(Precision::F64),
        Precision::F64 if on_gpu => unavailable("f64", "mixed"),
        Precision::F32 if on_gpu && fits => unavailable("f32 with stage fits", "mixed"),
        given => Ok(given),
    }
}
