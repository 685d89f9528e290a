//! The ansatz of an evolution on one device: the sweeps over the points in chunks.

use super::buffers::{Piece, Scratch};
use super::device::Gpu;
use super::error::GpuError;
use super::host::Host;
use super::jacobian::Linearization;
use super::operator::{Reader, Sources, Sweep, Tier, Weights};
use crate::cpu::Field;
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::Problem;

/// Evaluates one network and one problem at fixed points; parameters and time change per call.
#[derive(Debug)]
pub struct Evaluator {
    pub(super) gpu: Gpu,
    tier: Tier,
    host: Host,
    weights: Weights,
    /// Runs of points for the field.
    values: Vec<Sweep>,
    /// The same or other runs for the Jacobian, which stay until the next linearisation.
    pub(super) rates: Vec<Sweep>,
    pub(super) reader: Reader,
    scratch: Scratch,
    /// The two jets of the column of each parameter.
    pub(super) pairs: Vec<[u32; 2]>,
}

impl Evaluator {
    /// Compiles the kernels of a problem's channels and uploads the points: n x d `coordinates`,
    /// point after point.
    ///
    /// # Errors
    /// When the coordinates are no whole points, or the device rejects a kernel or lacks memory.
    pub async fn new(
        gpu: &Gpu,
        problem: &Problem,
        network: &Network,
        coordinates: &[f64],
        tier: Tier,
    ) -> Result<Self, GpuError> {
        let sources = Sources::compose(network, &problem.right_hand_side[0], tier)?;
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
        let value = Sweep::new(gpu, network, &sources.values, points).await?;
        let rate = Sweep::new(gpu, network, &sources.rates, points).await?;
        let pairs = rate.pairs(network);
        let chunked = |sweep: Sweep| {
            let more = points.div_ceil(sweep.run_length()).saturating_sub(1);
            let mut list: Vec<Sweep> = (0..more).map(|_| sweep.beside()).collect();
            list.push(sweep);
            list
        };
        let (values, rates) = allocate(gpu, || (chunked(value), chunked(rate))).await?;
        let mut evaluator = Self {
            gpu: gpu.clone(),
            tier: sources.tier,
            host: Host::new(problem, network, coordinates),
            weights: Weights::new(network),
            values,
            rates,
            reader: Reader::new(gpu, &sources.rates).await?,
            scratch: Scratch::default(),
            pairs,
        };
        evaluator.upload_points();
        Ok(evaluator)
    }

    /// The device that it runs on.
    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Which numbers it computes in.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The derivatives that are carried through the layers.
    #[must_use]
    pub fn jets(&self) -> &JetSet {
        &self.host.jets
    }

    /// n: how many points there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.host.points
    }

    /// Moves the points: n x d `coordinates`, as many as before.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn set_points(&mut self, coordinates: &[f64]) -> Result<(), GpuError> {
        let expected = self.host.points * self.host.jets.dimensions();
        length("the list of coordinates", coordinates.len(), expected)?;
        self.host.set_points(coordinates);
        self.upload_points();
        Ok(())
    }

    /// Changes the problem's named parameters, also where they occur in the ansatz.
    ///
    /// # Errors
    /// When their number is not the problem's.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<(), GpuError> {
        let expected = self.host.parameters.len();
        length("the list of the problem's parameters", values.len(), expected)?;
        self.host.set_parameters(values);
        Ok(())
    }

    fn upload_points(&mut self) {
        let host = &self.host;
        let mut first = 0;
        for sweep in &mut self.values {
            let range = first..host.points.min(first + sweep.run_length());
            sweep.set_points(&host.features(range.clone(), &host.jets), range.len());
            first = range.end;
        }
        first = 0;
        for sweep in &mut self.rates {
            let range = first..host.points.min(first + sweep.run_length());
            sweep.set_points(&host.features(range.clone(), &host.value), range.len());
            sweep.set_seeds(&host.value_seeds(range.clone()));
            first = range.end;
        }
    }

    /// u and F(x, t, u) at the points, F without the lift's own rate of change.
    ///
    /// # Errors
    /// When `theta` has the wrong length or the device fails.
    pub async fn field(&mut self, theta: &[f64], time: f64) -> Result<Field, GpuError> {
        self.forward(theta)?;
        self.read_field(time).await
    }

    /// The same and the Jacobian du/dtheta at `theta`, ready for products.
    ///
    /// # Errors
    /// When `theta` has the wrong length or the device fails.
    pub async fn linearize(
        &mut self,
        theta: &[f64],
        time: f64,
    ) -> Result<(Field, Linearization<'_>), GpuError> {
        self.forward(theta)?;
        self.back(theta)?;
        let field = self.read_field(time).await?;
        Ok((field, Linearization::new(self)))
    }

    /// The Jacobian du/dtheta at `theta`, ready for products.
    ///
    /// # Errors
    /// When `theta` has the wrong length.
    pub fn differentiate(&mut self, theta: &[f64]) -> Result<Linearization<'_>, GpuError> {
        self.back(theta)?;
        Ok(Linearization::new(self))
    }

    /// Submits the forward sweeps, chunk by chunk: a long submission could make a desktop's
    /// watchdog reset the device.
    fn forward(&self, theta: &[f64]) -> Result<(), GpuError> {
        length("the parameter vector", theta.len(), self.pairs.len())?;
        self.values[0].set_weights(&self.weights.values(theta));
        self.values.iter().for_each(Sweep::forward_to_output);
        Ok(())
    }

    /// Submits the sweeps of the values' Jacobian.
    fn back(&self, theta: &[f64]) -> Result<(), GpuError> {
        length("the parameter vector", theta.len(), self.pairs.len())?;
        self.rates[0].set_weights(&self.weights.values(theta));
        for sweep in &self.rates {
            sweep.forward();
            sweep.back();
        }
        Ok(())
    }

    async fn read_field(&mut self, time: f64) -> Result<Field, GpuError> {
        let channels = self.host.jets.len();
        let mut network = vec![0.0; channels * self.host.points];
        let pieces: Vec<Piece<'_>> = self.values.iter().flat_map(Sweep::jet).collect();
        let (scalar, gpu) = (self.values[0].scalar(), &self.gpu);
        let read: Vec<f64> = scalar.read(&mut self.scratch, gpu, "the field", &pieces).await?;
        let (mut first, mut rest) = (0, read.as_slice());
        for sweep in &self.values {
            let count = sweep.count();
            for c in 0..channels {
                let (row, behind) = rest.split_at(count);
                network[c * self.host.points + first..][..count].copy_from_slice(row);
                rest = behind;
            }
            first += count;
        }
        Ok(self.host.field(&network, time))
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
