//! Play, pause, step, reset, and the way through the kept frames.

use egui::{Align, Layout, RichText, Sense, Ui, WidgetInfo, pos2, vec2};
use sketchpde::session::Phase;

use crate::app::state::{Action, Speed, State};
use crate::theme;
use crate::widgets::{Glyph, choice, format, glyph_button};

/// The row below the picture.
pub fn transport(ui: &mut Ui, state: &State, narrow: bool, actions: &mut Vec<Action>) {
    let row = vec2(ui.available_width(), 44.0);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        buttons(ui, state, actions);
        ui.add_space(6.0);
        let aside = if narrow { 0.0 } else { 190.0 };
        let width = (ui.available_width() - 92.0 - aside).max(40.0);
        scrubber(ui, state, width, actions);
        ui.add_space(4.0);
        time(ui, state);
        if !narrow {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| speed(ui, state, actions));
        }
    });
}

pub(super) fn buttons(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if glyph_button(ui, Glyph::Reset, "Back to the start (R)", 32.0, false).clicked() {
        actions.push(Action::Reset);
    }
    let playing = state.playing();
    let (sign, name, action) = match playing {
        true => (Glyph::Pause, "Pause (space)", Action::Pause),
        false => (Glyph::Play, "Play (space)", Action::Play),
    };
    if glyph_button(ui, sign, name, 42.0, true).clicked() {
        actions.push(action);
    }
    if glyph_button(ui, Glyph::Step, "One time step (arrow right)", 32.0, false).clicked() {
        actions.push(Action::Step);
    }
}

/// The kept frames as a line: filled as far as the run has come, with a handle where one looks.
fn scrubber(ui: &mut Ui, state: &State, width: f32, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 32.0), Sense::click_and_drag());
    let span = state.mirror.problem.time;
    let part = |time: f64| ((time - span.start) / (span.end - span.start)).clamp(0.0, 1.0) as f32;
    let at = |part: f32| pos2(rect.left() + 6.0 + part * (rect.width() - 12.0), rect.center().y);
    let frames = &state.mirror.frames;
    let reached = state.mirror.status.as_ref().map_or(span.start, |status| status.time);
    let rail = |from, to, colour, width: f32| {
        ui.painter().line_segment([at(from), at(to)], egui::Stroke::new(width, colour));
    };
    rail(0.0, 1.0, palette.control, 4.0);
    rail(0.0, part(reached), palette.accent.gamma_multiply(0.6), 4.0);
    let radius = if response.hovered() || response.dragged() { 7.0 } else { 6.0 };
    ui.painter().circle_filled(at(part(state.time())), radius, palette.accent);
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), state.time(), "Time looked at"));
    if (response.clicked() || response.dragged())
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let part = ((pointer.x - rect.left() - 6.0) / (rect.width() - 12.0)).clamp(0.0, 1.0);
        let time = span.start + f64::from(part) * (span.end - span.start);
        look_at(state, frames.nearest(time), actions);
    }
}

/// Looks at a kept frame; at the latest one of a run that goes on, follows it.
pub(super) fn look_at(state: &State, frame: Option<usize>, actions: &mut Vec<Action>) {
    let latest = state.mirror.frames.times.len().saturating_sub(1);
    let follow = frame.is_none_or(|frame| frame >= latest);
    actions.push(Action::Look(if follow { None } else { frame }));
}

fn time(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui);
    let end = state.mirror.problem.time.end;
    let text = format!("t = {:.2} of {}", state.time(), format::short(end));
    let text = match state.mirror.phase() {
        Phase::Fit => "fitting…".to_owned(),
        _ => text,
    };
    let colour = if state.scrub.is_some() { palette.accent } else { palette.ink };
    ui.add_sized(vec2(84.0, 20.0), egui::Label::new(RichText::new(text).color(colour)).truncate());
}

fn speed(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.allocate_ui(vec2(174.0, 28.0), |ui| {
        let options = [
            (Speed::Calm, "Calm", "From start to end in about 14 seconds"),
            (Speed::Quick, "Quick", "From start to end in about 5 seconds"),
            (Speed::Full, "Full", "As fast as this machine can solve"),
        ];
        if let Some(speed) = choice(ui, "Speed", state.speed, &options) {
            actions.push(Action::Speed(speed));
        }
    });
}
