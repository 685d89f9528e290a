//! The end of a run: what is printed.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::output::{print, print_json, table};
use crate::cli::progress::duration;
use crate::outcome::{CorrectionResult, DensityErrors, RunResult, Summary, TrainingResult};

/// Prints the result: one JSON object, or a few lines.
pub fn show(summary: &Summary, folder: &Path, json: bool) -> Result<(), Failure> {
    match (summary, json) {
        (Summary::Evolution(result), true) => print_json(result),
        (Summary::Training(result), true) => print_json(result),
        (Summary::Evolution(result), false) => print(&evolution(result, folder)),
        (Summary::Training(result), false) => print(&training(result, folder)),
    }
}

fn evolution(result: &RunResult, folder: &Path) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let error = |value: Option<f64>| value.map_or_else(|| "unknown".into(), |e| format!("{e:.2e}"));
    let parts = result.relative_l2_of_each.iter().map(|(name, e)| format!("{name} {e:.2e}"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let each = if parts.is_empty() { parts } else { format!(" ({parts})") };
    let seconds = &result.seconds;
    let columns = match result.columns_range {
        Some([least, most]) => format!("{least} to {most}"),
        None => result.columns.to_string(),
    };
    let memory =
        result.peak_memory_mib.map(|mib| format!("; peak memory {mib:.0} MiB")).unwrap_or_default();
    let mut rows = vec![
        row("problem", format!("{}, seed {}", result.problem, result.seed)),
        row("method", result.method.clone()),
        row("device", format!("{} ({}), {}", result.backend, result.device, result.precision)),
        row(
            "sizes",
            format!(
                "{} parameters, {} points, {columns} columns, {} steps to t = {}",
                result.parameters,
                result.points,
                result.steps,
                (result.time * 1e9).round() / 1e9
            ),
        ),
        row(
            "relative L2",
            format!(
                "{} over space and time{each}, {} at the end, {} at the start",
                error(result.relative_l2),
                error(result.final_relative_l2),
                error(result.initial_error)
            ),
        ),
        row("estimated", estimated(result.estimated_error, &result.estimated_error_method)),
        row(
            "time",
            format!(
                "fit {}, steps {}, in all {}{memory}",
                duration(seconds.fit),
                duration(seconds.steps),
                duration(seconds.total)
            ),
        ),
        row("results", folder.display().to_string()),
    ];
    if let Some(density) = &result.density {
        // Before the time and the folder.
        let place = rows.len() - 2;
        let (last, worst) = (&density.last, &density.worst);
        rows.splice(place..place, [("at the end", last), ("at worst", worst)].map(moments));
    }
    if let Some(warning) = &result.warning {
        rows.push(row("warning", warning.clone()));
    }
    table(&rows)
}

fn training(result: &TrainingResult, folder: &Path) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let error = result.relative_l2.map_or_else(|| "unknown".into(), |e| format!("{e:.2e}"));
    let memory =
        result.peak_memory_mib.map(|mib| format!("; peak memory {mib:.0} MiB")).unwrap_or_default();
    let each = result.seconds / result.iterations.max(1) as f64;
    let mut rows = vec![
        row("problem", format!("{}, seed {}", result.problem, result.seed)),
        row("method", result.method.clone()),
        row("device", format!("{} ({}), {}", result.backend, result.device, result.precision)),
        row("sizes", format!("{} parameters, {} rows", result.parameters, result.rows)),
        row("iterations", format!("{}: {}", result.iterations, result.stopped)),
        row("relative L2", format!("{error} (loss {:.2e})", result.loss)),
        row("estimated", estimated(result.estimated_error, &result.estimated_error_method)),
        row(
            "time",
            format!("{}, {:.0} ms an iteration{memory}", duration(result.seconds), 1e3 * each),
        ),
        row("results", folder.display().to_string()),
    ];
    let found = result.found.iter().map(|(name, found)| row(name, found.describe()));
    rows.splice(5..5, found);
    if let Some(CorrectionResult { residual_before, residual_after, rank, waves }) =
        result.correction
    {
        let with = match waves {
            0 => String::new(),
            waves => format!(" and by {waves} plane waves"),
        };
        let text = format!(
            "residual {residual_before:.1e}, {residual_after:.1e} after a correction in the tangent \
             space{with} (rank {rank})"
        );
        rows.insert(5, row("corrected", text));
    }
    if let Some(warning) = &result.warning {
        rows.push(row("warning", warning.clone()));
    }
    table(&rows)
}

/// What a run says of its error itself.
fn estimated(error: Option<f64>, method: &str) -> String {
    match (error, method) {
        (Some(error), method) => format!("{error:.1e} ({method})"),
        (None, "") => "unknown".into(),
        (None, method) => format!("unknown ({method})"),
    }
}

/// How far a density is from the exact one.
fn moments((when, errors): (&str, &DensityErrors)) -> Vec<String> {
    let number = |e: Option<f64>| e.map_or_else(|| "unknown".into(), |e| format!("{e:.1e}"));
    let DensityErrors { mean, covariance, density, logarithm, .. } = *errors;
    let [mean, covariance, density, logarithm] = [mean, covariance, density, logarithm].map(number);
    let text = format!(
        "mean {mean} standard deviations, covariance {covariance}, density {density}, its \
         logarithm {logarithm}"
    );
    vec![format!("off {when}"), text]
}
