//! A step of a run in the space of random features.

use serde::{Deserialize, Serialize};

use super::choose::{FEWEST, next};
use super::radau::{self, Newton, System};
use super::space::Space;
use crate::attempt::StepReport;
use crate::error::EvolveError;
use crate::evolution::{Evolution, SMALLEST_STEP};
use crate::field::cpu::Field;
use crate::linalg::{LeastSquaresError, norm};
use crate::network::Network;
use crate::problem::{Problem, Scheme};

/// Where steps are fixed: Newton's method and the spaces aim at this.
const TOLERANCE: f64 = 1e-9;
/// A larger space is taken where half of the present one leaves more of the solution than this power of
/// a step's tolerance. What a space leaves of a smooth solution is about the square of what its half
/// leaves, and so a fraction of the tolerance.
const HALF: f64 = 2.0 / 3.0;
/// Likewise where the space leaves this part of the right-hand side, as long as that comes to more than
/// [`HALF`] says until the end: near a steady state all that it leaves is rounding.
const MISSED: f64 = 1e-3;
/// The estimate of a step's error is of order 3 and the step of order 5, so that what is asked of it is
/// this times this power of the tolerance (as RADAU5 does; Hairer and Wanner, IV.8).
const JUDGED: f64 = 0.1;
const ORDERS: f64 = 2.0 / 3.0;
/// Attempts at one step, at most.
const ATTEMPTS: usize = 60;

/// What a run in the space of random features goes on from, beside its parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureState {
    /// The outputs' weights and the time at which the Jacobian in use was computed; empty where the
    /// next step computes one.
    anchor: Vec<f64>,
    anchor_time: f64,
    /// Features in use.
    features: usize,
}

/// The space of a run, and the Newton matrices of its steps.
pub(crate) struct Features {
    space: Space,
    state: FeatureState,
    newton: Option<Newton>,
}

impl Features {
    /// # Errors
    /// Where the features are not finite, or their singular values do not converge.
    pub fn new(
        problem: &Problem,
        network: &Network,
        theta: &[f64],
    ) -> Result<Self, LeastSquaresError> {
        // Those that the fit has used, which are the first ones.
        let weights = network.layout().segment("output.weight").map(|s| &theta[s.range()]);
        let rows = weights.into_iter().flat_map(|w| w.chunks_exact(network.width()));
        let used =
            rows.filter_map(|row| row.iter().rposition(|w| *w != 0.0)).max().map_or(1, |k| k + 1);
        Self::of(problem, network, theta, used.max(FEWEST.min(network.width())))
    }

    fn of(
        problem: &Problem,
        network: &Network,
        theta: &[f64],
        features: usize,
    ) -> Result<Self, LeastSquaresError> {
        let space = Space::new(problem, network, theta, features)?;
        Ok(Self {
            space,
            state: FeatureState { features, ..FeatureState::default() },
            newton: None,
        })
    }

    pub fn save(&self) -> FeatureState {
        self.state.clone()
    }

    /// # Errors
    /// As [`Features::new`]; none of a state that no run can have.
    pub fn restored(
        problem: &Problem,
        network: &Network,
        theta: &[f64],
        state: FeatureState,
    ) -> Result<Option<Self>, LeastSquaresError> {
        if state.features == 0 || state.features > network.width() {
            return Ok(None);
        }
        let mut features = Self::of(problem, network, theta, state.features)?;
        let suits = state.anchor.is_empty() || state.anchor.len() == features.space.columns().len();
        features.state = state;
        if !features.state.anchor.is_empty() && suits {
            let mut at = theta.to_vec();
            let columns = features.space.columns();
            columns.iter().zip(&features.state.anchor).for_each(|(&k, w)| at[k as usize] = *w);
            let a = features.space.coordinates_of(&at);
            let time = features.state.anchor_time;
            features.newton = Some(Newton::new(features.space.jacobian(time, &a)));
        }
        Ok(suits.then_some(features))
    }

    pub fn set_parameters(&mut self, values: &[f64]) {
        self.space.set_parameters(values);
        self.forget();
    }

    /// The next step computes a Jacobian of its own.
    pub fn forget(&mut self) {
        self.newton = None;
        self.state.anchor.clear();
    }

    pub fn singular_values(&self) -> &[f64] {
        self.space.singular_values()
    }

    /// Features in use.
    pub fn count(&self) -> usize {
        self.state.features
    }

    pub fn field(&mut self, theta: &[f64], time: f64) -> Field {
        let a = self.space.coordinates_of(theta);
        self.space.field(time, &a)
    }

    /// The Newton matrices, of a Jacobian at that state where there are none; whether they are new.
    fn newton(&mut self, theta: &[f64], time: f64, a: &[f64]) -> (&mut Newton, &mut Space, bool) {
        let fresh = self.newton.is_none();
        if fresh {
            self.newton = Some(Newton::new(self.space.jacobian(time, a)));
            self.state.anchor = self.space.columns().iter().map(|&k| theta[k as usize]).collect();
            self.state.anchor_time = time;
        }
        (self.newton.as_mut().expect("it was made"), &mut self.space, fresh)
    }
}

/// A step that stands.
struct Found {
    step: radau::Step,
    dt: f64,
    rejected: usize,
}

impl Evolution {
    /// A step in the space of random features, which grows first where it leaves too much.
    ///
    /// # Errors
    /// When no step is short enough, or the solution is no longer finite.
    pub(crate) fn feature_step(&mut self) -> Result<StepReport, EvolveError> {
        let mut features = self.features.take().expect("a run by random features begins with some");
        let found = self.found(&mut features);
        let report = found.and_then(|found| self.take_step(&mut features, found));
        self.features = Some(features);
        report
    }

    fn found(&mut self, features: &mut Features) -> Result<Found, EvolveError> {
        let fixed = self.problem.method.tolerance.is_none();
        let tolerance = self.problem.method.tolerance.unwrap_or(TOLERANCE);
        // The first field tells the solution's size.
        if self.field.is_none() {
            let field = features.field(&self.theta, self.time);
            self.keep(field)?;
        }
        let rates = self.enough(features, tolerance)?;
        let a = features.space.coordinates_of(&self.theta);
        let judged = JUDGED * tolerance.powf(ORDERS);
        let scale = judged * self.size.max(f64::MIN_POSITIVE);
        let span = (self.problem.time.end - self.problem.time.start).abs();
        for rejected in 0..ATTEMPTS {
            let left = self.problem.time.end - self.time;
            let dt = if self.dt > left * (1.0 - 1e-9) { left } else { self.dt };
            let (newton, space, fresh) = features.newton(&self.theta, self.time, &a);
            let from = (self.time, a.as_slice(), rates.as_slice());
            let step = radau::step(space, newton, from, (dt, scale, judged));
            // Without a Jacobian of its own an attempt gets one before it is given up.
            let renews = step.as_ref().is_none_or(|step| step.stale) && !fresh;
            match step {
                Some(step) if step.error <= 1.0 || fixed => {
                    // The last step is cut to the end; the next run of it should not remember that.
                    if !fixed && (dt >= self.dt || step.factor < 1.0) {
                        self.dt = dt * step.factor;
                    }
                    return Ok(Found { step, dt, rejected });
                }
                Some(step) => self.dt = dt * step.factor.min(0.9),
                None if fresh => self.dt = 0.5 * dt,
                None => {}
            }
            if renews {
                features.forget();
            }
            if self.dt < SMALLEST_STEP * span {
                break;
            }
        }
        let (time, dt) = (self.time, self.dt);
        Err(EvolveError::StepTooSmall { time, dt, tolerance, reached: f64::INFINITY })
    }

    /// Takes a larger space where the present one is full; the rates in the one that is left.
    fn enough(&mut self, features: &mut Features, tolerance: f64) -> Result<Vec<f64>, EvolveError> {
        loop {
            let field = match self.field.take() {
                Some(field) => field,
                None => features.field(&self.theta, self.time),
            };
            let a = features.space.coordinates_of(&self.theta);
            let most = tolerance.powf(HALF) * self.size;
            let left = features.space.left(&field.right_hand_side);
            let ahead = self.problem.time.end - self.time;
            let missed = left > MISSED * norm(&field.right_hand_side) && left * ahead > most;
            let full = missed || features.space.fine(&a) > most;
            let more = next(features.state.features, self.engine.network().width());
            let Some(more) = more.filter(|_| full) else {
                let rates = features.space.project(&field.right_hand_side);
                self.field = Some(field);
                return Ok(rates);
            };
            self.enlarge(features, more)?;
        }
    }

    /// Goes on with so many features.
    fn enlarge(&mut self, features: &mut Features, count: usize) -> Result<(), EvolveError> {
        let network = self.engine.network();
        let larger = Features::of(&self.problem, network, &self.theta, count);
        let larger = larger.map_err(|source| self.unsolvable(source))?;
        // Norms at the points grow with the root of their number.
        let ratio = larger.space.places().len() as f64 / features.space.places().len() as f64;
        self.size *= ratio.sqrt();
        (*features, self.field) = (larger, None);
        self.estimate_with(count);
        Ok(())
    }

    /// Has the estimate look at so many features alone.
    fn estimate_with(&mut self, count: usize) {
        if let Some(estimate) = &mut self.estimate {
            estimate.set_features(&self.problem, self.engine.network(), count);
        }
    }

    /// Adds a change, a function of the coordinates, to the first unknown, in as many features as it
    /// takes; the part of the sum that they leave.
    ///
    /// # Errors
    /// When the change is not finite.
    pub(crate) fn disturb_features(
        &mut self,
        change: &dyn Fn(&[f64]) -> f64,
        target: f64,
    ) -> Result<f64, EvolveError> {
        let before = self.theta.clone();
        let mut features = self.features.take().expect("a run by random features begins with some");
        let added = self.add(&mut features, change, target);
        features.forget();
        self.features = Some(features);
        self.field = None;
        if let Some(estimate) = &mut self.estimate {
            estimate.change(&before, &self.theta, self.time);
        }
        added
    }

    fn add(
        &mut self,
        features: &mut Features,
        change: &dyn Fn(&[f64]) -> f64,
        target: f64,
    ) -> Result<f64, EvolveError> {
        let dimensions = self.problem.dimensions();
        loop {
            let mut sum = features.field(&self.theta, self.time).values;
            let places = features.space.places().chunks_exact(dimensions);
            let mut added: Vec<f64> = places.map(change).collect();
            added.resize(sum.len(), 0.0);
            if added.iter().any(|v| !v.is_finite()) {
                return Err(self.not_finite("the change of the solution"));
            }
            sum.iter_mut().zip(&added).for_each(|(u, d)| *u += d);
            let left = features.space.left(&added) / norm(&sum).max(f64::MIN_POSITIVE);
            match next(features.state.features, self.engine.network().width()) {
                Some(more) if left > target => self.enlarge(features, more)?,
                _ => {
                    let d = features.space.project(&added);
                    let a = features.space.coordinates_of(&self.theta);
                    let a: Vec<f64> = a.iter().zip(&d).map(|(a, d)| a + d).collect();
                    features.space.put(&a, &mut self.theta);
                    return Ok(left);
                }
            }
        }
    }

    fn take_step(
        &mut self,
        features: &mut Features,
        found: Found,
    ) -> Result<StepReport, EvolveError> {
        let Found { step, dt, rejected } = found;
        features.space.put(&step.y, &mut self.theta);
        if self.theta.iter().any(|v| !v.is_finite()) {
            return Err(self.not_finite("a parameter of the network"));
        }
        let last = dt == self.problem.time.end - self.time;
        self.step += 1;
        self.time = if last { self.problem.time.end } else { self.time + dt };
        if step.stale {
            features.forget();
        }
        let field = features.field(&self.theta, self.time);
        let left = features.space.left(&field.right_hand_side);
        self.keep(field)?;
        let finished = self.finished();
        if let Some(estimate) = &mut self.estimate {
            estimate.step(&self.theta, self.time, finished);
        }
        let singular_values = features.space.singular_values().to_vec();
        Ok(StepReport {
            step: self.step,
            time: self.time,
            dt,
            residual: left / self.size.max(f64::MIN_POSITIVE),
            rank: features.space.size(),
            largest_singular_value: singular_values.first().copied().unwrap_or(0.0),
            singular_values: Some(singular_values),
            count: features.state.features,
            columns: features.space.columns(),
            corrections: step.iterations,
            implicit: true,
            rejected,
            refit_error: None,
            fresh_start: None,
        })
    }
}

impl Evolution {
    /// Takes the features up that the initial fit has used, where the scheme is theirs.
    ///
    /// # Errors
    /// Where they are not finite.
    pub(crate) fn begin_features(&mut self) -> Result<(), EvolveError> {
        if self.problem.method.scheme != Scheme::RandomFeatures {
            return Ok(());
        }
        let features = Features::new(&self.problem, self.engine.network(), &self.theta);
        let features = features.map_err(|source| self.unsolvable(source))?;
        self.estimate_with(features.count());
        self.features = Some(features);
        Ok(())
    }

    /// Goes on in the space of a saved run.
    ///
    /// # Errors
    /// Where the features are not finite.
    pub(crate) fn restore_features(
        &mut self,
        state: Option<FeatureState>,
    ) -> Result<(), EvolveError> {
        let Some(state) = state.filter(|_| self.features.is_some()) else {
            return self.begin_features();
        };
        let network = self.engine.network();
        let restored = Features::restored(&self.problem, network, &self.theta, state);
        let restored = restored.map_err(|source| self.unsolvable(source))?;
        let Some(features) = restored else { return self.begin_features() };
        self.estimate_with(features.count());
        self.features = Some(features);
        Ok(())
    }
}
