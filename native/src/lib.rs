//! The sketchpde app: one egui program, for the desktop and for a browser tab.
//!
//! The drawing side never touches the solver. It talks over a [`link::Link`] to a
//! [`link::Server`], which lives on a thread of its own natively and in a worker in a page, and
//! which adds no mathematics to the session that it owns.

pub mod link;
