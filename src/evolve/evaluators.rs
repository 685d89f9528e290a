//! Which evaluators a run has: decided once, from backend, tier and scheme.

use nalgebra::DMatrix;

use super::columns::Columns;
use super::error::EvolveError;
use super::host::{Host, OnHost};
use crate::field::gpu::operator::{Scalar, Tier};
use crate::field::gpu::{self, Gpu};
use crate::network::Network;
use crate::problem::{Precision, Problem, Scheme};

/// Fields in f32 or f64, Jacobians in f32 or f64, on the CPU or on a GPU.
///
/// | tier | fields and residuals | Jacobian |
/// | --- | --- | --- |
/// | `f32` | f32 | f32 |
/// | `mixed` | f64 or, on a GPU without it, double-float | f32 |
/// | `f64` | f64 | f64 |
pub(super) enum Evaluators {
    Single(Box<Host<f32>>),
    Double(Box<Host<f64>>),
    Mixed {
        fields: Box<Host<f64>>,
        jacobian: Box<Host<f32>>,
    },
    Device(Box<gpu::Evaluator>),
    /// Stage fits evaluate tangents, which no device does: their fields come from the CPU in f64.
    Beside {
        fields: Box<Host<f64>>,
        jacobian: Box<gpu::Evaluator>,
    },
}

/// The one of several evaluators that answers.
pub(super) enum Place<'a> {
    Host(&'a mut dyn OnHost),
    Device(&'a mut gpu::Evaluator),
}

impl Evaluators {
    /// # Errors
    /// When the device lacks the tier's numbers, or fails.
    pub async fn new(
        problem: &Problem,
        network: &Network,
        coordinates: &[f64],
        (tier, gpu): (Precision, Option<&Gpu>),
    ) -> Result<Self, EvolveError> {
        let double = || Box::new(Host::<f64>::new(problem, network, coordinates));
        let single = || Box::new(Host::<f32>::new(problem, network, coordinates));
        let Some(gpu) = gpu else {
            return Ok(match tier {
                Precision::F32 => Self::Single(single()),
                Precision::Mixed => Self::Mixed { fields: double(), jacobian: single() },
                Precision::F64 | Precision::Auto => Self::Double(double()),
            });
        };
        let fits = problem.method.scheme == Scheme::StageFit;
        // Beside the CPU's fields the device needs the Jacobian's numbers alone.
        let wish = if fits && tier == Precision::Mixed { Precision::F32 } else { tier };
        let tier = Tier::choose(gpu, wish)?;
        let device = gpu::Evaluator::new(gpu, problem, network, coordinates, tier).await?;
        let device = Box::new(device);
        Ok(match fits {
            false => Self::Device(device),
            true => Self::Beside { fields: double(), jacobian: device },
        })
    }

    pub fn device(&self) -> Option<&gpu::Evaluator> {
        match self {
            Self::Device(device) | Self::Beside { jacobian: device, .. } => Some(device.as_ref()),
            Self::Single(_) | Self::Double(_) | Self::Mixed { .. } => None,
        }
    }

    pub fn fields(&mut self) -> Place<'_> {
        match self {
            Self::Single(host) => Place::Host(host.as_mut()),
            Self::Double(fields) | Self::Mixed { fields, .. } | Self::Beside { fields, .. } => {
                Place::Host(fields.as_mut())
            }
            Self::Device(device) => Place::Device(device),
        }
    }

    pub fn jacobians(&mut self) -> Place<'_> {
        match self {
            Self::Single(host) | Self::Mixed { jacobian: host, .. } => Place::Host(host.as_mut()),
            Self::Double(host) => Place::Host(host.as_mut()),
            Self::Device(device) | Self::Beside { jacobian: device, .. } => Place::Device(device),
        }
    }

    /// Where one evaluator on the CPU gives fields and Jacobians, that one.
    pub fn both(&mut self) -> Option<&mut dyn OnHost> {
        match self {
            Self::Single(host) => Some(host.as_mut()),
            Self::Double(host) => Some(host.as_mut()),
            Self::Mixed { .. } | Self::Device(_) | Self::Beside { .. } => None,
        }
    }

    /// What evaluates right-hand sides' Jacobians on the CPU, in the precision of the values' where
    /// those are computed there too.
    pub fn rates(&mut self) -> Option<&mut dyn OnHost> {
        match self {
            Self::Single(host) | Self::Mixed { jacobian: host, .. } => Some(host.as_mut()),
            Self::Double(host) | Self::Beside { fields: host, .. } => Some(host.as_mut()),
            Self::Device(_) => None,
        }
    }

    /// Moves the points.
    ///
    /// # Errors
    /// When there are more or fewer of them than before.
    pub fn set_points(
        &mut self,
        problem: &Problem,
        network: &Network,
        coordinates: &[f64],
    ) -> Result<(), EvolveError> {
        let double = || Box::new(Host::<f64>::new(problem, network, coordinates));
        let single = || Box::new(Host::<f32>::new(problem, network, coordinates));
        match self {
            Self::Single(host) => *host = single(),
            Self::Double(host) => *host = double(),
            Self::Mixed { fields, jacobian } => (*fields, *jacobian) = (double(), single()),
            Self::Device(device) => device.set_points(coordinates)?,
            Self::Beside { fields, jacobian } => {
                jacobian.set_points(coordinates)?;
                *fields = double();
            }
        }
        Ok(())
    }

    /// Changes the problem's named parameters.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<(), EvolveError> {
        self.fields().set_parameters(values)?;
        self.jacobians().set_parameters(values)
    }
}

impl Place<'_> {
    fn set_parameters(self, values: &[f64]) -> Result<(), EvolveError> {
        match self {
            Self::Host(host) => host.set_parameters(values),
            Self::Device(device) => device.set_parameters(values)?,
        }
        Ok(())
    }

    /// The chosen columns of du/dtheta, in the memory of `spare` where that has their shape.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn columns(
        self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
        spare: Option<Columns>,
    ) -> Result<Columns, EvolveError> {
        match self {
            Self::Host(host) => Ok(host.columns(theta, time, columns, spare)),
            Self::Device(device) => {
                let (rows, single) = (device.points(), device.tier().rates == Scalar::Single);
                let mut linear = device.differentiate(theta)?;
                let mut chosen = linear.choose(columns)?;
                Ok(if single {
                    Columns::Single(DMatrix::from_vec(rows, columns.len(), chosen.entries().await?))
                } else {
                    Columns::Double(DMatrix::from_vec(rows, columns.len(), chosen.entries().await?))
                })
            }
        }
    }
}
