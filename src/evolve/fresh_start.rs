//! A fresh network where the parameters of a run are badly placed.
//!
//! Two fits of one state can be equally good and leave the network's tangent space in very different
//! shape. Where its columns are all but parallel the parameters have to move far for a small change of
//! the solution, curvature takes the fits of the steps away from their targets, and steps are short: of
//! 25 fits of the Allen-Cahn preset's initial state the rank correlation of [`condition`] with the
//! number of steps is 0.91 (3.5 to 6.6: 185 to 515 steps; 8 to 10: 455 to 870; 36: 7,314).
//!
//! Another draw is what helps, and costs a fit. So it is tried where both speak for it: the steps that
//! are left cost several times as much, and the condition leaves something to gain. Where the equation
//! itself asks for short steps the condition is small; where it is large and the run short, nothing is
//! to be gained.

use nalgebra::DMatrix;

use super::columns::Columns;
use super::error::EvolveError;
use super::evolution::Evolution;
use super::initial_fit::{self, FitReason};
use super::sampling;
use crate::linalg::{LeastSquares, LeastSquaresError, norm, times};
use crate::network::Network;
use crate::problem::{PointLayout, Scheme};

/// After so many accepted steps a run is judged first, and then after [`AGAIN`] times as many.
const LOOK: usize = 32;
const AGAIN: usize = 4;
/// Nor is it judged before it has cost this part of a fit: the first steps are as the file has them, grow,
/// and find out whether they are better implicit.
const BEGUN: f64 = 0.25;
/// A run is worth another fit where what is left is to cost so many of them.
const DEAR: f64 = 3.0;
/// At a smaller condition a fresh network is hardly better.
const FAR: f64 = 5.0;
/// A fit that takes more iterations costs more than it was to.
const MOST_ITERATIONS: usize = 150;
/// What a fresh network's condition may be of the old one's.
const LESS: f64 = 0.75;
/// Solves with the Jacobian in a usual step: the step's own, and two corrections.
const SOLVES: f64 = 3.0;
/// Entries of the largest Jacobian that is computed only to be judged.
const MOST_ENTRIES: usize = 16 << 20;
/// Points at which it is judged, at most.
const MOST_POINTS: usize = 1_000;
/// Damping over the largest singular value, the least that steps have.
const DAMPING: f64 = super::attempt::LEAST_DAMPING;

/// What was found and done where a run was judged to be dear for its parameters' sake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreshStart {
    /// Steps to the end at their present length.
    pub foretold: f64,
    /// [`condition`] of the parameters so far.
    pub before: f64,
    /// The same of the fresh network that has taken over, and the relative L2 error of its fit; none
    /// where none was better.
    pub after: Option<(f64, f64)>,
}

impl std::fmt::Display for FreshStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { foretold, before, after } = self;
        let steps = foretold.round();
        write!(f, "Steps were short ({steps} to go) for parameters of condition {before:.1}: ")?;
        match after {
            Some((after, _)) => write!(f, "a fresh network took over, of condition {after:.1}"),
            None => write!(f, "a fresh network is no better"),
        }
    }
}

impl Evolution {
    /// Judges the parameters where it is time to, and has a fresh network take over where that pays.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) async fn start_afresh(&mut self) -> Result<Option<FreshStart>, EvolveError> {
        let Some(foretold) = self.steps_to_pay_for() else { return Ok(None) };
        let Some(before) = self.condition_at(&self.theta).filter(|before| *before > FAR) else {
            return Ok(None);
        };
        let mut found = FreshStart { foretold, before, after: None };
        // A fit that fails is no better than the parameters that are there.
        let most = self.problem.fit.max_iterations.min(MOST_ITERATIONS);
        let Ok(fit) = self.fitted_afresh(most) else { return Ok(Some(found)) };
        let after = self.condition_at(fit.parameters());
        let after = after.filter(|_| fit.reason() == Some(FitReason::Tolerance));
        if let Some(after) = after.filter(|after| *after <= LESS * before) {
            found.after = Some((after, fit.between()));
            self.take_over(fit.parameters().to_vec()).await?;
        }
        Ok(Some(found))
    }

    /// The steps to the end at their present length, where it is time to judge them and they cost much
    /// more than a fit.
    fn steps_to_pay_for(&self) -> Option<f64> {
        let method = &self.problem.method;
        let fits = method.scheme == Scheme::StageFit && self.controller.is_some();
        let drawn = self.problem.points.layout == PointLayout::Adaptive;
        if !is_look(self.step) || self.finished() || !fits || drawn || method.refit_every.is_some()
        {
            return None;
        }
        let foretold = (self.problem.time.end - self.time) / self.dt;
        let (rows, count) = (self.engine.rows() as f64, self.subsets.count as f64);
        let step = SOLVES * rows * count * rows.min(count);
        let fit = initial_fit::usual_work(&self.problem, self.engine.network());
        let begun = self.step as f64 * step >= BEGUN * fit;
        (begun && foretold * step > DEAR * fit).then_some(foretold)
    }

    /// [`condition`] at the present time, in f64 on the CPU; none where J is too large or not finite.
    fn condition_at(&self, theta: &[f64]) -> Option<f64> {
        let most = self.engine.rows().min(MOST_POINTS);
        if most * theta.len() > MOST_ENTRIES {
            return None;
        }
        let matrix = sampling::rows(&self.problem, &self.engine, (theta, self.time), most);
        condition(self.engine.network(), theta, matrix).ok()
    }
}

/// Whether it is time to judge a run: after `LOOK AGAIN^k` steps.
fn is_look(step: usize) -> bool {
    let mut look = LOOK;
    while look < step {
        look *= AGAIN;
    }
    look == step
}

/// The condition of the solution in the network's tangent space: at least 1; 0 where the network is zero.
///
/// J is the Jacobian of the values at some points, D scales its columns to about unit length as the
/// steps do ([`Columns::normalise`]), sigma_1 is the largest singular value of J D, and g what the network adds to
/// the lift:
///
/// ```text
/// v = argmin |J D v - g|^2 + (1e-7 sigma_1)^2 |v|^2,    condition = sigma_1 |v| / |g|
/// ```
///
/// So far do the parameters move when the solution changes by its own size, over the least that any
/// change of this size takes.
///
/// # Errors
/// When J is not finite.
pub(super) fn condition(
    network: &Network,
    theta: &[f64],
    matrix: DMatrix<f64>,
) -> Result<f64, LeastSquaresError> {
    // The network is linear in the output's weights and biases.
    let layout = network.layout();
    let segments = ["output.weight", "output.bias"].map(|name| layout.segment(name));
    let linear: Vec<usize> = segments.iter().flatten().flat_map(|s| s.range()).collect();
    let weights: Vec<f64> = linear.iter().map(|&k| theta[k]).collect();
    let state = times(matrix.select_columns(&linear).as_view(), &weights);
    let size = norm(&state);
    if size == 0.0 {
        return Ok(0.0);
    }
    let mut columns = Columns::Double(matrix);
    columns.normalise();
    let matrix = columns.to_double();
    let mut memory = LeastSquares::default();
    let mut equations = memory.normal_equations(matrix.as_view())?;
    let largest = equations.largest();
    equations.damp(DAMPING * largest)?;
    Ok(largest * norm(&equations.solve(&state)?) / size)
}
