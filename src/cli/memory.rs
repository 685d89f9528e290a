//! What a run needs in memory, counted before it is asked for, and what the system has.

use super::failure::Failure;
use crate::field::jet::JetSet;
use crate::linalg::Settings;
use crate::network::Network;
use crate::outcome::columns;
use crate::problem::expression::Expression;
use crate::problem::{Integrator, Precision, Problem, Regularisation, Scheme};
use crate::session::total_points;

/// Vectors over the points that a step has at a time: a solution, stages and their sums.
const VECTORS: usize = 12;

/// The parts of an evolution's memory that grow with its points, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Chosen columns of the Jacobian: `n m s` entries, two matrices where stages may be implicit.
    pub columns: usize,
    /// What every neuron has at every point, with its derivatives, which columns are made of.
    pub passes: usize,
    /// Coordinates, values, stages.
    pub vectors: usize,
}

impl Need {
    pub fn of(problem: &Problem) -> Self {
        let (points, unknowns) = (total_points(problem), problem.unknowns.len());
        let network = Network::of(problem);
        let wanted = problem.right_hand_side.iter().flat_map(Expression::channels);
        let channels = JetSet::closure(problem.dimensions(), wanted).len();
        let word = match problem.precision {
            Precision::F32 | Precision::Mixed => size_of::<f32>(),
            Precision::F64 | Precision::Auto => size_of::<f64>(),
        };
        let product =
            |factors: &[usize]| factors.iter().fold(1, |a: usize, b| a.saturating_mul(*b));
        let entries = product(&[points, unknowns, columns(problem, network.parameters())]);
        let fits = problem.method.scheme == Scheme::StageFit;
        let damps = problem.method.regularisation == Regularisation::Damp;
        let implicit = match problem.method.integrator {
            Integrator::Auto => problem.method.tolerance.is_some(),
            integrator => integrator.is_implicit(),
        };
        let matrices = match (fits, implicit) {
            (true, true) => 2,
            // The damped solves of a parameter ODE do without a large one.
            (false, _) if damps && entries > Settings::default().most_stored => 0,
            _ => 1,
        };
        let settings = &problem.network;
        let neurons = product(&[settings.hidden_layers + 1, settings.width]);
        let reals = product(&[points, unknowns, VECTORS + channels])
            .saturating_add(product(&[points, problem.dimensions()]));
        Self {
            columns: product(&[matrices, entries, word]),
            passes: if fits { product(&[points, neurons, channels + 1, word]) } else { 0 },
            vectors: product(&[reals, size_of::<f64>()]),
        }
    }

    pub fn total(&self) -> usize {
        self.columns.saturating_add(self.passes).saturating_add(self.vectors)
    }
}

/// Refuses an evolution that needs more than there is.
pub fn check(problem: &Problem) -> Result<(), Failure> {
    let need = Need::of(problem);
    match available() {
        Some(available) if need.total() > available => {
            let method = &problem.method;
            let remedy = if method.scheme == Scheme::StageFit {
                "fewer points (points.count) or columns (method.columns), run.precision = \"mixed\", \
                 or method.scheme = \"parameter-ode\", which stores no large matrix"
            } else {
                "fewer points (points.count) or columns (method.columns)"
            };
            Err(Failure::Memory {
                need: gibibytes(need.total()),
                columns: gibibytes(need.columns),
                available: gibibytes(available),
                remedy,
            })
        }
        _ => Ok(()),
    }
}

pub fn gibibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// Bytes that this process may still take, where the system tells: what is free, and what limits of
/// a group of processes (version 2 of Linux's control groups) and of the address space leave.
fn available() -> Option<usize> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let free = read("/proc/meminfo").and_then(|text| kib_of(&text, "MemAvailable:"));
    let number = |path: &str| read(path)?.trim().parse::<usize>().ok();
    let group = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(most, now)| most.saturating_sub(now));
    let taken = read("/proc/self/status").and_then(|text| kib_of(&text, "VmSize:")).unwrap_or(0);
    let space = read("/proc/self/limits")
        .and_then(|text| address_space(&text))
        .map(|most| most.saturating_sub(taken));
    [free, group, space].into_iter().flatten().min()
}

/// A line `NAME 123 kB`, in bytes.
fn kib_of(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// The soft limit of the address space in `/proc/self/limits`; none where it is unlimited.
fn address_space(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Overrides;

    fn problem(changes: &[(&str, &str)]) -> Problem {
        let changes: Overrides =
            changes.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let text = crate::problem::Preset::find("allen-cahn").expect("a preset").text;
        Problem::from_toml(text, &changes).expect("a problem")
    }

    #[test]
    fn the_matrices_are_counted_by_points_and_columns() {
        let need = |changes: &[(&str, &str)]| Need::of(&problem(changes));
        let base = [("points.count", "1000"), ("method.columns", "100")];
        let one = need(&[&base[..], &[("method.integrator", "dormand-prince")]].concat());
        assert_eq!(one.columns, 1_000 * 100 * 8);
        let auto = need(&[&base[..], &[("method.integrator", "auto")]].concat());
        assert_eq!(auto.columns, 2 * one.columns);
        let more = need(&[("points.count", "10000000"), ("method.columns", "282")]);
        assert!(gibibytes(more.total()) > 21.0, "{more:?}");
    }

    #[test]
    fn what_the_system_says_is_read() {
        let memory = "MemTotal:       24689168 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(kib_of(memory, "MemAvailable:"), Some(2 << 20));
        let limits = "Limit     Soft Limit  Hard Limit  Units\n\
            Max address space         8192000000           unlimited            bytes\n";
        assert_eq!(address_space(limits), Some(8_192_000_000));
        let without = limits.replace("8192000000", "unlimited ");
        assert_eq!(address_space(&without), None);
        if cfg!(target_os = "linux") {
            assert!(available().is_some_and(|bytes| bytes > 1 << 20));
        }
    }
}
