//! `sketchpde export`: a solution as files that other programs read.

mod lattice;
mod vtk;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use lattice::Lattice;

use super::failure::Failure;
use super::output::print;
use crate::output::npz::{self, Array};
use crate::output::{OutputError, atomic, cell};
use crate::solution::{Quantity, Solution, split};

/// Write the solution in a run's folder for ParaView, spreadsheets or Python: on a grid over its
/// domain, at several times.
///
/// vtu: one file a time and a .pvd that ParaView opens as a time series. vtk: the same in the legacy
/// format, with a .vtk.series. csv, npz: one file.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The format.
    #[arg(long, value_enum)]
    format: Format,

    /// Folder for the files [default: DIR/export].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Grid points along each coordinate [default: 513, 97, 33, fewer in more dimensions].
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    grid: Vec<usize>,

    /// Times [default: up to 101 of those at which the network was kept, or 101 of the range].
    #[arg(long, value_name = "T,T,...", value_delimiter = ',', allow_negative_numbers = true)]
    times: Vec<f64>,

    /// Derivatives and expressions beside the unknowns, as in u_x,u_xx,u*u_x.
    #[arg(long, value_name = "LIST", default_value = "", hide_default_value = true)]
    derivatives: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Vtu,
    Vtk,
    Csv,
    Npz,
}

/// Times by default, at most.
const TIMES: usize = 101;

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let solution = Solution::open(&arguments.folder)?;
    let mut what = solution.unknowns();
    for text in split(&arguments.derivatives) {
        what.push(solution.quantity(text)?);
    }
    let lattice = Lattice::new(&solution, &arguments.grid)?;
    if matches!(arguments.format, Format::Vtu | Format::Vtk) && lattice.axes.len() > 3 {
        return Err(Failure::TooManyDimensions { dimensions: lattice.axes.len() });
    }
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.folder.join("export"));
    std::fs::create_dir_all(&folder)
        .map_err(|source| OutputError::Write { path: folder.clone(), source })?;
    let export = Export {
        frames: frames(&solution, &what, &lattice, &arguments.times)?,
        lattice,
        what,
        name: file_name(solution.name()),
        folder,
    };
    let files = match arguments.format {
        Format::Vtu => vtk::write(&export, vtk::Kind::Xml)?,
        Format::Vtk => vtk::write(&export, vtk::Kind::Legacy)?,
        Format::Csv => export.csv()?,
        Format::Npz => export.npz()?,
    };
    print(&files.iter().map(|file| format!("{}\n", file.display())).collect::<String>())
}

/// The solution at one time.
struct Frame {
    /// None of a problem without time.
    time: Option<f64>,
    /// Per quantity a value per point of the lattice.
    values: Vec<Vec<f64>>,
}

struct Export {
    lattice: Lattice,
    what: Vec<Quantity>,
    frames: Vec<Frame>,
    name: String,
    folder: PathBuf,
}

fn frames(
    solution: &Solution,
    what: &[Quantity],
    lattice: &Lattice,
    given: &[f64],
) -> Result<Vec<Frame>, Failure> {
    let times: Vec<Option<f64>> = match (given, solution.time_span()) {
        ([], None) => vec![None],
        ([], Some(span)) => default_times(solution.times(), span).into_iter().map(Some).collect(),
        (given, _) => given.iter().copied().map(Some).collect(),
    };
    let frame = |time: Option<f64>| {
        let answer = solution.ask(what, time.as_slice(), &lattice.points)?;
        Ok(Frame { time, values: answer.values })
    };
    times.into_iter().map(frame).collect()
}

/// Kept times, evenly chosen among them; or equal steps where the network knows all times.
fn default_times(kept: &[f64], [start, end]: [f64; 2]) -> Vec<f64> {
    if kept.is_empty() {
        let step = (end - start) / (TIMES - 1) as f64;
        return (0..TIMES).map(|k| (start + k as f64 * step).min(end)).collect();
    }
    let count = kept.len().min(TIMES);
    let chosen = |k: usize| kept[k * (kept.len() - 1) / (count - 1).max(1)];
    (0..count).map(chosen).collect()
}

/// A problem's name as that of a file: nothing in it may lead elsewhere.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(plain).collect()
}

impl Export {
    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", self.name))
    }

    fn csv(&self) -> Result<Vec<PathBuf>, Failure> {
        let time = self.frames.first().and_then(|frame| frame.time).map(|_| "t");
        let names = self.lattice.names.iter().map(String::as_str);
        let heads = time.into_iter().chain(names).chain(self.what.iter().map(|q| q.text.as_str()));
        let mut text = heads.map(super::eval::quoted).collect::<Vec<_>>().join(",") + "\n";
        let dimensions = self.lattice.axes.len();
        for frame in &self.frames {
            for (i, point) in self.lattice.points.chunks_exact(dimensions).enumerate() {
                let values = frame.values.iter().map(|values| values[i]);
                let row = frame.time.into_iter().chain(point.iter().copied()).chain(values);
                text += &row.map(cell).collect::<Vec<_>>().join(",");
                text.push('\n');
            }
        }
        let path = self.path(".csv");
        atomic::write(&path, text.as_bytes())?;
        Ok(vec![path])
    }

    /// `t`, the axes, and an array per quantity: time first, then the axes.
    fn npz(&self) -> Result<Vec<PathBuf>, Failure> {
        let times: Vec<f64> = self.frames.iter().filter_map(|frame| frame.time).collect();
        let mut shape: Vec<usize> = self.lattice.axes.iter().map(Vec::len).collect();
        let mut arrays = Vec::new();
        if !times.is_empty() {
            shape.insert(0, times.len());
            arrays.push(Array::vector("t", times));
        }
        for (name, axis) in self.lattice.names.iter().zip(&self.lattice.axes) {
            arrays.push(Array::vector(name, axis.clone()));
        }
        for (q, quantity) in self.what.iter().enumerate() {
            let values = self.frames.iter().flat_map(|frame| frame.values[q].iter().copied());
            arrays.push(Array::new(&quantity.text, &shape, values.collect()));
        }
        let path = self.path(".npz");
        npz::write(&path, &arrays)?;
        Ok(vec![path])
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        Ok(atomic::write(path, bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_times_begin_and_end_with_the_run() {
        let kept: Vec<f64> = (0..=400).map(|k| f64::from(k) / 100.0).collect();
        let times = default_times(&kept, [0.0, 4.0]);
        assert_eq!((times.len(), times[0], times[100]), (101, 0.0, 4.0));
        assert_eq!(default_times(&kept[..3], [0.0, 0.02]), kept[..3]);
        assert_eq!(default_times(&[0.5], [0.5, 0.5]), [0.5]);
        let all = default_times(&[], [0.0, 1.0]);
        assert_eq!((all.len(), all[100]), (101, 1.0));
    }
}
