//! The bar at the top, and what one is looking at.

use egui::{Align, Layout, RichText, Ui};
use sketchpde::problem::{ReferenceKind, Update};
use sketchpde::reference;

use crate::app::state::{Action, Saved, State};
use crate::mirror::Mirror;
use crate::theme;
use crate::widgets::{Glyph, glyph_button, hint};

/// Name, files, links, looks.
pub fn top_bar(ui: &mut Ui, state: &State, narrow: bool, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    ui.horizontal_centered(|ui| {
        let name = RichText::new("sketchpde").text_style(theme::title_style()).size(17.0);
        ui.label(name.color(palette.ink));
        if !narrow {
            ui.add_space(4.0);
            ui.label(RichText::new("watch a neural network solve an equation").color(palette.soft));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !narrow
                && glyph_button(ui, Glyph::Panels, "Hide or show the panels (H)", 30.0, false)
                    .clicked()
            {
                actions.push(Action::TogglePanels);
            }
            let (sign, name) = match ui.visuals().dark_mode {
                true => (Glyph::Sun, "Light (T)"),
                false => (Glyph::Moon, "Dark (T)"),
            };
            if glyph_button(ui, sign, name, 30.0, false).clicked() {
                actions.push(Action::ToggleTheme);
            }
            if ui
                .button("Copy link")
                .on_hover_text("A link that opens this run again, with what was done to it")
                .clicked()
            {
                actions.push(Action::CopyLink);
            }
            files(ui, actions);
            super::race_menu(ui, state, actions);
        });
    });
}

fn files(ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.menu_button("File", |ui| {
        ui.set_min_width(200.0);
        for (text, action) in [
            ("Open a problem or a checkpoint…", Action::Browse),
            ("Save the problem (TOML)", Action::Save(Saved::Problem)),
            ("Save the run (checkpoint)", Action::Save(Saved::Checkpoint)),
            ("Save the picture (PNG)", Action::Save(Saved::Picture)),
            ("Save the animation (PNG)", Action::Save(Saved::Animation)),
            ("Save the history (CSV)", Action::Save(Saved::History)),
        ] {
            if ui.button(text).clicked() {
                actions.push(action);
                ui.close();
            }
        }
    });
}

/// The problem's title and one sentence on what is seen.
pub fn heading(ui: &mut Ui, state: &State, narrow: bool) {
    let palette = theme::palette(ui);
    let problem = &state.mirror.problem;
    let style = if narrow { egui::TextStyle::Heading } else { theme::title_style() };
    let title = RichText::new(&problem.title).text_style(style).color(palette.ink);
    ui.add(egui::Label::new(title).truncate());
    hint(ui, what_is_seen(&state.mirror, narrow));
}

/// What one is looking at.
fn what_is_seen(mirror: &Mirror, narrow: bool) -> String {
    let problem = &mirror.problem;
    let all = mirror.network.parameters();
    let changed = match problem.method.update {
        Update::Dense => format!("all {all} parameters of a small network"),
        Update::RandomSparse => {
            let chosen = mirror.latest_columns().filter(|_| problem.method.adaptive_columns);
            let s = chosen.unwrap_or(problem.method.columns);
            format!("{s} of a small network's {all} parameters, drawn at random,")
        }
    };
    if narrow {
        return format!("At each time step {changed} change.");
    }
    let truth = match reference::kind(problem) {
        ReferenceKind::Exact => " Dashed: the exact solution.",
        ReferenceKind::Spectral | ReferenceKind::Characteristics | ReferenceKind::Gaussian => {
            " Dashed: a reference computed another way."
        }
        ReferenceKind::Auto | ReferenceKind::None => "",
    };
    let truth = if mirror.grid.axes().len() == 1 { truth } else { "" };
    format!("At each time step {changed} change so that it keeps solving the equation.{truth}")
}
