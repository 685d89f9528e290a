//! The messages.

use serde::{Deserialize, Serialize};
use sketchpde::evolve::BackendChoice;
use sketchpde::session::{Command, Snapshot};

/// Number of a run, chosen by the drawing side and counted up from 1, so that late answers that belong
/// to an earlier run are recognised.
pub type RunId = u64;

/// From the drawing side to the solver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request {
    /// Replace the run by another one. If that fails, the present one goes on.
    Load(Box<Load>),
    /// For the present run.
    Command(Command),
    /// Answered by [`Update::Frames`], where there are new ones, then [`Update::Snapshot`]. A run
    /// that comes to rest, or gets its reference, shows itself without being asked.
    Snapshot,
    /// At most this much simulated time per second of wall time; `None`: as fast as it goes.
    SetPace(Option<f64>),
    /// The answer to [`Update::ReferenceWanted`]: a spectral solution, encoded, or why there is
    /// none.
    Reference { run: RunId, solution: Result<Vec<u8>, String> },
}

/// A run to set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    pub run: RunId,
    /// The problem file with every change applied ([`sketchpde::problem::Problem::source`]).
    pub toml: String,
    pub backend: Backend,
    /// Parameters of the fitted network, to spare the fit; wrong ones are refused.
    pub start: Option<Vec<f64>>,
    /// Whether to begin at once.
    pub playing: bool,
}

/// What the server wants from whoever drives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activity {
    /// To be advanced again at once.
    Busy,
    /// To be advanced again after this many seconds, or when a request comes.
    Resting(f64),
    /// Nothing to do until a request comes.
    Idle,
}

/// Where to compute; see [`BackendChoice`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    #[default]
    Auto,
    Cpu,
    /// By name (a part of it), or any.
    Gpu(Option<String>),
}

impl From<Backend> for BackendChoice {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Auto => Self::Auto,
            Backend::Cpu => Self::Cpu,
            Backend::Gpu(name) => Self::Gpu(name),
        }
    }
}

/// From the solver to the drawing side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Update {
    /// The run asked for is there. Everything after this belongs to it.
    Loaded(Loaded),
    Frames(FrameBlock),
    Snapshot(Box<Snapshot>),
    /// Whoever drives the server should call [`super::find_reference`], anywhere but on the
    /// drawing side's thread, and send [`Request::Reference`].
    ReferenceWanted {
        run: RunId,
        toml: String,
    },
    /// Something worth telling the person; the run goes on.
    Message(String),
    /// The run asked for cannot be set up; the one before goes on.
    Refused {
        run: RunId,
        message: String,
    },
}

/// Where a run computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    pub run: RunId,
    /// `cpu` or `gpu`.
    pub backend: String,
    pub device: String,
    /// Tier: `f32`, `mixed` or `f64`.
    pub precision: String,
}

/// Frames of the run that are new, in single precision: enough for pictures.
///
/// What the receiver holds from `first` (and from `first_reference`) on is to be dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameBlock {
    pub first: usize,
    pub times: Vec<f64>,
    /// One row per time.
    pub values: Vec<f32>,
    /// The reference is known later than the frames, so it is counted for itself.
    pub first_reference: usize,
    pub reference: Vec<f32>,
}
