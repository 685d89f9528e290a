//! Problems: read and checked.

use std::path::PathBuf;

use pyo3::prelude::*;
use sketchpde::output::beside;
use sketchpde::{Preset, ProblemFile, residual_presets};

use crate::errors;

/// A problem that was checked, of either family.
#[pyclass(frozen, module = "sketchpde")]
pub struct Problem(pub ProblemFile);

#[pymethods]
impl Problem {
    /// From the text of a problem file, with settings by their dotted keys; the files of numbers
    /// that it names are in `folder`.
    #[new]
    #[pyo3(signature = (text, variant=None, settings=Vec::new(), folder=PathBuf::new()))]
    fn new(
        py: Python<'_>,
        text: &str,
        variant: Option<&str>,
        settings: Vec<(String, String)>,
        folder: PathBuf,
    ) -> PyResult<Self> {
        let files = beside(&folder.join("problem.toml"));
        ProblemFile::read(text.as_bytes(), variant, &settings, &files)
            .map(Self)
            .map_err(|errors| errors::problem(py, &errors))
    }

    /// The problem file, every change applied.
    #[getter]
    fn source(&self) -> &str {
        match &self.0 {
            ProblemFile::Evolution(problem) => &problem.source,
            ProblemFile::Residual(problem) => &problem.source,
        }
    }

    #[getter]
    fn name(&self) -> &str {
        match &self.0 {
            ProblemFile::Evolution(problem) => &problem.name,
            ProblemFile::Residual(problem) => &problem.name,
        }
    }

    #[getter]
    fn title(&self) -> &str {
        match &self.0 {
            ProblemFile::Evolution(problem) => &problem.title,
            ProblemFile::Residual(problem) => &problem.title,
        }
    }

    #[getter]
    fn equation(&self) -> &str {
        match &self.0 {
            ProblemFile::Evolution(problem) => &problem.equation,
            ProblemFile::Residual(problem) => problem.equation(),
        }
    }

    /// Whether it is stepped in time; else a network is trained for the whole domain.
    #[getter]
    fn evolution(&self) -> bool {
        matches!(self.0, ProblemFile::Evolution(_))
    }

    #[getter]
    fn seed(&self) -> u64 {
        match &self.0 {
            ProblemFile::Evolution(problem) => problem.seed,
            ProblemFile::Residual(problem) => problem.seed,
        }
    }
}

/// The built-in problems: name, title, text of the file.
#[pyfunction]
pub fn presets() -> Vec<(&'static str, &'static str, &'static str)> {
    let all = sketchpde::presets().iter().chain(residual_presets());
    all.map(|Preset { name, title, text, .. }| (*name, *title, *text)).collect()
}
