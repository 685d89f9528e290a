//! The native line: the server on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::Builder;
use std::time::Duration;

use sketchpde::session::wall_clock;

use super::{Activity, Link, Request, RunId, Server, Update, find_reference};

/// How long the server works between two looks at its requests, in seconds: short beside a frame
/// of a screen, long beside the cost of looking.
const SLICE: f64 = 0.008;
/// How often a thread that rests or waits for a reference looks around, in seconds.
const LOOK_EVERY: f64 = 0.02;
/// No run has this number.
const NONE: RunId = 0;

/// A server on a thread; dropping this ends the thread after the step in progress.
pub struct ThreadLink {
    requests: Sender<Request>,
    updates: Receiver<Update>,
    dead: bool,
}

impl ThreadLink {
    /// Starts the thread. `wake` is called there whenever there is something to [`Link::poll`].
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn spawn(wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (requests, inbox) = channel();
        let (outbox, updates) = channel();
        let (references, found) = channel();
        let solver = Solver {
            server: Server::new(wall_clock),
            inbox,
            outbox,
            references,
            found,
            latest: Arc::new(AtomicU64::new(NONE)),
            wake: Box::new(wake),
        };
        Builder::new().name("solver".into()).spawn(move || pollster::block_on(solver.serve()))?;
        Ok(Self { requests, updates, dead: false })
    }
}

impl Link for ThreadLink {
    fn send(&mut self, request: Request) {
        // That the thread is gone is said by `poll`.
        let _ = self.requests.send(request);
    }

    fn poll(&mut self) -> Vec<Update> {
        let mut updates = Vec::new();
        loop {
            match self.updates.try_recv() {
                Ok(update) => updates.push(update),
                Err(TryRecvError::Empty) => return updates,
                Err(TryRecvError::Disconnected) => {
                    if !std::mem::replace(&mut self.dead, true) {
                        updates.push(Update::Message(
                            "The solver has stopped because of an internal error; restart the \
                             program."
                                .into(),
                        ));
                    }
                    return updates;
                }
            }
        }
    }
}

/// What lives on the thread.
struct Solver {
    server: Server,
    inbox: Receiver<Request>,
    outbox: Sender<Update>,
    /// Reference solutions are computed on threads of their own and come back over this.
    references: Sender<Request>,
    found: Receiver<Request>,
    /// The run whose reference is being computed; the computation of another one gives up.
    latest: Arc<AtomicU64>,
    wake: Box<dyn Fn() + Send>,
}

impl Solver {
    /// Works in slices until the other end is gone.
    async fn serve(mut self) {
        let mut activity = Activity::Idle;
        loop {
            let updates = match self.next_request(activity) {
                Ok(request) => self.server.handle(request).await,
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            self.pass_on(updates);
            while let Ok(reference) = self.found.try_recv() {
                self.latest.store(NONE, Ordering::Relaxed);
                let updates = self.server.handle(reference).await;
                self.pass_on(updates);
            }
            let (next, updates) = self.server.advance(SLICE).await;
            activity = next;
            self.pass_on(updates);
        }
        // A reference that is still being computed is of no use any more.
        self.latest.store(NONE, Ordering::Relaxed);
    }

    /// Waits as long as there is nothing else to do.
    fn next_request(&self, activity: Activity) -> Result<Request, RecvTimeoutError> {
        let reference_due = self.latest.load(Ordering::Relaxed) != NONE;
        let patience = match activity {
            Activity::Busy => 0.0,
            Activity::Resting(seconds) => seconds.min(LOOK_EVERY),
            Activity::Idle if reference_due => LOOK_EVERY,
            Activity::Idle => return Ok(self.inbox.recv()?),
        };
        self.inbox.recv_timeout(Duration::from_secs_f64(patience))
    }

    fn pass_on(&self, updates: Vec<Update>) {
        let any = !updates.is_empty();
        for update in updates {
            match update {
                Update::ReferenceWanted { run, toml } => self.start_reference(run, toml),
                // A receiver that is gone is noticed at the next look at the inbox.
                update => drop(self.outbox.send(update)),
            }
        }
        if any {
            (self.wake)();
        }
    }

    fn start_reference(&self, run: RunId, toml: String) {
        self.latest.store(run, Ordering::Relaxed);
        let (latest, reply) = (Arc::clone(&self.latest), self.references.clone());
        let compute = move || {
            let solution = find_reference(&toml, &|| latest.load(Ordering::Relaxed) == run);
            if latest.load(Ordering::Relaxed) == run {
                let _ = reply.send(Request::Reference { run, solution });
            }
        };
        if let Err(error) = Builder::new().name("reference".into()).spawn(compute) {
            self.latest.store(NONE, Ordering::Relaxed);
            let message = format!("No errors will be measured: {error}");
            let _ = self.outbox.send(Update::Message(message));
        }
    }
}
