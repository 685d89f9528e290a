//! The sketchpde app: one egui program, for the desktop and for a browser tab.
//!
//! The drawing side never touches the solver. It talks over a [`link::Link`] to a
//! [`link::Server`], which lives on a thread of its own natively and in a worker in a page, and
//! which adds no mathematics to the session that it owns.
//!
//! In reading order:
//!
//! - [`link`]: the messages, the server, the thread;
//! - [`setup`]: what is to be solved: a problem file and the changes made to it, as a link too;
//! - [`mirror`]: the drawing side's copy of the run;
//! - [`theme`], `widgets`, `views`: what it looks like;
//! - [`app`]: the app itself; [`platform`]: what it needs of its surroundings; [`export`]: what
//!   can be saved.
//!
//! Without the feature `app` there is the link alone, for a worker that draws nothing.

#![forbid(unsafe_code)]

pub mod link;
#[cfg(feature = "app")]
pub mod setup;
#[cfg(feature = "app")]
pub mod mirror;
#[cfg(feature = "app")]
pub mod theme;
#[cfg(feature = "app")]
pub mod platform;
#[cfg(feature = "app")]
mod widgets;
#[cfg(feature = "app")]
mod views;
#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "app")]
pub mod export;

#[cfg(feature = "app")]
pub use app::{App, Options, prepare, prepare_shell};
#[cfg(feature = "app")]
pub use eframe::egui_wgpu::wgpu::TextureFormat;
#[cfg(feature = "app")]
pub use platform::Platform;
