//! The page's end of the line to the solver in its worker.

use std::cell::RefCell;
use std::rc::Rc;

use sketchpde::session::Phase;
use sketchpde_native::link::{Fault, Link, ReferenceResult, Request, RunId, Update};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker};

use crate::line::{Job, News, pack, unpack};
use crate::page::Page;
use crate::probe::Probe;

/// The solver in a worker. A solver that stops because of an internal error or for want of memory
/// is replaced by a new one ([`Update::Stopped`]).
pub struct WorkerLink {
    shared: Rc<RefCell<Shared>>,
}

struct Shared {
    page: Page,
    wake: Box<dyn Fn()>,
    probe: Probe,
    arrived: Vec<Update>,
    solver: Option<Line>,
    /// Whether the solver has said anything since it began: one that never does is not replaced.
    answered: bool,
    /// Since when it has not answered.
    silence: Silence,
    /// A wish for a reference that waits until the run is seen to move: on two cores the first
    /// picture of it would have to wait otherwise.
    wanted: Option<(RunId, String)>,
    /// At work on a reference solution; another wish ends it.
    reference: Option<Line>,
}

/// A browser may end a worker without a word, as for want of memory: it is asked again and again
/// whether it is still there.
#[derive(Default)]
struct Silence {
    /// A question is on its way.
    asked: bool,
    /// Seconds since then. They are counted, not measured, so that a page that slept for the night
    /// does not take its worker for dead.
    seconds: f64,
}

/// Between two questions, in seconds.
const ASK_EVERY: f64 = 1.0;
/// How much longer than an answer a worker may take to begin: it has the module to compile.
const BEGINNING: f64 = 3.0;

/// What a worker is for.
#[derive(Clone, Copy)]
enum Role {
    Solver,
    Reference(RunId),
}

/// A worker and the functions that it calls.
struct Line {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Drop for Line {
    fn drop(&mut self) {
        // What is under way from it must not find functions that are gone.
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl WorkerLink {
    /// Starts the worker. `wake` is called whenever there is something to [`Link::poll`].
    pub fn start(page: Page, probe: Probe, wake: impl Fn() + 'static) -> Self {
        let shared = Rc::new(RefCell::new(Shared {
            page,
            wake: Box::new(wake),
            probe,
            arrived: Vec::new(),
            solver: None,
            answered: false,
            silence: Silence::default(),
            wanted: None,
            reference: None,
        }));
        let line = open(&shared, Role::Solver);
        shared.borrow_mut().solver = Some(line);
        let weak = Rc::downgrade(&shared);
        let beat = Closure::<dyn FnMut()>::new(move || {
            if let Some(shared) = weak.upgrade() {
                ask(&shared);
            }
        });
        shared.borrow().page.every(ASK_EVERY, &beat.into_js_value());
        Self { shared }
    }

    /// A function that makes the solver fail, for tests of what happens then: `panic`, `pool` for a
    /// panic in another of its threads, `silence` for a worker that is gone without a word, or
    /// anything else for a lost device.
    pub fn fault(&self) -> JsValue {
        let shared = Rc::clone(&self.shared);
        Closure::<dyn Fn(String)>::new(move |what: String| {
            let fault = if what == "panic" { Fault::Panic } else { Fault::LostDevice };
            match &shared.borrow().solver {
                Some(solver) if what == "silence" => solver.worker.terminate(),
                Some(solver) if what == "pool" => solver.send(&Job::FailInPool),
                Some(solver) => solver.send(&Job::Request(Request::Fault(fault))),
                None => {}
            }
        })
        .into_js_value()
    }
}

impl Link for WorkerLink {
    fn send(&mut self, request: Request) {
        let mut shared = self.shared.borrow_mut();
        if matches!(request, Request::Load(_)) {
            // The reference was that of another run.
            shared.reference = None;
            shared.wanted = None;
        }
        if let Some(solver) = &shared.solver {
            solver.send(&Job::Request(request));
        }
    }

    fn poll(&mut self) -> Vec<Update> {
        let mut shared = self.shared.borrow_mut();
        let updates = std::mem::take(&mut shared.arrived);
        shared.probe.see(&updates);
        updates
    }
}

impl Line {
    fn send(&self, job: &Job) {
        let sent = pack(job).and_then(|(message, transfer)| {
            self.worker
                .post_message_with_transfer(&message, &transfer)
                .map_err(|error| format!("{error:?}"))
        });
        if let Err(error) = sent {
            panic!("a message cannot be sent: {error}");
        }
    }
}

/// A new worker that reports to `shared`.
fn open(shared: &Rc<RefCell<Shared>>, role: Role) -> Line {
    let worker = shared.borrow().page.new_worker(matches!(role, Role::Solver));
    // Weak, since `shared` owns the functions.
    let weak = Rc::downgrade(shared);
    let (to_message, to_error) = (weak.clone(), weak);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(shared) = to_message.upgrade() {
            match unpack(&event.data()) {
                Ok(news) => take(&shared, role, news),
                Err(error) => panic!("the worker sent a damaged message: {error}"),
            }
        }
    });
    let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
        // What ends the module without a panic, such as memory that has run out.
        if let Some(shared) = to_error.upgrade() {
            event.prevent_default();
            take(&shared, role, News::Stopped(event.message()));
        }
    });
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    Line { worker, _on_message: on_message, _on_error: on_error }
}

/// Asks the solver whether it is still there; one that has not answered for too long is replaced.
fn ask(shared: &Rc<RefCell<Shared>>) {
    let silent = {
        let mut shared = shared.borrow_mut();
        let shared = &mut *shared;
        let Some(solver) = &shared.solver else { return };
        if !shared.silence.asked {
            solver.send(&Job::Ask);
            shared.silence = Silence { asked: true, seconds: 0.0 };
            return;
        }
        shared.silence.seconds += ASK_EVERY;
        let patience = shared.page.patience() * if shared.answered { 1.0 } else { BEGINNING };
        (shared.silence.seconds > patience).then_some(shared.silence.seconds)
    };
    if let Some(seconds) = silent {
        replace_solver(shared, &format!("it has not answered for {seconds} seconds"));
        (shared.borrow().wake)();
    }
}

fn take(shared: &Rc<RefCell<Shared>>, role: Role, news: News) {
    if matches!(role, Role::Solver) {
        // Whatever it says, it is there.
        shared.borrow_mut().silence = Silence::default();
    }
    match (news, role) {
        (News::Updates(updates, memory), _) => {
            shared.borrow_mut().answered = true;
            shared.borrow().probe.weigh(memory);
            for update in updates {
                match update {
                    Update::ReferenceWanted { run, toml } => {
                        shared.borrow_mut().wanted = Some((run, toml));
                    }
                    update => {
                        let moves = matches!(&update, Update::Snapshot(s)
                            if s.status.step > 0 || !s.status.playing || s.status.phase == Phase::Fit);
                        shared.borrow_mut().arrived.push(update);
                        let wanted = shared.borrow_mut().wanted.take_if(|_| moves);
                        if let Some((run, toml)) = wanted {
                            find_reference(shared, run, toml);
                        }
                    }
                }
            }
        }
        (News::Alive, _) => return,
        (News::Reference { run, solution }, _) => pass_on_reference(shared, run, solution),
        (News::Stopped(why), Role::Reference(run)) => pass_on_reference(shared, run, Err(why)),
        (News::Stopped(why), Role::Solver) => replace_solver(shared, &why),
    }
    (shared.borrow().wake)();
}

fn find_reference(shared: &Rc<RefCell<Shared>>, run: RunId, toml: String) {
    let line = open(shared, Role::Reference(run));
    line.send(&Job::FindReference { run, toml });
    shared.borrow_mut().reference = Some(line);
}

fn pass_on_reference(shared: &Rc<RefCell<Shared>>, run: RunId, solution: ReferenceResult) {
    let mut shared = shared.borrow_mut();
    shared.reference = None;
    if let Some(solver) = &shared.solver {
        solver.send(&Job::Request(Request::Reference { run, solution }));
    }
}

fn replace_solver(shared: &Rc<RefCell<Shared>>, why: &str) {
    let Some(stopped) = shared.borrow_mut().solver.take() else {
        // A panic and the error that follows it are one end.
        return;
    };
    drop(stopped);
    shared.borrow_mut().silence = Silence::default();
    if !std::mem::take(&mut shared.borrow_mut().answered) {
        let message = format!("The solver cannot start ({why}): load the page again.");
        shared.borrow_mut().arrived.push(Update::Message(message));
        return;
    }
    let line = open(shared, Role::Solver);
    let mut shared = shared.borrow_mut();
    (shared.reference, shared.wanted) = (None, None);
    shared.solver = Some(line);
    // What it is to do now the app knows.
    shared.arrived.push(Update::Stopped(why.to_owned()));
}
