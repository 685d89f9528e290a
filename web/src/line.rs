//! What passes between the page and its workers.

use js_sys::{Array, Uint8Array};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sketchpde_native::link::{self, ReferenceResult, Request, RunId, Update};
use wasm_bindgen::{JsCast, JsValue};

/// To a worker.
#[derive(Serialize, Deserialize)]
pub enum Job {
    Request(Request),
    /// To be answered by [`News::Alive`] as soon as the worker waits for anything.
    Ask,
    /// Panic in the other threads of the pool, for tests of what happens then.
    FailInPool,
    /// Compute a reference solution. It takes seconds and looks at nothing else meanwhile, so it
    /// goes to a worker of its own.
    FindReference {
        run: RunId,
        toml: String,
    },
}

/// From a worker.
#[derive(Serialize, Deserialize)]
pub enum News {
    /// What the solver says, and the memory of its module, in bytes.
    Updates(Vec<Update>, usize),
    Reference {
        run: RunId,
        solution: ReferenceResult,
    },
    Alive,
    /// The worker has stopped for good: its panic.
    Stopped(String),
}

/// Bytes of this thread's memory.
pub fn memory() -> usize {
    const PAGE: usize = 1 << 16;
    core::arch::wasm32::memory_size(0) * PAGE
}

/// A message as a JavaScript value and the list that hands its memory over.
pub fn pack<T: Serialize>(message: &T) -> Result<(JsValue, Array), String> {
    let bytes = link::encode(message).map_err(|error| error.to_string())?;
    let bytes = Uint8Array::from(bytes.as_slice());
    let transfer = Array::of1(&bytes.buffer());
    Ok((bytes.into(), transfer.unchecked_into()))
}

/// The inverse of [`pack`].
pub fn unpack<T: DeserializeOwned>(value: &JsValue) -> Result<T, String> {
    let bytes = value.dyn_ref::<Uint8Array>().ok_or("a message that is no bytes")?;
    link::decode(&bytes.to_vec()).map_err(|error| error.to_string())
}
