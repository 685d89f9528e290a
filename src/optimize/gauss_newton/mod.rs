//! Natural-gradient methods: directions from the linearised residual `r + J d`.

mod adapted;
pub(super) mod anagram;
pub(super) mod engd;
pub(super) mod kernel;
pub(super) mod nystrom;
pub(super) mod sngd;
pub(super) mod spring;

/// Bytes of the largest matrix that a method may hold.
pub(super) const MEMORY_LIMIT: usize = 1 << 31;
