//! Blocks with a heading.

use egui::{Frame, Margin, RichText, Stroke, Ui};

use crate::theme::{self, RADIUS};

/// A block over the whole width with a small heading and, on its right, a remark.
pub fn card<R>(ui: &mut Ui, title: &str, remark: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(RADIUS)
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                heading(ui, title);
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let remark = RichText::new(remark).small().color(palette.soft);
                    ui.add(egui::Label::new(remark).truncate());
                });
            });
            add(ui)
        })
        .inner
}

/// A small heading.
pub fn heading(ui: &mut Ui, text: &str) {
    let colour = theme::palette(ui).ink;
    ui.label(RichText::new(text).text_style(theme::label_style()).color(colour));
}

/// A sentence that explains.
pub fn hint(ui: &mut Ui, text: impl Into<String>) {
    let colour = theme::palette(ui).soft;
    ui.add(egui::Label::new(RichText::new(text).small().color(colour)).wrap());
}

/// A sentence that warns, where there is something to warn of.
pub fn caution(ui: &mut Ui, text: Option<&String>) {
    if let Some(text) = text {
        let colour = theme::palette(ui).second;
        ui.add(egui::Label::new(RichText::new(text).small().color(colour)).wrap());
    }
}
