//! `sketchpde list`: the built-in problems.

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::{print, print_json, table};
use crate::problem::{Overrides, Preset, Problem, ProblemFile, presets, residual_presets};

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
    let all = presets().iter().chain(residual_presets());
    let entries = all.map(entry).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        return print_json(&entries);
    }
    let mut rows = vec![["NAME", "EQUATION", "VARIANTS"].map(str::to_owned).to_vec()];
    for entry in entries {
        // An equation of several lines takes as many rows.
        let mut lines = entry.equation.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default().to_owned();
        rows.push(vec![entry.name.to_owned(), first, entry.variants.join(", ")]);
        rows.extend(lines.map(|line| vec![String::new(), line.to_owned()]));
    }
    print(&table(&rows))
}

fn entry(preset: &Preset) -> Result<Entry, Failure> {
    let failed = |errors| Failure::Problem { file: preset.name.to_owned(), errors };
    let file = ProblemFile::from_bytes(preset.text.as_bytes(), None, &Overrides::new());
    let (title, equation, description) = match file.map_err(failed)? {
        ProblemFile::Evolution(p) => (p.title, p.equation, p.description),
        ProblemFile::Residual(p) => (p.title.clone(), p.equation().to_owned(), p.description),
    };
    let variants = Problem::variants(preset.text).map_err(failed)?;
    Ok(Entry {
        name: preset.name,
        title,
        equation,
        description,
        variants: variants.into_keys().collect(),
    })
}
