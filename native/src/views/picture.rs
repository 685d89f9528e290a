//! The solution: in one dimension a [curve] over the space-time picture that it leaves, in two the
//! field over the [plane].

mod curve;
mod plane;

use egui::{Align, Layout, RichText, Stroke, Ui};
use sketchpde::session::Phase;

use super::field::{Bar, Picture};
use super::presets::{Tile, tiles};
use super::transport::look_at;
use crate::app::state::{Action, Shade, State};
use crate::theme::{self, Palette};
use crate::widgets::{chart, choice, format, hint};

/// Pictures of values, and what else is made once.
pub struct Pictures {
    pub(super) tiles: Vec<Tile>,
    solution: Picture,
    pub(super) training: Picture,
    pub(super) bar: Bar,
    /// A person has moved or magnified the plot of the curve.
    moved: bool,
    /// What is being drawn, in coordinates of the plot.
    stroke: Vec<[f64; 2]>,
}

impl Default for Pictures {
    fn default() -> Self {
        Self {
            tiles: tiles(),
            solution: Picture::default(),
            training: Picture::default(),
            bar: Bar::default(),
            moved: false,
            stroke: Vec::new(),
        }
    }
}

/// Room at the right for the bar that explains the colours.
pub(super) const BAR: f32 = 52.0;

/// Everything between the heading and the transport.
pub fn picture(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    legend(ui, state, pictures, actions);
    let height = (height - 34.0).max(80.0);
    match state.mirror.grid.axes().len() {
        1 => {
            let upper = (height * 0.46).clamp(60.0, 420.0);
            curve::show(ui, state, pictures, upper, actions);
            space_time(ui, state, pictures, height - upper - 6.0, actions);
        }
        2 => plane::show(ui, state, pictures, height, actions),
        _ => {
            ui.add_space(height / 3.0);
            ui.vertical_centered(|ui| {
                hint(ui, "There is no picture in more than two dimensions; the numbers go on.");
            });
        }
    }
}

/// What the lines are, what a person can do with them, and what the colours stand for.
fn legend(ui: &mut Ui, state: &State, pictures: &mut Pictures, actions: &mut Vec<Action>) {
    ui.allocate_ui_with_layout(
        egui::vec2(ui.available_width(), 28.0),
        Layout::left_to_right(Align::Center),
        |ui| {
            // On a phone there is no room to stand over the picture itself.
            let roomy = ui.available_width() > 440.0;
            ui.spacing_mut().item_spacing.x = if roomy { 6.0 } else { 3.0 };
            ui.add_space(if roomy { chart::LEFT } else { 0.0 });
            match state.mirror.grid.axes().len() {
                1 => {
                    keys(ui, state, roomy);
                    curve::tools(ui, state, pictures, actions);
                }
                2 => plane::tools(ui, state, actions),
                _ => {}
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(if roomy { BAR - 8.0 } else { 0.0 });
                shades(ui, state, actions);
                if mirror_moves(state) && ui.available_width() > 230.0 {
                    let words = RichText::new(what_a_click_does(state)).small();
                    let words = words.color(theme::palette(ui).soft);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(words).truncate());
                    });
                }
            });
        },
    );
}

/// What the lines are.
fn keys(ui: &mut Ui, state: &State, roomy: bool) {
    let palette = theme::palette(ui);
    if let Some(rival) = &state.mirror.rival {
        let [theirs, own] = &rival.names;
        key(ui, own, Stroke::new(2.0, palette.accent), false);
        key(ui, theirs, Stroke::new(2.0, palette.good), false);
    } else {
        key(ui, "network", Stroke::new(2.0, palette.accent), false);
    }
    if state.mirror.grid.looks_at_a_marginal() && roomy {
        let first = &state.mirror.problem.coordinates[0].name;
        let words = RichText::new(format!("marginal density along {first}")).small();
        ui.label(words.color(palette.soft));
    }
    if has_reference(state) && (roomy || state.mirror.rival.is_none()) {
        key(ui, "reference", Stroke::new(1.5, palette.second), true);
    }
}

fn what_a_click_does(state: &State) -> &'static str {
    let tools = state.tools;
    if state.mirror.grid.looks_at_a_density() {
        return "";
    }
    match state.mirror.grid.axes().len() {
        1 if tools.draw => "Drag in the plot to draw the solution.",
        1 => "Click in the plot to pull the solution there.",
        _ if tools.slice.is_some() => "Drag in the picture to move the cut.",
        _ => "Click in the picture to add to the solution there.",
    }
}

fn shades(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if !has_reference(state) && state.shade != Shade::Error {
        return;
    }
    ui.allocate_ui(egui::vec2(112.0, 28.0), |ui| {
        let unknown = state.mirror.grid.unknown(&state.mirror.problem);
        let error = format!("Colours show |{unknown} − reference|");
        let options = [
            (Shade::Solution, unknown, "Colours show the solution"),
            (Shade::Error, "error", error.as_str()),
        ];
        if let Some(shade) = choice(ui, "Colours", state.shade, &options) {
            actions.push(Action::Shade(shade));
        }
    });
}

/// A small switch in the legend.
pub(super) fn switch(ui: &mut Ui, on: bool, word: &str, what: &str) -> bool {
    let palette = theme::palette(ui);
    let colour = if on { palette.ink } else { palette.soft };
    let button = egui::Button::selectable(on, RichText::new(word).small().color(colour));
    ui.add(button).on_hover_text(what).clicked()
}

/// Whether the solution can be poked.
fn mirror_moves(state: &State) -> bool {
    state.mirror.phase() == Phase::Steps && state.scrub.is_none()
}

fn has_reference(state: &State) -> bool {
    state.mirror.reference.is_some() || !state.mirror.frames.reference.is_empty()
}

fn key(ui: &mut Ui, name: &str, stroke: Stroke, dashed: bool) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(22.0, 10.0), egui::Sense::hover());
    let ends = [rect.left_center(), rect.right_center()];
    if dashed {
        ui.painter().extend(egui::Shape::dashed_line(&ends, stroke, 5.0, 3.0));
    } else {
        ui.painter().line_segment(ends, stroke);
    }
    ui.label(RichText::new(name).small().color(theme::palette(ui).soft));
    ui.add_space(6.0);
}

/// Colours over x and, downwards, t. A click or drag looks at that time.
fn space_time(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    let palette = theme::palette(ui);
    let mirror = &state.mirror;
    let (field, range) = pictures.solution.space_time(mirror, state.shade, palette.panel);
    let coordinate = &mirror.problem.coordinates[0];
    let span = mirror.problem.time;
    let time = state.time();
    let bounds = coordinate.lower..=coordinate.upper;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let response = chart::plain("space-time", palette)
            .height(height)
            .width(ui.available_width() - BAR)
            .invert_y(true)
            .show_grid(false)
            .x_grid_spacer(chart::few_marks)
            .y_grid_spacer(chart::few_marks)
            .sense(egui::Sense::click_and_drag())
            .show_crosshair(false)
            .show(ui, move |plot| {
                plot.set_plot_bounds_x(bounds);
                plot.set_plot_bounds_y(span.start..=span.end);
                plot.add(field);
                let now = egui_plot::HLine::new("time", time).allow_hover(false);
                plot.hline(now.color(palette.ink).width(1.0));
            });
        let plot = response.response;
        if (plot.clicked() || plot.dragged())
            && let Some(pointer) = plot.interact_pointer_pos()
        {
            let at = response.transform.value_from_position(pointer).y;
            look_at(state, mirror.frames.nearest(at), actions);
        }
        let frame = *response.transform.frame();
        colour_bar(ui, &mut pictures.bar, state.shade, range, frame, palette);
    });
}

/// The colours and their values, beside `frame`.
pub(super) fn colour_bar(
    ui: &mut Ui,
    bar: &mut Bar,
    shade: Shade,
    [lower, upper]: [f64; 2],
    frame: egui::Rect,
    palette: &Palette,
) {
    let height = frame.height().min(220.0);
    let rect = egui::Rect::from_min_size(
        frame.right_top() + egui::vec2(10.0, 0.0),
        egui::vec2(8.0, height),
    );
    let uv = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
    let painter = ui.painter();
    painter.image(bar.texture(ui.ctx(), shade), rect, uv, egui::Color32::WHITE);
    let font = egui::FontId::proportional(11.0);
    for (at, align, value) in [
        (rect.right_top(), egui::Align2::LEFT_TOP, upper),
        (rect.right_center(), egui::Align2::LEFT_CENTER, (lower + upper) / 2.0),
        (rect.right_bottom(), egui::Align2::LEFT_BOTTOM, lower),
    ] {
        let text = label(value, upper - lower);
        painter.text(at + egui::vec2(4.0, 0.0), align, text, font.clone(), palette.soft);
    }
}

/// As many digits as tell values of this span apart: there is little room.
fn label(value: f64, span: f64) -> String {
    if value.abs() < 0.01 * span {
        return "0".into();
    }
    if !(0.01..1000.0).contains(&span) {
        return format::scientific(value, 0);
    }
    let decimals = (1 - span.log10().floor() as i32).clamp(0, 3) as usize;
    format!("{value:.decimals$}")
}
