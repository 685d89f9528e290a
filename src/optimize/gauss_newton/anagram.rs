//! The empirical natural gradient ANaGRAM: `d = J^+ r` by singular values with a cutoff.
//!
//! Schwencke, Furtlehner: "ANaGRAM: a natural gradient relative to adapted model for efficient
//! PINNs learning", ICLR 2025. No Gram matrix: singular values count down to round-off itself. The
//! cutoff decides between a bold and a safe direction; here it can also be adapted along the run:
//! one decomposition gives the directions of several cutoffs, each step is repeated with the
//! nonlinearity taken out, and the loss decides.

use crate::error::OptimizeError;
use crate::field::residual::ResidualSystem;
use crate::gauss_newton::MEMORY_LIMIT;
use crate::gauss_newton::adapted::adapt;
use crate::jacobian::Linearisation;
use crate::levenberg::search::{DampedInverse, Linearised, SearchSettings};
use crate::levenberg::{REFINEMENTS, is_energy, reach};
use crate::linalg::{Factorisation, Filter, LeastSquares, LeastSquaresError, Projection, Settings};
use crate::line_search::moved;
use crate::problem::Solver;
use crate::settings::{AnagramSettings, LineSearch, SingularCutoff};
use crate::state::{TrainingState, number};
use crate::step::{Optimizer, Start, Step, gradient_norm, rank, walk};

/// The cutoff grows by this where no step was found.
const RETREAT: f64 = 10.0;
/// Of the residual that a step aims to take away: truncated directions are bolder than damped ones,
/// and a whole step often leaves the region in which they hold.
const SHARES: [f64; 6] = [1.0 / 32.0, 1.0 / 16.0, 0.125, 0.25, 0.5, 1.0];
/// The largest cutoff, relative to the largest singular value.
const LARGEST: f64 = 0.1;

#[derive(Debug, Default)]
pub struct Anagram {
    settings: AnagramSettings,
    linearisation: Linearisation,
    solver: LeastSquares,
    /// The adapted cutoff, relative; none before the first iteration.
    cutoff: Option<f64>,
}

/// One decomposition and the residual in its terms.
struct Decomposed<'a> {
    factorisation: Factorisation<'a, f64>,
    projection: Projection,
    /// Relative, of the search.
    cutoff: f64,
}

impl Decomposed<'_> {
    fn direction(&self, rcond: f64) -> Vec<f64> {
        self.factorisation.combine(&self.projection, Filter::Truncate { rcond })
    }
}

impl Anagram {
    pub fn new(settings: AnagramSettings) -> Self {
        let solver = Settings { solver: Solver::PivotedQr, rcond: 0.0, ..Settings::default() };
        Self { settings, solver: LeastSquares::new(solver), ..Self::default() }
    }
}

/// `J^+` by the singular values above a cutoff.
impl DampedInverse for Decomposed<'_> {
    fn largest(&self) -> f64 {
        self.factorisation.largest()
    }

    fn damp(&mut self, lambda: f64) -> bool {
        self.cutoff = lambda / self.largest();
        self.cutoff > 0.0 && self.cutoff <= LARGEST
    }

    fn solve(&self, r: &[f64]) -> Result<Vec<f64>, LeastSquaresError> {
        let projection = self.factorisation.project(r)?;
        Ok(self.factorisation.combine(&projection, Filter::Truncate { rcond: self.cutoff }))
    }
}

/// The cutoff and the step that the loss prefers: as Levenberg-Marquardt searches its damping, with
/// every step repeated to take the nonlinearity out; from the last cutoff and not below the least.
async fn search<S: ResidualSystem>(
    system: &mut S,
    start: Start<'_>,
    linearisation: &Linearisation,
    decomposed: Decomposed<'_>,
    (last, least_damping): (f64, f64),
) -> Result<(f64, Step), OptimizeError> {
    let mut evaluations = 0;
    let evaluate = async |step: &[f64]| {
        evaluations += 1;
        reach(system, &moved(start.theta, step, 1.0)).await
    };
    let settings = SearchSettings {
        least_damping,
        refinements: REFINEMENTS,
        shares: &SHARES,
        ..SearchSettings::default()
    };
    let mut linearised = Linearised {
        jacobian: linearisation.whole(),
        residual: &linearisation.residual,
        loss: start.loss,
        inverse: decomposed,
        evaluate,
        settings,
    };
    let Some(trial) = linearised.search(last).await? else {
        // No cutoff lowers the loss at full length: a safer direction, as far as it goes.
        let cutoff = (RETREAT * last).min(LARGEST);
        let direction = linearised.inverse.direction(cutoff);
        let step = walk(system, start, &direction, LineSearch::default()).await?;
        return Ok((cutoff, Step { evaluations: step.evaluations + evaluations, ..step }));
    };
    let mut step = Step::stay(start.theta, start.loss);
    step.evaluations = evaluations;
    step.theta = moved(start.theta, &trial.step, 1.0);
    (step.loss, step.step_length) = (trial.reached.loss, 1.0);
    Ok((trial.damping, step))
}

impl Optimizer for Anagram {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        self.linearisation.at_within(system, start.theta, "anagram", MEMORY_LIMIT).await?;
        let half = self.linearisation.gradient(system).await?;
        let noise = system.rounding().entries;
        let published = (f64::EPSILON * system.parameters() as f64).sqrt();
        let least = match self.settings.cutoff {
            SingularCutoff::Adapted { least } => noise.max(least),
            _ => noise,
        };
        let last = self.cutoff.unwrap_or(published).max(least);
        let linearisation = &self.linearisation;
        let factorisation = self.solver.factor(linearisation.whole(), 0)?;
        let projection = factorisation.project(&linearisation.residual)?;
        let singular_values = factorisation.singular_values().to_vec();
        let decomposed = Decomposed { factorisation, projection, cutoff: last };
        let line_search = self.settings.line_search;
        let (rcond, step) = match self.settings.cutoff {
            // An energy has no residual to repeat a step by.
            SingularCutoff::Adapted { .. } if is_energy(&linearisation.residual, start.loss) => {
                let direction = |cutoff| decomposed.direction(cutoff);
                adapt(system, start, &direction, last, least, line_search).await?
            }
            SingularCutoff::Adapted { .. } => {
                search(system, start, linearisation, decomposed, (last, least)).await?
            }
            fixed => {
                let rcond = match fixed {
                    SingularCutoff::Fixed(cutoff) => {
                        cutoff.relative_to(decomposed.factorisation.largest())
                    }
                    _ => published,
                };
                let rcond = if noise > f64::EPSILON { rcond.max(noise) } else { rcond };
                let direction = decomposed.direction(rcond);
                (rcond, walk(system, start, &direction, line_search).await?)
            }
        };
        self.cutoff = Some(rcond);
        Ok(Step {
            rank: rank(&singular_values, rcond),
            damping: rcond,
            gradient_norm: gradient_norm(&half),
            singular_values,
            ..step
        })
    }

    fn save(&self, state: &mut TrainingState) {
        if let Some(cutoff) = self.cutoff {
            state.insert("anagram.cutoff".into(), vec![cutoff]);
        }
    }

    fn restore(&mut self, state: &TrainingState, _parameters: usize) -> Result<(), OptimizeError> {
        self.cutoff = match state.contains_key("anagram.cutoff") {
            true => Some(number(state, "anagram.cutoff")?),
            false => None,
        };
        Ok(())
    }
}
