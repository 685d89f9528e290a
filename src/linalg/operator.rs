//! A tall matrix known only by its products: what a matrix-free solver needs.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use nalgebra::DMatrixView;

use super::products::{multiply, multiply_both, multiply_transposed};
use crate::scalar::Real;

/// J (n x s) through `J v` and `J^T w`. The products are async because a GPU answers later; on the
/// CPU they are ready at once.
#[expect(async_fn_in_trait, reason = "the browser's futures are not Send, so no bound is wanted")]
pub trait TallOperator {
    /// What a product can fail with; `Infallible` on the CPU.
    type Error;

    /// n.
    fn rows(&self) -> usize;

    /// s.
    fn columns(&self) -> usize;

    /// `out = J v`; `v` has s entries, `out` n.
    async fn multiply(&mut self, v: &[f64], out: &mut [f64]) -> Result<(), Self::Error>;

    /// `out = J^T w`; `w` has n entries, `out` s.
    async fn multiply_transposed(&mut self, w: &[f64], out: &mut [f64]) -> Result<(), Self::Error>;

    /// `u = J v - alpha u` and `out = J^T u` with that u: an iteration of LSQR. To be overridden
    /// where one pass over J can do both.
    async fn multiply_both(
        &mut self,
        v: &[f64],
        alpha: f64,
        u: &mut [f64],
        out: &mut [f64],
    ) -> Result<(), Self::Error> {
        let mut image = vec![0.0; u.len()];
        self.multiply(v, &mut image).await?;
        u.iter_mut().zip(&image).for_each(|(u, image)| *u = image - alpha * *u);
        self.multiply_transposed(u, out).await
    }
}

/// A matrix in memory as an operator.
#[derive(Clone, Debug)]
pub struct InMemory<'a, T: Real>(DMatrixView<'a, T>);

impl<'a, T: Real> InMemory<'a, T> {
    #[must_use]
    pub fn new(matrix: DMatrixView<'a, T>) -> Self {
        Self(matrix)
    }
}

impl<T: Real> TallOperator for InMemory<'_, T> {
    type Error = Infallible;

    fn rows(&self) -> usize {
        self.0.nrows()
    }

    fn columns(&self) -> usize {
        self.0.ncols()
    }

    async fn multiply(&mut self, v: &[f64], out: &mut [f64]) -> Result<(), Infallible> {
        multiply(self.0, v, out);
        Ok(())
    }

    async fn multiply_transposed(&mut self, w: &[f64], out: &mut [f64]) -> Result<(), Infallible> {
        multiply_transposed(self.0, w, out);
        Ok(())
    }

    async fn multiply_both(
        &mut self,
        v: &[f64],
        alpha: f64,
        u: &mut [f64],
        out: &mut [f64],
    ) -> Result<(), Infallible> {
        multiply_both(self.0, v, alpha, u, out);
        Ok(())
    }
}

/// What a future gives that waits for nothing, because all it works on is in memory.
///
/// # Panics
/// Where it does wait for something.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("what is in memory waits for nothing"),
    }
}

/// [`at_once`] of what cannot fail.
pub(super) fn in_memory<R>(future: impl Future<Output = Result<R, Infallible>>) -> R {
    let Ok(result) = at_once(future);
    result
}
