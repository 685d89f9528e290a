//! `sketchpde list`: the built-in problems.

use clap::Args;
use serde::Serialize;
use sketchpde::problem::{Preset, Problem, presets};

use super::failure::Failure;
use super::output::{print, print_json, table};

/// List the built-in problems and their variants.
#[derive(Args)]
pub struct Arguments {
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    title: String,
    equation: String,
    description: String,
    variants: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let entries = presets().iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        return print_json(&entries);
    }
    let mut rows = vec![["NAME", "EQUATION", "VARIANTS"].map(str::to_owned).to_vec()];
    for entry in entries {
        rows.push(vec![entry.name.to_owned(), entry.equation, entry.variants.join(", ")]);
    }
    print(&table(&rows))
}

fn entry(preset: &Preset) -> Result<Entry, Failure> {
    let failed = |errors| Failure::Problem { file: preset.name.to_owned(), errors };
    let problem = Problem::preset(preset.name).map_err(failed)?;
    let variants = Problem::variants(preset.text).map_err(failed)?;
    Ok(Entry {
        name: preset.name,
        title: problem.title,
        equation: problem.equation,
        description: problem.description,
        variants: variants.into_keys().collect(),
    })
}
