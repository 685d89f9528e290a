//! What passes between the drawing side and the solver, as plain data.
//!
//! - [`Request`] and [`Update`]: the messages, [`encode`] and [`decode`]: as bytes;
//! - [`Server`]: owns the session and answers requests; it has no thread and no clock of its own;
//! - [`Link`]: the drawing side's end; [`ThreadLink`] is the native one, with the server on a
//!   thread.
//!
//! A run goes on where a [`Mark`] was set, after a crash, or from a
//! [`Checkpoint`](sketchpde::session::Checkpoint). What a person does to it along the way is recorded
//! as [`Deeds`], which can be done again.
//!
//! While a run goes on, a snapshot is sent only when one is asked for, so that a slow drawing side is never flooded,
//! and whatever is sent is sent once: records and frames come as what was added since last time.

mod deeds;
mod encoding;
mod kept;
mod message;
mod pacing;
mod picture;
mod present;
mod race;
mod server;
mod stroke;
#[cfg(not(target_arch = "wasm32"))]
mod thread;
#[cfg(test)]
mod tests;

pub use deeds::{Deed, Deeds, What};
pub use encoding::{decode, encode};
pub use kept::Mark;
pub use message::{
    Activity, Backend, Beginning, Challenge, Fault, FrameBlock, Load, Loaded, Request, RunId,
    Update,
};
pub use picture::TrainingField;
pub use server::{LoadError, ReferenceResult, Server, find_reference};
#[cfg(not(target_arch = "wasm32"))]
pub use thread::ThreadLink;

/// The drawing side's end of the line to a [`Server`].
pub trait Link {
    /// Never waits.
    fn send(&mut self, request: Request);

    /// What has arrived since the last call, in order; never waits.
    fn poll(&mut self) -> Vec<Update>;
}
