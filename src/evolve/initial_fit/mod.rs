//! Parameters from which the network is the initial state.
//!
//! The network's values and first derivatives are fitted to those of the initial state in f64:
//! by Levenberg-Marquardt ([`levenberg`]), or by L-BFGS and then Adam as published.
//! [`target`] says what is compared where. The fit advances one iteration at a time, so that its
//! caller can draw, save and stop in between.

mod constant;
mod error;
mod key;
mod kinks;
mod levenberg;
mod state;
mod target;
#[cfg(test)]
mod tests;

use crate::features;
use crate::linalg::at_once;
use crate::network::Network;
use crate::optimize::descent::{
    QuasiNewton, Sample,
    adam::{Adam, cosine},
    lbfgs::Lbfgs,
};
use crate::problem::{FitMethod, Problem, Scheme};
use crate::random::{Philox, Stream};
pub use error::FitError;
pub use key::fit_key;
pub use kinks::kinks;
use levenberg::{FIRST_DAMPING, Levenberg};
pub use state::FitState;
use target::{Comparison, Residual, Target, Wanted};

/// A fit that gained less than a tenth of its loss over so many iterations has stalled.
const PATIENCE: usize = 60;
const STALL: f64 = 0.9;
/// A stalled fit with a larger error starts again from another draw.
const GOOD_ENOUGH: f64 = 1e-4;
const RESTARTS: usize = 3;
/// The points are refined when the error between them is this many times that at them.
const GAP: f64 = 2.0;
const REFINEMENTS: usize = 3;
/// So much larger an error between the points shows at once that they are too few, if that at
/// them is already below `FINE`.
const WIDE_GAP: f64 = 10.0;
const FINE: f64 = 1e-3;
/// Levenberg-Marquardt moves a random subset of the parameters where there are more than this.
const MOST_COLUMNS: usize = 4_000;
/// Iterations of Levenberg-Marquardt that most fits take.
const USUAL: f64 = 50.0;
/// Adam's rate, and the steps of one cosine along which it falls (the code of arXiv 2310.04867).
const RATE: f64 = 1e-3;
const PERIOD: u64 = 500;

/// Why a fit has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FitReason {
    /// The error between the points is at most the tolerance.
    Tolerance,
    MaxIterations,
    /// The loss falls no longer, or so slowly that the iterations would not do.
    Stalled,
}

/// What one iteration did beside improving the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitEvent {
    /// The error between the points exceeded that at them: there are more points now.
    Refined,
    /// The fit had stalled at a large error and begins anew from another draw.
    Restarted,
}

/// Where a fit stands after an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct FitReport {
    /// Iterations done, those before a restart included.
    pub iteration: usize,
    /// Squared relative L2 error of the values and, weighted, of the first derivatives.
    pub loss: f64,
    /// Relative L2 error at the points of the fit.
    pub relative_l2: f64,
    /// Relative L2 error on another, finer set of points.
    pub between: f64,
    /// Of Levenberg-Marquardt, relative to the largest singular value; 0 for other methods.
    pub damping: f64,
    /// Points of the fit.
    pub points: usize,
    /// Draws of starting parameters that were given up.
    pub restarts: usize,
    pub event: Option<FitEvent>,
    pub done: bool,
    /// Why, where `done`.
    pub reason: Option<FitReason>,
}

/// The parameters with the least error between the points.
#[derive(Clone, Debug, PartialEq)]
struct Best {
    theta: Vec<f64>,
    between: f64,
}

/// The part of a fit that changes.
#[derive(Clone, Debug, PartialEq)]
struct Progress {
    theta: Vec<f64>,
    best: Best,
    iteration: usize,
    restarts: usize,
    refinements: usize,
    counts: Vec<usize>,
    damping: f64,
    /// Losses since the last restart or refinement.
    losses: Vec<f64>,
    lbfgs: Lbfgs,
    /// Once L-BFGS is over.
    adam: Option<Adam>,
    reason: Option<FitReason>,
}

/// Fits the network of a problem to its initial state.
///
/// ```
/// use sketchpde_evolve::initial_fit::InitialFit;
/// use sketchpde_problem::Problem;
///
/// let text = "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[domain]\nx = { range = [0, 1] }\n\
///     [time]\nend = 1\n[initial]\nu = 'sin(2*pi*x)'\n[network]\nwidth = 8\nhidden_layers = 1\n\
///     [fit]\ntolerance = 1e-3";
/// let problem = Problem::from_toml(text, &Vec::new())?;
/// let mut fit = InitialFit::new(&problem)?;
/// while !fit.iterate()?.done {}
/// assert!(fit.between() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InitialFit {
    problem: Problem,
    network: Network,
    wanted: Wanted,
    target: Target,
    comparison: Comparison,
    /// At `progress.theta`.
    residual: Residual,
    levenberg: Levenberg,
    progress: Progress,
}

impl InitialFit {
    /// Starts from the network's random parameters for the problem's seed.
    ///
    /// # Errors
    /// Where the initial state is not finite somewhere, where the Jacobian would need too much
    /// memory, and where the starting parameters overflow.
    pub fn new(problem: &Problem) -> Result<Self, FitError> {
        Self::begin(problem, Network::of(problem), Wanted::Initial)
    }

    /// As [`InitialFit::new`], to the field that the problem's network has with the parameters
    /// `theta` at a time of the run, with draws by a seed of its own. Such a fit is not saved.
    ///
    /// # Errors
    /// As [`InitialFit::new`].
    pub fn of_field(
        problem: &Problem,
        theta: &[f64],
        time: f64,
        seed: u64,
    ) -> Result<Self, FitError> {
        // The network's frequencies are those of the problem's seed: theta is of these.
        let network = Network::of(problem);
        let problem = Problem { seed, ..problem.clone() };
        Self::begin(&problem, network, Wanted::Field { theta: theta.to_vec(), time })
    }

    fn begin(problem: &Problem, network: Network, wanted: Wanted) -> Result<Self, FitError> {
        let features = problem.method.scheme == Scheme::RandomFeatures && wanted == Wanted::Initial;
        let theta = network.initialise(problem.seed);
        let counts = target::default_counts(problem, network.parameters());
        let progress = Progress {
            best: Best { theta: theta.clone(), between: f64::INFINITY },
            theta,
            iteration: 0,
            restarts: 0,
            refinements: 0,
            counts,
            damping: FIRST_DAMPING,
            losses: Vec::new(),
            lbfgs: Lbfgs::default(),
            adam: None,
            reason: None,
        };
        let mut fit = Self::at(problem, network, wanted, progress)?;
        let theta = fit.progress.theta.clone();
        let still = constant::constant(problem, &fit.network, &fit.target, theta);
        if let Some((theta, residual)) = still {
            (fit.progress.theta, fit.residual) = (theta, residual);
        } else if features {
            fit.take_features(features::fitted(problem)?);
        }
        Ok(fit)
    }

    /// Random features are fitted at once.
    fn take_features(&mut self, fitted: features::Fitted) {
        self.residual = self.target.residual(&fitted.theta);
        self.progress.theta.clone_from(&fitted.theta);
        self.progress.best = Best { theta: fitted.theta, between: fitted.between };
        let met = fitted.between <= self.problem.fit.tolerance;
        self.progress.reason = Some(if met { FitReason::Tolerance } else { FitReason::Stalled });
    }

    fn at(
        problem: &Problem,
        network: Network,
        wanted: Wanted,
        progress: Progress,
    ) -> Result<Self, FitError> {
        let points = target::points(problem, &progress.counts);
        let target = Target::new(problem, &network, &wanted, &points)?;
        let features = problem.method.scheme == Scheme::RandomFeatures;
        if problem.fit.method == FitMethod::LevenbergMarquardt && !features {
            target.check_memory(network.parameters().min(MOST_COLUMNS))?;
        }
        let comparison = Comparison::new(problem, &network, &wanted, &progress.counts)?;
        let residual = target.residual(&progress.theta);
        if !residual.loss.is_finite() {
            return Err(FitError::StartNotFinite);
        }
        let problem = problem.clone();
        let levenberg = Levenberg::new();
        Ok(Self { problem, network, wanted, target, comparison, residual, levenberg, progress })
    }

    /// The parameters so far; once the fit is done, those with the least error between the points.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        &self.progress.theta
    }

    /// Why it has ended, where it has.
    #[must_use]
    pub fn reason(&self) -> Option<FitReason> {
        self.progress.reason
    }

    /// The least relative L2 error between the points that was reached so far.
    #[must_use]
    pub fn between(&self) -> f64 {
        self.progress.best.between
    }

    /// One iteration: a Jacobian and a few dampings, or one step of L-BFGS or Adam. Does nothing
    /// once the fit is done.
    ///
    /// # Errors
    /// From the least-squares solver, where the Jacobian overflows.
    pub fn iterate(&mut self) -> Result<FitReport, FitError> {
        if self.progress.reason.is_some() {
            return Ok(self.report(self.progress.best.between, None));
        }
        let moved = match self.problem.fit.method {
            FitMethod::LevenbergMarquardt => self.levenberg_step()?,
            FitMethod::LbfgsAdam => self.descent_step(),
        };
        self.progress.iteration += 1;
        self.progress.losses.push(self.residual.loss);
        let between = self.comparison.error(&self.progress.theta);
        if between < self.progress.best.between {
            self.progress.best = Best { theta: self.progress.theta.clone(), between };
        }
        let event = self.decide(moved, between)?;
        let between =
            if self.progress.reason.is_some() { self.progress.best.between } else { between };
        Ok(self.report(between, event))
    }

    fn report(&self, between: f64, event: Option<FitEvent>) -> FitReport {
        let levenberg = self.problem.fit.method == FitMethod::LevenbergMarquardt;
        FitReport {
            iteration: self.progress.iteration,
            loss: self.residual.loss,
            relative_l2: self.residual.relative_l2,
            between,
            damping: if levenberg { self.progress.damping } else { 0.0 },
            points: self.target.points(),
            restarts: self.progress.restarts,
            event,
            done: self.progress.reason.is_some(),
            reason: self.progress.reason,
        }
    }

    /// Whether the parameters have moved.
    fn levenberg_step(&mut self) -> Result<bool, FitError> {
        let progress = &mut self.progress;
        let total = self.network.parameters();
        let random = Philox::new(self.problem.seed, Stream::Columns);
        let columns = random.subset(progress.iteration as u64, total, total.min(MOST_COLUMNS));
        let trial = self.levenberg.iterate(
            &self.target,
            &progress.theta,
            &self.residual,
            &columns,
            progress.damping,
        )?;
        let Some(trial) = trial else {
            return Ok(false);
        };
        progress.theta = trial.theta;
        progress.damping = trial.damping;
        self.residual = trial.residual;
        Ok(true)
    }

    /// L-BFGS for the first half of the iterations or until it stalls, then Adam.
    fn descent_step(&mut self) -> bool {
        let progress = &mut self.progress;
        let mut objective =
            async |theta: &[f64]| Ok::<_, std::convert::Infallible>(self.target.gradient(theta));
        let theta = std::mem::take(&mut progress.theta);
        let Ok(from) = at_once(Sample::new(theta, &mut objective));
        if progress.adam.is_none() {
            let early = 2 * progress.iteration < self.problem.fit.max_iterations;
            let Ok(next) = at_once(progress.lbfgs.step(&from, &mut objective));
            match next {
                Some(next) if early && !stalled(&progress.losses) => {
                    progress.theta = next.theta;
                    self.residual = self.target.residual(&progress.theta);
                    return true;
                }
                _ => progress.adam = Some(Adam::new(from.theta.len())),
            }
        }
        progress.theta = from.theta;
        if let Some(adam) = &mut progress.adam {
            let rate = RATE * cosine(adam.steps, PERIOD);
            adam.step(&mut progress.theta, &from.gradient, rate);
        }
        self.residual = self.target.residual(&progress.theta);
        true
    }

    /// Ends, refines or restarts the fit where it is time to.
    fn decide(&mut self, moved: bool, between: f64) -> Result<Option<FitEvent>, FitError> {
        let settings = &self.problem.fit;
        let resolved = between <= GAP * self.residual.relative_l2.max(settings.tolerance);
        if between <= settings.tolerance {
            self.finish(FitReason::Tolerance);
        } else if self.progress.iteration >= settings.max_iterations {
            self.finish(FitReason::MaxIterations);
        } else if settings.method == FitMethod::LevenbergMarquardt {
            let far = settings.max_iterations - self.progress.iteration;
            // One whose error is still large may yet fall fast; what is good can only get better.
            let slow = self.progress.best.between <= GOOD_ENOUGH
                && out_of_reach(&self.progress.losses, settings.tolerance, far);
            let stuck = !moved || slow || stalled(&self.progress.losses);
            let at = self.residual.relative_l2;
            let fitted = at <= settings.tolerance || (at < FINE && between > WIDE_GAP * at);
            if !resolved && (stuck || fitted) && self.progress.refinements < REFINEMENTS {
                self.refine()?;
                return Ok(Some(FitEvent::Refined));
            }
            if at <= settings.tolerance && between > WIDE_GAP * settings.tolerance {
                // More points have not helped: something between them no network of this size has.
                self.finish(FitReason::Stalled);
            } else if stuck {
                let bad = self.progress.best.between > GOOD_ENOUGH;
                if bad && self.progress.restarts < RESTARTS {
                    self.restart()?;
                    return Ok(Some(FitEvent::Restarted));
                }
                self.finish(FitReason::Stalled);
            }
        }
        Ok(None)
    }

    fn finish(&mut self, reason: FitReason) {
        self.progress.reason = Some(reason);
        self.progress.theta.clone_from(&self.progress.best.theta);
        self.residual = self.target.residual(&self.progress.theta);
    }

    /// Half as many points again along each coordinate, or twice as many scattered ones.
    fn refine(&mut self) -> Result<(), FitError> {
        let scattered = self.progress.counts.len() < self.problem.dimensions();
        let more = |n: &usize| if scattered { 2 * n } else { n + n.div_ceil(2) };
        let mut progress = self.progress.clone();
        progress.counts = self.progress.counts.iter().map(more).collect();
        progress.refinements += 1;
        progress.losses.clear();
        progress.damping = progress.damping.max(FIRST_DAMPING * FIRST_DAMPING);
        let (network, wanted) = (self.network.clone(), self.wanted.clone());
        *self = Self::at(&self.problem, network, wanted, progress)?;
        Ok(())
    }

    /// Another draw of starting parameters, by a seed derived from the problem's.
    fn restart(&mut self) -> Result<(), FitError> {
        self.progress.restarts += 1;
        let draw = Philox::new(self.problem.seed, Stream::Initialisation);
        let [low, high, ..] = draw.words(u64::MAX, self.progress.restarts as u32);
        self.progress.theta = self.network.initialise(u64::from(low) | (u64::from(high) << 32));
        self.progress.damping = FIRST_DAMPING;
        self.progress.losses.clear();
        self.residual = self.target.residual(&self.progress.theta);
        if self.residual.loss.is_finite() { Ok(()) } else { Err(FitError::StartNotFinite) }
    }
}

/// Multiplications of a fit by Levenberg-Marquardt that takes as many iterations as most do.
#[must_use]
pub fn usual_work(problem: &Problem, network: &Network) -> f64 {
    let columns = network.parameters().min(MOST_COLUMNS) as f64;
    let counts = target::default_counts(problem, network.parameters());
    let equations = network.outputs() * (1 + problem.dimensions());
    let rows = (equations * counts.iter().product::<usize>()) as f64;
    USUAL * rows * columns * rows.min(columns)
}

fn stalled(losses: &[f64]) -> bool {
    lately(losses).is_some_and(|left| left > STALL)
}

/// What of the loss the last iterations have left.
fn lately(losses: &[f64]) -> Option<f64> {
    let before = losses.len().checked_sub(PATIENCE + 1)?;
    Some(losses[losses.len() - 1] / losses[before])
}

/// Whether a fit that goes on at its present pace would need more than these iterations to its
/// tolerance.
fn out_of_reach(losses: &[f64], tolerance: f64, iterations: usize) -> bool {
    let (Some(left), Some(&loss)) = (lately(losses), losses.last()) else { return false };
    // The loss is the square of a relative error.
    let goal = tolerance.powi(2) / loss;
    goal < 1.0 && left.ln() * iterations as f64 > goal.ln() * PATIENCE as f64
}
