//! The driver: commands in, snapshots out; never blocks.
//!
//! A [`Session`] holds one run of either family: an initial fit and time steps, or a training. It
//! begins with a [`Solver`], which is a problem on a device, and goes on from a [`SavedState`]; as a
//! file that is a [`Checkpoint`]. It has no thread and no clock of its own: whoever drives it calls
//! [`Session::advance`] with a budget of time, between the frames of a page, in a web worker or on a
//! thread. [`SessionHandle`] is that thread, for native programs.

mod checkpoint;
mod command;
mod commands;
mod density;
mod error;
mod evolving;
mod frames;
mod grid;
#[cfg(not(target_arch = "wasm32"))]
mod handle;
pub mod memory;
mod norm;
mod observe;
mod pace;
mod recording;
mod run;
mod saved;
mod snapshot;
mod solver;
mod training;
mod trajectory;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, Maker};
pub use command::Command;
pub use commands::is_live;
pub use error::SessionError;
pub use frames::Frames;
pub use grid::EvaluationGrid;
#[cfg(not(target_arch = "wasm32"))]
pub use handle::{SessionHandle, wall_clock};
pub use recording::Recording;
pub use run::{Activity, Clock, Course, Options, Session, Start};
pub use saved::{Rows, SavedState, SavedSteps};
pub use snapshot::{Phase, Seconds, Snapshot, Status, TrainingPoint};
pub use solver::{Solver, resolved};
pub use training::{TrainingSession, TrainingStatus, TrainingSystem};
pub use trajectory::Trajectory;

use crate::problem::{PointLayout, Problem, Update};

/// How many time steps the run takes, where the step size is fixed; the last one may be shorter.
#[must_use]
pub fn fixed_steps(problem: &Problem) -> Option<usize> {
    let method = &problem.method;
    let span = problem.time.end - problem.time.start;
    // A quotient that is whole but for rounding is whole.
    method.tolerance.is_none().then(|| (span / method.step - 1e-9).ceil().max(1.0) as usize)
}

/// s, or p for dense updates; the first s where the run chooses it.
#[must_use]
pub fn columns(problem: &Problem, parameters: usize) -> usize {
    match problem.method.update {
        Update::Dense => parameters,
        Update::RandomSparse => problem.method.columns,
    }
}

/// n: how many points the least-squares problems have.
#[must_use]
pub fn total_points(problem: &Problem) -> usize {
    let count = &problem.points.count;
    match (problem.points.layout, count.as_slice()) {
        (PointLayout::Grid, [same]) => same.pow(problem.coordinates.len() as u32),
        (PointLayout::Grid, each) => each.iter().product(),
        (_, counts) => counts.iter().product(),
    }
}
