//! A problem that is solved over its whole domain at once: picture, histories, verdict, method.

use egui::{Align, Color32, Layout, RichText, Stroke, Ui, vec2};
use egui_plot::LineStyle;
use sketchpde::problem::{Choice, residual_presets};

use super::Pictures;
use super::picture::{BAR, colour_bar, switch};
use crate::app::state::{Action, Shade, State};
use crate::app::training::{Training, methods};
use crate::link::TrainingField;
use crate::theme;
use crate::widgets::chart::{self, LogChart, Series};
use crate::widgets::{card, caution, format, hint};

/// The built-in problems of this kind.
pub fn training_presets(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let chosen = state.training.as_ref().and_then(Training::preset);
    let what = "Problems solved over all of space and time at once, by natural gradients";
    let menu = ui.menu_button("Over the whole domain at once…", |ui| {
        for preset in residual_presets().iter().filter(|preset| preset.unknowns == 1) {
            if ui.selectable_label(chosen == Some(*preset), preset.title).clicked() {
                actions.push(Action::Train(*preset));
                ui.close();
            }
        }
    });
    menu.response.on_hover_text(what);
}

/// Title, equation and one sentence.
pub fn training_heading(ui: &mut Ui, training: &Training, narrow: bool) {
    let palette = theme::palette(ui);
    let style = if narrow { egui::TextStyle::Heading } else { theme::title_style() };
    let title = RichText::new(&training.problem.title).text_style(style).color(palette.ink);
    ui.add(egui::Label::new(title).truncate());
    let words = format!(
        "The network is the solution everywhere; each iteration moves all {} parameters so that \
         less of the equation is left over.",
        training.parameters
    );
    let equation = training.problem.equation().to_owned();
    hint(ui, if narrow { equation } else { words });
}

/// The solution, as far as it has a picture.
pub fn training_picture(
    ui: &mut Ui,
    state: &State,
    training: &Training,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        for (shade, word) in [(Shade::Solution, "solution"), (Shade::Error, "error")] {
            if switch(ui, state.shade == shade, word, "What the colours stand for") {
                actions.push(Action::Shade(shade));
            }
        }
    });
    let height = (height - 30.0).max(80.0);
    let Some(field) = &training.field else {
        let words = match training.status {
            Some(_) => "There is no picture of this one; the numbers go on.",
            None => "The solver is starting.",
        };
        ui.add_space(height / 3.0);
        ui.vertical_centered(|ui| hint(ui, words));
        ui.add_space(height * 2.0 / 3.0 - 30.0);
        return;
    };
    match field.axes.as_slice() {
        [x] => curve(ui, field, &x.1, height),
        [_, _] => plane(ui, state, training, field, pictures, height),
        _ => {}
    }
}

fn curve(ui: &mut Ui, field: &TrainingField, x: &[f64], height: f32) {
    let palette = theme::palette(ui);
    let double = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let own = Stroke::new(2.2, palette.accent);
    let mut lines = vec![chart::line("network", x, &double(&field.values), own, LineStyle::Solid)];
    if !field.exact.is_empty() {
        let dashed = LineStyle::Dashed { length: 7.0 };
        let stroke = Stroke::new(1.4, palette.second);
        lines.push(chart::line("exact", x, &double(&field.exact), stroke, dashed));
    }
    chart::plain("training-curve", palette)
        .height(height)
        .auto_bounds(true)
        .set_margin_fraction(vec2(0.0, 0.05))
        .x_grid_spacer(chart::few_marks)
        .y_grid_spacer(chart::few_marks)
        .show(ui, move |plot| lines.into_iter().for_each(|line| plot.line(line)));
}

/// Two coordinates: the first one to the right, except for time, which goes down.
fn plane(
    ui: &mut Ui,
    state: &State,
    training: &Training,
    field: &TrainingField,
    pictures: &mut Pictures,
    height: f32,
) {
    let palette = theme::palette(ui);
    let timed = field.axes[0].0 == "t";
    let [first, second] = [0, 1].map(|k| &field.axes[k].1);
    let (picture, range) =
        pictures.training.trained(training, field, state.shade, timed, palette.panel);
    let (across, along) = if timed { (second, first) } else { (first, second) };
    let ends = |axis: &[f64]| [axis.first(), axis.last()].map(|v| v.copied().unwrap_or_default());
    let ([left, right], [low, high]) = (ends(across), ends(along));
    let size = vec2((right - left) as f32, (high - low) as f32);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let room = vec2(ui.available_width() - BAR, height);
        let room = if timed { room } else { chart::square_fit(size, room) };
        let mut plot = chart::plain(&training.problem.name, palette)
            .height(room.y)
            .width(room.x)
            .show_grid(false)
            .invert_y(timed)
            .x_grid_spacer(chart::few_marks)
            .y_grid_spacer(chart::few_marks)
            .allow_drag(true)
            .allow_zoom(true)
            .allow_double_click_reset(true)
            .default_x_bounds(left, right)
            .default_y_bounds(low, high);
        if !timed {
            plot = plot.data_aspect(1.0);
        }
        let response = plot.show(ui, move |plot| plot.add(picture));
        let frame = *response.transform.frame();
        colour_bar(ui, &mut pictures.bar, state.shade, range, frame, palette);
    });
}

/// How far it is and whether it can be trusted.
pub fn training_trust(ui: &mut Ui, training: &Training) {
    let palette = theme::palette(ui);
    card(ui, "Can I trust this?", "", |ui| {
        let (colour, headline, reason) = verdict(training, palette);
        ui.horizontal(|ui| {
            let (dot, _) = ui.allocate_exact_size(vec2(10.0, 20.0), egui::Sense::hover());
            ui.painter().circle_filled(dot.center(), 4.5, colour);
            let text = RichText::new(headline).text_style(egui::TextStyle::Heading);
            ui.add(egui::Label::new(text.color(palette.ink)).wrap());
        });
        hint(ui, reason);
        caution(ui, training.status.as_ref().and_then(|status| status.warning.as_ref()));
        let last = training.points.last();
        let some = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), format::short);
        for (name, value) in [
            ("Error", some(training.error())),
            ("Loss", some(last.map(|p| p.loss))),
            ("Rank", last.filter(|p| p.rank > 0).map_or("–".into(), |p| p.rank.to_string())),
        ] {
            ui.horizontal(|ui| {
                ui.label(RichText::new(name).color(palette.soft));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(RichText::new(value).color(palette.ink));
                });
            });
        }
    });
}

fn verdict(training: &Training, palette: &theme::Palette) -> (Color32, String, String) {
    let Some(latest) = &training.status else {
        return (palette.faint, "Nothing yet".into(), "The solver is starting.".into());
    };
    if let Some(failure) = &latest.failure {
        return (palette.bad, "It broke down".into(), failure.clone());
    }
    let Some(error) = training.error().filter(|error| error.is_finite()) else {
        let reason = "A small loss says that the equation holds at the points, not that the \
                      answer is right: there is nothing to compare with here.";
        return (palette.faint, "Not measured".into(), reason.into());
    };
    let reason = "Compared with the exact solution, between the points too.".to_owned();
    match format::digits(error) {
        0 => (palette.bad, "Not yet: it is wrong".into(), reason),
        1 => (palette.second, "Roughly: one digit".into(), reason),
        2 => (palette.second, "Roughly: two digits".into(), reason),
        digits => (palette.good, format!("Yes, to {digits} digits"), reason),
    }
}

/// Loss and error over the iterations.
pub fn training_histories(ui: &mut Ui, training: &Training) {
    let palette = theme::palette(ui);
    let most = training.points.last().map_or(1, |point| point.iteration).max(10) as f64;
    let chart = |ui: &mut Ui, name: &str, latest: Option<f64>, colour, points: Vec<[f64; 2]>| {
        card(ui, name, &latest.map(format::short).unwrap_or_default(), |ui| {
            let chart = LogChart {
                id: name,
                height: 110.0,
                x: 0.0..=most,
                x_name: "iteration",
                rule: None,
                cursor: None,
            };
            chart.show(ui, vec![Series { name, colour, points, dots: false }]);
        });
    };
    let errors = training.points.iter().filter_map(|p| p.error.map(|e| [p.iteration as f64, e]));
    chart(ui, "Error", training.error(), palette.second, errors.collect());
    let losses = training.points.iter().map(|p| [p.iteration as f64, p.loss]);
    let last = training.points.last().map(|p| p.loss);
    if last.is_some_and(|loss| loss < 0.0) {
        return card(ui, "Loss", &last.map(format::short).unwrap_or_default(), |ui| {
            hint(ui, "This loss is an energy, which is negative: it has no logarithm to show.");
        });
    }
    chart(ui, "Loss", last, palette.accent, losses.collect());
}

/// The optimiser.
pub fn training_method(ui: &mut Ui, state: &State, training: &Training, actions: &mut Vec<Action>) {
    hint(ui, "Another one begins the training anew.");
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(5.0, 5.0);
        for word in methods() {
            let on = training.problem.method.name.word() == word;
            if switch(ui, on, word, "method.name in the problem file") && !on {
                actions.push(Action::ChangeTraining { key: "method.name", value: word.to_owned() });
            }
        }
    });
    super::method::backend(ui, state, actions);
    ui.add_space(4.0);
    hint(ui, format!("Seed {}", training.problem.seed));
}

/// Play, pause, step, reset and how far it is.
pub fn training_transport(
    ui: &mut Ui,
    state: &State,
    training: &Training,
    actions: &mut Vec<Action>,
) {
    let palette = theme::palette(ui);
    let row = vec2(ui.available_width(), 44.0);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        super::transport::buttons(ui, state, actions);
        let Some(latest) = &training.status else { return };
        let text = match &latest.ended {
            Some(ended) => format!("iteration {}: {ended}", latest.step),
            None => {
                let all = latest.steps.unwrap_or_default();
                format!("iteration {} of {all}", latest.step)
            }
        };
        ui.add_space(6.0);
        let text = format!("{text}  ·  {:.1} s", latest.seconds.steps);
        ui.add(egui::Label::new(RichText::new(text).color(palette.ink)).truncate());
    });
}
