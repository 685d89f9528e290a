//! What a run has left, for NumPy.

use std::path::PathBuf;

use numpy::ndarray::{ArrayView1, ArrayViewD, IxDyn};
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sketchpde::outcome::Course;

use crate::errors;
use crate::problem::Problem;

/// Frozen: arrays of Python look into its memory.
#[pyclass(frozen, module = "sketchpde")]
pub struct Outcome {
    outcome: sketchpde::Outcome,
    solution: sketchpde::Solution,
}

impl Outcome {
    pub fn new(py: Python<'_>, outcome: sketchpde::Outcome) -> PyResult<Self> {
        let solution = outcome.solution().map_err(|error| errors::solution(py, &error))?.clone();
        Ok(Self { outcome, solution })
    }
}

/// What the run in a folder has left.
#[pyfunction]
pub fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Outcome> {
    let outcome = py.detach(|| sketchpde::Outcome::open(folder));
    Outcome::new(py, outcome.map_err(|error| errors::solution(py, &error))?)
}

/// The grid, the values on it, and those of the reference.
type Field<'py> = (
    Bound<'py, PyArray1<f64>>,
    Vec<(String, Bound<'py, PyArray1<f64>>)>,
    Bound<'py, PyArrayDyn<f64>>,
    Option<Bound<'py, PyArrayDyn<f64>>>,
);

/// Values of each quantity, and what the interpolation in time leaves open.
type Answer<'py> = (Vec<Bound<'py, PyArray1<f64>>>, Option<f64>);

#[pymethods]
impl Outcome {
    #[getter]
    fn problem(&self) -> Problem {
        Problem(self.outcome.problem().clone())
    }

    /// Coordinates of space: name, lower and upper end.
    #[getter]
    fn coordinates(&self) -> Vec<(String, f64, f64)> {
        let sides = self.solution.sides().into_iter();
        sides.map(|side| (side.name, side.lower, side.upper)).collect()
    }

    #[getter]
    fn unknowns(&self) -> Vec<String> {
        self.solution.unknowns().into_iter().map(|quantity| quantity.text).collect()
    }

    /// From when to when there is a solution; None of a problem without time.
    #[getter]
    fn time_span(&self) -> Option<(f64, f64)> {
        self.solution.time_span().map(|[start, end]| (start, end))
    }

    /// Relative L2 error, where there is something to measure against.
    #[getter]
    fn error(&self) -> Option<f64> {
        self.outcome.summary().error()
    }

    /// Relative L2 error by the run's own estimate.
    #[getter]
    fn estimated_error(&self) -> Option<f64> {
        self.outcome.summary().estimated_error()
    }

    #[getter]
    fn warning(&self) -> Option<&str> {
        self.outcome.summary().warning()
    }

    /// The summary, as JSON.
    fn summary(&self) -> PyResult<String> {
        let text = self.outcome.summary().json();
        text.map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Parameters of the network, at the end.
    #[getter]
    fn parameters<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        shared(this, this.get().solution.parameters())
    }

    /// Times at which the parameters of an evolution were kept.
    #[getter]
    fn kept_times<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        shared(this, this.get().solution.times())
    }

    /// The solution on a grid: time first, then the unknowns, then the coordinates.
    #[getter]
    fn field<'py>(this: &Bound<'py, Self>) -> PyResult<Field<'py>> {
        let field = this.get().outcome.field();
        let axes =
            field.axes.iter().map(|axis| Ok((axis.name.clone(), shared(this, &axis.values)?)));
        let axes = axes.collect::<PyResult<Vec<_>>>()?;
        let mut shape = vec![field.times.len(), field.unknowns.len()];
        shape.extend(field.axes.iter().map(|axis| axis.values.len()));
        let values = shaped(this, &field.values, &shape)?;
        let reference =
            field.reference.as_ref().map(|all| shaped(this, all, &shape)).transpose()?;
        Ok((shared(this, &field.times)?, axes, values, reference))
    }

    /// The run step by step: an array per column.
    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for column in self.outcome.columns() {
            columns.set_item(column.name, column.values.into_pyarray(py))?;
        }
        Ok(columns)
    }

    /// Singular values of the Jacobian along the run: step or iteration, and the values.
    #[getter]
    fn spectra<'py>(&self, py: Python<'py>) -> Vec<(usize, Bound<'py, PyArray1<f64>>)> {
        let array = |values: &Vec<f64>| values.clone().into_pyarray(py);
        match self.outcome.course() {
            Course::Steps(history) => {
                history.spectra.iter().map(|s| (s.step, array(&s.singular_values))).collect()
            }
            Course::Iterations(history) => {
                history.spectra.iter().map(|s| (s.iteration, array(&s.singular_values))).collect()
            }
        }
    }

    /// Quantities at points, which lie one after the other; at one time, at one for each, or, with
    /// none, at the end. Also what the interpolation in time leaves open.
    fn ask<'py>(
        &self,
        py: Python<'py>,
        quantities: Vec<String>,
        times: PyReadonlyArray1<'py, f64>,
        points: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Answer<'py>> {
        let what: Result<Vec<_>, _> =
            quantities.iter().map(|text| self.solution.quantity(text)).collect();
        let what = what.map_err(|error| errors::solution(py, &error))?;
        let whole = |_| PyValueError::new_err("times and points must be contiguous");
        let (times, points) = (times.as_slice().map_err(whole)?, points.as_slice().map_err(whole)?);
        let answer = py.detach(|| self.solution.ask(&what, times, points));
        let answer = answer.map_err(|error| errors::solution(py, &error))?;
        let values = answer.values.into_iter().map(|values| values.into_pyarray(py)).collect();
        Ok((values, answer.interpolation_error))
    }

    /// Writes the run into a folder, as the command line does.
    fn save(&self, py: Python<'_>, folder: PathBuf, pictures: bool) -> PyResult<()> {
        let save = || {
            let folder = self.outcome.save(folder)?;
            if pictures { self.outcome.draw(&folder) } else { Ok(()) }
        };
        py.detach(save).map_err(|error| errors::output(&error))
    }
}

/// An array over memory of the outcome, which it keeps alive; it cannot be written to.
fn shared<'py>(owner: &Bound<'py, Outcome>, values: &[f64]) -> PyResult<Bound<'py, PyArray1<f64>>> {
    // SAFETY: the outcome is frozen, so that its vectors neither move nor change while it lives,
    // and the array holds on to it.
    let array =
        unsafe { PyArray1::borrow_from_array(&ArrayView1::from(values), owner.clone().into_any()) };
    read_only(array)
}

/// The same with a shape, the last axis fastest.
fn shaped<'py>(
    owner: &Bound<'py, Outcome>,
    values: &[f64],
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let view = ArrayViewD::from_shape(IxDyn(shape), values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    // SAFETY: as in `shared`.
    read_only(unsafe { PyArrayDyn::borrow_from_array(&view, owner.clone().into_any()) })
}

fn read_only<'py, D: numpy::ndarray::Dimension>(
    array: Bound<'py, numpy::PyArray<f64, D>>,
) -> PyResult<Bound<'py, numpy::PyArray<f64, D>>> {
    let settings = PyDict::new(array.py());
    settings.set_item("write", false)?;
    array.call_method("setflags", (), Some(&settings))?;
    debug_assert!(array.is_c_contiguous());
    Ok(array)
}
