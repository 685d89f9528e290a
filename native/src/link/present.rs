//! A run that is going on, and what of it has been sent.

use std::ops::ControlFlow;

use sketchpde::evolve::EvolveError;
use sketchpde::problem::{Boundary, Problem, ReferenceKind};
use sketchpde::reference::{self, Reference};
use sketchpde::session::{
    self, Checkpoint, Clock, Command, Maker, Phase, Recording, Session, SessionError,
};

use super::deeds::{Deeds, What};
use super::stroke::redrawn;
use super::{FrameBlock, Loaded, Mark, RunId, Update};

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
    /// Step and wall time of the last mark.
    marked: Option<(usize, f64)>,
    deeds: Deeds,
    /// Whether the deeds have changed since they were shown.
    deeds_new: bool,
    /// Why something that was due could not be done.
    failures: Vec<SessionError>,
}

/// Between two marks, in seconds: what is lost when the solver stops.
const MARK_EVERY: f64 = 0.5;

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

    /// What is kept of the evolution that this is.
    pub fn record(&self) -> &Recording {
        self.session.recording().expect("a run of steps")
    }

    /// What a drawing side has to know of it at once.
    pub fn introduce(&self) -> Vec<Update> {
        let description = self.session.description();
        let loaded = Update::Loaded(Loaded {
            run: self.run,
            backend: description.backend.to_owned(),
            device: description.device.clone(),
            precision: description.precision.to_owned(),
        });
        [Some(loaded), self.wish_for_reference()].into_iter().flatten().collect()
    }

    fn wish_for_reference(&self) -> Option<Update> {
        let problem = self.record().problem();
        let (run, toml) = (self.run, problem.source.clone());
        (self.comparable && reference::kind(problem) == ReferenceKind::Spectral)
            .then_some(Update::ReferenceWanted { run, toml })
    }

    /// A closed form costs nothing: it is taken at once.
    fn take_closed_form(&mut self) {
        if self.comparable
            && let Some(exact) = closed_form(self.record().problem())
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
        if self.record().frames().len() <= 1 {
            // The run began anew.
            self.frames_sent = 0;
            self.reference_sent = 0;
            self.marked = None;
        }
        outcome
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
        let [x] = self.record().grid().axes() else { return Ok(()) };
        let coordinate = &self.record().problem().coordinates[0];
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
        matches!(failure, Some(SessionError::Evolve(EvolveError::Gpu(_))))
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
        let markable = matches!(phase, Phase::Steps | Phase::Done);
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
        let mark = self.new_mark(now, at_rest).map(|mark| Update::Mark(Box::new(mark)));
        let shown = [deeds, frames, Some(snapshot), mark].into_iter().flatten();
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
            Some((_, since)) => at_rest || now - since >= MARK_EVERY,
        };
        if !due || matches!(phase, Phase::Fit | Phase::Failed) {
            return None;
        }
        self.marked = Some((step, now));
        let (run, deeds) = (self.run, self.deeds.done.len());
        Some(Mark { run, state: self.session.mark()?, deeds })
    }

    /// The run as a file, but for its story; `None` where a failed fit left nothing to go on from.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let maker = Maker::of(&self.session.description());
        let problem = &self.record().problem().source;
        let (comparable, told) = (self.comparable, self.deeds.done.len());
        let checkpoint = Checkpoint::new(maker, problem, self.session.save()?);
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
