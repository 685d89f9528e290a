//! The parameter Jacobian: columns against finite differences, products against the columns.

use sketchpde::field::cpu::Field;
use sketchpde::field::gpu::config::Budget;
use sketchpde::field::gpu::operator::Sources;
use sketchpde::field::gpu::{Evaluator, Gpu, GpuError, SketchRows};
use sketchpde::network::Network;
use sketchpde::problem::Activation;
use sketchpde::problem::expression::Expression;
use sketchpde::random::{Philox, Stream};

use crate::harness::{gpu, network, normals, points, problem, single};
use crate::oracle::{network_value, parameter_derivative, relative_error, theta};

/// What one linearization gives, for a network, points and chosen columns.
struct Products {
    columns: Vec<f32>,
    multiplied: Vec<f64>,
    transposed: Vec<f64>,
    sketched: Vec<f64>,
    field: Field,
}

/// Which columns, vectors and sketch are used.
struct Case {
    network: Network,
    count: usize,
    columns: Vec<u32>,
}

impl Case {
    fn new(network: Network, count: usize, columns: usize) -> Self {
        let total = network.parameters();
        let columns = Philox::new(9, Stream::Columns).subset(0, total, columns);
        Self { network, count, columns }
    }

    fn theta(&self) -> Vec<f64> {
        theta(&self.network, 4)
    }

    fn v(&self) -> Vec<f64> {
        normals(self.columns.len(), 1)
    }

    fn w(&self) -> Vec<f64> {
        normals(self.count, 2)
    }

    /// Every point in about three rows, some rows empty.
    fn sketch(&self) -> Sketch {
        let random = Philox::new(5, Stream::RowSketch);
        let mut sketch = Sketch { starts: vec![0], entries: Vec::new() };
        for row in 0..13 {
            for point in 0..self.count as u32 {
                let [a, b, ..] = random.words(row, point);
                if a % 4 == 0 && row != 5 {
                    sketch.entries.push(2 * point + b % 2);
                }
            }
            sketch.starts.push(sketch.entries.len() as u32);
        }
        sketch
    }

    fn run(&self, gpu: &Gpu, sources: &Sources) -> Products {
        let sketch = self.sketch();
        let x = points(self.network.inputs(), self.count);
        pollster::block_on(async {
            let problem = problem(value(), &[]);
            let mut evaluator =
                Evaluator::with_sources(gpu, &problem, &self.network, &x, sources).await.unwrap();
            let (field, mut linearization) = evaluator.linearize(&self.theta(), 0.0).await.unwrap();
            let mut j = linearization.choose(&self.columns).unwrap();
            assert_eq!((j.rows(), j.count()), (self.count, self.columns.len()));
            Products {
                multiplied: j.multiply(&self.v()).await.unwrap(),
                transposed: j.multiply_transposed(&self.w()).await.unwrap(),
                sketched: j.sketch(sketch.rows()).await.unwrap(),
                columns: j.entries().await.unwrap(),
                field,
            }
        })
    }

    fn sources(&self) -> Sources {
        Sources::compose(&self.network, &value(), single()).unwrap()
    }

    /// Errors of the columns against finite differences and of the products against the columns,
    /// each divided by its tolerance.
    fn scaled_errors(&self, products: &Products) -> [f64; 4] {
        let (n, s) = (self.count, self.columns.len());
        let j: Vec<f64> = products.columns.iter().map(|&value| f64::from(value)).collect();
        let column = |k: usize| &j[k * n..(k + 1) * n];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (v, w, sketch) = (self.v(), self.w(), self.sketch());
        let multiplied: Vec<f64> =
            (0..n).map(|i| (0..s).map(|k| j[k * n + i] * v[k]).sum()).collect();
        let transposed: Vec<f64> = (0..s).map(|k| dot(column(k), &w)).collect();
        let sketched: Vec<f64> = (0..s).flat_map(|k| sketch.apply(column(k))).collect();
        let single = f64::from(f32::EPSILON);
        let depth = (self.network.activated_layers() + 1) as f64;
        let width = self.network.width() as f64;
        [
            relative_error(&j, &self.finite_differences()) / (2.0 * single * depth * width.sqrt()),
            relative_error(&products.multiplied, &multiplied) / (single * (s as f64).sqrt()),
            relative_error(&products.transposed, &transposed) / (single * (n as f64).sqrt()),
            relative_error(&products.sketched, &sketched) / (single * (n as f64).sqrt()),
        ]
    }

    fn finite_differences(&self) -> Vec<f64> {
        let theta = self.theta();
        let x = points(self.network.inputs(), self.count);
        let mut truth = Vec::with_capacity(self.columns.len() * self.count);
        for &column in &self.columns {
            for x in x.chunks_exact(self.network.inputs().len()) {
                let u = |theta: &[f64]| network_value(&self.network, theta, x);
                truth.push(parameter_derivative(&u, &theta, column as usize));
            }
        }
        truth
    }

    fn check(&self) {
        let errors = self.scaled_errors(&self.run(gpu(), &self.sources()));
        let Self { network, count, .. } = self;
        println!(
            "{} {}x{} n {count}: {errors:.2?} of the tolerances",
            network.activation().name(),
            network.width(),
            network.hidden_layers()
        );
        assert!(errors.iter().all(|&error| error <= 1.0), "{network:?}, {count}: {errors:?}");
    }
}

/// F = u.
fn value() -> Expression {
    Expression::unknown(0)
}

struct Sketch {
    starts: Vec<u32>,
    /// 2 point + negative.
    entries: Vec<u32>,
}

const SCALE: f64 = 0.25;

impl Sketch {
    fn rows(&self) -> SketchRows<'_> {
        SketchRows { starts: &self.starts, entries: &self.entries, scale: SCALE }
    }

    /// S times one column, in f64.
    fn apply(&self, column: &[f64]) -> Vec<f64> {
        let signed = |entry: &u32| {
            let value = SCALE * column[(entry / 2) as usize];
            if entry & 1 == 0 { value } else { -value }
        };
        let row = |bounds: &[u32]| {
            self.entries[bounds[0] as usize..bounds[1] as usize].iter().map(signed).sum()
        };
        self.starts.windows(2).map(row).collect()
    }
}

#[test]
fn every_column_of_every_activation_agrees_with_finite_differences() {
    for activation in Activation::ALL {
        for dimensions in [1, 3] {
            let network = network(dimensions, 4, 2, activation);
            let all = network.parameters();
            Case::new(network, 9, all).check();
        }
    }
    // No hidden layer at all, and one unit.
    let network = network(2, 1, 0, Activation::Rational);
    let all = network.parameters();
    Case::new(network, 5, all).check();
}

/// Workgroups have 64 points and 256 columns of the sketch.
#[test]
fn products_hold_at_sizes_around_the_workgroups() {
    for (count, columns) in [(1, 1), (63, 15), (64, 16), (65, 17), (131, 37)] {
        Case::new(network(1, 7, 2, Activation::Rational), count, columns).check();
    }
    Case::new(network(1, 25, 5, Activation::Rational), 37, 263).check();
}

#[test]
fn a_planted_error_in_any_jacobian_kernel_is_found() {
    let case = Case::new(network(2, 4, 1, Activation::Rational), 70, 40);
    for (stem, from, to, check) in [
        ("operator/turn.wgsl", "negate(weights[weight])", "weights[weight]", 0),
        ("operator/adjoint.wgsl", "row * WIDTH + unit", "unit * WIDTH + row", 0),
        ("operator/adjoint.wgsl", "compose(differentiated(", "compose((", 0),
        ("operator/coefficients.wgsl", "multiply_add(negate(term)", "multiply_add((term)", 0),
        ("operator/columns.wgsl", "pair.x * shape.stride", "pair.y * shape.stride", 0),
        ("operator/multiply.wgsl", "const BLOCK: u32 = 32u", "const BLOCK: u32 = 64u", usize::MAX),
        ("operator/multiply.wgsl", "column < end", "column + 1u < end", 1),
        ("operator/multiply_transposed.wgsl", "partial[lane + width]", "partial[lane]", 2),
        ("operator/sketch.wgsl", "(entries[k] & 1u) == 1u", "false", 3),
    ] {
        let mut sources = case.sources();
        assert!(sources.replace(stem, from, to) > 0, "{stem}: nothing to change");
        let errors = case.scaled_errors(&case.run(gpu(), &sources));
        match errors.get(check) {
            Some(&error) => assert!(error > 10.0, "{stem}, {from}: {errors:?}"),
            // A harmless change stays unnoticed: it is the error that is found, not the edit.
            None => assert!(errors.iter().all(|&error| error <= 1.0), "{errors:?}"),
        }
    }
}

#[test]
fn splitting_by_the_devices_limits_changes_nothing_but_the_order_of_sums() {
    let case = Case::new(network(2, 6, 1, Activation::Tanh), 150, 43);
    let whole = case.run(gpu(), &case.sources());
    // Three chunks of points; every output of more than 16 KiB in several tiles; and so few
    // workgroups a dimension that grids have to fold.
    let budget = Budget { buffer_bytes: 16 << 10, workgroups: 5, chunk_points: 64 };
    let split = case.run(&gpu().clone().with_budget(budget), &case.sources());
    assert_eq!(split.field, whole.field);
    assert_eq!(split.columns, whole.columns);
    assert_eq!(split.multiplied, whole.multiplied);
    let errors = case.scaled_errors(&split);
    assert!(errors.iter().all(|&error| error <= 1.0), "{errors:?}");
}

#[test]
fn a_malformed_sketch_is_an_error() {
    let network = network(1, 3, 0, Activation::Sin);
    let theta = theta(&network, 1);
    pollster::block_on(async {
        let x = points(network.inputs(), 4);
        let mut evaluator =
            Evaluator::new(gpu(), &problem(value(), &[]), &network, &x, single()).await.unwrap();
        let mut linearization = evaluator.differentiate(&theta).unwrap();
        let mut j = linearization.choose(&[0, 2]).unwrap();
        let good = SketchRows { starts: &[0, 1], entries: &[2 * 3 + 1], scale: 1.0 };
        let row = j.sketch(good).await.unwrap();
        let columns = j.entries::<f64>().await.unwrap();
        assert_eq!(row, [-columns[3], -columns[7]]);
        let beyond = SketchRows { entries: &[2 * 4], ..good };
        assert!(matches!(
            j.sketch(beyond).await,
            Err(GpuError::NoSuchPoint { row: 0, point: 4, points: 4 })
        ));
        let short = SketchRows { entries: &[], ..good };
        assert!(matches!(j.sketch(short).await, Err(GpuError::Length { .. })));
        let disordered = SketchRows { starts: &[0, 2, 1], ..good };
        assert!(matches!(j.sketch(disordered).await, Err(GpuError::SketchOrder { row: 0 })));
    });
}
