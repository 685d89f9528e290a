//! A run under way, which the interpreter looks at from time to time.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sketchpde::output::Cache;
use sketchpde::session::Phase;
use sketchpde::{Backend, BackgroundRun, RunOptions, RunStatus, SolveError};

use crate::errors;
use crate::outcome::Outcome;
use crate::problem::Problem;

/// How long the interpreter waits between two looks for signals.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[pyclass(frozen, module = "sketchpde")]
pub struct Run(BackgroundRun);

#[pymethods]
impl Run {
    #[new]
    #[pyo3(signature = (problem, backend="auto", adapter=None, cache=true))]
    fn new(
        problem: &Problem,
        backend: &str,
        adapter: Option<String>,
        cache: bool,
    ) -> PyResult<Self> {
        let backend = match (backend, adapter) {
            ("auto", None) => Backend::Auto,
            ("cpu", None) => Backend::Cpu,
            // Who names an adapter means the GPU.
            ("auto" | "gpu", name) => Backend::Gpu(name),
            ("cpu", Some(_)) => {
                return Err(PyValueError::new_err(
                    "an adapter is a GPU: leave backend=\"cpu\" away",
                ));
            }
            (other, _) => {
                let text =
                    format!("backend is {other:?}, but must be \"auto\", \"cpu\" or \"gpu\"");
                return Err(PyValueError::new_err(text));
            }
        };
        let cache = if cache { Cache::of_user() } else { None };
        Ok(Self(BackgroundRun::start(problem.0.clone(), RunOptions { backend, cache })))
    }

    /// Goes on for about so many seconds; whether there is more to do. Other threads of Python run
    /// meanwhile, and a signal that raises (Ctrl-C) does so at once: the step in progress is then
    /// the last one, and a later call goes on behind it.
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let answer = self.0.advance(seconds);
        let more = wait(py, answer).inspect_err(|_| self.0.pause())?;
        more.map_err(errors::solve)
    }

    /// What the run has left so far.
    fn outcome(&self, py: Python<'_>) -> PyResult<Outcome> {
        let answer = self.0.outcome();
        let outcome = wait(py, answer)?.map_err(errors::solve)?;
        Outcome::new(py, outcome)
    }

    /// Warnings since the last call.
    fn take_warnings(&self) -> Vec<String> {
        self.0.take_warnings()
    }

    /// Where it stands: `activity` in words, `fraction` of the whole, and what is known of `step`,
    /// `steps`, `time`, `end`, `loss`, `residual`, `error`, `seconds_left`.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let entry = PyDict::new(py);
        match self.0.status() {
            RunStatus::SettingUp => entry.set_item("activity", "setting up")?,
            RunStatus::WaitingForReference => {
                entry.set_item("activity", "waiting for the reference")?;
                entry.set_item("fraction", 1.0)?;
            }
            RunStatus::Evolution(status) if status.phase == Phase::Fit => {
                entry.set_item("activity", "fitting the initial state")?;
                entry.set_item("iteration", status.fit_iteration)?;
                entry.set_item("error", status.fit_error)?;
            }
            RunStatus::Evolution(status) => {
                let span = status.end - status.start;
                entry.set_item("activity", "stepping")?;
                entry.set_item("fraction", (status.time - status.start) / span)?;
                entry.set_item("step", status.step)?;
                entry.set_item("steps", status.steps)?;
                entry.set_item("time", status.time)?;
                entry.set_item("end", status.end)?;
                entry.set_item("residual", status.last.map(|record| record.residual))?;
                entry.set_item("error", status.error)?;
                entry.set_item("seconds_left", status.seconds_left)?;
            }
            RunStatus::Training(status) => {
                let all = status.iterations.max(1) as f64;
                entry.set_item("activity", "training")?;
                entry.set_item("fraction", status.iteration as f64 / all)?;
                entry.set_item("iteration", status.iteration)?;
                entry.set_item("iterations", status.iterations)?;
                entry.set_item("loss", status.loss)?;
                entry.set_item("error", status.error)?;
                entry.set_item("seconds_left", status.seconds_left)?;
            }
        }
        Ok(entry)
    }
}

/// Waits for an answer without holding the interpreter up.
fn wait<T: Send>(
    py: Python<'_>,
    answer: Receiver<Result<T, SolveError>>,
) -> PyResult<Result<T, SolveError>> {
    // A receiver is not for several threads at a time: the closure takes it and gives it back.
    let mut answer = answer;
    loop {
        let received;
        (answer, received) = py.detach(move || {
            let received = answer.recv_timeout(LOOK_EVERY);
            (answer, received)
        });
        match received {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(errors::solve("the solver's thread ended by itself; this is a bug"));
            }
        }
    }
}
