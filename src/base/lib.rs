//! What every floor stands on: number types, random numbers, bytes of files.

pub mod scalar;
pub mod random;
pub mod bytes;
