//! The empirical natural gradient ANaGRAM: `d = J^+ r` by singular values with a cutoff.
//!
//! Schwencke, Furtlehner: "ANaGRAM: a natural gradient relative to adapted model for efficient
//! PINNs learning", ICLR 2025. No Gram matrix: singular values count down to round-off itself. The
//! cutoff decides between a bold and a safe direction; here it can also be adapted along the run:
//! one decomposition gives the steps of several cutoffs, each repeated with the nonlinearity taken
//! out ([`crate::optimize::levenberg::search`]), and the loss decides.

use crate::evaluate::residual::ResidualSystem;
use crate::linalg::{Factorisation, Filter, LeastSquares, LeastSquaresError, Projection, Settings};
use crate::optimize::error::OptimizeError;
use crate::optimize::gauss_newton::MEMORY_LIMIT;
use crate::optimize::gauss_newton::adapted::adapt;
use crate::optimize::jacobian::Linearisation;
use crate::optimize::levenberg::search::{DampedInverse, Linearised, SearchSettings};
use crate::optimize::levenberg::{is_energy, reach};
use crate::optimize::line_search::moved;
use crate::optimize::settings::{AnagramSettings, SingularCutoff};
use crate::optimize::state::{TrainingState, number};
use crate::optimize::step::{Optimizer, Start, Step, gradient_norm, walk};
use crate::problem::Solver;

#[derive(Debug, Default)]
pub(crate) struct Anagram {
    settings: AnagramSettings,
    linearisation: Linearisation,
    solver: LeastSquares,
    /// The adapted cutoff, relative; none before the first iteration.
    cutoff: Option<f64>,
}

/// The truncated inverse in place of the damped one.
struct Truncated<'a> {
    factorisation: Factorisation<'a, f64>,
    rcond: f64,
}

impl DampedInverse for Truncated<'_> {
    fn largest(&self) -> f64 {
        self.factorisation.largest()
    }

    fn damp(&mut self, lambda: f64) -> bool {
        self.rcond = lambda / self.largest();
        self.rcond > 0.0 && self.rcond < 1.0
    }

    fn solve(&self, r: &[f64]) -> Result<Vec<f64>, LeastSquaresError> {
        let filter = Filter::Truncate { rcond: self.rcond };
        Ok(self.factorisation.combine(&self.factorisation.project(r)?, filter))
    }
}

/// One decomposition and the residual in its terms.
struct Decomposed<'a> {
    factorisation: Factorisation<'a, f64>,
    projection: Projection,
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

/// The best repeated step of cutoffs around the last one, with its cutoff; `None` where no full step
/// lowers the loss. Gives the decomposition back.
fn repeated<'a>(
    system: &mut dyn ResidualSystem,
    start: Start<'_>,
    linearisation: &Linearisation,
    factorisation: Factorisation<'a, f64>,
    last: f64,
) -> Result<(Option<(f64, Step)>, Factorisation<'a, f64>), OptimizeError> {
    let mut evaluations = 0;
    let evaluate = |step: &[f64]| {
        evaluations += 1;
        reach(system, &moved(start.theta, step, 1.0))
    };
    let mut linearised = Linearised {
        jacobian: linearisation.whole(),
        residual: &linearisation.residual,
        loss: start.loss,
        inverse: Truncated { factorisation, rcond: last },
        evaluate,
        settings: SearchSettings { least_damping: f64::EPSILON, ..SearchSettings::default() },
    };
    let found = linearised.search(last)?;
    let factorisation = linearised.inverse.factorisation;
    let found = found.map(|trial| {
        let (theta, loss) = (moved(start.theta, &trial.step, 1.0), trial.reached.loss);
        let step = Step { theta, loss, step_length: 1.0, evaluations, ..Step::default() };
        (trial.damping, step)
    });
    Ok((found, factorisation))
}

impl Optimizer for Anagram {
    fn step(
        &mut self,
        system: &mut dyn ResidualSystem,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        self.linearisation.at_within(system, start.theta, "anagram", MEMORY_LIMIT)?;
        let half = self.linearisation.gradient(system)?;
        let published = (f64::EPSILON * system.parameters() as f64).sqrt();
        let last = self.cutoff.unwrap_or(published);
        let adapted = self.settings.cutoff == SingularCutoff::Adapted;
        let linearisation = &self.linearisation;
        let mut factorisation = self.solver.factor(linearisation.whole(), 0)?;
        let mut found = None;
        // An energy is judged by itself, along lines.
        if adapted && !is_energy(&linearisation.residual, start.loss) {
            (found, factorisation) = repeated(system, start, linearisation, factorisation, last)?;
        }
        let projection = factorisation.project(&linearisation.residual)?;
        let decomposed = Decomposed { factorisation, projection };
        let (rcond, step) = match (found, self.settings.cutoff) {
            (Some(found), _) => found,
            (None, SingularCutoff::Adapted) => {
                let direction = |cutoff| decomposed.direction(cutoff);
                adapt(system, start, &direction, last, f64::EPSILON, self.settings.line_search)?
            }
            (None, fixed) => {
                let rcond = match fixed {
                    SingularCutoff::Fixed(cutoff) => {
                        cutoff.relative_to(decomposed.factorisation.largest())
                    }
                    _ => published,
                };
                let direction = decomposed.direction(rcond);
                (rcond, walk(system, start, &direction, self.settings.line_search)?)
            }
        };
        self.cutoff = Some(rcond);
        Ok(Step {
            rank: decomposed.factorisation.rank(rcond),
            damping: rcond,
            gradient_norm: gradient_norm(&half),
            singular_values: decomposed.factorisation.singular_values().to_vec(),
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
