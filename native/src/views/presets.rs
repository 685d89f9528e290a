//! The built-in problems as tiles with a picture of their initial state.

use egui::{
    Align2, Color32, FontId, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use sketchpde::output::colours::ColourMap;
use sketchpde::problem::{Preset, presets as built_in};
use sketchpde::session::EvaluationGrid;

use super::Pictures;
use crate::app::state::{Action, State};
use crate::setup::{Base, Setup, live};
use crate::theme;

/// A problem and what it begins with.
pub struct Tile {
    preset: Preset,
    name: &'static str,
    initial: Initial,
}

/// The initial state, sampled.
enum Initial {
    /// Values from 0 to 1.
    Curve(Vec<f32>),
    /// Rows of colours from the top.
    Field { columns: usize, colours: Vec<Color32> },
}

/// Tiles of the presets that are shown.
pub fn tiles() -> Vec<Tile> {
    built_in().iter().filter(|preset| live::is_shown(preset)).filter_map(tile).collect()
}

fn tile(preset: &Preset) -> Option<Tile> {
    let problem = Setup::preset(*preset).problem().ok()?;
    let grid = EvaluationGrid::of(&problem);
    let values = grid.initial_values(&problem);
    let (lower, upper) =
        values.iter().fold((f64::MAX, f64::MIN), |(l, u), &v| (l.min(v), u.max(v)));
    let part = |value: f64| (value - lower) / (upper - lower).max(1e-12);
    let initial = match grid.axes() {
        [x] => {
            let every = x.len().div_ceil(72);
            Initial::Curve(values.iter().step_by(every).map(|&v| part(v) as f32).collect())
        }
        [x, y, ..] => {
            let (every_x, every_y) = (x.len().div_ceil(28), y.len().div_ceil(14));
            let stride = values.len() / x.len();
            let row = |j: usize| (0..x.len()).step_by(every_x).map(move |i| i * stride + j);
            let rows: Vec<usize> = (0..y.len()).rev().step_by(every_y).flat_map(row).collect();
            let colour = |index: usize| {
                let colour = ColourMap::Viridis.at(part(values[index]));
                Color32::from_rgb(colour.0, colour.1, colour.2)
            };
            Initial::Field {
                columns: x.len().div_ceil(every_x),
                colours: rows.into_iter().map(colour).collect(),
            }
        }
        [] => return None,
    };
    Some(Tile { preset: *preset, name: live::short_name(preset), initial })
}

/// The tiles, as many in a row as fit.
pub fn presets(ui: &mut Ui, state: &State, pictures: &Pictures, actions: &mut Vec<Action>) {
    const GAP: f32 = 6.0;
    let across = if ui.available_width() > 240.0 { 3 } else { 2 };
    let width = (ui.available_width() - GAP * (across - 1) as f32) / across as f32;
    ui.spacing_mut().item_spacing = vec2(GAP, GAP);
    for row in pictures.tiles.chunks(across) {
        ui.horizontal(|ui| {
            for tile in row {
                let on = state.training.is_none()
                    && matches!(state.setup.base(), Base::Preset(p) if *p == tile.preset);
                if show(ui, tile, width, on).clicked() {
                    actions.push(Action::Select(tile.preset));
                }
            }
        });
    }
}

fn show(ui: &mut Ui, tile: &Tile, width: f32, on: bool) -> Response {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 58.0), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), on, tile.preset.title)
    });
    let fill = if response.hovered() { palette.hovered } else { palette.well };
    let line = if on { palette.accent } else { palette.line };
    let painter = ui.painter();
    painter.rect(rect, 6.0, fill, Stroke::new(1.0, line), egui::StrokeKind::Inside);
    let picture = Rect::from_min_max(
        rect.min + vec2(6.0, 7.0),
        pos2(rect.right() - 6.0, rect.bottom() - 22.0),
    );
    match &tile.initial {
        Initial::Curve(values) => {
            let last = (values.len() - 1).max(1) as f32;
            let point = |(k, v): (usize, &f32)| picture.lerp_inside(vec2(k as f32 / last, 1.0 - v));
            let colour = if on { palette.accent } else { palette.soft };
            let points = values.iter().enumerate().map(point).collect();
            painter.add(Shape::line(points, Stroke::new(1.3, colour)));
        }
        Initial::Field { columns, colours } => {
            let rows = colours.len() / columns;
            for (index, colour) in colours.iter().enumerate() {
                let (i, j) = ((index % columns) as f32, (index / columns) as f32);
                let (w, h) = (1.0 / *columns as f32, 1.0 / rows as f32);
                let cell = Rect::from_min_max(
                    picture.lerp_inside(vec2(i * w, j * h)),
                    picture.lerp_inside(vec2((i + 1.0) * w, (j + 1.0) * h)),
                );
                painter.rect_filled(cell, 0.0, *colour);
            }
        }
    }
    let colour = if on { palette.ink } else { palette.soft };
    let place = pos2(rect.center().x, rect.bottom() - 11.0);
    painter.text(place, Align2::CENTER_CENTER, tile.name, FontId::proportional(11.0), colour);
    response.on_hover_text(tile.preset.title)
}
