//! What the Python package has of Rust: problems, runs, what they leave, and the command line.
//!
//! Everything that people see is in the package's Python files beside this crate; here is the
//! narrow bridge to the solver. Numbers cross it as NumPy arrays over the solver's own memory.

mod errors;
mod outcome;
mod problem;
mod run;

use pyo3::prelude::*;

/// The command line program with these words, the first one its name; `again` is what starts it
/// anew. Gives the exit code; wrong usage and `--help` end the process themselves, as everywhere.
#[pyfunction]
fn main(py: Python<'_>, words: Vec<std::ffi::OsString>, again: Vec<std::ffi::OsString>) -> u8 {
    let program = sketchpde::cli::Program { words, again: Some(again) };
    py.detach(|| sketchpde::cli::run(program))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("ProblemError", py.get_type::<errors::ProblemError>())?;
    module.add("SolveError", py.get_type::<errors::SolveError>())?;
    module.add_class::<problem::Problem>()?;
    module.add_class::<run::Run>()?;
    module.add_class::<outcome::Outcome>()?;
    module.add_function(wrap_pyfunction!(problem::presets, module)?)?;
    module.add_function(wrap_pyfunction!(outcome::load, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)
}
