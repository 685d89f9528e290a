//! Where a run computes: which precision, and which of the evaluators for fields and Jacobians.

use super::columns::Columns;
use super::error::EvolveError;
use super::evaluators::{Evaluators, Place};
use super::tier::tier;
use crate::field::cpu::{self, Field};
use crate::field::device::{Backend, Description};
use crate::field::gpu::{self, Gpu};
use crate::network::Network;
use crate::problem::expression::Channel;
use crate::problem::points::Points;
use crate::problem::{PointLayout, Precision, Problem, Scheme};

/// Matrices whose memory is kept: an implicit step has two at a time.
const MOST_SPARE: usize = 2;

/// Fields and Jacobians of one problem at its points.
pub struct Engine {
    tier: Precision,
    pub(super) evaluators: Evaluators,
    pub(super) network: Network,
    pub(super) coordinates: Vec<f64>,
    /// Weights of the points' rows; empty where all are 1.
    weights: Vec<f64>,
    pub(super) problem: Problem,
    /// The last matrices given back, whose memory the next ones take.
    pub(super) spare: Vec<Columns>,
}

impl Engine {
    /// # Errors
    /// When no adapter answers the choice, or when the precision is not to be had there.
    pub async fn new(problem: &Problem, backend: &Backend) -> Result<Self, EvolveError> {
        let features = problem.method.scheme == Scheme::RandomFeatures;
        let gpu = match backend {
            Backend::Auto if problem.points.layout == PointLayout::Adaptive => None,
            Backend::Auto if problem.unknowns.len() > 1 || features => None,
            backend => backend.open().await?,
        };
        Self::on(problem, gpu.as_ref()).await
    }

    /// On an open device, or on the CPU.
    ///
    /// # Errors
    /// When the precision is not to be had there or the device fails.
    pub async fn on(problem: &Problem, gpu: Option<&Gpu>) -> Result<Self, EvolveError> {
        if gpu.is_some() && problem.points.layout == PointLayout::Adaptive {
            return Err(EvolveError::AdaptiveOnDevice);
        }
        if gpu.is_some() && problem.unknowns.len() > 1 {
            return Err(EvolveError::SystemOnDevice);
        }
        let features = problem.method.scheme == Scheme::RandomFeatures;
        if gpu.is_some() && features {
            return Err(EvolveError::FeaturesOnDevice);
        }
        if let Some([unknown, of]) = waves(problem).filter(|_| !features) {
            let [unknown, of] = [unknown, of].map(|q| problem.unknowns[q].clone());
            return Err(EvolveError::Waves { unknown, of });
        }
        let network = Network::of(problem);
        let coordinates = Points::of(problem).coordinates;
        let tier = tier(problem, gpu.is_some())?;
        let evaluators = Evaluators::new(problem, &network, &coordinates, (tier, gpu)).await?;
        Ok(Self {
            tier,
            evaluators,
            network,
            coordinates,
            weights: Vec::new(),
            problem: problem.clone(),
            spare: Vec::new(),
        })
    }

    #[must_use]
    pub fn describe(&self) -> Description {
        let precision = match self.tier {
            Precision::F32 => "f32",
            Precision::Mixed => "mixed",
            Precision::F64 | Precision::Auto => "f64",
        };
        Description::of(self.gpu(), precision)
    }

    /// The device in use, where it is no CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        self.evaluators.device().map(gpu::Evaluator::gpu)
    }

    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// n m: the rows of the least-squares problems, n points for one unknown after the other.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.points() * self.network.outputs()
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

    /// Weights of the points' rows in all fields and Jacobians that the engine gives; none where
    /// they are 1.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Moves the points of the least-squares problems; `weights` has one number per point, or none.
    ///
    /// # Errors
    /// Where there are more or fewer of them than before, or the device fails.
    pub fn set_points(
        &mut self,
        coordinates: Vec<f64>,
        weights: Vec<f64>,
    ) -> Result<(), EvolveError> {
        let (given, expected) = (coordinates.len(), self.coordinates.len());
        if given != expected {
            return Err(EvolveError::Points { given, expected });
        }
        if !weights.is_empty() && weights.len() != self.points() {
            let (given, expected) = (weights.len(), self.points());
            return Err(EvolveError::Points { given, expected });
        }
        self.evaluators.set_points(&self.problem, &self.network, &coordinates)?;
        (self.coordinates, self.weights) = (coordinates, weights);
        Ok(())
    }

    /// Draws the points from the initial state of `problem` again, where they are drawn: another run
    /// begins.
    ///
    /// # Errors
    /// As [`Engine::set_points`].
    pub fn begin_anew(&mut self, problem: &Problem) -> Result<(), EvolveError> {
        match problem.points.layout {
            PointLayout::Adaptive => self.set_points(Points::of(problem).coordinates, Vec::new()),
            _ => Ok(()),
        }
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
        self.evaluators.set_parameters(values)
    }

    /// The unknowns and F at the points, by their weights.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn field(&mut self, theta: &[f64], time: f64) -> Result<Field, EvolveError> {
        let field = match self.evaluators.fields() {
            Place::Host(host) => host.field(theta, time),
            Place::Device(device) => device.field(theta, time).await?,
        };
        Ok(self.weighed(field))
    }

    /// The unknowns at the points, by their weights: a third of the work of [`Engine::field`] for an equation of second order.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn values(&mut self, theta: &[f64], time: f64) -> Result<Vec<f64>, EvolveError> {
        let mut values = match self.evaluators.fields() {
            Place::Host(host) => host.values(theta, time),
            Place::Device(device) => device.field(theta, time).await?.values,
        };
        self.weigh(&mut values);
        Ok(values)
    }

    /// [`Engine::field`], after which [`Engine::field_along`] and [`Engine::columns`] at the same
    /// theta need no forward pass of their own, where the CPU computes them in the same precision.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn linearise(&mut self, theta: &[f64], time: f64) -> Result<Field, EvolveError> {
        let field = match self.evaluators.fields() {
            Place::Host(host) => host.linearise(theta, time),
            Place::Device(device) => device.field(theta, time).await?,
        };
        Ok(self.weighed(field))
    }

    /// u and F of the field u(theta) + (du/dtheta) direction, a point of the tangent space; on the
    /// CPU in f64 where the fields come from a device.
    #[must_use]
    pub fn field_along(&mut self, theta: &[f64], direction: &[f64], time: f64) -> Field {
        let field = match self.evaluators.fields() {
            Place::Host(host) => host.field_along(theta, direction, time),
            Place::Device(_) => self.on_host(&self.coordinates).field_along(theta, direction, time),
        };
        self.weighed(field)
    }

    /// The chosen columns of du/dtheta, their rows by the points' weights.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn columns(
        &mut self,
        theta: &[f64],
        time: f64,
        columns: &[u32],
    ) -> Result<Columns, EvolveError> {
        let spare = self.spare.pop();
        let jacobians = self.evaluators.jacobians();
        let mut matrix = jacobians.columns(theta, time, columns, spare).await?;
        matrix.weigh(&self.weights);
        Ok(matrix)
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
        if let Some(host) = self.evaluators.both() {
            let spare = self.spare.pop();
            let (field, mut matrix) = host.field_and_columns(theta, time, columns, spare);
            matrix.weigh(&self.weights);
            return Ok((self.weighed(field), matrix));
        }
        let field = self.field(theta, time).await?;
        Ok((field, self.columns(theta, time, columns).await?))
    }

    /// Takes a Jacobian back: writing into memory that is mapped already spares the next one the
    /// page faults and the zeroing of n s entries.
    pub fn recycle(&mut self, columns: Columns) {
        if self.spare.len() == MOST_SPARE {
            self.spare.remove(0);
        }
        self.spare.push(columns);
    }

    /// Multiplies numbers at the points, for one unknown after the other, by the points' weights.
    pub(super) fn weigh(&self, rows: &mut [f64]) {
        let weights = self.weights.iter().cycle();
        rows.iter_mut().zip(weights).for_each(|(row, weight)| *row *= weight);
    }

    fn weighed(&self, mut field: Field) -> Field {
        self.weigh(&mut field.values);
        self.weigh(&mut field.right_hand_side);
        field
    }

    /// The unknowns at any points, one after the other, in f64 on the CPU.
    #[must_use]
    pub fn evaluate(&self, theta: &[f64], time: f64, coordinates: &[f64]) -> Vec<f64> {
        if coordinates.is_empty() {
            return Vec::new();
        }
        self.on_host(coordinates).values(theta, time)
    }

    /// An evaluator on the CPU, in f64.
    pub(super) fn on_host(&self, coordinates: &[f64]) -> cpu::Evaluator<f64> {
        cpu::Evaluator::new(&self.problem, &self.network, coordinates)
    }
}

/// An unknown that moves by second derivatives of another one, which does not move by its, and not
/// by its own: a wave equation. Its energy holds the slope of the other one, of which the L2 product
/// that steps are projected by knows nothing; with it the projected equation has growing modes, as
/// fast as the shortest wave of the tangent space, and no control of the steps sees that. (Of a
/// Schroedinger pair, each by the other's second derivatives, the L2 norm itself is kept.)
fn waves(problem: &Problem) -> Option<[usize; 2]> {
    let order = |channel: Channel| match channel {
        Channel::Laplacian => 2,
        Channel::Partial(index) => index.order(),
    };
    let moved_by = |q: usize, by: usize| {
        let entries = problem.right_hand_side[q].entries();
        entries.into_iter().any(|entry| entry.unknown == by && order(entry.channel) >= 2)
    };
    let all = 0..problem.unknowns.len();
    let pairs = all.clone().flat_map(|q| all.clone().map(move |of| [q, of]));
    let wave =
        |&[q, of]: &[usize; 2]| q != of && moved_by(q, of) && !moved_by(of, q) && !moved_by(q, q);
    pairs.into_iter().find(wave)
}
