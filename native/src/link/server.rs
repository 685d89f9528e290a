//! The solver's end: a session, and what it was asked.

use std::ops::ControlFlow;

use sketchpde::evolve::initial_fit::fit_key;
use sketchpde::evolve::{Engine, EvolveError};
use sketchpde::problem::{Overrides, Problem, ProblemErrors, ReferenceKind};
use sketchpde::reference::{self, Reference, ReferenceError, SpectralSolution};
use sketchpde::session::{self, Clock, Command, Options, Phase, Session, SessionError, Start};

use super::pacing::Pacing;
use super::{Activity, Backend, FrameBlock, Load, Loaded, Request, RunId, Update};

/// Frames that a run keeps: one per pixel column of the space-time picture is enough.
const FRAMES: usize = 400;
/// Fits that are remembered, so that going back to a problem costs nothing.
const FITS: usize = 16;

/// Why a run cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error(transparent)]
    Problem(#[from] ProblemErrors),
    #[error(transparent)]
    Engine(#[from] EvolveError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Owns the session; see the module's description.
pub struct Server {
    clock: Clock,
    pacing: Pacing,
    present: Option<Present>,
    /// What the fits depend on and their parameters, latest last.
    fits: Vec<(Vec<u8>, Vec<f64>)>,
}

/// The run that is going on.
struct Present {
    run: RunId,
    session: Session,
    fit: Option<Vec<u8>>,
    frames_sent: usize,
    reference_sent: usize,
    /// Where the run stood when it was last looked at.
    seen: Option<(Phase, usize)>,
}

impl Server {
    /// `clock`: seconds since some fixed moment.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, pacing: Pacing::default(), present: None, fits: Vec::new() }
    }

    /// The run that is going on.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.present.as_ref().map(|present| &present.session)
    }

    /// Answers a request; what is wrong with it comes back as a message, and the run goes on.
    pub async fn handle(&mut self, request: Request) -> Vec<Update> {
        match request {
            Request::Load(load) => self.load(*load).await,
            Request::Command(command) => self.command(command).await,
            Request::Snapshot => self.snapshot(),
            Request::SetPace(rate) => {
                self.pacing.set_rate(rate);
                Vec::new()
            }
            Request::Reference { run, solution } => self.take_reference(run, solution),
        }
    }

    /// Works for about `budget` seconds, less where the run is ahead of its pace.
    pub async fn advance(&mut self, budget: f64) -> (Activity, Vec<Update>) {
        let Some(present) = &mut self.present else { return (Activity::Idle, Vec::new()) };
        let status = present.session.status();
        if status.phase == Phase::Steps && status.playing {
            let rest = self.pacing.rest((self.clock)(), status.time);
            if rest > 0.0 {
                return (Activity::Resting(rest), Vec::new());
            }
        }
        let activity = match present.session.advance(budget).await {
            session::Activity::Busy => Activity::Busy,
            session::Activity::Idle => Activity::Idle,
        };
        if present.session.status().phase != Phase::Fit
            && let Some(key) = present.fit.take()
        {
            let fitted = present.session.fitted().to_vec();
            remember(&mut self.fits, key, fitted);
        }
        let lost = matches!(
            self.session().and_then(Session::failure),
            Some(SessionError::Evolve(EvolveError::Gpu(_)))
        );
        if lost {
            return (Activity::Busy, self.leave_the_device().await);
        }
        (activity, self.settled(activity))
    }

    /// A run that comes to rest shows itself once without being asked.
    fn settled(&mut self, activity: Activity) -> Vec<Update> {
        let unseen =
            self.present.as_ref().is_some_and(|present| present.seen != Some(present.position()));
        if activity == Activity::Idle && unseen { self.snapshot() } else { Vec::new() }
    }

    async fn load(&mut self, load: Load) -> Vec<Update> {
        let run = load.run;
        match self.set_up(load).await {
            Ok((present, loaded, toml)) => {
                self.pacing.restart();
                let mut updates = vec![Update::Loaded(loaded)];
                updates.extend(wish_for_reference(&present.session, run, toml));
                self.present = Some(present);
                if let Some(present) = &mut self.present {
                    take_closed_form(&mut present.session);
                }
                updates
            }
            Err(error) => vec![Update::Refused { run, message: error.to_string() }],
        }
    }

    async fn set_up(&self, load: Load) -> Result<(Present, Loaded, String), LoadError> {
        let problem = Problem::from_toml(&load.toml, &Overrides::new())?;
        let key = fit_key(&problem);
        let known = self.fits.iter().find(|(known, _)| *known == key).map(|(_, fit)| fit.clone());
        let start = load.start.or(known);
        let fit = start.is_none().then_some(key);
        let start = start.map_or(Start::Fit, Start::Fitted);
        let engine = Engine::new(&problem, &load.backend.into()).await?;
        let options = Options { start, frames: FRAMES, clock: self.clock };
        let mut session = Session::new(problem, engine, options).await?;
        if !load.playing {
            session.obey(Command::Pause).await?;
        }
        let loaded = describe(&session, load.run);
        let present =
            Present { run: load.run, session, fit, frames_sent: 0, reference_sent: 0, seen: None };
        Ok((present, loaded, load.toml))
    }

    async fn command(&mut self, command: Command) -> Vec<Update> {
        let Some(present) = &mut self.present else { return Vec::new() };
        self.pacing.restart();
        let outcome = present.session.obey(command).await;
        let frames = present.session.frames();
        if frames.len() <= 1 {
            // The run began anew.
            present.frames_sent = 0;
            present.reference_sent = 0;
        }
        outcome.err().map(|error| Update::Message(error.to_string())).into_iter().collect()
    }

    fn snapshot(&mut self) -> Vec<Update> {
        let Some(present) = &mut self.present else { return Vec::new() };
        let snapshot = Update::Snapshot(Box::new(present.session.snapshot()));
        present.seen = Some(present.position());
        match present.new_frames() {
            Some(block) => vec![Update::Frames(block), snapshot],
            None => vec![snapshot],
        }
    }

    fn take_reference(&mut self, run: RunId, solution: Result<Vec<u8>, String>) -> Vec<Update> {
        let Some(present) = self.present.as_mut().filter(|present| present.run == run) else {
            return Vec::new();
        };
        let decoded =
            solution.and_then(|bytes| SpectralSolution::decode(&bytes).map_err(|e| e.to_string()));
        match decoded {
            Ok(solution) => {
                present.reference_sent = 0;
                present.session.set_reference(Reference::Spectral(solution));
                self.snapshot()
            }
            Err(error) => vec![Update::Message(format!("No errors will be measured: {error}"))],
        }
    }

    /// The device was lost: the run goes on from its last state on the CPU.
    async fn leave_the_device(&mut self) -> Vec<Update> {
        let Some(lost) = self.present.take() else { return Vec::new() };
        let reason = lost.session.failure().map(ToString::to_string).unwrap_or_default();
        match self.go_on(&lost).await {
            Ok(mut present) => {
                take_closed_form(&mut present.session);
                let loaded = describe(&present.session, lost.run);
                let toml = present.session.problem().source.clone();
                let mut updates = vec![
                    Update::Message(format!("{reason}. The run goes on, on the CPU.")),
                    Update::Loaded(loaded),
                ];
                updates.extend(wish_for_reference(&present.session, lost.run, toml));
                self.present = Some(present);
                updates
            }
            Err(error) => {
                self.present = Some(lost);
                vec![Update::Message(format!("{reason}. It cannot go on on the CPU: {error}"))]
            }
        }
    }

    async fn go_on(&self, lost: &Present) -> Result<Present, LoadError> {
        let problem = lost.session.problem().clone();
        let engine = Engine::new(&problem, &Backend::Cpu.into()).await?;
        let start = match lost.session.save() {
            Some(saved) => Start::Saved(saved),
            None => Start::Fit,
        };
        let options = Options { start, frames: FRAMES, clock: self.clock };
        let session = Session::new(problem, engine, options).await?;
        Ok(Present {
            run: lost.run,
            session,
            fit: lost.fit.clone(),
            frames_sent: 0,
            reference_sent: 0,
            seen: None,
        })
    }
}

impl Present {
    fn position(&self) -> (Phase, usize) {
        let status = self.session.status();
        (status.phase, status.step)
    }

    /// What was not sent yet; `None` where there is nothing.
    fn new_frames(&mut self) -> Option<FrameBlock> {
        let frames = self.session.frames();
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

fn describe(session: &Session, run: RunId) -> Loaded {
    let description = session.description();
    Loaded {
        run,
        backend: description.backend.to_owned(),
        device: description.device.clone(),
        precision: description.precision.to_owned(),
    }
}

fn remember(fits: &mut Vec<(Vec<u8>, Vec<f64>)>, key: Vec<u8>, fitted: Vec<f64>) {
    if fitted.is_empty() {
        return;
    }
    if fits.len() == FITS {
        fits.remove(0);
    }
    fits.push((key, fitted));
}

/// A closed form costs nothing: it is taken at once.
fn take_closed_form(session: &mut Session) {
    if reference::kind(session.problem()) == ReferenceKind::Exact
        && let Ok(Some(exact)) = Reference::of(session.problem(), &|_| ControlFlow::Continue(()))
    {
        session.set_reference(exact);
    }
}

fn wish_for_reference(session: &Session, run: RunId, toml: String) -> Option<Update> {
    (reference::kind(session.problem()) == ReferenceKind::Spectral)
        .then_some(Update::ReferenceWanted { run, toml })
}

/// What [`find_reference`] gives: an encoded solution, or why there is none.
pub type ReferenceResult = Result<Vec<u8>, String>;

/// The spectral reference of a problem file, encoded for [`Request::Reference`]. Takes up to
/// seconds; `go_on` is asked now and then and can call it off.
///
/// # Errors
/// Why there is none, in words, as [`Request::Reference`] carries it.
pub fn find_reference(toml: &str, go_on: &dyn Fn() -> bool) -> ReferenceResult {
    let problem = Problem::from_toml(toml, &Overrides::new()).map_err(|e| e.to_string())?;
    let observe = |_| if go_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    match Reference::of(&problem, &observe) {
        Ok(Some(Reference::Spectral(solution))) => Ok(solution.encode()),
        Ok(_) => Err(ReferenceError::NoExactSolution.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
