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

mod tangent;
mod waves;

use super::elsewhere::{Use, elsewhere};
use super::error::OptimizeError;
use crate::field::residual::Collocation;
use crate::problem::ResidualProblem;

/// A correction leaves at most this share of |r|: a smaller gain can come with a larger error, as what is
/// rough makes most of a residual and least of an error.
const WORTHWHILE: f64 = 0.1;
/// Up to this share of what is given a residual is round-off.
const ROUND_OFF: f64 = 1e-12;
/// Up to this share an answer without any training is the answer, where there is no better one of its kind:
/// a thousand iterations end about there.
const ENOUGH: f64 = 1e-9;

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
    pub fn is_enough(&self) -> bool {
        self.after <= ENOUGH * self.given
    }

    fn is_worthwhile(&self) -> bool {
        self.after < WORTHWHILE * self.before
    }
}

/// What plane waves alone do, beside a network that is zero everywhere: of an untrained one they would have
/// to take away what it is. It is sought in stages of some seconds at most.
pub struct Untrained {
    choosing: Collocation,
    start: Found,
    given: f64,
    search: waves::Search,
    stages: usize,
}

impl Untrained {
    /// # Errors
    /// Where a residual is not finite at one of the other points, here and below; or memory ends.
    pub fn new(problem: &ResidualProblem) -> Result<Self, OptimizeError> {
        let mut choosing = elsewhere(problem, Use::Choice, None);
        let theta = vec![0.0; choosing.network().parameters()];
        let start = Found::new(&theta, &mut choosing)?;
        let given = start.residual;
        let search = waves::Search::new(problem, start.clone(), given, false);
        Ok(Self { choosing, start, given, search, stages: 0 })
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
        }
        Ok(())
    }

    /// Whether all stages are done.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.search.is_over()
    }

    /// The best so far; none where there is nothing to gain.
    ///
    /// # Errors
    /// As [`Untrained::new`].
    pub fn correction(&mut self) -> Result<Option<Correction>, OptimizeError> {
        let Some(found) = self.search.found().cloned() else { return Ok(None) };
        let found = finished(&mut self.choosing, &self.start, found, self.given)?;
        Ok(Some(found).filter(Correction::is_worthwhile))
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
    let (start, given) = (Found::new(theta, &mut choosing)?, size_of_given(&mut choosing)?);
    let mut best = start.clone();
    tangent::correct(problem, &mut choosing, &mut best)?;
    let mut best = finished(&mut choosing, &start, best, given)?;
    if !best.is_round_off() {
        let at =
            Found { parameters: best.parameters.clone(), residual: best.after, rank: best.rank };
        let found = if all { waves::correct(problem, &at, given, true)? } else { None };
        if let Some(found) = found {
            let found = finished(&mut choosing, &start, found, given)?;
            if found.after < best.after {
                best = found;
            }
        }
        if let Some(other) = untrained.filter(|other| other.after < best.after) {
            best = Correction { before: best.before, ..other.clone() };
        }
    }
    Ok(Some(best).filter(Correction::is_worthwhile))
}

/// |r| of zero.
fn size_of_given(choosing: &mut Collocation) -> Result<f64, OptimizeError> {
    let zero = vec![0.0; choosing.network().parameters()];
    Ok(choosing.losses(&[&zero])?[0].sqrt())
}

/// What was found, judged at the points by which all are.
fn finished(
    choosing: &mut Collocation,
    start: &Found,
    found: Found,
    given: f64,
) -> Result<Correction, OptimizeError> {
    let after = choosing.losses(&[&found.parameters])?[0].sqrt();
    let network = choosing.network();
    let waves = network.split(&found.parameters).frequencies.len() / network.inputs().len();
    let Found { parameters, rank, .. } = found;
    Ok(Correction { parameters, before: start.residual, after, given, rank, waves })
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
        let residual = choosing.losses(&[&parameters])?[0].sqrt();
        Ok(Self { parameters, residual, rank: 0 })
    }
}

/// The share that is left.
fn share(after: f64, before: f64) -> f64 {
    if before > 0.0 { after / before } else { 1.0 }
}
