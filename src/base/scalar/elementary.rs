//! Elementary functions without branches or calls, which loops over lanes turn into vectors.
//!
//! Those of the standard library are calls into the system's library, one number at a time.

use super::Real;

macro_rules! hyperbolic_tangent {
    ($name:ident, $float:ident, $bias:literal, $magic:literal, $ln2:expr, $top:literal, $series:expr) => {
        /// tanh(x) = -e / (e + 2) with e = exp(-2 |x|) - 1, within a few units in the last place
        /// also where x is tiny: e = 2^n (exp(r) - 1) + (2^n - 1) keeps its relative accuracy.
        #[inline(always)]
        pub fn $name(x: $float) -> $float {
            // So many halves that adding them leaves an integer in the lowest bits.
            const MAGIC: $float = $magic;
            const LN2: [$float; 2] = $ln2;
            let size = x.abs();
            // Beyond, the result is 1; a NaN stays one.
            let size = if size > $top { $top } else { size };
            let y = -2.0 * size;
            let shifted = y.fma(std::$float::consts::LOG2_E, MAGIC);
            let n = shifted - MAGIC;
            let r = n.fma(-LN2[1], n.fma(-LN2[0], y));
            // exp(r) - 1 by its Taylor series, |r| <= ln(2) / 2.
            let mut q = 0.0;
            for c in $series {
                q = r.fma(q, 1.0 / c);
            }
            let p = (r * r).fma(q, r);
            let bits = shifted.to_bits().wrapping_add($bias) << ($float::MANTISSA_DIGITS - 1);
            let power = $float::from_bits(bits);
            let e = power.fma(p, power - 1.0);
            (-e / (e + 2.0)).copysign(x)
        }
    };
}

hyperbolic_tangent!(
    tanh_f64,
    f64,
    1023,
    6_755_399_441_055_744.0,
    [std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17],
    20.0,
    [
        6_227_020_800.0,
        479_001_600.0,
        39_916_800.0,
        3_628_800.0,
        362_880.0,
        40_320.0,
        5_040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0
    ]
);
hyperbolic_tangent!(
    tanh_f32,
    f32,
    127,
    12_582_912.0,
    [std::f32::consts::LN_2, -1.904_654_3e-9],
    10.0,
    [40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0]
);

#[cfg(test)]
mod tests {
    use super::{tanh_f32, tanh_f64};

    /// Against the standard library, over all sizes of the argument.
    #[test]
    fn tanh_is_right_to_a_few_units_in_the_last_place() {
        let mut worst = [0.0f64; 2];
        for k in 0..20_000 {
            let size = 10f64.powf(-12.0 + 14.0 * f64::from(k) / 20_000.0);
            for x in [size, -size] {
                let relative = |a: f64, b: f64, eps: f64| ((a - b) / b).abs() / eps;
                worst[0] = worst[0].max(relative(tanh_f64(x), x.tanh(), f64::EPSILON));
                let single = x as f32;
                let exact = f64::from(single).tanh();
                let found = f64::from(tanh_f32(single));
                worst[1] = worst[1].max(relative(found, exact, f64::from(f32::EPSILON)));
            }
        }
        assert!(worst.iter().all(|&units| units < 3.0), "{worst:?}");
        let planted = 0.3f64.tanh() * (1.0 + 4.0 * f64::EPSILON);
        assert!(((planted - tanh_f64(0.3)) / planted).abs() > 3.0 * f64::EPSILON, "would be seen");
        assert_eq!(tanh_f64(0.0).to_bits(), 0);
        assert_eq!(tanh_f64(-0.0).to_bits(), (-0.0f64).to_bits());
        assert_eq!([tanh_f64(f64::INFINITY), tanh_f64(-700.0)], [1.0, -1.0]);
        assert_eq!([tanh_f32(f32::INFINITY), tanh_f32(-700.0)], [1.0, -1.0]);
        assert!(tanh_f64(f64::NAN).is_nan() && tanh_f32(f32::NAN).is_nan());
    }
}
