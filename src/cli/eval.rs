//! `sketchpde eval`: a solution asked at points.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::output::print;
use super::points::{self, PointTable};
use crate::output::npz::{self, Array};
use crate::output::{atomic, cell};
use crate::solution::{Answer, Quantity, Solution, split};

/// Evaluate the solution in a run's folder at points: the unknown, its derivatives, expressions of
/// them.
///
/// The points are a CSV file whose first line names the coordinates, or a NumPy array with a point
/// a row. A column t gives each point a time of its own. An evolution has its network at the times
/// that --list-times shows; in between values are interpolated, and how well is said.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The points: a CSV file, or a NumPy array (.npy).
    #[arg(long, value_name = "FILE", required_unless_present = "list_times")]
    at: Option<PathBuf>,

    /// Times at which all points are evaluated [default: the end, or the file's column t].
    #[arg(long, value_name = "T,T,...", value_delimiter = ',', allow_negative_numbers = true)]
    times: Vec<f64>,

    /// Derivatives and expressions beside the unknowns, as in u_x,u_xx,u*u_x; of an evolution also
    /// u_t, which is what its equation says.
    #[arg(long, value_name = "LIST", default_value = "", hide_default_value = true)]
    derivatives: String,

    /// Write to this file, .csv or .npz [default: CSV on standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Show the times at which the run kept its network, and end.
    #[arg(long)]
    list_times: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let solution = Solution::open(&arguments.folder)?;
    if arguments.list_times {
        return list_times(&solution);
    }
    let format = arguments.out.as_deref().map(Format::of).transpose()?.unwrap_or(Format::Csv);
    let mut what = solution.unknowns();
    for text in split(&arguments.derivatives) {
        what.push(solution.quantity(text)?);
    }
    let names = solution.coordinates();
    let timed = solution.time_span().is_some();
    let Some(at) = &arguments.at else { return Ok(()) };
    let points = points::read(at, &names, timed)?;
    let asked = Asked::of(&solution, &what, points, &arguments.times, at)?;
    match (format, &arguments.out) {
        (Format::Npz, Some(path)) => Ok(npz::write(path, &asked.arrays(&names, &what))?),
        (_, Some(path)) => Ok(atomic::write(path, asked.csv(&names, &what).as_bytes())?),
        (_, None) => print(&asked.csv(&names, &what)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Npz,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("npz") => Ok(Self::Npz),
            _ => Err(Failure::OutputEnding { path: path.to_owned(), known: ".csv or .npz" }),
        }
    }
}

fn list_times(solution: &Solution) -> Result<(), Failure> {
    let text = match (solution.times(), solution.time_span()) {
        ([], Some([start, end])) => format!("every time from {start} to {end}\n"),
        ([], None) => return Err(Failure::Solution(solution.no_time())),
        (times, _) => times.iter().map(|t| format!("{t}\n")).collect(),
    };
    print(&text)
}

/// The answers at all times.
struct Asked {
    points: PointTable,
    /// Of all points together; none where each has its own, or the problem has no time.
    times: Vec<f64>,
    /// Per time.
    answers: Vec<Answer>,
}

impl Asked {
    fn of(
        solution: &Solution,
        what: &[Quantity],
        points: PointTable,
        times: &[f64],
        file: &Path,
    ) -> Result<Self, Failure> {
        let mut times = times.to_vec();
        if !times.is_empty() && points.times.is_some() {
            return Err(Failure::TwoTimes { path: file.to_owned() });
        }
        if points.times.is_none() && times.is_empty() {
            times.extend(solution.time_span().map(|[_, end]| end));
        }
        let ask = |times: &[f64]| solution.ask(what, times, &points.coordinates);
        let mut answers = Vec::new();
        match &points.times {
            Some(own) => answers.push(ask(own)?),
            None if times.is_empty() => answers.push(ask(&[])?),
            None => {
                for time in &times {
                    answers.push(ask(&[*time])?);
                }
            }
        }
        let errors = answers.iter().filter_map(|answer| answer.interpolation_error);
        if let Some(error) = errors.reduce(f64::max) {
            eprintln!(
                "Some times lie between those at which the network was kept (--list-times shows \
                 them): values there are interpolated, to about {error:.0e}"
            );
        }
        Ok(Self { points, times, answers })
    }

    /// A line per time and point.
    fn csv(&self, names: &[String], what: &[Quantity]) -> String {
        let timed = self.points.times.is_some() || !self.times.is_empty();
        let time = timed.then_some("t");
        let heads = time.into_iter().chain(names.iter().map(String::as_str));
        let heads = heads.chain(what.iter().map(|q| q.text.as_str())).map(quoted);
        let mut text = heads.collect::<Vec<_>>().join(",") + "\n";
        for (k, answer) in self.answers.iter().enumerate() {
            for (i, point) in self.points.coordinates.chunks_exact(names.len()).enumerate() {
                let own = self.points.times.as_ref().map(|times| times[i]);
                let time = own.or(self.times.get(k).copied());
                let values = answer.values.iter().map(|values| values[i]);
                let row = time.into_iter().chain(point.iter().copied()).chain(values);
                text += &row.map(cell).collect::<Vec<_>>().join(",");
                text.push('\n');
            }
        }
        text
    }

    /// `t`, a vector per coordinate, and a table per quantity: times by points, or a vector where
    /// points have times of their own or there is no time.
    fn arrays(&self, names: &[String], what: &[Quantity]) -> Vec<Array> {
        let count = self.points.coordinates.len() / names.len();
        let along = |k: usize| self.points.coordinates.chunks_exact(names.len()).map(move |p| p[k]);
        let mut arrays = Vec::new();
        let time = self.points.times.clone().unwrap_or_else(|| self.times.clone());
        if !time.is_empty() {
            arrays.push(Array::vector("t", time));
        }
        arrays.extend(names.iter().enumerate().map(|(k, n)| Array::vector(n, along(k).collect())));
        let shape = match self.times.len() {
            0 => vec![count],
            times => vec![times, count],
        };
        for (q, quantity) in what.iter().enumerate() {
            let values =
                self.answers.iter().flat_map(|answer| answer.values[q].iter().copied()).collect();
            arrays.push(Array::new(&quantity.text, &shape, values));
        }
        arrays
    }
}

/// A cell of a CSV file's head.
pub fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
