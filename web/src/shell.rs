//! The app, and what the page does around each of its frames.

use eframe::egui;
use sketchpde_native::link::{Backend, Link, Load, Request};

use crate::clock;
use crate::link::WorkerLink;
use crate::page::Page;
use crate::probe::Probe;

pub struct Shell {
    link: WorkerLink,
    page: Page,
    probe: Probe,
    covered: bool,
    still: bool,
    text: String,
}

impl Shell {
    pub fn new(
        context: &eframe::CreationContext<'_>,
        page: Page,
        probe: Probe,
        mut link: WorkerLink,
    ) -> Self {
        let _ = context;
        let text = include_str!("../../assets/problems/allen-cahn.toml");
        let changes = [
            ("network.width", "12"),
            ("network.hidden_layers", "3"),
            ("points.count", "240"),
            ("method.columns", "160"),
            ("method.integrator", "rk4"),
            ("method.tolerance", "0"),
            ("method.step", "1e-2"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()));
        let problem = sketchpde::problem::Problem::from_toml(text, &changes.to_vec()).unwrap();
        let backend = if web_sys::window().unwrap().location().hash().unwrap() == "#gpu" {
            Backend::Gpu(None)
        } else {
            Backend::Auto
        };
        link.send(Request::Load(Box::new(Load {
            run: 1,
            toml: problem.source,
            backend,
            start: None,
            playing: true,
        })));
        Self { link, page, probe, covered: true, still: true, text: String::new() }
    }
}

impl eframe::App for Shell {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        for update in self.link.poll() {
            match update {
                sketchpde_native::link::Update::Snapshot(s) => {
                    self.text = format!("{:#?}", s.status)
                }
                sketchpde_native::link::Update::Frames(_) => {}
                other => web_sys::console::log_1(&format!("{other:?}").into()),
            }
        }
        self.link.send(Request::Snapshot);
        ui.label(&self.text);
        ui.request_repaint();
        if self.covered {
            self.covered = false;
            self.page.uncover();
            clock::mark("sketchpde: first frame");
        }
        if self.still && self.probe.moves() {
            self.still = false;
            clock::mark("sketchpde: first moving frame");
        }
        self.probe.drawn(ui.ctx());
    }
}
