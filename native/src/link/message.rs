//! The messages.

use serde::{Deserialize, Serialize};
pub use sketchpde::field::device::Backend;
use sketchpde::session::{Checkpoint, Command, SavedState, Snapshot};

use super::deeds::{Deed, Deeds};
use super::kept::Mark;
use super::picture::TrainingField;

/// Number of a run, chosen by the drawing side and counted up from 1, so that late answers that belong
/// to an earlier run are recognised.
pub type RunId = u64;

/// From the drawing side to the solver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request {
    /// Replace the run by another one, of either family. If that fails, the present one goes on.
    Load(Box<Load>),
    /// Answered by [`Update::Saved`], or by a message where there is nothing to save.
    Save,
    /// For the present run.
    Command(Command),
    /// Make the solution follow a line that was drawn: places of the pointer, x and u.
    Draw(Vec<[f32; 2]>),
    /// Answered by [`Update::Frames`], where there are new ones, then [`Update::Snapshot`]. A run
    /// that comes to rest, or gets its reference, shows itself without being asked.
    Snapshot,
    /// At most this much simulated time per second of wall time; `None`: as fast as it goes.
    SetPace(Option<f64>),
    /// Set up a rival of the present run and send both back to the start: the same problem from the
    /// same fitted parameters, solved in another way. From then on both get the same wall time, and
    /// every snapshot comes with an [`Update::Rival`].
    Race(Box<Challenge>),
    /// End the race; the present run stays as it is.
    EndRace,
    /// Fail, for tests of what happens then.
    Fault(Fault),
    /// The answer to [`Update::ReferenceWanted`]: a spectral solution, encoded, or why there is
    /// none.
    Reference { run: RunId, solution: Result<Vec<u8>, String> },
}

/// A run to set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    pub run: RunId,
    /// The problem file with every change applied ([`sketchpde::problem::ProblemFile::source`]).
    pub toml: String,
    pub backend: Backend,
    /// Where to begin; what belongs to another network is refused.
    pub start: Beginning,
    /// What was done to the run, in the order of its steps: to be done again, but for the first
    /// [`Load::done`], which the start contains.
    pub deeds: Vec<Deed>,
    pub done: usize,
    /// Whether to begin at once.
    pub playing: bool,
}

/// Where a run begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Beginning {
    /// With the initial fit, or one that is remembered.
    #[default]
    Fit,
    /// With parameters of the fitted network, which spare the fit.
    Fitted(Vec<f64>),
    /// In the middle; `comparable` where nothing was changed on the way.
    Saved { state: Box<SavedState>, comparable: bool },
}

/// A way to solve the problem of the present run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// The problem file; its network, points and initial state must be those of the present run.
    pub toml: String,
    pub backend: Backend,
}

/// What can happen to a solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// An internal error.
    Panic,
    /// The GPU device is gone, as after a crash of its driver; nothing where there is none.
    LostDevice,
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

/// From the solver to the drawing side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Update {
    /// The run asked for is there. Everything after this belongs to it.
    Loaded(Loaded),
    Frames(FrameBlock),
    Snapshot(Box<Snapshot>),
    /// Of the other run of a race; its solution is on the same grid.
    Rival(Box<Snapshot>),
    /// There is no rival, and why.
    NoRace(String),
    /// The solution of a training, where it is new and lies on a grid.
    Picture(Box<TrainingField>),
    /// What has been done to the run so far; sent when that has changed.
    Deeds(Deeds),
    /// A place from which the run can go on. Sent now and then, and whenever the run comes to rest.
    Mark(Box<Mark>),
    /// The run as a file, but for its story.
    Saved(Box<Checkpoint>),
    /// The solver has ended and a new one is ready: what it was asked before is lost.
    Stopped(String),
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    pub run: RunId,
    /// `cpu` or `gpu`.
    pub backend: String,
    pub device: String,
    /// Tier: `f32`, `mixed` or `f64`; of a training in words, with the change of tier where there was
    /// one.
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
