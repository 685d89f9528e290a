//! The equation as text, and its parameters.

use egui::text::{LayoutJob, TextFormat};
use egui::{RichText, Stroke, TextEdit, TextStyle, Ui};

use crate::app::state::{Action, State};
use crate::setup::FieldError;
use crate::theme;
use crate::widgets::{Commit, Range, format, hint, setting};

const EQUATION: &str = "equation.text";

/// Fields for the equation and the initial state, with what is wrong with them.
pub fn equation(ui: &mut Ui, state: &mut State, actions: &mut Vec<Action>) {
    let initial = format!("initial.{}", state.mirror.problem.unknowns[0]);
    let errors = state.edit.errors.clone();
    let of = |key: &str| errors.iter().find(|error| error.key == key).cloned();
    field(ui, "Equation", &mut state.edit.equation, of(EQUATION).as_ref(), actions);
    ui.add_space(4.0);
    field(ui, "Initial state", &mut state.edit.initial, of(&initial).as_ref(), actions);
    for error in errors.iter().filter(|error| error.key != EQUATION && error.key != initial) {
        complaint(ui, error, actions);
    }
    if !errors.is_empty() {
        hint(ui, "The run goes on with the last equation that was right.");
    }
}

fn field(
    ui: &mut Ui,
    name: &str,
    text: &mut String,
    error: Option<&FieldError>,
    actions: &mut Vec<Action>,
) {
    let palette = theme::palette(ui);
    let label = ui.label(RichText::new(name).small().color(palette.soft));
    let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, width: f32| {
        let job = marked(ui, text.as_str(), error, width);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let edit = TextEdit::multiline(text)
        .id_salt(name)
        .font(TextStyle::Monospace)
        .desired_width(f32::INFINITY)
        .desired_rows(1)
        .margin(egui::Margin::symmetric(8, 6))
        .layouter(&mut layouter);
    let response = ui.add(edit).labelled_by(label.id);
    // The solver reads one line.
    if text.contains(['\n', '\r']) {
        *text = text.replace(['\n', '\r'], " ");
    }
    if response.changed() {
        actions.push(Action::Typed);
    }
    if let Some(error) = error {
        complaint(ui, error, actions);
    }
}

/// The text with a wavy place under what is wrong.
fn marked(ui: &Ui, text: &str, error: Option<&FieldError>, width: f32) -> LayoutJob {
    let palette = theme::palette(ui);
    let plain = TextFormat::simple(TextStyle::Monospace.resolve(ui.style()), palette.ink);
    let wrong = TextFormat {
        color: palette.bad,
        underline: Stroke::new(1.5, palette.bad),
        ..plain.clone()
    };
    let mut job = LayoutJob::default();
    job.wrap.max_width = width;
    let length = text.chars().count();
    let (start, count) = match error.and_then(|error| error.place) {
        // What is missing at the end is shown at the last character.
        Some((start, count)) if length > 0 => (start.min(length - 1), count.max(1)),
        _ => (length, 0),
    };
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let (from, to) = (byte(start), byte((start + count).min(length)));
    job.append(&text[..from], 0.0, plain.clone());
    job.append(&text[from..to], 0.0, wrong);
    job.append(&text[to..], 0.0, plain);
    job
}

fn complaint(ui: &mut Ui, error: &FieldError, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    let text = RichText::new(&error.message).small().color(palette.bad);
    ui.add(egui::Label::new(text).wrap());
    hint(ui, format!("→ {}", error.remedy));
    if let Some(name) = &error.new_parameter
        && ui.button(format!("Make {name} a parameter")).clicked()
    {
        actions.push(Action::AddParameter(name.clone()));
    }
}

/// A slider for each named parameter.
pub fn parameters(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    for parameter in &state.mirror.problem.parameters {
        let span = parameter.range.unwrap_or_else(|| around(parameter.value));
        let wide = span[0] > 0.0 && span[1] / span[0] >= 20.0;
        let range = match wide {
            true => Range::logarithmic(span[0]..=span[1]),
            false => Range::linear(span[0]..=span[1]),
        };
        let what = match parameter.description.as_str() {
            "" => format!("{} to {}", format::short(span[0]), format::short(span[1])),
            words => words.to_owned(),
        };
        let value = setting(
            ui,
            [&parameter.name, words(&parameter.description), &what],
            parameter.value,
            &range,
            Commit::AtOnce,
        );
        if let Some(value) = value {
            actions.push(Action::Change {
                key: format!("parameters.{}", parameter.name),
                value: format!("{value:e}"),
            });
        }
    }
}

/// What a description begins with.
fn words(description: &str) -> &str {
    description.split(';').next().unwrap_or_default()
}

/// A range for a parameter that comes without one.
fn around(value: f64) -> [f64; 2] {
    if value == 0.0 {
        [-1.0, 1.0]
    } else {
        [f64::min(0.0, 2.0 * value), f64::max(0.0, 2.0 * value)]
    }
}
