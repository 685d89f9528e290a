//! The state of a fit as named lists of numbers, for checkpoints.

use std::collections::BTreeMap;

use super::target::Wanted;
use super::{Best, FitError, FitReason, InitialFit, Progress};
use crate::network::Network;
use crate::optimize::descent::{adam::Adam, lbfgs::Lbfgs};
use crate::problem::Problem;

/// Named lists of numbers from which a fit goes on to the same bits.
pub type FitState = BTreeMap<String, Vec<f64>>;

const REASONS: [FitReason; 3] =
    [FitReason::Tolerance, FitReason::MaxIterations, FitReason::Stalled];

impl InitialFit {
    /// The state between two iterations.
    #[must_use]
    pub fn save(&self) -> FitState {
        let progress = &self.progress;
        let reason =
            progress.reason.and_then(|reason| REASONS.iter().position(|known| *known == reason));
        let numbers = vec![
            progress.iteration as f64,
            progress.restarts as f64,
            progress.refinements as f64,
            progress.damping,
            progress.best.between,
            reason.map_or(0.0, |k| (k + 1) as f64),
        ];
        let mut state: FitState = [
            ("fit.numbers", numbers),
            ("fit.parameters", progress.theta.clone()),
            ("fit.best", progress.best.theta.clone()),
            ("fit.counts", progress.counts.iter().map(|&n| n as f64).collect()),
            ("fit.losses", progress.losses.clone()),
            ("fit.lbfgs", progress.lbfgs.save()),
        ]
        .map(|(name, list)| (name.to_owned(), list))
        .into();
        if let Some(adam) = &progress.adam {
            state.insert("fit.adam.steps".into(), vec![adam.steps as f64]);
            state.insert("fit.adam.first".into(), adam.first.clone());
            state.insert("fit.adam.second".into(), adam.second.clone());
        }
        state
    }

    /// A fit of the same problem that goes on from a saved state.
    ///
    /// # Errors
    /// [`FitError::State`] where an entry is missing or does not suit the problem; else as
    /// [`InitialFit::new`].
    pub fn restore(problem: &Problem, state: &FitState) -> Result<Self, FitError> {
        let network = Network::of(problem);
        let parameters = network.parameters();
        let list = |entry: &'static str, length: Option<usize>| {
            let list = state.get(entry).filter(|list| length.is_none_or(|n| list.len() == n));
            list.ok_or(FitError::State { entry })
        };
        let numbers = list("fit.numbers", Some(6))?;
        let whole = |k: usize| numbers[k] as usize;
        let counts = list("fit.counts", None)?;
        let sensible = counts.len() == 1 || counts.len() == problem.dimensions();
        if !sensible || counts.iter().any(|n| !(1.0..1e9).contains(n)) {
            return Err(FitError::State { entry: "fit.counts" });
        }
        let pairs = list("fit.lbfgs", None)?;
        let lbfgs = Lbfgs::restored(Lbfgs::default().memory, pairs, parameters)
            .ok_or(FitError::State { entry: "fit.lbfgs" })?;
        let adam = match state.get("fit.adam.steps") {
            None => None,
            Some(_) => Some(Adam {
                steps: list("fit.adam.steps", Some(1))?[0] as u64,
                first: list("fit.adam.first", Some(parameters))?.clone(),
                second: list("fit.adam.second", Some(parameters))?.clone(),
            }),
        };
        let progress = Progress {
            theta: list("fit.parameters", Some(parameters))?.clone(),
            best: Best { theta: list("fit.best", Some(parameters))?.clone(), between: numbers[4] },
            iteration: whole(0),
            restarts: whole(1),
            refinements: whole(2),
            counts: counts.iter().map(|&n| n as usize).collect(),
            damping: numbers[3],
            losses: list("fit.losses", None)?.clone(),
            lbfgs,
            adam,
            reason: whole(5).checked_sub(1).and_then(|k| REASONS.get(k)).copied(),
        };
        Self::at(problem, network, Wanted::Initial, progress)
    }
}
