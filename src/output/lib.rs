//! Results on disk: fields, histories, parameters, checkpoints, caches, plots.
//!
//! - [`records`]: what a run leaves behind, as plain data;
//! - [`folder`]: the result folder, written file by file and read back;
//! - [`checkpoint`]: the exact state of a run, to resume it;
//! - [`cache`]: initial fits and reference solutions, kept between runs;
//! - `plots` (a feature of that name): figures as PNG and SVG; [`colours`]: theirs and the app's;
//! - [`npz`], [`parameters`], [`description`]: the file formats; [`atomic`]: how every file is written.

#![forbid(unsafe_code)]

// The floors below, under the names they have in the whole.
use sketchpde_base::bytes;
#[cfg(test)]
use sketchpde_base::random;
use sketchpde_field::network;
use sketchpde_optimize as optimize;
use sketchpde_problem as problem;
use sketchpde_reference as reference;

pub mod atomic;
mod beside;
pub mod cache;
pub mod checkpoint;
pub mod colours;
mod columns;
mod density;
pub mod description;
mod disk;
mod error;
pub mod folder;
pub mod npz;
pub mod parameters;
#[cfg(feature = "plots")]
pub mod plots;
pub mod records;
mod training;

pub use beside::beside;
pub use cache::{Cache, CachedFit, Lookup};
pub use checkpoint::CheckpointError;
pub use columns::cell;
pub use density::DensityRecord;
pub use error::OutputError;
pub use folder::ResultFolder;
pub use records::{Axis, History, SpaceTimeField, Spectrum, StepRecord};
pub use training::training_columns;

#[cfg(test)]
pub(crate) mod tests {
    use std::path::{Path, PathBuf};

    use super::{History, Spectrum, StepRecord};

    /// A folder of this test's own, removed at its end.
    pub struct Scratch(PathBuf);

    impl Scratch {
        pub fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("sketchpde-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a temporary folder");
            Self(folder)
        }

        pub fn folder(&self) -> &Path {
            &self.0
        }

        pub fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A made-up run; every second error is unknown.
    pub fn history(steps: usize) -> History {
        let record = |step: usize| StepRecord {
            step,
            time: 0.1 * step as f64,
            dt: 0.1,
            residual: 1e-5 / step as f64,
            columns: 120 + step,
            rank: 100 + step,
            largest_singular_value: 31.4,
            error: step.is_multiple_of(2).then_some(3.3e-7),
            corrections: 2,
            implicit: step.is_multiple_of(2),
            rejected: step % 3,
            refit_error: step.is_multiple_of(3).then_some(1e-6),
            wall_seconds: 0.01 * step as f64,
        };
        let spectrum = |step: usize| Spectrum {
            step,
            time: 0.1 * step as f64,
            singular_values: (0..step + 3).map(|k| 0.3f64.powi(k as i32)).collect(),
            rcond: 1e-6,
        };
        History {
            records: (1..=steps).map(record).collect(),
            spectra: [0, steps].map(spectrum).to_vec(),
        }
    }
}
