//! The end of a training: what is printed.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::output::{print, print_json, table};
use crate::cli::progress::duration;
use crate::outcome::TrainingResult;

/// Prints the result: one JSON object, or a few lines.
pub fn show(result: &TrainingResult, folder: &Path, json: bool) -> Result<(), Failure> {
    if json { print_json(result) } else { print(&summary(result, folder)) }
}

fn summary(result: &TrainingResult, folder: &Path) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let error = result.relative_l2.map_or_else(|| "unknown".into(), |e| format!("{e:.2e}"));
    let memory =
        result.peak_memory_mib.map(|mib| format!("; peak memory {mib:.0} MiB")).unwrap_or_default();
    let parts = result.relative_l2_of_each.iter().map(|(name, e)| format!("{name} {e:.2e}"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let each_error = if parts.is_empty() { parts } else { format!(": {parts}") };
    let each = result.seconds / result.iterations.max(1) as f64;
    let mut rows = vec![
        row("problem", format!("{}, seed {}", result.problem, result.seed)),
        row("method", result.method.clone()),
        row("device", format!("{} ({}), {}", result.backend, result.device, result.precision)),
        row("sizes", format!("{} parameters, {} rows", result.parameters, result.rows)),
        row("iterations", format!("{}: {}", result.iterations, result.stopped)),
        row("relative L2", format!("{error}{each_error} (loss {:.2e})", result.loss)),
        row(
            "time",
            format!("{}, {:.0} ms an iteration{memory}", duration(result.seconds), 1e3 * each),
        ),
        row("results", folder.display().to_string()),
    ];
    if let Some(warning) = &result.warning {
        rows.push(row("warning", warning.clone()));
    }
    table(&rows)
}
