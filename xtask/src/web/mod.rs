//! The browser app: its compiler, its site, a server for it and its tests.

mod build;
mod debian;
mod npm;
mod serve;
mod test;
mod threads;
mod toolchain;

pub use build::{Options, build};
pub use serve::serve;
pub use test::{test, tools};
