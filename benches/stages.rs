//! A time step stage by stage: time, speed, and the part of the machine's peak that it reaches.
//!
//!     cargo bench --bench stages
//!     cargo bench --bench stages -- 1000x150 f32      (only these)
//!
//! The network is that of the RSNG paper for Allen-Cahn (3,393 parameters). The peak is measured
//! beside the stages, by independent chains of fused multiply-adds in the widest registers on all
//! threads. Operations are counted as a plain loop would need them: a multiplication and an
//! addition are two; an activation is not counted. Solves add in f64 whatever the entries are, so
//! that their peak is that of f64; those that sketch or find a low rank are not counted.

use std::hint::black_box;
use std::time::Instant;

use nalgebra::DMatrix;
use pulp::Simd;
use rayon::prelude::*;
use sketchpde::evolve::{Engine, Evolution};
use sketchpde::field::cpu::{Evaluator, Field, Kernel, Linearisation};
use sketchpde::field::device::Backend;
use sketchpde::linalg::{LeastSquares, Regularisation, RowSketch, Settings};
use sketchpde::network::Network;
use sketchpde::problem::{Points, Preset, Problem, Solver};
use sketchpde::random::{Philox, Stream};

const SIZES: [(usize, usize); 3] = [(1_000, 150), (300, 600), (10_000, 800)];
const RCOND: f64 = 1e-5;
/// A stage is repeated for so many seconds, and at least so many times.
const SECONDS: f64 = 0.5;
const REPEATS: usize = 5;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |name: &str, all: &[&str]| {
        !wanted.iter().any(|w| all.contains(&w.as_str())) || wanted.iter().any(|w| w == name)
    };
    let sizes = SIZES.map(|(n, s)| format!("{n}x{s}"));
    let size_names: Vec<&str> = sizes.iter().map(String::as_str).collect();
    let threads = rayon::current_num_threads();
    println!(
        "{:<10} {:>4} {:<22} {:>10} {:>9} {:>7}",
        "n x s", "real", "stage", "ms", "GFLOP/s", "peak"
    );
    for (&(n, s), name) in SIZES.iter().zip(&sizes) {
        if !asked(name, &size_names) {
            continue;
        }
        if asked("f32", &["f32", "f64"]) {
            Bench::<f32>::new(n, s, [peak_f32(threads), peak_f64(threads)]).stages();
        }
        if asked("f64", &["f32", "f64"]) {
            Bench::<f64>::new(n, s, [peak_f64(threads); 2]).stages();
        }
    }
}

/// Median milliseconds of one run.
fn median(mut run: impl FnMut()) -> f64 {
    run();
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.len() < REPEATS || begun.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        run();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// One size in one precision.
struct Bench<T> {
    problem: Problem,
    evaluator: Evaluator<T>,
    theta: Vec<f64>,
    columns: Vec<u32>,
    jacobian: DMatrix<T>,
    field: Field,
    /// GFLOP/s of fused multiply-adds in T.
    peak: f64,
    peak_f64: f64,
    n: usize,
    s: usize,
}

impl<T: Kernel> Bench<T> {
    fn new(n: usize, s: usize, [peak, peak_f64]: [f64; 2]) -> Self {
        println!(
            "{:<10} {:>4} {:<22} {:>10} {peak:>9.1}",
            format!("{n} x {s}"),
            T::NAME,
            "peak",
            ""
        );
        let problem = problem(n, s, T::NAME);
        let network = Network::of(&problem);
        let theta = network.initialise(1);
        let evaluator = Evaluator::new(&problem, &network, &Points::of(&problem).coordinates);
        let columns = Philox::new(1, Stream::Columns).subset(1, theta.len(), s);
        let mut jacobian = DMatrix::repeat(n, s, T::ZERO);
        let field = evaluator.jacobian(&theta, 0.0, &columns, 0, jacobian.as_view_mut());
        Self { problem, evaluator, theta, columns, jacobian, field, peak, peak_f64, n, s }
    }

    fn report(&self, stage: &str, operations: Option<f64>, peak: f64, milliseconds: f64) {
        let size = format!("{} x {}", self.n, self.s);
        print!("{size:<10} {:>4} {stage:<22} {milliseconds:>10.3}", T::NAME);
        match operations {
            Some(operations) => {
                let speed = operations / milliseconds / 1e6;
                println!(" {speed:>9.2} {:>6.1}%", 100.0 * speed / peak);
            }
            None => println!(" {:>9} {:>7}", "-", "-"),
        }
    }

    /// Operations of one pass of the linear layers for one channel at every point.
    fn layers(&self) -> f64 {
        let network = self.evaluator.network();
        let width = network.width() as f64;
        let layers = network.hidden_layers() as f64;
        2.0 * self.n as f64 * (layers * width * width + width)
    }

    fn stages(&mut self) {
        let channels = self.evaluator.jets().len() as f64;
        let (n, s) = (self.n as f64, self.s as f64);
        let forward = channels * self.layers();
        let time = median(|| drop(black_box(self.evaluator.field(&self.theta, 0.0))));
        self.report("forward", Some(forward), self.peak, time);

        // The tangent carries every channel twice and multiplies each by W and by W'.
        let direction: Vec<f64> = self.theta.iter().map(|v| 1e-3 * v).collect();
        let along = || drop(black_box(self.evaluator.field_along(&self.theta, &direction, 0.0)));
        let time = median(along);
        self.report("tangent", Some(3.0 * forward), self.peak, time);

        let mut at = Linearisation::default();
        let _ = self.evaluator.linearise(&self.theta, 0.0, &mut at);
        let time = median(|| drop(black_box(self.evaluator.field_at(&at, &direction, 0.0))));
        self.report("tangent, pass kept", Some(2.0 * forward), self.peak, time);

        // Forward, one reverse sweep of the value, and a product per entry.
        let mut out = DMatrix::repeat(self.n, self.s, T::ZERO);
        let time = median(|| {
            let columns = &self.columns;
            drop(black_box(self.evaluator.jacobian(
                &self.theta,
                0.0,
                columns,
                0,
                out.as_view_mut(),
            )));
        });
        self.report("Jacobian columns", Some(forward + self.layers() + n * s), self.peak, time);

        self.sketch();
        self.solve("solve, damped", Regularisation::Damp);
        self.solve("solve, truncated", Regularisation::Truncate);
        self.step("parameter-ode", "rk4", "RK4 step, parameter ODE");
        self.step("stage-fit", "dormand-prince", "DP step, stage fit");
    }

    /// Four sketch rows a column, as the solver takes them: eight additions for every entry.
    fn sketch(&self) {
        let sketch = RowSketch::new(1, 0, 4 * self.s);
        if 4 * self.s >= self.n {
            return;
        }
        let entries = (self.n * self.s) as f64;
        let time = median(|| drop(black_box(sketch.apply(self.jacobian.as_view()))));
        let hits = sketchpde::linalg::HITS as f64;
        self.report("row sketch", Some(hits * entries), self.peak, time);
    }

    fn solve(&self, name: &str, regularisation: Regularisation) {
        let settings = Settings { regularisation, rcond: RCOND, ..Settings::default() };
        let mut squares = LeastSquares::new(settings);
        let mut epoch = 0;
        let time = median(|| {
            epoch += 1;
            let r = &self.field.right_hand_side;
            drop(black_box(squares.solve(self.jacobian.as_view(), r, epoch)));
        });
        let (long, short) = (self.n.max(self.s) as f64, self.n.min(self.s) as f64);
        // Half of a symmetric Gram matrix, and its Cholesky factor.
        let cholesky = long * short * short + short * short * short / 3.0;
        let direct = squares.settings.choose(self.n, self.s) == Solver::Gram;
        let counted = direct && regularisation == Regularisation::Damp;
        self.report(name, counted.then_some(cholesky), self.peak_f64, time);
    }

    /// A whole step, from the same parameters each time.
    fn step(&self, scheme: &str, integrator: &str, name: &str) {
        let mut problem = self.problem.clone();
        let overrides = [("method.scheme", scheme), ("method.integrator", integrator)];
        for (key, value) in overrides {
            problem = set(&problem, key, value);
        }
        let engine = pollster::block_on(Engine::new(&problem, &Backend::Cpu));
        let engine = engine.expect("every precision is available on the CPU");
        let mut evolution = Evolution::new(&problem, engine, self.theta.clone())
            .expect("the network's own parameters");
        let state = evolution.save();
        let time = median(|| {
            evolution.restore(state.clone()).expect("its own state");
            pollster::block_on(evolution.step()).expect("a short step has a solution");
        });
        self.report(name, None, self.peak, time);
    }
}

/// Allen-Cahn with the published network, n points and s columns.
fn problem(n: usize, s: usize, real: &str) -> Problem {
    let text = Preset::find("allen-cahn").expect("a preset").text;
    let (n, s) = (n.to_string(), s.to_string());
    let overrides = [
        ("points.count", n.as_str()),
        ("method.columns", &s),
        ("method.rcond", "1e-5"),
        ("method.step", "1e-3"),
        ("method.corrections", "2"),
        ("method.tolerance", "0"),
        ("network.width", "25"),
        ("network.hidden_layers", "5"),
        ("network.activation", "rational"),
        ("run.precision", real),
    ];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    Problem::from_toml(text, &overrides).expect("a preset")
}

/// The problem with one more entry changed.
fn set(problem: &Problem, key: &str, value: &str) -> Problem {
    let overrides = vec![(key.to_owned(), value.to_owned())];
    Problem::from_toml(&problem.source, &overrides).expect("a preset")
}

/// Chains of multiply-adds that do not wait for each other: more than latency times ports.
const CHAINS: usize = 16;
const ROUNDS: usize = 2_000_000;

macro_rules! peak {
    ($name:ident, $real:ty, $splat:ident, $fma:ident, $reduce:ident, $vector:ident) => {
        /// GFLOP/s of fused multiply-adds on all threads: the best of several runs.
        fn $name(threads: usize) -> f64 {
            struct Chains;
            impl pulp::WithSimd for Chains {
                type Output = ($real, usize);
                #[inline(always)]
                fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
                    let (factor, term) = (simd.$splat(0.999), simd.$splat(1e-3));
                    let mut sums = [simd.$splat(black_box(0.5)); CHAINS];
                    for _ in 0..ROUNDS {
                        for sum in &mut sums {
                            *sum = simd.$fma(*sum, factor, term);
                        }
                    }
                    let total = sums.into_iter().map(|sum| simd.$reduce(sum)).sum();
                    (total, size_of::<S::$vector>() / size_of::<$real>())
                }
            }
            let arch = pulp::Arch::new();
            let run = || {
                let start = Instant::now();
                let lanes: usize =
                    (0..threads).into_par_iter().map(|_| black_box(arch.dispatch(Chains)).1).sum();
                let operations = 2.0 * (lanes * CHAINS * ROUNDS) as f64;
                operations / start.elapsed().as_secs_f64() / 1e9
            };
            (0..5).map(|_| run()).fold(0.0, f64::max)
        }
    };
}

peak!(peak_f32, f32, splat_f32s, mul_add_e_f32s, reduce_sum_f32s, f32s);
peak!(peak_f64, f64, splat_f64s, mul_add_e_f64s, reduce_sum_f64s, f64s);
