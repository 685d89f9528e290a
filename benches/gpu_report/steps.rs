//! Whole steps and iterations, on the adapter and on the CPU beside it.

use std::fmt::Write as _;
use std::time::Instant;

use pollster::block_on;
use sketchpde::evolve::{Engine, Evolution};
use sketchpde::field::device::Backend;
use sketchpde::network::Network;
use sketchpde::problem::{Problem, ResidualProblem};
use sketchpde::session::{TrainingSession, TrainingSystem, wall_clock};

use super::Budget;
use super::cases::{Case, evolutions, trainings};

/// A step is timed at most so often, and not again after so many seconds.
const REPETITIONS: usize = 5;
const LONG: f64 = 10.0;

/// Median seconds of a step; the first one, which compiles and warms up, counts only where there is
/// no time for another.
struct Timing {
    seconds: f64,
    precision: String,
}

/// The table of all problems.
pub fn table(adapter: &str, quick: bool, budget: &mut Budget) -> Result<String, String> {
    let mut text = String::from(
        "\n## Steps against the CPU\n\nThe same problem from the same parameters, each in the \
         precision that it would run in by itself; the small dense solves are made on the processor \
         either way.\n\n| a step of | GPU | CPU | CPU / GPU |\n| --- | --- | --- | --- |\n",
    );
    let gpu = Backend::Gpu(Some(adapter.to_owned()));
    for Case { name, problem, cost } in evolutions(quick) {
        let step = |backend: &Backend| evolution(&problem, backend);
        text += &row(&name, cost, &gpu, budget, step)?;
    }
    for Case { name, problem, cost } in trainings(quick) {
        let step = |backend: &Backend| training(&problem, backend);
        text += &row(&name, cost, &gpu, budget, step)?;
    }
    Ok(text)
}

fn row(
    name: &str,
    cost: f64,
    gpu: &Backend,
    budget: &mut Budget,
    step: impl Fn(&Backend) -> Result<Timing, String>,
) -> Result<String, String> {
    let mut cells = [String::from("-"), String::from("-")];
    let mut seconds = [f64::NAN; 2];
    for (k, (backend, word)) in
        [(gpu, "the GPU"), (&Backend::Cpu, "the CPU")].into_iter().enumerate()
    {
        if budget.allows(&format!("steps of {name} on {word}"), cost) {
            let timing = step(backend)?;
            cells[k] = format!("{} ({})", shown(timing.seconds), timing.precision);
            seconds[k] = timing.seconds;
        }
    }
    let ratio = seconds[1] / seconds[0];
    let ratio = if ratio.is_finite() { format!("{ratio:.2}") } else { "-".to_owned() };
    let mut text = String::new();
    let _ = writeln!(text, "| {name} | {} | {} | {ratio} |", cells[0], cells[1]);
    Ok(text)
}

fn shown(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", 1e3 * seconds) } else { format!("{seconds:.2} s") }
}

/// Median seconds of the work, after a first time that counts only if there is no second one.
fn median(mut work: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.len() <= REPETITIONS && (times.is_empty() || begun.elapsed().as_secs_f64() < LONG) {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64());
    }
    if times.len() > 1 {
        times.remove(0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// From the network's own start: what a step costs does not hang on the state.
fn evolution(problem: &Problem, backend: &Backend) -> Result<Timing, String> {
    let engine = block_on(Engine::new(problem, backend)).map_err(|error| error.to_string())?;
    let precision = engine.describe().precision;
    let theta = Network::of(problem).initialise(1);
    let mut evolution =
        Evolution::new(problem, engine, theta).map_err(|error| error.to_string())?;
    let state = evolution.save();
    let seconds = median(|| {
        evolution.restore(state.clone()).map_err(|error| error.to_string())?;
        block_on(evolution.step()).map(drop).map_err(|error| error.to_string())
    })?;
    Ok(Timing { seconds, precision: precision.to_string() })
}

fn training(problem: &ResidualProblem, backend: &Backend) -> Result<Timing, String> {
    let said = |error: sketchpde::OptimizeError| error.to_string();
    let system =
        block_on(TrainingSystem::choose(problem, backend)).map_err(|error| error.to_string())?;
    let precision = system.describe().precision;
    let mut session = block_on(TrainingSession::on(system, problem, wall_clock)).map_err(said)?;
    let seconds = median(|| block_on(session.iterate()).map(drop).map_err(said))?;
    Ok(Timing { seconds, precision: precision.to_string() })
}
