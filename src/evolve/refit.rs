//! Refits: a fresh network takes the solution over.
//!
//! Along a run the parameters drift to where the Jacobian's conditioning is worse; Neural-IVP (Finzi,
//! Potapczynski, Choptuik, Wilson, arXiv 2304.14994, section 4.3) fits a freshly initialised network
//! to the present field now and then and goes on from there.

use super::error::EvolveError;
use super::evolution::Evolution;
use super::initial_fit::{FitError, InitialFit};
use crate::random::{Philox, Stream};

impl Evolution {
    /// Whether the problem wants a refit after the step that was just taken; none at the end.
    pub(super) fn refit_is_due(&self) -> bool {
        let every = self.problem.method.refit_every;
        every.is_some_and(|every| self.step.is_multiple_of(every)) && !self.finished()
    }

    /// Fits a freshly initialised network to the present field, by the settings of the initial fit,
    /// and goes on from it. Gives the relative L2 error of the fit between its points.
    ///
    /// # Errors
    /// When the fit cannot start or its least squares fail, or the device does.
    pub(super) async fn refit(&mut self) -> Result<f64, EvolveError> {
        let (step, time) = (self.step, self.time);
        let failed = |source| EvolveError::Refit { step, time, source };
        let fit = self.fitted_afresh(self.problem.fit.max_iterations).map_err(failed)?;
        self.take_over(fit.parameters().to_vec()).await?;
        Ok(fit.between())
    }

    /// A freshly initialised network that was fitted to the present field in so many iterations at most.
    pub(super) fn fitted_afresh(&self, most: usize) -> Result<InitialFit, FitError> {
        // A draw of its own after every step, whatever was drawn before: resumed runs repeat it.
        let draw = Philox::new(self.problem.seed, Stream::Initialisation);
        let [low, high, ..] = draw.words(u64::MAX - 1, self.step as u32);
        let seed = u64::from(low) | (u64::from(high) << 32);
        let mut problem = self.problem.clone();
        problem.fit.max_iterations = most;
        let mut fit = InitialFit::of_field(&problem, &self.theta, self.time, seed)?;
        while !fit.iterate()?.done {}
        Ok(fit)
    }

    /// Goes on from other parameters, of the same field as well as they have it.
    pub(super) async fn take_over(&mut self, theta: Vec<f64>) -> Result<(), EvolveError> {
        let before = std::mem::replace(&mut self.theta, theta);
        if let Some(estimate) = &mut self.estimate {
            estimate.refitted(&before, &self.theta, self.time);
        }
        self.field = None;
        self.current_field().await?;
        Ok(())
    }
}
