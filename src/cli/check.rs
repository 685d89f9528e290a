//! `sketchpde check`: is a problem file right, and what does it say?

use clap::Args;
use serde::Serialize;
use sketchpde::network::Network;
use sketchpde::problem::{Problem, Update};

use super::failure::Failure;
use super::options::ProblemArguments;
use super::output::{print, print_json, table};

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
    /// p: trainable parameters of the network.
    parameters: usize,
    /// n: points of the least-squares problems.
    points: usize,
    /// s: parameters that one update changes.
    columns: usize,
    /// Time steps, where they are fixed.
    steps: Option<usize>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let summary = summary(&arguments.problem.load(&[])?);
    if arguments.json {
        return print_json(&summary);
    }
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    print(&table(&[
        row("problem", summary.problem),
        row("equation", summary.equation),
        row("dimensions", summary.dimensions.to_string()),
        row("parameters", summary.parameters.to_string()),
        row("points", summary.points.to_string()),
        row("columns", summary.columns.to_string()),
        row("steps", summary.steps.map_or_else(|| "adaptive".to_owned(), |n| n.to_string())),
    ]))
}

fn summary(problem: &Problem) -> Summary {
    let parameters = Network::of(problem).parameters();
    Summary {
        problem: problem.name.clone(),
        equation: problem.equation.clone(),
        dimensions: problem.coordinates.len(),
        parameters,
        points: sketchpde::session::total_points(problem),
        columns: match problem.method.update {
            Update::Dense => parameters,
            Update::RandomSparse => problem.method.columns,
        },
        steps: sketchpde::session::fixed_steps(problem),
    }
}
