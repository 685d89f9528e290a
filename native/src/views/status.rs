//! The line at the bottom: where and how fast it computes.

use egui::{Align, Layout, RichText, Ui};
use sketchpde::problem::Choice;
use sketchpde::session::total_points;

use crate::app::state::State;
use crate::link::Loaded;
use crate::theme;

/// Before the solver has said anything.
const STARTING: &str = "starting the solver…";

/// Backend, tier, speed; sizes on the right.
pub fn status(ui: &mut Ui, state: &State, narrow: bool) {
    let palette = theme::palette(ui);
    let text = |text: String| RichText::new(text).small().color(palette.soft);
    ui.horizontal_centered(|ui| {
        let (dot, _) = ui.allocate_exact_size(egui::vec2(8.0, 8.0), egui::Sense::hover());
        let (known, moving) = match &state.training {
            Some(training) => (training.loaded.is_some(), training.playing()),
            None => (state.mirror.loaded.is_some(), state.mirror.moving()),
        };
        let colour = match (known, moving) {
            (true, true) => palette.good,
            (true, false) => palette.faint,
            (false, _) => palette.second,
        };
        ui.painter().circle_filled(dot.center(), 3.5, colour);
        ui.label(text(left(state)));
        if !narrow {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add(egui::Label::new(text(right(state))).truncate());
            });
        }
    });
}

fn left(state: &State) -> String {
    if let Some(training) = &state.training {
        let Some(loaded) = &training.loaded else { return STARTING.into() };
        let method = training.problem.method.name.word();
        // It may go on in another precision.
        let precision = training.status.as_ref().map_or(&loaded.precision, |s| &s.precision);
        return format!("{}  ·  {precision}  ·  {method}", place(loaded));
    }
    let mirror = &state.mirror;
    let Some(loaded) = &mirror.loaded else { return STARTING.into() };
    let rate = match mirror.rate.filter(|_| mirror.moving()) {
        Some(rate) => format!("  ·  {rate:.0} steps/s"),
        None => String::new(),
    };
    format!("{}  ·  {}{rate}", place(loaded), loaded.precision)
}

/// Which processor, and what it is called.
fn place(loaded: &Loaded) -> String {
    match loaded.backend.as_str() {
        "cpu" => format!("CPU, {}", loaded.device),
        _ => format!("GPU, {}", loaded.device),
    }
}

fn right(state: &State) -> String {
    if let Some(training) = &state.training {
        return format!("{} parameters", training.parameters);
    }
    let mirror = &state.mirror;
    let step = mirror.status.as_ref().map_or(0, |status| status.step);
    format!(
        "{} parameters  ·  {} points  ·  step {step}",
        mirror.network.parameters(),
        total_points(&mirror.problem),
    )
}
