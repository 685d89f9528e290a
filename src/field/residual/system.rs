//! The blocks of a residual problem at their points, on the CPU.

use std::collections::BTreeMap;

use nalgebra::{DMatrixView, DMatrixViewMut};

use super::causal::CausalWeights;
use super::operators::{Operators, in_precision, operator, row_weights, with_operators};
use super::refinement::refined;
use super::{ResidualError, ResidualSystem, Rounding, sweeps};
use crate::cpu::Plan;
use crate::cpu::operator::Operator;
use crate::network::Network;
use crate::problem::residual::{BlockPoints, Condition, ResidualBlock};
use crate::problem::{Precision, ResidualProblem};

/// A residual problem at its points: rows block by block in the order of the file, within a block
/// expression by expression.
///
/// Row i of a block is `sqrt(weight * measure * w_i / count) F(x_i)`, w_i the point's weight in a
/// mean, or without measure, or without both, as the block's norm says; so that |r|^2 is the loss.
pub struct Collocation {
    pub(super) problem: ResidualProblem,
    pub(super) network: Network,
    pub(super) points: Vec<BlockPoints>,
    /// Redraws of each block's points so far.
    generations: Vec<u64>,
    /// All columns of J.
    plan: Plan,
    /// For residuals and losses.
    values: Operators,
    /// For Jacobians, where these are in another precision.
    rates: Option<Operators>,
    /// Weights along time, where the problem asks for them.
    causal: Option<CausalWeights>,
}

impl Collocation {
    /// The problem's own points, in the precision that it asks for (`auto` is f64 here).
    #[must_use]
    pub fn new(problem: &ResidualProblem) -> Self {
        Self::in_tier(problem, problem.precision, 0)
    }

    /// The problem's points after `generation` redraws, in f64 whatever it asks for.
    #[must_use]
    pub fn in_double(problem: &ResidualProblem, generation: u64) -> Self {
        Self::in_tier(problem, Precision::F64, generation)
    }

    fn in_tier(problem: &ResidualProblem, precision: Precision, generation: u64) -> Self {
        let network = Network::of_residual(problem);
        let points: Vec<BlockPoints> =
            (0..problem.blocks.len()).map(|b| problem.block_points(b, generation)).collect();
        let (values, rates) = in_precision(problem, &network, &points, precision);
        Self {
            plan: Plan::all(&network),
            network,
            generations: vec![generation; points.len()],
            points,
            values,
            rates,
            causal: problem.method.causal.clone().map(CausalWeights::new),
            problem: problem.clone(),
        }
    }

    /// Moves the points by `place(coordinate, x)`, which maps each side onto itself; goes on in f64.
    pub fn move_points(&mut self, place: impl Fn(usize, f64) -> f64) {
        let dimensions = self.problem.dimensions();
        let all = |coordinates: &mut Vec<f64>| {
            let each = coordinates.iter_mut().enumerate();
            each.for_each(|(i, x)| *x = place(i % dimensions, *x));
        };
        for points in &mut self.points {
            all(&mut points.coordinates);
            points.partners.as_mut().map(all);
        }
        self.set_precision(Precision::F64);
    }

    /// Goes on in another precision at the same points: the loss is not the same to the last bit.
    pub fn set_precision(&mut self, precision: Precision) {
        (self.values, self.rates) =
            in_precision(&self.problem, &self.network, &self.points, precision);
        // New operators have the plain weights.
        if self.causal.is_some() {
            self.weigh();
        }
    }

    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Starting parameters for the problem's seed.
    #[must_use]
    pub fn initial_parameters(&self) -> Vec<f64> {
        self.network().initialise_as(self.problem.initialisation, self.problem.seed)
    }

    /// The points of each block, in the order of the rows.
    #[must_use]
    pub fn points(&self) -> &[BlockPoints] {
        &self.points
    }

    /// What the square of each row of a block, point by point, counts in the loss.
    #[must_use]
    pub fn weights(&self, block: usize) -> Vec<f64> {
        let (of, points) = (&self.problem.blocks[block], &self.points[block]);
        row_weights(of, points, self.problem.dimensions())
    }

    /// Rows of each block, in order.
    #[must_use]
    pub fn block_rows(&self) -> Vec<usize> {
        with_operators!(&self.values, list => list.iter().map(Operator::rows).collect())
    }

    /// Every equation of every block in the order of its rows: the block, and how many points and so
    /// rows in a row it has.
    pub fn equations(&self) -> impl Iterator<Item = (&ResidualBlock, usize)> {
        let each = self.problem.blocks.iter().zip(&self.points).zip(self.block_rows());
        each.flat_map(|((block, points), rows)| {
            let points = points.coordinates.len() / self.problem.dimensions();
            std::iter::repeat_n((block, points), rows / points)
        })
    }

    fn rates(&self) -> &Operators {
        self.rates.as_ref().unwrap_or(&self.values)
    }

    /// The blocks' operators, where they are in f64.
    pub(crate) fn double(&self) -> Option<&[Operator<f64>]> {
        match &self.values {
            Operators::Double(list) => Some(list),
            Operators::Single(_) => None,
        }
    }

    /// Whether the loss is not |r|^2.
    pub(crate) fn has_energy(&self) -> bool {
        let energy = |block: &ResidualBlock| matches!(block.condition, Condition::Energy(_));
        self.problem.blocks.iter().any(energy)
    }

    pub(crate) fn check_finite(&self, residual: &[f64]) -> Result<(), ResidualError> {
        let Some(row) = residual.iter().position(|r| !r.is_finite()) else { return Ok(()) };
        let mut first = 0;
        for (index, rows) in self.block_rows().into_iter().enumerate() {
            if row < first + rows {
                let dimensions = self.problem.dimensions();
                let coordinates = &self.points[index].coordinates;
                let point = (row - first) % (coordinates.len() / dimensions);
                let point = &coordinates[point * dimensions..(point + 1) * dimensions];
                let names = self.problem.axes.iter().map(|axis| &axis.name);
                let parts = names.zip(point).map(|(name, x)| format!("{name} = {x}"));
                return Err(ResidualError::NotFinite {
                    block: self.problem.blocks[index].name.clone(),
                    place: parts.collect::<Vec<_>>().join(", "),
                    value: residual[row],
                });
            }
            first += rows;
        }
        Ok(())
    }
}

/// What [`ResidualSystem`] promises, without its waiting: here nothing waits. What cannot fail has
/// its type all the same.
impl Collocation {
    /// [`ResidualSystem::residual`], at once.
    ///
    /// # Errors
    /// Where an entry is not finite.
    ///
    /// # Panics
    /// Here and below, where a slice or a matrix has another size than `rows` and `parameters` say.
    pub fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        assert_eq!(out.len(), self.rows(), "length of r");
        with_operators!(&self.values, list => sweeps::residual(list, &self.network, theta, out));
        self.check_finite(out)
    }

    /// [`ResidualSystem::losses`], at once.
    pub fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        Ok(with_operators!(&self.values, list => sweeps::losses(list, &self.network, thetas)))
    }

    /// [`ResidualSystem::jacobian`], at once.
    ///
    /// # Errors
    /// Where an entry of r is not finite.
    pub fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        matrix: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        let (rows, parameters) = (self.rows(), self.parameters());
        assert_eq!((matrix.nrows(), matrix.ncols()), (rows, parameters), "shape of J");
        with_operators!(self.rates(), list => {
            sweeps::jacobian(list, &self.network, &self.plan, theta, residual, matrix)
        });
        if self.rates.is_some() {
            self.residual(theta, residual)?;
        }
        self.check_finite(residual)
    }

    /// [`ResidualSystem::jacobian_blocks`], at once.
    ///
    /// # Errors
    /// A row that is too long for memory.
    pub fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        with_operators!(self.rates(), list => {
            sweeps::jacobian_blocks(list, &self.network, &self.plan, theta, visit)
        })
    }

    /// [`ResidualSystem::gradient`], at once.
    ///
    /// # Errors
    /// As [`Collocation::residual`].
    pub fn gradient(&mut self, theta: &[f64], out: &mut [f64]) -> Result<f64, ResidualError> {
        let mut residual = vec![0.0; self.rows()];
        self.residual(theta, &mut residual)?;
        with_operators!(self.rates(), list => sweeps::gradient(list, &self.network, &self.plan, theta, &residual, out));
        if self.has_energy() {
            return Ok(self.losses(&[theta])?[0]);
        }
        Ok(residual.iter().map(|r| r * r).sum())
    }

    /// [`ResidualSystem::begin_iteration`], at once.
    pub fn begin_iteration(
        &mut self,
        iteration: usize,
        theta: &[f64],
    ) -> Result<bool, ResidualError> {
        let mut changed = false;
        for index in 0..self.problem.blocks.len() {
            let block = &self.problem.blocks[index];
            let every = block.samples.resample;
            if every == 0 || block.samples.layout.is_grid() {
                continue;
            }
            let generation = (iteration / every) as u64;
            if generation != self.generations[index] {
                self.redraw(index, generation, theta);
                changed = true;
            }
        }
        if self.causal.is_some() {
            self.update_causal_weights(theta);
            changed = true;
        }
        Ok(changed)
    }
}

impl ResidualSystem for Collocation {
    fn parameters(&self) -> usize {
        self.network().parameters()
    }

    fn rows(&self) -> usize {
        self.block_rows().iter().sum()
    }

    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        Self::residual(self, theta, out)
    }

    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        Self::losses(self, thetas)
    }

    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        matrix: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        Self::jacobian(self, theta, residual, matrix)
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        Self::jacobian_blocks(self, theta, visit)
    }

    fn rounding(&self) -> Rounding {
        match self.rates() {
            // The host multiplies in f64.
            Operators::Single(_) => {
                Rounding { entries: f64::from(f32::EPSILON), ..Rounding::DOUBLE }
            }
            Operators::Double(_) => Rounding::DOUBLE,
        }
    }

    async fn gradient(&mut self, theta: &[f64], out: &mut [f64]) -> Result<f64, ResidualError> {
        Self::gradient(self, theta, out)
    }

    async fn begin_iteration(
        &mut self,
        iteration: usize,
        theta: &[f64],
    ) -> Result<bool, ResidualError> {
        Self::begin_iteration(self, iteration, theta)
    }

    fn save(&self) -> BTreeMap<String, Vec<f64>> {
        let refined = (0..self.points.len()).filter(|&index| self.is_refined(index));
        refined.map(|index| (self.entry(index), self.points[index].coordinates.clone())).collect()
    }

    fn restore(&mut self, saved: &BTreeMap<String, Vec<f64>>) -> Result<(), ResidualError> {
        for index in 0..self.points.len() {
            if !self.is_refined(index) {
                continue;
            }
            let mut points = self.points[index].clone();
            match saved.get(&self.entry(index)) {
                Some(saved) if saved.len() == points.coordinates.len() => {
                    points.coordinates.clone_from(saved);
                }
                _ => {
                    let block = self.problem.blocks[index].name.clone();
                    return Err(ResidualError::Points { block });
                }
            }
            self.move_to(index, points);
        }
        Ok(())
    }
}

impl Collocation {
    /// Whether the points of a block were chosen by a residual.
    fn is_refined(&self, index: usize) -> bool {
        self.problem.blocks[index].samples.refine > 0.0 && self.generations[index] > 0
    }

    /// Weights along time for the residual at theta.
    fn update_causal_weights(&mut self, theta: &[f64]) {
        let Some(mut causal) = self.causal.take() else { return };
        // Without a word from them the rows have their plain weights.
        self.weigh();
        let mut rows = vec![0.0; self.rows()];
        with_operators!(&self.values, list => {
            sweeps::residual(list, &self.network, theta, &mut rows)
        });
        let mut rest = rows.as_slice();
        let mut of_blocks = Vec::new();
        for count in self.block_rows() {
            let (mine, others) = rest.split_at(count);
            of_blocks.push(mine);
            rest = others;
        }
        let plain: Vec<Vec<f64>> = (0..self.points.len()).map(|b| self.weights(b)).collect();
        let (start, slices) = causal.losses(&self.problem, &self.points, &of_blocks, &plain);
        causal.update(start, &slices);
        self.causal = Some(causal);
        self.weigh();
    }

    /// Gives every operator what its rows count now.
    fn weigh(&mut self) {
        let weights: Vec<Vec<f64>> = (0..self.points.len())
            .map(|index| {
                let plain = self.weights(index);
                let block = &self.problem.blocks[index];
                match &self.causal {
                    Some(causal) => {
                        causal.of_points(&self.problem, block, &self.points[index], &plain)
                    }
                    None => plain,
                }
            })
            .collect();
        for list in std::iter::once(&mut self.values).chain(&mut self.rates) {
            with_operators!(list, list => {
                list.iter_mut().zip(&weights).for_each(|(operator, w)| operator.set_weights(w));
            });
        }
    }

    fn entry(&self, index: usize) -> String {
        format!("system.points.{}", self.problem.blocks[index].name)
    }

    fn redraw(&mut self, index: usize, generation: u64, theta: &[f64]) {
        self.generations[index] = generation;
        let count = self.points[index].coordinates.len() / self.problem.dimensions();
        let points = match self.is_refined(index) {
            true => refined(&self.problem, &self.network, index, generation, theta, count),
            false => self.problem.block_points(index, generation),
        };
        self.move_to(index, points);
    }

    fn move_to(&mut self, index: usize, points: BlockPoints) {
        self.points[index] = points;
        let block = &self.problem.blocks[index];
        let network = &self.network;
        for list in std::iter::once(&mut self.values).chain(&mut self.rates) {
            let points = &self.points[index];
            with_operators!(list, list => {
                list[index] = operator(&self.problem, network, block, points);
            });
        }
    }
}
