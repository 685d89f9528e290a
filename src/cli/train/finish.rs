//! The end of a training: its files, and what is printed.

use std::collections::BTreeMap;
use std::path::Path;

use super::result::TrainingResult;
use crate::cli::failure::Failure;
use crate::cli::output::{print, print_json, table};
use crate::cli::plot;
use crate::cli::progress::duration;
use crate::output::plots::{Names, training};
use crate::output::{OutputError, ResultFolder, description};
use crate::session::TrainingSession;

/// Writes every file of the run. One that cannot be written does not keep the others from it; the
/// first error is given back.
pub fn write(
    folder: &ResultFolder,
    session: &TrainingSession,
    result: &TrainingResult,
) -> Result<(), OutputError> {
    let network = session.network();
    let metadata = metadata(result, session);
    let mut outcomes =
        vec![folder.write_parameters(network.layout(), session.parameters(), &metadata)];
    outcomes.push(folder.write_training(session.history()));
    let field = session.field().unwrap_or_default();
    outcomes.push(folder.write_fields(&field));
    // The last one: it says that the others are there.
    if outcomes.iter().all(Result::is_ok) {
        outcomes.push(folder.write_result(result));
    }
    outcomes.into_iter().collect()
}

/// Draws the pictures of a training whose results are written.
pub fn draw(folder: &ResultFolder, session: &TrainingSession) -> Result<(), OutputError> {
    let (problem, into) = (session.problem(), folder.file(plot::FOLDER));
    let names = Names { title: &problem.title, unknown: &problem.unknowns[0] };
    let field = session.field().unwrap_or_default();
    training::save_all(&into, &field, session.history(), &names).map(drop)
}

/// What goes into the head of the parameters' file.
fn metadata(result: &TrainingResult, session: &TrainingSession) -> BTreeMap<String, String> {
    let mut head = description::of_training(session.problem());
    head.insert("iterations".into(), result.iterations.to_string());
    head.insert("precision".into(), result.precision.clone());
    head
}

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
