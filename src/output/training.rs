//! The history of a training on disk: `history.npz` and `history.csv`, one entry per iteration.

use super::columns::{self, Column};
use super::npz::{self, Array};
use super::{OutputError, ResultFolder, atomic};
use crate::optimize::{TrainingHistory, TrainingRecord, TrainingSpectrum};

const COLUMNS: [Column<TrainingRecord>; 10] = [
    Column { name: "iteration", get: |r| r.iteration as f64, set: |r, v| r.iteration = v as usize },
    Column { name: "loss", get: |r| r.loss, set: |r, v| r.loss = v },
    Column {
        name: "error",
        get: |r| r.error.unwrap_or(f64::NAN),
        set: |r, v| r.error = (!v.is_nan()).then_some(v),
    },
    Column { name: "step_length", get: |r| r.step_length, set: |r, v| r.step_length = v },
    Column { name: "rank", get: |r| r.rank as f64, set: |r, v| r.rank = v as usize },
    Column { name: "damping", get: |r| r.damping, set: |r, v| r.damping = v },
    Column { name: "gradient_norm", get: |r| r.gradient_norm, set: |r, v| r.gradient_norm = v },
    Column {
        name: "largest_singular_value",
        get: |r| r.largest_singular_value,
        set: |r, v| r.largest_singular_value = v,
    },
    Column {
        name: "evaluations",
        get: |r| r.evaluations as f64,
        set: |r, v| r.evaluations = v as usize,
    },
    Column { name: "seconds", get: |r| r.seconds, set: |r, v| r.seconds = v },
];

/// The iterations as columns, under the names that they have in `history.npz`.
#[must_use]
pub fn training_columns(history: &TrainingHistory) -> Vec<Array> {
    columns::arrays(&COLUMNS, &history.records)
}

impl ResultFolder {
    /// `history.npz`, spectra included, and `history.csv` of a training.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_training(&self, history: &TrainingHistory) -> Result<(), OutputError> {
        let spectra = |get: fn(&TrainingSpectrum) -> f64| history.spectra.iter().map(get).collect();
        let values = history.spectra.iter().flat_map(|s| s.singular_values.iter().copied());
        let mut arrays = training_columns(history);
        arrays.extend([
            Array::vector("spectrum_iteration", spectra(|s| s.iteration as f64)),
            Array::vector("spectrum_cutoff", spectra(|s| s.cutoff)),
            Array::vector("spectrum_length", spectra(|s| s.singular_values.len() as f64)),
            Array::vector("singular_values", values.collect()),
        ]);
        npz::write(&self.file("history.npz"), &arrays)?;
        let text = columns::csv(&COLUMNS, &history.records);
        atomic::write(&self.file("history.csv"), text.as_bytes())
    }

    /// The history of a training, from `history.npz`.
    ///
    /// # Errors
    /// As [`ResultFolder::read_fields`].
    pub fn read_training(&self) -> Result<TrainingHistory, OutputError> {
        let path = self.file("history.npz");
        let arrays = npz::read(&path)?;
        let records = columns::records(&COLUMNS, &arrays, &path)?;
        let lengths = &npz::find(&arrays, "spectrum_length", &path)?.values;
        let count = lengths.len();
        let iterations = columns::of_length(&arrays, "spectrum_iteration", count, &path)?;
        let cutoffs = columns::of_length(&arrays, "spectrum_cutoff", count, &path)?;
        let total = lengths.iter().sum::<f64>() as usize;
        let mut rest = columns::of_length(&arrays, "singular_values", total, &path)?;
        let mut spectra = Vec::with_capacity(count);
        for ((&length, &iteration), &cutoff) in lengths.iter().zip(iterations).zip(cutoffs) {
            let (values, tail) = rest.split_at((length as usize).min(rest.len()));
            rest = tail;
            let (iteration, singular_values) = (iteration as usize, values.to_vec());
            spectra.push(TrainingSpectrum { iteration, singular_values, cutoff });
        }
        Ok(TrainingHistory { records, spectra })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tests::Scratch;

    /// A made-up training; every second error is unknown.
    pub fn history(iterations: usize) -> TrainingHistory {
        let record = |iteration: usize| TrainingRecord {
            iteration,
            loss: 0.5f64.powi(iteration as i32),
            error: iteration.is_multiple_of(2).then_some(0.7f64.powi(iteration as i32)),
            step_length: 0.25,
            rank: 10 + iteration,
            damping: 1e-5,
            gradient_norm: 1e-3 / iteration as f64,
            largest_singular_value: 31.4,
            evaluations: 31,
            seconds: 0.01 * iteration as f64,
        };
        let spectrum = |iteration: usize| TrainingSpectrum {
            iteration,
            singular_values: (0..iteration + 2).map(|k| 0.3f64.powi(k as i32)).collect(),
            cutoff: 1e-6,
        };
        TrainingHistory {
            records: (1..=iterations).map(record).collect(),
            spectra: [1, iterations].map(spectrum).to_vec(),
        }
    }

    #[test]
    fn a_training_reads_back_what_was_written() {
        let scratch = Scratch::new("training");
        let folder = ResultFolder::create(scratch.path("run")).expect("creates");
        folder.write_training(&history(6)).expect("writes");
        assert_eq!(folder.read_training().expect("reads"), history(6));
        let text = std::fs::read_to_string(folder.file("history.csv")).expect("reads");
        assert!(text.starts_with("iteration,loss,error,"));
        let line = text.lines().nth(1).expect("a line an iteration");
        assert_eq!(line, "1,0.5,,0.25,11,1e-5,0.001,31.4,31,0.01");
        // An evolution's history is not taken for a training's.
        folder.write_history(&crate::tests::history(3)).expect("writes");
        assert!(matches!(folder.read_training(), Err(OutputError::MissingArray { .. })));
    }
}
