//! The residual problem on a GPU as the optimisers see it.

use std::collections::BTreeMap;

use faer::{Mat, MatMut, MatRef};
use rayon::prelude::*;

use super::pieces::{Run, Sweeps, first_rows};
use super::tier::Tier;
use super::weights::Weights;
use crate::evaluate::cpu::operator::{HeadResults, Operator};
use crate::evaluate::gpu::device::Gpu;
use crate::evaluate::gpu::error::GpuError;
use crate::evaluate::residual::{Collocation, ResidualError, ResidualSystem};
use crate::problem::{Precision, ResidualProblem};

/// Bytes of a block of rows of J that is visited, where J is taken in blocks.
const BLOCK_BYTES: usize = 1 << 28;
/// The fewest points of such a block: a workgroup of them.
const BLOCK_POINTS: usize = 64;

/// A residual problem at its points, evaluated on a GPU.
///
/// Rows, points and weights are those of [`Collocation`], which it holds; residuals, losses, the
/// Jacobian and its products come from the device.
pub struct GpuCollocation {
    host: Collocation,
    gpu: Gpu,
    tier: Tier,
    weights: Weights,
    values: Sweeps,
    rates: Sweeps,
    /// What is known at the last theta.
    at: Option<At>,
}

/// Residual and seeds at one theta.
struct At {
    theta: Vec<f64>,
    residual: Vec<f64>,
    /// Per operator and side: a row of the points' slopes for each expression and channel.
    seeds: Vec<Vec<Vec<f64>>>,
}

impl GpuCollocation {
    /// The problem's own points, in the precision that it asks for as far as the device has it;
    /// `auto` is `mixed` here, or f32 where the device has no longer numbers.
    ///
    /// # Errors
    /// When the precision is not to be had on the device, or the network does not fit it.
    pub async fn new(gpu: &Gpu, problem: &ResidualProblem) -> Result<Self, GpuError> {
        let tier = Tier::choose(gpu, problem.precision)?;
        let host = Collocation::in_double(problem);
        let weights = Weights::new(host.network());
        let (values, rates) = sweeps(gpu, &host, &weights, tier).await?;
        Ok(Self { host, gpu: gpu.clone(), tier, weights, values, rates, at: None })
    }

    /// Goes on in another precision at the same points.
    ///
    /// # Errors
    /// As [`GpuCollocation::new`]; the precision is then what it was.
    pub async fn set_precision(&mut self, precision: Precision) -> Result<(), GpuError> {
        let tier = Tier::choose(&self.gpu, precision)?;
        (self.values, self.rates) = sweeps(&self.gpu, &self.host, &self.weights, tier).await?;
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

    fn operators(&self) -> &[Operator<f64>] {
        self.host.double().expect("made in f64")
    }

    /// The network's jets for several parameter vectors, run by run.
    async fn visit_jets(
        &mut self,
        thetas: &[&[f64]],
        visit: &mut dyn FnMut(&[Operator<f64>], &Run, Vec<Vec<f64>>),
    ) -> Result<(), GpuError> {
        let weights: Vec<Vec<f64>> =
            thetas.iter().map(|theta| self.weights.values(theta)).collect();
        let operators = self.host.double().expect("made in f64");
        for run in self.values.runs(operators, usize::MAX) {
            let (sweep, count) = (self.values.of(run.operator), run.range.len());
            let features = operators[run.operator].feature_rows(run.side, run.range.clone());
            sweep.set_points(&features, count);
            let jets = sweep.jets(&weights, count).await?;
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

    /// Residual and seeds at theta, unless they are known.
    async fn linearise(&mut self, theta: &[f64]) -> Result<(), GpuError> {
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

    /// Seeds of one expression at the points of a run: a row per channel.
    fn seeds_of(&self, run: &Run, expression: usize) -> Vec<f64> {
        let operator = &self.operators()[run.operator];
        let seeds = &self.at.as_ref().expect("linearised").seeds[run.operator][run.side];
        let (points, channels) = (operator.points(), operator.head().jets().len());
        let row = |c: usize| &seeds[(expression * channels + c) * points..][run.range.clone()];
        (0..channels).flat_map(row).copied().collect()
    }

    /// Forward sweep of a run for the Jacobian.
    fn begin(&mut self, run: &Run) {
        let operator = &self.host.double().expect("made in f64")[run.operator];
        let features = operator.feature_rows(run.side, run.range.clone());
        let (sweep, count) = (self.rates.of(run.operator), run.range.len());
        sweep.set_points(&features, count);
        sweep.forward(count);
    }

    fn set_rate_weights(&self) {
        let theta = &self.at.as_ref().expect("linearised").theta;
        let weights = self.weights.values(theta);
        self.rates.all().for_each(|sweep| sweep.set_weights(&weights));
    }

    /// Visits the rows of one run and expression: adds to `matrix`, whose first row belongs to the
    /// run's first point.
    async fn add_rows(
        &mut self,
        run: &Run,
        expression: usize,
        by_weight: &[Vec<(u32, f64)>],
        mut matrix: MatMut<'_, f64>,
    ) -> Result<(), GpuError> {
        let seeds = self.seeds_of(run, expression);
        let (sweep, count) = (self.rates.of(run.operator), run.range.len());
        sweep.back(&seeds, count);
        let mut add = |weight: usize, column: &[f64]| {
            for &(parameter, factor) in &by_weight[weight] {
                let to = matrix.as_mut().col_mut(parameter as usize);
                to.iter_mut().zip(column).for_each(|(to, x)| *to += factor * x);
            }
        };
        sweep.visit_columns(count, &mut add).await
    }

    fn by_weight(&self) -> Vec<Vec<(u32, f64)>> {
        let theta = &self.at.as_ref().expect("linearised").theta;
        self.weights.derivatives(theta).by_weight(self.weights.len())
    }

    async fn device_jacobian(
        &mut self,
        theta: &[f64],
        mut matrix: MatMut<'_, f64>,
    ) -> Result<(), GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let (by_weight, first) = (self.by_weight(), first_rows(self.operators()));
        matrix.fill(0.0);
        for run in self.rates.runs(self.operators(), usize::MAX) {
            self.begin(&run);
            let operator = &self.operators()[run.operator];
            let (points, expressions) = (operator.points(), operator.head().rows());
            for q in 0..expressions {
                let start = first[run.operator] + q * points + run.range.start;
                let rows = matrix.as_mut().subrows_mut(start, run.range.len());
                self.add_rows(&run, q, &by_weight, rows).await?;
            }
        }
        self.gpu.check()
    }

    async fn device_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, MatRef<'_, f64>),
    ) -> Result<(), GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let (by_weight, first) = (self.by_weight(), first_rows(self.operators()));
        let fit = BLOCK_BYTES / size_of_val(theta).max(1) / BLOCK_POINTS * BLOCK_POINTS;
        let runs = self.rates.runs(self.operators(), fit.max(BLOCK_POINTS));
        let ranges: Vec<&Run> = runs.iter().filter(|run| run.side == 0).collect();
        let tallest = ranges.iter().map(|run| run.range.len()).max().unwrap_or(0);
        let mut matrix = Mat::<f64>::zeros(tallest, theta.len());
        for run in ranges {
            let operator = &self.operators()[run.operator];
            let (points, sides) = (operator.points(), operator.sides());
            for q in 0..operator.head().rows() {
                let mut rows = matrix.as_mut().subrows_mut(0, run.range.len());
                rows.fill(0.0);
                for side in 0..sides {
                    let run = Run { side, ..run.clone() };
                    self.begin(&run);
                    self.add_rows(&run, q, &by_weight, rows.as_mut()).await?;
                }
                visit(first[run.operator] + q * points + run.range.start, rows.as_ref());
            }
        }
        self.gpu.check()
    }

    /// Columns of a product that one pass takes.
    fn column_groups(&self, columns: usize) -> Vec<(usize, usize)> {
        let most = self.rates.all().map(|sweep| sweep.column_limit()).min().unwrap_or(1);
        (0..columns).step_by(most).map(|first| (first, most.min(columns - first))).collect()
    }

    async fn device_product(
        &mut self,
        theta: &[f64],
        v: MatRef<'_, f64>,
    ) -> Result<Mat<f64>, GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let first = first_rows(self.operators());
        let right = self.weights.derivatives(theta).multiply(v, self.weights.len());
        let mut product = Mat::zeros(self.rows(), v.ncols());
        for (start, columns) in self.column_groups(v.ncols()) {
            let mut product = product.as_mut().subcols_mut(start, columns);
            for run in self.rates.runs(self.operators(), usize::MAX) {
                self.begin(&run);
                let operator = &self.operators()[run.operator];
                let (points, expressions) = (operator.points(), operator.head().rows());
                let count = run.range.len();
                for q in 0..expressions {
                    let seeds = self.seeds_of(&run, q);
                    let sweep = self.rates.of(run.operator);
                    sweep.back(&seeds, count);
                    let uploaded = sweep.set_right(right.as_ref().subcols(start, columns))?;
                    let output = sweep.zeroed(count, columns)?;
                    sweep.add_product(count, (&uploaded, columns), &output)?;
                    let row = first[run.operator] + q * points + run.range.start;
                    sweep.read_product(&output, product.as_mut().subrows_mut(row, count)).await?;
                }
            }
        }
        self.gpu.check()?;
        Ok(product)
    }

    async fn device_transposed_product(
        &mut self,
        theta: &[f64],
        w: MatRef<'_, f64>,
    ) -> Result<Mat<f64>, GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let first = first_rows(self.operators());
        let mut product = Mat::<f64>::zeros(self.weights.len(), w.ncols());
        for (start, columns) in self.column_groups(w.ncols()) {
            let mut product = product.as_mut().subcols_mut(start, columns);
            let w = w.subcols(start, columns);
            for run in self.rates.runs(self.operators(), usize::MAX) {
                self.begin(&run);
                let operator = &self.operators()[run.operator];
                let (points, expressions) = (operator.points(), operator.head().rows());
                let (count, weights) = (run.range.len(), self.weights.len());
                let sweep = self.rates.of(run.operator);
                let output = sweep.zeroed(weights, columns)?;
                for q in 0..expressions {
                    let seeds = self.seeds_of(&run, q);
                    let row = first[run.operator] + q * points + run.range.start;
                    let sweep = self.rates.of(run.operator);
                    sweep.back(&seeds, count);
                    let uploaded = sweep.set_right(w.subrows(row, count))?;
                    sweep.add_transposed_product(count, (&uploaded, columns), &output)?;
                }
                let sweep = self.rates.of(run.operator);
                sweep.read_product(&output, product.as_mut()).await?;
            }
        }
        self.gpu.check()?;
        Ok(self.weights.derivatives(theta).multiply_transposed(product.as_ref()))
    }
}

async fn sweeps(
    gpu: &Gpu,
    host: &Collocation,
    weights: &Weights,
    tier: Tier,
) -> Result<(Sweeps, Sweeps), GpuError> {
    let operators = host.double().expect("made in f64");
    let network = host.network();
    let values = Sweeps::new(gpu, network, weights, operators, (tier.values, false)).await?;
    let rates = Sweeps::new(gpu, network, weights, operators, (tier.rates, true)).await?;
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
    let mut room = vec![0.0; if seeds.is_some() { channels * operator.head().rows() * count } else { 0 }];
    let wanted = seeds.is_some().then_some(room.as_mut_slice());
    let mut results = HeadResults { values: &mut values, seeds: wanted, density };
    operator.finish(run.side, run.range.clone(), jets, &mut results);
    if let Some(seeds) = seeds {
        for (row, from) in seeds.chunks_exact_mut(points).zip(room.chunks_exact(count)) {
            row[run.range.clone()].copy_from_slice(from);
        }
    }
}

/// A failure of the device as one of the system.
fn failed(error: GpuError) -> ResidualError {
    ResidualError::Device { reason: error.to_string() }
}

/// The trait's functions wait for the device, as threads may and pages may not.
impl ResidualSystem for GpuCollocation {
    fn parameters(&self) -> usize {
        self.host.parameters()
    }

    fn rows(&self) -> usize {
        self.host.rows()
    }

    fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        pollster::block_on(self.linearise(theta)).map_err(failed)?;
        out.copy_from_slice(&self.at.as_ref().expect("linearised").residual);
        self.host.check_finite(out)
    }

    fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        pollster::block_on(self.device_losses(thetas)).map_err(failed)
    }

    fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        jacobian: MatMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        self.residual(theta, residual)?;
        pollster::block_on(self.device_jacobian(theta, jacobian)).map_err(failed)
    }

    fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, MatRef<'_, f64>),
    ) -> Result<(), ResidualError> {
        pollster::block_on(self.device_blocks(theta, visit)).map_err(failed)
    }

    fn has_products(&self) -> bool {
        true
    }

    fn multiply(&mut self, theta: &[f64], v: MatRef<'_, f64>) -> Result<Mat<f64>, ResidualError> {
        pollster::block_on(self.device_product(theta, v)).map_err(failed)
    }

    fn multiply_transposed(
        &mut self,
        theta: &[f64],
        w: MatRef<'_, f64>,
    ) -> Result<Mat<f64>, ResidualError> {
        pollster::block_on(self.device_transposed_product(theta, w)).map_err(failed)
    }

    fn gradient(&mut self, theta: &[f64], out: &mut [f64]) -> Result<f64, ResidualError> {
        let mut residual = vec![0.0; self.rows()];
        self.residual(theta, &mut residual)?;
        let r = MatRef::from_column_major_slice(&residual, residual.len(), 1);
        let half = self.multiply_transposed(theta, r)?;
        out.iter_mut().zip(half.col(0).iter()).for_each(|(to, half)| *to = 2.0 * half);
        if self.host.has_energy() {
            return Ok(self.losses(&[theta])?[0]);
        }
        Ok(residual.iter().map(|r| r * r).sum())
    }

    fn begin_iteration(&mut self, iteration: usize, theta: &[f64]) -> Result<bool, ResidualError> {
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
