//! Arithmetic on the values of many points.
//!
//! By value: of two slices the compiler must assume that they overlap, and makes scalars.

use crate::scalar::Real;

/// `a b + c`.
#[inline(always)]
pub fn fma<T: Real, const L: usize>(a: [T; L], b: [T; L], c: [T; L]) -> [T; L] {
    let mut out = c;
    for l in 0..L {
        out[l] = a[l].fma(b[l], c[l]);
    }
    out
}

/// `a + b`.
#[inline(always)]
pub fn add<T: Real, const L: usize>(a: [T; L], b: [T; L]) -> [T; L] {
    let mut out = a;
    for l in 0..L {
        out[l] += b[l];
    }
    out
}

/// `factor a`.
#[inline(always)]
pub fn scale<T: Real, const L: usize>(factor: T, a: [T; L]) -> [T; L] {
    let mut out = a;
    for l in 0..L {
        out[l] *= factor;
    }
    out
}
