//! Stage fits: Runge-Kutta in function space, each step fitted by random-sparse corrections.
//!
//! At theta the step draws a subset S of the parameters and works in the tangent space
//! u + range(J_S), where everything is linear:
//!
//! ```text
//! stage i:  d_i = argmin | J_S d - dt sum_j a_ij k_j |,   k_i = F(u + J_S d_i, t + c_i dt)
//! target:   w = u + dt sum_i b_i k_i
//! fit:      theta' with u(theta') = w, by Gauss-Newton corrections with fresh subsets
//! ```
//!
//! One Jacobian serves all stages, and their derivatives are exact derivatives of the tangent
//! functions, so that no fitting error enters k_i. The fit is a damped Gauss-Newton method on
//! columns of about unit length ([`Columns::normalise`]). With the same factor it is iterated in two ways: first on the whole
//! move, r + J d (which takes the curvature of u along the move out, as geodesic acceleration
//! does), then on the remaining residual alone (which takes the damping's bias out).
//!
//! Stiff equations take implicit stages instead ([`implicit_fit`](super::implicit_fit)).
//!
//! The fit's own residual |w - u(theta')| / |u| and the embedded method's estimate steer the step
//! size where the problem sets a tolerance.

#[cfg(doc)]
use super::columns::Columns;
use super::engine::Engine;
use super::error::{AttemptError, EvolveError};
use super::subset::{Equations, Subsets, TangentSpace};
use super::tableau::{Tableau, combine};
use crate::field::cpu::Field;
use crate::linalg::{LeastSquares, LeastSquaresError, norm};

/// Solves with one factor during a fit.
const SOLVES: usize = 7;
/// A solve that leaves more than this of the residual has done its work.
const STAGNATION: f64 = 0.3;
/// The damping rises by this when a move makes the residual larger.
const RAISE: f64 = 10.0;
/// So many idle corrections in a row end the fit of an explicit step.
pub const PATIENCE: usize = 2;
/// A correction that leaves more than this of the residual is idle.
const IDLE: f64 = 0.7;
/// A fit that closes less than this of the way to its target has not made the step.
const LEAST_FOLLOWED: f64 = 0.5;
/// A fit leaves at most this of the way, however short: steps that are shorter than what a fit may
/// leave would be accepted without a move.
const MOST_LEFT: f64 = 0.1;
/// Above this multiple of the largest singular value a move is nothing but noise.
const MOST_DAMPING: f64 = 1.0;

/// What an attempt at a step found.
pub struct Attempt {
    pub theta: Vec<f64>,
    /// |w - u(theta')| over the largest of |w| and |u| so far; the other errors are measured likewise.
    pub residual: f64,
    /// The residual of a fit that missed its goal; else 0. A fit ends wherever it falls below its
    /// goal, which says nothing about how long the next step may be.
    pub missed: f64,
    /// Embedded estimate of the local error over |u|, where the tableau has one.
    pub error: Option<f64>,
    /// dt |F(u(theta')) - F(w)| / |u|: what the fit leaves in the derivatives, which the residual
    /// at the points does not see.
    pub roughness: f64,
    /// What the fit left of the way |w - u|, where it has not made the step; else 0.
    pub left: f64,
    /// u and F at theta' and t + dt.
    pub field: Field,
    /// Parameters that the stages and the first correction used.
    pub chosen: Vec<u32>,
    /// s.
    pub count: usize,
    pub corrections: usize,
    /// Directions of the tangent space above the cutoff.
    pub rank: usize,
    pub largest: f64,
}

/// What stays the same from step to step.
pub struct Settings {
    pub tableau: Tableau,
    /// Damping over the largest singular value; a floor keeps it above the round-off of the Gram
    /// matrix.
    pub rcond: f64,
    /// Most corrections with a fresh subset.
    pub corrections: usize,
    /// So many idle ones in a row end the fit.
    pub patience: usize,
    /// A fit is good enough at this relative residual.
    pub target: f64,
    /// Relative residuals below this are round-off.
    pub floor: f64,
    /// The largest norm of the solution so far: where it passes through zero, errors are not
    /// measured by next to nothing.
    pub size: f64,
}

/// Where a fit stands.
pub(super) struct State {
    pub theta: Vec<f64>,
    residual: Vec<f64>,
    pub norm: f64,
}

/// The target of a step and the means to approach it.
pub(super) struct Fit<'a> {
    pub engine: &'a mut Engine,
    pub time: f64,
    pub target: &'a [f64],
}

impl Fit<'_> {
    pub async fn state(&mut self, theta: Vec<f64>) -> Result<State, EvolveError> {
        let values = self.engine.values(&theta, self.time).await?;
        Ok(self.state_of(theta, &values))
    }

    pub fn state_of(&self, theta: Vec<f64>, values: &[f64]) -> State {
        let residual: Vec<f64> = self.target.iter().zip(values).map(|(w, u)| w - u).collect();
        let norm = norm(&residual);
        State { theta, residual, norm }
    }

    /// One correction: the best that one factor gives. `state` must be where `space` was made.
    async fn correct(
        &mut self,
        space: &TangentSpace,
        equations: &mut Equations<'_>,
        rcond: f64,
        goal: f64,
        mut state: State,
    ) -> Result<State, AttemptError> {
        let base = state.theta.clone();
        let mut scaled = vec![0.0; space.directions.count()];
        let mut lambda = rcond * equations.largest();
        let (mut whole, mut moved) = (true, false);
        for _ in 0..SOLVES {
            if state.norm <= goal {
                break;
            }
            let mut r = state.residual.clone();
            if whole && moved {
                r.iter_mut().zip(space.image(&scaled)).for_each(|(r, j)| *r += j);
            }
            let mut next = match equations.solve(&r, lambda) {
                Ok(next) => next,
                Err(LeastSquaresError::Damping { .. }) => {
                    lambda *= RAISE;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if !whole {
                next.iter_mut().zip(&scaled).for_each(|(next, v)| *next += v);
            }
            let candidate = self.state(space.moved(&base, &next)).await?;
            // Written so that a residual that is not a number counts as larger.
            if candidate.norm < state.norm {
                let left = candidate.norm / state.norm;
                (state, scaled, moved) = (candidate, next, true);
                if left > STAGNATION && !std::mem::take(&mut whole) {
                    break;
                }
            } else if !moved {
                lambda *= RAISE;
                if lambda > MOST_DAMPING * equations.largest() {
                    break;
                }
            } else if !std::mem::take(&mut whole) {
                break;
            }
        }
        Ok(state)
    }

    /// Corrections with fresh subsets until the goal, the most of them, or no more gain; and how
    /// many there were.
    pub async fn refine(
        &mut self,
        settings: &Settings,
        subsets: &mut Subsets,
        memory: &mut LeastSquares,
        goal: f64,
        mut state: State,
    ) -> Result<(State, usize), AttemptError> {
        let (mut corrections, mut idle) = (0, 0);
        while state.norm > goal && corrections < settings.corrections && idle < settings.patience {
            let before = state.norm;
            let space =
                TangentSpace::at(self.engine, &state.theta, self.time, subsets.draw()).await?;
            let mut equations = space.equations(memory)?;
            state = self.correct(&space, &mut equations, settings.rcond, goal, state).await?;
            drop(space.recycle(self.engine));
            corrections += 1;
            idle = if state.norm > IDLE * before { idle + 1 } else { 0 };
        }
        Ok((state, corrections))
    }
}

/// Attempts one step of length `dt` from theta, whose field is `field`; `memory` is that of the
/// least-squares problems.
///
/// # Errors
/// When a least-squares problem has no solution, which a shorter step may cure, or the device
/// fails.
pub async fn attempt(
    engine: &mut Engine,
    settings: &Settings,
    subsets: &mut Subsets,
    memory: &mut LeastSquares,
    (theta, field): (&[f64], &Field),
    at: (f64, f64),
) -> Result<Attempt, AttemptError> {
    let (time, dt) = at;
    let space = TangentSpace::at(engine, theta, time, subsets.draw()).await?;
    let mut equations = space.equations(memory)?;
    let largest = equations.largest();
    let prediction = predict(engine, settings, &space, &mut equations, theta, field, at)?;
    let scale = Scale::of(settings, field, &prediction);
    let mut fit = Fit { engine, time, target: &prediction.target };
    let state = fit.state_of(theta.to_vec(), &field.values);
    let rank = equations.rank(settings.rcond * largest);
    let state = fit.correct(&space, &mut equations, settings.rcond, scale.goal, state).await?;
    let directions = space.recycle(fit.engine);
    let (state, corrections) = fit.refine(settings, subsets, memory, scale.goal, state).await?;
    // Where the step is accepted, the next one begins with this linearisation.
    let end = engine.linearise(&state.theta, time + dt).await?;
    let miss = end.right_hand_side.iter().zip(&prediction.slope).map(|(f, k)| f - k);
    let roughness = dt * norm(&miss.collect::<Vec<f64>>());
    Ok(Attempt {
        error: prediction.error.map(|error| error / scale.size),
        roughness: roughness / scale.size,
        field: end,
        chosen: directions.parameters(),
        count: directions.count(),
        corrections,
        rank,
        largest,
        ..scale.attempt(state)
    })
}

/// What the errors of a step are measured by.
pub(super) struct Scale {
    /// The largest of |w| and |u| so far.
    pub size: f64,
    /// |w - u|.
    pub way: f64,
    /// Residuals below this are round-off.
    pub floor: f64,
    /// A fit is good enough at this residual.
    pub goal: f64,
}

impl Scale {
    pub fn of(settings: &Settings, field: &Field, prediction: &Prediction) -> Self {
        let (u, w) = (&field.values, &prediction.target);
        // A solution that starts from zero is measured by where it goes.
        let size = norm(u).max(norm(w)).max(settings.size).max(f64::MIN_POSITIVE);
        let way = norm(&w.iter().zip(u).map(|(w, u)| w - u).collect::<Vec<f64>>());
        let floor = settings.floor * size;
        let goal = (settings.target * size).min(MOST_LEFT * way).max(floor);
        Self { size, way, floor, goal }
    }

    /// What a fit that ended there says of the step; the rest of the attempt is empty.
    pub fn attempt(&self, state: State) -> Attempt {
        let followed = state.norm <= (1.0 - LEAST_FOLLOWED) * self.way || state.norm <= self.floor;
        Attempt {
            missed: if state.norm > self.goal { state.norm / self.size } else { 0.0 },
            left: if followed { 0.0 } else { state.norm / self.way },
            residual: state.norm / self.size,
            theta: state.theta,
            error: None,
            roughness: 0.0,
            field: Field { values: Vec::new(), right_hand_side: Vec::new() },
            chosen: Vec::new(),
            count: 0,
            corrections: 0,
            rank: 0,
            largest: 0.0,
        }
    }
}

/// Fits the network to the values `target` at the engine's points, from theta, by corrections as a
/// step makes them. Gives the parameters and |target - u| / |target|.
///
/// # Errors
/// When a least-squares problem has no solution or the device fails.
pub async fn approach(
    engine: &mut Engine,
    settings: &Settings,
    subsets: &mut Subsets,
    theta: &[f64],
    time: f64,
    target: &[f64],
) -> Result<(Vec<f64>, f64), AttemptError> {
    let mut memory = LeastSquares::default();
    let size = norm(target).max(f64::MIN_POSITIVE);
    let mut fit = Fit { engine, time, target };
    let state = fit.state(theta.to_vec()).await?;
    let goal = settings.target * size;
    let (state, _) = fit.refine(settings, subsets, &mut memory, goal, state).await?;
    Ok((state.theta, state.norm / size))
}

/// Where a step leads, before any fit.
pub struct Prediction {
    /// w at the points.
    pub target: Vec<f64>,
    /// F where the step ends, in the tangent space.
    pub slope: Vec<f64>,
    /// Norm of the embedded estimate of the local error.
    pub error: Option<f64>,
}

fn predict(
    engine: &mut Engine,
    settings: &Settings,
    space: &TangentSpace,
    equations: &mut Equations<'_>,
    theta: &[f64],
    field: &Field,
    (time, dt): (f64, f64),
) -> Result<Prediction, LeastSquaresError> {
    let tableau = &settings.tableau;
    let mut stages = vec![field.right_hand_side.clone()];
    for (row, c) in tableau.a.iter().zip(tableau.c).skip(1) {
        let step = combine(row, &stages);
        let at = (time + c * dt, dt);
        stages.push(landing(engine, space, equations, &step, settings, theta, at)?);
    }
    let step = combine(tableau.b, &stages);
    let error = tableau.error.map(|e| dt * norm(&combine(e, &stages)));
    let target = field.values.iter().zip(&step).map(|(u, k)| u + dt * k).collect();
    let slope = match stages.pop() {
        Some(last) if tableau.last_stage_is_step() => last,
        _ => landing(engine, space, equations, &step, settings, theta, (time + dt, dt))?,
    };
    Ok(Prediction { target, slope, error })
}

/// F at the point of the tangent space nearest to u + dt `slope`.
fn landing(
    engine: &mut Engine,
    space: &TangentSpace,
    equations: &mut Equations<'_>,
    slope: &[f64],
    settings: &Settings,
    theta: &[f64],
    (time, dt): (f64, f64),
) -> Result<Vec<f64>, LeastSquaresError> {
    let lambda = settings.rcond * equations.largest();
    let mut step: Vec<f64> = slope.iter().map(|k| dt * k).collect();
    let mut scaled = project(equations, &step, lambda)?;
    // Once more on what is left: damping's bias is squared away.
    let image = space.image(&scaled);
    step.iter_mut().zip(&image).for_each(|(w, j)| *w -= j);
    let rest = project(equations, &step, lambda)?;
    scaled.iter_mut().zip(rest).for_each(|(v, d)| *v += d);
    let direction = space.direction(theta.len(), &scaled);
    Ok(engine.field_along(theta, &direction, time).right_hand_side)
}

/// A damped solve; where the damping drowns in round-off it rises until it does not.
pub fn project(
    equations: &mut Equations<'_>,
    r: &[f64],
    mut lambda: f64,
) -> Result<Vec<f64>, LeastSquaresError> {
    loop {
        match equations.solve(r, lambda) {
            Ok(v) => return Ok(v),
            Err(LeastSquaresError::Damping { .. }) if lambda < equations.largest() => {
                lambda *= RAISE;
            }
            Err(error) => return Err(error),
        }
    }
}
