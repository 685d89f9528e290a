//! Whole runs: fields and Jacobians from the GPU against the same from the CPU.

use sketchpde::evolve::{Engine, Evolution, EvolveError};
use sketchpde::field::gpu::GpuError;
use sketchpde::network::Network;
use sketchpde::problem::{PointLayout, Points, Preset, Problem, Sampling, Solver};

use crate::harness::gpu;

const STEPS: usize = 50;
const STEP: f64 = 5e-3;
const RCOND: f64 = 1e-4;

/// Allen-Cahn with a network of 76 parameters, of which a step moves 40.
fn small(scheme: &str, precision: &str, diffusivity: f64) -> Problem {
    let overrides = [
        ("network.width", "6"),
        ("network.hidden_layers", "1"),
        ("points.count", "64"),
        ("method.scheme", scheme),
        ("method.columns", "40"),
        ("method.integrator", "rk4"),
        ("method.tolerance", "0"),
        ("method.step", &STEP.to_string()),
        ("method.rcond", &RCOND.to_string()),
        ("method.corrections", "2"),
        ("run.precision", precision),
        ("parameters.eps", &diffusivity.to_string()),
    ];
    let owned = overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    Problem::from_toml(Preset::find("allen-cahn").unwrap().text, &owned).unwrap()
}

/// u on a grid after [`STEPS`] steps from the network's starting parameters.
fn solve(problem: &Problem, on_gpu: bool) -> Vec<f64> {
    solve_and_watch(problem, on_gpu).0
}

/// And the largest residual of its steps, |J v - F| / |F|.
fn solve_and_watch(problem: &Problem, on_gpu: bool) -> (Vec<f64>, f64) {
    pollster::block_on(async {
        let engine = Engine::on(problem, on_gpu.then(gpu)).await.unwrap();
        assert_eq!(engine.describe().backend, if on_gpu { "gpu" } else { "cpu" });
        let theta = Network::of(problem).initialise(3);
        let mut evolution = Evolution::new(problem, engine, theta).unwrap();
        let mut residual = 0.0f64;
        for _ in 0..STEPS {
            residual = residual.max(evolution.step().await.unwrap().residual);
        }
        let grid = Points::evaluation_grid(&problem.coordinates, &[200]);
        (evolution.evaluate(&grid.coordinates), residual)
    })
}

fn relative_l2(u: &[f64], v: &[f64]) -> f64 {
    let norm = |w: Vec<f64>| w.iter().map(|w| w * w).sum::<f64>().sqrt();
    norm(u.iter().zip(v).map(|(u, v)| u - v).collect()) / norm(v.to_vec())
}

/// A step's least squares in f32 leave a change of the field, dt J v, that is off by f32's round-off
/// times |v| sigma_max / |F|, which for smooth states is far below its bound 1 / rcond: a hundred
/// is taken here. Over a time t that adds up to 100 t eps of the field. In the tier `mixed` the
/// fit's target is in f64, and what it leaves depends on J to the same relative precision.
#[test]
fn runs_on_the_gpu_and_on_the_cpu_agree_over_fifty_steps() {
    let tolerance = 100.0 * STEPS as f64 * STEP * f64::from(f32::EPSILON);
    let f64_tolerance = 100.0 * STEPS as f64 * STEP * f64::EPSILON / RCOND;
    let in_f64 = gpu().has_f64().then_some(["parameter-ode", "stage-fit"].map(|s| (s, "f64")));
    let all = [("parameter-ode", "f32"), ("parameter-ode", "mixed"), ("stage-fit", "mixed")];
    for (scheme, precision) in all.into_iter().chain(in_f64.into_iter().flatten()) {
        let problem = small(scheme, precision, 5e-3);
        let (on_gpu, on_cpu) = (solve(&problem, true), solve(&problem, false));
        let difference = relative_l2(&on_gpu, &on_cpu);
        let tolerance = if precision == "f64" { f64_tolerance } else { tolerance };
        let double = relative_l2(&on_gpu, &solve(&small(scheme, "f64", 5e-3), false));
        // A diffusivity that is off by a tenth is seen.
        let planted = relative_l2(&on_gpu, &solve(&small(scheme, precision, 5.5e-3), false));
        println!("{scheme}, {precision}: {difference:.1e} from the CPU, {double:.1e} from f64");
        println!("    of {tolerance:.1e}; with a planted error {planted:.1e}");
        assert!(difference <= tolerance, "{scheme}: {difference}, {tolerance}");
        assert!(double <= tolerance, "{scheme}: {double}, {tolerance}");
        assert!(planted > tolerance, "{scheme}: {planted}, {tolerance}");
    }
}

/// A coefficient from a table is in the equation's rows, which both take from their jets: linear and
/// nearest, in the coordinate and in the solution itself.
#[test]
fn a_table_gives_the_same_run_on_both() {
    let tolerance = 100.0 * STEPS as f64 * STEP * f64::from(f32::EPSILON);
    let run = |interpolation: &str, precision: &str, second: f64, on_gpu: bool| {
        let changes = [
            ("equation.text", "u_t = k(x)*u_xx + (1 - u^2)*k(1 + u)".to_owned()),
            ("tables.k.axes", "{ x = [0, 7] }".to_owned()),
            ("tables.k.values", format!("[5e-3, {second}, 2e-2, 5e-3, 1e-2, 3e-2, 1e-2, 5e-3]")),
            ("tables.k.interpolation", interpolation.to_owned()),
        ];
        let changes = changes.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let source = small("stage-fit", precision, 5e-3).source;
        solve(&Problem::from_toml(&source, &changes).expect("a problem"), on_gpu)
    };
    for interpolation in ["linear", "nearest"] {
        let [on_gpu, on_cpu] = [true, false].map(|gpu| run(interpolation, "mixed", 1e-2, gpu));
        let difference = relative_l2(&on_gpu, &on_cpu);
        let double = relative_l2(&on_gpu, &run(interpolation, "f64", 1e-2, false));
        let planted = relative_l2(&on_gpu, &run(interpolation, "mixed", 1.1e-2, false));
        println!(
            "{interpolation}: {difference:.1e} {double:.1e} of {tolerance:.1e}; {planted:.1e}"
        );
        assert!(difference <= tolerance && double <= tolerance, "{difference} {double}");
        assert!(planted > tolerance, "{planted}, {tolerance}");
    }
}

/// Points that follow the solution are uploaded anew: the runs agree as they do on a grid. Where
/// fields come from the device as well, points that stayed there would be seen: they change a run ten
/// times as much as the device does.
#[test]
fn points_that_follow_the_solution_move_on_the_device_too() {
    let tolerance = 100.0 * STEPS as f64 * STEP * f64::from(f32::EPSILON);
    for (scheme, precision) in [("parameter-ode", "f32"), ("stage-fit", "mixed")] {
        let mut problem = small(scheme, precision, 5e-3);
        problem.points.layout = PointLayout::Following;
        problem.points.resample = 3;
        let (on_gpu, on_cpu) = (solve(&problem, true), solve(&problem, false));
        let difference = relative_l2(&on_gpu, &on_cpu);
        problem.points.resample = 1_000;
        let planted = relative_l2(&on_gpu, &solve(&problem, false));
        println!("{scheme}: {difference:.1e} of {tolerance:.1e}; points that stay {planted:.1e}");
        assert!(difference <= tolerance, "{scheme}: {difference}, {tolerance}");
        let on_device = scheme == "parameter-ode";
        assert!(!on_device || planted > 10.0 * difference, "{difference}, {planted}");
    }
}

/// A Gaussian sketch takes all columns from the device.
#[test]
fn gaussian_sketches_of_columns_from_the_device_give_the_same_run() {
    let tolerance = 100.0 * STEPS as f64 * STEP * f64::from(f32::EPSILON);
    for (scheme, precision) in [("parameter-ode", "f32"), ("stage-fit", "mixed")] {
        let mut problem = small(scheme, precision, 5e-3);
        problem.method.sampling = Sampling::Gaussian;
        let (on_gpu, on_cpu) = (solve(&problem, true), solve(&problem, false));
        let difference = relative_l2(&on_gpu, &on_cpu);
        problem.parameters[0].value = 5.5e-3;
        let planted = relative_l2(&on_gpu, &solve(&problem, false));
        println!(
            "{scheme}: {difference:.1e} of {tolerance:.1e}; with a planted error {planted:.1e}"
        );
        assert!(difference <= tolerance, "{scheme}: {difference}, {tolerance}");
        assert!(planted > tolerance, "{scheme}: {planted}, {tolerance}");
    }
}

/// A published run with its Jacobian on the device: LSQR over products and a sketch, against the
/// same run with a direct solve on the CPU. LSQR leaves 1e-2 of the residual as a gradient, which
/// over a time t moves the field by at most t times that part of F.
#[test]
fn a_jacobian_that_stays_on_the_device_gives_the_same_run() {
    let run = |solver: Solver, precision: &str, diffusivity: f64, on_gpu: bool| {
        let mut problem = small("parameter-ode", precision, diffusivity);
        problem.points.count = vec![200];
        problem.method.solver = solver;
        solve_and_watch(&problem, on_gpu)
    };
    let (exact, residual) = run(Solver::Gram, "f64", 5e-3, false);
    let tolerance = 1e-2 * residual * STEPS as f64 * STEP;
    for precision in ["f32", "mixed"] {
        let (on_device, _) = run(Solver::SketchedLsqr, precision, 5e-3, true);
        let difference = relative_l2(&on_device, &exact);
        let planted = relative_l2(&on_device, &run(Solver::Gram, "f64", 5.5e-3, false).0);
        println!("{precision}: {difference:.1e} of {tolerance:.1e}; planted {planted:.1e}");
        assert!(difference <= tolerance, "{precision}: {difference}, {tolerance}");
        assert!(planted > tolerance, "{precision}: {planted}, {tolerance}");
    }
}

#[test]
fn precisions_that_a_gpu_does_not_have_are_refused_with_what_to_choose() {
    let on = |problem: &Problem, gpu| pollster::block_on(Engine::on(problem, Some(gpu))).err();
    let error = on(&small("stage-fit", "f32", 5e-3), gpu());
    let Some(EvolveError::Precision { instead, .. }) = error else { panic!("{error:?}") };
    assert!(on(&small("stage-fit", instead, 5e-3), gpu()).is_none());
    let without = gpu().clone().without_f64();
    let error = on(&small("parameter-ode", "f64", 5e-3), &without);
    assert!(matches!(error, Some(EvolveError::Gpu(GpuError::NoDouble { .. }))), "{error:?}");
    assert!(on(&small("parameter-ode", "mixed", 5e-3), &without).is_none());
}
