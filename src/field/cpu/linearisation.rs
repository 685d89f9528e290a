//! The forward pass at some parameters, kept for what is linear there.

use nalgebra::DMatrixViewMut;

use super::columns::Plan;
use super::kernel::Kernel;
use super::output::Output;
use super::sweep::{Request, Seed, Wanted};
use super::tangent::Direction;
use super::tile::Lanes;
use super::weights::Weights;
use super::{Evaluator, Field};
use crate::linalg::row_blocks;
use crate::scalar::Real;

/// Bytes of forward passes above which they are swept again rather than kept: 24,000 points of the
/// published network in f64 with second derivatives.
const MOST_KEPT: usize = 256 << 20;

/// The forward pass at parameters theta: z, h and sigma'(z) of every layer, channel and point.
/// From it come the Jacobian's columns and any number of tangents without another.
pub struct Linearisation<T> {
    theta: Vec<f64>,
    weights: Option<Weights<T>>,
    passes: Lanes<T>,
    /// Most bytes of `passes`; beyond it they are swept again when they are needed.
    most: usize,
    kept: bool,
}

impl<T: Real> Default for Linearisation<T> {
    fn default() -> Self {
        Self::keeping(MOST_KEPT)
    }
}

impl<T: Real> Linearisation<T> {
    /// At no parameters yet, and keeping passes of at most so many bytes.
    #[must_use]
    pub fn keeping(most: usize) -> Self {
        let (theta, passes) = (Vec::new(), Lanes::default());
        Self { theta, weights: None, passes, most, kept: false }
    }

    /// Does it stand at these parameters?
    #[must_use]
    pub fn is_at(&self, theta: &[f64]) -> bool {
        self.weights.is_some() && self.theta == theta
    }

    fn weights(&self) -> &Weights<T> {
        self.weights.as_ref().expect("a linearisation at some parameters")
    }

    fn request(&self, time: f64) -> Request<'_, T> {
        let kept = self.kept.then_some(&self.passes);
        Request { kept, ..Request::new(self.weights(), time) }
    }
}

impl<T: Kernel> Evaluator<T> {
    /// u and the right-hand side at every point, as [`Evaluator::field`], and in `at` what
    /// [`Evaluator::columns_at`] and [`Evaluator::field_at`] need; its memory is reused.
    pub fn linearise(&self, theta: &[f64], time: f64, at: &mut Linearisation<T>) -> Field {
        let weights = at.weights.insert(Weights::new(&self.network, theta));
        at.theta.clear();
        at.theta.extend_from_slice(theta);
        let lanes = self.kept_lanes();
        at.kept = lanes * T::LANES * size_of::<T>() <= at.most;
        let mut out = Output::fields(self.points, self.unknowns());
        if at.kept {
            at.passes.resize(lanes);
            out.passes = Some(&mut at.passes);
        }
        self.sweep(&Request::new(weights, time), &mut out);
        out.into_field()
    }

    /// The chosen columns of du/dtheta: [`Evaluator::columns`] of channel 0.
    ///
    /// # Panics
    /// When `at` is a linearisation at no parameters yet, or one of another evaluator.
    pub fn columns_at(&self, at: &Linearisation<T>, columns: &[u32], out: DMatrixViewMut<'_, T>) {
        assert_eq!((out.nrows(), out.ncols()), (self.rows(), columns.len()), "shape of J");
        let back = (&Plan::new(&self.network, columns), Seed::Channel(0));
        let mut output = Output::fields(self.points, self.unknowns());
        output.jacobian = row_blocks(out, self.points);
        let request = Request { back: Some(back), wanted: Wanted::Nothing, ..at.request(0.0) };
        self.sweep(&request, &mut output);
    }

    /// The chosen columns of dF/dtheta: [`Evaluator::rate_columns`].
    ///
    /// # Panics
    /// As [`Evaluator::columns_at`].
    pub fn rate_columns_at(
        &self,
        at: &Linearisation<T>,
        time: f64,
        columns: &[u32],
        out: DMatrixViewMut<'_, T>,
    ) {
        assert_eq!((out.nrows(), out.ncols()), (self.rows(), columns.len()), "shape of A");
        let back = (&Plan::new(&self.network, columns), Seed::RightHandSide);
        let mut output = Output::fields(self.points, self.unknowns());
        output.jacobian = row_blocks(out, self.points);
        let request = Request { back: Some(back), wanted: Wanted::Nothing, ..at.request(time) };
        self.sweep(&request, &mut output);
    }

    /// u and the right-hand side of u(theta) + (du/dtheta) direction: [`Evaluator::field_along`].
    ///
    /// # Panics
    /// As [`Evaluator::columns_at`].
    #[must_use]
    pub fn field_at(&self, at: &Linearisation<T>, direction: &[f64], time: f64) -> Field {
        let along = Direction::new(&self.network, at.weights(), direction);
        let mut out = Output::fields(self.points, self.unknowns());
        self.sweep(&Request { direction: Some(&along), ..at.request(time) }, &mut out);
        out.into_field()
    }
}
