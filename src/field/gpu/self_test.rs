//! The start-up check of a device: is its double-float arithmetic exact?

use super::buffers::{Piece, Scratch, storage, uniform};
use super::compose::{ComposeError, compose};
use super::config::POINT_WORKGROUP;
use super::device::Gpu;
use super::error::GpuError;
use super::kernel::Kernel;
use super::profile::Work;
use crate::random::{Philox, Stream};

/// Pairs of numbers that are added and multiplied.
const PAIRS: u32 = 1024;
/// Binary exponents of the numbers: -SPREAD .. SPREAD. A sum then has at most 24 + 2 SPREAD + 1 = 49
/// bits, so that f64 holds it exactly.
const SPREAD: u32 = 12;

/// How many of the self-test's results were wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SelfTest {
    pub tested: u32,
    pub wrong_sums: u32,
    pub wrong_products: u32,
    /// Sums and products of double-floats.
    pub wrong_long: u32,
}

/// What the kernel gives per pair (a, b): `struct Results` of shaders/self_test.wgsl.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Results {
    sum: [f32; 2],
    product: [f32; 2],
    long_sum: [f32; 2],
    long_product: [f32; 2],
}

impl SelfTest {
    /// Whether double-float arithmetic may be used.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.tested > 0 && self.wrong_sums + self.wrong_products + self.wrong_long == 0
    }
}

/// Runs the self-test.
///
/// # Errors
/// When the device rejects the kernel or is lost.
pub async fn self_test(gpu: &Gpu) -> Result<SelfTest, GpuError> {
    run(gpu, &text()?).await
}

/// The kernel's text.
///
/// # Errors
/// When an include is missing.
pub fn text() -> Result<String, ComposeError> {
    compose("self_test.wgsl", &[])
}

/// Runs the self-test with a given kernel text, so that one can prove that it is able to fail.
///
/// # Errors
/// When the device rejects the kernel or is lost.
pub async fn run(gpu: &Gpu, text: &str) -> Result<SelfTest, GpuError> {
    let kernel = Kernel::new(gpu, "self_test.wgsl", text).await?;
    let pairs = pairs();
    let shape = uniform(gpu, "shape", &[PAIRS, PAIRS, 0, 0]);
    let input = storage(gpu, "self-test pairs", 8 * u64::from(PAIRS));
    let output = storage(gpu, "self-test results", 32 * u64::from(PAIRS));
    gpu.queue().write_buffer(&input, 0, bytemuck::cast_slice(&pairs));
    let group = kernel.bind(gpu, &[("shape", &shape), ("pairs", &input), ("results", &output)]);
    let grid = [PAIRS.div_ceil(POINT_WORKGROUP), 1, 1];
    gpu.submit(|commands| kernel.dispatch(commands, &group, (grid, Work::default())));
    let piece = Piece::start(&output, output.size());
    let results: Vec<Results> = Scratch::default().read(gpu, "the self-test", &[piece]).await?;
    Ok(judge(&pairs, &results))
}

/// Numbers with full mantissas and exponents apart, so that errors of every size occur.
fn pairs() -> Vec<[f32; 2]> {
    let random = Philox::new(1, Stream::Vectors);
    let number = |bits: u32| {
        let mantissa = 1.0 + (bits & 0x7f_ffff) as f32 / 8_388_608.0;
        let exponent = ((bits >> 23) % (2 * SPREAD + 1)) as i32 - SPREAD as i32;
        let sign = if bits >> 31 == 0 { 1.0 } else { -1.0 };
        sign * mantissa * (exponent as f32).exp2()
    };
    (0..PAIRS)
        .map(|k| {
            let [a, b, ..] = random.words(0, k);
            [number(a), number(b)]
        })
        .collect()
}

/// high + low.
fn total([high, low]: [f32; 2]) -> f64 {
    f64::from(high) + f64::from(low)
}

/// Exact means that high + low is the result in full and that low is a rounding error of high; the
/// operations on double-floats may be wrong by a few 2^-48 of what goes into them.
fn judge(pairs: &[[f32; 2]], results: &[Results]) -> SelfTest {
    let exact = |result: [f32; 2], truth: f64| {
        let [high, low] = result.map(|part| f64::from(part).abs());
        total(result) == truth && low <= high * f64::from(f32::EPSILON)
    };
    // Within 16 units: the proven bounds are 3 and 7.
    let close = |result: [f32; 2], truth: f64, size: f64| {
        (total(result) - truth).abs() <= 16.0 * (-48f64).exp2() * size
    };
    let mut test = SelfTest { tested: results.len() as u32, ..SelfTest::default() };
    for ([a, b], result) in pairs.iter().zip(results) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        let (sum, product) = (a + b, a * b);
        test.wrong_sums += u32::from(!exact(result.sum, sum));
        test.wrong_products += u32::from(!exact(result.product, product));
        let sums = close(result.long_sum, sum + product, sum.abs() + product.abs());
        let products = close(result.long_product, sum * product, (sum * product).abs());
        test.wrong_long += u32::from(!(sums && products));
    }
    test
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The host's own f32 arithmetic, which rounds every operation.
    fn two_sum(a: f32, b: f32) -> [f32; 2] {
        let s = a + b;
        let part = s - a;
        [s, (a - (s - part)) + (b - part)]
    }

    fn pair(value: f64) -> [f32; 2] {
        let high = value as f32;
        [high, (value - f64::from(high)) as f32]
    }

    fn results() -> Vec<Results> {
        let of = |&[a, b]: &[f32; 2]| {
            let (x, y) = (f64::from(a), f64::from(b));
            let (sum, product) = (x + y, x * y);
            Results {
                sum: two_sum(a, b),
                product: pair(product),
                long_sum: pair(sum + product),
                long_product: pair(sum * product),
            }
        };
        pairs().iter().map(of).collect()
    }

    #[test]
    fn the_judge_accepts_exact_results_and_rejects_lost_error_terms() {
        assert!(judge(&pairs(), &results()).passed());
        let without_low = |[high, _]: [f32; 2]| [high, 0.0];
        let lost: Vec<Results> = results()
            .into_iter()
            .map(|r| Results {
                sum: without_low(r.sum),
                product: without_low(r.product),
                long_sum: without_low(r.long_sum),
                ..r
            })
            .collect();
        let lost = judge(&pairs(), &lost);
        assert!(!lost.passed());
        // Nearly every product of two full mantissas rounds.
        assert!(lost.wrong_products > PAIRS / 2 && lost.wrong_sums > PAIRS / 4, "{lost:?}");
        assert!(lost.wrong_long > PAIRS / 2, "{lost:?}");
    }

    #[test]
    fn nothing_tested_is_not_a_pass() {
        assert!(!SelfTest::default().passed());
    }
}
