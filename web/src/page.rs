//! The page: what JavaScript does for it, and its beginning.

use std::cell::OnceCell;
use std::rc::Rc;

use eframe::egui::Context;
use eframe::{WebOptions, WebRunner};
use sketchpde_native::prepare_shell;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, Worker};

use crate::clock;
use crate::link::WorkerLink;
use crate::probe::Probe;
use crate::shell::Shell;

#[wasm_bindgen]
extern "C" {
    /// The object that `page.js` gives to [`start`].
    #[derive(Clone)]
    pub type Page;

    /// A worker with this module in it, or for the solver the one with threads, where there is one.
    /// The first worker is the solver's.
    #[wasm_bindgen(method, js_name = newWorker)]
    pub fn new_worker(this: &Page, for_solver: bool) -> Worker;

    /// Why there is no WebGPU; empty where there is.
    #[wasm_bindgen(method, getter, js_name = withoutWebGpu)]
    pub fn without_webgpu(this: &Page) -> String;

    /// Gives a file to the person, as a download.
    #[wasm_bindgen(method)]
    pub fn save(this: &Page, name: &str, bytes: &[u8]);

    /// How long the solver may be silent before it counts as gone, in seconds.
    #[wasm_bindgen(method, getter)]
    pub fn patience(this: &Page) -> f64;

    /// Calls `action` every so many seconds, less often while nobody looks at the page.
    #[wasm_bindgen(method)]
    pub fn every(this: &Page, seconds: f64, action: &JsValue);

    /// Lets the person choose a file, whose bytes `take` is called with.
    #[wasm_bindgen(method)]
    pub fn browse(this: &Page, take: &JsValue);

    /// The page's address with another fragment.
    #[wasm_bindgen(method)]
    pub fn link(this: &Page, fragment: &str) -> String;

    /// The fragment that the page was opened with, without `#`.
    #[wasm_bindgen(method, getter)]
    pub fn fragment(this: &Page) -> String;

    /// Shows what has ended the page, instead of the app.
    #[wasm_bindgen(method)]
    fn fail(this: &Page, title: &str, advice: &str, details: &str);

    /// Takes the loading indicator away.
    #[wasm_bindgen(method)]
    pub fn uncover(this: &Page);

    /// Gives the page's tests something to look through, and something that fails.
    #[wasm_bindgen(method)]
    fn expose(this: &Page, look: &JsValue, fault: &JsValue);
}

/// What is drawn in, once there is something; cloning it clones a handle.
#[derive(Clone, Default)]
pub struct Window {
    context: Rc<OnceCell<Context>>,
}

impl Window {
    fn open(&self, context: Context) {
        // There is one canvas, and this is called for it once.
        let _ = self.context.set(context);
    }

    /// Asks for a frame; the first one comes by itself.
    pub fn repaint(&self) {
        if let Some(context) = self.context.get() {
            context.request_repaint();
        }
    }
}

/// Starts the app in `canvas`.
///
/// # Errors
/// When the browser can draw neither by WebGPU nor by WebGL.
#[wasm_bindgen]
pub async fn start(canvas: HtmlCanvasElement, page: Page) -> Result<(), JsValue> {
    show_panics(page.clone());
    clock::mark("sketchpde: module started");
    let probe = Probe::default();
    let window = Window::default();
    let wake = window.clone();
    let link = WorkerLink::start(page.clone(), probe.clone(), move || wake.repaint());
    let fault = link.fault();
    let shell = Shell::new(page.clone(), probe.clone(), link, window.clone());
    let create = move |context: &eframe::CreationContext<'_>| {
        prepare_shell(context)?;
        window.open(context.egui_ctx.clone());
        page.expose(&probe.look(&context.egui_ctx), &fault);
        Ok(Box::new(shell) as Box<dyn eframe::App>)
    };
    WebRunner::new().start(canvas, WebOptions::default(), Box::new(create)).await
}

/// A panic ends the module: what is left is to say so in the page.
fn show_panics(page: Page) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        page.fail(
            "The page has stopped because of an internal error",
            "What was computed is lost. Please report what stands below.",
            &panic.to_string(),
        );
    }));
}
