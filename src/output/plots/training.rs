//! Figures of trainings: error and loss over the iterations, singular values.

use super::colours::Colour;
use super::drawing::Drawing;
use super::field::Names;
use super::frame::Frame;
use super::scale::Scale;
use super::{Figure, OutputError, curves};
use crate::optimize::{TrainingHistory, TrainingRecord};
use crate::{History, SpaceTimeField, Spectrum};
use std::path::{Path, PathBuf};

const SIZE: [f64; 2] = [430.0, 250.0];
const LEFT: f64 = 90.0;
const TOP: f64 = 40.0;

/// Relative L2 error over the iterations.
///
/// # Errors
/// [`OutputError::Plot`] when no iteration has an error.
pub fn error(history: &TrainingHistory, names: &Names<'_>) -> Result<Figure, OutputError> {
    over_iterations("error", history, |r| r.error, "relative L^{2} error", names, Colour::BLUE)
}

/// The loss over the iterations.
///
/// # Errors
/// [`OutputError::Plot`] when there is no positive loss.
pub fn loss(history: &TrainingHistory, names: &Names<'_>) -> Result<Figure, OutputError> {
    over_iterations("loss", history, |r| Some(r.loss), "loss", names, Colour::VERMILLION)
}

fn over_iterations(
    figure: &'static str,
    history: &TrainingHistory,
    value: impl Fn(&TrainingRecord) -> Option<f64>,
    label: &str,
    names: &Names<'_>,
    colour: Colour,
) -> Result<Figure, OutputError> {
    let at = |r: &TrainingRecord| Some((r.iteration as f64, value(r)?));
    let points: Vec<(f64, f64)> = history.records.iter().filter_map(at).collect();
    if !points.iter().any(|&(_, y)| y > 0.0 && y.is_finite()) {
        let reason = "the history has no positive value to show".into();
        return Err(OutputError::Plot { figure, reason });
    }
    let mut drawing = Drawing::new(LEFT + SIZE[0] + 24.0, TOP + SIZE[1] + 54.0);
    let x = Scale::linear(0.0, history.records.len() as f64);
    let y = Scale::logarithmic(points.iter().map(|p| p.1));
    let frame = Frame { left: LEFT, top: TOP, width: SIZE[0], height: SIZE[1], x, y };
    frame.grid(&mut drawing);
    frame.curve(&mut drawing, points.into_iter(), colour, 1.4, None);
    frame.axes(&mut drawing, "iteration", label);
    frame.title(&mut drawing, names.title);
    Ok(Figure::of(drawing))
}

/// Singular values of the Jacobian relative to the largest, at a few iterations, with the cutoff or
/// damping of the last one.
///
/// # Errors
/// [`OutputError::Plot`] when there is no spectrum with a positive value.
pub fn singular_values(
    history: &TrainingHistory,
    names: &Names<'_>,
) -> Result<Figure, OutputError> {
    let spectra = history.spectra.iter().map(|s| Spectrum {
        step: s.iteration,
        time: s.iteration as f64,
        singular_values: s.singular_values.clone(),
        rcond: s.cutoff,
    });
    let spectra = History { records: Vec::new(), spectra: spectra.collect() };
    curves::singular_values_at(&spectra, names, "iteration ")
}

/// Draws every figure that the data allow into `folder`; returns the files.
///
/// # Errors
/// [`OutputError::Write`].
pub fn save_all(
    folder: &Path,
    solution: &SpaceTimeField,
    history: &TrainingHistory,
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, OutputError> {
    let mut files = super::save_fields(folder, solution, "solution", names)?;
    files.extend(super::save_page(folder, solution, names)?);
    let curves = [
        ("error", error(history, names)),
        ("loss", loss(history, names)),
        ("singular-values", singular_values(history, names)),
    ];
    files.extend(super::save(folder, curves)?);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::tests::history;

    #[test]
    fn a_training_without_errors_has_the_other_figures() {
        let names = Names { title: "Poisson", unknown: "u" };
        let mut history = history(12);
        for figure in [error, loss, singular_values] {
            let figure = figure(&history, &names).expect("has data");
            assert!(figure.svg().contains("Poisson"));
        }
        assert!(
            singular_values(&history, &names).expect("has data").svg().contains("iteration 12")
        );
        history.records.iter_mut().for_each(|record| record.error = None);
        assert!(matches!(error(&history, &names), Err(OutputError::Plot { .. })));
        assert!(loss(&history, &names).is_ok());
        history.spectra.clear();
        assert!(singular_values(&history, &names).is_err());
    }
}
