//! The two floating-point types that the CPU kernels are written for.

mod elementary;

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use pulp::Simd;

/// `f32` or `f64`: what the kernels need of a real number and nothing more.
pub trait Real:
    Copy
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + bytemuck::Pod
    + 'static
{
    /// Unit round-off as the language defines it: the gap between 1 and the next number.
    const EPSILON: f64;
    /// Points that the CPU kernels take together: one 512-bit register.
    const LANES: usize;
    const ZERO: Self;
    const ONE: Self;
    /// One register of the instruction set S.
    type Vector<S: Simd>: bytemuck::Pod;
    /// `"f32"` or `"f64"`, as results report it.
    const NAME: &'static str;

    fn of(value: f64) -> Self;
    fn to_f64(self) -> f64;
    /// `self * a + b` with one rounding where the target has the instruction.
    fn fma(self, a: Self, b: Self) -> Self;
    fn magnitude(self) -> Self;
    fn root(self) -> Self;
    fn sine(self) -> Self;
    fn cosine(self) -> Self;
    fn hyperbolic_tangent(self) -> Self;
    fn exponential(self) -> Self;
    fn is_normal_number(self) -> bool;

    /// The same number in all lanes of a register.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a + b`, lane by lane.
    fn add_vectors<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a * b + c`, lane by lane, with one rounding where the target has the instruction.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
}

macro_rules! real {
    ($type:ident, $tanh:ident, $vector:ident, $splat:ident, $add:ident, $multiply_add:ident) => {
        impl Real for $type {
            const EPSILON: f64 = $type::EPSILON as f64;
            const LANES: usize = 64 / size_of::<$type>();
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = stringify!($type);
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                if cfg!(target_arch = "wasm32") {
                    // There is no such instruction, and the function that stands for it is some
                    // fifty times slower than a product and a sum.
                    self * a + b
                } else {
                    self.mul_add(a, b)
                }
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn sine(self) -> Self {
                self.sin()
            }
            #[inline(always)]
            fn cosine(self) -> Self {
                self.cos()
            }
            #[inline(always)]
            fn hyperbolic_tangent(self) -> Self {
                elementary::$tanh(self)
            }
            #[inline(always)]
            fn exponential(self) -> Self {
                self.exp()
            }
            #[inline(always)]
            fn is_normal_number(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }
            #[inline(always)]
            fn add_vectors<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn multiply_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$multiply_add(a, b, c)
            }
        }
    };
}

real!(f32, tanh_f32, f32s, splat_f32s, add_f32s, mul_add_e_f32s);
real!(f64, tanh_f64, f64s, splat_f64s, add_f64s, mul_add_e_f64s);
