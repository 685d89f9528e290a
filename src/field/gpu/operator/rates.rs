//! The Jacobian on the device: its rows, in whole or in blocks, and its products.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use super::pieces::{Run, first_rows};
use super::system::GpuCollocation;
use crate::gpu::error::GpuError;
use crate::residual::ResidualSystem;

/// Bytes of a block of rows of J that is visited, where J is taken in blocks.
const BLOCK_BYTES: usize = 1 << 28;
/// The fewest points of such a block: a workgroup of them.
const BLOCK_POINTS: usize = 64;

impl GpuCollocation {
    /// Seeds of one expression at the points of a run: a row per channel.
    fn seeds_of(&self, run: &Run, expression: usize) -> Vec<f64> {
        let operator = &self.operators()[run.operator];
        let seeds = &self.known().seeds[run.operator][run.side];
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
        sweep.forward();
    }

    fn set_rate_weights(&self) {
        let theta = &self.known().theta;
        let weights = self.weights.values(theta);
        self.rates.all().for_each(|sweep| sweep.set_weights(&weights));
    }

    /// Visits the rows of one run and expression: adds to `matrix`, whose first row belongs to the
    /// run's first point.
    async fn add_rows(
        &mut self,
        run: &Run,
        expression: usize,
        mut matrix: DMatrixViewMut<'_, f64>,
    ) -> Result<(), GpuError> {
        let seeds = self.seeds_of(run, expression);
        let sweep = self.rates.of(run.operator);
        sweep.set_seeds(&seeds);
        sweep.back();
        let mut add = |parameter: usize, column: &[f64]| {
            let mut to = matrix.column_mut(parameter);
            to.iter_mut().zip(column).for_each(|(to, x)| *to += x);
        };
        sweep.visit_columns(&mut add).await
    }

    pub(super) async fn device_jacobian(
        &mut self,
        theta: &[f64],
        mut matrix: DMatrixViewMut<'_, f64>,
    ) -> Result<(), GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let first = first_rows(self.operators());
        matrix.fill(0.0);
        for run in self.rates.runs(self.operators(), usize::MAX) {
            self.begin(&run);
            let operator = &self.operators()[run.operator];
            let (points, expressions) = (operator.points(), operator.head().rows());
            for q in 0..expressions {
                let start = first[run.operator] + q * points + run.range.start;
                let rows = matrix.rows_mut(start, run.range.len());
                self.add_rows(&run, q, rows).await?;
            }
        }
        self.gpu.check()
    }

    pub(super) async fn device_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let first = first_rows(self.operators());
        let fit = BLOCK_BYTES / size_of_val(theta).max(1) / BLOCK_POINTS * BLOCK_POINTS;
        let runs = self.rates.runs(self.operators(), fit.max(BLOCK_POINTS));
        let ranges: Vec<&Run> = runs.iter().filter(|run| run.side == 0).collect();
        let tallest = ranges.iter().map(|run| run.range.len()).max().unwrap_or(0);
        let mut matrix = DMatrix::<f64>::zeros(tallest, theta.len());
        for run in ranges {
            let operator = &self.operators()[run.operator];
            let (points, sides) = (operator.points(), operator.sides());
            for q in 0..operator.head().rows() {
                let mut rows = matrix.rows_mut(0, run.range.len());
                rows.fill(0.0);
                for side in 0..sides {
                    let run = Run { side, ..run.clone() };
                    self.begin(&run);
                    self.add_rows(&run, q, rows.as_view_mut()).await?;
                }
                visit(first[run.operator] + q * points + run.range.start, rows.as_view());
            }
        }
        self.gpu.check()
    }

    /// Columns of a product that one pass takes.
    fn column_groups(&self, columns: usize) -> Vec<(usize, usize)> {
        let most = self.rates.all().map(|sweep| sweep.column_limit()).min().unwrap_or(1);
        (0..columns).step_by(most).map(|first| (first, most.min(columns - first))).collect()
    }

    pub(super) async fn device_product(
        &mut self,
        theta: &[f64],
        v: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let first = first_rows(self.operators());
        let mut product = DMatrix::zeros(self.rows(), v.ncols());
        for (start, columns) in self.column_groups(v.ncols()) {
            let mut product = product.columns_mut(start, columns);
            for run in self.rates.runs(self.operators(), usize::MAX) {
                self.begin(&run);
                let operator = &self.operators()[run.operator];
                let (points, expressions) = (operator.points(), operator.head().rows());
                let count = run.range.len();
                for q in 0..expressions {
                    let seeds = self.seeds_of(&run, q);
                    let sweep = self.rates.of(run.operator);
                    sweep.set_seeds(&seeds);
                    sweep.back();
                    let uploaded = sweep.set_right(v.columns(start, columns))?;
                    let output = sweep.zeroed(count, columns)?;
                    sweep.add_product((&uploaded, columns), &output)?;
                    let row = first[run.operator] + q * points + run.range.start;
                    sweep.read_product(&output, product.rows_mut(row, count)).await?;
                }
            }
        }
        self.gpu.check()?;
        Ok(product)
    }

    pub(super) async fn device_transposed_product(
        &mut self,
        theta: &[f64],
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, GpuError> {
        self.linearise(theta).await?;
        self.set_rate_weights();
        let first = first_rows(self.operators());
        let mut product = DMatrix::<f64>::zeros(self.parameters(), w.ncols());
        for (start, columns) in self.column_groups(w.ncols()) {
            let mut product = product.columns_mut(start, columns);
            let w = w.columns(start, columns);
            for run in self.rates.runs(self.operators(), usize::MAX) {
                self.begin(&run);
                let operator = &self.operators()[run.operator];
                let (points, expressions) = (operator.points(), operator.head().rows());
                let (count, parameters) = (run.range.len(), self.parameters());
                let sweep = self.rates.of(run.operator);
                let output = sweep.zeroed(parameters, columns)?;
                for q in 0..expressions {
                    let seeds = self.seeds_of(&run, q);
                    let row = first[run.operator] + q * points + run.range.start;
                    let sweep = self.rates.of(run.operator);
                    sweep.set_seeds(&seeds);
                    sweep.back();
                    let uploaded = sweep.set_right(w.rows(row, count))?;
                    sweep.add_transposed_product((&uploaded, columns), &output)?;
                }
                let sweep = self.rates.of(run.operator);
                sweep.read_product(&output, product.as_view_mut()).await?;
            }
        }
        self.gpu.check()?;
        Ok(product)
    }
}
