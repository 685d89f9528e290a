//! A session on a thread of its own, for native programs.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::{Activity, Command, SavedState, Session, SessionError, Snapshot, Status};
use crate::reference::Reference;

/// Seconds since the program first asked.
#[must_use]
pub fn wall_clock() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// How long a session works between two looks at its commands, in seconds: short beside a frame of
/// a screen, long beside the cost of looking.
const SLICE: f64 = 0.01;

/// A step that takes longer than this, in seconds, is not waited for by who is in a hurry.
const LONG: f64 = 0.25;
/// Between two states that are kept while steps are short, in seconds.
const KEEP_EVERY: f64 = 2.0;

/// What goes to the thread.
enum Request {
    Obey(Command),
    Reference(Box<Reference>),
    Snapshot(Sender<Snapshot>),
    Save(Sender<Option<SavedState>>),
}

/// A running session. [`SessionHandle::stop`] or dropping the handle ends the thread after the step
/// in progress.
pub struct SessionHandle {
    requests: Sender<Request>,
    status: Arc<Mutex<Status>>,
    kept: Arc<Mutex<Option<SavedState>>>,
    thread: JoinHandle<Session>,
}

impl SessionHandle {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn spawn(session: Session) -> Result<Self, SessionError> {
        let status = Arc::new(Mutex::new(session.status()));
        let (requests, inbox) = channel();
        let kept = Arc::new(Mutex::new(None));
        let (shared, keep) = (Arc::clone(&status), Arc::clone(&kept));
        let thread = std::thread::Builder::new()
            .name("session".into())
            .spawn(move || pollster::block_on(serve(session, &inbox, &shared, &keep)))
            .map_err(SessionError::Thread)?;
        Ok(Self { requests, status, kept, thread })
    }

    /// Asks for something; what is wrong with it stands among the messages of the next snapshot.
    pub fn send(&self, command: Command) {
        // A thread that has ended by a panic gives it back in `stop`.
        let _ = self.requests.send(Request::Obey(command));
    }

    /// Gives the session the truth to compare with.
    pub fn set_reference(&self, reference: Reference) {
        let _ = self.requests.send(Request::Reference(Box::new(reference)));
    }

    /// Where the run stood after its latest slice of work; never waits for the solver.
    #[must_use]
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// Asks for a snapshot, which is taken after the step in progress; never waits itself.
    #[must_use]
    pub fn request_snapshot(&self) -> Receiver<Snapshot> {
        let (sender, receiver) = channel();
        let _ = self.requests.send(Request::Snapshot(sender));
        receiver
    }

    /// Asks for the state to go on from, which is taken after the step in progress; `None` arrives
    /// where a failed fit left nothing.
    #[must_use]
    pub fn request_save(&self) -> Receiver<Option<SavedState>> {
        let (sender, receiver) = channel();
        let _ = self.requests.send(Request::Save(sender));
        receiver
    }

    /// A state between two steps to go on from, which need not be the latest one: for who cannot
    /// wait for a step that takes long. Before such a step it is the latest.
    #[must_use]
    pub fn kept(&self) -> Option<SavedState> {
        lock(&self.kept).clone()
    }

    /// Whether the thread has ended by itself, which only a panic brings about.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the thread after the step in progress and gives the session back.
    ///
    /// # Panics
    /// With the solver's own panic, if that is how the thread ended.
    #[must_use]
    pub fn stop(self) -> Session {
        drop(self.requests);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Works in slices until the other end of the channel is gone.
async fn serve(
    mut session: Session,
    inbox: &Receiver<Request>,
    status: &Mutex<Status>,
    kept: &Mutex<Option<SavedState>>,
) -> Session {
    let mut activity = Activity::Busy;
    // From when on another state is to be kept.
    let mut due = f64::MIN;
    loop {
        // With nothing to do, wait for a request; otherwise look whether there is one.
        let request = match activity {
            Activity::Idle => inbox.recv().map_err(|_| TryRecvError::Disconnected),
            Activity::Busy => inbox.try_recv(),
        };
        match request {
            Ok(request) => answer(&mut session, request).await,
            Err(TryRecvError::Disconnected) => return session,
            Err(TryRecvError::Empty) => {}
        }
        let begun = wall_clock();
        if session.is_due() && begun >= due {
            *lock(kept) = session.save();
            due = begun + KEEP_EVERY;
        }
        activity = session.advance(SLICE).await;
        if wall_clock() - begun > LONG {
            due = f64::MIN;
        }
        *lock(status) = session.status();
    }
}

async fn answer(session: &mut Session, request: Request) {
    // A receiver that is gone no longer wants its answer.
    match request {
        Request::Obey(command) => {
            if let Err(error) = session.obey(command).await {
                session.note(error.to_string());
            }
        }
        Request::Reference(reference) => session.set_reference(*reference),
        Request::Snapshot(reply) => drop(reply.send(session.snapshot())),
        Request::Save(reply) => drop(reply.send(session.save())),
    }
}

/// The status is replaced whole, so that a panic elsewhere leaves nothing half-written in it.
fn lock<T>(status: &Mutex<T>) -> MutexGuard<'_, T> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}
