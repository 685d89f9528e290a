//! Figures of histories: error, residual, singular values.

use super::colours::{Colour, ColourMap};
use super::drawing::Drawing;
use super::field::Names;
use super::frame::{Entry, Frame, legend, legend_width};
use super::scale::{Scale, readable};
use super::{Figure, OutputError};
use crate::{History, Spectrum};

const SIZE: [f64; 2] = [430.0, 250.0];
const LEFT: f64 = 90.0;
const TOP: f64 = 40.0;

/// Relative L2 error over time.
///
/// # Errors
/// [`OutputError::Plot`] when no step has an error, as without a reference.
pub fn error(history: &History, names: &Names<'_>) -> Result<Figure, OutputError> {
    let points: Vec<(f64, f64)> =
        history.records.iter().filter_map(|r| Some((r.time, r.error?))).collect();
    over_time("error", history, &points, "relative L^{2} error", names, Colour::BLUE)
}

/// Relative residual of the least-squares problems over time.
///
/// # Errors
/// [`OutputError::Plot`] when there is no positive residual.
pub fn residual(history: &History, names: &Names<'_>) -> Result<Figure, OutputError> {
    let points: Vec<(f64, f64)> = history.records.iter().map(|r| (r.time, r.residual)).collect();
    over_time("residual", history, &points, "relative residual", names, Colour::VERMILLION)
}

fn over_time(
    figure: &'static str,
    history: &History,
    points: &[(f64, f64)],
    label: &str,
    names: &Names<'_>,
    colour: Colour,
) -> Result<Figure, OutputError> {
    if !points.iter().any(|&(_, y)| y > 0.0 && y.is_finite()) {
        let reason = "the history has no positive value to show".into();
        return Err(OutputError::Plot { figure, reason });
    }
    let mut drawing = Drawing::new(LEFT + SIZE[0] + 24.0, TOP + SIZE[1] + 54.0);
    // From before the first step to after the last.
    let ends = history.records.iter().flat_map(|r| [r.time - r.dt, r.time]);
    let (low, high) = super::scale::extent(ends);
    let (x, y) = (Scale::linear(low, high), Scale::logarithmic(points.iter().map(|p| p.1)));
    let frame = Frame { left: LEFT, top: TOP, width: SIZE[0], height: SIZE[1], x, y };
    frame.grid(&mut drawing);
    frame.curve(&mut drawing, points.iter().copied(), colour, 1.4, None);
    frame.axes(&mut drawing, "t", label);
    frame.title(&mut drawing, names.title);
    Ok(Figure::of(drawing))
}

/// Singular values of the Jacobian relative to the largest, at a few times, with the cutoff.
///
/// # Errors
/// [`OutputError::Plot`] when there is no spectrum with a positive value.
pub fn singular_values(history: &History, names: &Names<'_>) -> Result<Figure, OutputError> {
    singular_values_at(history, names, "t = ")
}

/// As [`singular_values`]; `at` stands before each time in the legend.
pub(super) fn singular_values_at(
    history: &History,
    names: &Names<'_>,
    at: &str,
) -> Result<Figure, OutputError> {
    let positive = |s: &&Spectrum| s.singular_values.first().is_some_and(|&s| s > 0.0);
    let all: Vec<&Spectrum> = history.spectra.iter().filter(positive).collect();
    let Some(newest) = all.last() else {
        let reason = "the history has no singular values".into();
        return Err(OutputError::Plot { figure: "singular values", reason });
    };
    let mut shown: Vec<usize> = (0..4).map(|k| k * (all.len() - 1) / 3).collect();
    shown.dedup();
    let colour = |k: usize| ColourMap::Viridis.at(0.85 * k as f64 / shown.len().max(2) as f64);
    let mut entries: Vec<Entry> = shown
        .iter()
        .enumerate()
        .map(|(k, &index)| Entry {
            label: format!("{at}{}", readable(all[index].time)),
            colour: colour(k),
            width: 1.8,
            dash: None,
        })
        .collect();
    entries.push(Entry {
        label: format!("cutoff {}", readable(newest.rcond)),
        colour: Colour::VERMILLION,
        width: 1.4,
        dash: Some([6.0, 4.0]),
    });
    let relative = |s: &Spectrum| -> Vec<f64> {
        s.singular_values.iter().map(|v| v / s.singular_values[0]).collect()
    };
    let count = all.iter().map(|s| s.singular_values.len()).max().unwrap_or(1);
    // Rounding alone is left below the unit round-off of f64.
    let levels = shown.iter().flat_map(|&index| relative(all[index]));
    let y = Scale::logarithmic(levels.map(|v| v.max(1e-17)).chain([newest.rcond, 1.0]));
    let x = Scale::linear(0.0, count as f64);
    let width = LEFT + SIZE[0] + legend_width(&entries) + 8.0;
    let mut drawing = Drawing::new(width, TOP + SIZE[1] + 54.0);
    let frame = Frame { left: LEFT, top: TOP, width: SIZE[0], height: SIZE[1], x, y };
    frame.grid(&mut drawing);
    for (k, &index) in shown.iter().enumerate() {
        let points = relative(all[index]).into_iter().enumerate();
        let points = points.map(|(j, value)| ((j + 1) as f64, value));
        frame.curve(&mut drawing, points, colour(k), 1.8, None);
    }
    let cutoff = [(x.low, newest.rcond), (x.high, newest.rcond)];
    let dash = Some([6.0, 4.0]);
    frame.curve(&mut drawing, cutoff.into_iter(), Colour::VERMILLION, 1.4, dash);
    frame.axes(&mut drawing, "index j", "σ_{j} / σ_{1}");
    frame.title(&mut drawing, names.title);
    legend(&mut drawing, &frame, &entries);
    Ok(Figure::of(drawing))
}
