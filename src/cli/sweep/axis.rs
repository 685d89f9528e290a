//! What is varied: a setting and its values, and the runs that they make.

use std::path::Path;

use super::Arguments;
use crate::cli::failure::Failure;
use crate::cli::options::read_problem;
use crate::cli::runs::Run;
use crate::problem::{Overrides, ProblemFile};

/// A setting and the values that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Dotted, as in `--set`.
    pub key: String,
    pub values: Vec<String>,
    /// As it was typed.
    pub text: String,
}

const FORM: &str = "write it as KEY=A,B,C or as KEY=FROM:TO:lin:COUNT or KEY=FROM:TO:log:COUNT, for \
                    example nu=1e-3:1e-1:log:5";
/// A range of more values is a mistake.
const MOST: usize = 100_000;

impl Axis {
    /// From `KEY=A,B,C` or `KEY=FROM:TO:lin|log:COUNT`. A key without a dot is a parameter of the
    /// formulas.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, values) = text.split_once('=').ok_or(FORM)?;
        let (key, values) = (key.trim(), values.trim());
        if key.is_empty() || values.is_empty() {
            return Err(FORM.into());
        }
        let key = if key.contains('.') { key.to_owned() } else { format!("parameters.{key}") };
        let values = match values.split(':').collect::<Vec<_>>().as_slice() {
            [_] => values.split(',').map(|value| value.trim().to_owned()).collect(),
            [from, to, spacing, count] => range(from, to, spacing, count)?,
            _ => return Err(FORM.into()),
        };
        Ok(Self { key, values, text: text.to_owned() })
    }

    /// The name of its column.
    pub fn name(&self) -> &str {
        self.key.strip_prefix("parameters.").unwrap_or(&self.key)
    }
}

/// `count` numbers from the one to the other, evenly or by equal factors; the ends are exact.
fn range(from: &str, to: &str, spacing: &str, count: &str) -> Result<Vec<String>, String> {
    let number = |text: &str| {
        let value = text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| format!("{text} is no number; {FORM}"))
    };
    let (from, to) = (number(from)?, number(to)?);
    let count = count.trim().parse::<usize>().ok().filter(|n| (1..=MOST).contains(n));
    let count =
        count.ok_or_else(|| format!("the count must be a number from 1 to {MOST}; {FORM}"))?;
    let logarithmic = match spacing.trim() {
        "lin" => false,
        "log" if from * to > 0.0 => true,
        "log" => return Err("equal factors need both ends above zero, or both below".into()),
        other => return Err(format!("the spacing {other} is neither lin nor log; {FORM}")),
    };
    let at = |k: usize| {
        let share = k as f64 / (count - 1).max(1) as f64;
        match (k, logarithmic) {
            (0, _) => from,
            _ if k + 1 == count => to,
            (_, true) => from * (to / from).powf(share),
            (_, false) => from + share * (to - from),
        }
    };
    // An f64 as it is shortest, which reads back to itself.
    Ok((0..count).map(|k| format!("{:?}", at(k))).collect())
}

/// A run with where it stands in the sweep.
#[derive(Clone, Debug)]
pub struct Point {
    /// A value of each axis.
    pub values: Vec<String>,
    pub seed: u64,
    pub run: Run,
}

/// Every combination of the values, the seeds of each together; the last axis runs fastest.
pub fn points(arguments: &Arguments) -> Result<Vec<Point>, Failure> {
    let (bytes, fixed) = arguments.problem.changes(&[])?;
    let variant = arguments.problem.variant.as_deref();
    let name = absolute(&arguments.problem.problem);
    check_parameters(arguments, &bytes, &fixed)?;
    let mut combinations = vec![Vec::new()];
    for axis in &arguments.over {
        let longer = |start: &Vec<String>| {
            let start = start.clone();
            axis.values
                .iter()
                .map(move |value| [start.as_slice(), std::slice::from_ref(value)].concat())
        };
        combinations = combinations.iter().flat_map(longer).collect();
    }
    let mut points = Vec::new();
    for values in combinations {
        let named = arguments.over.iter().map(|axis| axis.key.clone()).zip(values.iter().cloned());
        let own: Overrides = named.collect();
        let overrides = [fixed.as_slice(), &own].concat();
        let first = first_seed(&bytes, &arguments.problem.problem, variant, &overrides)?;
        for seed in first..first + arguments.seeds {
            let mut overrides = overrides.clone();
            overrides.push(("run.seed".to_owned(), seed.to_string()));
            let mut run = Run::new("", (&name, &bytes), variant, overrides, 1.0)?;
            run.key = key(arguments, &values, seed);
            points.push(Point { values: values.clone(), seed, run });
        }
    }
    Ok(points)
}

/// A parameter that the formulas do not have would change nothing.
fn check_parameters(arguments: &Arguments, bytes: &[u8], fixed: &Overrides) -> Result<(), Failure> {
    let variant = arguments.problem.variant.as_deref();
    // What is wrong with the problem is told when its runs are made.
    let problem = &arguments.problem.problem;
    let Ok(file) = read_problem(problem, bytes, variant, fixed) else { return Ok(()) };
    let known = match &file {
        ProblemFile::Evolution(problem) => problem.names().parameters,
        ProblemFile::Residual(problem) => problem.names().parameters,
    };
    let stray = arguments.over.iter().filter_map(|axis| axis.key.strip_prefix("parameters."));
    match stray.into_iter().find(|name| !known.iter().any(|parameter| parameter == name)) {
        Some(name) => Err(Failure::NoParameter { name: name.to_owned(), known: known.join(", ") }),
        None => Ok(()),
    }
}

fn first_seed(
    bytes: &[u8],
    problem: &str,
    variant: Option<&str>,
    overrides: &Overrides,
) -> Result<u64, Failure> {
    match read_problem(problem, bytes, variant, overrides) {
        Ok(ProblemFile::Evolution(problem)) => Ok(problem.seed),
        Ok(ProblemFile::Residual(problem)) => Ok(problem.seed),
        Err(errors) => Err(Failure::Problem { file: problem.to_owned(), errors }),
    }
}

/// The name of a run's folder: what tells it from the others.
fn key(arguments: &Arguments, values: &[String], seed: u64) -> String {
    let pairs = arguments.over.iter().zip(values);
    let mut parts: Vec<String> = pairs.map(|(axis, v)| format!("{}={v}", axis.name())).collect();
    parts.push(format!("seed{seed}"));
    let allowed = |c: char| if c.is_alphanumeric() || "-_.+=".contains(c) { c } else { '_' };
    parts.join("+").chars().map(allowed).collect()
}

/// A file's path from anywhere; a built-in problem's name as it is.
pub fn absolute(problem: &str) -> String {
    let path = Path::new(problem);
    match path.exists() {
        true => std::path::absolute(path).map_or(problem.to_owned(), |p| p.display().to_string()),
        false => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_ends_and_lists_their_order() {
        let values = |text| Axis::parse(text).expect(text).values;
        assert_eq!(values("nu=0.5,0.1"), ["0.5", "0.1"]);
        assert_eq!(values("method.columns=50:150:lin:3"), ["50.0", "100.0", "150.0"]);
        let spaced = values("nu=1e-3:1e-1:log:5");
        assert_eq!((spaced.len(), &*spaced[0], &*spaced[4]), (5, "0.001", "0.1"));
        let numbers: Vec<f64> = spaced.iter().map(|v| v.parse().expect("a number")).collect();
        for pair in numbers.windows(2) {
            assert!((pair[1] / pair[0] - 10f64.sqrt()).abs() < 1e-12, "{numbers:?}");
        }
        assert_eq!(values("nu=2:3:lin:1"), ["2.0"]);
        assert_eq!(Axis::parse("nu=1").expect("one").key, "parameters.nu");
        assert_eq!(Axis::parse("nu=1").expect("one").name(), "nu");
    }

    #[test]
    fn mistakes_in_ranges_say_how_to_write_them() {
        for (text, says) in [
            ("nu", "KEY=A,B,C"),
            ("nu=", "KEY=A,B,C"),
            ("nu=1:2", "KEY=A,B,C"),
            ("nu=1:x:lin:3", "x is no number"),
            ("nu=1:2:lin:0", "the count"),
            ("nu=1:2:cubic:3", "neither lin nor log"),
            ("nu=0:2:log:3", "both ends above zero"),
        ] {
            let said = Axis::parse(text).expect_err(text);
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
