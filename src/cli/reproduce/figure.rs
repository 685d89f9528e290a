//! The figure of a part, drawn from its runs' folders.

use std::path::Path;

use super::report::{Report, Row};
use super::study::{Kind, Part, Quantity};
use crate::cli::failure::Failure;
use crate::output::plots::comparison::{Axes, Curve, comparison};
use crate::output::plots::{Names, field};
use crate::output::{OutputError, ResultFolder};

/// A span that is shown on a logarithmic scale.
const WIDE: f64 = 8.0;

/// Draws `PART.png` and `PART.svg`; for fields `PART-1.png` and so on. A part whose runs have
/// nothing to show has none.
pub fn draw(report: &Report, part: &Part, runs: &Path, out: &Path) -> Result<(), Failure> {
    let curves = match part.kind {
        Kind::Table => return Ok(()),
        Kind::Fields => return fields(report, part, runs, out),
        Kind::Sweep => sweep(report, part),
        Kind::History => history(report, part, runs),
        Kind::Spectrum => spectra(report, runs),
    };
    let (x, y) = match (part.x, part.y) {
        (Some(x), Some(y)) => (x.label(), y.label()),
        _ => ("index j", "σ_{j} / σ_{1}"),
    };
    let markers = part.kind == Kind::Sweep;
    let title = if report.quick { format!("{} (quick)", part.title) } else { part.title.clone() };
    let axes = Axes { title: &title, x, y, logarithmic_x: markers && is_wide(&curves), markers };
    match comparison(&curves, axes) {
        Ok(figure) => {
            figure.save(out, &part.name)?;
            Ok(())
        }
        Err(OutputError::Plot { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_wide(curves: &[Curve]) -> bool {
    let all = || curves.iter().flat_map(|curve| &curve.points).map(|point| point.0);
    let (low, high) = all().fold((f64::MAX, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
    low > 0.0 && high > WIDE * low
}

/// A curve a series, through the medians of its rows.
fn sweep(report: &Report, part: &Part) -> Vec<Curve> {
    let of = |label: &str| {
        let ours = |row: &&Row| row.series == label;
        let points = report.rows.iter().filter(ours).filter_map(|row| Some((row.x?, row.y?)));
        let mut points: Vec<_> = points.collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Curve { label: label.to_owned(), points }
    };
    let curves = part.series.iter().map(|series| of(&series.label));
    curves.filter(|curve| !curve.points.is_empty()).collect()
}

/// A curve a row, along its first run.
fn history(report: &Report, part: &Part, runs: &Path) -> Vec<Curve> {
    let mut curves = Vec::new();
    for row in &report.rows {
        let Some(key) = row.keys.first() else { continue };
        let folder = ResultFolder::open(runs.join(key));
        let points: Vec<(f64, f64)> = match (folder.read_history(), folder.read_training()) {
            (Ok(history), _) if !history.records.is_empty() => {
                let value = |r: &crate::output::StepRecord| match part.y {
                    Some(Quantity::Residual) => Some(r.residual),
                    _ => r.error,
                };
                history.records.iter().filter_map(|r| Some((r.time, value(r)?))).collect()
            }
            (_, Ok(history)) => {
                let records = history.records.iter();
                records.filter_map(|r| Some((r.iteration as f64, r.error?))).collect()
            }
            _ => continue,
        };
        curves.push(Curve { label: row.label.clone(), points });
    }
    curves
}

/// A curve a row: the first spectrum that its run kept.
fn spectra(report: &Report, runs: &Path) -> Vec<Curve> {
    let of = |row: &Row| {
        let folder = ResultFolder::open(runs.join(row.keys.first()?));
        let history = folder.read_history().ok()?;
        let values = &history.spectra.first()?.singular_values;
        let largest = values.first().copied().filter(|&first| first > 0.0)?;
        // Rounding alone is left below the unit round-off.
        let relative = values.iter().map(|value| (value / largest).max(1e-17));
        let points = relative.enumerate().map(|(j, value)| ((j + 1) as f64, value)).collect();
        Some(Curve { label: row.label.clone(), points })
    };
    report.rows.iter().filter_map(of).collect()
}

fn fields(report: &Report, part: &Part, runs: &Path, out: &Path) -> Result<(), Failure> {
    for (number, row) in report.rows.iter().enumerate() {
        let Some(key) = row.keys.first() else { continue };
        let Ok(solution) = ResultFolder::open(runs.join(key)).read_fields() else { continue };
        let names = Names { title: &row.label, unknown: "u" };
        let figure =
            field::space_time(&solution, &names).or_else(|_| field::final_state(&solution, &names));
        if let Ok(figure) = figure {
            figure.save(out, &format!("{}-{}", part.name, number + 1))?;
        }
    }
    Ok(())
}
