//! The network in f64 by plain loops, its derivatives by finite differences: slow, short, and
//! sharing nothing with the crate's evaluators but the parameter layout.

use sketchpde::network::{Input, Network};
use sketchpde::problem::Activation;
use sketchpde::problem::expression::{Channel, MultiIndex};
use sketchpde::random::{Philox, Stream};

/// Starting parameters of the size that trained networks have.
pub fn theta(network: &Network, seed: u64) -> Vec<f64> {
    let random = Philox::new(seed, Stream::Initialisation);
    let mut theta = vec![0.0; network.parameters()];
    for (epoch, segment) in network.layout().segments().iter().enumerate() {
        for (k, at) in segment.range().enumerate() {
            let z = random.normal(epoch as u64, k as u32);
            theta[at] = match segment.name.as_str() {
                name if name.starts_with("activation") => {
                    sketchpde::network::RATIONAL_START[k] + 0.02 * z
                }
                name if name.ends_with("weight") => z / (network.width() as f64).sqrt(),
                name if name.ends_with("phase") => 2.0 * z,
                _ => 0.5 * z,
            };
        }
    }
    // What the GPU gets is rounded; so that the comparison is about the arithmetic, round here.
    theta.iter().map(|&value| f64::from(value as f32)).collect()
}

/// The network at one point.
pub fn network_value(network: &Network, theta: &[f64], x: &[f64]) -> f64 {
    let segment = |name: &str| -> &[f64] {
        network.layout().segment(name).map_or(&[][..], |segment| &theta[segment.range()])
    };
    let width = network.width();
    let (mut waves, mut slopes) = (0, 0);
    let mut h = vec![0.0; width];
    if let Some(offsets) = network.layout().segment("embedding.offset") {
        h.copy_from_slice(&theta[offsets.range()]);
    }
    let periodic = segment("embedding.amplitude").len() / width;
    let linear = segment("embedding.slope").len() / width;
    for (input, &x) in network.inputs().iter().zip(x) {
        for (unit, y) in h.iter_mut().enumerate() {
            *y += match input {
                Input::Periodic { period } => {
                    let at = unit * periodic + waves;
                    let angle = std::f64::consts::TAU * x / period + segment("embedding.phase")[at];
                    segment("embedding.amplitude")[at] * angle.cos()
                        + segment("embedding.shift")[at]
                }
                Input::Linear { lower, upper } => {
                    let scaled = 2.0 * (x - lower) / (upper - lower) - 1.0;
                    segment("embedding.slope")[unit * linear + slopes] * scaled
                }
                Input::Flat { .. } => unreachable!("the CPU's tests have flat coordinates"),
            };
        }
        match input {
            Input::Periodic { .. } => waves += 1,
            Input::Linear { .. } | Input::Flat { .. } => slopes += 1,
        }
    }
    for layer in 0..=network.hidden_layers() {
        if layer > 0 {
            let weight = segment(&format!("hidden.{layer}.weight"));
            let bias = segment(&format!("hidden.{layer}.bias"));
            h = (0..width)
                .map(|r| bias[r] + dot(&weight[r * width..(r + 1) * width], &h))
                .collect();
        }
        let coefficients = segment(&format!("activation.{layer}"));
        for z in &mut h {
            *z = activate(network.activation(), coefficients, *z);
        }
    }
    segment("output.bias")[0] + dot(segment("output.weight"), &h)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn activate(activation: Activation, c: &[f64], z: f64) -> f64 {
    match activation {
        Activation::Rational => {
            (c[0] * z.powi(3) + c[1] * z * z + c[2] * z + c[3]) / (c[4] * z * z + c[5] * z + c[6])
        }
        Activation::Tanh => z.tanh(),
        Activation::Sin => z.sin(),
        Activation::Swish => z / (1.0 + (-z).exp()),
    }
}

/// Nine-point central differences of order 0 to 4: weights at -4h .. 4h, to be divided by h^order.
/// They follow from the Lagrange polynomial through the nine points.
fn stencil(order: u8) -> [f64; 9] {
    let half: [f64; 5] = match order {
        0 => [0.0, 0.0, 0.0, 0.0, 1.0],
        1 => [1.0 / 280.0, -4.0 / 105.0, 1.0 / 5.0, -4.0 / 5.0, 0.0],
        2 => [-1.0 / 560.0, 8.0 / 315.0, -1.0 / 5.0, 8.0 / 5.0, -205.0 / 72.0],
        3 => [-7.0 / 240.0, 3.0 / 10.0, -169.0 / 120.0, 61.0 / 30.0, 0.0],
        4 => [7.0 / 240.0, -2.0 / 5.0, 169.0 / 60.0, -122.0 / 15.0, 91.0 / 8.0],
        _ => panic!("order {order} is not in the table"),
    };
    let mirror = if order % 2 == 1 { -1.0 } else { 1.0 };
    std::array::from_fn(|k| if k <= 4 { half[k] } else { mirror * half[8 - k] })
}

/// A partial derivative of `f` at `x` by a tensor product of stencils of spacing `h`.
pub fn derivative(f: &dyn Fn(&[f64]) -> f64, x: &[f64], index: &MultiIndex, h: f64) -> f64 {
    let Some(k) = (0..x.len()).find(|&k| index.0[k] > 0) else { return f(x) };
    let mut rest = *index;
    rest.0[k] = 0;
    let order = index.0[k];
    let mut moved = x.to_vec();
    let mut sum = 0.0;
    for (at, weight) in stencil(order).into_iter().enumerate().filter(|(_, w)| *w != 0.0) {
        moved[k] = x[k] + (at as f64 - 4.0) * h;
        sum += weight * derivative(f, &moved, &rest, h);
    }
    sum / h.powi(i32::from(order))
}

/// A channel of `f` at `x`: a derivative or the Laplacian.
pub fn channel(f: &dyn Fn(&[f64]) -> f64, x: &[f64], channel: Channel, h: f64) -> f64 {
    match channel {
        Channel::Partial(index) => derivative(f, x, &index, h),
        Channel::Laplacian => {
            (0..x.len()).map(|k| derivative(f, x, &MultiIndex::along(k, 2), h)).sum()
        }
    }
}

/// d f / d theta_k by central differences.
pub fn parameter_derivative(f: &dyn Fn(&[f64]) -> f64, theta: &[f64], k: usize) -> f64 {
    let at = |step: f64| {
        let mut moved = theta.to_vec();
        moved[k] += step;
        f(&moved)
    };
    let h = 1e-3;
    // Fourth order: error h^4 f^(5) / 30, of the size of 1e-13 times f^(5).
    (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
}

/// The largest difference, divided by the largest entry of `truth`.
pub fn relative_error(found: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let scale = truth.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let worst = found.iter().zip(truth).fold(0.0f64, |most, (found, truth)| {
        // NaN must not pass: max() would drop it.
        let difference = (found - truth).abs();
        if difference.is_nan() { f64::INFINITY } else { most.max(difference) }
    });
    if worst == 0.0 { 0.0 } else { worst / scale }
}
