//! The solver's end: a session, and what it was asked.

use std::ops::ControlFlow;

use sketchpde::evolve::initial_fit::fit_key;
use sketchpde::problem::{Overrides, Problem, ProblemErrors, ProblemFile};
use sketchpde::reference::{Reference, ReferenceError, SpectralSolution};
use sketchpde::session::{
    self, Clock, Command, Options, Phase, SavedState, Session, SessionError, Solver, Start,
};

use super::deeds::Deeds;
use super::pacing::Pacing;
use super::present::Present;
use super::race::concerns_both;
use super::{Activity, Beginning, Fault, Load, Request, RunId, Update};

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
    Session(#[from] SessionError),
    #[error("a race begins when the network is fitted to the initial state")]
    RaceTooEarly,
    #[error("a race is between two ways to solve one problem, and these are two problems")]
    RaceOfTwoProblems,
}

/// Owns the session; see the module's description.
pub struct Server {
    pub(super) clock: Clock,
    pub(super) pacing: Pacing,
    pub(super) present: Option<Present>,
    /// The other run of a race.
    pub(super) rival: Option<Present>,
    /// What the fits depend on and their parameters, latest last.
    fits: Vec<(Vec<u8>, Vec<f64>)>,
}

impl Server {
    /// `clock`: seconds since some fixed moment.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, pacing: Pacing::default(), present: None, rival: None, fits: Vec::new() }
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
            Request::Save => vec![self.save()],
            Request::Command(command) => self.command(command).await,
            Request::Draw(stroke) => self.draw(stroke).await,
            Request::Snapshot => self.snapshot(false),
            Request::Race(challenge) => self.begin_race(*challenge).await,
            Request::EndRace => {
                self.rival = None;
                self.pacing.restart();
                Vec::new()
            }
            Request::SetPace(rate) => {
                self.pacing.set_rate(rate);
                Vec::new()
            }
            Request::Fault(Fault::Panic) => panic!("a test asked for this"),
            Request::Fault(Fault::LostDevice) => {
                if let Some(gpu) = self.session().and_then(Session::gpu) {
                    gpu.device().destroy();
                }
                Vec::new()
            }
            Request::Reference { run, solution } => self.take_reference(run, solution),
        }
    }

    /// Works for about `budget` seconds, less where the run is ahead of its pace.
    pub async fn advance(&mut self, budget: f64) -> (Activity, Vec<Update>) {
        let Some(status) = self.session().map(Session::status) else {
            return (Activity::Idle, Vec::new());
        };
        if status.phase == Phase::Steps && status.playing {
            let time = self.furthest(status.time);
            let rest = self.pacing.rest((self.clock)(), time);
            if rest > 0.0 {
                return (Activity::Resting(rest), Vec::new());
            }
        }
        let clock = self.clock;
        let busy = match self.whose_turn() {
            Some(runner) => runner.advance(budget, clock).await == session::Activity::Busy,
            None => false,
        };
        self.remember_fit();
        if self.present.as_ref().is_some_and(Present::has_lost_its_device) {
            return (Activity::Busy, self.leave_the_device().await);
        }
        // In a race one may have come to rest while the other one has not.
        let activity = if busy || self.race_goes_on() { Activity::Busy } else { Activity::Idle };
        (activity, self.settled(activity))
    }

    /// A run that comes to rest shows itself once without being asked.
    fn settled(&mut self, activity: Activity) -> Vec<Update> {
        let unseen = self.present.as_ref().is_some_and(Present::is_unseen)
            || self.rival.as_ref().is_some_and(Present::is_unseen_as_rival);
        if activity == Activity::Idle && unseen { self.snapshot(true) } else { Vec::new() }
    }

    fn remember_fit(&mut self) {
        let Some(present) = &mut self.present else { return };
        if present.session.status().phase != Phase::Fit
            && let Some(record) = present.session.recording()
            && let Some(key) = present.fit.take()
        {
            let fitted = record.fitted().to_vec();
            remember(&mut self.fits, key, fitted);
        }
    }

    async fn load(&mut self, load: Load) -> Vec<Update> {
        let run = load.run;
        match self.replace(load).await {
            Ok(updates) => updates,
            Err(error) => vec![Update::Refused { run, message: error.to_string() }],
        }
    }

    /// Puts another run in the place of the present one.
    async fn replace(&mut self, load: Load) -> Result<Vec<Update>, LoadError> {
        let problem = match ProblemFile::from_bytes(load.toml.as_bytes(), None, &Overrides::new())?
        {
            ProblemFile::Evolution(problem) => ProblemFile::Evolution(problem.of_one_unknown()?),
            ProblemFile::Residual(problem) => ProblemFile::Residual(problem.of_one_unknown()?),
        };
        let (start, fit, comparable) = self.beginning(&problem, load.start);
        let solver = Solver::open(problem, &load.backend).await?;
        let told = solver.reason().map(|why| {
            Update::Message(format!("The GPU cannot take this problem, the CPU does: {why}"))
        });
        let mut session = Session::new(solver, self.options(start)).await?;
        if !load.playing {
            session.obey(Command::Pause).await?;
        }
        let deeds = Deeds::new(load.deeds, load.done);
        let present = Present::new(load.run, session, fit, comparable).with_deeds(deeds);
        self.pacing.restart();
        self.rival = None;
        let updates = present.introduce().into_iter().chain(told).collect();
        self.present = Some(present);
        Ok(updates)
    }

    /// Where a run begins, what its fit depends on where that is to be remembered, and whether the
    /// problem's reference is its own.
    fn beginning(&self, problem: &ProblemFile, start: Beginning) -> (Start, Option<Vec<u8>>, bool) {
        let key = match problem {
            ProblemFile::Evolution(problem) => Some(fit_key(problem)),
            ProblemFile::Residual(_) => None,
        };
        let known = self.fits.iter().find(|(known, _)| Some(known) == key.as_ref());
        match (start, known) {
            (Beginning::Fitted(fitted), _) => (Start::Fitted(fitted), None, true),
            (Beginning::Fit, Some((_, fitted))) => (Start::Fitted(fitted.clone()), None, true),
            (Beginning::Fit, None) => (Start::Beginning, key, true),
            (Beginning::Saved { state, comparable }, _) => {
                let fit = key.filter(|_| matches!(*state, SavedState::Fit { .. }));
                (Start::Saved(*state), fit, comparable)
            }
        }
    }

    /// The present run as a file.
    fn save(&self) -> Update {
        match self.present.as_ref().and_then(Present::checkpoint) {
            Some(checkpoint) => Update::Saved(Box::new(checkpoint)),
            None => Update::Message("There is no run to go on from.".to_owned()),
        }
    }

    pub(super) fn options(&self, start: Start) -> Options {
        Options { start, frames: FRAMES, clock: self.clock }
    }

    async fn command(&mut self, command: Command) -> Vec<Update> {
        let Some(present) = &mut self.present else { return Vec::new() };
        self.pacing.restart();
        let mut failures = Vec::new();
        if let Some(rival) = &mut self.rival
            && concerns_both(&command)
        {
            failures.extend(rival.obey(command.clone()).await.err());
        }
        failures.extend(present.obey(command).await.err());
        failures.iter().map(|error| Update::Message(error.to_string())).collect()
    }

    async fn draw(&mut self, stroke: Vec<[f32; 2]>) -> Vec<Update> {
        self.pacing.restart();
        let mut failures = Vec::new();
        if let Some(rival) = &mut self.rival {
            failures.extend(rival.draw(stroke.clone()).await.err());
        }
        if let Some(present) = &mut self.present {
            failures.extend(present.draw(stroke).await.err());
        }
        failures.iter().map(|error| Update::Message(error.to_string())).collect()
    }

    pub(super) fn snapshot(&mut self, at_rest: bool) -> Vec<Update> {
        let now = (self.clock)();
        let mut updates: Vec<Update> =
            self.present.iter_mut().flat_map(|present| present.show(now, at_rest)).collect();
        updates.extend(self.rival.as_mut().map(Present::show_as_rival));
        updates
    }

    fn take_reference(&mut self, run: RunId, solution: Result<Vec<u8>, String>) -> Vec<Update> {
        let Some(present) = self.present.as_mut().filter(|present| present.run == run) else {
            return Vec::new();
        };
        let decoded =
            solution.and_then(|bytes| SpectralSolution::decode(&bytes).map_err(|e| e.to_string()));
        match decoded {
            // It was wished for before the solution was changed from outside.
            Ok(_) if !present.comparable() => Vec::new(),
            Ok(solution) => {
                let reference = Reference::Spectral(solution);
                if let Some(rival) = &mut self.rival {
                    rival.set_reference(reference.clone());
                }
                present.set_reference(reference);
                self.snapshot(false)
            }
            Err(error) => vec![Update::Message(format!("No errors will be measured: {error}"))],
        }
    }

    /// The device was lost: the run goes on from its last state on the CPU.
    async fn leave_the_device(&mut self) -> Vec<Update> {
        let Some(present) = &mut self.present else { return Vec::new() };
        let reason = present.session.failure().map(ToString::to_string).unwrap_or_default();
        match present.leave_the_device().await {
            Ok(()) => {
                let mut updates =
                    vec![Update::Message(format!("{reason}. The run goes on, on the CPU."))];
                updates.extend(present.introduce());
                updates
            }
            Err(error) => {
                vec![Update::Message(format!("{reason}. It cannot go on on the CPU: {error}"))]
            }
        }
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
