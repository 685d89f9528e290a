//! Refits: a fresh network takes the solution over.
//!
//! Along a run the parameters drift to where the Jacobian's conditioning is worse; Neural-IVP (Finzi,
//! Potapczynski, Choptuik, Wilson, arXiv 2304.14994, section 4.3) fits a freshly initialised network
//! to the present field now and then and goes on from there.

use super::error::EvolveError;
use super::evolution::Evolution;
use super::initial_fit::InitialFit;
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
        // A draw of its own for every refit, whatever was drawn before: resumed runs repeat it.
        let draw = Philox::new(self.problem.seed, Stream::Initialisation);
        let [low, high, ..] = draw.words(u64::MAX - 1, step as u32);
        let seed = u64::from(low) | (u64::from(high) << 32);
        let fit = InitialFit::of_field(&self.problem, &self.theta, time, seed);
        let mut fit = fit.map_err(failed)?;
        while !fit.iterate().map_err(failed)?.done {}
        let before = std::mem::replace(&mut self.theta, fit.parameters().to_vec());
        if let Some(estimate) = &mut self.estimate {
            estimate.refitted(&before, &self.theta, time);
        }
        self.field = None;
        self.current_field().await?;
        Ok(fit.between())
    }
}
