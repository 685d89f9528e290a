//! Stage fits with implicit stages.
//!
//! Implicit steps are long and each of them costs a second matrix, so that their fits get more time
//! than those of explicit ones: what a fit leaves sets the length of the steps, and a correction is
//! cheaper than a step.

use super::engine::Engine;
use super::error::AttemptError;
use super::implicit_stages::{self, Pencil};
use super::rosenbrock::Rosenbrock;
use super::stage_fit::{Attempt, Fit, Scale, Settings};
use super::subset::{Subsets, TangentSpace};
use crate::field::cpu::Field;
use crate::linalg::LeastSquares;

/// Corrections of an implicit step over those of an explicit one.
pub const MORE_CORRECTIONS: usize = 2;
/// So many idle corrections in a row end its fit.
pub const PATIENCE: usize = 6;

/// Attempts one step of length `dt` from theta, whose field is `field`, as
/// [`stage_fit::attempt`](super::stage_fit::attempt) does. `autonomous`: neither the equation nor its
/// lift depends on time.
///
/// # Errors
/// When a least-squares problem has no solution, which a shorter step may cure, or the device
/// fails.
pub async fn attempt(
    engine: &mut Engine,
    settings: &Settings,
    (method, autonomous): (&Rosenbrock, bool),
    subsets: &mut Subsets,
    memory: &mut LeastSquares,
    from: (&[f64], &Field),
    at: (f64, f64),
) -> Result<Attempt, AttemptError> {
    let ((theta, field), (time, dt)) = (from, at);
    let space = TangentSpace::at(engine, theta, time, subsets.draw()).await?;
    let pencil = Pencil::at(engine, &space, (method.gamma, settings.rcond), theta, at).await?;
    let directions = space.recycle(engine);
    let by_time = match autonomous {
        true => None,
        false => Some(engine.time_derivative(theta, time).await?),
    };
    let (prediction, step) =
        implicit_stages::stages(engine, method, &pencil, from, by_time.as_deref(), at).await?;
    let scale = Scale::of(settings, field, &prediction);
    let mut fit = Fit { engine, time, target: &prediction.target };
    let stay = fit.state_of(theta.to_vec(), &field.values);
    // The stages' own move of the parameters may be a first correction.
    let moved = theta.iter().zip(&step).map(|(theta, d)| theta + d).collect();
    let moved = fit.state(moved).await?;
    let state = if moved.norm < stay.norm { moved } else { stay };
    let (state, corrections) = fit.refine(settings, subsets, memory, scale.goal, state).await?;
    let end = engine.linearise(&state.theta, time + dt).await?;
    let miss = end.right_hand_side.iter().zip(&prediction.slope).map(|(f, k)| f - k);
    Ok(Attempt {
        error: prediction.error.map(|error| error / scale.size),
        roughness: pencil.damped(miss) / scale.size,
        field: end,
        chosen: directions.parameters(),
        count: directions.count(),
        corrections,
        rank: pencil.rank(),
        largest: pencil.largest,
        ..scale.attempt(state)
    })
}
