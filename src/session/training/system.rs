//! Where a training computes: on the CPU or on a GPU.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use crate::field::device::{Backend, Description};
use crate::field::gpu::operator::GpuCollocation;
use crate::field::gpu::{Gpu, GpuError};
use crate::field::residual::{Collocation, ResidualError, ResidualSystem, Rounding};
use crate::problem::{Choice, Precision, ResidualProblem};

/// A residual problem on the CPU or on a GPU.
pub struct TrainingSystem {
    kind: Kind,
    /// Why `auto` took the CPU although there is a hardware adapter.
    reason: Option<String>,
}

enum Kind {
    Cpu { system: Box<Collocation>, precision: Precision },
    Gpu(Box<GpuCollocation>),
}

impl TrainingSystem {
    /// On the CPU; `auto` is f64 there.
    #[must_use]
    pub fn on_cpu(problem: &ResidualProblem) -> Self {
        let precision = match problem.precision {
            Precision::Auto => Precision::F64,
            given => given,
        };
        let system = Box::new(Collocation::new(problem));
        Self { kind: Kind::Cpu { system, precision }, reason: None }
    }

    /// On an open device; `auto` is mixed there.
    ///
    /// # Errors
    /// As [`GpuCollocation::new`].
    pub async fn on_gpu(problem: &ResidualProblem, gpu: &Gpu) -> Result<Self, GpuError> {
        let unknowns = problem.unknowns.len();
        if unknowns > 1 {
            return Err(GpuError::System { unknowns });
        }
        if problem.sought().next().is_some() {
            let names = problem.sought().map(|k| problem.parameters[k].name.as_str());
            return Err(GpuError::Constants { names: names.collect::<Vec<_>>().join(", ") });
        }
        let system = Box::new(GpuCollocation::new(gpu, problem).await?);
        Ok(Self { kind: Kind::Gpu(system), reason: None })
    }

    /// Where the person wants it. `auto` is a hardware adapter that takes the problem, else the
    /// CPU.
    ///
    /// # Errors
    /// When no adapter answers the choice, or the one that does cannot take the problem in its
    /// precision.
    pub async fn choose(problem: &ResidualProblem, backend: &Backend) -> Result<Self, GpuError> {
        let made = match backend.open().await {
            Ok(None) => return Ok(Self::on_cpu(problem)),
            Ok(Some(gpu)) => Self::on_gpu(problem, &gpu).await,
            Err(error) => Err(error),
        };
        match (made, backend) {
            (Err(error), Backend::Auto) => {
                Ok(Self { reason: Some(error.to_string()), ..Self::on_cpu(problem) })
            }
            (made, _) => made,
        }
    }

    /// For the problem's beginning, where this one computes.
    ///
    /// # Errors
    /// As [`GpuCollocation::new`].
    pub async fn renewed(&self, problem: &ResidualProblem) -> Result<Self, GpuError> {
        let fresh = match &self.kind {
            Kind::Cpu { .. } => Self::on_cpu(problem),
            Kind::Gpu(system) => Self::on_gpu(problem, system.gpu()).await?,
        };
        Ok(Self { reason: self.reason.clone(), ..fresh })
    }

    /// The device in use, where it is no CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        match &self.kind {
            Kind::Cpu { .. } => None,
            Kind::Gpu(system) => Some(system.gpu()),
        }
    }

    /// Why `auto` took the CPU although there is a hardware adapter, where it did.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Backend, device and precision tier.
    #[must_use]
    pub fn describe(&self) -> Description {
        match &self.kind {
            Kind::Cpu { precision, .. } => Description::of(None, precision.word()),
            Kind::Gpu(system) => Description::of(Some(system.gpu()), system.tier().describe()),
        }
    }

    /// The precision in use: never `auto`.
    #[must_use]
    pub fn precision(&self) -> Precision {
        match &self.kind {
            Kind::Cpu { precision, .. } => *precision,
            Kind::Gpu(system) => system.tier().precision,
        }
    }

    /// Goes on in another precision at the same points.
    ///
    /// # Errors
    /// When the device lacks it; the precision is then what it was.
    pub async fn set_precision(&mut self, to: Precision) -> Result<(), GpuError> {
        match &mut self.kind {
            Kind::Cpu { system, precision } => {
                system.set_precision(to);
                *precision = to;
                Ok(())
            }
            Kind::Gpu(system) => system.set_precision(to).await,
        }
    }

    /// Starting parameters for the problem's seed.
    #[must_use]
    pub fn initial_parameters(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Cpu { system, .. } => system.initial_parameters(),
            Kind::Gpu(system) => system.host().initial_parameters(),
        }
    }
}

/// The same expression for whichever system it is.
macro_rules! with_system {
    ($kind:expr, $system:ident => $body:expr) => {
        match $kind {
            Kind::Cpu { system: $system, .. } => $body,
            Kind::Gpu($system) => $body,
        }
    };
}

impl ResidualSystem for TrainingSystem {
    fn parameters(&self) -> usize {
        with_system!(&self.kind, system => system.parameters())
    }

    fn rows(&self) -> usize {
        with_system!(&self.kind, system => system.rows())
    }

    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::residual(&mut **system, theta, out).await)
    }

    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::losses(&mut **system, thetas).await)
    }

    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::jacobian(&mut **system, theta, residual, jacobian).await)
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::jacobian_blocks(&mut **system, theta, visit).await)
    }

    fn rounding(&self) -> Rounding {
        with_system!(&self.kind, system => system.rounding())
    }

    fn has_products(&self) -> bool {
        with_system!(&self.kind, system => system.has_products())
    }

    async fn multiply(
        &mut self,
        theta: &[f64],
        v: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::multiply(&mut **system, theta, v).await)
    }

    async fn multiply_transposed(
        &mut self,
        theta: &[f64],
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::multiply_transposed(&mut **system, theta, w).await)
    }

    async fn gradient(&mut self, theta: &[f64], out: &mut [f64]) -> Result<f64, ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::gradient(&mut **system, theta, out).await)
    }

    async fn begin_iteration(
        &mut self,
        iteration: usize,
        theta: &[f64],
    ) -> Result<bool, ResidualError> {
        with_system!(&mut self.kind, system => ResidualSystem::begin_iteration(&mut **system, iteration, theta).await)
    }

    fn save(&self) -> BTreeMap<String, Vec<f64>> {
        with_system!(&self.kind, system => system.save())
    }

    fn restore(&mut self, saved: &BTreeMap<String, Vec<f64>>) -> Result<(), ResidualError> {
        with_system!(&mut self.kind, system => system.restore(saved))
    }
}
