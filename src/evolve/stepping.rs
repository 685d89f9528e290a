//! Whether steps are explicit or implicit, where the run chooses (`method.integrator = "auto"`).
//!
//! Explicit steps of a stiff equation are short because of directions in which nothing moves, implicit
//! ones are not, and cost a few times as much. What an equation is shows in trying: now and then, and
//! where explicit steps are refused again and again, a step is attempted the other way, an implicit
//! one of [`LONGER`] explicit ones, an explicit one of half an implicit one. Where it meets the
//! tolerance the run goes on that way. Tries that fail become rare, as do changes that do not last,
//! so that they cost a few steps in a hundred. Spectral radii, by which stiffness is judged for
//! ordinary differential equations (Hairer and Wanner, "Solving Ordinary Differential Equations II",
//! IV.2), say little here: the stiffest directions are noise that changes from subset to subset, and
//! what a fit absorbs limits a step as well.

use serde::{Deserialize, Serialize};

use super::attempt::Outcome;
use super::error::EvolveError;
use super::evolution::Evolution;
use super::rosenbrock::Rosenbrock;
use super::tableau::Tableau;
use crate::problem::{Integrator, MethodSettings, Scheme};

/// An implicit step that is tried is so many explicit ones long: what it costs, and more.
const LONGER: f64 = 4.0;
/// An explicit step that is tried, over the implicit one.
const SHORTER: f64 = 0.5;
/// Accepted steps before the other way is tried first, and at most.
const FIRST_WAIT: usize = 8;
const MOST_WAIT: usize = 256;
/// So many explicit steps that are refused in a row have it tried at once.
const REFUSED: usize = 2;
/// An explicit step whose successor may be longer than this has not found its length yet.
const SETTLED: f64 = 1.5;

/// How the next step is made; a part of a run's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stepping {
    pub implicit: bool,
    /// Accepted steps until the other way is tried, and between the latest tries.
    due: usize,
    wait: usize,
    /// Attempts refused in a row.
    refused: usize,
}

impl Default for Stepping {
    fn default() -> Self {
        Self { implicit: false, due: FIRST_WAIT, wait: FIRST_WAIT, refused: 0 }
    }
}

impl Stepping {
    /// Of a run that does not choose.
    #[must_use]
    pub fn fixed(implicit: bool) -> Self {
        Self { implicit, ..Self::default() }
    }

    /// Whether a run can have come to this: waits that never were would have it try for ever.
    #[must_use]
    pub fn can_be(&self) -> bool {
        (FIRST_WAIT..=MOST_WAIT).contains(&self.wait) && self.due <= self.wait
    }

    /// How much longer than the present steps a step the other way should be, where one is due.
    #[must_use]
    pub fn try_the_other(&self) -> Option<f64> {
        match self.implicit {
            true => (self.due == 0).then_some(SHORTER),
            false => (self.due == 0 || self.refused >= REFUSED).then_some(LONGER),
        }
    }

    /// After a try the other way.
    pub fn tried(&mut self, met: bool) {
        self.implicit ^= met;
        self.wait = (2 * self.wait).min(MOST_WAIT);
        self.due = self.wait;
        self.refused = 0;
    }

    /// After an attempt the present way, with the controller's factor.
    pub fn attempted(&mut self, accepted: bool, factor: f64) {
        if !accepted {
            self.refused += 1;
            return;
        }
        self.refused = 0;
        if self.implicit || factor < SETTLED {
            self.due = self.due.saturating_sub(1);
        }
    }
}

/// The methods of a run: its tableau, and its implicit method where it may take one.
#[derive(Clone, Copy, Debug)]
pub struct Methods {
    pub tableau: Tableau,
    pub rosenbrock: Option<Rosenbrock>,
    /// Whether each step is made as [`Stepping`] says.
    pub chooses: bool,
}

impl Methods {
    #[must_use]
    pub fn of(method: &MethodSettings) -> Self {
        let fits = method.scheme == Scheme::StageFit;
        let auto = method.integrator == Integrator::Auto;
        Self {
            tableau: Tableau::of(method.integrator),
            rosenbrock: Rosenbrock::of(method.integrator).filter(|_| fits),
            chooses: auto && fits && method.tolerance.is_some(),
        }
    }

    /// Order of a step's error estimate, as the controller takes it; a fit's residual grows about
    /// with the square of the step.
    #[must_use]
    pub fn order(&self, implicit: bool) -> u32 {
        match (&self.rosenbrock, self.tableau.error) {
            (Some(rosenbrock), _) if implicit => rosenbrock.order,
            (_, Some(_)) => self.tableau.order,
            (_, None) => 2,
        }
    }
}

impl Evolution {
    /// Whether the next step is implicit.
    #[must_use]
    pub fn is_implicit(&self) -> bool {
        self.stepping.implicit || self.features.is_some()
    }

    /// A step the other way, where it is time to try one and it meets the tolerance: the run goes on
    /// like that.
    pub(super) async fn other_way(
        &mut self,
        left: f64,
    ) -> Result<Option<(Outcome, f64)>, EvolveError> {
        let longer = self.methods.chooses.then(|| self.stepping.try_the_other()).flatten();
        // Near the end it does not matter any more.
        let Some(dt) = longer.map(|longer| longer * self.dt).filter(|dt| *dt < left) else {
            return Ok(None);
        };
        let implicit = !self.stepping.implicit;
        let outcome = self.outcome(implicit, dt).await?;
        let mut controller = self.new_controller(implicit);
        let error = outcome.error.unwrap_or(f64::INFINITY);
        let (met, factor) = controller.as_mut().map_or((false, 1.0), |c| c.judge(error));
        self.stepping.tried(met);
        if !met {
            return Ok(None);
        }
        self.controller = controller;
        self.dt = dt * factor;
        Ok(Some((outcome, dt)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_way_is_tried_where_steps_are_refused_and_ever_more_rarely() {
        let mut stepping = Stepping::default();
        assert_eq!(stepping.try_the_other(), None);
        stepping.attempted(false, 0.2);
        assert_eq!(stepping.try_the_other(), None);
        stepping.attempted(false, 0.2);
        assert_eq!(stepping.try_the_other(), Some(LONGER), "refused again and again");
        stepping.tried(false);
        assert!(!stepping.implicit);
        let mut gaps = Vec::new();
        for _ in 0..6 {
            let mut steps = 0;
            while stepping.try_the_other().is_none() {
                // A step that is still growing says nothing.
                stepping.attempted(true, 2.0);
                stepping.attempted(true, 1.0);
                steps += 1;
            }
            gaps.push(steps);
            stepping.tried(false);
        }
        assert_eq!(gaps, [16, 32, 64, 128, 256, 256]);
        stepping.refused = REFUSED;
        stepping.tried(true);
        assert!(stepping.implicit);
        stepping.attempted(false, 0.2);
        stepping.attempted(false, 0.2);
        assert_eq!(
            stepping.try_the_other(),
            None,
            "an implicit step may be refused for any reason"
        );
    }
}
