//! What every floor stands on: number types, random numbers, bytes of files.

#![forbid(unsafe_code)]

pub mod scalar;
pub mod random;
pub mod bytes;
