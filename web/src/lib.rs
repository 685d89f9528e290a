#![cfg(target_arch = "wasm32")]
use sketchpde::evolve::{BackendChoice, Engine};
use sketchpde::problem::{Overrides, Problem};
use sketchpde::session::{Activity, Options, Session, Start};
use wasm_bindgen::prelude::*;

fn clock() -> f64 {
    let global = js_sys::global();
    let performance: web_sys::Performance =
        js_sys::Reflect::get(&global, &"performance".into()).unwrap().unchecked_into();
    performance.now() / 1e3
}

#[wasm_bindgen]
pub async fn smoke(toml: String, changes: String, gpu: bool, seconds: f64) -> String {
    std::panic::set_hook(Box::new(|info| web_sys::console::error_1(&info.to_string().into())));
    let changes: Overrides = changes
        .lines()
        .filter_map(|l| l.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let problem = match Problem::from_toml(&toml, &changes) {
        Ok(problem) => problem,
        Err(e) => return e.to_string(),
    };
    let choice = if gpu { BackendChoice::Gpu(None) } else { BackendChoice::Cpu };
    let engine = match Engine::new(&problem, &choice).await {
        Ok(e) => e,
        Err(e) => return e.to_string(),
    };
    let name = format!("{:?}", engine.describe());
    let options = Options { start: Start::Fit, frames: 100, clock };
    let mut session = Session::new(problem, engine, options).await.unwrap();
    let start = clock();
    while session.advance(1.0).await == Activity::Busy && clock() - start < seconds {}
    format!("{name} {:?}", session.status())
}
