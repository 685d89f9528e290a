//! The problems that are measured.

use sketchpde::problem::{Overrides, Preset, Problem, ProblemFile, ResidualProblem};

/// A problem with its size in words, and about how many seconds a step takes on one core.
pub struct Case<P> {
    pub name: String,
    pub problem: P,
    pub cost: f64,
}

fn file(name: &str, variant: Option<&str>, changes: &[(&str, &str)]) -> ProblemFile {
    let text = Preset::find(name).unwrap_or_else(|errors| panic!("{errors}")).text;
    let changes: Overrides =
        changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ProblemFile::from_bytes(text.as_bytes(), variant, &changes)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn evolution(name: &str, variant: &str, changes: &[(&str, &str)]) -> Problem {
    match file(name, Some(variant), changes) {
        ProblemFile::Evolution(problem) => problem,
        ProblemFile::Residual(_) => panic!("{name} is an evolution"),
    }
}

fn training(name: &str, variant: Option<&str>, changes: &[(&str, &str)]) -> ResidualProblem {
    match file(name, variant, changes) {
        ProblemFile::Residual(problem) => problem,
        ProblemFile::Evolution(_) => panic!("{name} is a training"),
    }
}

/// The published runs of Allen-Cahn's equation, with many points and columns, and of Vlasov's.
pub fn evolutions(quick: bool) -> [Case<Problem>; 2] {
    let (count, columns, grid, few) = match quick {
        true => ("1000", "150", "[40, 50]", "200"),
        false => ("10000", "800", "[400, 500]", "757"),
    };
    let changes = [("points.count", count), ("method.columns", columns)];
    let allen_cahn = evolution("allen-cahn", "published-fast", &changes);
    let changes = [("points.count", grid), ("method.columns", few)];
    let vlasov = evolution("vlasov", "published", &changes);
    let points = if quick { "2000" } else { "200,000" };
    [
        Case {
            name: format!("Allen-Cahn, {count} points x {columns} columns"),
            problem: allen_cahn,
            cost: if quick { 0.2 } else { 10.0 },
        },
        Case {
            name: format!("Vlasov, {points} points x {few} columns"),
            problem: vlasov,
            cost: if quick { 0.5 } else { 60.0 },
        },
    ]
}

/// Poisson's equation on a square, and the heat equation with a million parameters.
pub fn trainings(quick: bool) -> [Case<ResidualProblem>; 2] {
    let poisson = training("poisson-2d", Some("published"), &[]);
    let heat = match quick {
        true => training("heat", None, &[("network.layers", "[60, 60, 60]")]),
        false => training("heat", Some("a3"), &[]),
    };
    let parameters = if quick { "7,561" } else { "1,085,761" };
    [
        Case {
            name: "Poisson in 2D, 1,341 parameters, two-pass sketches".to_owned(),
            problem: poisson,
            cost: 2.0,
        },
        Case {
            name: format!("heat, {parameters} parameters, Levenberg-Marquardt"),
            problem: heat,
            cost: if quick { 2.0 } else { 120.0 },
        },
    ]
}
