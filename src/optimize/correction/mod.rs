//! What ends a training: a correction of the trained network that is found by linear least squares.
//!
//! ```text
//! u(x) = N(x; theta) + (d/d eps) N(x; theta + eps c) at eps = 0 + sum_j [ a_j cos(w_j . s) + b_j sin(w_j . s) ]
//! ```
//!
//! c is a correction in the network's tangent space ([`tangent`]), whose functions are those that the
//! training has found; the a and b are the outer weights of a second network, of one layer of sines
//! whose inner weights w are drawn ([`waves`]). All equations are linear in c, a and b where the problem
//! is linear, and solved by Newton's method where it is not, at other and more points than those of the
//! training; what fits these points too well is noticed at a second set of other points.

mod level;
mod tangent;
mod waves;

use nalgebra::DMatrix;

use super::elsewhere::{Use, elsewhere};
use super::error::OptimizeError;
use super::estimate::estimate;
use super::holes::holes;
use crate::field::network::Network;
use crate::field::residual::Collocation;
use crate::linalg::TestMatrix;
use crate::problem::ResidualProblem;

/// A correction leaves at most this share of |r|: a smaller gain can come with a larger error, as what is
/// rough makes most of a residual and least of an error.
const WORTHWHILE: f64 = 0.1;
/// Up to this share of what is given a residual is round-off.
const ROUND_OFF: f64 = 1e-12;
/// Up to this share an answer without any training is the answer, where there is no better one of its kind:
/// a thousand iterations end about there.
const ENOUGH: f64 = 1e-9;
/// The same of the estimated error around holes, where trainings end at about ten times that.
const ENOUGH_AROUND: f64 = 1e-3;

/// Parameters with a correction behind them, and what it has brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// theta, c, and the plane waves, one after the other
    /// ([`Network::split`](crate::field::network::Network::split)).
    pub parameters: Vec<f64>,
    /// |r| at points that neither the training nor the correction has used, without and with it.
    pub before: f64,
    pub after: f64,
    /// |r| of the function that is zero everywhere: the size of what is given.
    pub given: f64,
    /// Independent functions of the last solve.
    pub rank: usize,
    /// Frequencies of the plane waves; 0 where there are none.
    pub waves: usize,
}

impl Correction {
    /// Whether nothing is left that more training could take away.
    #[must_use]
    pub fn is_round_off(&self) -> bool {
        self.after <= ROUND_OFF * self.given
    }

    /// Whether there is nothing to train for.
    #[must_use]
    pub fn is_enough(&self, problem: &ResidualProblem) -> bool {
        let around = || !holes(problem).is_empty() && self.error(problem) <= ENOUGH_AROUND;
        self.after <= ENOUGH * self.given || around()
    }

    /// The estimated error; infinite where there is no estimate.
    fn error(&self, problem: &ResidualProblem) -> f64 {
        estimate(problem, &self.parameters).map_or(f64::INFINITY, |found| found.relative_l2)
    }

    fn is_worthwhile(&self) -> bool {
        self.after < WORTHWHILE * self.before
    }
}

/// What plane waves alone do, beside a network that is zero everywhere: of an untrained one they would have
/// to take away what it is. It is sought in stages of some seconds at most.
pub struct Untrained {
    choosing: Collocation,
    /// Zero: its residual is what is given.
    start: Found,
    search: waves::Search,
    stages: usize,
    correction: Option<Correction>,
    /// Whether that makes a training needless.
    enough: bool,
}

impl Untrained {
    /// # Errors
    /// Where a residual is not finite at one of the other points, here and below; or memory ends.
    pub fn new(problem: &ResidualProblem) -> Result<Self, OptimizeError> {
        let mut choosing = elsewhere(problem, Use::Choice, None);
        let start = Found::zero(&mut choosing)?;
        let search = waves::Search::new(problem, start.clone(), start.residual, false);
        Ok(Self { choosing, start, search, stages: 0, correction: None, enough: false })
    }

    /// Goes on until so many stages are done, or all are.
    ///
    /// # Errors
    /// As [`Untrained::new`]; what was found before stays.
    pub fn advance_to(
        &mut self,
        stages: usize,
        problem: &ResidualProblem,
    ) -> Result<(), OptimizeError> {
        while self.stages < stages && !self.search.is_over() {
            self.stages += 1;
            self.search.advance(problem)?;
            let Some(found) = self.search.found() else { continue };
            let found = found.clone().judged(&mut self.choosing)?;
            let found = found.against(&self.start, self.start.residual, self.choosing.network());
            // Next to a hole a residual is large, and hardly an error: there the estimate decides.
            let around = !holes(problem).is_empty();
            self.correction = Some(found).filter(|found| around || found.is_worthwhile());
            let last = self.search.is_over();
            let enough =
                |found: &Correction| found.is_round_off() || (last && found.is_enough(problem));
            self.enough = self.correction.as_ref().is_some_and(enough);
        }
        Ok(())
    }

    /// The best so far; none where there is nothing to gain.
    #[must_use]
    pub fn correction(&self) -> Option<&Correction> {
        self.correction.as_ref()
    }

    /// What makes a training needless: there is nothing left, or little and no more to come.
    #[must_use]
    pub fn answer(&self) -> Option<&Correction> {
        self.correction().filter(|_| self.enough)
    }
}

/// A correction of the trained parameters `theta`, or that without any training where it is the better
/// one; none where there is nothing to gain. With `all` plane waves are sought beside the tangent space
/// as well, which costs about as much again as that.
///
/// # Errors
/// As [`Untrained::new`].
pub fn correct(
    problem: &ResidualProblem,
    theta: &[f64],
    untrained: Option<&Correction>,
    all: bool,
) -> Result<Option<Correction>, OptimizeError> {
    let mut choosing = elsewhere(problem, Use::Choice, None);
    let given = Found::zero(&mut choosing)?.residual;
    let start = Found::new(theta, &mut choosing)?;
    let mut best = start.clone();
    tangent::correct(problem, &mut choosing, &mut best)?;
    let left = best.residual > ROUND_OFF * given;
    if left
        && all
        && let Some(found) = waves::correct(problem, &best, given)?
    {
        let found = found.judged(&mut choosing)?;
        if found.residual < best.residual {
            best = found;
        }
    }
    let before = start.residual;
    let found = best.against(&start, given, choosing.network());
    // What is rough makes most of a residual and least of an error.
    let better = |other: &&Correction| {
        left && (other.after < found.after || (all && other.error(problem) < found.error(problem)))
    };
    if let Some(other) = untrained.filter(better) {
        return Ok(Some(Correction { before, ..other.clone() }));
    }
    Ok(Some(found).filter(Correction::is_worthwhile))
}

/// `J Omega` of a system at some parameters, Omega orthonormal.
fn in_subspace(
    system: &mut Collocation,
    test: &TestMatrix,
    at: &[f64],
) -> Result<DMatrix<f64>, OptimizeError> {
    let rows = system.block_rows().iter().sum::<usize>();
    let mut matrix = DMatrix::zeros(rows, test.columns());
    system.jacobian_blocks(at, &mut |first, block| {
        test.apply(block, matrix.rows_mut(first, block.nrows()));
    })?;
    matrix *= test.isometry();
    Ok(matrix)
}

/// The best so far.
#[derive(Clone)]
struct Found {
    parameters: Vec<f64>,
    residual: f64,
    rank: usize,
}

impl Found {
    /// No correction.
    fn new(theta: &[f64], choosing: &mut Collocation) -> Result<Self, OptimizeError> {
        let mut parameters = theta.to_vec();
        parameters.resize(2 * theta.len(), 0.0);
        Self { parameters, residual: f64::INFINITY, rank: 0 }.judged(choosing)
    }

    /// The function that is zero everywhere.
    fn zero(choosing: &mut Collocation) -> Result<Self, OptimizeError> {
        Self::new(&vec![0.0; choosing.network().parameters()], choosing)
    }

    /// With |r| at the points by which all are judged.
    fn judged(mut self, choosing: &mut Collocation) -> Result<Self, OptimizeError> {
        self.residual = choosing.losses(&[&self.parameters])?[0].sqrt();
        Ok(self)
    }

    /// What it has brought.
    fn against(self, start: &Self, given: f64, network: &Network) -> Correction {
        let waves = network.split(&self.parameters).frequencies.len() / network.inputs().len();
        let Self { parameters, residual: after, rank } = self;
        Correction { parameters, before: start.residual, after, given, rank, waves }
    }
}

/// The share that is left.
fn share(after: f64, before: f64) -> f64 {
    if before > 0.0 { after / before } else { 1.0 }
}
