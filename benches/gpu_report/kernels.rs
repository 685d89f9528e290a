//! What every kernel takes of the adapter's peak.

use std::fmt::Write as _;

use nalgebra::DMatrix;
use pollster::block_on;
use sketchpde::field::gpu::operator::Tier;
use sketchpde::field::gpu::peak::Peak;
use sketchpde::field::gpu::{Evaluator, Gpu, GpuError, KernelTimes, SketchRows};
use sketchpde::field::residual::ResidualSystem;
use sketchpde::linalg::RowSketch;
use sketchpde::network::Network;
use sketchpde::problem::{Points, Precision, Problem, ResidualProblem};
use sketchpde::random::{Philox, Stream};
use sketchpde::session::TrainingSystem;

use super::Budget;
use super::cases::{Case, evolutions, trainings};

/// Columns of the dense matrices that a training's Jacobian is multiplied by.
const WIDTH: usize = 64;
/// Everything is done so many times; the first one warms up and is not counted.
const REPETITIONS: usize = 3;

/// A table a problem; every kernel is in one of them.
pub fn tables(gpu: &Gpu, peak: Peak, quick: bool, budget: &mut Budget) -> Result<String, String> {
    let mut text = String::from(
        "\n## Kernels, in f32\n\nOperations are those of the matrix products, activations not \
         counted; bytes are those that have to come from memory or go there once. The share is \
         that of the peak which bounds the kernel; times are of all dispatches together.\n",
    );
    for Case { name, problem, cost } in evolutions(quick) {
        if budget.allows(&format!("kernels of {name}"), cost) {
            let times = block_on(evolution(gpu, &problem)).map_err(|error| error.to_string())?;
            text += &table(&name, &times, peak);
        }
    }
    for Case { name, problem, cost } in trainings(quick) {
        if budget.allows(&format!("kernels of {name}"), cost) {
            let times = block_on(training(gpu, &problem))?;
            text += &table(&format!("{name}: J V and J^T W, {WIDTH} columns"), &times, peak);
        }
    }
    Ok(text)
}

fn table(name: &str, times: &KernelTimes, peak: Peak) -> String {
    let mut text = format!(
        "\n### {name}\n\n| kernel | dispatches | time | GFLOP/s | GB/s | share | bound by |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    let mut rows: Vec<_> = times.iter().collect();
    rows.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    for (label, time) in rows {
        let label = label.trim_start_matches("operator/").trim_end_matches(".wgsl");
        let (share, memory) = peak.share(time.work, time.seconds);
        let _ = writeln!(
            text,
            "| `{label}` | {} | {:.2} ms | {:.1} | {:.1} | {:.0} % | {} |",
            time.dispatches,
            1e3 * time.seconds,
            1e-9 * time.work.operations / time.seconds,
            1e-9 * time.work.bytes / time.seconds,
            100.0 * share,
            if memory { "memory" } else { "arithmetic" }
        );
    }
    text
}

/// Adds what a look has found, where it counts.
async fn look(gpu: &Gpu, counts: bool, times: &mut KernelTimes) -> Result<(), GpuError> {
    for (label, time) in gpu.take_times().await? {
        if counts {
            times.entry(label).or_default().add(time);
        }
    }
    Ok(())
}

/// The field, and of chosen columns of J the entries, products and a row sketch.
async fn evolution(gpu: &Gpu, problem: &Problem) -> Result<KernelTimes, GpuError> {
    let network = Network::of(problem);
    let points = Points::of(problem);
    let theta = network.initialise(1);
    let tier = Tier::choose(gpu, Precision::F32)?;
    let mut evaluator = Evaluator::new(gpu, problem, &network, &points.coordinates, tier).await?;
    let (rows, columns) = (evaluator.points(), problem.method.columns);
    let chosen = Philox::new(3, Stream::Columns).subset(0, network.parameters(), columns);
    let (v, w) = (vec![0.5; columns], vec![0.5; rows]);
    let lists = RowSketch::new(5, 0, (3 * columns).min(rows)).gather_lists(rows);
    let mut times = KernelTimes::new();
    for repetition in 0..REPETITIONS {
        evaluator.field(&theta, 0.0).await?;
        let mut linearization = evaluator.differentiate(&theta)?;
        let mut j = linearization.choose(&chosen)?;
        j.entries::<f32>().await?;
        j.multiply(&v).await?;
        j.multiply_transposed(&w).await?;
        let sketch = SketchRows { starts: &lists.starts, entries: &lists.entries, scale: 0.35 };
        j.sketch(sketch).await?;
        look(gpu, repetition > 0, &mut times).await?;
    }
    Ok(times)
}

/// Products of J with dense matrices, from either side.
async fn training(gpu: &Gpu, problem: &ResidualProblem) -> Result<KernelTimes, String> {
    let said = |error: GpuError| error.to_string();
    let mut system = TrainingSystem::on_gpu(problem, gpu).await.map_err(said)?;
    system.set_precision(Precision::F32).await.map_err(said)?;
    let theta = system.initial_parameters();
    let v = DMatrix::repeat(theta.len(), WIDTH, 0.5);
    let w = DMatrix::repeat(system.rows(), WIDTH, 0.5);
    let mut times = KernelTimes::new();
    for repetition in 0..REPETITIONS {
        system.multiply(&theta, v.as_view()).await.map_err(|error| error.to_string())?;
        look(gpu, repetition > 0, &mut times).await.map_err(said)?;
        system.multiply_transposed(&theta, w.as_view()).await.map_err(|error| error.to_string())?;
        look(gpu, repetition > 0, &mut times).await.map_err(said)?;
    }
    Ok(times)
}
