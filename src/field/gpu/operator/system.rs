//! The residual problem on a GPU as the optimisers see it.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use super::pieces::{Run, Sweeps, first_rows};
use super::tier::Tier;
use super::weights::Weights;
use crate::cpu::operator::{HeadResults, Operator};
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::problem::{Precision, ResidualProblem};
use crate::residual::{Collocation, ResidualError, ResidualSystem, Rounding};

/// Takes the network's jets at a run of points, for one parameter vector after the other.
type JetVisitor<'a> = dyn FnMut(&[Operator<f64>], &Run, Vec<Vec<f64>>) + 'a;

/// A residual problem at its points, evaluated on a GPU.
///
/// Rows, points and weights are those of [`Collocation`], which it holds; residuals, losses, the
/// Jacobian and its products come from the device.
pub struct GpuCollocation {
    pub(super) host: Collocation,
    pub(super) gpu: Gpu,
    tier: Tier,
    pub(super) weights: Weights,
    values: Sweeps,
    pub(super) rates: Sweeps,
    /// What is known at the last theta.
    at: Option<At>,
}

/// Residual and seeds at one theta.
pub(super) struct At {
    pub theta: Vec<f64>,
    residual: Vec<f64>,
    /// Per operator and side: a row of the points' slopes for each expression and channel.
    pub seeds: Vec<Vec<Vec<f64>>>,
}

impl GpuCollocation {
    /// The problem's own points, in the precision that it asks for as far as the device has it;
    /// `auto` is `mixed` here, or f32 where the device has no longer numbers.
    ///
    /// # Errors
    /// When the precision is not to be had on the device, or the network does not fit it.
    pub async fn new(gpu: &Gpu, problem: &ResidualProblem) -> Result<Self, GpuError> {
        let tier = Tier::choose(gpu, problem.precision)?;
        let host = Collocation::in_double(problem, 0);
        let (values, rates) = sweeps(gpu, &host, tier).await?;
        let weights = Weights::new(host.network());
        Ok(Self { host, gpu: gpu.clone(), tier, weights, values, rates, at: None })
    }

    /// Goes on in another precision at the same points.
    ///
    /// # Errors
    /// As [`GpuCollocation::new`]; the precision is then what it was.
    pub async fn set_precision(&mut self, precision: Precision) -> Result<(), GpuError> {
        let tier = Tier::choose(&self.gpu, precision)?;
        (self.values, self.rates) = sweeps(&self.gpu, &self.host, tier).await?;
        (self.tier, self.at) = (tier, None);
        Ok(())
    }

    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Points, weights and starting parameters.
    #[must_use]
    pub fn host(&self) -> &Collocation {
        &self.host
    }

    pub(super) fn operators(&self) -> &[Operator<f64>] {
        self.host.double().expect("made in f64")
    }

    /// The network's jets for several parameter vectors, run by run.
    async fn visit_jets(
        &mut self,
        thetas: &[&[f64]],
        visit: &mut JetVisitor<'_>,
    ) -> Result<(), GpuError> {
        let weights: Vec<Vec<f64>> =
            thetas.iter().map(|theta| self.weights.values(theta)).collect();
        let operators = self.host.double().expect("made in f64");
        for run in self.values.runs(operators, usize::MAX) {
            let (sweep, count) = (self.values.of(run.operator), run.range.len());
            let features = operators[run.operator].feature_rows(run.side, run.range.clone());
            sweep.set_points(&features, count);
            let jets = sweep.jets(&weights).await?;
            visit(operators, &run, jets);
        }
        self.gpu.check()
    }

    async fn device_losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, GpuError> {
        let operators = self.operators();
        let energy = |operator: &Operator<f64>| operator.head().is_energy();
        let length = |operator: &Operator<f64>| {
            if energy(operator) { operator.points() } else { operator.rows() }
        };
        let empty: Vec<Vec<f64>> = operators.iter().map(|o| vec![0.0; length(o)]).collect();
        let mut values = vec![empty; thetas.len()];
        self.visit_jets(thetas, &mut |operators, run, jets| {
            let operator = &operators[run.operator];
            values.par_iter_mut().zip(jets).for_each(|(values, jets)| {
                let to = &mut values[run.operator];
                finish(operator, run, &jets, to, None, true);
            });
        })
        .await?;
        let operators = self.operators();
        let loss = |values: Vec<Vec<f64>>| -> f64 {
            let part = |(operator, values): (&Operator<f64>, &Vec<f64>)| -> f64 {
                if energy(operator) {
                    values.iter().sum()
                } else {
                    values.iter().map(|r| r * r).sum()
                }
            };
            operators.iter().zip(&values).map(part).sum()
        };
        Ok(values.into_iter().map(loss).collect())
    }

    /// What is known at the theta of the last [`GpuCollocation::linearise`].
    pub(super) fn known(&self) -> &At {
        self.at.as_ref().expect("linearised before")
    }

    /// Residual and seeds at theta, unless they are known.
    pub(super) async fn linearise(&mut self, theta: &[f64]) -> Result<(), GpuError> {
        if self.at.as_ref().is_some_and(|at| at.theta == theta) {
            return Ok(());
        }
        let operators = self.operators();
        let first = first_rows(operators);
        let mut residual = vec![0.0; operators.iter().map(Operator::rows).sum()];
        let room = |operator: &Operator<f64>| {
            let length = operator.head().jets().len() * operator.rows();
            vec![vec![0.0; length]; operator.sides()]
        };
        let mut seeds: Vec<Vec<Vec<f64>>> = operators.iter().map(room).collect();
        self.visit_jets(&[theta], &mut |operators, run, mut jets| {
            let operator = &operators[run.operator];
            let rows = &mut residual[first[run.operator]..][..operator.rows()];
            let seeds = &mut seeds[run.operator][run.side];
            let jets = jets.pop().expect("one theta");
            finish(operator, run, &jets, rows, Some(seeds), false);
        })
        .await?;
        self.at = Some(At { theta: theta.to_vec(), residual, seeds });
        Ok(())
    }
}

async fn sweeps(gpu: &Gpu, host: &Collocation, tier: Tier) -> Result<(Sweeps, Sweeps), GpuError> {
    let operators = host.double().expect("made in f64");
    let network = host.network();
    let values = Sweeps::new(gpu, network, operators, (tier.values, false)).await?;
    let rates = Sweeps::new(gpu, network, operators, (tier.rates, true)).await?;
    gpu.check()?;
    Ok((values, rates))
}

/// The head of an operator at the points of a run: adds to `rows` (all of the operator's) and
/// fills the run's part of `seeds`.
fn finish(
    operator: &Operator<f64>,
    run: &Run,
    jets: &[f64],
    rows: &mut [f64],
    seeds: Option<&mut Vec<f64>>,
    density: bool,
) {
    let (points, count) = (operator.points(), run.range.len());
    let mut values: Vec<&mut [f64]> =
        rows.chunks_exact_mut(points).map(|row| &mut row[run.range.clone()]).collect();
    let channels = operator.head().jets().len();
    let mut room =
        vec![0.0; if seeds.is_some() { channels * operator.head().rows() * count } else { 0 }];
    let wanted = seeds.is_some().then_some(room.as_mut_slice());
    let mut results = HeadResults { values: &mut values, seeds: wanted, density };
    operator.finish(run.side, run.range.clone(), jets, &mut results);
    if let Some(seeds) = seeds {
        for (row, from) in seeds.chunks_exact_mut(points).zip(room.chunks_exact(count)) {
            row[run.range.clone()].copy_from_slice(from);
        }
    }
}

impl ResidualSystem for GpuCollocation {
    fn parameters(&self) -> usize {
        self.host.parameters()
    }

    fn rows(&self) -> usize {
        self.host.rows()
    }

    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        self.linearise(theta).await?;
        out.copy_from_slice(&self.known().residual);
        self.host.check_finite(out)
    }

    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        Ok(self.device_losses(thetas).await?)
    }

    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        self.residual(theta, residual).await?;
        Ok(self.device_jacobian(theta, jacobian).await?)
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        Ok(self.device_blocks(theta, visit).await?)
    }

    fn rounding(&self) -> Rounding {
        let epsilon = self.tier.rates.epsilon();
        Rounding { entries: epsilon, products: epsilon }
    }

    fn has_products(&self) -> bool {
        true
    }

    async fn multiply(
        &mut self,
        theta: &[f64],
        v: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, ResidualError> {
        Ok(self.device_product(theta, v).await?)
    }

    async fn multiply_transposed(
        &mut self,
        theta: &[f64],
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, ResidualError> {
        Ok(self.device_transposed_product(theta, w).await?)
    }

    async fn gradient(&mut self, theta: &[f64], out: &mut [f64]) -> Result<f64, ResidualError> {
        let mut residual = vec![0.0; self.rows()];
        self.residual(theta, &mut residual).await?;
        let r = DMatrixView::from_slice(&residual, residual.len(), 1);
        let half = self.multiply_transposed(theta, r).await?;
        out.iter_mut().zip(half.column(0).iter()).for_each(|(to, half)| *to = 2.0 * half);
        if self.host.has_energy() {
            return Ok(self.losses(&[theta]).await?[0]);
        }
        Ok(residual.iter().map(|r| r * r).sum())
    }

    async fn begin_iteration(
        &mut self,
        iteration: usize,
        theta: &[f64],
    ) -> Result<bool, ResidualError> {
        let changed = self.host.begin_iteration(iteration, theta)?;
        if changed {
            self.at = None;
        }
        Ok(changed)
    }

    fn save(&self) -> BTreeMap<String, Vec<f64>> {
        self.host.save()
    }

    fn restore(&mut self, saved: &BTreeMap<String, Vec<f64>>) -> Result<(), ResidualError> {
        self.at = None;
        self.host.restore(saved)
    }
}
