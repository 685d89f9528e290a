//! The empirical natural gradient ANaGRAM: `d = J^+ r` by singular values with a cutoff.
//!
//! Schwencke, Furtlehner: "ANaGRAM: a natural gradient relative to adapted model for efficient
//! PINNs learning", ICLR 2025. No Gram matrix: singular values count down to round-off itself. The
//! cutoff decides between a bold and a safe direction; here it can also be adapted along the run:
//! one decomposition gives the directions of several cutoffs, and the loss decides.

use crate::evaluate::residual::ResidualSystem;
use crate::linalg::{Factorisation, Filter, LeastSquares, Projection, Settings};
use crate::optimize::error::OptimizeError;
use crate::optimize::gauss_newton::MEMORY_LIMIT;
use crate::optimize::jacobian::Linearisation;
use crate::optimize::line_search::{least, losses, moved};
use crate::optimize::settings::{AnagramSettings, SingularCutoff};
use crate::optimize::state::{TrainingState, number};
use crate::optimize::step::{Optimizer, Start, Step, gradient_norm, walk};
use crate::problem::Solver;

/// Cutoffs that are tried, as powers of ten relative to the last one.
const TRIALS: [f64; 9] = [-2.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0];
/// Halvings of the step for each of them.
const HALVINGS: i32 = 6;

#[derive(Debug, Default)]
pub(crate) struct Anagram {
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

impl Optimizer for Anagram {
    fn step(
        &mut self,
        system: &mut dyn ResidualSystem,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        self.linearisation.at_within(system, start.theta, "anagram", MEMORY_LIMIT)?;
        let half = self.linearisation.gradient(system)?;
        let factorisation = self.solver.factor(self.linearisation.whole(), 0)?;
        let projection = factorisation.project(&self.linearisation.residual)?;
        let decomposed = Decomposed { factorisation, projection };
        let published = (f64::EPSILON * system.parameters() as f64).sqrt();
        let (rcond, step) = match self.settings.cutoff {
            SingularCutoff::Adapted => {
                let last = self.cutoff.unwrap_or(published);
                adapt(system, start, &decomposed, last, self.settings)?
            }
            fixed => {
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

/// The best of all trial cutoffs and step lengths, in one batch; where none of them lowers the
/// loss, the full line search with ten times the cutoff.
fn adapt(
    system: &mut dyn ResidualSystem,
    start: Start<'_>,
    decomposed: &Decomposed<'_>,
    last: f64,
    settings: AnagramSettings,
) -> Result<(f64, Step), OptimizeError> {
    let cutoffs = TRIALS.map(|power| (last * 10f64.powf(power)).clamp(f64::EPSILON, 0.1));
    let directions = cutoffs.map(|cutoff| decomposed.direction(cutoff));
    let lengths: Vec<f64> = (0..=HALVINGS).map(|k| 0.5f64.powi(k)).collect();
    let place = |k: usize| (k / lengths.len(), lengths[k % lengths.len()]);
    let trials = cutoffs.len() * lengths.len();
    let values = losses(system, trials, |k| {
        let (index, eta) = place(k);
        moved(start.theta, &directions[index], eta)
    })?;
    if let Some(best) = least(&values).filter(|&best| values[best] < start.loss) {
        let (index, step_length) = place(best);
        let theta = moved(start.theta, &directions[index], step_length);
        let step = Step { theta, loss: values[best], step_length, ..Step::default() };
        return Ok((cutoffs[index], Step { evaluations: trials, ..step }));
    }
    let larger = (10.0 * last).min(0.1);
    let step = walk(system, start, &decomposed.direction(larger), settings.line_search)?;
    Ok((larger, Step { evaluations: step.evaluations + trials, ..step }))
}
