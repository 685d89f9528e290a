//! One of a few words.

use egui::{Color32, CornerRadius, Frame, Margin, RichText, Sense, Ui, vec2};

use crate::theme;

/// A row of words of which one is on; gives another one when it is clicked. `name` is for screen
/// readers.
pub fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: T,
    options: &[(T, &str, &str)],
) -> Option<T> {
    let palette = theme::palette(ui);
    let mut picked = None;
    Frame::new().fill(palette.well).corner_radius(7).inner_margin(Margin::same(2)).show(ui, |ui| {
        let width = ui.available_width() / options.len() as f32;
        let size = vec2(ui.available_width(), 24.0);
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            for &(option, word, explanation) in options {
                let on = option == chosen;
                let (rect, response) = ui.allocate_exact_size(vec2(width, 24.0), Sense::click());
                let label = format!("{name}: {word}");
                response.widget_info(|| {
                    egui::WidgetInfo::selected(egui::Role::RadioButton, ui.is_enabled(), on, &label)
                });
                let fill = match (on, response.hovered()) {
                    (true, _) => palette.control,
                    (false, true) => palette.card,
                    (false, false) => Color32::TRANSPARENT,
                };
                ui.painter().rect_filled(rect, CornerRadius::same(5), fill);
                let colour = if on { palette.ink } else { palette.soft };
                let text = RichText::new(word).small().color(colour);
                let galley = egui::WidgetText::from(text).into_galley(
                    ui,
                    Some(egui::TextWrapMode::Truncate),
                    width - 6.0,
                    egui::TextStyle::Small,
                );
                let place = rect.center() - galley.size() / 2.0;
                ui.painter().galley(place, galley, colour);
                let response = if explanation.is_empty() {
                    response
                } else {
                    response.on_hover_text(explanation)
                };
                if response.clicked() && !on {
                    picked = Some(option);
                }
            }
        });
    });
    picked
}
