//! A correction in the tangent space of the trained network.
//!
//! Near its minimum a training is slow: what is left of the residual lies along small singular values
//! of J, where a small change of the function is a large step of the parameters, and such steps are
//! not linear. The tangent space itself has no such trouble. With the network N trained to theta the
//! answer is sought as
//!
//! ```text
//! u(x) = N(x; theta) + (d/d eps) N(x; theta + eps c) at eps = 0,
//! min over c of |F(u)|^2 at other and more points than those of the training,
//! ```
//!
//! p coefficients of fixed functions, the network's own derivatives by its parameters. For a linear
//! equation that is one linear least-squares problem, truncated at round-off; for another one Newton's
//! method, whose first step leaves the square of the error. c is sought in the span of random
//! orthonormal columns as a step of Levenberg-Marquardt is, and the cutoff is the one whose answer has
//! the smallest residual at a second set of other points: coefficients that fit the first set too well
//! are noticed there.
//!
//! Such a linearised network is what the theory of the neural tangent kernel (Jacot, Gabriel, Hongler,
//! arXiv 1806.07572) is about; here its functions are those that training has found.

use nalgebra::DMatrix;

use super::{Found, in_subspace, share};
use crate::elsewhere::{Use, elsewhere};
use crate::error::OptimizeError;
use crate::field::residual::Collocation;
use crate::levenberg::{lift, test_matrix};
use crate::linalg::{Factorisation, Filter, LeastSquares, Settings, TestMatrix, TestMatrixKind};
use crate::problem::{ResidualProblem, Solver};

/// Columns of the first subspace; there are so many times as many where it is too small, up to the
/// most.
const COLUMNS: usize = 512;
const GROWTH: usize = 2;
const MOST_COLUMNS: usize = 1024;
/// Rows for each column.
const ROWS: usize = 2;
/// The largest and the smallest cutoff of singular values that are tried, as powers of ten relative to
/// the largest.
const CUTOFFS: std::ops::RangeInclusive<i32> = -15..=-5;
/// Singular values below this share of the largest are round-off; a subspace of which more than this
/// part is above it is too small.
const LEAST_CUTOFF: f64 = 1e-14;
const FULL: f64 = 0.9;
/// Linearisations, and solves with each of them.
const LINEARISATIONS: usize = 4;
const SOLVES: usize = 3;
/// A solve that leaves more than this share of |r| is the last one.
const GAIN: f64 = 0.5;

/// The best correction in the tangent space at `best`, in its place.
pub fn correct(
    problem: &ResidualProblem,
    choosing: &mut Collocation,
    best: &mut Found,
) -> Result<(), OptimizeError> {
    let mut solving = elsewhere(problem, Use::Correction, None);
    let parameters = best.parameters.len() / 2;
    let mut columns = COLUMNS;
    for round in 0..LINEARISATIONS {
        let subspace = Subspace::new(&mut solving, &best.parameters, columns, problem.seed, round)?;
        let solved = subspace.solve(&mut solving, choosing, best)?;
        let most = MOST_COLUMNS.min(parameters).min(subspace.matrix.nrows() / ROWS);
        if solved.full && columns < most {
            columns *= GROWTH;
        } else if solved.left > GAIN {
            break;
        }
    }
    Ok(())
}

/// What came of one linearisation.
struct Solved {
    /// Share of |r| that is left.
    left: f64,
    /// Whether nearly all columns are independent: more of them would tell more.
    full: bool,
}

/// `W = J Omega` at some parameters.
struct Subspace {
    test: TestMatrix,
    matrix: DMatrix<f64>,
}

impl Subspace {
    fn new(
        solving: &mut Collocation,
        at: &[f64],
        columns: usize,
        seed: u64,
        round: usize,
    ) -> Result<Self, OptimizeError> {
        let rows = solving.block_rows().iter().sum::<usize>();
        let parameters = at.len() / 2;
        let columns = columns.min(parameters).min(rows / ROWS).max(1);
        let kind = TestMatrixKind::Trigonometric;
        let test = test_matrix(kind, parameters, columns, seed, round);
        let matrix = in_subspace(solving, &test, at)?;
        Ok(Self { test, matrix })
    }

    /// Solves again and again with one decomposition, while that helps.
    fn solve(
        &self,
        solving: &mut Collocation,
        choosing: &mut Collocation,
        best: &mut Found,
    ) -> Result<Solved, OptimizeError> {
        let settings = Settings { solver: Solver::PivotedQr, rcond: 0.0, ..Settings::default() };
        let mut solver = LeastSquares::new(settings);
        let factorisation = solver.factor(self.matrix.as_view(), 0)?;
        let mut residual = vec![0.0; self.matrix.nrows()];
        let before = best.residual;
        for _ in 0..SOLVES {
            solving.residual(&best.parameters, &mut residual)?;
            let left = self.choose(&factorisation, &residual, choosing, best)?;
            if left > GAIN {
                break;
            }
        }
        let (rank, columns) = (factorisation.rank(LEAST_CUTOFF), self.matrix.ncols());
        let full = rank as f64 > FULL * columns as f64;
        Ok(Solved { left: share(best.residual, before), full })
    }

    /// The best cutoff for one residual; the share of |r| that is left.
    fn choose(
        &self,
        factorisation: &Factorisation<'_, f64>,
        residual: &[f64],
        choosing: &mut Collocation,
        best: &mut Found,
    ) -> Result<f64, OptimizeError> {
        let projection = factorisation.project(residual)?;
        let cutoffs: Vec<f64> = CUTOFFS.map(|power| 10f64.powi(power)).collect();
        let candidates: Vec<Vec<f64>> = cutoffs
            .iter()
            .map(|&rcond| {
                let y = factorisation.combine(&projection, Filter::Truncate { rcond });
                self.moved(&best.parameters, &y)
            })
            .collect();
        let slices: Vec<&[f64]> = candidates.iter().map(Vec::as_slice).collect();
        let losses = choosing.losses(&slices)?;
        let before = best.residual;
        for ((parameters, loss), &rcond) in candidates.into_iter().zip(losses).zip(&cutoffs) {
            if loss.sqrt() < best.residual {
                let rank = factorisation.rank(rcond);
                *best = Found { parameters, residual: loss.sqrt(), rank };
            }
        }
        Ok(share(best.residual, before))
    }

    /// theta and c - Omega y.
    fn moved(&self, parameters: &[f64], y: &[f64]) -> Vec<f64> {
        let (theta, c) = parameters.split_at(parameters.len() / 2);
        [theta, &lift(c, y, Some(&self.test))].concat()
    }
}
