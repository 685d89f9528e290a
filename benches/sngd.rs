//! The parts of an iteration of sketched natural gradients, each with its share of the measured peak
//! of matrix products: least of several timings.
//! `cargo bench --bench sngd -- [NAME | NAME/VARIANT ...] [columns=L] [adapter=NAME]`: with an
//! adapter the Jacobian, its products and the losses come from there, on the CPU without.

mod common;

use nalgebra::DMatrix;
use sketchpde::field::device::Backend;
use sketchpde::field::residual::ResidualSystem;
use sketchpde::linalg::{
    Svd, TestMatrix, TestMatrixKind, orthonormal, product, symmetric_eigen, transposed_product,
};
use sketchpde::session::TrainingSystem;

use common::{LARGEST, least, problem, trials};

/// Columns of the sketch: about what the presets come to.
const COLUMNS: usize = 220;
/// Order of the product that the peak is measured by.
const PEAK_ORDER: usize = 1024;

/// Operations a second of a large product.
fn peak() -> f64 {
    let a = DMatrix::from_fn(PEAK_ORDER, PEAK_ORDER, |i, k| ((i * 7 + k) % 13) as f64);
    let order = PEAK_ORDER as f64;
    2.0 * order.powi(3) / least(|| drop(std::hint::black_box(product(a.as_view(), a.as_view()))))
}

/// One part: its name, its time, and its operations where they are known.
struct Part(&'static str, f64, Option<f64>);

/// Seconds of `J V`, where the system makes its products: there.
fn times(system: &mut TrainingSystem, theta: &[f64], j: &DMatrix<f64>, v: &DMatrix<f64>) -> f64 {
    if system.has_products() {
        return least(|| {
            drop(pollster::block_on(system.multiply(theta, v.as_view())).expect("finite"))
        });
    }
    least(|| drop(product(j.as_view(), v.as_view())))
}

/// Seconds of `J^T W`, likewise.
fn transposed_times(
    system: &mut TrainingSystem,
    theta: &[f64],
    j: &DMatrix<f64>,
    w: &DMatrix<f64>,
) -> f64 {
    if system.has_products() {
        return least(|| {
            drop(
                pollster::block_on(system.multiply_transposed(theta, w.as_view())).expect("finite"),
            )
        });
    }
    least(|| drop(transposed_product(j.as_view(), w.as_view())))
}

fn parts(system: &mut TrainingSystem, columns: usize) -> Vec<Part> {
    let theta = system.initial_parameters();
    let (n, p) = (system.rows(), theta.len());
    let l = columns.min(p);
    let mut r = vec![0.0; n];
    let mut j = DMatrix::zeros(n, p);
    let test = TestMatrix::new(TestMatrixKind::Gaussian, p, l, 0, 0).dense();
    let jacobian = least(|| {
        pollster::block_on(system.jacobian(&theta, &mut r, j.as_view_mut())).expect("finite")
    });
    let image = product(j.as_view(), test.as_view());
    let range = orthonormal(image.as_view());
    let back = transposed_product(j.as_view(), range.as_view());
    let basis = orthonormal(back.as_view());
    let wide = product(j.as_view(), basis.as_view());
    let gram = transposed_product(wide.as_view(), wide.as_view());
    let trials = trials(&theta);
    let trials: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
    let [nf, pf, lf] = [n, p, l].map(|x| x as f64);
    let product = 2.0 * nf * pf * lf;
    // Householder QR and the explicit Q: 4 rows l^2 - 4/3 l^3.
    let qr = |rows: f64| 4.0 * rows * lf * lf - 4.0 / 3.0 * lf.powi(3);
    let narrow = n.min(p) >= l;
    vec![
        Part("Jacobian", jacobian, None),
        Part("J M", times(system, &theta, &j, &test), Some(product)),
        Part("QR of J M", least(|| drop(orthonormal(image.as_view()))), narrow.then(|| qr(nf))),
        Part("J^T Y", transposed_times(system, &theta, &j, &range), Some(product)),
        Part("QR of J^T Y", least(|| drop(orthonormal(back.as_view()))), Some(qr(pf))),
        Part("J Q", times(system, &theta, &j, &basis), Some(product)),
        Part("SVD of J Q", least(|| drop(Svd::of(wide.as_view()))), None),
        Part("eigen of Q^T G Q", least(|| drop(symmetric_eigen(gram.as_view()))), None),
        Part("line search (31)", least(|| drop(pollster::block_on(system.losses(&trials)))), None),
    ]
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let columns = words.iter().find_map(|word| word.strip_prefix("columns=")?.parse().ok());
    let mut names: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !word.contains('=')).collect();
    if names.is_empty() {
        names = vec!["poisson-2d", "heat", "heat/a2"];
    }
    let adapter = words.iter().find_map(|word| word.strip_prefix("adapter="));
    let choice = match adapter {
        Some(name) => Backend::Gpu(Some(name.to_owned())),
        None => Backend::Cpu,
    };
    let peak = peak();
    println!("peak of matrix products: {:.1} GFlop/s", 1e-9 * peak);
    for name in names {
        let problem = problem(name);
        let chosen = TrainingSystem::choose(&problem, &choice);
        let mut system = pollster::block_on(chosen).unwrap_or_else(|error| panic!("{error}"));
        let (n, p) = (system.rows(), system.parameters());
        if n * p > LARGEST {
            println!("{name}: a Jacobian of {n} x {p} is taken in blocks; not measured here");
            continue;
        }
        let device = system.describe();
        println!(
            "{name}: {n} rows, {p} parameters, {} columns; {} ({}), {}",
            columns.unwrap_or(COLUMNS),
            device.backend,
            device.device,
            device.precision
        );
        for Part(part, seconds, operations) in parts(&mut system, columns.unwrap_or(COLUMNS)) {
            let share = operations.map_or_else(String::new, |operations| {
                let speed = operations / seconds;
                format!("{:>8.1} GFlop/s{:>5.0} %", 1e-9 * speed, 100.0 * speed / peak)
            });
            println!("  {part:<18}{:>9.2} ms{share}", 1e3 * seconds);
        }
    }
}
