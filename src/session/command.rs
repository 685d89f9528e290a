//! What can be asked of a session.

use serde::{Deserialize, Serialize};

use crate::problem::{Integrator, Scheme, Update};

/// A request, obeyed between two steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Command {
    /// Go on by itself until the end time.
    Play,
    /// Stop after the step in progress.
    Pause,
    /// Take this many steps, then pause.
    Step(usize),
    /// Back to the start time and the fitted parameters, with the settings as they are now.
    Reset,
    /// Give a named parameter of the equation another value, from the present state on.
    SetParameter { name: String, value: f64 },
    /// Change s, the number of parameters that a sparse update changes.
    SetColumns(usize),
    /// Change the relative cutoff of singular values.
    SetRcond(f64),
    /// Change the time step.
    SetStep(f64),
    /// Change the local error that the step controller aims at; `None`: fixed steps.
    SetTolerance(Option<f64>),
    /// Change the Runge-Kutta method.
    SetIntegrator(Integrator),
    /// Change what the Runge-Kutta method is applied to.
    SetScheme(Scheme),
    /// Change which parameters a step may change.
    SetUpdate(Update),
    /// Add `height exp(-|x - place|^2 / radius^2)` to the solution and go on from there; distances
    /// along periodic coordinates are the shorter way round.
    Disturb { place: Vec<f64>, height: f64, radius: f64 },
    /// Make the solution these values, at the points of the [evaluation grid](super::EvaluationGrid),
    /// as nearly as the network can, and go on from there. At the start time this is the initial
    /// state from then on, to which [`Command::Reset`] leads back.
    Redraw { values: Vec<f64> },
}
