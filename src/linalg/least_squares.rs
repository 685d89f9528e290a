//! The solver object: settings, choice of method, reusable memory.

use faer::MatRef;

use super::buffer::Buffer;
use super::decomposition::Decomposition;
use super::error::LeastSquaresError;
use super::factorisation::{Factorisation, Sketched, Solution, check_right_hand_side};
use super::products::columns;
use super::sketch::RowSketch;
use crate::problem::Solver;
use crate::scalar::Real;

/// Singular values below this share of the largest are lost in a Gram matrix of f64:
/// the square root of the unit round-off, with a factor for its accumulation.
pub const GRAM_FLOOR: f64 = 1e-7;

/// What a [`LeastSquares`] solver is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub solver: Solver,
    /// Singular values below `rcond` times the largest are left out.
    pub rcond: f64,
    /// Of the row sketch.
    pub seed: u64,
    /// Sketch rows per column.
    pub oversampling: f64,
    /// Passes of iterative refinement after a solve with a Gram matrix.
    pub refinements: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { solver: Solver::Auto, rcond: 1e-5, seed: 0, oversampling: 2.0, refinements: 0 }
    }
}

/// Truncated least squares `min |J v - r|`. Keep one per loop: its memory is reused.
#[derive(Debug, Default)]
pub struct LeastSquares {
    pub settings: Settings,
    decomposition: Decomposition,
    sketched: Buffer,
}

impl LeastSquares {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Factors J (n x s, column-major), for any number of right-hand sides, cutoffs and dampings.
    /// Cutoffs below `settings.rcond` may find singular values missing. `epoch` numbers the sketch
    /// (the time step, say); the direct methods do not look at it.
    ///
    /// # Errors
    /// `Empty`, `Layout`, `Cutoff`, `MatrixNotFinite`, `Overflow` or `NoConvergence`.
    pub fn factor<'a, T: Real>(
        &'a mut self,
        j: MatRef<'a, T>,
        epoch: u64,
    ) -> Result<Factorisation<'a, T>, LeastSquaresError> {
        let (rows, s) = j.shape();
        let Settings { rcond, seed, oversampling, refinements, .. } = self.settings;
        if rows == 0 || s == 0 {
            return Err(LeastSquaresError::Empty { rows, columns: s });
        }
        if !(0.0..1.0).contains(&rcond) {
            return Err(LeastSquaresError::Cutoff { rcond });
        }
        let matrix = columns(j)?;
        let solver = choose(self.settings.solver, rows, s, rcond);
        let mut sketched = None;
        match solver {
            Solver::Svd => self.decomposition.svd(&matrix)?,
            Solver::PivotedQr => self.decomposition.pivoted_qr(&matrix)?,
            Solver::SketchAndSolve | Solver::SketchedLsqr => {
                let sketch = RowSketch::new(seed, epoch, (oversampling * s as f64) as usize);
                let reduced = self.sketched.reshape(sketch.sketch_rows(), s);
                let mut reduced = reduced;
                reduced.fill(0.0);
                sketch.add(&matrix, 0, &mut self.sketched.columns_mut());
                let columns = self.sketched.columns();
                if rcond >= GRAM_FLOOR {
                    self.decomposition.gram(&columns, rcond)?;
                } else {
                    self.decomposition.pivoted_qr(&columns)?;
                }
                sketched = Some(Sketched { sketch, columns });
            }
            Solver::Auto | Solver::Gram => self.decomposition.gram(&matrix, rcond)?,
        }
        let decomposition = &self.decomposition;
        Ok(Factorisation { matrix, sketched, decomposition, solver, refinements })
    }

    /// Solves `min |J v - r|` at `settings.rcond`.
    ///
    /// # Errors
    /// Those of [`Self::factor`], `Shape` and `RightHandSideNotFinite`.
    pub fn solve<T: Real>(
        &mut self,
        j: MatRef<'_, T>,
        r: &[f64],
        epoch: u64,
    ) -> Result<Solution, LeastSquaresError> {
        check_right_hand_side(j.nrows(), r)?;
        let rcond = self.settings.rcond;
        self.factor(j, epoch)?.solve(r, rcond)
    }
}

/// The method that runs for n x s at a cutoff (see the module's table).
fn choose(wanted: Solver, n: usize, s: usize, rcond: f64) -> Solver {
    match wanted {
        Solver::Auto if rcond < GRAM_FLOOR => Solver::PivotedQr,
        Solver::Auto if n >= 4 * s && n as f64 * (s as f64).powi(2) > 1e9 => Solver::SketchedLsqr,
        Solver::Auto => Solver::Gram,
        // A sketch of fewer than twice its own rows saves nothing.
        Solver::SketchAndSolve | Solver::SketchedLsqr if n <= 2 * s => Solver::Gram,
        other => other,
    }
}
