//! Threads for the solver: workers with this module and its memory, as rayon's pool.
//!
//! A worker begins only when whoever asks for it returns to the browser, and building the pool waits
//! for its threads. So `page/worker.js` starts the workers first; each calls [`join_pool`] and sleeps
//! there until [`start_pool`] has a place for it. Ending the solver's worker ends them with it.

use std::sync::{Condvar, Mutex, PoisonError};

use rayon::{ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::*;

/// Places in the pool that no worker has taken yet.
static VACANT: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());
static ADVERTISED: Condvar = Condvar::new();

/// Makes a pool of this thread and of `threads - 1` others, all of which have to be in
/// [`join_pool`] or on their way there.
///
/// # Errors
/// When this thread has a pool already.
#[wasm_bindgen]
pub fn start_pool(threads: usize) -> Result<(), JsError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        // It works too, instead of waiting for the others.
        .use_current_thread()
        .spawn_handler(|place| {
            VACANT.lock().unwrap_or_else(PoisonError::into_inner).push(place);
            ADVERTISED.notify_one();
            Ok(())
        })
        .build_global()
        .map_err(JsError::from)
}

/// Makes this worker a thread of the pool, until the worker ends.
#[wasm_bindgen]
pub fn join_pool() {
    let mut vacant = VACANT.lock().unwrap_or_else(PoisonError::into_inner);
    let place = loop {
        match vacant.pop() {
            Some(place) => break place,
            None => vacant = ADVERTISED.wait(vacant).unwrap_or_else(PoisonError::into_inner),
        }
    };
    drop(vacant);
    place.run();
}
