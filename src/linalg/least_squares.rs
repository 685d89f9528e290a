//! The solver object: settings, choice of method, reusable memory.

use std::convert::Infallible;

use nalgebra::{DMatrix, DMatrixView};

use super::blocks::reshape;
use super::damped::{Damped, NormalEquations};
use super::decomposition::{Decomposition, not_finite};
use super::error::LeastSquaresError;
use super::factorisation::{Factorisation, Filter, Sketched, Solution, check_right_hand_side};
use super::lsqr::{LsqrOutcome, LsqrSettings, TruncatedPreconditioner, lsqr};
use super::nystrom_cg::{NystromCgSettings, nystrom_cg};
use super::operator::{InMemory, TallOperator, in_memory};
use super::sample::RowSample;
use super::sketch::RowSketch;
use crate::problem::{Regularisation, Solver};
use crate::scalar::Real;

/// Singular values below this share of the largest are lost in a Gram matrix of f64:
/// the square root of the unit round-off, with a factor for its accumulation. `Solver::Auto` turns
/// to pivoted QR below it; `Solver::Gram` asked for by name runs all the same and misses them.
pub const GRAM_FLOOR: f64 = 1e-7;
/// Operations of a Gram product above which the sketch is faster.
const SKETCHING_PAYS: f64 = 3e9;
/// Rows of the sample that preconditions damped LSQR, over the columns.
const SAMPLED: usize = 1;
/// Columns over the rank of a Nystrom preconditioner, and its least rank.
const NYSTROM_SHARE: usize = 4;
const LEAST_RANK: usize = 10;
/// Conjugate gradients end at this part of the first gradient, or after so many iterations.
const CG_TOLERANCE: f64 = 1e-6;
const CG_ITERATIONS: usize = 200;
/// Iterations after which a sample counts as a bad one: a sketch takes four to six.
const PATIENCE: usize = 12;

/// Entries of a matrix in memory above which products without it are cheaper: it is read from
/// memory once per iteration, and was written there in the first place.
const MOST_STORED: usize = 1 << 25;

/// What a [`LeastSquares`] solver is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub solver: Solver,
    pub regularisation: Regularisation,
    /// Cutoff or damping relative to the largest singular value.
    pub rcond: f64,
    /// Of the row sketch.
    pub seed: u64,
    /// Sketch rows per column.
    pub oversampling: f64,
    /// Passes of iterative refinement after a direct solve with a Gram matrix.
    pub refinements: usize,
    /// Of LSQR; its damping is set from `rcond`.
    pub lsqr: LsqrSettings,
    /// Entries of the largest matrix that [`LeastSquares::unstored`] would rather have in memory.
    pub most_stored: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            solver: Solver::Auto,
            regularisation: Regularisation::Truncate,
            rcond: 1e-5,
            seed: 0,
            oversampling: 2.0,
            refinements: 0,
            lsqr: LsqrSettings::default(),
            most_stored: MOST_STORED,
        }
    }
}

/// Regularised least squares `min |J v - r|`. Keep one per loop: its memory is reused.
#[derive(Debug, Default)]
pub struct LeastSquares {
    pub settings: Settings,
    decomposition: Decomposition,
    pub(super) damped: Damped,
    sketched: DMatrix<f64>,
}

impl LeastSquares {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Factors J (n x s), for any number of right-hand sides, cutoffs and dampings.
    /// Cutoffs below `settings.rcond` may find singular values missing. `epoch` numbers the sketch
    /// (the time step, say); the direct methods do not look at it.
    ///
    /// # Errors
    /// `Empty`, `Cutoff`, `MatrixNotFinite`, `Overflow` or `NoConvergence`.
    pub fn factor<'a, T: Real>(
        &'a mut self,
        j: DMatrixView<'a, T>,
        epoch: u64,
    ) -> Result<Factorisation<'a, T>, LeastSquaresError> {
        let Settings { rcond, refinements, .. } = self.settings;
        self.check(j)?;
        let solver = self.settings.choose(j.nrows(), j.ncols());
        let mut sketched = None;
        match solver {
            Solver::Svd => self.decomposition.svd(j)?,
            Solver::PivotedQr => self.decomposition.pivoted_qr(j)?,
            Solver::SketchAndSolve | Solver::SketchedLsqr => {
                let sketch = self.sketch(j, epoch);
                let outcome = if rcond >= GRAM_FLOOR {
                    self.decomposition.gram(self.sketched.as_view())
                } else {
                    self.decomposition.pivoted_qr(self.sketched.as_view())
                };
                outcome.map_err(|error| in_original(error, j))?;
                sketched = Some(Sketched { sketch, matrix: &self.sketched });
            }
            Solver::Auto | Solver::Gram | Solver::NystromCg => self.decomposition.gram(j)?,
        }
        let decomposition = &self.decomposition;
        Ok(Factorisation { matrix: j, sketched, decomposition, solver, refinements })
    }

    /// Forms `J^T J` (or `J J^T`), for a few dampings: cheaper than [`Self::factor`].
    ///
    /// # Errors
    /// `Empty`, `Cutoff`, `MatrixNotFinite` or `Overflow`.
    pub fn normal_equations<'a, T: Real>(
        &'a mut self,
        j: DMatrixView<'a, T>,
    ) -> Result<NormalEquations<'a, T>, LeastSquaresError> {
        self.check(j)?;
        self.damped.form(j)?;
        let refinements = self.settings.refinements;
        Ok(NormalEquations { matrix: j, damped: &mut self.damped, refinements })
    }

    /// Solves for one right-hand side with `settings`.
    ///
    /// # Errors
    /// Those of [`Self::factor`], `Shape` and `RightHandSideNotFinite`.
    pub fn solve<T: Real>(
        &mut self,
        j: DMatrixView<'_, T>,
        r: &[f64],
        epoch: u64,
    ) -> Result<Solution, LeastSquaresError> {
        self.check(j)?;
        check_right_hand_side(j.nrows(), r)?;
        let solver = self.settings.choose(j.nrows(), j.ncols());
        if solver == Solver::NystromCg {
            return self.solve_nystrom(&mut InMemory::new(j), r, epoch);
        }
        let damp = self.settings.regularisation == Regularisation::Damp;
        if damp
            && solver == Solver::SketchedLsqr
            && let Some(solution) = self.solve_sampled(j, r, epoch)?
        {
            return Ok(solution);
        }
        if damp && matches!(solver, Solver::Gram | Solver::SketchAndSolve | Solver::SketchedLsqr) {
            let sketch = (solver != Solver::Gram).then(|| self.sketch(j, epoch));
            let formed = match sketch {
                None => self.damped.form(j),
                Some(_) => self.damped.form(self.sketched.as_view()),
            };
            formed.map_err(|error| in_original(error, j))?;
            // Otherwise the damping is lost in round-off, with which the factorisation below copes.
            if self.damped.damp(self.settings.rcond * self.damped.largest) {
                return Ok(self.solve_by_cholesky(j, r, sketch));
            }
        }
        let Settings { rcond, lsqr: settings, .. } = self.settings;
        let factorisation = self.factor(j, epoch)?;
        let lambda = rcond * factorisation.largest();
        if solver != Solver::SketchedLsqr {
            return if damp {
                factorisation.solve_damped(r, lambda)
            } else {
                factorisation.solve(r, rcond)
            };
        }
        let filter = if damp { Filter::Damp { lambda } } else { Filter::Truncate { rcond } };
        let start = factorisation.combine(&factorisation.project(r)?, filter);
        let preconditioner = TruncatedPreconditioner::new(&factorisation, rcond);
        let settings = LsqrSettings { damping: if damp { lambda } else { 0.0 }, ..settings };
        let mut operator = InMemory::new(j);
        let outcome = in_memory(lsqr(&mut operator, &preconditioner, r, start, settings));
        let rank = factorisation.rank(rcond);
        let LsqrOutcome { coefficients, residual, iterations, .. } = outcome;
        Ok(factorisation.solution(coefficients, &residual, r, rank, iterations))
    }

    /// LSQR preconditioned by the damped factor of a stratified sample of the rows; `None` where
    /// that does not converge soon, because a few rows matter that were not drawn.
    ///
    /// # Errors
    /// `MatrixNotFinite` or `Overflow`.
    pub(super) fn solve_sampled<T: Real>(
        &mut self,
        j: DMatrixView<'_, T>,
        r: &[f64],
        epoch: u64,
    ) -> Result<Option<Solution>, LeastSquaresError> {
        let sample = RowSample::new(self.settings.seed, epoch, r.len(), SAMPLED * j.ncols());
        sample.gather(j, &mut self.sketched);
        let sampled = self.sketched.as_view();
        self.damped.form(sampled).map_err(|error| in_original(error, j))?;
        if !self.damped.damp(self.settings.rcond * self.damped.largest) {
            return Ok(None);
        }
        let damped = &self.damped;
        let start = damped.solve_once(sampled, &sample.gather_vector(r));
        let settings = LsqrSettings {
            damping: damped.lambda,
            max_iterations: PATIENCE.min(self.settings.lsqr.max_iterations),
            ..self.settings.lsqr
        };
        let mut operator = InMemory::new(j);
        let outcome = in_memory(lsqr(&mut operator, damped, r, start, settings));
        let LsqrOutcome { coefficients, residual, iterations, converged } = outcome;
        let solver = Solver::SketchedLsqr;
        Ok(converged.then(|| damped.solution(coefficients, &residual, r, iterations, solver)))
    }

    /// Conjugate gradients on the damped normal equations.
    pub(super) fn solve_nystrom<O: TallOperator<Error = Infallible>>(
        &mut self,
        operator: &mut O,
        r: &[f64],
        epoch: u64,
    ) -> Result<Solution, LeastSquaresError> {
        let settings = NystromCgSettings {
            rank: operator.columns().div_ceil(NYSTROM_SHARE).max(LEAST_RANK),
            rcond: self.settings.rcond,
            tolerance: CG_TOLERANCE,
            max_iterations: CG_ITERATIONS,
            seed: self.settings.seed,
            epoch,
        };
        let outcome = nystrom_cg(operator, r, settings)?;
        self.damped.largest = outcome.largest;
        let (v, residual) = (outcome.coefficients, outcome.residual);
        Ok(self.damped.solution(v, &residual, r, outcome.iterations, Solver::NystromCg))
    }

    /// After `damped.factor` of the matrix, or of its sketch.
    fn solve_by_cholesky<T: Real>(
        &mut self,
        j: DMatrixView<'_, T>,
        r: &[f64],
        sketch: Option<RowSketch>,
    ) -> Solution {
        let damped = &self.damped;
        let refinements = self.settings.refinements;
        let solver = self.settings.choose(j.nrows(), j.ncols());
        let (v, residual, iterations) = match sketch {
            None => {
                let (v, residual) = damped.solve_refined(j, r, refinements);
                (v, residual, refinements)
            }
            Some(sketch) => {
                let reduced = sketch.apply_to_vector(r);
                let start = damped.solve_once(self.sketched.as_view(), &reduced);
                let passes =
                    usize::from(solver == Solver::SketchedLsqr) * self.settings.lsqr.passes;
                let settings =
                    LsqrSettings { damping: damped.lambda, passes, ..self.settings.lsqr };
                let mut operator = InMemory::new(j);
                let outcome = in_memory(lsqr(&mut operator, damped, r, start, settings));
                (outcome.coefficients, outcome.residual, outcome.iterations)
            }
        };
        damped.solution(v, &residual, r, iterations, solver)
    }

    fn check<T: Real>(&self, j: DMatrixView<'_, T>) -> Result<(), LeastSquaresError> {
        let (rows, columns) = j.shape();
        let rcond = self.settings.rcond;
        if j.is_empty() {
            return Err(LeastSquaresError::Empty { rows, columns });
        }
        if !(0.0..1.0).contains(&rcond) {
            return Err(LeastSquaresError::Cutoff { rcond });
        }
        Ok(())
    }

    /// Fills `sketched` with S J.
    fn sketch<T: Real>(&mut self, j: DMatrixView<'_, T>, epoch: u64) -> RowSketch {
        let s = j.ncols();
        let rows = (self.settings.oversampling * s as f64).ceil() as usize;
        let sketch = RowSketch::new(self.settings.seed, epoch, rows.max(s));
        reshape(&mut self.sketched, sketch.sketch_rows(), s);
        self.sketched.fill(0.0);
        sketch.add(j, 0, self.sketched.as_mut_slice());
        sketch
    }
}

impl Settings {
    /// The method that runs for an n x s matrix (see the module's table).
    #[must_use]
    pub fn choose(&self, n: usize, s: usize) -> Solver {
        let direct = if self.rcond < GRAM_FLOOR { Solver::PivotedQr } else { Solver::Gram };
        match self.solver {
            Solver::Auto if n >= 4 * s && n as f64 * (s as f64).powi(2) > SKETCHING_PAYS => {
                Solver::SketchedLsqr
            }
            Solver::Auto => direct,
            // A sketch with as many rows as the matrix saves nothing.
            Solver::SketchAndSolve | Solver::SketchedLsqr
                if n as f64 <= self.oversampling * s as f64 =>
            {
                direct
            }
            other => other,
        }
    }
}

/// An entry of the sketch is not finite because one of the matrix is not, or they are too large.
fn in_original<T: Real>(error: LeastSquaresError, j: DMatrixView<'_, T>) -> LeastSquaresError {
    match error {
        LeastSquaresError::MatrixNotFinite { .. } | LeastSquaresError::Overflow { .. } => {
            not_finite(j)
        }
        other => other,
    }
}
