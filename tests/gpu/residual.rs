//! Residual problems on the device against the CPU's f64 evaluation, which finite differences and
//! exact solutions check in turn.

use nalgebra::{DMatrix, DMatrixView};
use sketchpde::field::gpu::config::Budget;
use sketchpde::field::gpu::operator::{GpuCollocation, Scalar};
use sketchpde::field::gpu::{Gpu, GpuError};
use sketchpde::field::residual::{Collocation, ResidualSystem};
use sketchpde::network::Network;
use sketchpde::problem::{ResidualProblem, residual_presets};

use crate::harness::{gpu, normals};
use crate::oracle::{relative_error, theta};

/// Columns of the products: no multiple of anything.
const COLUMNS: usize = 19;

/// Relative errors of what a system computes.
#[derive(Debug)]
struct Errors {
    residual: f64,
    losses: f64,
    jacobian: f64,
    blocks: f64,
    product: f64,
    transposed: f64,
    gradient: f64,
}

fn flat(m: DMatrixView<'_, f64>) -> Vec<f64> {
    m.column_iter().flat_map(|column| column.iter().copied().collect::<Vec<f64>>()).collect()
}

fn matrix(rows: usize, columns: usize, seed: u64) -> DMatrix<f64> {
    let entries = normals(rows * columns, seed);
    DMatrix::from_fn(rows, columns, |i, j| entries[j * rows + i])
}

/// Everything that a system gives at theta.
fn all_of(system: &mut impl ResidualSystem, theta: &[f64]) -> [Vec<f64>; 7] {
    let (n, p) = (system.rows(), system.parameters());
    let (v, w) = (matrix(p, COLUMNS, 3), matrix(n, COLUMNS, 4));
    let other: Vec<f64> = theta.iter().map(|x| 0.9 * x).collect();
    let losses = pollster::block_on(system.losses(&[theta, &other, theta])).expect("a loss");
    let (mut residual, mut held) = (vec![0.0; n], DMatrix::from_fn(n, p, |_, _| f64::NAN));
    pollster::block_on(system.jacobian(theta, &mut residual, held.as_view_mut())).expect("finite");
    let mut blocks = DMatrix::from_fn(n, p, |_, _| f64::NAN);
    let mut visit = |first: usize, block: DMatrixView<'_, f64>| {
        blocks.rows_mut(first, block.nrows()).copy_from(&block);
    };
    pollster::block_on(system.jacobian_blocks(theta, &mut visit)).expect("finite");
    let product = pollster::block_on(system.multiply(theta, v.as_view())).expect("finite");
    let transposed =
        pollster::block_on(system.multiply_transposed(theta, w.as_view())).expect("finite");
    let mut gradient = vec![0.0; p];
    pollster::block_on(system.gradient(theta, &mut gradient)).expect("finite");
    let [held, blocks, product, transposed] =
        [held, blocks, product, transposed].map(|m| flat(m.as_view()));
    [residual, losses, held, blocks, product, transposed, gradient]
}

fn errors(problem: &ResidualProblem, gpu: &Gpu, planted: f64) -> Errors {
    let theta = theta(&Network::of_residual(problem), 7);
    let mut twin = Collocation::in_double(problem, 0);
    let mut system = pollster::block_on(GpuCollocation::new(gpu, problem)).expect("a system");
    let mut moved = theta.clone();
    let last = moved.len() - 2;
    moved[last] *= 1.0 + planted;
    let (found, truth) = (all_of(&mut system, &moved), all_of(&mut twin, &theta));
    let each: Vec<f64> =
        found.iter().zip(&truth).map(|(found, truth)| relative_error(found, truth)).collect();
    let [residual, losses, jacobian, blocks, product, transposed, gradient] =
        each.try_into().expect("seven");
    Errors { residual, losses, jacobian, blocks, product, transposed, gradient }
}

/// Fails where an error is above what rounding explains: the forward sweep adds up `width` products
/// in each of the layers, and every order of derivative about doubles the terms.
fn check(name: &str, problem: &ResidualProblem, gpu: &Gpu, scalars: [Scalar; 2]) {
    let found = errors(problem, gpu, 0.0);
    let network = Network::of_residual(problem);
    let depth = (network.activated_layers() + 1) as f64;
    let growth = 3.0 * (network.width() as f64).sqrt() * depth;
    let [values, rates] = scalars.map(|scalar| scalar.epsilon() * growth);
    println!("{name}, {scalars:?}: {found:?} of {values:e}, {rates:e}");
    // The loss is about the residual's square, the gradient twice its product with J.
    let all = [
        (found.residual, values),
        (found.losses, 4.0 * values),
        (found.jacobian, rates),
        (found.blocks, rates),
        (found.product, 2.0 * rates),
        (found.transposed, 4.0 * rates),
        (found.gradient, 4.0 * (values + rates)),
    ];
    for (k, (error, tolerance)) in all.into_iter().enumerate() {
        assert!(error <= tolerance, "{name}, {scalars:?}, number {k}: {error:e}, {found:?}");
    }
}

fn problem(text: &str, precision: &str, more: &[(&str, &str)]) -> ResidualProblem {
    let mut overrides = vec![("run.precision".to_owned(), precision.to_owned())];
    overrides.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    ResidualProblem::from_toml(text, &overrides).expect("a problem")
}

/// The tiers that the device has, and the numbers that they compute residuals and Jacobians in.
fn tiers(gpu: &Gpu) -> Vec<(&'static str, Gpu, [Scalar; 2])> {
    assert!(gpu.self_test().passed(), "double-float arithmetic is exact");
    let without = gpu.clone().without_f64();
    let mut tiers = vec![
        ("f32", gpu.clone(), [Scalar::Single; 2]),
        ("mixed", without, [Scalar::DoubleFloat, Scalar::Single]),
    ];
    if gpu.has_f64() {
        tiers.push(("mixed", gpu.clone(), [Scalar::Double, Scalar::Single]));
        tiers.push(("f64", gpu.clone(), [Scalar::Double; 2]));
    }
    tiers
}

#[test]
fn every_preset_agrees_with_the_cpu_in_f64_in_every_tier() {
    for preset in residual_presets().iter().filter(|preset| preset.unknowns == 1) {
        for (precision, gpu, scalars) in tiers(gpu()) {
            let problem = problem(preset.text, precision, &[("network.layers", "[7, 7]")]);
            check(preset.name, &problem, &gpu, scalars);
        }
    }
}

/// A file with every kind of block: an equation with functions of the unknown, values on a wall,
/// pairs of points, observed data.
fn mixed_blocks(count: usize, activation: &str, layers: &str) -> String {
    format!(
        "format = 1
[domain]
x = {{ range = [0, 1], embedding = 'periodic' }}
y = {{ range = [-1, 2] }}
[residual.interior]
equation = 'u_xxy - exp(u)*u_y + sin(u_x) = x*y'
points = {{ layout = 'random', count = {count} }}
[residual.wall]
on = 'y = -1'
equation = 'u^3 = x'
points = {{ layout = 'random', count = {count} }}
[residual.seam]
periodic = 'y'
match = ['u', 'u_y']
points = {{ layout = 'random', count = {count} }}
[residual.sensors]
data = [[0.5, 1.0, 0.7], [0.1, 0.3, -0.2]]
[network]
layers = {layers}
activation = '{activation}'
[method]
name = 'lm'
iterations = 3"
    )
}

#[test]
fn odd_sizes_and_split_runs_agree() {
    let split = gpu().clone().without_f64();
    let split = split.clone().with_budget(Budget { chunk_points: 64, ..split.budget() });
    for (count, activation, layers) in [
        (1, "tanh", "[5]"),
        (63, "sin", "[3, 3]"),
        (64, "swish", "[1, 1]"),
        (65, "rational", "[6]"),
    ] {
        let text = mixed_blocks(count, activation, layers);
        for (precision, scalars) in
            [("f32", [Scalar::Single; 2]), ("mixed", [Scalar::DoubleFloat, Scalar::Single])]
        {
            check(activation, &problem(&text, precision, &[]), &split, scalars);
        }
    }
}

/// With little room in a buffer the Jacobian's tiles and the products' columns are split too.
#[test]
fn tiles_and_groups_of_columns_agree() {
    let budget = Budget { buffer_bytes: 224 << 10, workgroups: 33, ..gpu().budget() };
    let small = gpu().clone().without_f64().with_budget(budget);
    let text = mixed_blocks(130, "rational", "[9, 9, 9]");
    check("small buffers", &problem(&text, "f32", &[]), &small, [Scalar::Single; 2]);
    let tight = Budget { buffer_bytes: 16 << 10, ..budget };
    let error = pollster::block_on(GpuCollocation::new(
        &small.with_budget(tight),
        &problem(&text, "f32", &[]),
    ));
    assert!(matches!(error.err(), Some(GpuError::BufferLimit { .. })));
}

#[test]
fn fourth_orders_and_wide_products_agree() {
    let text = "format = 1
[domain]
x = { range = [0, 1] }
y = { range = [0, 1] }
[residual.interior]
equation = 'u_xxxx + 2*u_xxyy + u_yyyy = u'
points = { layout = 'random', count = 70 }
[network]
layers = [20, 20]
activation = 'sin'
[method]
name = 'lm'
iterations = 3";
    for (precision, gpu, scalars) in tiers(gpu()) {
        check("biharmonic", &problem(text, precision, &[]), &gpu, scalars);
    }
}

#[test]
fn the_comparison_finds_a_weight_that_is_wrong_by_a_thousandth() {
    let problem = problem(&mixed_blocks(33, "tanh", "[6, 6]"), "f32", &[]);
    let (right, wrong) = (errors(&problem, gpu(), 0.0), errors(&problem, gpu(), 1e-3));
    let grown = [
        (right.residual, wrong.residual),
        (right.losses, wrong.losses),
        (right.jacobian, wrong.jacobian),
        (right.blocks, wrong.blocks),
        (right.product, wrong.product),
        (right.transposed, wrong.transposed),
        (right.gradient, wrong.gradient),
    ];
    assert!(grown.iter().all(|(right, wrong)| *wrong > 10.0 * right), "{right:?} {wrong:?}");
}

#[test]
fn a_precision_that_the_device_lacks_is_refused() {
    let without = gpu().clone().without_f64();
    let text = mixed_blocks(3, "tanh", "[4]");
    let refused = pollster::block_on(GpuCollocation::new(&without, &problem(&text, "f64", &[])));
    assert!(matches!(refused.err(), Some(GpuError::NoDouble { .. })));
    let mut system =
        pollster::block_on(GpuCollocation::new(&without, &problem(&text, "auto", &[])))
            .expect("mixed");
    assert_eq!(system.tier().describe(), "mixed (double-float residual)");
    let theta = system.host().initial_parameters();
    let before = pollster::block_on(system.losses(&[&theta])).expect("a loss")[0];
    let f64_is_refused =
        pollster::block_on(system.set_precision(sketchpde::problem::Precision::F64));
    assert!(f64_is_refused.is_err());
    assert_eq!(
        pollster::block_on(system.losses(&[&theta])).expect("a loss")[0].to_bits(),
        before.to_bits()
    );
}

/// Random Fourier features are features like others, encoders layers beside the chain.
#[test]
fn fourier_features_and_encoders_agree() {
    let text = mixed_blocks(40, "tanh", "[6, 6, 6]\nfourier = { count = 3, scale = 2 }");
    for (precision, gpu, scalars) in tiers(gpu()) {
        check("Fourier features", &problem(&text, precision, &[]), &gpu, scalars);
        let gated = problem(&text, precision, &[("network.architecture", "modified-mlp")]);
        check("Fourier features and encoders", &gated, &gpu, scalars);
    }
    // No layer to gate, and one.
    for layers in ["[5]", "[5, 5]"] {
        let more = [("network.architecture", "modified-mlp")];
        let gated = problem(&mixed_blocks(33, "swish", layers), "f32", &more);
        check(layers, &gated, gpu(), [Scalar::Single; 2]);
    }
}

/// Weights along time are the host's and count in what the device computes.
#[test]
fn causal_weights_agree() {
    let text = "format = 1
[domain]
t = { range = [0, 1] }
x = { range = [0, 1], embedding = 'periodic' }
[residual.interior]
equation = 'u_t = 0.1*u_xx + u'
points = { layout = 'random', count = 90 }
[residual.initial]
on = 't = 0'
equation = 'u = sin(2*pi*x)'
points = { count = 9 }
[network]
layers = [6, 6]
[method]
name = 'adam'
causal = { tolerance = 0.5, slices = 5 }";
    let problem = problem(text, "mixed", &[]);
    let theta = theta(&Network::of_residual(&problem), 7);
    let mut device = pollster::block_on(GpuCollocation::new(gpu(), &problem)).expect("a system");
    let mut twin = Collocation::in_double(&problem, 0);
    let plain = all_of(&mut device, &theta);
    assert!(pollster::block_on(device.begin_iteration(0, &theta)).expect("finite"));
    assert!(twin.begin_iteration(0, &theta).expect("finite"));
    let (found, truth) = (all_of(&mut device, &theta), all_of(&mut twin, &theta));
    for (k, (found, truth)) in found.iter().zip(&truth).enumerate() {
        let error = relative_error(found, truth);
        assert!(error < 1e-5, "number {k}: {error:e}");
        assert!(relative_error(&plain[k], truth) > 1e-3, "the weights matter to number {k}");
    }
}
