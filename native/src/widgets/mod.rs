//! Small pieces that the views are made of.

mod button;
mod card;
pub mod chart;
mod choice;
pub mod format;
mod slider;

pub use button::{Glyph, glyph_button};
pub use card::{card, caution, hint};
pub use choice::choice;
pub use slider::{Commit, Range, setting};
