//! Ground truth: spectral solutions and closed forms.
//!
//! A [`Reference`] gives u at any time and place of a problem:
//!
//! - [`closed`]: the problem file's own exact solution;
//! - [`spectral`]: for periodic problems in up to three space dimensions, Fourier modes in space and
//!   [`etdrk4`] in time, with the linear part that [`split`] finds in the equation, refined until
//!   two runs agree, and kept as a [`solution`];
//! - [`characteristics`]: for linear transport in periodic boxes, the start at the feet of the
//!   characteristics, which [`extrapolation`] follows to about round-off;
//! - [`gaussian`]: for Gaussians under linear Fokker-Planck equations, the moments by the same means.

#![forbid(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::bytes;
#[cfg(test)]
use sketchpde_base::random;
use sketchpde_problem as problem;

pub mod characteristics;
pub mod closed;
mod companion;
pub mod etdrk4;
pub mod extrapolation;
mod fourier;
pub mod gaussian;
mod march;
mod pointwise;
pub mod solution;
pub mod spectral;
mod spectrum;
pub mod split;
mod turning;

pub use characteristics::Characteristics;
pub use closed::ClosedForm;
pub use companion::companion_values;
pub use gaussian::Gaussian;
pub use solution::{Quality, SpectralSolution};
pub use spectral::{Observer, SpectralSettings};

use crate::problem::{Boundary, PointLayout, Problem, ReferenceKind, Transport};

/// The solution that a run is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    Exact(ClosedForm),
    Spectral(SpectralSolution),
    Characteristics(Characteristics),
    Gaussian(Gaussian),
}

/// Where a spectral computation stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Runs finished before this one.
    pub level: usize,
    /// Part of this run that is done.
    pub fraction: f64,
    /// Fourier modes in use now.
    pub modes: usize,
    /// Time steps of this run.
    pub steps: usize,
    /// Estimated error of the last run, from the second run on.
    pub error: Option<f64>,
}

/// Why there is no reference solution.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReferenceError {
    #[error(
        "the spectral reference has at most three space dimensions, the problem has {dimensions}: \
         give an exact solution, or set reference.kind = \"none\""
    )]
    Dimensions { dimensions: usize },
    #[error(
        "the spectral reference needs a periodic domain, {coordinate} is not periodic: give an \
         exact solution, or set reference.kind = \"none\""
    )]
    NotPeriodic { coordinate: String },
    #[error("the problem gives no exact solution: add one, or set reference.kind = \"spectral\"")]
    NoExactSolution,
    #[error(
        "reference.{name} = {value} cannot be used: it must be positive (modes: 4 to 1048576, in two \
         dimensions 2048, in three 192; step: at most a billion steps in the run)"
    )]
    Settings { name: &'static str, value: f64 },
    #[error("the initial state is not a finite number at {place:?}: check its expression there")]
    InitialNotFinite { place: Vec<f64> },
    #[error(
        "the reference solution stops being finite at t = {time:.6} ({modes} modes, step {step:.3e}) \
         and smaller steps do not help: end the run before that time, or check the equation's signs"
    )]
    NotFinite { time: f64, modes: usize, step: f64 },
    #[error(
        "the solution develops structures finer than {modes} modes resolve at t = {time:.6}: add \
         diffusion, end the run earlier, or set reference.modes"
    )]
    Unresolved { time: f64, modes: usize },
    #[error(
        "the reference solution would take too long: after a minute or more of work {steps} steps had \
         reached t = {time:.6}; set reference.modes and reference.step to compute a coarser one, or \
         reference.kind = \"none\""
    )]
    TooMuchWork { time: f64, steps: usize },
    #[error("t = {time} lies outside the reference solution's time span, {start} to {end}")]
    TimeOutside { time: f64, start: f64, end: f64 },
    #[error(
        "the equation is not linear transport, u_t + a . grad u = c u + s: set reference.kind = \"auto\""
    )]
    NotTransport,
    #[error(
        "the characteristic through {place:?} at t = {time} cannot be followed to the start: the \
         velocity has no finite value on its way, or points into a seam of the box from both sides; \
         set reference.kind = \"none\""
    )]
    Characteristic { place: Vec<f64>, time: f64 },
    #[error(
        "the equation is not a linear Fokker-Planck equation for the density (or, with \
         points.density = \"logarithm\", its logarithm), in a domain with open ends: set \
         reference.kind = \"none\""
    )]
    NotFokkerPlanck,
    #[error("the initial state is not a Gaussian: set reference.kind = \"none\"")]
    NotGaussian,
    #[error(
        "the moments of the Gaussian stop being those of a density at t = {time:.6}: check the signs \
         of the equation, or set reference.kind = \"none\""
    )]
    Moments { time: f64 },
    #[error(
        "in {dimensions} dimensions what is looked at is the marginal along the first coordinate, \
         which only a Gaussian reference has"
    )]
    NoMarginal { dimensions: usize },
    #[error("the stored reference solution is incomplete or of another version: compute it anew")]
    Encoding,
    #[error("the reference solution was cancelled")]
    Cancelled,
}

impl ReferenceError {
    /// When a solution began to fail.
    #[must_use]
    pub fn failure_time(&self) -> Option<f64> {
        match self {
            Self::NotFinite { time, .. } | Self::Unresolved { time, .. } => Some(*time),
            _ => None,
        }
    }
}

/// The kind of reference that a problem gets: its wish, or for `Auto` the exact solution if there
/// is one, else a spectral one or one by characteristics if the problem allows it, else none. Between
/// insulated sides a spectral one is that of the problem with its mirror image.
#[must_use]
pub fn kind(problem: &Problem) -> ReferenceKind {
    let periodic = problem.coordinates.iter().all(|c| c.boundary == Boundary::Periodic);
    // In one dimension a spectral solution is as exact as characteristics, and faster to look at.
    let transport = problem.dimensions() > 1 && Transport::of(problem).is_some();
    match problem.reference.kind {
        ReferenceKind::Auto if draws_a_density(problem) => ReferenceKind::Gaussian,
        ReferenceKind::Auto if problem.exact.is_some() => ReferenceKind::Exact,
        ReferenceKind::Auto if periodic && transport => ReferenceKind::Characteristics,
        ReferenceKind::Auto
            if problem.dimensions() <= spectral::MOST_DIMENSIONS
                && problem.mirrored().is_some() =>
        {
            ReferenceKind::Spectral
        }
        ReferenceKind::Auto => ReferenceKind::None,
        wished => wished,
    }
}

/// Whether points are drawn from a density in an open domain, of which nothing is known in closed
/// form or, in more dimensions than can be drawn, nothing that could be compared.
fn draws_a_density(problem: &Problem) -> bool {
    problem.points.layout == PointLayout::Adaptive
        && (problem.exact.is_none() || problem.dimensions() > 2)
        && problem.coordinates.iter().all(|c| c.boundary == Boundary::Open)
}

impl Reference {
    /// The reference of a problem, `None` where it has and wants none, and where a density turns out
    /// not to stay Gaussian. A spectral one is computed
    /// here, which can take seconds; `observe` sees its progress and can cancel it.
    ///
    /// # Errors
    /// See [`spectral::solve`]; [`ReferenceError::NoExactSolution`] when the problem asks for an
    /// exact solution and gives none.
    pub fn of(problem: &Problem, observe: Observer<'_>) -> Result<Option<Self>, ReferenceError> {
        match kind(problem) {
            ReferenceKind::Exact => ClosedForm::of(problem)
                .map(|exact| Some(Self::Exact(exact)))
                .ok_or(ReferenceError::NoExactSolution),
            ReferenceKind::Spectral => {
                let whole = problem.mirrored();
                let whole = whole.as_ref().unwrap_or(problem);
                let settings = SpectralSettings::of(whole);
                spectral::solve(whole, &settings, observe).map(|s| Some(Self::Spectral(s)))
            }
            ReferenceKind::Characteristics => {
                Characteristics::of(problem).map(|c| Some(Self::Characteristics(c)))
            }
            ReferenceKind::Gaussian if problem.reference.kind == ReferenceKind::Auto => {
                Ok(Gaussian::of(problem).ok().map(Self::Gaussian))
            }
            ReferenceKind::Gaussian => Gaussian::of(problem).map(|g| Some(Self::Gaussian(g))),
            ReferenceKind::Auto | ReferenceKind::None => Ok(None),
        }
    }

    /// The unknowns, one after the other, at the points, whose coordinates lie point by point (in one
    /// dimension simply x).
    ///
    /// # Errors
    /// [`ReferenceError::TimeOutside`] when a spectral solution does not reach `time`.
    pub fn values(&self, time: f64, coordinates: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        match self {
            Self::Exact(exact) => Ok(exact.values(time, coordinates)),
            Self::Spectral(solution) => solution.values(time, coordinates),
            Self::Characteristics(characteristics) => characteristics.values(time, coordinates),
            Self::Gaussian(gaussian) => gaussian.values(time, coordinates),
        }
    }

    /// The marginal along the first coordinate of the density that u is, or is the logarithm of.
    ///
    /// # Errors
    /// [`ReferenceError::NoMarginal`] where it is not known; as for [`Reference::values`].
    pub fn marginal(
        &self,
        time: f64,
        x: &[f64],
        dimensions: usize,
    ) -> Result<Vec<f64>, ReferenceError> {
        match self {
            Self::Gaussian(gaussian) => gaussian.marginal(time, x),
            _ => Err(ReferenceError::NoMarginal { dimensions }),
        }
    }

    /// Relative L2 error of the reference itself; 0 for a closed form, and about 100 steps' worth
    /// of their tolerance for characteristics and moments.
    #[must_use]
    pub fn estimated_error(&self) -> f64 {
        match self {
            Self::Exact(_) => 0.0,
            Self::Spectral(solution) => solution.quality().estimated_error,
            Self::Characteristics(_) | Self::Gaussian(_) => 100.0 * extrapolation::TOLERANCE,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
