//! Device, self-test, elementary functions.

use sketchpde::field::device::Backend;
use sketchpde::field::gpu::{DeviceReport, Evaluator, GpuError, device};
use sketchpde::field::gpu::{self_test, self_test::SelfTest};
use sketchpde::problem::Activation;
use sketchpde::problem::expression::{Expression, Function};

use crate::harness::{gpu, network, problem};
use crate::oracle::{relative_error, theta};

#[test]
fn the_self_test_passes() {
    let found = gpu().self_test();
    assert!(found.passed(), "{}: {found:?}", gpu().name());
}

fn run_changed(from: &str, to: &str) -> SelfTest {
    let text = self_test::text().unwrap();
    let changed = text.replace(from, to);
    assert_ne!(changed, text, "nothing to change");
    pollster::block_on(self_test::run(gpu(), &changed)).unwrap()
}

/// What a compiler makes of two_sum and two_prod that simplifies them by the rules of algebra.
#[test]
fn the_self_test_fails_when_error_terms_are_simplified_away() {
    let sums = run_changed("opaque(a_error + b_error)", "0.0");
    assert!(!sums.passed() && sums.wrong_sums > 0 && sums.wrong_products == 0, "{sums:?}");
    let products = run_changed("return DoubleFloat(p, error);", "return DoubleFloat(p, 0.0);");
    assert!(!products.passed() && products.wrong_products > 0, "{products:?}");
    for (from, to) in [
        ("opaque(s.low + t.high)", "t.high"),
        ("opaque(opaque(a.high * b.low) + opaque(a.low * b.high))", "opaque(a.high * b.low)"),
    ] {
        let long = run_changed(from, to);
        assert!(!long.passed() && long.wrong_long > 0, "{long:?}");
        assert_eq!((long.wrong_sums, long.wrong_products), (0, 0), "{long:?}");
    }
}

/// Without the barrier the result is the compiler's choice; Mesa's deletes the error terms.
#[test]
fn without_the_barrier_llvmpipe_fails_the_self_test() {
    let found = run_changed("return bitcast<f32>(bitcast<u32>(x) ^ shape.zero);", "return x;");
    assert!(found.tested > 0);
    if gpu().name().contains("llvmpipe") {
        assert!(!found.passed(), "{found:?}");
    }
}

#[test]
fn a_report_describes_the_adapter() {
    let report = pollster::block_on(async {
        let named = Backend::Gpu(Some(gpu().name().to_owned()));
        let adapter = device::choose(&named).await.unwrap();
        DeviceReport::of(&adapter.expect("an adapter of that name")).await
    });
    assert_eq!(report.name, gpu().name());
    assert_eq!(report.failure, None);
    assert!(report.self_test.unwrap().passed());
    // WebGPU's floor.
    assert!(report.binding_mebibytes >= 128 && report.storage_buffers >= 8);
    assert!(report.workgroup_invocations >= 256 && report.workgroup_memory_kibibytes >= 16);
}

#[test]
fn an_adapter_that_is_not_there_is_named_in_the_error() {
    let wanted = Backend::Gpu(Some("no such adapter".into()));
    let error = pollster::block_on(device::choose(&wanted)).unwrap_err();
    assert!(matches!(&error, GpuError::NoSuchAdapter { found, .. } if !found.is_empty()));
    assert!(error.to_string().contains("no such adapter"));
}

/// F = function(x), so that the shaders' own elementary functions are seen through the evaluator.
fn evaluate(expression: &Expression, arguments: &[f64]) -> Vec<f64> {
    let network = network(1, 1, 0, Activation::Sin);
    pollster::block_on(async {
        let mut evaluator =
            Evaluator::new(gpu(), &problem(expression.clone(), &[3.0]), &network, arguments)
                .await
                .unwrap();
        evaluator.field(&theta(&network, 1), 0.25).await.unwrap().right_hand_side
    })
}

fn arguments(lower: f64, upper: f64) -> Vec<f64> {
    (0..1_001)
        .map(|k| f64::from((lower + (upper - lower) * f64::from(k) / 1_000.0) as f32))
        .collect()
}

#[test]
fn elementary_functions_are_right_to_a_few_units_in_the_last_place() {
    for (function, lower, upper) in [
        (Function::Sin, -40.0, 40.0),
        (Function::Cos, -40.0, 40.0),
        (Function::Tan, -1.4, 1.4),
        (Function::Sinh, -20.0, 20.0),
        (Function::Cosh, -20.0, 20.0),
        (Function::Tanh, -12.0, 12.0),
        (Function::Exp, -80.0, 80.0),
        (Function::Log, 1e-3, 50.0),
        (Function::Sqrt, 0.0, 50.0),
        (Function::Abs, -3.0, 3.0),
        (Function::Sign, -3.0, 3.0),
    ] {
        let arguments = arguments(lower, upper);
        let call = Expression::Call(function, Box::new(Expression::Coordinate(0)));
        let found = evaluate(&call, &arguments);
        for (&x, &found) in arguments.iter().zip(&found) {
            let truth = function.apply(x);
            // Sine and cosine near their zeros: absolute, as the argument is only reduced in f32.
            let scale = if matches!(function, Function::Sin | Function::Cos | Function::Log) {
                truth.abs().max(1.0)
            } else {
                truth.abs()
            };
            let error = (found - truth).abs() / f64::from(f32::EPSILON);
            assert!(error <= 4.0 * scale, "{}({x}) = {found}, not {truth}", function.name());
        }
    }
}

/// Every kind of node at once, against plain recursion in f64.
#[test]
fn an_expression_with_every_node_agrees_with_recursion() {
    use Expression::{Constant, Parameter, Time};
    let x = || Expression::Coordinate(0);
    let sum = Expression::Power(Box::new(x()), 3)
        + Expression::Power(Box::new(x()), -2)
        + Expression::Power(Box::new(x()), 0)
        + x().raise(Constant(1.7))
        + x().minimum(Time)
        + x().maximum(Parameter(0))
        + -x() / Parameter(0)
        + (Time - Constant(-4.25e-3)) * x();
    let arguments = arguments(0.5, 2.5);
    let truth: Vec<f64> = arguments.iter().map(|&x| sum.evaluate_at(&[x], 0.25, &[3.0])).collect();
    let error = relative_error(&evaluate(&sum, &arguments), &truth);
    assert!(error < 16.0 * f64::from(f32::EPSILON), "{error:e}");
}

#[test]
fn wrong_lengths_and_columns_are_errors() {
    let network = network(2, 3, 1, Activation::Tanh);
    let theta = theta(&network, 1);
    let problem = problem(Expression::Parameter(1), &[0.0; 2]);
    pollster::block_on(async {
        let broken = Evaluator::new(gpu(), &problem, &network, &[0.0; 3]).await;
        assert!(matches!(broken, Err(GpuError::Length { .. })));
        let mut evaluator = Evaluator::new(gpu(), &problem, &network, &[0.1; 4]).await.unwrap();
        assert!(matches!(evaluator.field(&theta[1..], 0.0).await, Err(GpuError::Length { .. })));
        assert!(matches!(evaluator.set_parameters(&[1.0]), Err(GpuError::Length { .. })));
        let mut linearization = evaluator.linearize(&theta, 0.0).await.unwrap();
        let beyond = theta.len() as u32;
        assert!(matches!(
            linearization.choose(&[beyond]),
            Err(GpuError::NoSuchColumn { column, .. }) if column == beyond
        ));
    });
}

#[test]
fn a_lost_device_is_an_error_that_stays() {
    let network = network(1, 3, 1, Activation::Sin);
    let theta = theta(&network, 1);
    pollster::block_on(async {
        // A device of its own: the shared one is still needed.
        let named = Backend::Gpu(Some(gpu().name().to_owned()));
        let own = named.open().await.unwrap().expect("a device of that name");
        let still = problem(Expression::Constant(0.0), &[]);
        let mut evaluator = Evaluator::new(&own, &still, &network, &[0.5]).await.unwrap();
        evaluator.field(&theta, 0.0).await.unwrap();
        own.device().destroy();
        for _ in 0..2 {
            let error = evaluator.field(&theta, 0.0).await.unwrap_err();
            assert!(matches!(error, GpuError::Lost { .. }), "{error:?}");
        }
    });
}
