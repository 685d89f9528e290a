//! Training over a whole domain: the server's end of it, and what it shows.

use serde::{Deserialize, Serialize};
use sketchpde::field::gpu::Gpu;
use sketchpde::field::residual::ResidualError;
use sketchpde::optimize::OptimizeError;
use sketchpde::problem::ResidualProblem;
use sketchpde::session::{
    self, Checkpoint, Clock, Command, Maker, SavedState, SessionError, TrainingSession,
    TrainingSystem,
};

use super::server::LoadError;
use super::{Beginning, Load, Loaded, Mark, RunId, Update};

/// What a training shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingSnapshot {
    pub run: RunId,
    /// Where it computes now.
    pub place: Loaded,
    pub playing: bool,
    pub iteration: usize,
    /// The most there will be.
    pub iterations: usize,
    pub seconds: f64,
    /// Iterations from [`TrainingSnapshot::first`] on.
    pub points: Vec<TrainingPoint>,
    pub first: usize,
    /// The solution, where it is new and lies on a grid.
    pub field: Option<TrainingField>,
    /// Why it is over, in words.
    pub ended: Option<String>,
    /// What broke it off.
    pub failure: Option<String>,
    /// What the settings ask for beyond what the numbers can tell.
    pub warning: Option<String>,
}

/// One iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingPoint {
    pub iteration: usize,
    pub loss: f64,
    /// Relative L2 error, where it was measured.
    pub error: Option<f64>,
    /// Singular values that were kept; 0 for methods that have none.
    pub rank: usize,
}

/// The solution on a grid, in single precision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingField {
    /// Name and positions of each coordinate; the last one runs fastest.
    pub axes: Vec<(String, Vec<f64>)>,
    pub values: Vec<f32>,
    /// The exact solution, empty where there is none.
    pub exact: Vec<f32>,
}

/// Between two pictures of the solution, in seconds: it is evaluated at tens of thousands of points
/// for each.
const PICTURE_EVERY: f64 = 0.25;
/// Between two marks, in seconds, and over the time that one takes: what is lost when the solver
/// stops.
const MARK_EVERY: f64 = 0.5;
const MARK_SHARE: f64 = 50.0;

/// A training that is going on.
pub(super) struct Trainee {
    run: RunId,
    session: TrainingSession,
    clock: Clock,
    /// Iterations that it may take; `None`: until its end.
    left: Option<usize>,
    failure: Option<OptimizeError>,
    /// What a person should know of where it computes.
    told: Vec<String>,
    points_sent: usize,
    /// Iteration and wall time of the last picture.
    pictured: Option<(usize, f64)>,
    /// Iteration of the last mark, and the wall time from which on another one is due.
    marked: Option<(usize, f64)>,
    /// Iteration that was last looked at, and whether it moved then.
    seen: Option<(usize, bool)>,
}

impl Trainee {
    pub async fn new(
        problem: ResidualProblem,
        load: Load,
        clock: Clock,
    ) -> Result<Self, LoadError> {
        let system = TrainingSystem::choose(&problem, &load.backend).await?;
        let reason = system.reason();
        let told =
            reason.map(|why| format!("The GPU cannot take this problem, the CPU does: {why}"));
        let session = match &load.start {
            Beginning::Saved { state, .. } => match &**state {
                SavedState::Training(state) => {
                    TrainingSession::restore_on(system, &problem, state, clock).await?
                }
                other => {
                    let reason = format!("it stands {}", other.place());
                    return Err(SessionError::Saved { reason }.into());
                }
            },
            Beginning::Fit | Beginning::Fitted(_) => {
                TrainingSession::on(system, &problem, clock).await?
            }
        };
        Ok(Self {
            run: load.run,
            session,
            clock,
            left: (!load.playing).then_some(0),
            failure: None,
            told: told.into_iter().collect(),
            points_sent: 0,
            pictured: None,
            marked: None,
            seen: None,
        })
    }

    /// Commands about a time step mean nothing here.
    pub async fn obey(&mut self, command: &Command) -> Result<(), OptimizeError> {
        match command {
            Command::Play => self.left = None,
            Command::Pause => self.left = Some(0),
            Command::Step(count) => self.left = Some(*count),
            Command::Reset => {
                self.session.begin_anew().await?;
                self.failure = None;
                self.points_sent = 0;
                self.pictured = None;
                self.marked = None;
            }
            _ => {}
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.failure.is_none() && self.session.report().reason.is_none() && self.left != Some(0)
    }

    /// Iterates for about `budget` seconds, at least once where that is due.
    pub async fn advance(&mut self, budget: f64) -> session::Activity {
        let until = (self.clock)() + budget;
        while self.is_due() {
            if let Err(error) = self.session.iterate().await {
                self.failure = Some(error);
            }
            if self.has_lost_its_device() {
                self.leave_the_device().await;
                continue;
            }
            self.left = self.left.map(|left| left.saturating_sub(1));
            if (self.clock)() >= until {
                break;
            }
        }
        if self.is_due() { session::Activity::Busy } else { session::Activity::Idle }
    }

    /// The device in use, where it is no CPU.
    pub fn gpu(&self) -> Option<&Gpu> {
        self.session.gpu()
    }

    fn has_lost_its_device(&self) -> bool {
        let failure = self.failure.as_ref();
        matches!(failure, Some(OptimizeError::Residual(ResidualError::Device { .. })))
    }

    /// The device was lost or failed: goes on from the last iteration on the CPU.
    async fn leave_the_device(&mut self) {
        let reason = self.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        match self.session.go_on_on_cpu().await {
            Ok(()) => {
                self.failure = None;
                self.told.push(format!("{reason}. The training goes on, on the CPU."));
            }
            Err(error) => {
                self.told.push(format!("{reason}. It cannot go on on the CPU: {error}"));
                self.failure = Some(error);
            }
        }
    }

    /// What a person should know, once.
    pub fn tell(&mut self) -> Vec<Update> {
        self.told.drain(..).map(Update::Message).collect()
    }

    /// Whether it has come to where nobody has looked at it or marked it.
    pub fn is_unseen(&self) -> bool {
        let iteration = self.session.status().iteration;
        let marked = self.marked.is_some_and(|(known, _)| known == iteration);
        let unmarked = !marked && self.failure.is_none();
        self.seen != Some((iteration, self.is_due())) || unmarked
    }

    /// What is new, and a mark where one is due.
    pub fn show(&mut self, at_rest: bool) -> Vec<Update> {
        let shown = self.snapshot();
        let mark = self.mark(at_rest).map(|mark| Update::Mark(Box::new(mark)));
        [Some(shown), mark].into_iter().flatten().collect()
    }

    fn mark(&mut self, at_rest: bool) -> Option<Mark> {
        let (iteration, now) = (self.session.status().iteration, (self.clock)());
        let due = match self.marked {
            None => true,
            Some((known, _)) if known == iteration => false,
            Some((_, from)) => at_rest || now >= from,
        };
        if !due || self.failure.is_some() {
            return None;
        }
        let state = self.session.save();
        let took = (self.clock)() - now;
        self.marked = Some((iteration, now + MARK_EVERY.max(MARK_SHARE * took)));
        Some(Mark { run: self.run, state: SavedState::Training(state), deeds: 0 })
    }

    /// The training as a file, but for its story.
    pub fn checkpoint(&self) -> Checkpoint {
        let (maker, problem) =
            (Maker::of(&self.session.describe()), &self.session.problem().source);
        Checkpoint::new(maker, problem, SavedState::Training(self.session.save()))
    }

    fn snapshot(&mut self) -> Update {
        let status = self.session.status();
        let due = self.is_due();
        self.seen = Some((status.iteration, due));
        let records = &self.session.history().records;
        let first = self.points_sent.min(records.len());
        let points = records[first..].iter().map(|r| TrainingPoint {
            iteration: r.iteration,
            loss: r.loss,
            error: r.error,
            rank: r.rank,
        });
        let points: Vec<TrainingPoint> = points.collect();
        self.points_sent = records.len();
        let description = self.session.describe();
        let place = Loaded {
            run: self.run,
            backend: description.backend.to_owned(),
            device: description.device,
            precision: self.session.precision(),
        };
        let ended = self.session.report().reason.map(|reason| reason.describe().to_owned());
        Update::Training(Box::new(TrainingSnapshot {
            run: self.run,
            place,
            playing: self.left != Some(0),
            iteration: status.iteration,
            iterations: status.iterations,
            seconds: status.seconds,
            points,
            first,
            field: self.picture(status.iteration, due),
            ended,
            failure: self.failure.as_ref().map(ToString::to_string),
            warning: self.session.warning(),
        }))
    }

    fn picture(&mut self, iteration: usize, due: bool) -> Option<TrainingField> {
        let now = (self.clock)();
        let wanted = match self.pictured {
            None => true,
            Some((known, _)) if known == iteration => false,
            Some((_, since)) => !due || now - since >= PICTURE_EVERY,
        };
        if !wanted {
            return None;
        }
        self.pictured = Some((iteration, now));
        let field = self.session.field()?;
        let time = (field.times.len() > 1).then(|| ("t".to_owned(), field.times));
        let space = field.axes.into_iter().map(|axis| (axis.name, axis.values));
        let single = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
        Some(TrainingField {
            axes: time.into_iter().chain(space).collect(),
            values: single(field.values),
            exact: field.reference.map(single).unwrap_or_default(),
        })
    }
}
