//! The browser's shell around the app: the same program as the desktop's, with the solver in a Web
//! Worker.
//!
//! One module serves two threads: the page calls [`start`], its workers call [`serve`]. Between
//! them pass the messages of [`sketchpde_native::link`] as bytes ([`line`]). What only JavaScript
//! can do stands in `page/page.js` ([`page::Page`]).

#![cfg(target_arch = "wasm32")]

mod clock;
mod inbox;
mod line;
mod link;
mod page;
mod platform;
mod probe;
mod shell;
mod worker;

pub use page::start;
pub use worker::serve;
