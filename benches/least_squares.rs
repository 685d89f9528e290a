//! The least-squares methods against each other: time, rank, residual, distance from the oracle.
//!
//!     cargo bench --bench least_squares                 (Jacobians that the presets' runs reach)
//!     cargo bench --bench least_squares -- synthetic
//!
//! The synthetic ones mimic the Jacobian of a network for Allen-Cahn: columns are random mixtures
//! of Fourier modes that decay exponentially, 190 singular values above 1e-4 and 290 above 1e-6.
//! The excess compares residuals with that of the truncated SVD (of the Gram matrix where n is
//! large) at the same cutoff.

use std::process::ExitCode;
use std::time::Instant;

use nalgebra::{DMatrix, DMatrixView};
use sketchpde::evolve::initial_fit::InitialFit;
use sketchpde::evolve::{Engine, Evolution};
use sketchpde::field::device::Backend;
use sketchpde::linalg::{
    Filter, LeastSquares, LeastSquaresError, Regularisation, Settings, Solution, product,
};
use sketchpde::problem::{Problem, Solver};
use sketchpde::random::{Philox, Stream};
use sketchpde::scalar::Real;

/// n, s and the cutoff: the published fast run, stage fits with fewer and with more points than
/// columns, the published accurate run.
const SIZES: [(usize, usize, f64); 4] =
    [(1_000, 150, 1e-4), (600, 400, 1e-6), (400, 600, 1e-6), (10_000, 800, 1e-5)];
/// Decay of the modes of a synthetic column, per wave number.
const DECAY: f64 = 0.095;
/// Share of the right-hand side that no column reaches.
const UNREACHABLE: f64 = 1e-3;

struct Case {
    name: String,
    matrix: DMatrix<f64>,
    right_hand_side: Vec<f64>,
}

fn main() -> ExitCode {
    let synthetic_only = std::env::args().any(|argument| argument == "synthetic");
    println!(
        "{:<34} {:>4} {:>6} {:>15} {:>8} {:>9} {:>9} {:>5} {:>4} {:>11} {:>9} {:>9}",
        "J",
        "real",
        "rcond",
        "solver",
        "filter",
        "min ms",
        "median",
        "rank",
        "its",
        "residual",
        "excess",
        "|v|"
    );
    if synthetic_only {
        for (n, s, rcond) in SIZES {
            compare(&synthetic(n, s), rcond);
        }
        many_dampings(&synthetic(600, 400));
        return ExitCode::SUCCESS;
    }
    for (name, time) in [("allen-cahn", 0.0), ("allen-cahn", 1.0), ("burgers", 0.2)] {
        match preset(name, time) {
            Ok(cases) => cases.iter().for_each(|(case, rcond)| compare(case, *rcond)),
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The Jacobians that a preset's own run has reached at `time`, of random columns, with the
/// equation's right-hand side as r.
fn preset(name: &str, time: f64) -> Result<Vec<(Case, f64)>, Box<dyn std::error::Error>> {
    let mut problem = Problem::preset(name)?;
    let mut fit = InitialFit::new(&problem)?;
    while !fit.iterate()?.done {}
    problem.time.end = time.max(f64::MIN_POSITIVE);
    let engine = pollster::block_on(Engine::new(&problem, &Backend::Cpu))?;
    let mut evolution = Evolution::new(&problem, engine, fit.parameters().to_vec())?;
    while time > 0.0 && !evolution.finished() {
        pollster::block_on(evolution.step())?;
    }
    let theta = evolution.theta().to_vec();
    let random = Philox::new(1, Stream::Columns);
    SIZES
        .iter()
        .map(|&(n, s, rcond)| {
            problem.points.count = vec![n];
            let mut engine = pollster::block_on(Engine::new(&problem, &Backend::Cpu))?;
            let right_hand_side = pollster::block_on(engine.field(&theta, time))?.right_hand_side;
            let chosen = random.subset(n as u64, theta.len(), s);
            let columns = pollster::block_on(engine.columns(&theta, time, &chosen))?;
            let name = format!("{name} t = {time}, {n} x {s}");
            Ok((Case { name, matrix: columns.to_double(), right_hand_side }, rcond))
        })
        .collect()
}

fn synthetic(n: usize, s: usize) -> Case {
    let modes = 400.min(n / 2);
    let random = Philox::new(1, Stream::Vectors);
    let wave = |i: usize, m: usize| {
        let angle = std::f64::consts::TAU * (i * (m / 2)) as f64 / n as f64;
        if m.is_multiple_of(2) { angle.cos() } else { angle.sin() }
    };
    let waves = DMatrix::from_fn(n, 2 * modes, wave);
    let mixture = DMatrix::from_fn(2 * modes, s + 1, |m, k| {
        random.normal(k as u64, m as u32) * (-DECAY * (m / 2) as f64).exp()
    });
    let all = product(waves.as_view(), mixture.as_view());
    let scale = all.column(s).norm() / (n as f64).sqrt() * UNREACHABLE;
    let right_hand_side =
        (0..n).map(|i| all[(i, s)] + scale * random.normal(u64::MAX, i as u32)).collect();
    Case { name: format!("{n} x {s}"), matrix: all.columns(0, s).into_owned(), right_hand_side }
}

fn compare(case: &Case, rcond: f64) {
    let single = case.matrix.map(|entry| entry as f32);
    let small = case.matrix.nrows() <= 2_000;
    let best = oracle(case, rcond);
    for solver in
        [Solver::Svd, Solver::PivotedQr, Solver::Gram, Solver::SketchAndSolve, Solver::SketchedLsqr]
    {
        if matches!(solver, Solver::Svd | Solver::PivotedQr) && !small {
            continue;
        }
        for regularisation in [Regularisation::Truncate, Regularisation::Damp] {
            let settings = Settings { solver, regularisation, rcond, ..Settings::default() };
            measure(case, case.matrix.as_view(), settings, best);
            if rcond >= 1e-5 && matches!(solver, Solver::Gram | Solver::SketchedLsqr) {
                measure(case, single.as_view(), settings, best);
            }
        }
    }
}

/// One matrix, several dampings: a trust region's work.
fn many_dampings(case: &Case) {
    let mut solver =
        LeastSquares::new(Settings { solver: Solver::Gram, rcond: 1e-6, ..Settings::default() });
    for count in [1, 4, 16] {
        let lambdas: Vec<f64> = (0..count).map(|k| 10f64.powf(-2.0 - 0.2 * f64::from(k))).collect();
        let equations = milliseconds(|| {
            let mut equations = solver.normal_equations(case.matrix.as_view())?;
            lambdas.iter().try_for_each(|&lambda| {
                equations.solve_damped(&case.right_hand_side, lambda).map(|_| ())
            })
        });
        let factorisation = milliseconds(|| {
            let factorisation = solver.factor(case.matrix.as_view(), 0)?;
            let projection = factorisation.project(&case.right_hand_side)?;
            for &lambda in &lambdas {
                let v = factorisation.combine(&projection, Filter::Damp { lambda });
                std::hint::black_box(factorisation.residual(&v, &case.right_hand_side));
            }
            Ok(())
        });
        println!(
            "{}, {count} dampings: normal equations {equations:.2} ms, eigen-decomposition {factorisation:.2} ms",
            case.name
        );
    }
}

/// The shortest of several runs.
fn milliseconds(mut run: impl FnMut() -> Result<(), LeastSquaresError>) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let start = Instant::now();
        if let Err(error) = run() {
            eprintln!("{error}");
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    best
}

fn oracle(case: &Case, rcond: f64) -> f64 {
    let solver = if case.matrix.nrows() <= 2_000 { Solver::Svd } else { Solver::Gram };
    let mut solver = LeastSquares::new(Settings { solver, rcond, ..Settings::default() });
    solver
        .solve(case.matrix.as_view(), &case.right_hand_side, 0)
        .map_or(f64::NAN, |s| s.residual_norm)
}

/// Runs one method for about half a second at most.
fn measure<T: Real>(case: &Case, matrix: DMatrixView<'_, T>, settings: Settings, best: f64) {
    let mut least_squares = LeastSquares::new(settings);
    let mut milliseconds = Vec::new();
    let mut last: Option<Solution> = None;
    let begun = Instant::now();
    while milliseconds.len() < 3 || (begun.elapsed().as_secs_f64() < 0.3 && milliseconds.len() < 50)
    {
        let start = Instant::now();
        let epoch = milliseconds.len() as u64;
        match least_squares.solve(matrix, &case.right_hand_side, epoch) {
            Ok(solution) => last = Some(solution),
            Err(error) => {
                println!("{:<34} {:?}: {error}", case.name, settings.solver);
                return;
            }
        }
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
    }
    milliseconds.sort_by(f64::total_cmp);
    let Some(solution) = last else { return };
    println!(
        "{:<34} {:>4} {:>6.0e} {:>15} {:>8} {:>9.3} {:>9.3} {:>5} {:>4} {:>11.4e} {:>9.1e} {:>9.2e}",
        case.name,
        T::NAME,
        settings.rcond,
        format!("{:?}", settings.solver),
        format!("{:?}", settings.regularisation),
        milliseconds[0],
        milliseconds[milliseconds.len() / 2],
        solution.rank,
        solution.iterations,
        solution.residual_norm,
        solution.residual_norm / best - 1.0,
        solution.coefficients.iter().map(|v| v * v).sum::<f64>().sqrt(),
    );
}
