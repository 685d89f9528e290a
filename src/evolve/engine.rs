//! Where a run computes: which precision, and which of the evaluators for fields and Jacobians.

use faer::{Mat, MatRef};

use super::error::EvolveError;
use crate::evaluate::cpu::{self, Field};
use crate::evaluate::gpu::{self, Gpu, GpuError, device};
use crate::network::Network;
use crate::problem::points::Points;
use crate::problem::{Precision, Problem, Scheme};

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
    single: Option<cpu::Evaluator<f32>>,
    double: Option<cpu::Evaluator<f64>>,
    gpu: Option<(gpu::Evaluator, String)>,
    network: Network,
    coordinates: Vec<f64>,
    problem: Problem,
    /// The last Jacobian given back, whose memory the next one takes.
    spare: Option<Columns>,
}

/// n x s columns of the Jacobian in the precision that they were computed in.
#[derive(Debug)]
pub enum Columns {
    Single(Mat<f32>),
    Double(Mat<f64>),
}

impl Columns {
    /// Scales every column to unit length and returns the factors; zero columns stay zero.
    ///
    /// A network's columns differ in length by orders of magnitude; damping relative to the
    /// largest singular value would freeze the short ones.
    pub fn normalise(&mut self) -> Vec<f64> {
        fn scale<T: crate::scalar::Real>(matrix: &mut Mat<T>) -> Vec<f64> {
            let mut factors = Vec::with_capacity(matrix.ncols());
            for column in matrix.col_iter_mut() {
                let column = column.try_as_col_major_mut().expect("contiguous columns");
                let column = column.as_slice_mut();
                let square: f64 = column.iter().map(|v| v.to_f64() * v.to_f64()).sum();
                // A sum of squares that overflows must not pass for a column of zeros.
                let factor = match square {
                    0.0 => 0.0,
                    square if square.is_finite() => 1.0 / square.sqrt(),
                    _ => f64::NAN,
                };
                column.iter_mut().for_each(|v| *v *= T::of(factor));
                factors.push(factor);
            }
            factors
        }
        match self {
            Self::Single(matrix) => scale(matrix),
            Self::Double(matrix) => scale(matrix),
        }
    }

    /// The matrix in f64, for diagnostics.
    #[must_use]
    pub fn to_double(&self) -> Mat<f64> {
        match self {
            Self::Single(m) => Mat::from_fn(m.nrows(), m.ncols(), |i, k| f64::from(m[(i, k)])),
            Self::Double(m) => m.clone(),
        }
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
        let single = (host && tier != Precision::F64)
            .then(|| cpu::Evaluator::new(problem, &network, &coordinates));
        let double =
            (tier != Precision::F32).then(|| cpu::Evaluator::new(problem, &network, &coordinates));
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

    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// n: the number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.coordinates.len() / self.network.inputs().len()
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
            single.set_parameters(values);
        }
        if let Some(double) = &mut self.double {
            double.set_parameters(values);
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
        if let Some(double) = &self.double {
            return Ok(double.field(theta, time));
        }
        match (&self.single, &mut self.gpu) {
            (Some(single), _) => Ok(single.field(theta, time)),
            (None, Some((gpu, _))) => Ok(gpu.field(theta, time).await?),
            (None, None) => unreachable!("some evaluator is always there"),
        }
    }

    /// u and F of the field u(theta) + (du/dtheta) direction, a point of the tangent space.
    ///
    /// # Panics
    /// In the tier `f32` on a GPU, which [`tier`] does not give to schemes that need this.
    #[must_use]
    pub fn field_along(&self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        match (&self.double, &self.single) {
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
        let (n, s) = (self.points(), columns.len());
        if let Some((gpu, _)) = &mut self.gpu {
            let mut linear = gpu.linearize(theta, time).await?;
            let entries = linear.choose(columns)?.entries().await?;
            let entries = MatRef::from_column_major_slice(&entries, n, s);
            return Ok(Columns::Single(entries.to_owned()));
        }
        if let Some(single) = &self.single {
            let mut matrix = match self.spare.take() {
                Some(Columns::Single(spare)) if spare.shape() == (n, s) => spare,
                _ => Mat::zeros(n, s),
            };
            single.columns(theta, time, columns, 0, matrix.as_mut());
            return Ok(Columns::Single(matrix));
        }
        let double = self.double.as_ref().expect("the tier f64 has its evaluator");
        let mut matrix = match self.spare.take() {
            Some(Columns::Double(spare)) if spare.shape() == (n, s) => spare,
            _ => Mat::zeros(n, s),
        };
        double.columns(theta, time, columns, 0, matrix.as_mut());
        Ok(Columns::Double(matrix))
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
