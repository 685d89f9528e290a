//! Sliders for settings.

use std::ops::RangeInclusive;

use egui::{Align, DragValue, Layout, RichText, Slider, SliderClamping, Ui};

use super::format::short;
use crate::theme;

/// What a setting may be.
#[derive(Clone, Debug)]
pub struct Range {
    pub values: RangeInclusive<f64>,
    pub logarithmic: bool,
    pub integer: bool,
}

impl Range {
    #[must_use]
    pub fn linear(values: RangeInclusive<f64>) -> Self {
        Self { values, logarithmic: false, integer: false }
    }

    #[must_use]
    pub fn logarithmic(values: RangeInclusive<f64>) -> Self {
        Self { values, logarithmic: true, integer: false }
    }

    #[must_use]
    pub fn integer(values: RangeInclusive<f64>) -> Self {
        Self { values, logarithmic: false, integer: true }
    }

    /// Widened so that it holds a value.
    fn holding(&self, value: f64) -> Self {
        let values = self.values.start().min(value)..=self.values.end().max(value);
        Self { values, ..self.clone() }
    }
}

/// When a change counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// While it is dragged.
    AtOnce,
    /// When it is let go: for what makes the run begin anew.
    OnRelease,
}

/// A name with a few words, the value as a field to type or drag in, and a slider below. Gives the
/// new value when there is one.
pub fn setting(
    ui: &mut Ui,
    [name, words, explanation]: [&str; 3],
    value: f64,
    range: &Range,
    commit: Commit,
) -> Option<f64> {
    let pending = ui.scope_id().with(("pending", name));
    let held_back = ui.data(|data| data.get_temp::<f64>(pending));
    let mut shown = held_back.unwrap_or(value);
    let range = &range.holding(shown);
    let responses = ui
        .push_id(name, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let (label, field) = name_and_field(ui, [name, words], &mut shown, range);
            let label = label.on_hover_text(explanation);
            ui.spacing_mut().slider_width = ui.available_width();
            let slider = Slider::new(&mut shown, range.values.clone())
                .logarithmic(range.logarithmic)
                .smallest_positive(range.values.start().max(1e-12))
                .clamping(SliderClamping::Edits)
                .show_value(false);
            let slider = if range.integer { slider.integer() } else { slider };
            let slider = ui.add(slider).labelled_by(label.id).on_hover_text(explanation);
            [field.labelled_by(label.id), slider]
        })
        .inner;
    ui.add_space(2.0);
    if range.integer {
        shown = shown.round();
    }
    let held =
        responses.iter().any(|r| r.dragged() || r.has_focus() && r.is_pointer_button_down_on());
    if commit == Commit::OnRelease && held {
        ui.data_mut(|data| data.insert_temp(pending, shown));
        return None;
    }
    ui.data_mut(|data| data.remove::<f64>(pending));
    // Only a person changes a setting: what a slider makes of a value by itself does not count.
    let changed = held_back.is_some() || responses.iter().any(egui::Response::changed);
    (changed && shown != value).then_some(shown)
}

fn name_and_field(
    ui: &mut Ui,
    [name, words]: [&str; 2],
    shown: &mut f64,
    range: &Range,
) -> (egui::Response, egui::Response) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new(name).color(palette.ink));
        // The words, as far as there is room for them beside the value.
        let room = ui.available_width() - 64.0;
        if room > 30.0 {
            ui.scope(|ui| {
                ui.set_max_width(room);
                let words = RichText::new(words).small().color(palette.soft);
                ui.add(egui::Label::new(words).truncate());
            });
        }
        let field = ui
            .with_layout(Layout::right_to_left(Align::Center), |ui| {
                // A field looks like text until it is pointed at.
                let style = ui.style_mut();
                style.visuals.widgets.inactive.weak_bg_fill = egui::Color32::TRANSPARENT;
                style.visuals.widgets.inactive.bg_stroke = egui::Stroke::NONE;
                style.spacing.button_padding = egui::vec2(4.0, 2.0);
                style.spacing.interact_size.y = 20.0;
                let speed = speed(*shown, range);
                let field = DragValue::new(shown)
                    .range(range.values.clone())
                    .speed(speed)
                    .update_while_editing(false)
                    .custom_formatter(|value, _| short(value))
                    .custom_parser(parse);
                ui.add(field)
            })
            .inner;
        (label, field)
    })
    .inner
}

/// A hundred pixels cover a good part of the range.
fn speed(value: f64, range: &Range) -> f64 {
    if range.logarithmic {
        return value.abs() * 0.02;
    }
    (range.values.end() - range.values.start()) / 300.0
}

/// What [`short`] writes, and what people type: `1e-7`, `4.5·10⁻⁷`.
fn parse(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".").replace('−', "-");
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let (mantissa, power) = match text.split_once("·10") {
        Some((mantissa, power)) => (mantissa, power),
        None => ("1", text.strip_prefix("10")?),
    };
    let digits: String = power
        .chars()
        .map(|c| match c {
            '⁻' => '-',
            '¹' => '1',
            '²' => '2',
            '³' => '3',
            '⁰' | '⁴'..='⁹' => char::from_digit(c as u32 - '⁰' as u32, 10).unwrap_or('?'),
            _ => '?',
        })
        .collect();
    format!("{}e{digits}", mantissa.trim()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed_back() {
        for value in [0.0, 4.0, 0.0123, -2.5, 1e-7, 4.6e-7, 3e12, 2e8, 1e-15] {
            assert_eq!(parse(&short(value)), Some(value), "{}", short(value));
        }
        assert_eq!(parse("1e-7"), Some(1e-7));
        assert_eq!(parse("0,5"), Some(0.5));
        for wrong in ["", "x", "10?", "·10⁻"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
