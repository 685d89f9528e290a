//! Levenberg-Marquardt in a random subspace, with iterated geodesic acceleration.
//!
//! The Jacobian of a trained network has a numerical rank far below its order: for Poisson's
//! equation in two dimensions with 1,341 parameters 57 singular values lie above 1e-4 of the
//! largest, 187 above 1e-9. So a step is sought in the span of s random orthonormal columns Omega:
//! `theta - Omega y` with `y = (W^T W + lambda^2)^-1 W^T r`, `W = J Omega` (n x s). One
//! decomposition of the small W serves every damping that is tried and every repetition of a step
//! ([`search`]), down to dampings of round-off itself, which a Gram matrix cannot hold. s follows
//! the number of singular values that the damping leaves; every iteration draws another subspace.
//! A relative of DSGNAR (arXiv 2607.02194), which solves a trust region from the decomposition of a
//! sketched Jacobian.

mod energy;
pub mod search;

use nalgebra::{DMatrix, DMatrixView};

use super::gauss_newton::MEMORY_LIMIT;
use crate::error::OptimizeError;
use crate::field::residual::{ResidualError, ResidualSystem};
use crate::jacobian::Linearisation;
use crate::linalg::{Factorisation, LeastSquares, Settings, TestMatrix, TestMatrixKind};
use crate::problem::Solver;
use crate::settings::{LevenbergSettings, Subspace};
use crate::state::{TrainingState, count, number};
use crate::step::{Optimizer, Start, Step, gradient_norm, rank};
use energy::EnergyStart;
use search::{Decomposed, Linearised, Next, Reached, SearchSettings, Trial};

/// Columns of the first subspace, and the fewest of any.
const FIRST_COLUMNS: usize = 120;
const LEAST_COLUMNS: usize = 64;
/// Columns beyond the share of the rank.
const SPARE_COLUMNS: usize = 40;
/// Singular values below this share of the damping do not matter.
const NEGLIGIBLE: f64 = 0.1;
/// The most parameters for which subspaces are trigonometric.
const LONGEST_TRANSFORM: usize = 1 << 16;
/// Each takes two more steps from the decomposition of one Jacobian.
pub(super) const REFINEMENTS: usize = 2;
/// The damping grows by this where no step was found.
const RETREAT: f64 = 10.0;
/// By how much a loss and its sum of squares may differ in round-off, near convergence or in single
/// precision.
const ROUND_OFF: f64 = 1e-2;

#[derive(Debug)]
pub struct Levenberg {
    settings: LevenbergSettings,
    seed: u64,
    linearisation: Linearisation,
    solver: LeastSquares,
    damping: f64,
    columns: usize,
}

/// What one search found out.
struct Searched {
    /// The parameters that were reached, if any.
    theta: Option<Vec<f64>>,
    trial: Option<Trial>,
    /// `|grad R|`.
    gradient_norm: f64,
    evaluations: usize,
    singular_values: Vec<f64>,
}

impl Levenberg {
    pub fn new(settings: LevenbergSettings, seed: u64) -> Self {
        // Down to round-off: nothing is cut off that a small damping may need.
        let solver = Settings { solver: Solver::PivotedQr, rcond: 0.0, ..Settings::default() };
        let columns = match settings.subspace {
            Subspace::Columns(columns) => columns,
            _ => FIRST_COLUMNS,
        };
        Self {
            settings,
            seed,
            linearisation: Linearisation::default(),
            solver: LeastSquares::new(solver),
            damping: settings.damping,
            columns,
        }
    }

    /// The subspace of an iteration; `None` where it is the whole space.
    fn subspace<S: ResidualSystem>(&self, system: &S, iteration: usize) -> Option<TestMatrix> {
        let (rows, parameters) = (system.rows(), system.parameters());
        if self.settings.subspace == Subspace::Full || self.columns >= parameters {
            return None;
        }
        // More columns than rows add nothing but a shorter step.
        let columns = self.columns.clamp(1, (rows + rows / 4).max(1)).min(parameters);
        Some(test_matrix(self.settings.kind, parameters, columns, self.seed, iteration))
    }

    async fn search<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Searched, OptimizeError> {
        let subspace = self.subspace(system, start.iteration);
        let sketched;
        let (matrix, half) = match &subspace {
            Some(test) => {
                self.linearisation.at_for_products(system, start.theta).await?;
                let (product, half) = self.linearisation.sketch(system, test).await?;
                sketched = product * test.isometry();
                (sketched.as_view(), half)
            }
            None => {
                self.linearisation.at_within(system, start.theta, "lm", MEMORY_LIMIT).await?;
                let half = self.linearisation.gradient(system).await?;
                (self.linearisation.whole(), half)
            }
        };
        let residual = &self.linearisation.residual;
        let energy = is_energy(residual, start.loss).then(|| EnergyStart::new(start, &half));
        let factorisation = self.solver.factor(matrix, 0)?;
        let singular_values = factorisation.singular_values().to_vec();
        let mut evaluations = 0;
        let evaluate = async |step: &[f64]| {
            evaluations += 1;
            let theta = lift(start.theta, step, subspace.as_ref());
            match &energy {
                Some(from) => {
                    Ok(from.reach(system, &theta).await?.map_or_else(Reached::nothing, |trial| {
                        let next = Next::Gradient(by_step(&trial.gradient, subspace.as_ref()));
                        Reached { loss: trial.change, next }
                    }))
                }
                None => reach(system, &theta).await,
            }
        };
        let mut linearised = Linearised {
            jacobian: matrix,
            residual,
            loss: if energy.is_some() { 0.0 } else { start.loss },
            inverse: decomposed(factorisation),
            evaluate,
            settings: SearchSettings {
                repetitions: self.settings.repetitions,
                least_damping: self.settings.least_damping,
                refinements: REFINEMENTS,
                ..SearchSettings::default()
            },
        };
        let mut trial = linearised.search(self.damping).await?;
        if let (Some(trial), Some(_)) = (&mut trial, &energy) {
            trial.reached.loss += start.loss;
        }
        let reached = trial.as_ref().map(|t| lift(start.theta, &t.step, subspace.as_ref()));
        let gradient_norm = gradient_norm(&half);
        Ok(Searched { theta: reached, trial, gradient_norm, evaluations, singular_values })
    }

    /// Sizes the next subspace by the singular values that its damping will leave.
    fn resize(&mut self, singular_values: &[f64], found: bool) {
        let Subspace::Adaptive { share } = self.settings.subspace else { return };
        let rank = rank(singular_values, NEGLIGIBLE * self.damping);
        let wanted = (share * rank as f64) as usize + SPARE_COLUMNS;
        self.columns =
            if found { wanted.max(LEAST_COLUMNS) } else { wanted.max(self.columns * 3 / 2) };
    }
}

fn decomposed(factorisation: Factorisation<'_, f64>) -> Decomposed<'_> {
    Decomposed { factorisation, lambda: 0.0 }
}

/// Omega for steps of so many parameters, where a trigonometric one is wanted only up to a length.
pub(super) fn test_matrix(
    kind: TestMatrixKind,
    parameters: usize,
    columns: usize,
    seed: u64,
    epoch: usize,
) -> TestMatrix {
    // Transforms of very long rows cost more than they give.
    let long = parameters > LONGEST_TRANSFORM;
    let kind = match kind {
        TestMatrixKind::Trigonometric if long => TestMatrixKind::SparseSign,
        kind => kind,
    };
    TestMatrix::new(kind, parameters, columns, seed, epoch as u64)
}

/// `theta - Omega y`, or `theta - y` in the whole space.
pub(super) fn lift(theta: &[f64], y: &[f64], subspace: Option<&TestMatrix>) -> Vec<f64> {
    match subspace {
        None => theta.iter().zip(y).map(|(t, d)| t - d).collect(),
        Some(test) => {
            let scale = test.isometry();
            theta.iter().zip(test.combine(y)).map(|(t, d)| t - scale * d).collect()
        }
    }
}

/// Whether the loss is no sum of squares of these rows.
pub(super) fn is_energy(residual: &[f64], loss: f64) -> bool {
    let squares: f64 = residual.iter().map(|r| r * r).sum();
    (squares - loss).abs() > ROUND_OFF * squares
}

/// Half the gradient by the step y of what has the gradient g by the parameters: `-Omega^T g / 2`.
fn by_step(gradient: &[f64], subspace: Option<&TestMatrix>) -> Vec<f64> {
    let Some(test) = subspace else { return gradient.iter().map(|g| -0.5 * g).collect() };
    let row = DMatrixView::from_slice(gradient, 1, gradient.len());
    let mut image = DMatrix::zeros(1, test.columns());
    test.apply(row, image.as_view_mut());
    let factor = -0.5 * test.isometry();
    image.iter().map(|x| factor * x).collect()
}

/// What a trial point leads to. One at which nothing can be evaluated is infinitely bad.
pub(super) async fn reach<S: ResidualSystem>(
    system: &mut S,
    theta: &[f64],
) -> Result<Reached, OptimizeError> {
    let mut residual = vec![0.0; system.rows()];
    match system.residual(theta, &mut residual).await {
        Ok(()) => Ok(Reached::of(residual)),
        Err(ResidualError::NotFinite { .. }) => Ok(Reached::nothing()),
        Err(error) => Err(error.into()),
    }
}

impl Optimizer for Levenberg {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        let searched = self.search(system, start).await?;
        let Searched { gradient_norm, evaluations, singular_values, .. } = searched;
        let mut step = Step::stay(start.theta, start.loss);
        let found = searched.trial.is_some();
        if let (Some(theta), Some(trial)) = (searched.theta, searched.trial) {
            step.theta = theta;
            (step.loss, step.step_length) = (trial.reached.loss, 1.0);
            self.damping = trial.damping;
        } else {
            self.damping = (self.damping * RETREAT).min(1.0);
        }
        step.damping = self.damping;
        step.rank = rank(&singular_values, self.damping);
        self.resize(&singular_values, found);
        Ok(Step { gradient_norm, evaluations, singular_values, ..step })
    }

    fn save(&self, state: &mut TrainingState) {
        state.insert("lm.damping".into(), vec![self.damping]);
        state.insert("lm.columns".into(), vec![self.columns as f64]);
    }

    fn restore(&mut self, state: &TrainingState, _parameters: usize) -> Result<(), OptimizeError> {
        self.damping = number(state, "lm.damping")?;
        self.columns = count(state, "lm.columns")?;
        Ok(())
    }
}
