//! `sketchpde check`: is a problem file right, and what does it say?

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::options::ProblemArguments;
use super::output::{print, print_json, table};
use super::solve::one_line;
use crate::field::residual::{Collocation, ResidualSystem};
use crate::network::Network;
use crate::problem::residual::ResidualBlock;
use crate::problem::{Choice, Problem, ProblemFile, ResidualProblem};
use crate::session::memory;

/// Check a problem file and say what would be solved.
///
/// Every mistake is reported, with its place and its remedy.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    problem: ProblemArguments,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What a valid problem file asks for.
#[derive(Serialize)]
struct Summary {
    problem: String,
    equation: String,
    dimensions: usize,
    /// Or `auto`, where the run decides; the numbers are then those of a deep network.
    scheme: &'static str,
    /// p: trainable parameters of the network.
    parameters: usize,
    /// n: points of the least-squares problems.
    points: usize,
    /// s: parameters that one update changes.
    columns: usize,
    /// Time steps, where they are fixed.
    steps: Option<usize>,
    /// Memory of the parts that grow with the points, in GiB.
    memory: f64,
}

/// What a valid file of the other family asks for.
#[derive(Serialize)]
struct ResidualSummary {
    problem: String,
    equation: String,
    dimensions: usize,
    /// p: trainable parameters of the network.
    parameters: usize,
    /// Blocks, in the order of their rows.
    blocks: Vec<BlockSummary>,
    /// n: rows of the residual.
    rows: usize,
    /// Architecture, layers and activation in words.
    network: String,
    method: &'static str,
    iterations: usize,
    /// Memory of the matrices and points, in GiB.
    memory: f64,
}

#[derive(Serialize)]
struct BlockSummary {
    name: String,
    equation: String,
    rows: usize,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let problem = arguments.problem.load_file(&[])?;
    let memory = memory::gibibytes(memory::check(&problem)?.total());
    match problem {
        ProblemFile::Evolution(problem) => evolution(&problem, memory, arguments.json),
        ProblemFile::Residual(problem) => residual(&problem, memory, arguments.json),
    }
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

fn residual(problem: &ResidualProblem, memory: f64, json: bool) -> Result<(), Failure> {
    let summary = residual_summary(problem, memory);
    if json {
        return print_json(&summary);
    }
    let mut rows = vec![
        row("problem", summary.problem),
        row("dimensions", summary.dimensions.to_string()),
        row("parameters", summary.parameters.to_string()),
        row("rows", summary.rows.to_string()),
    ];
    for block in summary.blocks {
        rows.push(row(&block.name, format!("{} ({} rows)", block.equation, block.rows)));
    }
    rows.push(row("network", summary.network));
    rows.push(row("method", format!("{}, {} iterations", summary.method, summary.iterations)));
    rows.push(row("memory", format!("{:.2} GiB", summary.memory)));
    print(&table(&rows))
}

fn residual_summary(problem: &ResidualProblem, memory: f64) -> ResidualSummary {
    let system = Collocation::new(problem);
    let blocks = problem.blocks.iter().zip(system.block_rows());
    let block = |(block, rows): (&ResidualBlock, usize)| BlockSummary {
        name: block.name.clone(),
        equation: one_line(problem.unknowns.len(), &block.text),
        rows,
    };
    ResidualSummary {
        problem: problem.name.clone(),
        equation: problem.equation().to_owned(),
        dimensions: problem.dimensions(),
        parameters: system.parameters(),
        blocks: blocks.map(block).collect(),
        rows: system.rows(),
        network: network_text(problem),
        method: problem.method.name.word(),
        iterations: problem.method.iterations,
        memory,
    }
}

/// The network in a few words.
fn network_text(problem: &ResidualProblem) -> String {
    let (settings, architecture) = (&problem.network, &problem.network.architecture);
    let (kind, layers) = (architecture.kind.word(), settings.hidden_layers + 1);
    let mut text = format!("{kind}, {layers} x {}, {}", settings.width, settings.activation.word());
    if let Some(fourier) = &architecture.fourier {
        text += &format!(", {} random Fourier features", 2 * fourier.count);
    }
    text
}

fn evolution(problem: &Problem, memory: f64, json: bool) -> Result<(), Failure> {
    let summary = summary(problem, memory);
    if json {
        return print_json(&summary);
    }
    let columns = summary.columns.to_string();
    let scheme = match problem.method.chooses_scheme {
        true => "random features where they hold the solution, else a deep network with",
        false => summary.scheme,
    };
    let chosen = format!("chosen along the run, {columns} to begin with");
    print(&table(&[
        row("problem", summary.problem),
        row("equation", summary.equation),
        row("dimensions", summary.dimensions.to_string()),
        row("scheme", scheme.to_owned()),
        row("parameters", summary.parameters.to_string()),
        row("points", summary.points.to_string()),
        row("columns", if problem.method.adaptive_columns { chosen } else { columns }),
        row("steps", summary.steps.map_or_else(|| "adaptive".to_owned(), |n| n.to_string())),
        row("memory", format!("{:.2} GiB", summary.memory)),
    ]))
}

fn summary(problem: &Problem, memory: f64) -> Summary {
    let parameters = Network::of(problem).parameters();
    Summary {
        problem: problem.name.clone(),
        equation: one_line(problem.unknowns.len(), &problem.equation),
        dimensions: problem.coordinates.len(),
        scheme: match problem.method.chooses_scheme {
            true => "auto",
            false => problem.method.scheme.word(),
        },
        parameters,
        points: crate::session::total_points(problem),
        columns: crate::session::columns(problem, parameters),
        steps: crate::session::fixed_steps(problem),
        memory,
    }
}
