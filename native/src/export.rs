//! What can be saved of a run, as files.

use sketchpde::output::plots::Names;
use sketchpde::output::plots::animation::Animation;
use sketchpde::output::plots::field::{final_state, space_time};
use sketchpde::output::{Axis, SpaceTimeField};
use sketchpde::session::Checkpoint;

use crate::app::state::{Saved, State};
use crate::app::training::Training;
use crate::mirror::Mirror;

/// A file to be given to the person.
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

fn name(problem: &str, what: Saved) -> String {
    // Names come from problem files: nothing in them may lead to another folder.
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let problem: String = problem.chars().take(60).map(plain).collect();
    match what {
        Saved::Problem => format!("{problem}.toml"),
        Saved::Checkpoint => format!("{problem}.sketchpde"),
        Saved::Picture => format!("{problem}.png"),
        Saved::Animation => format!("{problem}-evolution.png"),
        Saved::History => format!("{problem}-history.csv"),
    }
}

/// The problem file with every change.
pub fn problem(state: &State) -> File {
    let text = match state.setup.problem() {
        Ok(problem) => problem.source,
        Err(_) => state.mirror.problem.source.clone(),
    };
    File { name: name(&state.mirror.problem.name, Saved::Problem), bytes: text.into_bytes() }
}

/// The run until now, to go on from.
#[must_use]
pub fn checkpoint(problem: &str, checkpoint: &Checkpoint) -> File {
    File { name: name(problem, Saved::Checkpoint), bytes: checkpoint.to_bytes() }
}

/// One line per time step.
pub fn history(state: &State) -> File {
    let mut text = String::from("step,time,dt,residual,rank,error,wall_seconds\n");
    for r in &state.mirror.records {
        let error = r.error.map(|error| format!("{error:e}")).unwrap_or_default();
        text.push_str(&format!(
            "{},{},{:e},{:e},{},{error},{}\n",
            r.step, r.time, r.dt, r.residual, r.rank, r.wall_seconds
        ));
    }
    File { name: name(&state.mirror.problem.name, Saved::History), bytes: text.into_bytes() }
}

/// The solution over space and time, or at the time looked at, with its error.
///
/// # Errors
/// Why there is no picture.
pub fn picture(state: &State) -> Result<File, String> {
    let mirror = &state.mirror;
    let unknown = mirror.grid.unknown(&mirror.problem);
    let names = Names { title: &mirror.problem.title, unknown };
    let figure = match mirror.grid.axes().len() {
        1 => space_time(&kept(mirror, 0..mirror.frames.times.len()), &names),
        _ => {
            let last = mirror.frames.times.len().saturating_sub(1);
            let frame = state.scrub.unwrap_or(last);
            final_state(&kept(mirror, frame..(frame + 1).min(last + 1)), &names)
        }
    };
    let figure = figure.map_err(|error| error.to_string())?;
    Ok(File { name: name(&state.mirror.problem.name, Saved::Picture), bytes: figure.png() })
}

/// The kept frames as a moving picture (APNG), like the one that the command line leaves.
///
/// # Errors
/// Why there is none.
pub fn animation(state: &State) -> Result<File, String> {
    let mirror = &state.mirror;
    let unknown = mirror.grid.unknown(&mirror.problem);
    let names = Names { title: &mirror.problem.title, unknown };
    let moving = Animation::of(&kept(mirror, 0..mirror.frames.times.len()), &names);
    let moving = moving.map_err(|error| error.to_string())?;
    Ok(File { name: name(&mirror.problem.name, Saved::Animation), bytes: moving.png() })
}

/// A training as whatever file.
///
/// # Errors
/// Why there is none.
pub fn training(training: &Training, what: Saved) -> Result<File, String> {
    let bytes = match what {
        Saved::Problem => training.problem.source.clone().into_bytes(),
        Saved::Checkpoint => return Err("The solver saves it.".to_owned()),
        Saved::History => training_history(training).into_bytes(),
        Saved::Picture => training_picture(training)?,
        Saved::Animation => training_animation(training)?,
    };
    Ok(File { name: name(&training.problem.name, what), bytes })
}

/// One line per iteration.
fn training_history(training: &Training) -> String {
    let mut text = String::from("iteration,loss,rank,error\n");
    for point in &training.points {
        let error = point.error.map(|error| format!("{error:e}")).unwrap_or_default();
        text.push_str(&format!("{},{:e},{},{error}\n", point.iteration, point.loss, point.rank));
    }
    text
}

/// The solution over both coordinates, with its error.
fn training_picture(training: &Training) -> Result<Vec<u8>, String> {
    let (field, names) = training_field(training)?;
    let figure = match field.times.len() > 1 {
        true => space_time(&field, &names),
        false => final_state(&field, &names),
    };
    figure.map(|figure| figure.png()).map_err(|error| error.to_string())
}

/// The solution along its coordinate t.
fn training_animation(training: &Training) -> Result<Vec<u8>, String> {
    let (field, names) = training_field(training)?;
    if field.times.len() < 2 {
        return Err("Nothing moves in it: it has no coordinate t.".to_owned());
    }
    Animation::of(&field, &names).map(|moving| moving.png()).map_err(|error| error.to_string())
}

fn training_field(training: &Training) -> Result<(SpaceTimeField, Names<'_>), String> {
    let field = training.field.as_ref().ok_or("There is no picture of this one.")?;
    let problem = &training.problem;
    let names = Names { title: &problem.title, unknown: &problem.unknowns[0] };
    let double = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let axes =
        field.axes.iter().map(|(name, values)| Axis { name: name.clone(), values: values.clone() });
    let mut axes: Vec<Axis> = axes.collect();
    let timed = axes.len() > 1 && axes[0].name == "t";
    let times = if timed { axes.remove(0).values } else { vec![0.0] };
    let field = SpaceTimeField {
        unknowns: vec!["u".into()],
        times,
        axes,
        values: double(&field.values),
        reference: (!field.exact.is_empty()).then(|| double(&field.exact)),
    };
    Ok((field, names))
}

/// The kept frames as a field.
fn kept(mirror: &Mirror, frames: std::ops::Range<usize>) -> SpaceTimeField {
    let points = mirror.grid.points();
    let known = &mirror.frames;
    let times = known.times.get(frames.clone()).unwrap_or_default();
    let range = frames.start * points..(frames.start + times.len()) * points;
    let double = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let axes = mirror.problem.coordinates.iter().zip(mirror.grid.axes());
    SpaceTimeField {
        unknowns: vec!["u".into()],
        times: times.to_vec(),
        axes: axes
            .map(|(c, values)| Axis { name: c.name.clone(), values: values.clone() })
            .collect(),
        values: double(known.values.get(range.clone()).unwrap_or_default()),
        reference: known.reference.get(range).filter(|v| !v.is_empty()).map(double),
    }
}
