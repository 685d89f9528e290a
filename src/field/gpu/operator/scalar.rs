//! The numbers in which an operator's kernels compute.

use std::fmt::Write;

use crate::gpu::buffers::{Piece, Scratch};
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::scalar::Real;

/// A type of number with a file of its own under `shaders/scalar`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// f32.
    Single,
    /// f64; needs SHADER_F64.
    Double,
    /// A sum of two f32, about 48 bits; needs rounding as IEEE 754 has it.
    DoubleFloat,
}

/// pi/2 in three parts: the first two have so few bits that small multiples of them are exact in
/// f32, the third has what is left of pi/2, its digits beyond f64 among it.
const QUARTER_TURN: [f64; 2] = [1.5703125, 4.837_512_969_970_703e-4];
const QUARTER_TURN_BEYOND: f64 = 6.123_233_995_736_766e-17;
/// ln 2 in two parts: 355/512, and the rest.
const LN2: [f64; 2] = [0.693_359_375, -2.121_944_400_546_905_8e-4];

impl Scalar {
    /// Bytes of one number in a buffer.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Double | Self::DoubleFloat => 8,
        }
    }

    /// Unit round-off: the largest relative error of one operation, about.
    #[must_use]
    pub fn epsilon(self) -> f64 {
        match self {
            Self::Single => f64::from(f32::EPSILON),
            Self::Double => f64::EPSILON,
            // Joldes, Muller, Popescu 2017: 7 u^2 for a product, u = 2^-24.
            Self::DoubleFloat => 7.0 * (-48f64).exp2(),
        }
    }

    /// The numbers as a buffer holds them.
    #[must_use]
    pub fn encode(self, values: &[f64]) -> Vec<u8> {
        match self {
            Self::Single => values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
            Self::Double => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::DoubleFloat => values.iter().flat_map(|&x| pair_bytes(x)).collect(),
        }
    }

    /// The inverse of [`Scalar::encode`].
    ///
    /// # Panics
    /// When the bytes are no whole numbers.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Vec<f64> {
        assert!(bytes.len().is_multiple_of(self.bytes()), "whole numbers");
        let single = |b: &[u8; 4]| f64::from(f32::from_le_bytes(*b));
        match self {
            Self::Single => bytes.as_chunks().0.iter().map(single).collect(),
            Self::Double => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            Self::DoubleFloat => {
                let (halves, _) = bytes.as_chunks().0.as_chunks::<2>();
                halves.iter().map(|[high, low]| single(high) + single(low)).collect()
            }
        }
    }

    /// Copies numbers to the host, behind everything submitted so far.
    ///
    /// # Errors
    /// When the device fails.
    pub(in crate::gpu) async fn read<T: Real>(
        self,
        scratch: &mut Scratch,
        gpu: &Gpu,
        what: &'static str,
        pieces: &[Piece<'_>],
    ) -> Result<Vec<T>, GpuError> {
        let sum = |[high, low]: [f32; 2]| T::of(f64::from(high) + f64::from(low));
        Ok(match self {
            Self::Single => {
                let numbers: Vec<f32> = scratch.read(gpu, what, pieces).await?;
                numbers.into_iter().map(|x| T::of(f64::from(x))).collect()
            }
            Self::Double => {
                let numbers: Vec<f64> = scratch.read(gpu, what, pieces).await?;
                numbers.into_iter().map(T::of).collect()
            }
            Self::DoubleFloat => {
                let numbers: Vec<[f32; 2]> = scratch.read(gpu, what, pieces).await?;
                numbers.into_iter().map(sum).collect()
            }
        })
    }

    /// A constant as WGSL.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn literal(self, value: f64) -> Result<String, GpuError> {
        let high = value as f32;
        if !value.is_finite() || (self != Self::Double && !high.is_finite()) {
            return Err(GpuError::ConstantRange { value });
        }
        Ok(match self {
            Self::Single => format!("{high:e}f"),
            Self::Double => format!("{value:e}lf"),
            Self::DoubleFloat => {
                format!("DoubleFloat({high:e}f, {:e}f)", (value - f64::from(high)) as f32)
            }
        })
    }

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Single => "scalar/single.wgsl",
            Self::Double => "scalar/double.wgsl",
            Self::DoubleFloat => "scalar/double_float.wgsl",
        }
    }

    /// What shaders/scalar/elementary.wgsl includes: constants and the series of its functions.
    pub fn series(self) -> Result<String, GpuError> {
        let low = std::f64::consts::FRAC_PI_2 - QUARTER_TURN[0] - QUARTER_TURN[1];
        let constants = [
            ("LN2_HIGH", LN2[0]),
            ("LN2_LOW", LN2[1]),
            ("QUARTER_TURN_HIGH", QUARTER_TURN[0]),
            ("QUARTER_TURN_MIDDLE", QUARTER_TURN[1]),
            ("QUARTER_TURN_LOW", low + QUARTER_TURN_BEYOND),
        ];
        let mut text = String::new();
        for (name, value) in constants {
            let _ = writeln!(text, "const {name}: Real = {};", self.literal(value)?);
        }
        // Of (exp(r) - 1 - r) / r^2, and of cos and sin(r) / r in r^2.
        let factorial = |k: i32| (1..=k).map(f64::from).product::<f64>();
        let alternating = |m: i32, odd: i32| (-1f64).powi(m) / factorial(2 * m + odd);
        let exponential: Vec<f64> = (2..=14).map(|k| 1.0 / factorial(k)).collect();
        let cosine: Vec<f64> = (0..=9).map(|m| alternating(m, 0)).collect();
        let sine: Vec<f64> = (0..=8).map(|m| alternating(m, 1)).collect();
        for (name, list) in
            [("exponential_series", exponential), ("cosine_series", cosine), ("sine_series", sine)]
        {
            text += &self.polynomial(name, &list)?;
        }
        Ok(text)
    }

    /// `name(x) = sum_k list[k] x^k` by Horner's rule.
    fn polynomial(self, name: &str, list: &[f64]) -> Result<String, GpuError> {
        let (last, lower) = list.split_last().expect("a polynomial");
        let mut text = format!("fn {name}(x: Real) -> Real {{\n");
        let _ = writeln!(text, "    var q: Real = {};", self.literal(*last)?);
        for &c in lower.iter().rev() {
            let _ = writeln!(text, "    q = multiply_add(x, q, {});", self.literal(c)?);
        }
        Ok(text + "    return q;\n}\n")
    }
}

/// high and low with high + low = x to 48 bits.
fn pair_bytes(x: f64) -> [u8; 8] {
    let high = x as f32;
    // Infinity minus itself would be no number.
    let low = if high.is_finite() { (x - f64::from(high)) as f32 } else { 0.0 };
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&high.to_le_bytes());
    bytes[4..].copy_from_slice(&low.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Scalar; 3] = [Scalar::Single, Scalar::Double, Scalar::DoubleFloat];

    #[test]
    fn numbers_come_back_to_the_precision_of_their_type() {
        let numbers = [0.0, 1.0, -std::f64::consts::PI, 1e-12, 3.0e20, 1.0 / 3.0];
        for scalar in ALL {
            let bytes = scalar.encode(&numbers);
            assert_eq!(bytes.len(), numbers.len() * scalar.bytes());
            for (x, y) in numbers.iter().zip(scalar.decode(&bytes)) {
                assert!((x - y).abs() <= scalar.epsilon() * x.abs(), "{scalar:?}: {x} {y}");
            }
        }
        let third = Scalar::Single.decode(&Scalar::Single.encode(&[1.0 / 3.0]))[0];
        assert!((third - 1.0 / 3.0).abs() > Scalar::DoubleFloat.epsilon(), "f32 is coarser");
    }

    #[test]
    fn constants_that_do_not_fit_are_errors() {
        assert!(Scalar::Double.literal(1e300).is_ok());
        for (scalar, value) in [(Scalar::Single, 1e39), (Scalar::DoubleFloat, 1e39)] {
            assert!(matches!(scalar.literal(value), Err(GpuError::ConstantRange { .. })));
        }
        assert!(Scalar::Double.literal(f64::NAN).is_err());
    }

    #[test]
    fn the_parts_of_the_constants_add_up() {
        assert!((LN2[0] + LN2[1] - std::f64::consts::LN_2).abs() < 1e-16);
        let low = std::f64::consts::FRAC_PI_2 - QUARTER_TURN[0] - QUARTER_TURN[1];
        assert!((low - 7.549_789_948_768_648e-8).abs() < 1e-22, "{low:e}");
    }
}
