//! What a training leaves behind, iteration by iteration.

use super::error::OptimizeError;
use super::state::{TrainingState, list};

/// One iteration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingRecord {
    /// From 1.
    pub iteration: usize,
    /// R after the iteration.
    pub loss: f64,
    /// Relative L2 error against the reference, where it was measured.
    pub error: Option<f64>,
    /// eta in `theta - eta d`; 0 where no step lowered the loss.
    pub step_length: f64,
    /// Eigenvalues or singular values that were kept; 0 for methods that have none.
    pub rank: usize,
    /// Damping or cutoff relative to the largest singular value of J; 0 for methods without.
    pub damping: f64,
    /// `|grad R|` before the step.
    pub gradient_norm: f64,
    /// The largest singular value of J; 0 for methods that do not know it.
    pub largest_singular_value: f64,
    /// Losses and residuals that the step needed, trial points included.
    pub evaluations: usize,
    /// Since the training began, as whoever drives it measures it.
    pub seconds: f64,
}

/// Singular values of J at one iteration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingSpectrum {
    pub iteration: usize,
    /// Descending, as far as the method computes them.
    pub singular_values: Vec<f64>,
    /// Relative to the first: those below are left out or damped away.
    pub cutoff: f64,
}

/// Every iteration's record, and a few spectra.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingHistory {
    pub records: Vec<TrainingRecord>,
    pub spectra: Vec<TrainingSpectrum>,
}

/// Spectra that are kept of one training.
const SPECTRA: usize = 64;
/// Numbers of a record in a saved state.
const FIELDS: usize = 10;

impl TrainingHistory {
    /// Keeps a spectrum; when there are too many, every second one is dropped and only iterations
    /// at the doubled distance are taken from then on.
    pub fn keep(&mut self, spectrum: TrainingSpectrum) {
        let distance = |spectra: &[TrainingSpectrum]| match spectra {
            [first, second, ..] => second.iteration - first.iteration,
            _ => 1,
        };
        if let Some(last) = self.spectra.last()
            && spectrum.iteration < last.iteration + distance(&self.spectra)
        {
            return;
        }
        self.spectra.push(spectrum);
        if self.spectra.len() > SPECTRA {
            let mut index = 0;
            self.spectra.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    pub fn save(&self, state: &mut TrainingState) {
        let mut records = Vec::with_capacity(FIELDS * self.records.len());
        for record in &self.records {
            records.extend([
                record.iteration as f64,
                record.loss,
                // No error is negative.
                record.error.unwrap_or(-1.0),
                record.step_length,
                record.rank as f64,
                record.damping,
                record.gradient_norm,
                record.largest_singular_value,
                record.evaluations as f64,
                record.seconds,
            ]);
        }
        let mut spectra = Vec::new();
        for spectrum in &self.spectra {
            let length = spectrum.singular_values.len() as f64;
            spectra.extend([spectrum.iteration as f64, spectrum.cutoff, length]);
            spectra.extend(&spectrum.singular_values);
        }
        state.insert("history.records".into(), records);
        state.insert("history.spectra".into(), spectra);
    }

    /// How many iterations a saved state has done.
    #[must_use]
    pub fn length(state: &TrainingState) -> usize {
        state.get("history.records").map_or(0, |records| records.len() / FIELDS)
    }

    pub fn restore(state: &TrainingState) -> Result<Self, OptimizeError> {
        let damaged = |entry: &str| OptimizeError::State { entry: entry.to_owned() };
        let numbers = list(state, "history.records", None)?;
        if numbers.len() % FIELDS != 0 {
            return Err(damaged("history.records"));
        }
        let records = numbers.chunks_exact(FIELDS).map(|n| TrainingRecord {
            iteration: n[0] as usize,
            loss: n[1],
            error: (n[2] >= 0.0).then_some(n[2]),
            step_length: n[3],
            rank: n[4] as usize,
            damping: n[5],
            gradient_norm: n[6],
            largest_singular_value: n[7],
            evaluations: n[8] as usize,
            seconds: n[9],
        });
        let mut spectra = Vec::new();
        let mut rest = list(state, "history.spectra", None)?;
        while let [iteration, cutoff, length, tail @ ..] = rest {
            let values = tail.get(..*length as usize).ok_or_else(|| damaged("history.spectra"))?;
            spectra.push(TrainingSpectrum {
                iteration: *iteration as usize,
                cutoff: *cutoff,
                singular_values: values.to_vec(),
            });
            rest = &tail[values.len()..];
        }
        Ok(Self { records: records.collect(), spectra })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectra_are_thinned_evenly_and_a_history_comes_back() {
        let mut history = TrainingHistory::default();
        for iteration in 1..=1_000 {
            let singular_values = vec![1.0 / iteration as f64; iteration % 5];
            history.keep(TrainingSpectrum { iteration, singular_values, cutoff: 1e-6 });
            history.records.push(TrainingRecord {
                iteration,
                error: (iteration % 2 == 0).then_some(0.5),
                loss: 1.0 / iteration as f64,
                ..TrainingRecord::default()
            });
        }
        let gaps: Vec<usize> =
            history.spectra.windows(2).map(|s| s[1].iteration - s[0].iteration).collect();
        assert!(
            gaps.len() >= SPECTRA / 2 - 1 && gaps.iter().all(|&gap| gap == gaps[0]),
            "{gaps:?}"
        );
        let mut state = TrainingState::new();
        history.save(&mut state);
        assert_eq!(TrainingHistory::restore(&state).expect("its own state"), history);
        state.insert("history.records".into(), vec![1.0; FIELDS + 1]);
        assert!(TrainingHistory::restore(&state).is_err());
    }
}
