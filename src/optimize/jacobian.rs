//! The residual and its Jacobian at one point: held in memory where they fit, else in blocks.

use nalgebra::{DMatrix, DMatrixView};

use super::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::linalg::{
    SymmetricOperator, TestMatrix, add_product_transposed, add_transposed_product, product,
    product_transposed, transposed_product, transposed_times,
};

/// Entries of a Jacobian that is held in memory (256 MiB); a larger one is taken in blocks of rows
/// again and again.
const HELD: usize = 1 << 25;

/// r, J and their products at the last point of [`Linearisation::at`].
#[derive(Debug)]
pub struct Linearisation {
    pub residual: Vec<f64>,
    theta: Vec<f64>,
    /// J; empty where it is taken in blocks.
    held: DMatrix<f64>,
    /// Entries that may be held.
    limit: usize,
}

impl Default for Linearisation {
    fn default() -> Self {
        Self::with_limit(HELD)
    }
}

impl Linearisation {
    /// Holds no more than so many entries at once, in a whole Jacobian or in a strip of one.
    pub fn with_limit(limit: usize) -> Self {
        Self { residual: Vec::new(), theta: Vec::new(), held: DMatrix::default(), limit }
    }

    /// Evaluates r, and J where it fits memory.
    pub async fn at<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        theta: &[f64],
    ) -> Result<(), OptimizeError> {
        let (rows, parameters) = (system.rows(), system.parameters());
        self.theta = theta.to_vec();
        self.residual.resize(rows, 0.0);
        if rows.saturating_mul(parameters) > self.limit {
            self.held = DMatrix::default();
            return Ok(system.residual(theta, &mut self.residual).await?);
        }
        self.evaluate_held(system, rows, parameters).await
    }

    /// Evaluates r, and J where it fits memory and the system has no faster products with it: for
    /// methods that only multiply by J.
    pub async fn at_for_products<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        theta: &[f64],
    ) -> Result<(), OptimizeError> {
        if !system.has_products() {
            return self.at(system, theta).await;
        }
        self.theta = theta.to_vec();
        self.held = DMatrix::default();
        self.residual.resize(system.rows(), 0.0);
        Ok(system.residual(theta, &mut self.residual).await?)
    }

    /// Evaluates r and J, whatever its size, up to `limit` bytes.
    pub async fn at_within<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        theta: &[f64],
        method: &'static str,
        limit: usize,
    ) -> Result<(), OptimizeError> {
        let (rows, parameters) = (system.rows(), system.parameters());
        let bytes = rows.saturating_mul(parameters).saturating_mul(8);
        if bytes > limit {
            return Err(OptimizeError::TooLarge { method, parameters, rows, bytes, limit });
        }
        self.theta = theta.to_vec();
        self.residual.resize(rows, 0.0);
        self.evaluate_held(system, rows, parameters).await
    }

    async fn evaluate_held<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        rows: usize,
        parameters: usize,
    ) -> Result<(), OptimizeError> {
        if self.held.shape() != (rows, parameters) {
            self.held = DMatrix::zeros(rows, parameters);
        }
        Ok(system.jacobian(&self.theta, &mut self.residual, self.held.as_view_mut()).await?)
    }

    /// J, as [`Linearisation::at_within`] always holds it; else perhaps empty.
    pub fn whole(&self) -> DMatrixView<'_, f64> {
        self.held.as_view()
    }

    /// Whether J is in memory.
    pub fn is_held(&self) -> bool {
        self.held.nrows() > 0
    }

    /// Visits J in blocks of rows.
    pub async fn blocks<S: ResidualSystem>(
        &self,
        system: &mut S,
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), OptimizeError> {
        if self.is_held() {
            visit(0, self.held.as_view());
            return Ok(());
        }
        Ok(system.jacobian_blocks(&self.theta, visit).await?)
    }

    /// `J V`.
    pub async fn multiply<S: ResidualSystem>(
        &self,
        system: &mut S,
        v: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, OptimizeError> {
        if self.is_held() {
            Ok(product(self.held.as_view(), v))
        } else {
            Ok(system.multiply(&self.theta, v).await?)
        }
    }

    /// `J^T W`.
    pub async fn multiply_transposed<S: ResidualSystem>(
        &self,
        system: &mut S,
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, OptimizeError> {
        if self.is_held() {
            return Ok(transposed_product(self.held.as_view(), w));
        }
        Ok(system.multiply_transposed(&self.theta, w).await?)
    }

    /// `J^T r`: half the gradient of R.
    pub async fn gradient<S: ResidualSystem>(
        &self,
        system: &mut S,
    ) -> Result<Vec<f64>, OptimizeError> {
        if self.is_held() {
            return Ok(transposed_times(self.held.as_view(), &self.residual));
        }
        let r = DMatrixView::from_slice(&self.residual, self.residual.len(), 1);
        Ok(system.multiply_transposed(&self.theta, r).await?.as_slice().to_vec())
    }

    /// Whether products are the system's own, and no blocks of J need come here.
    fn has_products<S: ResidualSystem>(&self, system: &S) -> bool {
        !self.is_held() && system.has_products()
    }

    /// `J^T J V`, in one pass over the blocks.
    pub async fn gram_times<S: ResidualSystem>(
        &self,
        system: &mut S,
        v: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, OptimizeError> {
        if self.has_products(system) {
            let image = system.multiply(&self.theta, v).await?;
            return Ok(system.multiply_transposed(&self.theta, image.as_view()).await?);
        }
        let mut gram = DMatrix::zeros(v.nrows(), v.ncols());
        self.blocks(system, &mut |_, block| {
            let image = product(block, v);
            add_transposed_product(gram.as_view_mut(), block, image.as_view());
        })
        .await?;
        Ok(gram)
    }

    /// `J Omega` for a random test matrix, by its fast product, and `J^T r`, in one pass over the
    /// blocks.
    pub async fn sketch<S: ResidualSystem>(
        &self,
        system: &mut S,
        test: &TestMatrix,
    ) -> Result<(DMatrix<f64>, Vec<f64>), OptimizeError> {
        if self.has_products(system) {
            let product = system.multiply(&self.theta, test.dense().as_view()).await?;
            return Ok((product, self.gradient(system).await?));
        }
        let mut product = DMatrix::zeros(self.residual.len(), test.columns());
        let mut gradient = vec![0.0; system.parameters()];
        self.blocks(system, &mut |first, block| {
            let rows = block.nrows();
            test.apply(block, product.rows_mut(first, rows));
            let part = transposed_times(block, &self.residual[first..first + rows]);
            gradient.iter_mut().zip(part).for_each(|(g, part)| *g += part);
        })
        .await?;
        Ok((product, gradient))
    }

    /// `J J^T` (n x n). Where J is not held, strips of its rows are: one sweep of all blocks each.
    pub async fn kernel<S: ResidualSystem>(
        &self,
        system: &mut S,
    ) -> Result<DMatrix<f64>, OptimizeError> {
        let (rows, parameters) = (self.residual.len(), system.parameters());
        if self.is_held() {
            return Ok(product_transposed(self.held.as_view(), self.held.as_view()));
        }
        let mut kernel = DMatrix::zeros(rows, rows);
        let height = (self.limit / parameters.max(1)).clamp(1, rows);
        // During the sweep for one strip the next one is copied; the first sweep only copies.
        let mut strip = DMatrix::<f64>::zeros(0, parameters);
        let mut start = 0;
        loop {
            let next = start + strip.nrows();
            let mut copied = DMatrix::zeros(height.min(rows - next), parameters);
            self.blocks(system, &mut |first, block| {
                if strip.nrows() > 0 {
                    let shape = (block.nrows(), strip.nrows());
                    let out = kernel.view_mut((first, start), shape);
                    add_product_transposed(out, block, strip.as_view());
                }
                let (low, high) =
                    (first.max(next), (first + block.nrows()).min(next + copied.nrows()));
                if low < high {
                    let rows = block.rows(low - first, high - low);
                    copied.rows_mut(low - next, high - low).copy_from(&rows);
                }
            })
            .await?;
            if next == rows {
                return Ok(kernel);
            }
            (strip, start) = (copied, next);
        }
    }
}

/// `G = J^T J` by its products.
pub struct GramOperator<'a, S> {
    pub system: &'a mut S,
    pub linearisation: &'a Linearisation,
}

impl<S: ResidualSystem> SymmetricOperator for GramOperator<'_, S> {
    type Error = OptimizeError;

    fn dimension(&self) -> usize {
        self.system.parameters()
    }

    async fn apply(&mut self, v: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, OptimizeError> {
        self.linearisation.gram_times(self.system, v).await
    }
}

/// `K = J J^T` by its products.
pub struct KernelOperator<'a, S> {
    pub system: &'a mut S,
    pub linearisation: &'a Linearisation,
}

impl<S: ResidualSystem> SymmetricOperator for KernelOperator<'_, S> {
    type Error = OptimizeError;

    fn dimension(&self) -> usize {
        self.linearisation.residual.len()
    }

    async fn apply(&mut self, v: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, OptimizeError> {
        let transposed = self.linearisation.multiply_transposed(self.system, v).await?;
        self.linearisation.multiply(self.system, transposed.as_view()).await
    }
}
