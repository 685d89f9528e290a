//! The start-up check of a device: is its double-float arithmetic exact?

use super::buffers::{Piece, Scratch, storage, uniform};
use super::compose::{ComposeError, compose};
use super::config::POINT_WORKGROUP;
use super::device::Gpu;
use super::error::GpuError;
use super::kernel::Kernel;
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
}

impl SelfTest {
    /// Whether double-float arithmetic may be used.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.tested > 0 && self.wrong_sums == 0 && self.wrong_products == 0
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
    let output = storage(gpu, "self-test results", 16 * u64::from(PAIRS));
    gpu.queue().write_buffer(&input, 0, bytemuck::cast_slice(&pairs));
    let group = kernel.bind(gpu, &[("shape", &shape), ("pairs", &input), ("results", &output)]);
    gpu.submit(|encoder| {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        kernel.dispatch(&mut pass, &group, [PAIRS.div_ceil(POINT_WORKGROUP), 1, 1]);
    });
    let piece = Piece::start(&output, output.size());
    let results: Vec<[f32; 4]> = Scratch::default().read(gpu, "the self-test", &[piece]).await?;
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

/// Exact means that high + low is the result in full and that low is a rounding error of high.
fn judge(pairs: &[[f32; 2]], results: &[[f32; 4]]) -> SelfTest {
    let exact = |high: f32, low: f32, truth: f64| {
        let (high, low) = (f64::from(high), f64::from(low));
        high + low == truth && low.abs() <= high.abs() * f64::from(f32::EPSILON)
    };
    let mut test = SelfTest { tested: results.len() as u32, ..SelfTest::default() };
    for ([a, b], result) in pairs.iter().zip(results) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        test.wrong_sums += u32::from(!exact(result[0], result[1], a + b));
        test.wrong_products += u32::from(!exact(result[2], result[3], a * b));
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

    fn results(lose_errors: bool) -> Vec<[f32; 4]> {
        pairs()
            .iter()
            .map(|&[a, b]| {
                let [s, e] = two_sum(a, b);
                let p = a * b;
                let error = (f64::from(a) * f64::from(b) - f64::from(p)) as f32;
                if lose_errors { [s, 0.0, p, 0.0] } else { [s, e, p, error] }
            })
            .collect()
    }

    #[test]
    fn the_judge_accepts_exact_results_and_rejects_lost_error_terms() {
        assert!(judge(&pairs(), &results(false)).passed());
        let lost = judge(&pairs(), &results(true));
        assert!(!lost.passed());
        // Nearly every product of two full mantissas rounds.
        assert!(lost.wrong_products > PAIRS / 2 && lost.wrong_sums > PAIRS / 4, "{lost:?}");
    }

    #[test]
    fn nothing_tested_is_not_a_pass() {
        assert!(!SelfTest::default().passed());
    }
}
