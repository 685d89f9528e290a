//! The end of a run: its files, what is printed, the exit code.

use std::collections::BTreeMap;

use super::result::{DensityErrors, RunResult};
use crate::cli::failure::Failure;
use crate::cli::output::{print, print_json, table};
use crate::cli::plot;
use crate::cli::progress::duration;
use crate::network::Network;
use crate::output::{Axis, OutputError, ResultFolder, SpaceTimeField, description};
use crate::session::Session;

/// Writes every file of the run. One that cannot be written does not keep the others from it; the
/// first error is given back.
pub fn write(
    folder: &ResultFolder,
    session: &Session,
    result: &RunResult,
) -> Result<(), OutputError> {
    let field = field(session);
    let mut outcomes = Vec::new();
    if !session.parameters().is_empty() {
        let network = Network::of(session.problem());
        let parameters = session.parameters();
        outcomes.push(folder.write_parameters(
            network.layout(),
            parameters,
            &metadata(result, session),
        ));
    }
    let trajectory = session.trajectory();
    outcomes.push(folder.write_trajectory(trajectory.times(), trajectory.values()));
    outcomes.push(folder.write_history(session.history()));
    outcomes.push(folder.write_fields(&field));
    let densities = session.densities();
    if !densities.is_empty() {
        outcomes.push(folder.write_moments(&session.problem().names().coordinates, densities));
    }
    // The last one: it says that the others are there.
    if outcomes.iter().all(Result::is_ok) {
        outcomes.push(folder.write_result(result));
    }
    outcomes.into_iter().collect()
}

/// Draws the pictures of a run whose results are written.
pub fn draw(folder: &ResultFolder, session: &Session) -> Result<(), OutputError> {
    let (into, field) = (folder.file(plot::FOLDER), field(session));
    plot::draw(&into, session.problem(), &field, session.history(), session.densities()).map(drop)
}

/// What goes into the head of the parameters' file.
fn metadata(result: &RunResult, session: &Session) -> BTreeMap<String, String> {
    let mut head = description::of_evolution(session.problem());
    head.insert("time".into(), result.time.to_string());
    head.insert("precision".into(), result.precision.clone());
    head
}

/// The frames with their axes.
fn field(session: &Session) -> SpaceTimeField {
    let frames = session.frames();
    let names = session.problem().coordinates.iter().map(|c| c.name.clone());
    let axes = names
        .zip(session.grid().axes())
        .map(|(name, values)| Axis { name, values: values.clone() })
        .collect();
    SpaceTimeField {
        unknowns: session.problem().unknowns.clone(),
        times: frames.times().to_vec(),
        axes,
        values: frames.values().to_vec(),
        reference: frames.has_reference().then(|| frames.reference().to_vec()),
    }
}

/// Prints the result: one JSON object, or a few lines.
pub fn show(result: &RunResult, folder: &ResultFolder, json: bool) -> Result<(), Failure> {
    if json { print_json(result) } else { print(&summary(result, folder)) }
}

fn summary(result: &RunResult, folder: &ResultFolder) -> String {
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
        row(
            "time",
            format!(
                "fit {}, steps {}, in all {}{memory}",
                duration(seconds.fit),
                duration(seconds.steps),
                duration(seconds.total)
            ),
        ),
        row("results", folder.path().display().to_string()),
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
