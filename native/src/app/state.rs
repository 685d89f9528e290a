//! What the app knows and what is asked of it.

use sketchpde::problem::{Preset, Problem};
use sketchpde::session::Phase;

use super::training::Training;
use crate::link::{Backend, RunId};
use crate::mirror::Mirror;
use crate::setup::{FieldError, Setup};

/// Everything that the views show.
pub struct State {
    pub setup: Setup,
    pub mirror: Mirror,
    /// In place of the run in `mirror`, which is over then.
    pub training: Option<Training>,
    pub edit: Edit,
    pub notices: Vec<Notice>,
    pub panels: bool,
    pub tab: Tab,
    /// The kept frame that is looked at; `None`: the run as it is now.
    pub scrub: Option<usize>,
    pub shade: Shade,
    pub tools: Tools,
    pub speed: Speed,
    pub backend: Backend,
    /// The run that the solver was asked for and has not confirmed.
    pub awaited: Option<RunId>,
    /// A parameter or the solution was changed along the run: the reference is another run's.
    pub stale: bool,
    /// The run begins with a state that was drawn, not with the problem's.
    pub redrawn: bool,
    /// Seconds since the app began.
    pub now: f64,
    /// Why the app runs with less than it could.
    pub banner: Option<String>,
}

/// What is typed and does not count yet.
#[derive(Default)]
pub struct Edit {
    pub equation: String,
    pub initial: String,
    pub errors: Vec<FieldError>,
    /// A change that is right, and when it was typed: it counts when typing pauses.
    pub due: Option<f64>,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub text: String,
    pub since: f64,
    pub bad: bool,
}

/// What the narrow layout shows below the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Problem,
    Method,
    Trust,
    Network,
}

/// What the colours of a picture stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shade {
    #[default]
    Solution,
    Error,
}

/// What a person does with the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tools {
    /// Dragging draws the solution.
    pub draw: bool,
    /// Lines of equal value.
    pub contours: bool,
    /// Where a field over two coordinates is cut: the value of the second one.
    pub slice: Option<f64>,
}

/// How fast a run may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// From start to end in [`Speed::CALM`] seconds.
    #[default]
    Calm,
    Quick,
    Full,
}

impl Speed {
    const CALM: f64 = 14.0;
    const QUICK: f64 = 5.0;

    /// Simulated time per second.
    #[must_use]
    pub fn pace(self, problem: &Problem) -> Option<f64> {
        let span = problem.time.end - problem.time.start;
        match self {
            Self::Calm => Some(span / Self::CALM),
            Self::Quick => Some(span / Self::QUICK),
            Self::Full => None,
        }
    }
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Play,
    Pause,
    Step,
    Reset,
    Select(Preset),
    /// A problem that is trained over its whole domain.
    Train(Preset),
    /// A setting of the training, by its key in problem files.
    ChangeTraining {
        key: &'static str,
        value: String,
    },
    /// A setting, by its key in problem files.
    Change {
        key: String,
        value: String,
    },
    /// The equation or the initial state was edited.
    Typed,
    AddParameter(String),
    /// Pull the solution up or down around a place.
    Poke {
        place: Vec<f64>,
        height: f64,
    },
    /// The solution was drawn: places of the pointer, x and u.
    Drawn(Vec<[f32; 2]>),
    Tools(Tools),
    /// Another way to solve the same problem, by the key of one setting and its value.
    Race {
        key: &'static str,
        value: String,
    },
    EndRace,
    Look(Option<usize>),
    Shade(Shade),
    Speed(Speed),
    Backend(Backend),
    Tab(Tab),
    TogglePanels,
    ToggleTheme,
    Save(Saved),
    CopyLink,
    /// Choose a problem file.
    Browse,
    /// The contents of a problem file or a checkpoint.
    Open(Vec<u8>),
    Dismiss(usize),
}

/// What can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Problem,
    Checkpoint,
    Picture,
    /// The kept frames as a moving picture.
    Animation,
    History,
}

impl State {
    /// The frame looked at, or the latest.
    #[must_use]
    pub fn time(&self) -> f64 {
        let frames = &self.mirror.frames;
        let looked_at = self.scrub.and_then(|index| frames.times.get(index).copied());
        let status = self.mirror.status.as_ref();
        looked_at.unwrap_or_else(|| status.map_or(self.mirror.problem.time.start, |s| s.time))
    }

    /// Whether something goes on that pausing would stop.
    #[must_use]
    pub fn playing(&self) -> bool {
        match &self.training {
            Some(training) => training.playing(),
            None => {
                let over = matches!(self.mirror.phase(), Phase::Done | Phase::Failed);
                self.mirror.playing() && !over
            }
        }
    }

    #[must_use]
    pub fn error_of(&self, key: &str) -> Option<&FieldError> {
        self.edit.errors.iter().find(|error| error.key == key)
    }
}
