//! u over x and y: colours, lines of equal value, and a cut.

use egui::{Stroke, Ui};
use egui_plot::{LineStyle, PlotPoint, PlotTransform};

use super::super::contour::{contour, levels};
use super::{BAR, Pictures, colour_bar, switch};
use crate::app::state::{Action, Shade, State, Tools};
use crate::theme::{self, Palette};
use crate::widgets::chart;

/// About so many lines of equal value.
const CONTOURS: usize = 9;
/// What a cut takes of the picture's height.
const CUT: f32 = 0.3;

/// Switches for contours and the cut.
pub fn tools(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let tools = state.tools;
    if switch(ui, tools.contours, "Contours", "Lines of equal value") {
        actions.push(Action::Tools(Tools { contours: !tools.contours, ..tools }));
    }
    let y = &state.mirror.problem.coordinates[1];
    if switch(ui, tools.slice.is_some(), "Slice", "The solution along a line") {
        let slice = tools.slice.is_none().then_some((y.lower + y.upper) / 2.0);
        actions.push(Action::Tools(Tools { slice, ..tools }));
    }
}

/// The picture, and the cut below it where there is one.
pub fn show(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    match state.tools.slice {
        Some(y) => {
            let lower = (height * CUT).clamp(60.0, 260.0);
            let width = field(ui, state, pictures, height - lower - 6.0, actions);
            cut(ui, state, y, [width, lower]);
        }
        None => {
            field(ui, state, pictures, height, actions);
        }
    }
}

/// Gives its width.
fn field(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) -> f32 {
    let palette = theme::palette(ui);
    let mirror = &state.mirror;
    let (field, range) = pictures.solution.plane(mirror, state.scrub, state.shade, palette.panel);
    let [x, y] = [0, 1].map(|k| &mirror.problem.coordinates[k]);
    let size = egui::vec2((x.upper - x.lower) as f32, (y.upper - y.lower) as f32);
    let room = chart::square_fit(size, egui::vec2(ui.available_width() - BAR, height));
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let response = chart::plain("field", palette)
            .height(room.y)
            .width(room.x)
            .data_aspect(1.0)
            .show_grid(false)
            .allow_drag(state.tools.slice.is_none())
            .allow_zoom(true)
            .allow_double_click_reset(true)
            .sense(egui::Sense::click_and_drag())
            .default_x_bounds(x.lower, x.upper)
            .default_y_bounds(y.lower, y.upper)
            .show(ui, move |plot| plot.add(field));
        let transform = &response.transform;
        if state.tools.contours {
            contours(ui, state, transform, range);
        }
        let frame = *transform.frame();
        if let Some(at) = state.tools.slice {
            let height = transform.position_from_point(&PlotPoint::new(x.lower, at)).y;
            if frame.y_range().contains(height) {
                ui.painter().hline(frame.x_range(), height, Stroke::new(1.5, palette.ink));
            }
        }
        colour_bar(ui, &mut pictures.bar, state.shade, range, frame, palette);
        if let Some(pointer) = response.response.interact_pointer_pos() {
            let at = transform.value_from_position(pointer);
            touched(&response.response, [at.x, at.y], state, actions);
        }
    });
    room.x
}

/// A click adds to the solution; with a cut, clicks and drags move that.
fn touched(plot: &egui::Response, at: [f64; 2], state: &State, actions: &mut Vec<Action>) {
    let tools = state.tools;
    let y = &state.mirror.problem.coordinates[1];
    if tools.slice.is_some() {
        if plot.clicked() || plot.dragged() {
            let slice = Some(at[1].clamp(y.lower, y.upper));
            actions.push(Action::Tools(Tools { slice, ..tools }));
        }
    } else if plot.clicked() && !state.mirror.grid.looks_at_a_density() {
        let height = 0.4 * (state.mirror.range[1] - state.mirror.range[0]);
        actions.push(Action::Poke { place: at.to_vec(), height });
    }
}

/// Lines of equal value over the picture.
fn contours(ui: &Ui, state: &State, transform: &PlotTransform, range: [f64; 2]) {
    let mirror = &state.mirror;
    let [x, y] = [0, 1].map(|k| &mirror.grid.axes()[k]);
    let (values, reference) = mirror.shown(state.scrub);
    let values = match (state.shade, reference) {
        (Shade::Error, Some(v)) => values.iter().zip(&v).map(|(u, v)| (u - v).abs()).collect(),
        _ => values,
    };
    let place = |[i, j]: [f64; 2]| {
        let at = |axis: &[f64], k: f64| axis[0] + k * (axis[1] - axis[0]);
        transform.position_from_point(&PlotPoint::new(at(x, i), at(y, j)))
    };
    let painter = ui.painter().with_clip_rect(*transform.frame());
    let stroke = Stroke::new(1.0, egui::Color32::from_white_alpha(150));
    let mut pieces = Vec::new();
    for level in levels(range, CONTOURS) {
        contour(&values, [x.len(), y.len()], level, &mut pieces);
    }
    for [from, to] in pieces {
        painter.line_segment([place(from), place(to)], stroke);
    }
}

/// u over x at one y.
fn cut(ui: &mut Ui, state: &State, at: f64, [width, height]: [f32; 2]) {
    let palette: &Palette = theme::palette(ui);
    let mirror = &state.mirror;
    let [x, y] = [0, 1].map(|k| &mirror.grid.axes()[k]);
    let nearest = y.partition_point(|&y| y < at).min(y.len() - 1);
    let along = |values: &[f64]| -> Vec<f64> {
        (0..x.len()).filter_map(|i| values.get(i * y.len() + nearest).copied()).collect()
    };
    let (values, reference) = mirror.shown(state.scrub);
    let mut lines = vec![chart::line(
        "network",
        x,
        &along(&values),
        Stroke::new(2.0, palette.accent),
        LineStyle::Solid,
    )];
    if let Some(reference) = reference {
        let dashed = LineStyle::Dashed { length: 7.0 };
        let stroke = Stroke::new(1.4, palette.second);
        lines.push(chart::line("reference", x, &along(&reference), stroke, dashed));
    }
    let coordinate = &mirror.problem.coordinates[0];
    let (bounds, range) = (coordinate.lower..=coordinate.upper, mirror.range);
    chart::plain("cut", palette)
        .height(height)
        .width(width)
        .x_grid_spacer(chart::few_marks)
        .y_grid_spacer(chart::few_marks)
        .show(ui, move |plot| {
            plot.set_plot_bounds_x(bounds);
            plot.set_plot_bounds_y(range[0]..=range[1]);
            lines.into_iter().for_each(|line| plot.line(line));
        });
}
