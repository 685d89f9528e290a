//! The native line: the server on a thread of its own.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};
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

/// A server on a thread; dropping this ends the thread after the step in progress. A thread that
/// ends by a panic is replaced.
pub struct ThreadLink {
    line: Line,
    wake: Wake,
    /// The system had no thread to give.
    dead: bool,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// Both ways to and from one thread.
struct Line {
    requests: Sender<Request>,
    updates: Receiver<Update>,
    thread: JoinHandle<()>,
}

impl ThreadLink {
    /// Starts the thread. `wake` is called there whenever there is something to [`Link::poll`].
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn spawn(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let wake: Wake = Arc::new(wake);
        Ok(Self { line: Line::open(Arc::clone(&wake))?, wake, dead: false })
    }

    /// A new thread in place of one that has ended.
    fn replace(&mut self) -> Update {
        match Line::open(Arc::clone(&self.wake)) {
            Ok(line) => {
                let ended = std::mem::replace(&mut self.line, line);
                let panic = ended.thread.join().err();
                Update::Stopped(panic.map_or_else(String::new, |panic| words(&*panic)))
            }
            Err(error) => {
                self.dead = true;
                let why = "The solver has stopped because of an internal error";
                Update::Message(format!("{why} and cannot start again ({error})."))
            }
        }
    }
}

/// Wakes the drawing side when the thread ends.
struct Bell(Wake);

impl Drop for Bell {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given").to_owned()
}

impl Line {
    fn open(wake: Wake) -> std::io::Result<Self> {
        let (requests, inbox) = channel();
        let (outbox, updates) = channel();
        let (references, found) = channel();
        let latest = Arc::new(AtomicU64::new(NONE));
        // On the thread, so that the server need not be able to change threads.
        let serve = move || {
            // Rings after a panic too, when the other end of the line is gone.
            let _bell = Bell(Arc::clone(&wake));
            let server = Server::new(wall_clock);
            let solver = Solver { server, inbox, outbox, references, found, latest, wake };
            pollster::block_on(solver.serve());
        };
        let thread = Builder::new().name("solver".into()).spawn(serve)?;
        Ok(Self { requests, updates, thread })
    }
}

impl Link for ThreadLink {
    fn send(&mut self, request: Request) {
        // That the thread is gone is said by `poll`.
        let _ = self.line.requests.send(request);
    }

    fn poll(&mut self) -> Vec<Update> {
        let mut updates = Vec::new();
        loop {
            match self.line.updates.try_recv() {
                Ok(update) => updates.push(update),
                Err(TryRecvError::Disconnected) if !self.dead => {
                    updates.push(self.replace());
                    return updates;
                }
                Err(_) => return updates,
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
    wake: Wake,
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
