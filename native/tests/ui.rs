//! The app as a person uses it: found by label, clicked, typed into, and looked at.

#[path = "ui/support.rs"]
mod support;
#[path = "ui/controls.rs"]
mod controls;
#[path = "ui/pictures.rs"]
mod pictures;
#[path = "ui/tools.rs"]
mod tools;
