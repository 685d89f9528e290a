//! Fields, Jacobians and products of evolutions on a GPU: least of several timings.
//! `cargo bench --bench device -- [ADAPTER]`, a part of its name.

#[path = "common/timing.rs"]
mod timing;

use pollster::block_on;
use sketchpde::field::device::Backend;
use sketchpde::field::gpu::operator::Tier;
use sketchpde::field::gpu::{Evaluator, Gpu, SketchRows};
use sketchpde::linalg::RowSketch;
use sketchpde::network::Network;
use sketchpde::problem::{Points, Precision, Preset, Problem};
use sketchpde::random::{Philox, Stream};

use timing::least;

/// Per problem its points and the chosen columns.
const CASES: [(&str, &str, usize); 3] =
    [("allen-cahn", "1000", 150), ("allen-cahn", "10000", 800), ("vlasov", "[64, 64]", 400)];

fn measure(gpu: &Gpu, name: &str, count: &str, columns: usize) {
    let overrides = vec![("points.count".to_owned(), count.to_owned())];
    let text = Preset::find(name).unwrap_or_else(|errors| panic!("{errors}")).text;
    let problem = Problem::from_toml(text, &overrides).expect("a problem");
    let network = Network::of(&problem);
    let points = Points::of(&problem);
    let theta = network.initialise(1);
    let tier = Tier::choose(gpu, Precision::F32).expect("every device has f32");
    let made = Evaluator::new(gpu, &problem, &network, &points.coordinates, tier);
    let mut evaluator = block_on(made).expect("an evaluator");
    let rows = evaluator.points();
    let field = least(|| drop(block_on(evaluator.field(&theta, 0.0)).expect("a field")));
    let linear = least(|| drop(block_on(evaluator.linearize(&theta, 0.0)).expect("a Jacobian")));
    let chosen = Philox::new(3, Stream::Columns).subset(0, network.parameters(), columns);
    let (v, w) = (vec![0.5; columns], vec![0.5; rows]);
    let lists = RowSketch::new(5, 0, 3 * columns).gather_lists(rows);
    let sketch = SketchRows { starts: &lists.starts, entries: &lists.entries, scale: 0.35 };
    let mut linearization = evaluator.differentiate(&theta).expect("a Jacobian");
    let mut j = linearization.choose(&chosen).expect("columns");
    let times = [
        field,
        linear,
        least(|| drop(block_on(j.entries::<f32>()).expect("columns"))),
        least(|| drop(block_on(j.multiply(&v)).expect("a product"))),
        least(|| drop(block_on(j.multiply_transposed(&w)).expect("a product"))),
        least(|| drop(block_on(j.sketch(sketch)).expect("a sketch"))),
    ];
    let cells: Vec<String> =
        times.iter().map(|seconds| format!("{:>10.2}", 1e3 * seconds)).collect();
    println!("{name:<12}{rows:>8}{columns:>8}{}", cells.concat());
}

fn main() {
    let adapter = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let opened = block_on(Backend::Gpu(adapter).open());
    let gpu = opened.expect("an adapter").expect("a GPU, which was asked for");
    println!("{}", gpu.name());
    println!(
        "{:<12}{:>8}{:>8}  field, linearise, columns, J v, J^T w, S J (ms)",
        "problem", "rows", "columns"
    );
    for (name, count, columns) in CASES {
        measure(&gpu, name, count, columns);
    }
}
