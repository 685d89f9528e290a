//! `sketchpde plot DIR --kernels`: what the natural gradient of a trained network does in function
//! space.

use std::path::{Path, PathBuf};

use nalgebra::DMatrix;

use super::failure::Failure;
use crate::field::residual::{Collocation, Comparison, ResidualSystem};
use crate::optimize::{TangentKernels, tangent_kernels};
use crate::output::npz::{self, Array};
use crate::output::plots::{Names, field};
use crate::output::{Axis, ResultFolder, SpaceTimeField, parameters};
use crate::problem::ResidualProblem;

/// Points along the coordinate of a problem in one dimension, and along each of the two that are
/// shown of any other.
const ALONG: usize = 96;
const ACROSS: usize = 48;

/// Draws NTK, NNTK and Green's function at the end of a training, and keeps them as
/// `kernels.npz` beside its results.
///
/// In one dimension they are shown for all pairs of points; in others as functions of the first two
/// coordinates, with the second point in the middle of the domain or at `at`.
pub fn draw(
    folder: &ResultFolder,
    problem: &ResidualProblem,
    at: &[f64],
    into: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let mut system = Collocation::new(problem);
    let path = folder.file("parameters.safetensors");
    let (theta, _) = parameters::read(&path, system.network())?;
    if system.network().split(&theta).theta.iter().all(|&parameter| parameter == 0.0) {
        return Err(Failure::Untrained);
    }
    let point = point(problem, at)?;
    let axes = shown(problem);
    let coordinates = coordinates(&axes, &point);
    let values = Comparison::at(problem, &coordinates).jacobian(&theta);
    // What the method itself takes for round-off.
    let rcond = (f64::EPSILON * system.parameters() as f64).sqrt();
    let kernels =
        pollster::block_on(tangent_kernels(&mut system, &theta, values.as_view(), rcond))?;
    let pictures = match axes.as_slice() {
        [axis] => pairs(&system, &kernels, axis),
        _ => slices(&system, &kernels, &axes, &point),
    };
    let mut arrays = vec![Array::vector("point", point)];
    let mut files = vec![folder.file("kernels.npz")];
    for (name, title, picture) in pictures {
        let shape: Vec<usize> = picture.axes.iter().map(|axis| axis.values.len()).collect();
        for axis in &picture.axes {
            arrays.push(Array::vector(&format!("{name}_{}", axis.name), axis.values.clone()));
        }
        arrays.push(Array::new(name, &shape, picture.values.clone()));
        let figure = field::final_state(&picture, &Names { title: &title, unknown: name })?;
        files.extend(figure.save(into, name)?);
    }
    npz::write(&files[0], &arrays)?;
    Ok(files)
}

/// The point that was asked for, or the middle of the domain.
fn point(problem: &ResidualProblem, at: &[f64]) -> Result<Vec<f64>, Failure> {
    if at.is_empty() {
        return Ok(problem.axes.iter().map(|axis| axis.lower + 0.5 * axis.length()).collect());
    }
    let inside = at.len() == problem.axes.len()
        && problem.axes.iter().zip(at).all(|(a, x)| (a.lower..=a.upper).contains(x));
    if inside {
        return Ok(at.to_vec());
    }
    let ranges = problem.axes.iter().map(|a| format!("{} in {} to {}", a.name, a.lower, a.upper));
    Err(Failure::PointOutside { wanted: ranges.collect::<Vec<_>>().join(", ") })
}

/// The axes of the pictures.
fn shown(problem: &ResidualProblem) -> Vec<Axis> {
    let count = if problem.axes.len() == 1 { ALONG } else { ACROSS };
    let spaced = |axis: &crate::problem::residual::Axis| Axis {
        name: axis.name.clone(),
        values: (0..count)
            .map(|k| axis.lower + axis.length() * k as f64 / (count - 1) as f64)
            .collect(),
    };
    problem.axes.iter().take(2).map(spaced).collect()
}

/// The pictures' points, and the given one after them.
fn coordinates(axes: &[Axis], point: &[f64]) -> Vec<f64> {
    let mut all = Vec::new();
    match axes {
        [only] => all.extend(&only.values),
        [first, second, ..] => {
            for x in &first.values {
                for y in &second.values {
                    all.extend([*x, *y]);
                    all.extend(&point[2..]);
                }
            }
        }
        [] => {}
    }
    all.extend(point);
    all
}

type Picture = (&'static str, String, SpaceTimeField);

fn picture(axes: &[Axis], values: Vec<f64>) -> SpaceTimeField {
    let unknowns = vec!["u".to_owned()];
    SpaceTimeField { times: vec![0.0], axes: axes.to_vec(), unknowns, values, reference: None }
}

/// Rows of the first block scaled to values of Green's function: one per point.
fn green(system: &Collocation, kernels: &TangentKernels, row: usize, m: usize) -> f64 {
    kernels.green[(m, row)] / system.weights(0)[row].sqrt()
}

/// All pairs of points on a line.
fn pairs(system: &Collocation, kernels: &TangentKernels, axis: &Axis) -> Vec<Picture> {
    let other = Axis { name: format!("{}'", axis.name), values: axis.values.clone() };
    let count = axis.values.len();
    let all = |matrix: &DMatrix<f64>| -> Vec<f64> {
        (0..count * count).map(|k| matrix[(k / count, k % count)]).collect()
    };
    let sources = &system.points()[0].coordinates;
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by(|&a, &b| sources[a].total_cmp(&sources[b]));
    let along =
        Axis { name: other.name.clone(), values: order.iter().map(|&row| sources[row]).collect() };
    let mut answers = Vec::with_capacity(count * order.len());
    for m in 0..count {
        answers.extend(order.iter().map(|&row| green(system, kernels, row, m)));
    }
    let axes = [axis.clone(), other];
    vec![
        ("NTK", "Tangent kernel".into(), picture(&axes, all(&kernels.ntk))),
        ("NNTK", "Natural tangent kernel".into(), picture(&axes, all(&kernels.nntk))),
        ("Green", "Green's function".into(), picture(&[axis.clone(), along], answers)),
    ]
}

/// As functions of the first two coordinates, from one point.
fn slices(
    system: &Collocation,
    kernels: &TangentKernels,
    axes: &[Axis],
    point: &[f64],
) -> Vec<Picture> {
    let count = axes.iter().map(|axis| axis.values.len()).product();
    let column =
        |matrix: &DMatrix<f64>| -> Vec<f64> { (0..count).map(|m| matrix[(m, count)]).collect() };
    let sources = &system.points()[0].coordinates;
    let distance =
        |source: &[f64]| -> f64 { source.iter().zip(point).map(|(a, b)| (a - b).powi(2)).sum() };
    let mut rows: Vec<(usize, f64)> =
        sources.chunks(point.len()).map(distance).enumerate().collect();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let row = rows[0].0;
    let source = &sources[row * point.len()..(row + 1) * point.len()];
    let named = |at: &[f64]| {
        let parts: Vec<String> = at.iter().map(|x| format!("{x:.3}")).collect();
        parts.join(", ")
    };
    let here = named(point);
    let answers = (0..count).map(|m| green(system, kernels, row, m)).collect();
    vec![
        ("NTK", format!("Tangent kernel from ({here})"), picture(axes, column(&kernels.ntk))),
        (
            "NNTK",
            format!("Natural tangent kernel from ({here})"),
            picture(axes, column(&kernels.nntk)),
        ),
        ("Green", format!("Green's function from ({})", named(source)), picture(axes, answers)),
    ]
}
