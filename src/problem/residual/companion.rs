//! An evolution problem that has the solution of a residual problem, to measure errors by.

use std::sync::Arc;

use crate::expression::{Entry, Expression, Place};
use crate::tabulated::Tabulated;
use crate::{
    Activation, ArchitectureSettings, Boundary, Coordinate, Density, FitMethod, FitSettings,
    Integrator, MOST_FIT_ERROR, MethodSettings, NetworkSettings, Parameter, PointLayout,
    PointSettings, Precision, Problem, ReferenceKind, ReferenceSettings, Regularisation, Sampling,
    Scheme, Solver, TimeSpan, Update,
};

/// A periodic evolution problem in one space dimension, and how its unknown gives the solution.
///
/// A problem between two ends has one where its reflections at the ends are periodic.
#[derive(Clone, Debug, PartialEq)]
pub struct Companion {
    pub problem: Box<Problem>,
    /// The solution, in the companion's unknown, its coordinate and the time.
    pub value: Expression,
    /// The residual problem's coordinates of time and space.
    pub time: usize,
    pub space: usize,
}

/// What of a companion stands in the file.
pub(crate) struct Parts {
    pub unknown: String,
    pub space: Coordinate,
    pub span: TimeSpan,
    pub parameters: Vec<Parameter>,
    pub tables: Vec<Arc<Tabulated>>,
    pub equation: String,
    pub right_hand_side: Expression,
    pub initial: Expression,
}

impl Companion {
    /// The solution at `point`, from the companion's unknown there.
    #[must_use]
    pub fn value_at(&self, unknown: f64, x: f64, time: f64) -> f64 {
        let parameters = self.problem.parameter_values();
        let place = Place { coordinates: &[x], time, parameters: &parameters };
        self.value
            .evaluate(place, &|entry| if entry == Entry::value(0) { unknown } else { f64::NAN })
    }

    /// The solution at the start.
    #[must_use]
    pub fn initial_at(&self, x: f64) -> f64 {
        let start = self.problem.time.start;
        let parameters = self.problem.parameter_values();
        self.value_at(self.problem.initial[0].evaluate_at(&[x], start, &parameters), x, start)
    }
}

impl Parts {
    /// The problem for the spectral solver; what only a network needs is of no meaning.
    pub(crate) fn problem(self) -> Problem {
        let step = (self.span.end - self.span.start) / 256.0;
        Problem {
            name: "reference".into(),
            title: "Reference".into(),
            description: String::new(),
            unknowns: vec![self.unknown],
            complex: Vec::new(),
            coordinates: vec![Coordinate { boundary: Boundary::Periodic, ..self.space }],
            parameters: self.parameters,
            tables: self.tables,
            time: self.span,
            equation: self.equation,
            right_hand_side: vec![self.right_hand_side],
            initial: vec![self.initial],
            exact: None,
            distance: None,
            lift: None,
            network: NetworkSettings {
                width: 1,
                hidden_layers: 0,
                activation: Activation::Tanh,
                architecture: ArchitectureSettings::default(),
            },
            points: PointSettings {
                layout: PointLayout::Grid,
                count: vec![1],
                density: Density::Magnitude,
                resample: 1,
            },
            fit: FitSettings {
                method: FitMethod::LevenbergMarquardt,
                tolerance: 0.5,
                accept: MOST_FIT_ERROR,
                max_iterations: 1,
                count: Vec::new(),
            },
            method: MethodSettings {
                chooses_scheme: false,
                scheme: Scheme::StageFit,
                update: Update::Dense,
                columns: 1,
                adaptive_columns: false,
                sampling: Sampling::Uniform,
                integrator: Integrator::Rk4,
                step,
                tolerance: None,
                rcond: 0.5,
                solver: Solver::Auto,
                regularisation: Regularisation::Damp,
                corrections: 1,
                refit_every: None,
            },
            reference: ReferenceSettings { kind: ReferenceKind::Spectral, modes: None, step: None },
            precision: Precision::F64,
            seed: 0,
            source: String::new(),
        }
    }
}
