//! Any of the methods: which one is known only when a training is set up.

use super::descent::methods::{AdamMethod, BfgsMethod, LbfgsMethod};
use super::error::OptimizeError;
use super::gauss_newton::{
    anagram::Anagram, engd::Engd, kernel::Kernel, nystrom::Nystrom, sngd::Sngd, spring::Spring,
};
use super::levenberg::Levenberg;
use super::settings::Method;
use super::state::TrainingState;
use super::step::{Optimizer, Start, Step};
use crate::field::residual::ResidualSystem;

/// A method with its state. Iterations are async, so no `dyn` can stand for them.
#[derive(Debug)]
pub(super) enum AnyOptimizer {
    Levenberg(Box<Levenberg>),
    Engd(Box<Engd>),
    Sngd(Box<Sngd>),
    Anagram(Box<Anagram>),
    Kernel(Box<Kernel>),
    Spring(Box<Spring>),
    Nystrom(Box<Nystrom>),
    Adam(Box<AdamMethod>),
    Lbfgs(Box<LbfgsMethod>),
    Bfgs(Box<BfgsMethod>),
}

impl AnyOptimizer {
    /// `seed` is that of the random draws.
    pub fn new(method: &Method, seed: u64) -> Self {
        match *method {
            Method::Levenberg(settings) => {
                Self::Levenberg(Box::new(Levenberg::new(settings, seed)))
            }
            Method::Engd(settings) => Self::Engd(Box::new(Engd::new(settings))),
            Method::Sngd(settings) => Self::Sngd(Box::new(Sngd::new(settings, seed))),
            Method::Anagram(settings) => Self::Anagram(Box::new(Anagram::new(settings))),
            Method::Kernel(settings) => Self::Kernel(Box::new(Kernel::new(settings))),
            Method::Spring(settings) => Self::Spring(Box::new(Spring::new(settings))),
            Method::Nystrom(settings) => Self::Nystrom(Box::new(Nystrom::new(settings, seed))),
            Method::Adam(settings) => Self::Adam(Box::new(AdamMethod::new(settings))),
            Method::Lbfgs(settings) => Self::Lbfgs(Box::new(LbfgsMethod::new(settings))),
            Method::Bfgs => Self::Bfgs(Box::default()),
        }
    }
}

/// The same expression for whichever method it is.
macro_rules! with_method {
    ($any:expr, $method:ident => $body:expr) => {
        match $any {
            AnyOptimizer::Levenberg($method) => $body,
            AnyOptimizer::Engd($method) => $body,
            AnyOptimizer::Sngd($method) => $body,
            AnyOptimizer::Anagram($method) => $body,
            AnyOptimizer::Kernel($method) => $body,
            AnyOptimizer::Spring($method) => $body,
            AnyOptimizer::Nystrom($method) => $body,
            AnyOptimizer::Adam($method) => $body,
            AnyOptimizer::Lbfgs($method) => $body,
            AnyOptimizer::Bfgs($method) => $body,
        }
    };
}

impl Optimizer for AnyOptimizer {
    async fn step<S: ResidualSystem>(
        &mut self,
        system: &mut S,
        start: Start<'_>,
    ) -> Result<Step, OptimizeError> {
        with_method!(self, method => method.step(system, start).await)
    }

    fn save(&self, state: &mut TrainingState) {
        with_method!(self, method => method.save(state));
    }

    fn restore(&mut self, state: &TrainingState, parameters: usize) -> Result<(), OptimizeError> {
        with_method!(self, method => method.restore(state, parameters))
    }
}
