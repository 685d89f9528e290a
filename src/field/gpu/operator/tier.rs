//! Which numbers are used where.

use super::scalar::Scalar;
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::problem::{Choice, Precision};

/// The precision of a training on a device.
///
/// | tier | residuals and losses | Jacobian |
/// | --- | --- | --- |
/// | `f32` | f32 | f32 |
/// | `mixed` | f64 or, where the device has none, double-float | f32 |
/// | `f64` | f64 | f64 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    pub precision: Precision,
    pub values: Scalar,
    pub rates: Scalar,
}

impl Tier {
    /// What the device can do of a wish; `auto` is `mixed`, or f32 where there are no longer
    /// numbers to be had.
    ///
    /// # Errors
    /// When the device has no f64, or no exact double-float, and the wish needs it.
    pub fn choose(gpu: &Gpu, wish: Precision) -> Result<Self, GpuError> {
        let long = match (gpu.has_f64(), gpu.self_test().passed()) {
            (true, _) => Some(Scalar::Double),
            (false, true) => Some(Scalar::DoubleFloat),
            (false, false) => None,
        };
        let single =
            Self { precision: Precision::F32, values: Scalar::Single, rates: Scalar::Single };
        let mixed = |values| Self { precision: Precision::Mixed, values, ..single };
        let adapter = || gpu.name().to_owned();
        match (wish, long) {
            (Precision::F32, _) | (Precision::Auto, None) => Ok(single),
            (Precision::Mixed | Precision::Auto, Some(values)) => Ok(mixed(values)),
            (Precision::Mixed, None) => Err(GpuError::NoLongNumbers { adapter: adapter() }),
            (Precision::F64, Some(Scalar::Double)) => Ok(Self {
                precision: Precision::F64,
                values: Scalar::Double,
                rates: Scalar::Double,
            }),
            (Precision::F64, _) => Err(GpuError::NoDouble { adapter: adapter() }),
        }
    }

    /// In words, with the numbers of the residual where the tier leaves a choice.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match (self.precision, self.values) {
            (Precision::Mixed, Scalar::DoubleFloat) => "mixed (double-float residual)",
            (precision, _) => precision.word(),
        }
    }
}
