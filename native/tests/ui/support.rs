//! The app on a line to a real server in the same thread, one step of the solver per frame, with
//! a clock that ticks once per look: every run of a test is the same.

use std::cell::Cell;
use std::rc::Rc;

use egui_kittest::Harness;
use sketchpde_native::app::state::State;
use sketchpde_native::link::{
    Fault, Link, Request, Server, Update, decode, encode, find_reference,
};
use sketchpde_native::{App, Options, Platform, TextureFormat, prepare};

thread_local! {
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

/// A hundredth of a second per look.
fn ticking() -> f64 {
    TICKS.set(TICKS.get() + 1);
    f64::from(TICKS.get()) * 0.01
}

/// A line without a thread.
pub struct Direct {
    server: Server,
    updates: Vec<Update>,
    references: bool,
    faults: Faults,
}

/// What is to happen to the solver at the next look.
pub type Faults = Rc<Cell<Option<Fault>>>;

impl Direct {
    pub fn new(references: bool, faults: Faults) -> Self {
        Self { server: Server::new(ticking), updates: Vec::new(), references, faults }
    }

    fn take(&mut self, updates: Vec<Update>) {
        for update in updates {
            match update {
                Update::ReferenceWanted { run, toml } if self.references => {
                    let solution = find_reference(&toml, &|| true);
                    let request = Request::Reference { run, solution };
                    let updates = pollster::block_on(self.server.handle(request));
                    self.updates.extend(updates);
                }
                update => self.updates.push(update),
            }
        }
    }
}

impl Link for Direct {
    fn send(&mut self, request: Request) {
        // As bytes, as it goes to a worker.
        let request = decode(&encode(&request).expect("encodes")).expect("decodes");
        let updates = pollster::block_on(self.server.handle(request));
        self.take(updates);
    }

    fn poll(&mut self) -> Vec<Update> {
        if self.faults.take() == Some(Fault::Panic) {
            // As a link does it that has lost its thread.
            self.server = Server::new(ticking);
            self.updates = vec![Update::Stopped("a test".into())];
        }
        // No budget: one step where one is due.
        let (_, updates) = pollster::block_on(self.server.advance(0.0));
        self.take(updates);
        std::mem::take(&mut self.updates)
    }
}

/// What was given to the person.
pub type Saved = Rc<Cell<Option<(String, Vec<u8>)>>>;

/// A file that is waiting to be opened.
pub type Waiting = Rc<Cell<Option<Vec<u8>>>>;

/// Keeps what is saved, and was opened with a fragment.
#[derive(Default)]
pub struct Desk {
    pub saved: Saved,
    pub waiting: Waiting,
    pub faults: Faults,
    pub fragment: Option<String>,
}

impl Platform for Desk {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<String, String> {
        self.saved.set(Some((name.to_owned(), bytes.to_vec())));
        Ok(format!("Saved as {name}."))
    }

    fn receive(&mut self, _file: egui::DroppedFileHandle) {}

    fn opened(&mut self) -> Option<Result<Vec<u8>, String>> {
        self.waiting.take().map(Ok)
    }

    fn link(&self, fragment: &str) -> String {
        format!("page#{fragment}")
    }

    fn fragment(&self) -> Option<String> {
        self.fragment.clone()
    }
}

/// The app in a window of this size; a backend that needs no device.
pub fn open(size: [f32; 2], desk: Desk, references: bool) -> Harness<'static, Option<App>> {
    let mut desk = Some(desk);
    let builder = Harness::builder()
        .with_size(size)
        .with_theme(egui::Theme::Dark)
        .with_max_steps(8)
        .with_context_setup(|ctx| prepare(ctx, TextureFormat::Rgba8Unorm));
    builder.build_ui_state(
        move |ui, app: &mut Option<App>| {
            let app = app.get_or_insert_with(|| {
                let desk = Box::new(desk.take().unwrap_or_default());
                let line = Box::new(Direct::new(references, Rc::clone(&desk.faults)));
                App::new(line, desk, Options::default())
            });
            app.think(ui.ctx());
            app.draw(ui);
        },
        None,
    )
}

/// A window on a desk, without references.
pub fn desktop() -> Harness<'static, Option<App>> {
    let mut harness = open([1280.0, 800.0], Desk::default(), false);
    until(&mut harness, 20, |state| state.mirror.loaded.is_some());
    harness
}

pub fn state<'a>(harness: &'a Harness<'_, Option<App>>) -> &'a State {
    harness.state().as_ref().expect("an app").state()
}

/// The solver's step number.
pub fn step(harness: &Harness<'_, Option<App>>) -> usize {
    state(harness).mirror.status.as_ref().map_or(0, |status| status.step)
}

/// Frames until `wanted`, at most `most`.
pub fn until(harness: &mut Harness<'_, Option<App>>, most: usize, wanted: impl Fn(&State) -> bool) {
    for _ in 0..most {
        if wanted(state(harness)) {
            return;
        }
        harness.step();
    }
    let messages: Vec<&str> = state(harness).notices.iter().map(|n| n.text.as_str()).collect();
    panic!("it did not come to that in {most} frames; notices: {messages:?}");
}
