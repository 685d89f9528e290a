//! Lines across the window, and notices.

use egui::{Frame, Label, Margin, RichText, Stroke, Ui};

use crate::app::state::{Action, State};
use crate::theme::{self, RADIUS};

/// Why the app runs with less than it could.
pub fn banner(ui: &mut Ui, state: &State) {
    let Some(text) = &state.banner else { return };
    let palette = theme::palette(ui);
    Frame::new().inner_margin(Margin::symmetric(12, 4)).show(ui, |ui| {
        ui.add(Label::new(RichText::new(text).small().color(palette.second)).wrap());
    });
}

/// What happened, each to be dismissed.
pub fn notices(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    for (index, notice) in state.notices.iter().enumerate() {
        let colour = if notice.bad { palette.bad } else { palette.accent };
        Frame::new()
            .fill(palette.card)
            .stroke(Stroke::new(1.0, palette.line))
            .corner_radius(RADIUS)
            .inner_margin(Margin::symmetric(12, 8))
            .show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    let (mark, _) =
                        ui.allocate_exact_size(egui::vec2(4.0, 16.0), egui::Sense::hover());
                    ui.painter().rect_filled(mark, 2.0, colour);
                    let room = ui.available_width() - 64.0;
                    ui.vertical(|ui| {
                        ui.set_width(room);
                        let text = RichText::new(&notice.text).color(palette.ink);
                        ui.add(Label::new(text).wrap());
                    });
                    if ui.small_button("Close").clicked() {
                        actions.push(Action::Dismiss(index));
                    }
                });
            });
    }
}
