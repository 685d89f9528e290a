//! Which parameters a step updates, and the linear map from their changes to the field.

use super::columns::Columns;
use super::engine::Engine;
use super::error::EvolveError;
use super::sampling::Draw;
use crate::linalg::{LeastSquares, LeastSquaresError, NormalEquations};
use crate::problem::Update;
use crate::random::{Philox, Stream};
use crate::scalar::Real;

/// Draws the subsets, without replacement, one draw per epoch.
#[derive(Clone, Debug)]
pub struct Subsets {
    random: Philox,
    /// p.
    parameters: usize,
    /// s; p for dense updates.
    pub count: usize,
    /// Draws so far: part of a run's state.
    pub epoch: u64,
    /// How the next one is drawn.
    pub how: Draw,
}

impl Subsets {
    #[must_use]
    pub fn new(seed: u64, parameters: usize, update: Update, columns: usize) -> Self {
        let count = if update == Update::Dense { parameters } else { columns.min(parameters) };
        let random = Philox::new(seed, Stream::Columns);
        Self { random, parameters, count, epoch: 0, how: Draw::Uniform }
    }

    /// The next subset.
    pub fn draw(&mut self) -> Vec<u32> {
        self.epoch += 1;
        let chosen = self.how.draw(&self.random, self.epoch, self.parameters, self.count);
        // A ranking names one subset; a correction with the same one would find nothing new.
        if matches!(self.how, Draw::Ranked(_)) {
            self.how = Draw::Uniform;
        }
        chosen
    }
}

/// J_s D at some theta: chosen columns of du/dtheta, each scaled to about unit length by D,
/// and the normal equations for one damping after another.
pub struct TangentSpace {
    pub chosen: Vec<u32>,
    /// The diagonal of D.
    scale: Vec<f64>,
    matrix: Columns,
}

impl TangentSpace {
    /// The tangent space at `theta` along the columns `chosen`.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn at(
        engine: &mut Engine,
        theta: &[f64],
        time: f64,
        chosen: Vec<u32>,
    ) -> Result<Self, EvolveError> {
        let mut matrix = engine.columns(theta, time, &chosen).await?;
        let scale = matrix.normalise();
        Ok(Self { chosen, scale, matrix })
    }

    /// The normal equations, formed once and good for many solves; `squares` lends its memory.
    ///
    /// # Errors
    /// When an entry of J is not finite.
    pub fn equations<'a>(
        &'a self,
        squares: &'a mut LeastSquares,
    ) -> Result<Equations<'a>, LeastSquaresError> {
        Ok(match &self.matrix {
            Columns::Single(m) => Equations::Single(squares.normal_equations(m.as_ref())?),
            Columns::Double(m) => Equations::Double(squares.normal_equations(m.as_ref())?),
        })
    }

    /// `theta + D scaled` on the chosen parameters.
    #[must_use]
    pub fn moved(&self, theta: &[f64], scaled: &[f64]) -> Vec<f64> {
        let mut moved = theta.to_vec();
        for ((&column, scale), v) in self.chosen.iter().zip(&self.scale).zip(scaled) {
            moved[column as usize] += scale * v;
        }
        moved
    }

    /// D scaled as a direction in the whole parameter space.
    #[must_use]
    pub fn direction(&self, parameters: usize, scaled: &[f64]) -> Vec<f64> {
        self.moved(&vec![0.0; parameters], scaled)
    }

    /// J D scaled.
    #[must_use]
    pub fn image(&self, scaled: &[f64]) -> Vec<f64> {
        self.matrix.multiply(scaled)
    }

    /// Gives the matrix's memory back to the engine.
    pub fn recycle(self, engine: &mut Engine) {
        engine.recycle(self.matrix);
    }
}

/// The normal equations of a [`TangentSpace`] in either precision.
pub enum Equations<'a> {
    Single(NormalEquations<'a, f32>),
    Double(NormalEquations<'a, f64>),
}

impl Equations<'_> {
    /// Estimate of the largest singular value.
    #[must_use]
    pub fn largest(&self) -> f64 {
        match self {
            Self::Single(e) => e.largest(),
            Self::Double(e) => e.largest(),
        }
    }

    /// The v of `min |J v - r|^2 + lambda^2 |v|^2`.
    ///
    /// # Errors
    /// When r is not finite or lambda drowns in round-off.
    pub fn solve(&mut self, r: &[f64], lambda: f64) -> Result<Vec<f64>, LeastSquaresError> {
        fn solve<T: Real>(
            equations: &mut NormalEquations<'_, T>,
            r: &[f64],
            lambda: f64,
        ) -> Result<Vec<f64>, LeastSquaresError> {
            equations.damp(lambda)?;
            equations.solve(r)
        }
        match self {
            Self::Single(e) => solve(e, r, lambda),
            Self::Double(e) => solve(e, r, lambda),
        }
    }
}
