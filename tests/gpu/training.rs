//! Trainings of residual problems on the device: against the CPU's in f64, through a change of
//! precision, and from a saved state.

use sketchpde::field::gpu::Gpu;
use sketchpde::problem::ResidualProblem;
use sketchpde::session::{TrainingSession, TrainingSystem};

use crate::harness::gpu;

/// A clock that stands still: times are not tested.
fn still() -> f64 {
    0.0
}

fn problem(method: &str, iterations: usize, precision: &str) -> ResidualProblem {
    let text = format!(
        "format = 1
[domain]
x = {{ range = [0, 1] }}
[residual.interior]
equation = '-u_xx + u^3 = pi^2*sin(pi*x) + sin(pi*x)^3'
points = {{ layout = 'random', count = 70, resample = 4 }}
[residual.walls]
on = 'boundary'
equation = 'u = 0'
weight = 10
[exact]
u = 'sin(pi*x)'
[evaluation]
count = 50
[network]
layers = [8, 8]
[method]
name = '{method}'
iterations = {iterations}
correction = false
[run]
precision = '{precision}'"
    );
    ResidualProblem::from_toml(&text, &Vec::new()).expect("a problem")
}

fn on(gpu: &Gpu, problem: &ResidualProblem) -> TrainingSession {
    let system = pollster::block_on(TrainingSystem::on_gpu(problem, gpu)).expect("a system");
    pollster::block_on(TrainingSession::on(system, problem, still)).expect("finite")
}

fn losses(session: &mut TrainingSession) -> Vec<f64> {
    while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
    session.history().records.iter().map(|record| record.loss).collect()
}

/// Every way to use J: held in memory, as a kernel, by products, by its gradient alone. Against
/// the CPU in the same tier.
#[test]
fn every_kind_of_method_goes_the_way_of_the_cpu() {
    let without = gpu().clone().without_f64();
    for method in ["lm", "kernel", "sngd-two-pass", "adam", "lbfgs"] {
        let problem = problem(method, 6, "mixed");
        let mut twin = pollster::block_on(TrainingSession::new(&problem, still)).expect("finite");
        let mut session = on(&without, &problem);
        let (found, truth) = (losses(&mut session), losses(&mut twin));
        println!("{method}: {found:?} {truth:?}");
        assert_eq!(session.describe().backend, "gpu");
        assert_eq!(session.precision(), "mixed (double-float residual)");
        // Rounding in J turns a step by little; what that makes of the loss grows from step to
        // step, and where the loss is small it is all there is.
        for (k, (a, b)) in found.iter().zip(&truth).enumerate() {
            let tolerance = 1e-4 * 4f64.powi(k as i32) * b + 1e-7 * truth[0];
            assert!((a - b).abs() < tolerance, "{method}, iteration {k}: {found:?} {truth:?}");
        }
    }
}

/// These truncate at the rounding of the products, which the host's are finer than.
#[test]
fn methods_that_multiply_twice_lower_the_loss() {
    let without = gpu().clone().without_f64();
    for method in ["sngd", "nystrom"] {
        let losses = losses(&mut on(&without, &problem(method, 6, "mixed")));
        // Points are drawn again after the fourth iteration.
        assert!(losses[3] < 0.97 * losses[0], "{method}: {losses:?}");
    }
}

/// In f32 the loss stays at the noise of single precision; double-float residuals get it down.
#[test]
fn a_training_in_f32_goes_on_with_double_float_residuals() {
    let without = gpu().clone().without_f64();
    let mut session = on(&without, &problem("lm", 60, "f32"));
    let losses = losses(&mut session);
    let words = session.precision();
    let after: usize = words
        .strip_prefix("f32, mixed (double-float residual) after iteration ")
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no change of precision: {words}, {losses:?}"));
    assert!(losses[59] < 1e-2 * losses[after - 1], "{after}: {losses:?}");
    assert!(session.error().expect("known") < 1e-6, "{:?}", session.error());
}

/// What single precision leaves of the residual is taken away in f64, on the processor.
#[test]
fn a_training_in_f32_ends_with_a_correction_in_f64() {
    let mut problem = problem("lm", 60, "f32");
    problem.method.correction = true;
    let mut session = on(&gpu().clone().without_f64(), &problem);
    losses(&mut session);
    let error = session.error().expect("known");
    assert!(session.correction().is_some() && error < 1e-10, "{error:.1e}");
}

#[test]
fn a_restored_training_goes_on_to_the_same_bits() {
    let problem = problem("sngd-two-pass", 8, "mixed");
    let mut whole = on(gpu(), &problem);
    for _ in 0..3 {
        pollster::block_on(whole.iterate()).expect("finite");
    }
    let state = whole.save();
    let system = pollster::block_on(TrainingSystem::on_gpu(&problem, gpu())).expect("a system");
    let mut rest = pollster::block_on(TrainingSession::restore_on(system, &problem, &state, still))
        .expect("its own state");
    for _ in 0..4 {
        assert_eq!(
            pollster::block_on(whole.iterate()).expect("finite"),
            pollster::block_on(rest.iterate()).expect("finite")
        );
    }
    assert_eq!(whole.save(), rest.save());
}
