//! The app, and what the page does around each of its frames.

use eframe::{Frame, egui};
use sketchpde_native::app::{App, Options};

use crate::clock;
use crate::link::WorkerLink;
use crate::page::{Page, Window};
use crate::platform::PagePlatform;
use crate::probe::Probe;

/// The app in a page.
pub struct Shell {
    app: App,
    page: Page,
    probe: Probe,
    covered: bool,
    still: bool,
}

impl Shell {
    /// Begins with the first run, which the solver works on while the page gets ready to draw.
    pub fn new(page: Page, probe: Probe, link: WorkerLink, window: Window) -> Self {
        let platform = PagePlatform::new(page.clone(), window);
        let app = App::new(Box::new(link), Box::new(platform), Options::default());
        Self { app, page, probe, covered: true, still: true }
    }

    /// Sets the marks that say how long a person waited.
    fn mark(&mut self) {
        if std::mem::take(&mut self.covered) {
            self.page.uncover();
            clock::mark("sketchpde: first frame");
        }
        if self.still && self.probe.moves() {
            self.still = false;
            clock::mark("sketchpde: first moving frame");
        }
    }
}

impl eframe::App for Shell {
    fn logic(&mut self, context: &egui::Context, frame: &mut Frame) {
        self.app.logic(context, frame);
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut Frame) {
        self.app.ui(ui, frame);
        self.mark();
        self.probe.drawn(ui.ctx());
    }
}
