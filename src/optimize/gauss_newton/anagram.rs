//! The empirical natural gradient ANaGRAM: `d = J^+ r` by singular values with a cutoff.
//!
//! Schwencke, Furtlehner: "ANaGRAM: a natural gradient relative to adapted model for efficient
//! PINNs learning", ICLR 2025. No Gram matrix: singular values count down to round-off itself. The
//! cutoff decides between a bold and a safe direction; here it can also be adapted along the run:
//! one decomposition gives the directions of several cutoffs, the loss decides, and the best step is
//! repeated with the nonlinearity taken out.

use faer::ColRef;

use crate::evaluate::residual::ResidualSystem;
use crate::linalg::{Factorisation, Filter, LeastSquares, Projection, Settings};
use crate::optimize::error::OptimizeError;
use crate::optimize::gauss_newton::MEMORY_LIMIT;
use crate::optimize::gauss_newton::adapted::adapt;
use crate::optimize::jacobian::Linearisation;
use crate::optimize::levenberg::is_energy;
use crate::optimize::line_search::{moved, or_infinite};
use crate::optimize::settings::{AnagramSettings, SingularCutoff};
use crate::optimize::state::{TrainingState, number};
use crate::optimize::step::{Optimizer, Start, Step, gradient_norm, walk};
use crate::problem::Solver;

/// Repetitions of a step with one decomposition.
const REPETITIONS: usize = 5;

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

/// Takes the nonlinearity N of the residual `r - J d - N(d)` out of a step d along the truncated
/// direction, `d <- eta J^+ r + J^+ N(d)`, while the loss falls: what makes steps of
/// Levenberg-Marquardt long ([`crate::optimize::levenberg::search`]), for a truncated inverse.
fn repeat(
    system: &mut dyn ResidualSystem,
    start: Start<'_>,
    linearisation: &Linearisation,
    decomposed: &Decomposed<'_>,
    cutoff: f64,
    mut best: Step,
) -> Result<Step, OptimizeError> {
    let direction = decomposed.direction(cutoff);
    let mut residual = vec![0.0; linearisation.residual.len()];
    for _ in 0..REPETITIONS {
        system.residual(&best.theta, &mut residual)?;
        let step: Vec<f64> = start.theta.iter().zip(&best.theta).map(|(a, b)| a - b).collect();
        let image = linearisation.whole() * ColRef::from_slice(&step);
        let linear = linearisation.residual.iter().zip(image.iter()).map(|(r, image)| r - image);
        let nonlinear: Vec<f64> = residual.iter().zip(linear).map(|(new, l)| new - l).collect();
        let projection = decomposed.factorisation.project(&nonlinear)?;
        let filter = Filter::Truncate { rcond: cutoff };
        let correction = decomposed.factorisation.combine(&projection, filter);
        let theta = moved(&moved(start.theta, &direction, best.step_length), &correction, 1.0);
        let loss = or_infinite(system.losses(&[&theta])?[0]);
        best.evaluations += 2;
        if loss >= best.loss {
            break;
        }
        (best.theta, best.loss) = (theta, loss);
    }
    Ok(best)
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
        let linearisation = &self.linearisation;
        let factorisation = self.solver.factor(linearisation.whole(), 0)?;
        let projection = factorisation.project(&linearisation.residual)?;
        let decomposed = Decomposed { factorisation, projection };
        let (rcond, step) = match self.settings.cutoff {
            SingularCutoff::Adapted => {
                let direction = |cutoff| decomposed.direction(cutoff);
                let search = self.settings.line_search;
                let (cutoff, step) = adapt(system, start, &direction, last, f64::EPSILON, search)?;
                // An energy has no residual to repeat a step by.
                let least_squares = !is_energy(&linearisation.residual, start.loss);
                let step = match step.step_length > 0.0 && least_squares {
                    true => repeat(system, start, linearisation, &decomposed, cutoff, step)?,
                    false => step,
                };
                (cutoff, step)
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
