//! The residual and its Jacobian at one point: held in memory where they fit, else in blocks.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, get_global_parallelism};

use super::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::linalg::{SymmetricOperator, TestMatrix};

/// Entries of a Jacobian that is held in memory (256 MiB); a larger one is taken in blocks of rows
/// again and again.
const HELD: usize = 1 << 25;

/// r, J and their products at the last point of [`Linearisation::at`].
#[derive(Debug)]
pub struct Linearisation {
    pub residual: Vec<f64>,
    theta: Vec<f64>,
    /// J; empty where it is taken in blocks.
    held: Mat<f64>,
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
        Self { residual: Vec::new(), theta: Vec::new(), held: Mat::new(), limit }
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
            self.held = Mat::new();
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
        self.held = Mat::new();
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
            self.held = Mat::zeros(rows, parameters);
        }
        Ok(system.jacobian(&self.theta, &mut self.residual, self.held.as_mut()).await?)
    }

    /// J, as [`Linearisation::at_within`] always holds it; else perhaps empty.
    pub fn whole(&self) -> MatRef<'_, f64> {
        self.held.as_ref()
    }

    /// Whether J is in memory.
    pub fn is_held(&self) -> bool {
        self.held.nrows() > 0
    }

    /// Visits J in blocks of rows.
    pub async fn blocks<S: ResidualSystem>(
        &self,
        system: &mut S,
        visit: &mut dyn FnMut(usize, MatRef<'_, f64>),
    ) -> Result<(), OptimizeError> {
        if self.is_held() {
            visit(0, self.held.as_ref());
            return Ok(());
        }
        Ok(system.jacobian_blocks(&self.theta, visit).await?)
    }

    /// `J V`.
    pub async fn multiply<S: ResidualSystem>(
        &self,
        system: &mut S,
        v: MatRef<'_, f64>,
    ) -> Result<Mat<f64>, OptimizeError> {
        if self.is_held() {
            Ok(&self.held * v)
        } else {
            Ok(system.multiply(&self.theta, v).await?)
        }
    }

    /// `J^T W`.
    pub async fn multiply_transposed<S: ResidualSystem>(
        &self,
        system: &mut S,
        w: MatRef<'_, f64>,
    ) -> Result<Mat<f64>, OptimizeError> {
        if self.is_held() {
            return Ok(self.held.transpose() * w);
        }
        Ok(system.multiply_transposed(&self.theta, w).await?)
    }

    /// `J^T r`: half the gradient of R.
    pub async fn gradient<S: ResidualSystem>(
        &self,
        system: &mut S,
    ) -> Result<Vec<f64>, OptimizeError> {
        let r = MatRef::from_column_major_slice(&self.residual, self.residual.len(), 1);
        Ok(self.multiply_transposed(system, r).await?.col(0).iter().copied().collect())
    }

    /// Whether products are the system's own, and no blocks of J need come here.
    fn has_products<S: ResidualSystem>(&self, system: &S) -> bool {
        !self.is_held() && system.has_products()
    }

    /// `J^T J V`, in one pass over the blocks.
    pub async fn gram_times<S: ResidualSystem>(
        &self,
        system: &mut S,
        v: MatRef<'_, f64>,
    ) -> Result<Mat<f64>, OptimizeError> {
        if self.has_products(system) {
            let image = system.multiply(&self.theta, v).await?;
            return Ok(system.multiply_transposed(&self.theta, image.as_ref()).await?);
        }
        let mut product = Mat::zeros(v.nrows(), v.ncols());
        self.blocks(system, &mut |first, block| {
            let par = get_global_parallelism();
            let mut image = Mat::zeros(block.nrows(), v.ncols());
            matmul(image.as_mut(), Accum::Replace, block, v, 1.0, par);
            matmul(product.as_mut(), Accum::Add, block.transpose(), image, 1.0, par);
            let _ = first;
        })
        .await?;
        Ok(product)
    }

    /// `J Omega` for a random test matrix, by its fast product, and `J^T r`, in one pass over the
    /// blocks.
    pub async fn sketch<S: ResidualSystem>(
        &self,
        system: &mut S,
        test: &TestMatrix,
    ) -> Result<(Mat<f64>, Vec<f64>), OptimizeError> {
        if self.has_products(system) {
            let product = system.multiply(&self.theta, test.dense().as_ref()).await?;
            return Ok((product, self.gradient(system).await?));
        }
        let mut product = Mat::zeros(self.residual.len(), test.columns());
        let mut gradient = vec![0.0; system.parameters()];
        let par = get_global_parallelism();
        self.blocks(system, &mut |first, block| {
            let rows = block.nrows();
            test.apply(block, product.as_mut().subrows_mut(first, rows));
            let r = MatRef::from_column_major_slice(&self.residual[first..first + rows], rows, 1);
            let parameters = gradient.len();
            let out = faer::MatMut::from_column_major_slice_mut(&mut gradient, parameters, 1);
            matmul(out, Accum::Add, block.transpose(), r, 1.0, par);
        })
        .await?;
        Ok((product, gradient))
    }

    /// `J J^T` (n x n). Where J is not held, strips of its rows are: one sweep of all blocks each.
    pub async fn kernel<S: ResidualSystem>(
        &self,
        system: &mut S,
    ) -> Result<Mat<f64>, OptimizeError> {
        let (rows, parameters) = (self.residual.len(), system.parameters());
        let mut kernel = Mat::zeros(rows, rows);
        let par = get_global_parallelism();
        if self.is_held() {
            let jacobian = &self.held;
            matmul(kernel.as_mut(), Accum::Replace, jacobian, jacobian.transpose(), 1.0, par);
            return Ok(kernel);
        }
        let height = (self.limit / parameters.max(1)).clamp(1, rows);
        // During the sweep for one strip the next one is copied; the first sweep only copies.
        let mut strip = Mat::<f64>::zeros(0, parameters);
        let mut start = 0;
        loop {
            let next = start + strip.nrows();
            let mut copied = Mat::zeros(height.min(rows - next), parameters);
            self.blocks(system, &mut |first, block| {
                if strip.nrows() > 0 {
                    let out =
                        kernel.as_mut().submatrix_mut(first, start, block.nrows(), strip.nrows());
                    matmul(out, Accum::Replace, block, strip.transpose(), 1.0, par);
                }
                let (low, high) =
                    (first.max(next), (first + block.nrows()).min(next + copied.nrows()));
                if low < high {
                    let rows = block.subrows(low - first, high - low);
                    copied.as_mut().subrows_mut(low - next, high - low).copy_from(rows);
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

    async fn apply(&mut self, v: MatRef<'_, f64>) -> Result<Mat<f64>, OptimizeError> {
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

    async fn apply(&mut self, v: MatRef<'_, f64>) -> Result<Mat<f64>, OptimizeError> {
        let transposed = self.linearisation.multiply_transposed(self.system, v).await?;
        self.linearisation.multiply(self.system, transposed.as_ref()).await
    }
}

/// |x|.
pub fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
