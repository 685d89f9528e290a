//! The browser's shell around the app: the same program as the desktop's, with the solver in a Web
//! Worker.
//!
//! One module serves two threads: the page calls [`start`], its workers call [`serve`]. Between
//! them pass the messages of [`sketchpde_native::link`] as bytes ([`line`]). What only JavaScript
//! can do stands in `page/page.js` ([`page::Page`]).
//!
//! Without the feature `page`, and with shared memory, this is another module: the solver with a
//! pool of threads ([`pool`]), for workers of pages that may have them.

#![forbid(unsafe_code)]
#![cfg(target_arch = "wasm32")]

mod clock;
mod inbox;
mod line;
#[cfg(feature = "page")]
mod link;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "page")]
mod platform;
#[cfg(target_feature = "atomics")]
mod pool;
#[cfg(feature = "page")]
mod probe;
#[cfg(feature = "page")]
mod shell;
mod worker;

#[cfg(feature = "page")]
pub use page::start;
#[cfg(target_feature = "atomics")]
pub use pool::{join_pool, start_pool};
pub use worker::serve;
