//! Partial differential equations solved by neural networks and randomized methods.
//!
//! # Quick start
//!
//! A problem is put together by [`ProblemBuilder`] or read from a file; [`solve`] gives a
//! [`Solution`] that answers anywhere in its domain:
//!
//! ```
//! use sketchpde::{ProblemBuilder, solve};
//!
//! let problem = ProblemBuilder::new()
//!     .equation("u_t = kappa*u_xx")
//!     .periodic("x", 0.0, 1.0)
//!     .parameter("kappa", 0.05)
//!     .initial("sin(2*pi*x)")
//!     .until(0.1)
//!     .set("network.width", 6)
//!     .set("network.hidden_layers", 2)
//!     .set("points.count", 48)
//!     .set("method.columns", 50)
//!     .evolution()?;
//! let solution = solve(&problem)?;
//!
//! let u = solution.at(0.05, &[0.25, 0.5])?;
//! let slope = solution.derivative("u_x", Some(0.05), &[0.5])?;
//! let decay = (-0.05 * (2.0 * std::f64::consts::PI).powi(2) * 0.05_f64).exp();
//! assert!((u[0] - decay).abs() < 1e-3);
//! assert!((slope[0] + 2.0 * std::f64::consts::PI * decay).abs() < 1e-2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same for problems over a whole domain, which a network is trained for
//! ([`ProblemBuilder::residual`]). [`Run`] goes step by step, [`solve_on`] says where to compute, and
//! [`Solution::open`] takes a solution from the folder of a run. The folder `examples` has a program
//! for each.
//!
//! # The modules
//!
//! They are in reading order; each uses only what stands above it. All but the last four are
//! crates of their own, in folders of their names beside this file, so that a change of one builds
//! no more than what stands on it.

#![forbid(unsafe_code)]

pub use sketchpde_base::{random, scalar};
pub use sketchpde_evolve as evolve;
pub use sketchpde_field as field;
pub use sketchpde_field::network;
pub use sketchpde_linalg as linalg;
pub use sketchpde_optimize as optimize;
pub use sketchpde_output as output;
pub use sketchpde_problem as problem;
pub use sketchpde_reference as reference;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;
pub mod outcome;
pub mod session;
pub mod solution;
pub mod solve;

pub use evolve::{Engine, Evolution, EvolveError, StepReport};
pub use field::device::{Backend, Description};
pub use field::gpu::{Gpu, GpuError};
pub use field::residual::{Collocation, Comparison, ResidualError, ResidualSystem, Rounding};
pub use linalg::LeastSquaresError;
pub use network::{Input, Layout, Network};
pub use optimize::{
    Method, OptimizeError, StopReason, StoppingRule, Training, TrainingHistory, TrainingRecord,
    TrainingReport,
};
pub use outcome::Outcome;
pub use output::{Axis, History, OutputError, ResultFolder, SpaceTimeField, StepRecord};
pub use problem::expression::Expression;
pub use problem::{
    Activation, Boundary, Choice, Coordinate, FitSettings, Integrator, MethodSettings,
    NetworkSettings, Overrides, Parameter, PointLayout, PointSettings, Precision, Preset, Problem,
    ProblemBuilder, ProblemErrors, ProblemFile, ResidualProblem, Sampling, Scheme, TimeSpan,
    Update, presets, residual_presets,
};
pub use reference::{Reference, ReferenceError};
pub use session::{Frames, Session, SessionError, TrainingSession, TrainingSystem, Trajectory};
pub use solution::{Answer, Quantity, Solution, SolutionError};
#[cfg(not(target_arch = "wasm32"))]
pub use solve::{BackgroundRun, RunOptions, RunStatus, solve};
pub use solve::{ProblemRef, Run, SolveError, Step, solve_on};
