//! Time, of the page and of its workers.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Performance;

thread_local! {
    // Pages and workers both have it, but as properties of different types.
    static PERFORMANCE: Performance = Reflect::get(&js_sys::global(), &JsValue::from("performance"))
        .map(JsCast::unchecked_into)
        .expect("every browser has performance.now()");
}

/// Seconds since this thread began.
pub fn seconds() -> f64 {
    PERFORMANCE.with(Performance::now) / 1e3
}

/// Marks a moment of this thread, for whoever measures the page.
#[cfg(feature = "page")]
pub fn mark(name: &str) {
    // A mark that cannot be set is missed by a measurement only.
    PERFORMANCE.with(|performance| drop(performance.mark(name)));
}
