//! Device, self-test, elementary functions.

use sketchpde::field::device::Backend;
use sketchpde::field::gpu::operator::Tier;
use sketchpde::field::gpu::{DeviceReport, Evaluator, Gpu, GpuError, Work, device, peak};
use sketchpde::field::gpu::{self_test, self_test::SelfTest};
use sketchpde::network::{Input, Network};
use sketchpde::problem::expression::Expression;
use sketchpde::problem::{Activation, Precision};

use crate::harness::{gpu, network, partial, problem, selector, single, tiers};
use crate::oracle::theta;

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

/// A device of its own with times, by its clock if it has one or by waiting.
fn timed(waits: bool) -> Gpu {
    pollster::block_on(async {
        let named = Backend::Gpu(Some(gpu().name().to_owned()));
        let adapter = device::choose(&named).await.unwrap().expect("an adapter of that name");
        match waits {
            true => Gpu::open_with_waits(&adapter).await.unwrap(),
            false => Gpu::open_with_times(&adapter).await.unwrap(),
        }
    })
}

/// Operations of one channel of a plain network's layers, written out: 2 n (d_0 W + (L - 1) W^2).
fn layer_operations(points: usize, channels: usize, [inputs, width, layers]: [usize; 3]) -> f64 {
    (2 * points * channels * (inputs * width + (layers - 1) * width * width)) as f64
}

/// Each kernel's dispatches, operations and times; the results are those of a device without.
#[test]
fn kernels_are_timed_where_that_is_asked_for() {
    let network =
        Network::new(vec![Input::Linear { lower: 0.0, upper: 1.0 }], 24, 3, Activation::Tanh);
    let problem = problem(selector(&[partial(&[0])]), &[1.0]);
    let x: Vec<f64> = (0..1000).map(|k| f64::from(k) / 1000.0).collect();
    let theta = network.initialise(1);
    let chosen: Vec<u32> = (0..50).collect();
    let run = |gpu: &Gpu| {
        pollster::block_on(async {
            let tier = Tier::choose(gpu, Precision::F32).unwrap();
            let made = Evaluator::new(gpu, &problem, &network, &x, tier).await;
            let mut evaluator = made.unwrap();
            let channels = evaluator.jets().len();
            assert!(gpu.take_times().await.unwrap().keys().all(|label| *label == "self_test.wgsl"));
            let begun = std::time::Instant::now();
            let mut linearization = evaluator.differentiate(&theta).unwrap();
            let product =
                linearization.choose(&chosen).unwrap().multiply(&[0.5; 50]).await.unwrap();
            (product, gpu.take_times().await.unwrap(), begun.elapsed().as_secs_f64(), channels)
        })
    };
    let (plain, none, ..) = run(gpu());
    assert!(none.is_empty(), "{none:?}");
    for waits in [false, true] {
        let timed = timed(waits);
        let (product, times, wall, channels) = run(&timed);
        assert_eq!(product, plain);
        let of = |stem: &str| times.get(stem).unwrap_or_else(|| panic!("no {stem} in {times:?}"));
        let layers = of("operator/layer.wgsl");
        // The embedding and three hidden layers.
        assert_eq!(layers.dispatches, 4);
        assert_eq!(layers.work.operations, layer_operations(1000, channels, [1, 24, 4]));
        assert_eq!(of("operator/multiply.wgsl").dispatches, 1);
        assert!(of("operator/adjoint.wgsl").work.operations > 0.0);
        let all: f64 = times.values().map(|time| time.seconds).sum();
        assert!(all > 0.0 && all < wall, "{all} s of {wall} s");
        assert!(pollster::block_on(timed.take_times()).unwrap().is_empty());
        assert!(!(waits && timed.has_timestamps()));
    }
}

/// No kernel does more than the peak, and a share is of what bounds it.
#[test]
fn the_peak_is_measured() {
    let peak = pollster::block_on(peak::measure(&timed(false))).unwrap();
    assert!(peak.operations > 1e8 && peak.operations < 1e15, "{peak:?}");
    assert!(peak.bytes > 1e7 && peak.bytes < 1e14, "{peak:?}");
    let work = Work { operations: peak.operations, bytes: 0.5 * peak.bytes };
    assert_eq!(peak.share(work, 2.0), (0.5, false));
    let work = Work { operations: 0.0, bytes: peak.bytes };
    assert_eq!(peak.share(work, 4.0), (0.25, true));
}

#[test]
fn an_adapter_that_is_not_there_is_named_in_the_error() {
    let wanted = Backend::Gpu(Some("no such adapter".into()));
    let error = pollster::block_on(device::choose(&wanted)).unwrap_err();
    assert!(matches!(&error, GpuError::NoSuchAdapter { found, .. } if !found.is_empty()));
    assert!(error.to_string().contains("no such adapter"));
}

/// The activation alone: a network of one unit that passes its coordinate on, so that the shaders'
/// own elementary functions are seen through the evaluator.
fn activate(activation: Activation, size: f64, arguments: &[f64], tier: Tier) -> Vec<f64> {
    let inputs = vec![Input::Linear { lower: -size, upper: size }];
    let network = Network::new(inputs, 1, 0, activation);
    let still = problem(Expression::Constant(0.0), &[]);
    // Slope, offset, weight and bias.
    let theta = [size, 0.0, 1.0, 0.0];
    pollster::block_on(async {
        let mut evaluator = Evaluator::new(gpu(), &still, &network, arguments, tier).await.unwrap();
        evaluator.field(&theta, 0.0).await.unwrap().values
    })
}

#[test]
fn elementary_functions_are_right_to_a_few_units_in_the_last_place() {
    for (activation, size) in
        [(Activation::Sin, 32.0), (Activation::Tanh, 16.0), (Activation::Swish, 64.0)]
    {
        // Sixteenths, exact however they are scaled.
        let count = (16.0 * size) as i32;
        let arguments: Vec<f64> = (-count..=count).map(|k| f64::from(k) / 16.0).collect();
        for tier in tiers() {
            let found = activate(activation, size, &arguments, tier);
            for (&x, &found) in arguments.iter().zip(&found) {
                let (truth, scale) = match activation {
                    // Near its zeros absolute, as the argument is only reduced in the tier's numbers.
                    Activation::Sin => (x.sin(), 1.0),
                    Activation::Tanh => (x.tanh(), x.tanh().abs()),
                    _ => (x / (1.0 + (-x).exp()), (x / (1.0 + (-x).exp())).abs()),
                };
                let error = (found - truth).abs() / tier.values.epsilon();
                assert!(error <= 4.0 * scale, "{activation:?}, {tier:?}: {x}, {found}, {truth}");
            }
        }
    }
}

#[test]
fn wrong_lengths_and_columns_are_errors() {
    let network = network(2, 3, 1, Activation::Tanh);
    let theta = theta(&network, 1);
    let problem = problem(Expression::Parameter(1), &[0.0; 2]);
    pollster::block_on(async {
        let broken = Evaluator::new(gpu(), &problem, &network, &[0.0; 3], single()).await;
        assert!(matches!(broken, Err(GpuError::Length { .. })));
        let mut evaluator =
            Evaluator::new(gpu(), &problem, &network, &[0.1; 4], single()).await.unwrap();
        assert!(matches!(evaluator.field(&theta[1..], 0.0).await, Err(GpuError::Length { .. })));
        assert!(matches!(evaluator.set_parameters(&[1.0]), Err(GpuError::Length { .. })));
        let mut linearization = evaluator.differentiate(&theta).unwrap();
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
        let mut evaluator = Evaluator::new(&own, &still, &network, &[0.5], single()).await.unwrap();
        evaluator.field(&theta, 0.0).await.unwrap();
        own.device().destroy();
        for _ in 0..2 {
            let error = evaluator.field(&theta, 0.0).await.unwrap_err();
            assert!(matches!(error, GpuError::Lost { .. }), "{error:?}");
        }
    });
}
