//! Figures of a density's moments along a run.

use std::path::{Path, PathBuf};

use super::colours::{Colour, ColourMap};
use super::drawing::Drawing;
use super::field::Names;
use super::frame::{Entry, Frame, legend, legend_width};
use super::scale::{Scale, extent};
use super::{Figure, OutputError};
use crate::DensityRecord;

const SIZE: [f64; 2] = [430.0, 270.0];
const LEFT: f64 = 90.0;
const TOP: f64 = 40.0;
const THICK: f64 = 2.6;
const DASH: [f64; 2] = [4.0, 3.5];

/// A line of a figure.
struct Line {
    entry: Entry,
    /// Whether the legend explains it.
    explained: bool,
    points: Vec<(f64, f64)>,
}

/// The mean of each coordinate over time, the exact one dashed over it.
///
/// # Errors
/// [`OutputError::Plot`] when there are fewer than two records.
pub fn means(
    records: &[DensityRecord],
    coordinates: &[String],
    names: &Names<'_>,
) -> Result<Figure, OutputError> {
    let value = |r: &DensityRecord, k: usize| [r.mean[k], r.exact_mean[k]];
    let lines = per_coordinate(records, coordinates, &value);
    lines_over_time("means", &lines, false, "mean", names)
}

/// The standard deviation of each coordinate over time, the exact one dashed over it.
///
/// # Errors
/// As [`means`].
pub fn deviations(
    records: &[DensityRecord],
    coordinates: &[String],
    names: &Names<'_>,
) -> Result<Figure, OutputError> {
    let d = coordinates.len();
    let value = |r: &DensityRecord, k: usize| {
        [r.covariance[k * d + k].sqrt(), r.exact_covariance[k * d + k].sqrt()]
    };
    let lines = per_coordinate(records, coordinates, &value);
    lines_over_time("deviations", &lines, false, "standard deviation", names)
}

/// How far the density is from the exact one over time: its values, its logarithm, its moments.
///
/// # Errors
/// [`OutputError::Plot`] when the exact one is not known, and as [`means`].
pub fn errors(records: &[DensityRecord], names: &Names<'_>) -> Result<Figure, OutputError> {
    type Get = fn(&DensityRecord) -> f64;
    let all: [(&str, Get); 5] = [
        ("density, L2", |r| r.density_error),
        ("log density, L2", |r| r.log_error),
        ("mean / deviation", |r| r.mean_error),
        ("covariance", |r| r.covariance_error),
        ("mass", |r| (r.mass / r.exact_mass - 1.0).abs()),
    ];
    let line = |(k, (label, get)): (usize, &(&str, Get))| Line {
        entry: entry((*label).to_owned(), Colour::CURVES[k], 1.6, None),
        explained: true,
        points: records.iter().map(|r| (r.time, get(r))).filter(|p| p.1 > 0.0).collect(),
    };
    let lines: Vec<Line> = all.iter().enumerate().map(line).collect();
    lines_over_time("moment errors", &lines, true, "relative error", names)
}

/// Two lines per coordinate: what was found, and the exact one dashed.
fn per_coordinate(
    records: &[DensityRecord],
    coordinates: &[String],
    value: &dyn Fn(&DensityRecord, usize) -> [f64; 2],
) -> Vec<Line> {
    let along = |k: usize, which: usize| -> Vec<(f64, f64)> {
        let at = |r: &DensityRecord| (r.time, value(r, k)[which]);
        records.iter().map(at).filter(|p| p.1.is_finite()).collect()
    };
    let last = (coordinates.len().max(2) - 1) as f64;
    let found = |(k, name): (usize, &String)| Line {
        entry: entry(name.clone(), ColourMap::Viridis.at(0.9 * k as f64 / last), THICK, None),
        explained: true,
        points: along(k, 0),
    };
    let exact = |k: usize| Line {
        entry: entry("exact".into(), Colour::INK, 1.1, Some(DASH)),
        explained: k == 0,
        points: along(k, 1),
    };
    let found = coordinates.iter().enumerate().map(found);
    found.chain((0..coordinates.len()).map(exact)).filter(|line| !line.points.is_empty()).collect()
}

fn entry(label: String, colour: Colour, width: f64, dash: Option<[f64; 2]>) -> Entry {
    Entry { label, colour, width, dash }
}

fn lines_over_time(
    figure: &'static str,
    lines: &[Line],
    logarithmic: bool,
    label: &str,
    names: &Names<'_>,
) -> Result<Figure, OutputError> {
    let places = || lines.iter().flat_map(|line| line.points.iter().copied());
    let (low, high) = extent(places().map(|p| p.0));
    if places().count() < 2 || low >= high {
        let reason = "there are too few moments to show".into();
        return Err(OutputError::Plot { figure, reason });
    }
    let x = Scale::linear(low, high);
    let values = places().map(|p| p.1);
    let y = if logarithmic { Scale::logarithmic(values) } else { Scale::around(values) };
    let mut entries = Vec::new();
    for line in lines.iter().filter(|line| line.explained) {
        let Entry { label, colour, width, dash } = &line.entry;
        entries.push(entry(label.clone(), *colour, *width, *dash));
    }
    let width = LEFT + SIZE[0] + legend_width(&entries) + 8.0;
    let mut drawing = Drawing::new(width, TOP + SIZE[1] + 54.0);
    let frame = Frame { left: LEFT, top: TOP, width: SIZE[0], height: SIZE[1], x, y };
    frame.grid(&mut drawing);
    for line in lines {
        let Entry { colour, width, dash, .. } = line.entry;
        frame.curve(&mut drawing, line.points.iter().copied(), colour, width, dash);
    }
    frame.axes(&mut drawing, "t", label);
    frame.title(&mut drawing, names.title);
    legend(&mut drawing, &frame, &entries);
    Ok(Figure::of(drawing))
}

/// Draws every figure that the records allow into `folder`; returns the files.
///
/// # Errors
/// [`OutputError::Write`].
pub fn save_all(
    folder: &Path,
    records: &[DensityRecord],
    coordinates: &[String],
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, OutputError> {
    super::save(
        folder,
        [
            ("means", means(records, coordinates, names)),
            ("deviations", deviations(records, coordinates, names)),
            ("moment-errors", errors(records, names)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(time: f64) -> DensityRecord {
        DensityRecord {
            time,
            mass: 1.001,
            mean: vec![time.sin(), 2.0],
            covariance: vec![0.1, 0.0, 0.0, 0.2],
            exact_mass: 1.0,
            exact_mean: vec![time.sin(), 2.0],
            exact_covariance: vec![0.1, 0.0, 0.0, 0.2],
            effective: 1.0,
            mean_error: 1e-3,
            covariance_error: 1e-4,
            log_error: 1e-5,
            density_error: 1e-4,
        }
    }

    #[test]
    fn moments_without_an_exact_density_have_no_errors_to_show() {
        let names = Names { title: "Fokker-Planck", unknown: "p" };
        let coordinates = ["x".to_owned(), "y".to_owned()];
        let mut records: Vec<_> = (0..9).map(|k| record(f64::from(k))).collect();
        let drawn = means(&records, &coordinates, &names).expect("has data").svg();
        assert!(drawn.contains("exact") && drawn.contains("Fokker-Planck"));
        assert!(deviations(&records, &coordinates, &names).is_ok());
        assert!(errors(&records, &names).expect("has data").svg().contains("covariance"));
        for record in &mut records {
            record.exact_mean.fill(f64::NAN);
            let errors = [
                &mut record.exact_mass,
                &mut record.mean_error,
                &mut record.covariance_error,
                &mut record.log_error,
                &mut record.density_error,
            ];
            errors.into_iter().for_each(|error| *error = f64::NAN);
        }
        let drawn = means(&records, &coordinates, &names).expect("has data").svg();
        assert!(!drawn.contains("exact"));
        assert!(matches!(errors(&records, &names), Err(OutputError::Plot { .. })));
        assert!(means(&records[..1], &coordinates, &names).is_err(), "one time is no line");
    }
}
