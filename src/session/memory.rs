//! What a run needs in memory, counted before it is asked for, and what the system has.

use super::{SessionError, columns, total_points};
use crate::field::jet::JetSet;
use crate::linalg::Settings;
use crate::network::Network;
use crate::optimize::{Method, Subspace};
use crate::problem::expression::Expression;
use crate::problem::{
    Integrator, Precision, Problem, ProblemFile, Regularisation, ResidualProblem, Scheme,
};

/// Vectors over the points that a step has at a time: a solution, stages and their sums.
const VECTORS: usize = 12;
/// Numbers at a point of a training beside its coordinates: coefficients, residuals, places.
const AT_POINT: usize = 32;
/// Columns of a training's subspace where it chooses them itself.
const CHOSEN: usize = 512;
/// What the estimate and corrections of a training's answer take at most: rows of an unknown, and functions
/// of both.
const JUDGED_ROWS: usize = 6_144;
const JUDGED_COLUMNS: usize = 2_048;

/// The parts of a run's memory that grow with its points, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Matrices. Of an evolution the chosen columns of the Jacobian: `n m s` entries, two matrices where
    /// stages may be implicit; of a training what its method holds.
    pub columns: usize,
    /// What every neuron has at every point, with its derivatives, which columns are made of.
    pub passes: usize,
    /// Coordinates, values, stages.
    pub vectors: usize,
}

fn product(factors: &[usize]) -> usize {
    factors.iter().fold(1, |a: usize, b| a.saturating_mul(*b))
}

impl Need {
    /// Of a run of either family.
    #[must_use]
    pub fn of(problem: &ProblemFile) -> Self {
        match problem {
            ProblemFile::Evolution(problem) => Self::of_evolution(problem),
            ProblemFile::Residual(problem) => Self::of_training(problem),
        }
    }

    fn of_training(problem: &ResidualProblem) -> Self {
        let dimensions = problem.dimensions();
        let (mut points, mut rows) = (0, 0);
        for (index, block) in problem.blocks.iter().enumerate() {
            let here = problem.block_points(index, 0).coordinates.len() / dimensions;
            points += here;
            rows += here * block.condition.expressions().len();
        }
        let parameters = Network::of_residual(problem).parameters();
        let whole = product(&[rows, parameters]);
        let subspace = |columns: usize| 2 * product(&[rows, columns.min(parameters)]);
        let held = |method: Method| match method {
            Method::Levenberg(settings) => match settings.subspace {
                Subspace::Full => 2 * whole,
                Subspace::Columns(columns) => subspace(columns),
                Subspace::Adaptive { .. } => subspace(CHOSEN),
            },
            Method::Sngd(_) => subspace(CHOSEN),
            // The sketch of the kernel, and what becomes of it.
            Method::Nystrom(settings) => {
                let size = if settings.rank == 0 { rows.div_ceil(10) } else { settings.rank };
                product(&[8, rows, size])
            }
            Method::Engd(_) => whole.saturating_add(product(&[3, parameters, parameters])),
            Method::Anagram(_) => product(&[3, whole]),
            // Where J is held as well, it is small.
            Method::Kernel(_) | Method::Spring(_) => product(&[3, rows, rows]),
            Method::Bfgs => product(&[2, parameters, parameters]),
            // Those that go by the gradient hold no matrix.
            _ => 0,
        };
        let judged_rows = JUDGED_ROWS * problem.unknowns.len();
        let judged = judged_rows * JUDGED_COLUMNS.min(2 * parameters + CHOSEN);
        let word = size_of::<f64>();
        Self {
            columns: product(&[held(Method::chosen(&problem.method)), word]),
            passes: judged * word,
            vectors: product(&[points, dimensions + AT_POINT, word]),
        }
    }

    fn of_evolution(problem: &Problem) -> Self {
        let (points, unknowns) = (total_points(problem), problem.unknowns.len());
        let network = Network::of(problem);
        let wanted = problem.right_hand_side.iter().flat_map(Expression::channels);
        let channels = JetSet::closure(problem.dimensions(), wanted).len();
        let word = match problem.precision {
            Precision::F32 | Precision::Mixed => size_of::<f32>(),
            Precision::F64 | Precision::Auto => size_of::<f64>(),
        };
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

/// What a run needs, unless that is more than there is.
///
/// # Errors
/// `Memory`, with the remedy.
pub fn check(problem: &ProblemFile) -> Result<Need, SessionError> {
    let need = Need::of(problem);
    match available() {
        Some(available) if need.total() > available => Err(SessionError::Memory {
            need: gibibytes(need.total()),
            matrices: gibibytes(need.columns),
            available: gibibytes(available),
            remedy: remedy(problem),
        }),
        _ => Ok(need),
    }
}

fn remedy(problem: &ProblemFile) -> &'static str {
    match problem {
        ProblemFile::Evolution(problem) if problem.method.scheme == Scheme::StageFit => {
            "fewer points (points.count) or columns (method.columns), run.precision = \"mixed\", \
             or method.scheme = \"parameter-ode\", which stores no large matrix"
        }
        ProblemFile::Evolution(_) => "fewer points (points.count) or columns (method.columns)",
        ProblemFile::Residual(_) => {
            "fewer points (points.count of the blocks), a smaller network (network.layers), or \
             method.name = \"lbfgs\", which holds no such matrix"
        }
    }
}

/// Bytes in GiB.
#[must_use]
pub fn gibibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// A page is not told.
#[cfg(target_arch = "wasm32")]
fn available() -> Option<usize> {
    None
}

/// Bytes that this process may still take, where the system tells: what is free, and what limits of
/// a group of processes (version 2 of Linux's control groups) and of the address space leave.
#[cfg(not(target_arch = "wasm32"))]
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
#[cfg(not(target_arch = "wasm32"))]
fn kib_of(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// The soft limit of the address space in `/proc/self/limits`; none where it is unlimited.
#[cfg(not(target_arch = "wasm32"))]
fn address_space(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Overrides;

    fn problem(changes: &[(&str, &str)]) -> ProblemFile {
        let changes: Overrides =
            changes.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let text = crate::problem::Preset::find("allen-cahn").expect("a preset").text;
        ProblemFile::from_bytes(text.as_bytes(), None, &changes).expect("a problem")
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
    fn a_training_is_counted_by_its_method() {
        let points = ("residual.interior.points", "{ layout = \"sobol\", count = 20000 }");
        let need = |method: &str| {
            let changes = [points, ("method.name", method)];
            let changes: Overrides = changes.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
            let text = crate::problem::Preset::find("poisson-2d").expect("a preset").text;
            Need::of(&ProblemFile::from_bytes(text.as_bytes(), None, &changes).expect("a problem"))
                .columns
        };
        // 20,000 points inside and 116 on the walls; 1,341 parameters.
        let (n, p) = (20_116, 1_341);
        assert_eq!(need("spring"), 3 * n * n * 8);
        assert_eq!(need("anagram"), 3 * n * p * 8);
        assert_eq!(need("engd"), (n * p + 3 * p * p) * 8);
        assert_eq!(need("bfgs"), 2 * p * p * 8);
        assert_eq!(need("adam"), 0);
        assert!(need("lm") < need("engd"));
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
