//! A run that is going on, and what of it has been sent.

use std::ops::ControlFlow;

use sketchpde::evolve::EvolveError;
use sketchpde::field::residual::ResidualError;
use sketchpde::optimize::OptimizeError;
use sketchpde::problem::{Boundary, Problem, ReferenceKind};
use sketchpde::reference::{self, Reference};
use sketchpde::session::{
    self, Checkpoint, Clock, Command, Course, Maker, Phase, Session, SessionError,
};

use super::deeds::{Deeds, What};
use super::stroke::redrawn;
use super::{FrameBlock, Loaded, Mark, RunId, TrainingField, Update};

/// A session and how much of it the drawing side knows.
pub(super) struct Present {
    pub run: RunId,
    pub session: Session,
    /// What its fit depends on, until the fit is remembered.
    pub fit: Option<Vec<u8>>,
    /// Whether the problem's reference is a reference of this run.
    comparable: bool,
    frames_sent: usize,
    reference_sent: usize,
    /// Where the run stood when it was last looked at.
    seen: Option<(Phase, usize)>,
    /// Step of the last mark, and the wall time from which on another one is due.
    marked: Option<(usize, f64)>,
    /// Iteration and wall time of the last picture of a training.
    pictured: Option<(usize, f64)>,
    deeds: Deeds,
    /// Whether the deeds have changed since they were shown.
    deeds_new: bool,
    /// Why something that was due could not be done.
    failures: Vec<SessionError>,
}

/// Between two marks, in seconds, and over the time that one takes: what is lost when the solver
/// stops.
const MARK_EVERY: f64 = 0.5;
const MARK_SHARE: f64 = 50.0;
/// Between two pictures of a training, in seconds: each is evaluated at tens of thousands of points.
const PICTURE_EVERY: f64 = 0.25;

impl Present {
    pub fn new(run: RunId, session: Session, fit: Option<Vec<u8>>, comparable: bool) -> Self {
        let mut present = Self {
            run,
            session,
            fit,
            comparable,
            frames_sent: 0,
            reference_sent: 0,
            seen: None,
            marked: None,
            pictured: None,
            deeds: Deeds::default(),
            deeds_new: false,
            failures: Vec::new(),
        };
        present.take_closed_form();
        present
    }

    /// With what was done to the run, and is to be done again.
    pub fn with_deeds(mut self, deeds: Deeds) -> Self {
        self.deeds_new = deeds != Deeds::default();
        self.deeds = deeds;
        self
    }

    /// What a drawing side has to know of it at once.
    pub fn introduce(&self) -> Vec<Update> {
        let description = self.session.description();
        let loaded = Update::Loaded(Loaded {
            run: self.run,
            backend: description.backend.to_owned(),
            device: description.device.clone(),
            precision: self.session.precision(),
        });
        [Some(loaded), self.wish_for_reference()].into_iter().flatten().collect()
    }

    fn wish_for_reference(&self) -> Option<Update> {
        let problem = self.session.recording()?.problem();
        let (run, toml) = (self.run, problem.source.clone());
        (self.comparable && reference::kind(problem) == ReferenceKind::Spectral)
            .then_some(Update::ReferenceWanted { run, toml })
    }

    /// A closed form costs nothing: it is taken at once.
    fn take_closed_form(&mut self) {
        if self.comparable
            && let Some(record) = self.session.recording()
            && let Some(exact) = closed_form(record.problem())
        {
            self.session.set_reference(exact);
        }
    }

    pub fn comparable(&self) -> bool {
        self.comparable
    }

    pub async fn obey(&mut self, command: Command) -> Result<(), SessionError> {
        let departs = command.changes_the_equation()
            || matches!(command, Command::Disturb { .. } | Command::Redraw { .. });
        let (_, step) = self.position();
        let outcome = self.session.obey(command.clone()).await;
        if outcome.is_ok() {
            if departs {
                self.comparable = false;
                self.marked = None;
            }
            self.note(step, command);
        }
        if self.is_at_its_beginning() {
            // The run may have begun anew.
            self.frames_sent = 0;
            self.reference_sent = 0;
            self.marked = None;
            self.pictured = None;
        }
        outcome
    }

    fn is_at_its_beginning(&self) -> bool {
        match self.session.course() {
            Some(Course::Evolution(record)) => record.frames().len() <= 1,
            Some(Course::Training(training)) => training.history().records.is_empty(),
            None => true,
        }
    }

    fn note(&mut self, step: usize, command: Command) {
        let before = self.deeds.done.len();
        let refitted = self.session.status().phase == Phase::Fit;
        match command {
            Command::Reset => self.deeds.go_back(),
            Command::Set(_) if refitted && command.changes_the_equation() => {
                self.deeds.begin_anew();
                self.deeds.note(0, What::Command(command));
            }
            command => {
                let what = What::Command(command);
                self.deeds_new |= what.is_setting();
                self.deeds.note(step, what);
            }
        }
        self.deeds_new |= self.deeds.done.len() != before;
    }

    /// Makes the solution follow a line that was drawn.
    pub async fn draw(&mut self, stroke: Vec<[f32; 2]>) -> Result<(), SessionError> {
        let (_, step) = self.position();
        let Some(record) = self.session.recording() else { return Ok(()) };
        let [x] = record.grid().axes() else { return Ok(()) };
        let coordinate = &record.problem().coordinates[0];
        let periodic = matches!(coordinate.boundary, Boundary::Periodic);
        let places: Vec<[f64; 2]> = stroke.iter().map(|place| place.map(f64::from)).collect();
        let Some(values) = redrawn(x, &self.session.evaluate(), &places, periodic) else {
            return Ok(());
        };
        self.obey(Command::Redraw { values }).await?;
        self.deeds.note(step, What::Draw(stroke));
        self.deeds_new = true;
        Ok(())
    }

    /// Does again what is due at this step.
    async fn catch_up(&mut self) {
        while let (Phase::Steps, step) = self.position()
            && let Some(what) = self.deeds.take_due(step)
        {
            let outcome = match what {
                What::Command(command) => self.obey(command).await,
                What::Draw(stroke) => self.draw(stroke).await,
            };
            self.deeds_new = true;
            self.failures.extend(outcome.err());
        }
    }

    pub fn set_reference(&mut self, reference: Reference) {
        self.reference_sent = 0;
        self.session.set_reference(reference);
    }

    /// Whether it ended because the device was lost or failed.
    pub fn has_lost_its_device(&self) -> bool {
        let failure = self.session.failure();
        matches!(
            failure,
            Some(
                SessionError::Evolve(EvolveError::Gpu(_))
                    | SessionError::Training(OptimizeError::Residual(ResidualError::Device { .. }))
            )
        )
    }

    /// Goes on from its last state on the CPU, as a run that has shown nothing yet.
    pub async fn leave_the_device(&mut self) -> Result<(), SessionError> {
        self.session.go_on_on_cpu().await?;
        (self.frames_sent, self.reference_sent) = (0, 0);
        (self.seen, self.marked) = (None, None);
        self.deeds_new = true;
        Ok(())
    }

    /// Works for about `budget` seconds; what is to be done again is done at its step.
    pub async fn advance(&mut self, budget: f64, clock: Clock) -> session::Activity {
        let until = clock() + budget;
        loop {
            self.catch_up().await;
            if self.deeds.due.is_empty() {
                return self.session.advance((until - clock()).max(0.0)).await;
            }
            // No budget: one step.
            let activity = self.session.advance(0.0).await;
            if activity == session::Activity::Idle || clock() >= until {
                return activity;
            }
        }
    }

    /// Whether it has come to where nobody has looked at it or marked it.
    pub fn is_unseen(&self) -> bool {
        let (phase, step) = self.position();
        let markable = matches!(phase, Phase::Steps | Phase::Training | Phase::Done);
        let marked = self.marked.is_some_and(|(known, _)| known == step);
        self.seen != Some((phase, step)) || (markable && !marked)
    }

    /// As [`Present::is_unseen`] for a rival, of which no mark is kept.
    pub fn is_unseen_as_rival(&self) -> bool {
        self.seen != Some(self.position())
    }

    /// What is new, then the snapshot, and a mark where one is due at the wall time `now`.
    pub fn show(&mut self, now: f64, at_rest: bool) -> Vec<Update> {
        let snapshot = Update::Snapshot(Box::new(self.session.snapshot()));
        self.seen = Some(self.position());
        let deeds = std::mem::take(&mut self.deeds_new).then(|| {
            let deeds = self.deeds.clone();
            self.deeds.redone.clear();
            Update::Deeds(deeds)
        });
        let failures: Vec<Update> =
            self.failures.drain(..).map(|error| Update::Message(error.to_string())).collect();
        let frames = self.new_frames().map(Update::Frames);
        let picture = self.new_picture(now).map(|field| Update::Picture(Box::new(field)));
        let mark = self.new_mark(now, at_rest).map(|mark| Update::Mark(Box::new(mark)));
        let shown = [deeds, frames, picture, Some(snapshot), mark].into_iter().flatten();
        shown.chain(failures).collect()
    }

    /// The snapshot alone: of a rival there is no picture in space and time.
    pub fn show_as_rival(&mut self) -> Update {
        self.seen = Some(self.position());
        Update::Rival(Box::new(self.session.snapshot()))
    }

    fn position(&self) -> (Phase, usize) {
        let status = self.session.status();
        (status.phase, status.step)
    }

    fn new_mark(&mut self, now: f64, at_rest: bool) -> Option<Mark> {
        let (phase, step) = self.position();
        let due = match self.marked {
            None => true,
            Some((known, _)) if known == step => false,
            Some((_, from)) => at_rest || now >= from,
        };
        if !due || matches!(phase, Phase::Fit | Phase::Failed) {
            return None;
        }
        let (run, deeds, state) = (self.run, self.deeds.done.len(), self.session.mark()?);
        let took = (self.session.clock())() - now;
        self.marked = Some((step, now + MARK_EVERY.max(MARK_SHARE * took)));
        Some(Mark { run, state, deeds })
    }

    fn new_picture(&mut self, now: f64) -> Option<TrainingField> {
        let training = self.session.training()?;
        let iteration = training.history().records.len();
        let wanted = match self.pictured {
            None => true,
            Some((known, _)) if known == iteration => false,
            Some((_, since)) => !self.session.is_due() || now - since >= PICTURE_EVERY,
        };
        if !wanted {
            return None;
        }
        self.pictured = Some((iteration, now));
        TrainingField::of(training)
    }

    /// The run as a file, but for its story; `None` where a failed fit left nothing to go on from.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let maker = Maker::of(&self.session.description());
        let (comparable, told) = (self.comparable, self.deeds.done.len());
        let checkpoint = Checkpoint::new(maker, self.session.source(), self.session.save()?);
        Some(Checkpoint { comparable, told, ..checkpoint })
    }

    /// What was not sent yet; `None` where there is nothing.
    fn new_frames(&mut self) -> Option<FrameBlock> {
        let frames = self.session.recording()?.frames();
        let points = frames.points().max(1);
        let (first, first_reference) = (self.frames_sent, self.reference_sent);
        let known = frames.reference().len() / points;
        // A reference that was dropped is dropped over there too.
        let first_reference = first_reference.min(known);
        if first == frames.len() && first_reference == known && known == self.reference_sent {
            return None;
        }
        self.frames_sent = frames.len();
        self.reference_sent = known;
        let single = |values: &[f64]| values.iter().map(|&v| v as f32).collect();
        Some(FrameBlock {
            first,
            times: frames.times()[first..].to_vec(),
            values: single(&frames.values()[first * points..]),
            first_reference,
            reference: single(&frames.reference()[first_reference * points..]),
        })
    }
}

/// The exact solution, as a formula or along characteristics, where the problem has one.
fn closed_form(problem: &Problem) -> Option<Reference> {
    let immediate = [ReferenceKind::Exact, ReferenceKind::Characteristics, ReferenceKind::Gaussian];
    if !immediate.contains(&reference::kind(problem)) {
        return None;
    }
    Reference::of(problem, &|_| ControlFlow::Continue(())).ok().flatten()
}
