//! A worker: it owns the solver and works in slices, between which messages arrive.

use std::rc::Rc;

use js_sys::Array;
use sketchpde::network::Network;
use sketchpde::problem::{Overrides, Problem, ResidualProblem};
use sketchpde::session::total_points;
use sketchpde_native::link::{Activity, Backend, Request, Server, Update, find_reference};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::clock;
use crate::inbox::Inbox;
use crate::line::{Job, News, memory, pack, unpack};

/// How long the solver works between two looks at its messages, in seconds: short beside a frame
/// of a screen, long beside the cost of looking.
const SLICE: f64 = 0.008;

/// Entries of a Jacobian from which on a GPU is expected to be the faster one.
const GPU_PAYS: usize = 1 << 20;

/// Takes this worker over. `early` are the messages that came before.
///
/// # Errors
/// When this is no worker or the browser has no message channels.
#[wasm_bindgen]
pub fn serve(early: &Array) -> Result<(), JsValue> {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().dyn_into()?;
    report_panics();
    let inbox = Rc::new(Inbox::new()?);
    let receive = {
        let (inbox, scope) = (Rc::clone(&inbox), scope.clone());
        move |value: &JsValue| match unpack(value) {
            // At once: an iteration on a slow device takes minutes, and whoever waits for one is there.
            Ok(Job::Ask) => send(&scope, &News::Alive),
            Ok(job) => inbox.put(job),
            Err(error) => panic!("the page sent a damaged message: {error}"),
        }
    };
    early.iter().for_each(|value| receive(&value));
    let on_message =
        Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| receive(&event.data()));
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The worker serves until the page ends it.
    on_message.forget();
    spawn_local(work(scope, inbox));
    Ok(())
}

async fn work(scope: DedicatedWorkerGlobalScope, inbox: Rc<Inbox<Job>>) {
    let mut server = Server::new(clock::seconds);
    let mut activity = Activity::Idle;
    loop {
        match activity {
            Activity::Busy => inbox.look().await,
            Activity::Resting(seconds) => inbox.wait(Some(seconds)).await,
            Activity::Idle => inbox.wait(None).await,
        }
        while let Some(job) = inbox.take() {
            match job {
                Job::Request(request) => {
                    let updates = server.handle(choose_backend(request)).await;
                    send_updates(&scope, updates);
                }
                // Answered when it came.
                Job::Ask => {}
                Job::FailInPool => rayon::broadcast(fail_in_pool).into_iter().collect(),
                Job::FindReference { run, toml } => {
                    // Whoever wants it no longer ends this worker.
                    let solution = find_reference(&toml, &|| true);
                    send(&scope, &News::Reference { run, solution });
                }
            }
        }
        let (next, updates) = server.advance(SLICE).await;
        activity = next;
        send_updates(&scope, updates);
    }
}

/// In a page the way to the GPU and back takes a millisecond or more, several times a step: small
/// problems are solved sooner where they are.
fn choose_backend(mut request: Request) -> Request {
    if let Request::Load(load) = &mut request
        && load.backend == Backend::Auto
        && entries(&load.toml).is_some_and(|entries| entries < GPU_PAYS)
    {
        load.backend = Backend::Cpu;
    }
    request
}

/// Of the Jacobian of a problem file; `None` where it is none.
fn entries(toml: &str) -> Option<usize> {
    if let Ok(problem) = Problem::from_toml(toml, &Overrides::new()) {
        return Some(total_points(&problem).saturating_mul(problem.method.columns));
    }
    let problem = ResidualProblem::from_toml(toml, &Overrides::new()).ok()?;
    let coordinates = |block| problem.block_points(block, 0).coordinates.len();
    let coordinates: usize = (0..problem.blocks.len()).map(coordinates).sum();
    let parameters = Network::of_residual(&problem).parameters();
    Some((coordinates / problem.dimensions()).saturating_mul(parameters))
}

/// Panics in the threads of the pool beside this one, which then waits for them in vain.
fn fail_in_pool(thread: rayon::BroadcastContext<'_>) {
    assert!(thread.index() == 0, "a panic in the pool, on request");
}

fn send_updates(scope: &DedicatedWorkerGlobalScope, updates: Vec<Update>) {
    if !updates.is_empty() {
        send(scope, &News::Updates(updates, memory()));
    }
}

fn send(scope: &DedicatedWorkerGlobalScope, news: &News) {
    let sent = pack(news).and_then(|(message, transfer)| {
        scope.post_message_with_transfer(&message, &transfer).map_err(|error| format!("{error:?}"))
    });
    if let Err(error) = sent {
        panic!("a message cannot be sent: {error}");
    }
}

/// A panic ends the module, so its last act is to say so.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        if rayon::current_thread_index().is_some_and(|index| index > 0) {
            // In a thread of the pool: the solver's waits for it for ever, and a message to it
            // would not be read. `pool.js` catches this and tells the page.
            wasm_bindgen::throw_str(&message);
        }
        // No handle from outside: another thread's objects are not this one's.
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        if let Ok((message, transfer)) = pack(&News::Stopped(message)) {
            let _ = scope.post_message_with_transfer(&message, &transfer);
        }
    }));
}
