//! What a step moves the parameters along, and the linear map from there to the field.

use nalgebra::DMatrix;

use super::columns::Columns;
use super::directions::Directions;
use super::engine::Engine;
use super::error::EvolveError;
use super::sampling::Draw;
use crate::linalg::{LeastSquares, LeastSquaresError, NormalEquations, PivotedQr, RowSample};
use crate::problem::{MethodSettings, Sampling, Update};
use crate::random::{Philox, Stream};
use crate::scalar::Real;

/// Rows per column in which pivots are looked for, and the draw of these rows: any will do.
const SAMPLED: usize = 4;
const SAMPLE_SEED: u64 = 0;

/// Draws the directions, one draw per epoch: subsets without replacement, or Gaussian sketches.
#[derive(Clone, Debug)]
pub struct Subsets {
    seed: u64,
    random: Philox,
    gaussian: bool,
    /// p.
    pub(super) parameters: usize,
    /// s; p for dense updates.
    pub count: usize,
    /// Whether s follows the run ([`super::growth`]).
    pub(super) adaptive: bool,
    /// Draws so far: part of a run's state.
    pub epoch: u64,
    /// How the next one is drawn.
    pub how: Draw,
}

impl Subsets {
    #[must_use]
    pub fn new(seed: u64, parameters: usize, method: &MethodSettings) -> Self {
        let dense = method.update == Update::Dense;
        let count = if dense { parameters } else { method.columns.min(parameters) };
        let random = Philox::new(seed, Stream::Columns);
        let gaussian = !dense && method.sampling == Sampling::Gaussian;
        let adaptive = !dense && method.adaptive_columns;
        Self { seed, random, gaussian, parameters, count, adaptive, epoch: 0, how: Draw::Uniform }
    }

    /// The next directions.
    pub fn draw(&mut self) -> Directions {
        self.epoch += 1;
        if self.gaussian {
            return Directions::gaussian(self.seed, self.epoch, self.parameters, self.count);
        }
        let chosen = self.how.draw(&self.random, self.epoch, self.parameters, self.count);
        // A ranking names one subset; a correction with the same one would find nothing new.
        if matches!(self.how, Draw::Ranked(_)) {
            self.how = Draw::Uniform;
        }
        Directions::Subset(chosen)
    }
}

/// J P D at some theta: du/dtheta along the directions P, each column scaled to about unit length by
/// D, and the normal equations for one damping after another.
pub struct TangentSpace {
    pub directions: Directions,
    /// The diagonal of D.
    scale: Vec<f64>,
    matrix: Columns,
}

impl TangentSpace {
    /// The tangent space at `theta` along these directions.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn at(
        engine: &mut Engine,
        theta: &[f64],
        time: f64,
        directions: Directions,
    ) -> Result<Self, EvolveError> {
        let mut matrix = directions.columns(engine, theta, time).await?;
        let scale = matrix.normalise();
        Ok(Self { directions, scale, matrix })
    }

    /// The normal equations, formed once and good for many solves; `squares` lends its memory.
    ///
    /// # Errors
    /// When an entry of J is not finite.
    pub fn equations<'a>(
        &'a self,
        squares: &'a mut LeastSquares,
    ) -> Result<Equations<'a>, LeastSquaresError> {
        Equations::of(&self.matrix, squares)
    }

    /// The numbers of columns that span the range of J P D above `rcond`, ascending; these columns;
    /// and the length of the longest: the pivots of a QR factorisation, of a sample of the rows where
    /// there are many.
    ///
    /// # Errors
    /// When an entry of J is not finite.
    pub fn independent(
        &self,
        rcond: f64,
    ) -> Result<(Vec<usize>, DMatrix<f64>, f64), LeastSquaresError> {
        let matrix = self.matrix.to_double();
        if !matrix.iter().all(|entry| entry.is_finite()) {
            return Err(LeastSquaresError::MatrixNotFinite { row: 0, column: 0 });
        }
        let rows = matrix.nrows();
        let sample = RowSample::new(SAMPLE_SEED, 0, rows, rows.min(SAMPLED * matrix.ncols()));
        let sampled = sample.picks();
        let sampled = DMatrix::from_fn(sampled.len(), matrix.ncols(), |i, k| {
            let (row, weight) = sampled[i];
            weight * matrix[(row as usize, k)]
        });
        let qr = PivotedQr::of(sampled);
        let largest = qr.pivots().next().unwrap_or(0.0);
        let rank = qr.pivots().take_while(|&pivot| pivot > rcond * largest).count();
        let mut chosen = qr.order[..rank].to_vec();
        chosen.sort_unstable();
        let columns = matrix.select_columns(&chosen);
        Ok((chosen, columns, largest))
    }

    /// The entries of D of these columns.
    #[must_use]
    pub fn scale_of(&self, columns: &[usize]) -> Vec<f64> {
        columns.iter().map(|&k| self.scale[k]).collect()
    }

    /// `theta + P D scaled`.
    #[must_use]
    pub fn moved(&self, theta: &[f64], scaled: &[f64]) -> Vec<f64> {
        let v: Vec<f64> = self.scale.iter().zip(scaled).map(|(d, v)| d * v).collect();
        self.directions.moved(theta, &v)
    }

    /// P D scaled as a direction in the whole parameter space.
    #[must_use]
    pub fn direction(&self, parameters: usize, scaled: &[f64]) -> Vec<f64> {
        self.moved(&vec![0.0; parameters], scaled)
    }

    /// J P D scaled.
    #[must_use]
    pub fn image(&self, scaled: &[f64]) -> Vec<f64> {
        self.matrix.multiply(scaled)
    }

    /// Gives the matrix's memory back to the engine, and the directions.
    pub fn recycle(self, engine: &mut Engine) -> Directions {
        engine.recycle(self.matrix);
        self.directions
    }
}

/// The normal equations of a [`TangentSpace`] in either precision.
pub enum Equations<'a> {
    Single(NormalEquations<'a, f32>),
    Double(NormalEquations<'a, f64>),
}

impl<'a> Equations<'a> {
    /// Of these columns; `squares` lends its memory.
    ///
    /// # Errors
    /// When an entry is not finite.
    pub fn of(
        matrix: &'a Columns,
        squares: &'a mut LeastSquares,
    ) -> Result<Self, LeastSquaresError> {
        Ok(match matrix {
            Columns::Single(m) => Self::Single(squares.normal_equations(m.as_view())?),
            Columns::Double(m) => Self::Double(squares.normal_equations(m.as_view())?),
        })
    }
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

    /// How many directions of J lie above lambda, about; all where lambda drowns in round-off.
    #[must_use]
    pub fn rank(&mut self, lambda: f64) -> usize {
        match self {
            Self::Single(e) => e.rank(lambda),
            Self::Double(e) => e.rank(lambda),
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
